"""Clocks follow the ticket: they start, stop, pause, warn, breach and count on as the contract says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tierdesk.response.sla.models import Clock
from tierdesk.tickets.models import Entry, Ticket

H = timedelta(hours=1)


def clock_of(ticket: Ticket, metric: str, party: str = "SLA", tier: int | None = None) -> Clock:
    return Clock.objects.filter(ticket=ticket, metric=metric, party=party, tier=tier).latest("id")


@pytest.fixture
def ticket(cast: Cast, doing: Callable[..., Any]) -> Ticket:
    """A P3 of Acme's, opened Monday 10:00 in Berlin; office hours 9–17."""
    with doing(cast.lena):
        return cast.ticket(contact=cast.ann)


def test_a_new_ticket_starts_the_clocks_of_its_contract(ticket: Ticket, at: datetime) -> None:
    assert ticket.priority == 3
    assert clock_of(ticket, "acknowledge").due_at == at + 4 * H
    assert clock_of(ticket, "resolve").due_at == at + 3 * 24 * H
    assert clock_of(ticket, "resolve", "OLA", 1).target_s == 4 * 3600
    ticket.refresh_from_db()
    assert ticket.next_due_at == at + 4 * H


def test_taking_a_ticket_stops_its_acknowledge_clock(
    cast: Cast, ticket: Ticket, at: datetime, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena, at + H):
        ticket.take(cast.lena)
    clock = clock_of(ticket, "acknowledge")
    assert (clock.state, clock.elapsed_s) == ("met", 3600)


def test_the_first_human_reply_is_the_response_and_starts_the_cadence(
    cast: Cast, ticket: Ticket, at: datetime, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena, at + H):
        ticket.reply("We are on it.")
    assert clock_of(ticket, "respond").state == "met"
    assert clock_of(ticket, "update").started_at == at + H


def test_a_note_is_no_response(cast: Cast, ticket: Ticket, at: datetime, doing: Callable[..., Any]) -> None:
    with doing(cast.lena, at + H):
        ticket.note("internal")
    assert clock_of(ticket, "respond").state == "running"


def test_waiting_for_the_contact_stops_the_clock_and_the_answer_wakes_it(
    cast: Cast, ticket: Ticket, at: datetime, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena, at + H):
        ticket.ask("Which client do you use?")
    assert clock_of(ticket, "resolve").due_at is None
    with doing(cast.ann, at + 3 * H):
        ticket.hear("The blue one.", channel="email")
    clock = clock_of(ticket, "resolve")
    assert ticket.state == "open"
    assert clock.due_at == at + 3 * 24 * H + 2 * H
    assert clock.pauses[0][2] == "requester_info"


def test_waiting_for_a_vendor_stops_nothing(
    cast: Cast, ticket: Ticket, at: datetime, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena, at + H):
        ticket.pend("vendor")
    assert clock_of(ticket, "resolve").state == "running"


def test_an_automatic_answer_wakes_nothing(
    cast: Cast, ticket: Ticket, at: datetime, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena, at + H):
        ticket.ask("Which client do you use?")
    with doing(cast.ann, at + 2 * H):
        ticket.hear("I am out of office.", channel="email", automatic=True)
    assert ticket.state == "pending"
    assert clock_of(ticket, "resolve").state == "paused"


def test_a_clock_warns_once_then_breaches_once_and_the_ticket_stays_where_it_is(
    cast: Cast, ticket: Ticket, at: datetime, live_until: Callable[[datetime], None]
) -> None:
    live_until(at + 5 * H)
    entries = Entry.objects.of(ticket.pk)
    told = [(e.kind, e.details["metric"], e.at) for e in entries if e.details.get("metric") == "acknowledge"]
    assert [(kind, when) for kind, _, when in told] == [
        ("warned", at + 3 * H),
        ("breached", at + 4 * H + timedelta(microseconds=1)),
    ]
    assert ticket.team == cast.desk


def test_after_an_outage_a_breach_carries_the_instant_it_was_crossed(
    cast: Cast, ticket: Ticket, at: datetime
) -> None:
    from tierdesk.core.wakeups import run_due

    run_due(at + 6 * H)
    breach = Entry.objects.of(ticket.pk).get(kind="breached", details__metric="acknowledge")
    assert datetime.fromisoformat(breach.details["crossed_at"]) == at + 4 * H + timedelta(microseconds=1)
    assert not Entry.objects.of(ticket.pk).filter(kind="warned", details__metric="acknowledge").exists()


def test_resolving_at_exactly_the_target_is_met(
    cast: Cast, ticket: Ticket, at: datetime, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena, at + 4 * H):
        ticket.take(cast.lena)
    assert clock_of(ticket, "acknowledge").state == "met"


def test_reopened_within_the_window_counts_on_from_where_it_stopped(
    cast: Cast, ticket: Ticket, at: datetime, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena, at + 2 * H):
        ticket.resolve(code="fixed", text="Fixed.")
    with doing(cast.ann, at + 48 * H):
        ticket.hear("It is back.", channel="email")
    clock = clock_of(ticket, "resolve")
    assert (clock.state, clock.course.elapsed(at + 48 * H)) == ("running", 2 * H)
    assert clock_of(ticket, "respond").state == "met"


def test_a_higher_priority_is_counted_from_the_start_on_the_same_calendar(
    cast: Cast, at: datetime, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena):
        ticket = cast.ticket(impact=1, urgency=2)
    assert ticket.priority == 2
    with doing(cast.lena, at + H):
        ticket.assess(impact=1, urgency=1, reason="everybody is affected")
    assert clock_of(ticket, "resolve").due_at == at + 4 * H


def test_another_calendar_counts_from_the_change_on(
    cast: Cast, ticket: Ticket, at: datetime, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena, at + H):
        ticket.assess(impact=1, urgency=1, reason="everybody is affected")
    clock = clock_of(ticket, "resolve")
    assert (clock.carried_s, clock.counting_from) == (3600, at + H)
    assert clock.due_at == at + 4 * H


def test_handing_over_stops_one_tiers_clock_and_starts_the_others(
    cast: Cast, ticket: Ticket, at: datetime, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena, at + H):
        ticket.hand_over(cast.ops, why="skill")
    first, second = clock_of(ticket, "resolve", "OLA", 1), clock_of(ticket, "resolve", "OLA", 2)
    assert (first.state, first.course.elapsed(at + 2 * H)) == ("paused", H)
    assert (second.state, second.started_at) == ("running", at + H)
    assert clock_of(ticket, "resolve").state == "running"


def test_the_phone_is_a_response(cast: Cast, doing: Callable[..., Any]) -> None:
    with doing(cast.lena):
        ticket = cast.ticket(channel="phone")
        ticket.take(cast.lena)
    assert clock_of(ticket, "respond").state == "met"
