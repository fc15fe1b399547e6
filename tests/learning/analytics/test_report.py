"""The service report is computed from the timeline, and shows each reader only their own clients."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tests.cast import Cast
from tierdesk.learning.analytics.report import report

H = timedelta(hours=1)
DAY = timedelta(days=1)


def test_resolved_on_the_first_tier_counts_as_such(
    cast: Cast, at: datetime, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena):
        solved, climbed = cast.ticket(), cast.ticket()
    with doing(cast.lena, at + H):
        solved.resolve(code="fixed")
        climbed.hand_over(cast.ops, why="skill")
    with doing(cast.tom, at + 2 * H):
        climbed.resolve(code="fixed")
    figures = report(cast.lou.user, at - DAY, at + DAY)
    assert figures.total.resolved == 2
    assert figures.total.first_tier_percent == 50
    assert (figures.by_tier[1].resolved, figures.by_tier[2].resolved) == (1, 1)


def test_the_times_of_the_tiers_add_up_to_the_life_of_the_ticket(
    cast: Cast, at: datetime, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena):
        ticket = cast.ticket()
    with doing(cast.lena, at + H):
        ticket.hand_over(cast.ops, why="skill")
    with doing(cast.tom, at + 4 * H):
        ticket.resolve(code="fixed")
    figures = report(cast.lou.user, at - DAY, at + DAY)
    assert (figures.by_tier[1].hours, figures.by_tier[2].hours) == (1.0, 3.0)
    assert figures.total.seconds == (4 * H).total_seconds()


def test_breaches_are_counted_where_they_happened(
    cast: Cast, at: datetime, doing: Callable[..., Any], live_until: Callable[[datetime], None]
) -> None:
    with doing(cast.lena):
        ticket = cast.ticket()
    with doing(cast.lena):
        ticket.hand_over(cast.ops, why="skill")
    live_until(at + 5 * H)
    figures = report(cast.lou.user, at - DAY, at + DAY)
    assert figures.by_tier[2].breached == 2  # acknowledge and respond, four hours each
    assert figures.by_tier[1].breached == 0


def test_nobody_is_shown_figures_of_a_client_they_do_not_serve(
    cast: Cast, at: datetime, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena):
        cast.ticket()
    figures = report(cast.olga.user, at - DAY, at + DAY)
    assert figures.clients == {}
    assert figures.total.open == 0


def test_requests_are_counted_beside_all(cast: Cast, at: datetime, doing: Callable[..., Any]) -> None:
    with doing(cast.lena):
        cast.ticket(type="request")
        cast.ticket()
        solved, wanted = cast.ticket(), cast.ticket(type="request")
    with doing(cast.lena, at + H):
        solved.resolve(code="fixed")
        wanted.resolve(code="fixed")
    total = report(cast.lou.user, at - DAY, at + DAY).total
    assert (total.open, total.open_requests) == (2, 1)
    assert (total.resolved, total.resolved_requests) == (2, 1)
