"""Where a ticket stands, in the contact's words. Who works it, and on which tier, is none of the portal's business."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from tierdesk.tickets.lifecycle import WOKEN_BY_CONTACT, PendingReason, State
from tierdesk.tickets.models import Ticket

WORDS: Mapping[str, object] = {
    State.NEW: _("Received"),
    State.OPEN: _("Being worked on"),
    State.PENDING: _("Waiting"),
    State.RESOLVED: _("Solved"),
    State.CLOSED: _("Closed"),
    State.CANCELLED: _("Withdrawn"),
}

WAITS: Mapping[str, object] = {
    PendingReason.REQUESTER_INFO: _("We asked you something and go on as soon as you answer."),
    PendingReason.REQUESTER_CONFIRM: _("Please try it and tell us whether it works."),
    PendingReason.REQUESTER_SCHEDULED: _("We go on at the time that was agreed with you."),
    PendingReason.CLIENT_APPROVAL: _("Somebody at your company has to approve it."),
    PendingReason.ACCESS: _("We need access to go on. Please tell us when we can have it."),
    PendingReason.VENDOR: _("We are waiting for a supplier and keep after them."),
    PendingReason.DEPENDENCY_GROUP: _("We are preparing the next step."),
    PendingReason.CHANGE: _("It will be changed in the next maintenance window."),
    PendingReason.PROBLEM: _("We are working on a lasting solution."),
    PendingReason.EVIDENCE: _("We are watching whether it comes back."),
    PendingReason.MAJOR_PARENT: _("It is part of a wider disturbance that we are working on."),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What a page says of a ticket. `mark` is the design system's state; `waits` says what for, or is empty."""

    mark: str
    words: object
    waits: object = ""
    on_contact: bool = False
    may_reopen: bool = False
    may_close: bool = False
    may_write: bool = True


def standing_of(ticket: Ticket, at: datetime) -> Standing:
    """How `ticket` stands at `at`. A solved ticket whose reopen window is over is as good as closed."""
    if ticket.is_merged:
        return Standing("closed", _("Goes on as another request"), may_write=False)
    words = WORDS[ticket.state]
    if ticket.state == State.PENDING:
        waits, on_contact = WAITS[ticket.pending_reason], ticket.pending_reason in WOKEN_BY_CONTACT
        return Standing("pending", _("Waiting for you") if on_contact else words, waits, on_contact)
    if ticket.state == State.RESOLVED:
        open_again = ticket.can_reopen(at)
        return Standing(
            "resolved", words, may_reopen=open_again, may_close=not ticket.is_major, may_write=open_again
        )
    return Standing(str(ticket.state), words, may_write=ticket.is_unresolved())
