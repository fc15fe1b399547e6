"""What the vendors' room does when something happens."""

from __future__ import annotations

from tierdesk.response.vendors.facts import CaseHeard
from tierdesk.tickets.lifecycle import PendingReason, State


def wake_waiting_tickets(facts: list[CaseHeard]) -> None:
    """A ticket that waits for the vendor goes back to work when the vendor writes (promises.md §2.2).

    By the word itself, not by somebody's reading it; a machine's receipt wakes nothing.
    """
    heard = {fact.ticket.pk: fact.ticket for fact in facts if not fact.automatic}
    for ticket in heard.values():
        if ticket.state == State.PENDING and ticket.pending_reason == PendingReason.VENDOR:
            ticket.resume("the vendor wrote")
