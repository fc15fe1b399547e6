"""What a major incident does when something happens to its parent or to a child."""

from __future__ import annotations

from collections.abc import Sequence

from tierdesk.core.work import current
from tierdesk.response.major.cascades import Cascade, CascadeKind
from tierdesk.response.major.children import Child, ChildState
from tierdesk.response.major.models import MajorIncident
from tierdesk.response.major.proposals import let_lapse
from tierdesk.tickets.facts import Cancelled, ClientChanged, Reopened, Resolved, Resumed, TicketFact
from tierdesk.tickets.lifecycle import PendingReason, UnableTo, by_human
from tierdesk.tickets.models import Message


def let_go(facts: Sequence[Resumed]) -> None:
    """A child that is taken up again is worked by itself from now on."""
    _leave([f for f in facts if f.reason == PendingReason.MAJOR_PARENT], ChildState.RELEASED)


def follow_end(facts: Sequence[Resolved | Cancelled]) -> None:
    """A child that ended by itself follows no more, and takes nothing along; a proposal needs no answer."""
    _leave(facts, ChildState.ENDED)
    let_lapse(fact.ticket.pk for fact in facts)


def resolve_children(facts: Sequence[Resolved]) -> None:
    """The parent is solved, so are its children; nobody waits for an update any more.

    Not by the parent's contact: what is solved for them need not be for the others.
    """
    solved = {fact.ticket.pk: fact for fact in facts if fact.ticket.is_major}
    if not solved:
        return
    words = Message.objects.in_bulk([fact.message for fact in solved.values() if fact.message])
    for incident in MajorIncident.objects.standing().filter(ticket__in=solved):
        fact = solved[incident.ticket_id]
        incident.fall_silent()
        if fact.by.kind != "contact":
            text = words[fact.message].text if fact.message else ""
            Cascade.put(incident, CascadeKind.RESOLUTION, text=text, code=fact.code)


def reopen_children(facts: Sequence[Reopened]) -> None:
    """It goes on: updates are due again, and it is looked back at once more. Its children come back if one of us
    reopened it, not if its contact did (I03)."""
    again = {fact.ticket.pk: fact for fact in facts if fact.ticket.is_major}
    if not again:
        return
    for incident in MajorIncident.objects.standing().filter(ticket__in=again):
        incident.go_on()
        if by_human(again[incident.ticket_id].by):
            Cascade.put(incident, CascadeKind.REOPENING)


def come_back(facts: Sequence[Reopened]) -> None:
    """A child whose own contact came back is worked by itself, whatever becomes of the parent."""
    _move([fact.ticket.pk for fact in facts], ChildState.RESOLVED, ChildState.ENDED)


def _leave(facts: Sequence[TicketFact], state: ChildState) -> None:
    _move([fact.ticket.pk for fact in facts], ChildState.FOLLOWING, state)


def _move(tickets: Sequence[int], before: ChildState, after: ChildState) -> None:
    if tickets:
        those = Child.objects.filter(ticket__in=tickets, state=before)
        those.update(state=after, ended_at=current().at)


def keep_with_its_client(facts: Sequence[ClientChanged]) -> None:
    """What was a major incident, or followed one, is part of its story. Raises UnableTo."""
    moved = [fact.ticket.pk for fact in facts]
    if (
        Child.objects.filter(ticket__in=moved).exists()
        or MajorIncident.objects.filter(ticket__in=moved).exists()
    ):
        raise UnableTo("It was part of a major incident, so it stays with its client.")
