"""What pages show of major incidents: the band on a ticket, the board of one, the list of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, Count, Prefetch, Q, QuerySet, When

from tierdesk.directory.staff.models import Agent, User
from tierdesk.response.major.cadence import CHOICES
from tierdesk.response.major.cascades import CascadeKind
from tierdesk.response.major.children import similar_to
from tierdesk.response.major.models import Child, MajorIncident, Proposal, ReviewAction, Role, RoleKind
from tierdesk.response.major.rights import may_declare
from tierdesk.tickets.conversation import Direction
from tierdesk.tickets.lifecycle import PendingReason, State
from tierdesk.tickets.models import Entry, Message, Ticket
from tierdesk.web.workspace.stream import Item, events_of

TOLD = (
    "major_declared",
    "major_stood_down",
    "manager_missing",
    "role_handed",
    "cadence_changed",
    "children_linked",
    "cascade_carried",
    "update_due",
    "update_missed",
    "handed_over",
    "resolved",
    "reopened",
    "closed",
    "review_held",
    "review_waived",
    "action_agreed",
    "action_done",
    "action_due",
)
"""The entries of the parent that are the course of a major incident, beside what the hierarchy was told about it."""

ENDED_SHOWN = 30
CHILDREN_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Band:
    """What a ticket's page says of a major incident. No `incident`: it follows one that the reader may not see."""

    is_parent: bool
    incident: MajorIncident | None
    manager: str = ""
    following: int = 0


def band_of(ticket: Ticket, user: User) -> Band | None:
    """None for most tickets, which costs no query."""
    incidents = MajorIncident.objects.visible_to(user)
    if ticket.is_major:
        incident = with_people(incidents.standing().filter(ticket=ticket)).first()
        if incident is None:
            return None
        incident.ticket = ticket
        following = Child.objects.visible_to(user).following().filter(incident=incident).count()
        return Band(True, incident, holders_of(incident).get(RoleKind.MANAGER, ""), following)
    if ticket.pending_reason != PendingReason.MAJOR_PARENT:
        return None
    child = Child.objects.visible_to(user).following().filter(ticket=ticket).first()
    if child is None:
        return None
    return Band(False, incidents.filter(pk=child.incident_id).select_related("ticket").first())


@dataclass(frozen=True, slots=True)
class Proposed:
    """Somebody thinks that the ticket is a major incident, and nobody has answered."""

    name: str
    why: str


def proposed_of(ticket: Ticket, entries: Sequence[Entry]) -> Proposed | None:
    """Read from the timeline that the page shows anyway."""
    if ticket.is_major or not ticket.is_unresolved() or ticket.pending_reason == PendingReason.MAJOR_PARENT:
        return None
    about = ("major_proposed", "proposal_answered", "major_followed", "resolved", "cancelled")
    last = next((entry for entry in reversed(entries) if entry.kind in about), None)
    if last is None or last.kind != "major_proposed":
        return None
    return Proposed(last.by_name, last.details["why"])


def with_people(incidents: QuerySet[MajorIncident]) -> QuerySet[MajorIncident]:
    """With who has which role now, in one more query however many there are."""
    held = Role.objects.filter(until_at=None).select_related("agent__user")
    return incidents.prefetch_related(Prefetch("roles", held, to_attr="held"))


def holders_of(incident: MajorIncident) -> dict[str, str]:
    """Names by role, of one that was read `with_people`."""
    held: Sequence[Role] = incident.held  # type: ignore[attr-defined]
    return {role.kind: role.agent.name for role in held}


@dataclass(frozen=True, slots=True)
class Row:
    """One major incident in the list of all. `following`: the children that the reader may see."""

    incident: MajorIncident
    manager: str
    writer: str
    following: int


def overview(user: User, at: datetime) -> dict[str, Any]:
    """Those that go on, those to look back at, those that ended, and the tasks that came of them."""
    seen = MajorIncident.objects.visible_to(user).select_related("ticket__client")
    actions = ReviewAction.objects.visible_to(user).open()
    return {
        "going": _rows(list(with_people(seen.going())), user),
        "proposed": list(
            Proposal.objects.visible_to(user)
            .open()
            .select_related("ticket__client", "proposed_by__user")[:CHILDREN_SHOWN]
        ),
        "to_review": list(seen.to_review()),
        "ended": list(
            seen.exclude(Q(stood_down_at=None), ~Q(ticket__state=State.CLOSED)).order_by("-id")[:ENDED_SHOWN]
        ),
        "actions": actions.select_related("incident__ticket", "owner__user")[:CHILDREN_SHOWN],
        "today": at.date(),
    }


def _rows(incidents: Sequence[MajorIncident], user: User) -> list[Row]:
    children = Child.objects.visible_to(user).following().filter(incident__in=incidents)
    many = dict(children.order_by().values_list("incident").annotate(many=Count("id")))
    rows = []
    for incident in incidents:
        held = holders_of(incident)
        manager, writer = held.get(RoleKind.MANAGER, ""), held.get(RoleKind.COMMUNICATIONS, "")
        rows.append(Row(incident, manager, writer, many.get(incident.pk, 0)))
    return rows


def board_of(incident: MajorIncident, user: User, at: datetime) -> dict[str, Any]:
    """Everything on one page: who leads, when clients hear from us next, who is hit, what happened, what came of it."""
    agent, ticket = user.agent, incident.ticket
    held = incident.holders()
    seen = incident.children.visible_to(user)
    following_first = seen.order_by(Case(When(state="following", then=0), default=1), "id")
    children = list(following_first.select_related("ticket__client", "ticket__contact")[:CHILDREN_SHOWN])
    stands = incident.stood_down_at is None and ticket.state != State.CLOSED
    going = stands and ticket.is_unresolved()
    declares = may_declare(agent, ticket, at)
    leads = declares or held.get(RoleKind.MANAGER) == agent
    return {
        "incident": incident,
        "ticket": ticket,
        "roles": [(kind, label, held.get(kind)) for kind, label in RoleKind.choices],
        "children": children,
        "following": seen.following().count(),
        "newest": incident.newest_broadcast(),
        "similar": similar_to(ticket, user) if going else [],
        "colleagues": people_who_serve(ticket),
        "cadences": sorted({*CHOICES, incident.every_min}),
        "actions": list(incident.actions.select_related("owner__user", "done_by__user")),
        "course": course_of(incident),
        "agent": agent,
        "at": at,
        "stands": stands,
        "going": going,
        "leads": leads,
        "works": leads or agent in held.values(),
        "is_late": going and incident.next_update_at is not None and incident.next_update_at < at,
    }


def people_who_serve(ticket: Ticket) -> QuerySet[Agent]:
    """The active agents who may see the ticket's client."""
    serves = Q(teams__serves_every_client=True) | Q(teams__clients=ticket.client_id) | Q(user__is_admin=True)
    found = Agent.objects.filter(serves, user__is_active=True).select_related("user")
    return found.distinct().order_by("user__name")


def course_of(incident: MajorIncident) -> list[Item]:
    """What happened since it was declared, and the words that went to all, oldest first."""
    of_it = Q(kind__in=TOLD) | Q(kind="hierarchy_told", details__rung="major")
    entries = list(Entry.objects.of(incident.ticket_id).filter(of_it, at__gte=incident.declared_at))
    said = incident.cascades.filter(kind=CascadeKind.BROADCAST)
    words = [
        Message(pk=one.pk, by_name=one.by_name, at=one.said_at, text=one.text, direction=Direction.OUTBOUND)
        for one in said
    ]
    items = [Item(message.at, message=message, kind="reply") for message in words]
    items += [Item(event.at, event=event) for event in events_of(entries)]
    return sorted(items, key=lambda item: (item.at, item.message is None))


def going_for(user: User) -> QuerySet[MajorIncident]:
    """Those that a ticket may be linked to."""
    return MajorIncident.objects.visible_to(user).going().select_related("ticket__client")
