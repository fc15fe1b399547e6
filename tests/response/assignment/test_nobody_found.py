"""Nobody can be found for a ticket: after a grace whoever answers for the team hears of it, once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tests.response.assignment.conftest import now
from tierdesk.core.wakeups import run_due
from tierdesk.directory.staff.models import Agent
from tierdesk.response.assignment.models import GRACE, LONG_GRACE, Offer
from tierdesk.response.notifications.models import Notice
from tierdesk.tickets.models import Entry, Ticket

MINUTE = timedelta(minutes=1)
type Opened = Callable[..., list[Ticket]]
type Pushes = Callable[..., None]
type Live = Callable[[datetime], None]


def told() -> list[tuple[float, str]]:
    """(minutes after ten, whom), by mail."""
    mails = Notice.objects.filter(kind="unfound", channel="mail").order_by("id")
    return [((one.created_at - MONDAY_10) / MINUTE, one.address) for one in mails]


@pytest.fixture
def nobody_there(cast: Cast, pushes: Pushes) -> None:
    """A team that pushes, of Lena who is away and Lou who holds all they can."""
    pushes(capacity=1)
    cast.lena.go_away()


def fill(opened: Opened) -> None:
    """Lou takes the first, and has no room for another."""
    opened(1, impact=3, urgency=3)


@pytest.mark.parametrize(
    "impact, urgency, minutes, why",
    [
        (1, 1, GRACE[1] / MINUTE, "a P1 cannot wait"),
        (1, 2, GRACE[2] / MINUTE, "a P2 a little"),
        (3, 3, LONG_GRACE / MINUTE, "another longer"),
    ],
)
def test_the_lead_is_told_once_after_a_grace(
    cast: Cast,
    nobody_there: None,
    opened: Opened,
    live_until: Live,
    impact: int,
    urgency: int,
    minutes: float,
    why: str,
) -> None:
    fill(opened)
    [ticket] = opened(impact=impact, urgency=urgency)
    live_until(MONDAY_10 + timedelta(minutes=minutes - 1))
    assert told() == []
    live_until(MONDAY_10 + timedelta(hours=6))
    assert told() == [(minutes, "lou@desk.example")], why
    entries = Entry.objects.of(ticket.pk)
    assert [one.kind for one in entries if one.kind.startswith("nobody_")] == [
        "nobody_chosen",
        "nobody_found",
    ]
    notice = Notice.objects.filter(kind="unfound").first()
    assert notice is not None and notice.path == f"/tickets/{ticket.pk}/"
    assert (notice.ticket, notice.client) == (None, None), "a matter of the team, whichever client it serves"
    assert f"{ticket.reference} (P{ticket.priority}): nobody has room" in notice.text


def test_a_ticket_that_somebody_gets_in_time_is_told_of_to_nobody(
    cast: Cast, nobody_there: None, opened: Opened, live_until: Live
) -> None:
    fill(opened)
    [ticket] = opened()
    agent = Agent.objects.get(pk=cast.lena.pk)
    agent.go_away(until=MONDAY_10 + 20 * MINUTE)
    live_until(MONDAY_10 + timedelta(hours=2))
    assert now([ticket])[0].assignee == cast.lena
    assert told() == []


def test_many_are_told_in_one_breath(
    cast: Cast, nobody_there: None, opened: Opened, live_until: Live
) -> None:
    fill(opened)
    tickets = opened(9)
    live_until(MONDAY_10 + timedelta(hours=2))
    assert len(told()) == 1
    [desk] = Notice.objects.filter(kind="unfound", channel="desk")
    assert f"{tickets[5].reference} (P3), and 3 more: nobody has room" in desk.text
    assert desk.path == "/queues/unassigned/"


def test_while_the_people_of_the_team_are_off_the_grace_does_not_run(
    cast: Cast, pushes: Pushes, opened: Opened, live_until: Live
) -> None:
    pushes(capacity=1)
    Agent.objects.update(hours=cast.office.calendar)
    evening = MONDAY_10.replace(hour=16)  # 18:00 in Berlin, closed since 17:00
    fill(opened)
    with_lou = opened(2, at=evening)
    live_until(MONDAY_10 + timedelta(days=1))
    opens = datetime(2026, 6, 9, 7, tzinfo=MONDAY_10.tzinfo)
    unfound = [one for one in now(with_lou) if one.assignee is None]
    assert len(unfound) == 1, "Lena has room for one in the morning, Lou for none"
    assert told() == [((opens + LONG_GRACE - MONDAY_10) / MINUTE, "lou@desk.example")]


def test_room_is_found_before_the_hour_at_which_somebody_else_begins(
    cast: Cast, pushes: Pushes, opened: Opened, doing: Callable[..., Any]
) -> None:
    """A ticket that waits for somebody's morning is given to whoever has room before."""
    pushes(capacity=1)
    Agent.objects.filter(pk=cast.lou.pk).update(hours=cast.office.calendar)
    evening = MONDAY_10.replace(hour=16)
    first, second = opened(2, at=evening)
    assert (first.assignee, second.assignee) == (cast.lena, None)
    with doing(cast.lena, evening + 10 * MINUTE):
        first.pend("evidence")
    run_due(evening + 10 * MINUTE)
    assert now([second])[0].assignee == cast.lena


def test_telling_of_many_costs_as_much_as_of_one(cast: Cast, nobody_there: None, opened: Opened) -> None:
    fill(opened)

    def asked(many: int, hour: int) -> int:
        at = MONDAY_10 + timedelta(hours=hour)
        opened(many, at=at)
        assert Offer.objects.filter(tell_at=at + LONG_GRACE).count() == many
        with CaptureQueriesContext(connection) as queries:
            run_due(at + LONG_GRACE)
        return len(queries)

    assert asked(12, 2) <= asked(1, 1) + 2
