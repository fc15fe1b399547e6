"""Every clock is what its ticket's timeline says; one that is not is found, named, and set right with an entry."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tierdesk.response.sla.models import Clock
from tierdesk.response.sla.verify import repair, verify
from tierdesk.tickets.models import Entry, Ticket

H = timedelta(hours=1)


@pytest.fixture
def ticket(
    cast: Cast, at: datetime, doing: Callable[..., Any], live_until: Callable[[datetime], None]
) -> Ticket:
    """A ticket with a full life: asked, answered, worsened, climbed, breached, resolved, reopened."""
    with doing(cast.lena):
        ticket = cast.ticket(contact=cast.ann)
    with doing(cast.lena, at + H):
        ticket.ask("Which client do you use?")
    with doing(cast.ann, at + 3 * H):
        ticket.hear("The blue one.", channel="email")
    with doing(cast.lena, at + 4 * H):
        ticket.assess(impact=1, urgency=1, reason="everybody is affected")
        ticket.hand_over(cast.ops, why="skill")
    live_until(at + 20 * H)
    ticket.refresh_from_db()
    with doing(cast.tom, at + 20 * H):
        ticket.resolve(code="fixed", text="Fixed.")
    with doing(cast.ann, at + 48 * H):
        ticket.hear("It is back.", channel="email")
    return ticket


def test_the_timeline_tells_the_clocks_that_the_desk_has(ticket: Ticket) -> None:
    assert Entry.objects.of(ticket.pk).filter(kind="breached").exists()
    assert Clock.objects.filter(ticket=ticket).count() >= 6
    assert [str(one) for one in verify()] == []


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("due_at", datetime.fromisoformat("2026-07-01T12:00:00+00:00")),
        ("wake_at", None),
        ("target_s", 60),
        ("pauses", []),
        ("carried_s", 1.0),
    ],
)
def test_j08_a_wrong_clock_is_found_and_set_right_with_an_entry(
    cast: Cast, ticket: Ticket, at: datetime, doing: Callable[..., Any], field: str, wrong: Any
) -> None:
    clock = Clock.objects.get(ticket=ticket, metric="resolve", party="SLA")
    right = getattr(clock, field)
    assert right != wrong or field == "wake_at"
    Clock.objects.filter(pk=clock.pk).update(**{field: wrong or (at if field == "wake_at" else wrong)})
    found = list(verify())
    assert [(one.row, one.fields) for one in found] == [(clock, (field,))]
    assert str(found[0]).startswith(f"{ticket.reference} SLA resolve: {field} is ")
    with doing(cast.lou, at + 50 * H):
        repair(ticket)
    clock.refresh_from_db()
    assert getattr(clock, field) == right
    assert list(verify()) == []
    entry = Entry.objects.of(ticket.pk).get(kind="clocks_corrected")
    (correction,) = entry.details["corrections"]
    assert correction["clock"] == clock.pk
    assert list(correction["fields"]) == [field]


def test_a_lost_clock_comes_back(cast: Cast, ticket: Ticket, at: datetime, doing: Callable[..., Any]) -> None:
    Clock.objects.filter(ticket=ticket, metric="resolve", party="SLA").delete()
    ticket.refresh_from_db()
    assert ["there is no such clock" in str(one) for one in verify()] == [True]
    with doing(cast.lou, at + 50 * H):
        repair(ticket)
    assert Clock.objects.get(ticket=ticket, metric="resolve", party="SLA").state == "running"
    assert list(verify()) == []


def test_a_clock_that_nothing_started_is_struck_and_kept(
    cast: Cast, ticket: Ticket, at: datetime, doing: Callable[..., Any]
) -> None:
    clock = Clock.objects.get(ticket=ticket, metric="resolve", party="SLA")
    clock.pk, clock.metric = None, "accept"
    clock.save()
    assert ["starts no such clock" in str(one) for one in verify()] == [True]
    with doing(cast.lou, at + 50 * H):
        repair(ticket)
    clock.refresh_from_db()
    assert (clock.state, clock.elapsed_s) == ("cancelled", 0)
    assert list(verify()) == []


def test_where_nothing_differs_nothing_is_written(
    cast: Cast, ticket: Ticket, at: datetime, doing: Callable[..., Any]
) -> None:
    before = Entry.objects.count()
    with doing(cast.lou, at + 50 * H):
        assert repair(ticket) == []
    assert Entry.objects.count() == before
