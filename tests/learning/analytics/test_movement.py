"""How work moves: time per tier that sums to the ticket's, changes of hands, what came back, what stayed in front."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tierdesk.directory.staff.models import Agent, Team
from tierdesk.learning.analytics.movement import Movement, Share, movement
from tierdesk.tickets.models import Ticket

Doing = Callable[..., Any]
HOUR = timedelta(hours=1)
type Walk = Callable[..., Ticket]


@pytest.fixture
def walk(cast: Cast, doing: Doing, at: datetime) -> Walk:
    """A ticket that goes from team to team, an hour with each, and is resolved by the last."""

    def go(*teams: Team, by: Agent | None = None, **overrides: Any) -> Ticket:
        by, when = by or cast.lena, at
        with doing(by, when):
            ticket = cast.ticket(**overrides)
        for team in teams:
            when += HOUR
            with doing(by, when):
                ticket.hand_over(team, why="it belongs there")
        with doing(by, when + HOUR):
            ticket.resolve(code="fixed")
        return ticket

    return go


def told(cast: Cast, at: datetime, **more: Any) -> Movement:
    return movement(cast.lou.user, at, at + timedelta(days=2), **more)


def test_nothing_resolved_is_no_figure(cast: Cast, at: datetime) -> None:
    assert told(cast, at) == Movement(0)


def test_each_hour_belongs_to_the_team_that_had_the_ticket(cast: Cast, walk: Walk, at: datetime) -> None:
    walk(cast.ops, cast.experts)
    found = told(cast, at)
    assert [(t.name, t.tickets, t.hours, t.share) for t in found.by_tier] == [
        ("L1", 1, 1.0, 33.3),
        ("L2", 1, 1.0, 33.3),
        ("L3", 1, 1.0, 33.3),
    ]
    assert found.total is not None
    assert (found.total.hours, found.ledger_off_s) == (3.0, 0.0)
    assert [(t.name, t.hours) for t in found.by_team] == [
        ("Service Desk (L1)", 1.0),
        ("Operations (L2)", 1.0),
        ("Platform Experts (L3)", 1.0),
    ]


def test_there_and_back_is_a_return_at_once_and_ping_pong(cast: Cast, walk: Walk, at: datetime) -> None:
    walk(cast.ops, cast.desk)
    walk()
    found = told(cast, at)
    assert [(s.name, s.count, s.of) for s in found.came_back] == [
        ("at once", 1, 2),
        ("at some time", 1, 2),
        ("between tiers, at once", 1, 2),
    ]
    assert found.ping_pong == [("Operations", "Service Desk", 1)]
    assert (found.mean_hand_overs, found.pushed_to_front.percent) == (1.0, 50.0)


def test_round_the_house_is_a_return_but_not_at_once(cast: Cast, walk: Walk, at: datetime) -> None:
    walk(cast.ops, cast.experts, cast.desk)
    found = told(cast, at)
    assert [s.count for s in found.came_back] == [0, 1, 0]
    assert found.ping_pong == []


def test_the_rate_of_a_tier_counts_the_tickets_that_touched_it(cast: Cast, walk: Walk, at: datetime) -> None:
    walk(cast.ops)
    walk(cast.ops, cast.experts)
    walk()
    assert told(cast, at).escalated == [Share("L1", 2, 3), Share("L2", 1, 2), Share("L3", 0, 1)]


def test_changes_of_hands_are_counted_up_to_six(cast: Cast, walk: Walk, at: datetime) -> None:
    walk(*[cast.ops, cast.desk] * 4)
    walk()
    counts = {share.name: share.count for share in told(cast, at).hand_overs}
    assert counts == {"0": 1, "1": 0, "2": 0, "3": 0, "4": 0, "5": 0, "6 or more": 1}


def test_what_moves_left_is_told_by_service_from_twenty_tickets_on(
    cast: Cast, walk: Walk, at: datetime
) -> None:
    for number in range(20):
        walk(*[cast.ops][: number % 4 == 0], service=cast.vpn)
    for _ in range(19):
        walk(service=cast.mail)
    assert told(cast, at).front_by_service == [Share("VPN", 15, 20)]


def test_only_what_was_resolved_in_the_period_and_of_the_client_counts(
    cast: Cast, walk: Walk, doing: Doing, at: datetime
) -> None:
    walk()
    with doing(cast.lena, at):
        cast.ticket()
    assert told(cast, at).tickets == 1
    assert told(cast, at, client=cast.borealis).tickets == 0
    assert movement(cast.lou.user, at + 2 * HOUR, at + 3 * HOUR).tickets == 0


def test_a_reader_hears_of_the_clients_that_they_serve(cast: Cast, walk: Walk, at: datetime) -> None:
    walk()
    assert movement(cast.olga.user, at, at + timedelta(days=2)).tickets == 0
