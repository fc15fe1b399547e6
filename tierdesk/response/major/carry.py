"""How the engine carries what happened to a major incident to its children, however many, in batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from tierdesk.core.work import current, record, work
from tierdesk.response.major.cascades import Cascade, CascadeKind
from tierdesk.response.major.children import Child, ChildState
from tierdesk.response.major.facts import CascadeCarried
from tierdesk.response.major.models import MajorIncident
from tierdesk.tickets.lifecycle import PendingReason
from tierdesk.tickets.models import Ticket
from tierdesk.tickets.together import together

AT_ONCE = 20


def carry_due(at: datetime) -> int:
    """Carry what is due to the children; each cascade is a unit of work by whoever began it. How many were carried."""
    due = Cascade.objects.filter(wake_at__lte=at).order_by("id")[:AT_ONCE]
    return sum(_carry(cascade, at) for cascade in due)


def _carry(due: Cascade, at: datetime) -> bool:
    """Those of one incident go one after the other; what somebody else has locked is looked at again soon."""
    with work(by=due.by, at=at):
        incident = MajorIncident.objects.filter(pk=due.incident_id).select_for_update(skip_locked=True)
        if not list(incident.values_list("pk")):
            return False
        waiting = Cascade.objects.filter(incident=due.incident_id, wake_at__isnull=False)
        cascade = waiting.select_related("incident__ticket__client").order_by("id").first()
        if cascade is None or cascade.pk != due.pk:
            return False
        reached = CARRY[cascade.kind](cascade)
        Cascade.objects.filter(pk=cascade.pk).update(reached=reached, wake_at=None)
        record(
            CascadeCarried(
                ticket=cascade.incident.ticket,
                incident=cascade.incident_id,
                cascade=cascade.pk,
                what=cascade.kind,
                children=reached,
            )
        )
    return True


def _say(cascade: Cascade) -> int:
    """The words are an update to each child's contact, as a reply is (promise case G06)."""
    with together(Ticket, _following(cascade)) as tickets:
        for ticket in tickets:
            ticket.reply(cascade.text)
    return len(tickets)


def _resolve(cascade: Cascade) -> int:
    """Solved with the parent, in the words that its contact was told (I02)."""
    with together(Ticket, _following(cascade)) as tickets:
        for ticket in tickets:
            ticket.resolve(code=cascade.code, text=cascade.text)
    _move(cascade, tickets, to=ChildState.RESOLVED, ended_at=current().at)
    return len(tickets)


def _reopen(cascade: Cascade) -> int:
    """What was solved with the parent follows it again (I03). What has been closed since stays closed."""
    solved = Child.objects.filter(incident=cascade.incident_id, state=ChildState.RESOLVED)
    reopened = []
    with together(Ticket, solved.values_list("ticket_id", flat=True)) as tickets:
        for ticket in tickets:
            if ticket.can_reopen(current().at):
                ticket.reopen(f"its major incident {cascade.incident.ticket.reference} was reopened")
                ticket.pend(PendingReason.MAJOR_PARENT, linked=True)
                reopened.append(ticket)
    _move(cascade, reopened, to=ChildState.FOLLOWING, ended_at=None)
    return len(reopened)


def _end(cascade: Cascade) -> int:
    """No major incident any more: each child is worked by itself."""
    with together(Ticket, _following(cascade)) as tickets:
        for ticket in tickets:
            ticket.resume(f"{cascade.incident.ticket.reference} is no major incident any more")
    return len(tickets)


CARRY: Mapping[str, Callable[[Cascade], int]] = {
    CascadeKind.BROADCAST: _say,
    CascadeKind.RESOLUTION: _resolve,
    CascadeKind.REOPENING: _reopen,
    CascadeKind.END: _end,
}


def _following(cascade: Cascade) -> list[int]:
    following = Child.objects.following().filter(incident=cascade.incident_id)
    return list(following.values_list("ticket_id", flat=True))


def _move(cascade: Cascade, tickets: list[Ticket], *, to: str, ended_at: datetime | None) -> None:
    """Before the reactions to what happened to the tickets look at it."""
    before = ChildState.RESOLVED if to == ChildState.FOLLOWING else ChildState.FOLLOWING
    those = Child.objects.filter(incident=cascade.incident_id, ticket__in=tickets, state=before)
    those.update(state=to, ended_at=ended_at)
