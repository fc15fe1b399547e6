"""Who changed what on a clock, when, and under which versions; and what a tier would get if it got the ticket now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tierdesk.response.sla.budget import Budget, budgets
from tierdesk.response.sla.models import Clock
from tierdesk.response.sla.story import story
from tierdesk.tickets.models import Ticket

H = timedelta(hours=1)

type Doing = Callable[..., Any]


@pytest.fixture
def ticket(cast: Cast, doing: Doing) -> Ticket:
    with doing(cast.lena):
        return cast.ticket()


def test_a_clock_tells_its_story(
    cast: Cast, ticket: Ticket, at: datetime, doing: Doing, live_until: Callable[[datetime], None]
) -> None:
    with doing(cast.lena, at + H):
        ticket.ask("Which gateway?")
    with doing(cast.ann, at + 2 * H):
        ticket.hear("The blue one.", channel="email")
    with doing(cast.lena, at + 3 * H):
        ticket.assess(impact=1, urgency=1, reason="everybody is affected")
    live_until(at + 9 * H)
    ticket.refresh_from_db()
    with doing(cast.lena, at + 10 * H):
        ticket.resolve(code="fixed", text="Fixed.")
    turns = story(Clock.objects.get(ticket=ticket, metric="resolve", party="SLA"), ticket)
    assert [(turn.what, turn.by, turn.why, turn.at) for turn in turns] == [
        ("started", "Lena Lang", turns[0].why, at),
        ("paused", "Lena Lang", "requester_info", at + H),
        ("resumed", "Ann Albers", "the contact answered", at + 2 * H),
        ("retargeted", "Lena Lang", "everybody is affected", at + 3 * H),
        ("warned", "Tierdesk", "", at + 4 * H),
        ("breached", "Tierdesk", "", at + 5 * H + timedelta(microseconds=1)),
        ("missed", "Lena Lang", "", at + 10 * H),
    ]
    assert [(turn.target_s // 3600, turn.priority, turn.calendar) for turn in turns[2:4]] == [
        (24, 3, "“Office hours, Berlin”, version 1"),
        (4, 1, "“Around the clock”, version 1"),
    ]
    assert {turn.contract for turn in turns} == {"“Acme GmbH standard support”, version 1"}


def test_a_clock_that_the_timeline_does_not_know_has_none(cast: Cast, ticket: Ticket) -> None:
    clock = Clock.objects.get(ticket=ticket, metric="resolve", party="SLA")
    clock.metric = "accept"
    assert story(clock, ticket) == []


def test_a_tier_gets_its_own_time_beside_what_is_left_of_the_client_s(
    cast: Cast, ticket: Ticket, at: datetime
) -> None:
    second, third = budgets(ticket, {2, 3, 4}, at + H)
    assert second == Budget(2, 8 * H, 8 * H, at + 25 * H, 23 * H)
    assert (third.tier, third.target, third.outlasts_the_client) == (3, 16 * H, False)
    (late,) = budgets(ticket, {2}, at + timedelta(days=2, hours=6))
    assert (late.client_left, late.outlasts_the_client) == (2 * H, True)


def test_a_tier_that_had_it_before_gets_what_it_left(
    cast: Cast, ticket: Ticket, at: datetime, doing: Doing
) -> None:
    with doing(cast.lena, at + H):
        ticket.hand_over(cast.ops, why="skill")
    with doing(cast.tom, at + 3 * H):
        ticket.hand_over(cast.experts, why="skill")
    (second,) = budgets(ticket, {2}, at + 4 * H)
    assert (second.target, second.left) == (8 * H, 6 * H)
