"""Major incidents: read them, declare one or propose it, and what whoever works one does. Rights are as on the desk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from django.db.models import Count, Max, Prefetch, Q, QuerySet
from django.http import Http404, HttpRequest
from ninja import Query, Router, Status
from pydantic import BaseModel, Field

from tierdesk.core import clock
from tierdesk.core.work import work
from tierdesk.directory.staff.models import Agent
from tierdesk.response.major.cadence import LONGEST_MIN, SHORTEST_MIN
from tierdesk.response.major.cascades import CascadeKind
from tierdesk.response.major.children import ChildState, release
from tierdesk.response.major.models import Child, MajorIncident, Proposal, Role, RoleKind
from tierdesk.response.major.proposals import ProposalState
from tierdesk.tickets.lifecycle import StaleTicket, State, UnableTo
from tierdesk.tickets.models import Ticket
from tierdesk.web.api.actions import Stale, Version, agent_for, caller_as_agent
from tierdesk.web.api.bearer import caller, ticket_of
from tierdesk.web.api.errors import REFUSALS, Error, Invalid
from tierdesk.web.api.fields import Line, Paging, Strict, Text, Word
from tierdesk.web.api.tickets import TicketShown

router = Router(tags=["major incidents"])
of_tickets = Router(tags=["major incidents"])

MOST_LINKED = 500

type Minutes = Annotated[int, Field(ge=SHORTEST_MIN, le=LONGEST_MIN)]
type Stand = Literal["going", "to_review", "ended"]


class MajorShown(BaseModel):
    """A major incident. `ticket` is the parent; `following`: how many children that you may see follow it.

    `stand`: it goes on; it is solved and waits for its review; or it was closed or stood down. `newest`: its last
    broadcast, to be sent back with the next one.
    """

    id: int
    reference: str
    ticket: int
    client: str
    subject: str
    stand: Stand
    why: str
    declared_by: str | None
    declared_at: datetime
    every_min: int
    updated_at: datetime | None
    next_update_at: datetime | None
    missed: int
    roles: dict[RoleKind, str]
    following: int
    newest: int | None
    review: str
    waived: str
    reviewed_at: datetime | None
    stood_down_at: datetime | None

    @classmethod
    def of(cls, incident: MajorIncident) -> Self:
        """Of one that was read by `_seen`."""
        held: Sequence[Role] = incident.held  # type: ignore[attr-defined]
        looked_up: dict[str, Any] = {
            "ticket": incident.ticket_id,
            "client": incident.ticket.client.key,
            "subject": incident.ticket.subject,
            "stand": _stand(incident),
            "declared_by": incident.declared_by.user.email if incident.declared_by else None,
            "roles": {role.kind: role.agent.user.email for role in held},
        }
        own = {name: getattr(incident, name) for name in cls.model_fields if name not in looked_up}
        return cls(**own, **looked_up)


class MajorPage(BaseModel):
    """Newest first. `next` is the cursor of the next page; null: this was the last."""

    items: list[MajorShown]
    next: int | None


class ChildShown(BaseModel):
    """A ticket that follows it, or did."""

    ticket: int
    client: str
    subject: str
    state: ChildState
    linked_at: datetime
    ended_at: datetime | None


class ProposalShown(BaseModel):
    """Somebody thinks that a ticket is a major incident; `answer`: why it is, or is not."""

    id: int
    ticket: int
    why: str
    proposed_by: str | None
    proposed_at: datetime
    state: ProposalState
    answered_by: str | None
    answered_at: datetime | None
    answer: str

    @classmethod
    def of(cls, proposal: Proposal) -> Self:
        looked_up: dict[str, Any] = {
            "ticket": proposal.ticket_id,
            "proposed_by": proposal.proposed_by.user.email if proposal.proposed_by else None,
            "answered_by": proposal.answered_by.user.email if proposal.answered_by else None,
        }
        own = {name: getattr(proposal, name) for name in cls.model_fields if name not in looked_up}
        return cls(**own, **looked_up)


class Filters(Paging):
    stand: Stand | None = None
    client: Word | None = None


class Declaring(Strict):
    """`manager`: an address, or `me`; null: nobody yet, and the leads are told. `every_min`: else as agreed."""

    version: Version
    why: Text
    manager: Word | None = None
    every_min: Minutes | None = None


class Saying(Strict):
    """`newest`: the last broadcast that you had seen, 0 for none; if another has gone out since, nothing is sent."""

    text: Text
    newest: Annotated[int, Field(ge=0, lt=2**63)] | None = None


class Tickets(Strict):
    tickets: Annotated[
        list[Annotated[int, Field(ge=1, lt=2**63)]], Field(min_length=1, max_length=MOST_LINKED)
    ]


class Releasing(Tickets):
    """Why they do not belong to it."""

    why: Line


class Handing(Strict):
    """`agent`: an address, `me`, or null for nobody."""

    role: RoleKind
    agent: Word | None


class Cadence(Strict):
    every_min: Minutes


class Reason(Strict):
    why: Text


ANSWERS = {200: MajorShown, 409: Stale, **REFUSALS}

type Answer = MajorShown | Status[Any]


@router.get("", response={200: MajorPage, **REFUSALS})
def list_majors(request: HttpRequest, filters: Query[Filters]) -> MajorPage:
    """The major incidents of the clients that you serve, newest first."""
    seen = _seen(request)
    if filters.stand is not None:
        seen = seen.filter(STANDS[filters.stand])
    if filters.client is not None:
        seen = seen.filter(client__key=filters.client)
    page, following = filters.newest_first(seen)
    return MajorPage(items=[MajorShown.of(one) for one in page], next=following)


@router.get("/proposals", response={200: list[ProposalShown], **REFUSALS})
def open_proposals(request: HttpRequest) -> list[ProposalShown]:
    """What waits to be declared or declined, newest first."""
    return [ProposalShown.of(one) for one in _proposals(request).filter(state=ProposalState.OPEN)]


@router.get("/{int:pk}", response={200: MajorShown, **REFUSALS})
def show_major(request: HttpRequest, pk: int) -> MajorShown:
    return MajorShown.of(incident_of(request, pk))


@router.get("/{int:pk}/children", response={200: list[ChildShown], **REFUSALS})
def children(request: HttpRequest, pk: int) -> list[ChildShown]:
    """Those of its children that you may see, in the order in which they were linked."""
    incident = incident_of(request, pk)
    rows = Child.objects.visible_to(caller(request)).filter(incident=incident)
    return [
        ChildShown(
            ticket=row.ticket_id,
            client=row.ticket.client.key,
            subject=row.ticket.subject,
            state=ChildState(row.state),
            linked_at=row.linked_at,
            ended_at=row.ended_at,
        )
        for row in rows.select_related("ticket__client").order_by("id")
    ]


@of_tickets.post("/{int:pk}/major", response={201: MajorShown, 409: Stale, **REFUSALS})
def declare(request: HttpRequest, pk: int, body: Declaring) -> Answer:
    """The ticket is a major incident. Whoever may not declare one proposes it."""
    ticket = ticket_of(request, pk)

    def declared() -> MajorIncident:
        if body.version != ticket.version:
            raise StaleTicket(ticket)
        return MajorIncident.declare(
            ticket,
            by=caller_as_agent(request),
            why=body.why,
            manager=named(request, ticket, "manager", body.manager),
            every_min=body.every_min,
        )

    return _tried(request, pk, declared, status=201)


@of_tickets.get("/{int:pk}/proposals", response={200: list[ProposalShown], **REFUSALS})
def proposals(request: HttpRequest, pk: int) -> list[ProposalShown]:
    """That the ticket is a major incident, newest first, and what was answered."""
    ticket = ticket_of(request, pk)
    return [ProposalShown.of(one) for one in _proposals(request).filter(ticket=ticket)]


@of_tickets.post("/{int:pk}/proposals", response={201: ProposalShown, 409: Stale, **REFUSALS})
def propose(request: HttpRequest, pk: int, body: Reason) -> ProposalShown | Status[Any]:
    """Tell those who may declare it that it is a major incident."""
    ticket = ticket_of(request, pk)
    try:
        with work(by=caller(request).actor(), at=clock.now()):
            made = Proposal.propose(ticket, by=caller_as_agent(request), why=body.why)
    except StaleTicket as stale:
        return _stale(request, pk, stale)
    return Status(201, ProposalShown.of(_proposals(request).get(pk=made.pk)))


@router.post("/proposals/{int:pk}/declining", response={200: ProposalShown, **REFUSALS})
def decline(request: HttpRequest, pk: int, body: Reason) -> ProposalShown:
    """It is no major incident, for a reason that whoever proposed it hears."""
    proposal = _proposals(request).select_related("ticket__client").filter(pk=pk).first()
    if proposal is None:
        raise Http404
    with work(by=caller(request).actor(), at=clock.now()):
        proposal.decline(by=caller_as_agent(request), why=body.why)
    return ProposalShown.of(_proposals(request).get(pk=pk))


@router.post("/{int:pk}/broadcasts", response=ANSWERS)
def broadcast(request: HttpRequest, pk: int, body: Saying) -> Answer:
    """One text to the contacts of the parent and of all children. It is an update: the next is due later."""
    by = caller_as_agent(request)
    return act_on(request, pk, lambda one: one.broadcast(body.text, by=by, newest=body.newest))


@router.post("/{int:pk}/children", response=ANSWERS)
def link(request: HttpRequest, pk: int, body: Tickets) -> Answer:
    """Let these tickets follow it: all of them, or none."""
    caller_as_agent(request)
    wanted = set(body.tickets)
    mine = Ticket.objects.visible_to(caller(request)).filter(pk__in=wanted)
    missing = wanted - set(mine.values_list("pk", flat=True))
    if missing:
        raise Invalid("tickets", f"you can see no ticket {', '.join(map(str, sorted(missing)[:5]))}")
    return act_on(request, pk, lambda one: one.link(sorted(wanted)))


@router.post("/{int:pk}/children/release", response=ANSWERS)
def unlink(request: HttpRequest, pk: int, body: Releasing) -> Answer:
    """Take these tickets out of it, each back to work by itself: all of them, or none."""
    caller_as_agent(request)

    def take_out(incident: MajorIncident) -> None:
        rows = Child.objects.visible_to(caller(request)).following()
        rows = rows.filter(incident=incident, ticket__in=body.tickets)
        found: list[Child] = list(rows.select_related("ticket__client", "ticket__contract_version"))
        if missing := set(body.tickets) - {child.ticket_id for child in found}:
            numbers = ", ".join(f"TD-{number}" for number in sorted(missing)[:5])
            raise UnableTo(f"Nothing was taken out: {numbers} does not follow it, as far as you see.")
        for child in found:
            release(child, why=body.why)

    return act_on(request, pk, take_out)


@router.post("/{int:pk}/roles", response=ANSWERS)
def hand_role(request: HttpRequest, pk: int, body: Handing) -> Answer:
    """One person has the role from now on, or nobody."""
    by = caller_as_agent(request)
    return act_on(
        request,
        pk,
        lambda one: one.hand_role(body.role.value, named(request, one.ticket, "agent", body.agent), by=by),
    )


@router.post("/{int:pk}/cadence", response=ANSWERS)
def change_cadence(request: HttpRequest, pk: int, body: Cadence) -> Answer:
    """The clients hear from us every so many minutes."""
    by = caller_as_agent(request)
    return act_on(request, pk, lambda one: one.change_cadence(body.every_min, by=by))


@router.post("/{int:pk}/standing-down", response=ANSWERS)
def stand_down(request: HttpRequest, pk: int, body: Reason) -> Answer:
    """It is no major incident; its children go back to work."""
    by = caller_as_agent(request)
    return act_on(request, pk, lambda one: one.stand_down(by=by, why=body.why))


STANDS: dict[str, Q] = {
    "going": Q(stood_down_at=None, ticket__state__in=[State.NEW, State.OPEN, State.PENDING]),
    "to_review": Q(stood_down_at=None, ticket__state=State.RESOLVED),
    "ended": ~Q(stood_down_at=None) | Q(ticket__state__in=[State.CLOSED, State.CANCELLED]),
}


def _stand(incident: MajorIncident) -> str:
    if incident.stood_down_at is not None or incident.ticket.state in (State.CLOSED, State.CANCELLED):
        return "ended"
    return "to_review" if incident.ticket.state == State.RESOLVED else "going"


def _seen(request: HttpRequest) -> QuerySet[MajorIncident]:
    """What the caller may see, with all that is shown of it, in the same number of statements for one or many."""
    user = caller(request)
    children = Child.objects.visible_to(user).following()
    held = Role.objects.filter(until_at=None).select_related("agent__user")
    following = Count("children", filter=Q(children__in=children), distinct=True)
    newest = Max("cascades", filter=Q(cascades__kind=CascadeKind.BROADCAST))
    seen: QuerySet[MajorIncident] = MajorIncident.objects.visible_to(user)
    return (
        seen.select_related("ticket__client", "ticket__contract_version", "ticket__team", "declared_by__user")
        .prefetch_related(Prefetch("roles", held, to_attr="held"))
        .annotate(following=following, newest=newest)
    )


def incident_of(request: HttpRequest, pk: int) -> MajorIncident:
    """Unknown and forbidden look the same (404)."""
    found = _seen(request).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _proposals(request: HttpRequest) -> QuerySet[Proposal]:
    seen: QuerySet[Proposal] = Proposal.objects.visible_to(caller(request))
    return seen.select_related("proposed_by__user", "answered_by__user", "ticket")


def act_on(request: HttpRequest, pk: int, verb: Callable[[MajorIncident], object]) -> Answer:
    """Let `verb` change it as the caller, now."""
    incident = incident_of(request, pk)

    def acted() -> MajorIncident:
        verb(incident)
        return incident

    return _tried(request, incident.ticket_id, acted)


def _tried(
    request: HttpRequest, ticket: int, verb: Callable[[], MajorIncident], *, status: int = 200
) -> Answer:
    """Do it in one unit of work; 409 with the ticket as it stands, if somebody was faster."""
    try:
        with work(by=caller(request).actor(), at=clock.now()):
            made = verb()
    except StaleTicket as stale:
        return _stale(request, ticket, stale)
    return Status(status, MajorShown.of(incident_of(request, made.pk)))


def _stale(request: HttpRequest, ticket: int, stale: StaleTicket) -> Status[Any]:
    error = Error(code="stale", message=f"{stale}; nothing was done.")
    return Status(409, Stale(error=error, ticket=TicketShown.of(ticket_of(request, ticket))))


def named(request: HttpRequest, ticket: Ticket, field: str, address: str | None) -> Agent | None:
    if address is None:
        return None
    return caller_as_agent(request) if address == "me" else agent_for(ticket, address, field=field)
