"""The engine goes on at once while there may be more to do, and otherwise rests for as long as it worked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
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
    wakeups.run_forever(lambda: bool(rested))
    assert rested == pytest.approx(rests)


class Backlog:
    """A wake-up with so many rows due; knows which threads came for them, and meets them where it is told to."""

    batch, lanes = 10, 3

    def __init__(self, due: int, *, together: int = 1) -> None:
        self.left, self.threads, self.lock = due, set[str](), threading.Lock()
        self.meeting = threading.Barrier(together, timeout=10)

    def run(self, at: datetime) -> int:
        first = not self.threads
        with self.lock:
            self.threads.add(threading.current_thread().name)
            taken = min(self.left, self.batch)
            self.left -= taken
        if not first and self.meeting.parties > 1 and not self.meeting.broken and taken == self.batch:
            with suppress(threading.BrokenBarrierError):
                self.meeting.wait()
                self.meeting.abort()
        return taken


def work_off(wakeup: Backlog) -> int:
    return wakeups.work_off(wakeup)  # type: ignore[arg-type]


@pytest.mark.django_db(transaction=True)
class TestLanes:
    def test_one_batch_needs_one_thread(self) -> None:
        due = Backlog(9)
        assert work_off(due) == 9
        assert due.threads == {threading.current_thread().name}

    def test_a_backlog_is_worked_off_by_all_lanes_at_once(self) -> None:
        due = Backlog(100, together=3)
        assert work_off(due) == 100, "and all of it is counted"
        assert len(due.threads) == 3

    def test_others_get_their_turn_however_long_it_is(self) -> None:
        due = Backlog(100_000)
        assert work_off(due) == 10 + 3 * 10 * wakeups.BATCHES_OF_A_LANE
        assert due.left

    def test_what_fails_in_a_lane_is_not_kept_quiet(self) -> None:
        main = threading.current_thread().name

        class Broken(Backlog):
            def run(self, at: datetime) -> int:
                if threading.current_thread().name != main:
                    raise LookupError("in a lane")
                return super().run(at)

        with pytest.raises(LookupError, match="in a lane"):
            work_off(Broken(50))

    def test_lanes_see_what_the_engine_sees_and_leave_no_connection(self, cast: Cast) -> None:
        seen = list[int]()

        class Looking(Backlog):
            def run(self, at: datetime) -> int:
                seen.append(Client.objects.count())
                return super().run(at)

        before = _connections()
        work_off(Looking(50))
        assert set(seen) == {Client.objects.count()}
        assert len(seen) >= 5
        assert _left_over(before) == 0


def _left_over(before: int) -> int:
    """How many connections there are more than before; the server takes a moment to let one go."""
    until = time.monotonic() + 10
    while (more := _connections() - before) > 0 and time.monotonic() < until:
        time.sleep(0.05)
    return more


def _connections() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


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
