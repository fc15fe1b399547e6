"""What problems do when something happens to the tickets of their incidents."""

from __future__ import annotations

from collections.abc import Sequence

from tierdesk.core.work import current
from tierdesk.learning.problems.models import Occurrence
from tierdesk.learning.problems.recurrences import look_for_repeats
from tierdesk.tickets.facts import ClientChanged, Resolved
from tierdesk.tickets.lifecycle import UnableTo


def keep_problems_with_their_clients(facts: Sequence[ClientChanged]) -> None:
    """A problem is one client's, and so are its incidents. Raises UnableTo."""
    if Occurrence.objects.filter(ticket__in=[fact.ticket.pk for fact in facts]).exists():
        raise UnableTo("It is an incident of a problem of its client’s, so it stays with that client.")


def notice_repeats(facts: Sequence[Resolved]) -> None:
    look_for_repeats({fact.ticket.pk for fact in facts}, current().at)
