"""What the vendors' room does when something happens."""

from __future__ import annotations

from collections.abc import Sequence

from tierdesk.response.vendors.facts import CaseHeard
from tierdesk.response.vendors.models import Case
from tierdesk.tickets.facts import Absorbed
from tierdesk.tickets.lifecycle import PendingReason, State, UnableTo


def wake_waiting_tickets(facts: list[CaseHeard]) -> None:
    """A ticket that waits for the vendor goes back to work when the vendor writes (promises.md §2.2).

    By the word itself, not by somebody's reading it; a machine's receipt wakes nothing.
    """
    heard = {fact.ticket.pk: fact.ticket for fact in facts if not fact.automatic}
    for ticket in heard.values():
        if ticket.state == State.PENDING and ticket.pending_reason == PendingReason.VENDOR:
            ticket.resume("the vendor wrote")


def keep_cases_with_their_tickets(facts: Sequence[Absorbed]) -> None:
    """A duplicate with an open case is not merged away: the vendor's clock runs on it. Raises UnableTo."""
    for fact in facts:
        case = Case.objects.open().filter(ticket=fact.other).first()
        if case is not None:
            raise UnableTo(
                f"{case.number} is open on TD-{fact.other}: close the case first, "
                f"or merge {fact.ticket.reference} into TD-{fact.other} instead."
            )
