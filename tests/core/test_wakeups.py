"""The engine goes on at once while there may be more to do, and otherwise rests for as long as it worked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tierdesk.channels.models import Inbound
from tierdesk.core import wakeups
from tierdesk.core.wakeups import LONGEST_REST_S, POLL_SECONDS, Errand, Look, Wakeup
from tierdesk.directory.clients.models import Client
from tierdesk.directory.oncall.models import Subscription
from tierdesk.learning.analytics.models import ClosedMonth
from tierdesk.learning.prediction.models import Outlook
from tierdesk.response.notifications.models import Notice
from tierdesk.response.paging.pages import Page
from tierdesk.tickets.models import Ticket


def never(rows: list[Ticket], at: datetime) -> None:
    raise AssertionError("nothing of this is due")


def everyone(at: datetime) -> QuerySet[Client]:
    return Client.objects.order_by("pk")


@pytest.mark.parametrize(
    ("acted", "took_s", "rests"),
    [
        ((0,), 0.01, [POLL_SECONDS]),
        ((3,), 0.01, [POLL_SECONDS]),  # all that there was
        ((3,), 0.5, [0.5]),  # it leaves time to others
        ((3,), 30.0, [LONGEST_REST_S]),
        ((20, 20, 3), 0.5, [0.5]),  # full batches: there may be more
    ],
    ids=["nothing", "a few", "a few that took long", "very long", "full, full, a few"],
)
def test_it_rests_unless_there_may_be_more(
    acted: tuple[int, ...], took_s: float, rests: list[float], monkeypatch: pytest.MonkeyPatch, cast: Cast
) -> None:
    """`acted`: how many rows each run found; a client is always due."""
    clock, rested = [0.0], list[float]()
    counts: Iterator[int] = iter(acted)

    def act(at: object) -> int:
        clock[0] += took_s
        return next(counts)

    def rest(seconds: float) -> None:
        rested.append(seconds)

    due = Errand(Client, act, batch=20, waiting=everyone)
    monkeypatch.setattr(wakeups, "wakeups", lambda: [Wakeup(Ticket, never), due])
    monkeypatch.setattr(wakeups, "close_old_connections", lambda: None)
    monkeypatch.setattr(wakeups.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(wakeups.time, "sleep", rest)
    wakeups.run_forever(lambda: bool(rested), among=lambda one: True)
    assert rested == pytest.approx(rests)


def test_an_engine_acts_on_its_own_wakeups_alone(monkeypatch: pytest.MonkeyPatch, cast: Cast) -> None:
    acted = list[str]()

    def acting(name: str) -> Callable[[datetime], int]:
        def act(at: datetime) -> int:
            acted.append(name)
            return 0

        return act

    mine, others = (Errand(Client, acting(name), waiting=everyone) for name in ("mine", "others"))
    monkeypatch.setattr(wakeups, "wakeups", lambda: [Wakeup(Ticket, never), mine, others])
    monkeypatch.setattr(wakeups, "close_old_connections", lambda: None)
    monkeypatch.setattr(wakeups.time, "sleep", lambda seconds: None)
    wakeups.run_forever(lambda: len(acted) == 3, among=lambda one: one is not others)
    assert acted == ["mine"] * 3


class TestLook:
    def test_it_finds_what_is_due_and_nothing_else(self, cast: Cast, doing: Callable[..., Any]) -> None:
        with doing(cast.lena):
            cast.ticket().pend("requester_scheduled", until=MONDAY_10 + timedelta(hours=1))
        every = wakeups.wakeups()
        look = Look(every)
        assert [wakeup.model for wakeup in look.at(MONDAY_10)] == [Outlook, Notice]
        later = look.at(MONDAY_10 + timedelta(hours=1))
        assert {Notice, Ticket} <= {wakeup.model for wakeup in later}
        assert later == [wakeup for wakeup in every if wakeup in later]

    def test_it_reads_an_index_of_what_is_to_come_however_much_is_stored(self, cast: Cast) -> None:
        look = Look(wakeups.wakeups())
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            values = [MONDAY_10 if value == Look.SOME_TIME else value for value in look._values]
            cursor.execute(f"EXPLAIN {look._sql}", values)
            plan = "\n".join(line for (line,) in cursor.fetchall())
        for index in ("clocks_to_wake", "tickets_to_wake", "alarms_to_wake", "alarms_unseen"):
            assert index in plan

    def test_what_waits_for_others_or_thinks_long_is_run_apart(self) -> None:
        apart = {wakeup.model for wakeup in wakeups.wakeups() if wakeup.apart}
        assert apart == {Inbound, Notice, Outlook, Page, Client, ClosedMonth, Subscription}
