"""What closed months do when something happens to tickets that counted in them."""

from __future__ import annotations

from collections.abc import Sequence

from tierdesk.core.work import current
from tierdesk.learning.analytics.closing import look_again
from tierdesk.tickets.facts import TicketFact


def compare_closed_months(facts: Sequence[TicketFact]) -> None:
    """Runs after the clocks have changed: for a ticket of another client there are those of both by then."""
    look_again({fact.ticket.pk for fact in facts}, current().at)
