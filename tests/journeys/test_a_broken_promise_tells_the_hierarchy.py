"""A breach tells leads and managers, with its cause, and moves nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from tests.cast import Cast
from tests.journeys.conftest import H
from tierdesk.response.notifications.models import Notice
from tierdesk.tickets.models import Entry, Ticket


def test_a_broken_promise_tells_the_hierarchy_and_moves_nothing(
    cast: Cast, at: datetime, ticket: Ticket, live_until: Callable[[datetime], None]
) -> None:
    live_until(at + 5 * H)
    ticket.refresh_from_db()
    assert (ticket.team, ticket.tier) == (cast.desk, 1)
    told = Entry.objects.of(ticket.pk).filter(kind="hierarchy_told")
    breach = told.filter(details__percent=100).first()
    assert breach is not None and breach.cause is not None
    assert breach.cause.kind == "breached"
    assert Notice.objects.filter(kind="breach", agent=cast.lou).exists()
