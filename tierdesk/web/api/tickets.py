"""Tickets: open one, list them, look at one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Header, Query, Router, Status
from pydantic import BaseModel, Field

from tierdesk.channels.api.requests import KeyReused, Receipt, Trouble, receive
from tierdesk.channels.models import InboundState
from tierdesk.directory.clients.models import Client
from tierdesk.directory.services.models import Category, Service, TicketType
from tierdesk.tickets.lifecycle import State
from tierdesk.tickets.models import Entry, Ticket, Tickets
from tierdesk.web.api.bearer import caller, ticket_of
from tierdesk.web.api.errors import REFUSALS, Invalid, Refusal, refuse
from tierdesk.web.api.fields import Address, Instant, Level, Line, Paging, Strict, Text, Word

router = Router(tags=["tickets"])

MOST_NAMED = 30

RELATED = ("client", "contact", "service", "category", "team", "assignee__user")


class Person(BaseModel):
    id: int
    name: str
    email: str


class TicketShown(BaseModel):
    """A ticket. `version` counts its changes: send it back with what you do. Clients, teams and services are keys.

    `duplicate_of`: the id of the ticket that it was merged into, or is a duplicate of.
    """

    id: int
    reference: str
    client: str
    contact: Person | None
    subject: str
    description: str
    type: TicketType
    channel: str
    state: State
    pending_reason: str
    impact: int
    urgency: int
    priority: int
    is_major: bool
    tier: int
    team: str | None
    assignee: Person | None
    service: str | None
    category: str | None
    created_at: datetime
    touched_at: datetime
    next_due_at: datetime | None
    resolved_at: datetime | None
    closed_at: datetime | None
    resolution_code: str
    duplicate_of: int | None
    version: int

    @classmethod
    def of(cls, ticket: Ticket) -> Self:
        contact, assignee = ticket.contact, ticket.assignee
        related: dict[str, Any] = {
            "client": ticket.client.key,
            "contact": Person(id=contact.pk, name=contact.name, email=contact.email) if contact else None,
            "team": ticket.team.key if ticket.team else None,
            "assignee": (
                Person(id=assignee.pk, name=assignee.name, email=assignee.user.email) if assignee else None
            ),
            "service": ticket.service.key if ticket.service else None,
            "category": ticket.category.path if ticket.category else None,
            "duplicate_of": ticket.duplicate_of_id,
        }
        own = {name: getattr(ticket, name) for name in cls.model_fields if name not in related}
        return cls(**own, **related)


class TicketPage(BaseModel):
    """Newest first. `next` is the cursor of the next page; null: this was the last."""

    items: list[TicketShown]
    next: int | None


class Parked(BaseModel):
    """Kept, but no ticket yet: somebody at the desk looks at it. `delivery` is its number in the parked box."""

    delivery: int
    state: InboundState
    reason: str


class Opening(Strict):
    """What a new ticket is made of. Without impact and urgency the category decides; without a category, triage."""

    client: Word
    subject: Line
    text: Text
    contact: Address | None = None
    service: Word | None = None
    category: Word | None = None
    impact: Level | None = None
    urgency: Level | None = None
    type: TicketType | None = None


class Filters(Paging):
    """Which tickets. `assignee` is an address, `me` or `nobody`; `updated_since`: anything happened at or after it."""

    state: State | None = None
    client: Word | None = None
    team: Word | None = None
    priority: Annotated[int, Field(ge=1, le=5)] | None = None
    assignee: Word | None = None
    type: TicketType | None = None
    updated_since: Instant | None = None


@router.post("", response={201: TicketShown, 200: TicketShown, 202: Parked, 409: Refusal, **REFUSALS})
def open_ticket(
    request: HttpRequest,
    body: Opening,
    idempotency_key: Annotated[str, Header(max_length=200)] = "",
) -> HttpResponse | Status[Any]:
    """Open a ticket. Sent again with the same `Idempotency-Key`, it is the same ticket (200).

    202: kept, but parked for a person, with the reason. 409: the key was used before, for something else.
    """
    try:
        receipt = receive(_trouble(request, body), caller(request), key=idempotency_key)
    except KeyReused:
        return refuse(409, "key_reused", "This Idempotency-Key was used before, for another request.")
    return _answer(request, receipt)


@router.get("", response={200: TicketPage, **REFUSALS})
def list_tickets(request: HttpRequest, filters: Query[Filters]) -> TicketPage:
    """The tickets that you may see, newest first."""
    tickets = _narrowed(Ticket.objects.visible_to(caller(request)), filters, request)
    page, following = filters.newest_first(tickets.select_related(*RELATED))
    return TicketPage(items=[TicketShown.of(ticket) for ticket in page], next=following)


@router.get("/{int:pk}", response={200: TicketShown, **REFUSALS})
def show_ticket(request: HttpRequest, pk: int) -> TicketShown:
    return TicketShown.of(ticket_of(request, pk))


def _trouble(request: HttpRequest, body: Opening) -> Trouble:
    """The request with keys of rows in place of names. A client that is not the caller's does not exist (404)."""
    client = Client.objects.visible_to(caller(request)).filter(key=body.client, is_active=True).first()
    if client is None:
        raise Http404
    return Trouble(
        client=client.pk,
        subject=body.subject,
        text=body.text,
        contact=body.contact or "",
        service=service_of(client, body.service).pk if body.service is not None else None,
        category=category_at(body.category).pk if body.category is not None else None,
        impact=body.impact,
        urgency=body.urgency,
        type=body.type.value if body.type else "",
    )


def service_of(client: Client, key: str) -> Service:
    """What the client knows by that key: its own, else one that all are offered. Raises Invalid."""
    offered = Service.objects.of_client(client.pk)
    service = offered.filter(key=key).order_by("client").first()
    if service is None:
        keys = offered.order_by("key").values_list("key", flat=True).distinct()
        raise Invalid("service", f"{client.name} has no such service{_there_are(keys)}")
    return service


def category_at(path: str) -> Category:
    """Raises Invalid."""
    category = Category.objects.filter(path=path).first()
    if category is None:
        paths = Category.objects.order_by("path").values_list("path", flat=True)
        raise Invalid("category", f"there is no such category{_there_are(paths)}")
    return category


def _there_are(names: QuerySet[Any, str]) -> str:
    """What could have been meant: the first of them."""
    named = list(names[: MOST_NAMED + 1])
    more = ", …" if len(named) > MOST_NAMED else ""
    return f"; there are {', '.join(named[:MOST_NAMED])}{more}" if named else ""


def _answer(request: HttpRequest, receipt: Receipt) -> Status[Any]:
    inbound = receipt.inbound
    if inbound.ticket_id is not None:
        shown = TicketShown.of(ticket_of(request, inbound.ticket_id))
        return Status(200 if receipt.is_repeat else 201, shown)
    reason = inbound.reason if inbound.state != InboundState.NEW else "It will be tried again in a moment."
    return Status(202, Parked(delivery=inbound.pk, state=InboundState(inbound.state), reason=reason))


def _narrowed(tickets: Tickets, filters: Filters, request: HttpRequest) -> Tickets:
    wanted: dict[str, Any] = {
        "state": filters.state,
        "client__key": filters.client,
        "team__key": filters.team,
        "priority": filters.priority,
        "type": filters.type,
    }
    tickets = tickets.filter(**{name: value for name, value in wanted.items() if value is not None})
    if filters.assignee == "nobody":
        tickets = tickets.unassigned()
    elif filters.assignee is not None:
        address = caller(request).email if filters.assignee == "me" else filters.assignee.lower()
        tickets = tickets.filter(assignee__user__email=address)
    if filters.updated_since is not None:
        lively = Entry.objects.visible_to(caller(request)).filter(at__gte=filters.updated_since)
        tickets = tickets.filter(pk__in=lively.values("ticket"))
    return tickets
