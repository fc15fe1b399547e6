"""What the books do when something happens elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tierdesk.response.runbooks.models import Gap, Run, RunState
from tierdesk.response.runbooks.walk import Reason
from tierdesk.tickets.facts import Cancelled, ClientChanged, Resolved
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Ticket

SOLVABLE_LOWER = "solvable_lower"
"""Why a hand-over came back, where the tier below could have solved it."""


class EscalationSentLike(Protocol):
    """What a gap needs to know of an escalation: its coded reason, and the team that will know better."""

    ticket: Ticket
    reason: str
    to_team: int


def open_gaps(facts: Sequence[EscalationSentLike]) -> None:
    """An escalation because of the book opens a task to improve it, owned by the tier that takes over."""
    for fact in facts:
        if fact.reason in set(Reason) and Reason(fact.reason).improves_the_book:
            Gap.open_for(fact.ticket, kind=fact.reason, owner_id=fact.to_team)


def open_gaps_below(facts: Sequence[EscalationSentLike]) -> None:
    """A hand-over that could have been solved where it was: whoever saw that writes down how, for the next time."""
    for fact in facts:
        if fact.reason == SOLVABLE_LOWER:
            Gap.open_for(fact.ticket, kind=fact.reason, owner_id=fact.to_team)


def leave_runs(facts: Sequence[Resolved | Cancelled]) -> None:
    """Nobody follows a book on a ticket that is resolved or cancelled."""
    tickets = {fact.ticket.pk: fact.ticket for fact in facts}
    for run in Run.objects.filter(ticket__in=tickets, state=RunState.RUNNING).order_by("id"):
        run.ticket = tickets[run.ticket_id]
        run.leave(f"the ticket was {run.ticket.state}")


def keep_own_books_with_their_clients(facts: Sequence[ClientChanged]) -> None:
    """A book that is one client's own says things of that client. Raises UnableTo."""
    moved = [fact.ticket.pk for fact in facts]
    if Run.objects.filter(ticket__in=moved, revision__book__client__isnull=False).exists():
        raise UnableTo(
            "A book of its client’s own was followed on it: cancel this ticket and log it anew instead."
        )
