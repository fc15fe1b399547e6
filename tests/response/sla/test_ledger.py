"""Where the time went: what the tiers spent is what the ticket spent, exactly."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cast import Cast
from tierdesk.directory.calendars.hours import Hours
from tierdesk.response.sla.ledger import Mark, ledger, ledger_of
from tierdesk.tickets.lifecycle import State

H, NOTHING = timedelta(hours=1), timedelta(0)
MONDAY = datetime(2026, 6, 8, 7, 0, tzinfo=UTC)
OFFICE = Hours(tz="Europe/Berlin", week=dict.fromkeys(range(5), (("09:00", "17:00"),)))

gaps = st.integers(-3_600_000_000, 200_000_000_000).map(lambda micros: timedelta(microseconds=micros))
marks = st.lists(
    st.tuples(gaps, st.integers(1, 4), st.integers(1, 3), st.sampled_from(State.values)),
    min_size=1,
    max_size=25,
)


@settings(max_examples=200, deadline=None)
@given(marks)
def test_h09_the_tiers_times_are_the_ticket_s_time_to_the_microsecond(
    steps: list[tuple[timedelta, int, int, str]],
) -> None:
    at, told = MONDAY, []
    for gap, tier, team, state in steps:
        at += gap
        told.append(Mark(at, tier, team, state, "vendor" if state == "pending" else ""))
    received, end = told[0].at - H, max(mark.at for mark in told) + H
    read = ledger(received, told, end)
    assert sum(read.by_tier().values(), NOTHING) == read.total()
    assert sum(read.by_team().values(), NOTHING) == read.total()
    assert sum(read.by_tier(OFFICE).values(), NOTHING) == read.total(OFFICE)
    whole = sum((stay.lasted for stay in read.stays), NOTHING)
    assert whole == end - received
    assert sum((stay.worked(OFFICE) for stay in read.stays), NOTHING) == OFFICE.between(received, end)


def test_each_stay_is_one_line(cast: Cast, at: datetime, doing: Callable[..., Any]) -> None:
    with doing(cast.lena):
        ticket = cast.ticket()
    with doing(cast.lena, at + H):
        ticket.take(cast.lena)
        ticket.ask("Which gateway?")
    with doing(cast.ann, at + 3 * H):
        ticket.hear("The blue one.", channel="email")
    with doing(cast.lena, at + 4 * H):
        ticket.hand_over(cast.ops, why="skill")
    with doing(cast.tom, at + 6 * H):
        ticket.resolve(code="fixed", text="Fixed.")
    read = ledger_of(ticket, at + 7 * H)
    assert [(s.tier, s.team, s.state, s.reason, s.lasted) for s in read.stays] == [
        (1, cast.desk.pk, "new", "", H),
        (1, cast.desk.pk, "pending", "requester_info", 2 * H),
        (1, cast.desk.pk, "open", "", H),
        (2, cast.ops.pk, "open", "", 2 * H),
        (2, cast.ops.pk, "resolved", "", H),
    ]
    assert read.by_tier() == {1: 4 * H, 2: 2 * H}
    assert read.total() == 6 * H
    assert read.waited_for() == {"requester_info": 2 * H}


def test_h09_whatever_happens_to_it_the_tiers_times_are_the_ticket_s_time(
    cast: Cast, at: datetime, doing: Callable[..., Any]
) -> None:
    """A week of random verbs, against a stop-watch that only knows whether the ticket is resolved."""
    random = Random(11)
    for _ in range(6):
        now, running, watch = at, True, NOTHING
        with doing(cast.lena, now):
            ticket = cast.ticket()
        for _ in range(20):
            gap = timedelta(seconds=random.randrange(1, 20_000), microseconds=random.randrange(10**6))
            now, watch = now + gap, watch + (gap if running else NOTHING)
            with doing(cast.lena, now):
                something_happens(random, cast, ticket)
            running = ticket.is_unresolved()
        read = ledger_of(ticket, now)
        assert read.total() == watch == sum(read.by_tier().values(), NOTHING)
        hours = cast.office.hours
        assert sum(read.by_tier(hours).values(), NOTHING) == sum(
            (hours.between(stay.begins, stay.ends) for stay in read.unresolved), NOTHING
        )


def something_happens(random: Random, cast: Cast, ticket: Any) -> None:
    if ticket.state == "resolved":
        if ticket.can_reopen(ticket.resolved_at):
            ticket.hear("It is back.", channel="email")
        return
    if ticket.state == "pending":
        ticket.hear("Here you are.", channel="email")
        return
    match random.choice(("ask", "wait", "hand over", "resolve", "assess", "note")):
        case "ask":
            ticket.ask("Which gateway?")
        case "wait":
            ticket.pend("vendor")
        case "hand over":
            teams = [team for team in (cast.desk, cast.ops, cast.experts) if team.pk != ticket.team_id]
            ticket.hand_over(random.choice(teams), why="skill")
        case "resolve":
            ticket.resolve(code="fixed", text="Fixed.")
        case "assess":
            ticket.assess(impact=random.randint(1, 3), urgency=random.randint(1, 3), reason="looked again")
        case _:
            ticket.note("Looked at it.")
