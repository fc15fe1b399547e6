"""A date that somebody promised to a client: a clock of its own, which nothing moves but another promise."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tests.response.sla.test_promise_cases import NINE, H, M, berlin, clock, clocks
from tierdesk.core.wakeups import fast_forward, run_due
from tierdesk.response.sla.dates import counted, promise_date, standing_dates, take_back_date
from tierdesk.response.sla.explain import explain
from tierdesk.response.sla.models import Clock
from tierdesk.response.sla.story import story
from tierdesk.tickets.lifecycle import StaleTicket, UnableTo
from tierdesk.tickets.models import Entry, Ticket

type Doing = Callable[..., Any]
type Live = Callable[[datetime], None]

WEDNESDAY = berlin("2026-06-10T15:00")
THURSDAY = berlin("2026-06-11T12:00")


@pytest.fixture
def ticket(cast: Cast, doing: Doing) -> Ticket:
    """A P3 of Ann's, opened Monday 09:00."""
    with doing(cast.lena, NINE):
        return cast.ticket()


def say(
    cast: Cast, doing: Doing, ticket: Ticket, date: datetime | None, at: datetime = NINE + H, **more: Any
) -> None:
    with doing(cast.lena, at):
        promise_date(ticket, date, by=cast.lena, why="told Ann on the phone", **more)


def told(ticket: Ticket, kind: str) -> list[Entry]:
    return list(Entry.objects.of(ticket.pk).filter(kind=kind, details__metric="date"))


@pytest.mark.parametrize(
    ("date", "due", "why"),
    [
        ("2026-06-10T15:00", "2026-06-10T15:00", "people work then"),
        ("2026-06-10T09:00", "2026-06-10T09:00", "exactly at the opening"),
        ("2026-06-10T17:00", "2026-06-10T17:00", "exactly at the close: nobody means the next morning"),
        ("2026-06-10T17:01", "2026-06-11T09:00", "a minute later they have gone home"),
        ("2026-06-12T20:30", "2026-06-15T09:00", "a weekend on the way"),
        ("2026-06-13T12:00", "2026-06-15T09:00", "on a Saturday"),
    ],
)
def test_a_date_counts_as(cast: Cast, ticket: Ticket, date: str, due: str, why: str) -> None:
    one = counted(ticket, berlin(date), NINE + H)
    assert one.due_at == berlin(due), why
    assert one.is_later == (date != due)


def test_an_urgent_ticket_counts_at_night_as_its_promises_do(
    cast: Cast, ticket: Ticket, doing: Doing
) -> None:
    with doing(cast.lou, NINE + H):
        ticket.override_priority(1, reason="the board meets")
    night = berlin("2026-06-10T02:00")
    assert counted(ticket, night, NINE + H).due_at == night


def test_a_date_runs_beside_the_contract_s_promises(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    before = clock(ticket, "resolve").due_at
    say(cast, doing, ticket, WEDNESDAY)
    one = clock(ticket, "date")
    assert (one.due_at, one.state, one.party) == (WEDNESDAY, "running", "SLA")
    assert clock(ticket, "resolve").due_at == before
    ticket.refresh_from_db()
    assert ticket.next_due_at == min(c.due_at for c in ticket.clocks.filter(state="running") if c.due_at)


def test_kept_is_solved_by_then_and_missed_a_microsecond_later(cast: Cast, doing: Doing) -> None:
    for late, state in ((timedelta(0), "met"), (timedelta(microseconds=1), "missed")):
        with doing(cast.lena, NINE):
            ticket = cast.ticket()
        say(cast, doing, ticket, WEDNESDAY)
        with doing(cast.lena, WEDNESDAY + late):
            ticket.resolve(code="fixed")
        assert clock(ticket, "date").state == state


def test_it_warns_in_working_time_and_is_broken_at_its_instant(
    cast: Cast, ticket: Ticket, doing: Doing, live_until: Live
) -> None:
    """Until Wednesday 15:00 people work 21 hours; three quarters of them are over on Wednesday at 09:45."""
    say(cast, doing, ticket, WEDNESDAY)
    live_until(WEDNESDAY + H)
    (warned,), (broken,) = told(ticket, "warned"), told(ticket, "breached")
    assert warned.at == berlin("2026-06-10T09:45")
    assert broken.details["crossed_at"] == (WEDNESDAY + timedelta(microseconds=1)).isoformat()
    assert clock(ticket, "date").has_breached(WEDNESDAY + H)


def test_at_the_close_it_is_broken_then_and_not_on_the_next_morning(
    cast: Cast, ticket: Ticket, doing: Doing
) -> None:
    """Also where nobody had been warned: the engine was down."""
    close = berlin("2026-06-10T17:00")
    say(cast, doing, ticket, close)
    run_due(close + H)
    assert clock(ticket, "date").breached_at == close + timedelta(microseconds=1)


def test_a_date_that_stands_is_moved_with_who_from_to_and_why(
    cast: Cast, ticket: Ticket, doing: Doing, live_until: Live
) -> None:
    say(cast, doing, ticket, WEDNESDAY)
    live_until(WEDNESDAY - H)
    assert told(ticket, "warned")
    with doing(cast.lou, WEDNESDAY - H):
        promise_date(ticket, THURSDAY, by=cast.lou, why="the part comes later", shown=True)
    one = clock(ticket, "date")
    assert (one.due_at, one.warned_at, one.breached_at) == (THURSDAY, None, None)
    entry = Entry.objects.of(ticket.pk).filter(kind="date_promised").last()
    assert entry is not None
    assert (entry.by_name, entry.details["before"], entry.details["promised_at"], entry.details["why"]) == (
        "Lou Lead",
        WEDNESDAY.isoformat(),
        THURSDAY.isoformat(),
        "the part comes later",
    )
    live_until(THURSDAY + H)
    assert len(told(ticket, "warned")) == 2
    assert len(told(ticket, "breached")) == 1


@pytest.mark.parametrize("told_before", [True, False], ids=["told", "not told yet"])
def test_a_broken_date_stays_broken_and_another_begins(
    cast: Cast, ticket: Ticket, doing: Doing, live_until: Live, told_before: bool
) -> None:
    say(cast, doing, ticket, WEDNESDAY)
    if told_before:
        live_until(WEDNESDAY + H)
    say(cast, doing, ticket, THURSDAY, at=WEDNESDAY + H)
    first, second = clocks(ticket, "date")
    assert (first.state, second.state, second.due_at) == ("missed", "running", THURSDAY)
    with doing(cast.lena, THURSDAY - H):
        ticket.resolve(code="fixed")
    assert clocks(ticket, "date")[1].state == "met"


@pytest.mark.parametrize(("late", "state"), [(-H, "cancelled"), (H, "missed")])
def test_a_date_that_is_taken_back_is_left_out_unless_it_was_broken(
    cast: Cast, ticket: Ticket, doing: Doing, late: timedelta, state: str
) -> None:
    say(cast, doing, ticket, WEDNESDAY)
    with doing(cast.lena, WEDNESDAY + late):
        take_back_date(ticket, by=cast.lena, why="it was another ticket")
    assert clock(ticket, "date").state == state
    assert standing_dates([ticket]) == {}


def test_another_priority_moves_no_date(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    say(cast, doing, ticket, WEDNESDAY)
    with doing(cast.lou, NINE + 2 * H):
        ticket.override_priority(1, reason="the board meets")
    one = clock(ticket, "date")
    assert (one.due_at, one.state) == (WEDNESDAY, "running")


@pytest.mark.parametrize(
    ("reopened", "breached"), [(WEDNESDAY - H, False), (WEDNESDAY + H, True)], ids=["before", "after"]
)
def test_what_was_not_solved_after_all_is_late_from_the_date_on(
    cast: Cast, ticket: Ticket, doing: Doing, reopened: datetime, breached: bool
) -> None:
    say(cast, doing, ticket, WEDNESDAY)
    with doing(cast.lena, WEDNESDAY - 2 * H):
        ticket.resolve(code="fixed")
    with doing(cast.ann, reopened):
        ticket.reopen("It is back.")
    one = clock(ticket, "date")
    assert (one.state, one.due_at, one.has_breached(reopened)) == ("running", WEDNESDAY, breached)


def test_what_is_late_by_a_reopening_is_told_then_with_its_true_instant(
    cast: Cast, ticket: Ticket, doing: Doing
) -> None:
    """Also where days are lived through in a second: no entry is of before the one that led to it."""
    say(cast, doing, ticket, WEDNESDAY)
    with doing(cast.lena, WEDNESDAY - 2 * H):
        ticket.resolve(code="fixed")
    with doing(cast.ann, WEDNESDAY + H):
        ticket.reopen("It is back.")
    fast_forward(WEDNESDAY + 2 * H, since=WEDNESDAY + H)
    (broken,) = told(ticket, "breached")
    assert broken.at == WEDNESDAY + H
    assert broken.details["crossed_at"] == (WEDNESDAY + timedelta(microseconds=1)).isoformat()


def test_a_solution_is_not_taken_back_where_the_contract_leaves_it(
    cast: Cast, ticket: Ticket, doing: Doing
) -> None:
    cast.acme_contract.policies = {"reopen": "ignore"}
    cast.acme_contract.save(update_fields=["policies"])
    say(cast, doing, ticket, WEDNESDAY)
    with doing(cast.lena, WEDNESDAY - 2 * H):
        ticket.resolve(code="fixed")
    with doing(cast.ann, WEDNESDAY + H):
        ticket.reopen("It is back.")
    assert clock(ticket, "date").state == "met"


def test_a_cancelled_ticket_owes_nothing(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    say(cast, doing, ticket, WEDNESDAY)
    with doing(cast.lena, NINE + 2 * H):
        ticket.cancel("withdrawn")
    assert clock(ticket, "date").state == "cancelled"


def test_it_is_explained(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    say(cast, doing, ticket, WEDNESDAY)
    say(cast, doing, ticket, THURSDAY, at=NINE + 3 * H)
    one = Clock.objects.select_related("calendar__calendar").get(ticket=ticket, metric="date")
    seen = explain(one, NINE + 4 * H)
    assert (seen.target, seen.elapsed, seen.due_at, seen.pauses) == (THURSDAY - NINE - 3 * H, H, THURSDAY, [])
    assert [(turn.what, turn.by, turn.date_at) for turn in story(one, ticket)] == [
        ("started", "Lena Lang", WEDNESDAY),
        ("moved", "Lena Lang", THURSDAY),
    ]


def test_who_promised_what_is_read_for_many_at_once(
    cast: Cast, doing: Doing, django_assert_num_queries: Any
) -> None:
    with doing(cast.lena, NINE):
        tickets = [cast.ticket(subject=f"Trouble {n}") for n in range(4)]
    for ticket in tickets[:3]:
        say(cast, doing, ticket, WEDNESDAY + 5 * H, shown=True)
    with django_assert_num_queries(2):
        found = standing_dates(tickets)
    assert {pk: (one.by, one.said_at, one.due_at, one.shown, one.broken) for pk, one in found.items()} == {
        ticket.pk: ("Lena Lang", WEDNESDAY + 5 * H, berlin("2026-06-11T09:00"), True, False)
        for ticket in tickets[:3]
    }


def test_who_neither_works_it_nor_talks_to_the_contact_promises_nothing(
    cast: Cast, ticket: Ticket, doing: Doing
) -> None:
    with pytest.raises(UnableTo, match="Only who works the ticket"), doing(cast.kira, NINE + H):
        promise_date(ticket, WEDNESDAY, by=cast.kira, why="surely")
    with doing(cast.lena, NINE + H):
        ticket.hand_over(cast.experts, why="gateway")
    with doing(cast.kira, NINE + 2 * H):
        promise_date(ticket, WEDNESDAY, by=cast.kira, why="works it now")
    with doing(cast.lena, NINE + 3 * H):
        promise_date(ticket, THURSDAY, by=cast.lena, why="talks to Ann")


def test_who_was_slower_promises_nothing(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    stale = Ticket.objects.get(pk=ticket.pk)
    say(cast, doing, ticket, WEDNESDAY)
    with pytest.raises(StaleTicket), doing(cast.lou, NINE + H + M):
        promise_date(stale, THURSDAY, by=cast.lou, why="I thought so")
    assert clock(ticket, "date").due_at == WEDNESDAY


def test_solved_is_solved(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    with doing(cast.lena, NINE + H):
        ticket.resolve(code="fixed")
    with pytest.raises(UnableTo, match="while it is worked on"), doing(cast.lena, NINE + 2 * H):
        promise_date(ticket, WEDNESDAY, by=cast.lena, why="to be sure")


def test_without_a_contract_nobody_knows_when_we_work(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    ticket.contract_version = None
    with pytest.raises(UnableTo, match="No contract says when we work"):
        counted(ticket, WEDNESDAY, NINE)
