"""The manager's figures per tier and per client, computed from the timeline."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.cast import Cast
from tests.journeys.conftest import H, escalate
from tierdesk.learning.analytics.report import report
from tierdesk.tickets.models import Ticket


def test_a_manager_sees_it_all_per_tier_and_per_client(
    cast: Cast, at: datetime, ticket: Ticket, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena, at + H):
        escalation = escalate(ticket, cast)
    with doing(cast.tom, at + 2 * H):
        escalation.send_back(cast.tom, reason="solvable_lower", note="see book 5")
    with doing(cast.lena, at + 3 * H):
        Ticket.objects.get(pk=ticket.pk).resolve(code="fixed")
    figures = report(cast.lou.user, at - H, at + 4 * H)
    first = figures.by_tier[1]
    assert (first.escalations, first.returns, first.resolved, first.first_tier_resolved) == (1, 1, 1, 0)
    assert figures.by_client[cast.acme.pk].hours == 3.0
