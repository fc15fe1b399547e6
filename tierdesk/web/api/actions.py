"""What a program does to a ticket: the verbs of an agent, each a resource, each one domain call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Status
from pydantic import BaseModel, Field

from tierdesk.core import clock
from tierdesk.core.work import work
from tierdesk.directory.clients.models import Client, Contact
from tierdesk.directory.services.models import TicketType
from tierdesk.directory.staff.models import Agent, Team
from tierdesk.learning.problems.models import Problem
from tierdesk.response.sla.dates import promise_date, take_back_date
from tierdesk.tickets.lifecycle import PendingReason, ResolutionCode, StaleTicket, UnableTo
from tierdesk.tickets.models import Ticket
from tierdesk.tickets.resettling import move_to_client
from tierdesk.web.api.bearer import caller, ticket_of
from tierdesk.web.api.errors import REFUSALS, Error, Invalid
from tierdesk.web.api.fields import Address, Instant, Level, Line, Strict, Text, Word
from tierdesk.web.api.tickets import TicketShown, category_at, service_of

router = Router(tags=["actions"])

type Answer = TicketShown | Status[Any]
type Version = Annotated[int, Field(ge=1, lt=2**31)]


class Stale(BaseModel):
    """Somebody was faster, nothing was done; `ticket` is how it stands now."""

    error: Error
    ticket: TicketShown


ANSWERS = {200: TicketShown, 409: Stale, **REFUSALS}


class Words(Strict):
    """What is said. Without `version` it is said however the ticket stands by now."""

    text: Text
    version: Version | None = None


class Assignment(Strict):
    """`agent` is an address or `me`; null puts the ticket back into its team's queue."""

    version: Version
    agent: Word | None


class Waiting(Strict):
    """Why the ticket waits, and until when at most. Waiting for the contact's answer needs a `question`.

    `problem`: which one it waits for, where more than one is behind it. `team`: the key of another team whose turn it
    is; they are reminded as agreed.
    """

    version: Version
    reason: PendingReason
    until: Instant | None = None
    question: Text = ""
    team: Word | None = None
    problem: Annotated[int, Field(ge=1, lt=2**63)] | None = None


class Resumption(Strict):
    version: Version
    why: Line


class Resolution(Strict):
    """`text` goes to the contact."""

    version: Version
    code: ResolutionCode
    text: Text = ""


class Resettling(Strict):
    """Whose ticket it is (a key), and who of theirs has the trouble (an address). `theirs`: so are the words so far."""

    version: Version
    client: Word
    contact: Address | None = None
    theirs: bool = False
    why: Line


class Renaming(Strict):
    """What it is about. Mails to the contact keep the subject that they began with."""

    version: Version
    subject: Line


class Naming(Strict):
    """`service`: its key; null: it is about none that is known."""

    version: Version
    service: Word | None


class Categorising(Strict):
    version: Version
    category: Line


class Assessing(Strict):
    """Impact and urgency, 1 high to 3 low; the contract's matrix gives the priority."""

    version: Version
    impact: Level
    urgency: Level
    why: Line


class Retyping(Strict):
    version: Version
    type: TicketType
    why: Line


class Promising(Strict):
    """By when it is solved, as the client was told. Where nobody works then, the date is refused, unless it may count
    at the `next_opening`. `shown`: the contact reads it in the portal."""

    version: Version
    at: Instant
    why: Line
    shown: bool = False
    next_opening: bool = False


class TakingBack(Strict):
    version: Version
    why: Line


class Reopening(Strict):
    version: Version
    why: Line


@router.post("/{int:pk}/replies", response=ANSWERS)
def reply(request: HttpRequest, pk: int, body: Words) -> Answer:
    """Write to the contact; refused where nobody would get it."""
    return act(request, pk, body.version, lambda ticket: ticket.heard().reply(body.text))


@router.post("/{int:pk}/notes", response=ANSWERS)
def note(request: HttpRequest, pk: int, body: Words) -> Answer:
    """Write an internal note that no contact ever sees."""
    return act(request, pk, body.version, lambda ticket: ticket.note(body.text))


@router.post("/{int:pk}/assignment", response=ANSWERS)
def assign(request: HttpRequest, pk: int, body: Assignment) -> Answer:
    """Take the ticket, give it to somebody, or put it back."""
    return act(request, pk, body.version, lambda ticket: _assign(request, ticket, body.agent))


@router.post("/{int:pk}/waiting", response=ANSWERS)
def wait(request: HttpRequest, pk: int, body: Waiting) -> Answer:
    """Let the ticket wait for something; some reasons pause the client's clocks."""
    return act(request, pk, body.version, lambda ticket: _wait(ticket, body))


@router.post("/{int:pk}/resumption", response=ANSWERS)
def resume(request: HttpRequest, pk: int, body: Resumption) -> Answer:
    """The wait is over."""
    return act(request, pk, body.version, lambda ticket: ticket.resume(body.why))


@router.post("/{int:pk}/resolution", response=ANSWERS)
def resolve(request: HttpRequest, pk: int, body: Resolution) -> Answer:
    """Solved."""
    return act(
        request, pk, body.version, lambda ticket: ticket.resolve(code=body.code.value, text=body.text.strip())
    )


@router.post("/{int:pk}/reopening", response=ANSWERS)
def reopen(request: HttpRequest, pk: int, body: Reopening) -> Answer:
    """Not solved after all; only within the contract's reopen window."""
    return act(request, pk, body.version, lambda ticket: ticket.reopen(body.why))


@router.post("/{int:pk}/client", response=ANSWERS)
def resettle(request: HttpRequest, pk: int, body: Resettling) -> Answer:
    """It was logged for the wrong client; it goes to the right one, with clocks that count from the start."""
    return act(request, pk, body.version, lambda ticket: _resettle(request, ticket, body))


@router.post("/{int:pk}/subject", response=ANSWERS)
def rename(request: HttpRequest, pk: int, body: Renaming) -> Answer:
    """Call it by what it is about."""
    return act(request, pk, body.version, lambda ticket: ticket.rename(body.subject))


@router.post("/{int:pk}/service", response=ANSWERS)
def name_service(request: HttpRequest, pk: int, body: Naming) -> Answer:
    """Say which service it is about."""
    return act(request, pk, body.version, lambda ticket: _name_service(ticket, body.service))


@router.post("/{int:pk}/category", response=ANSWERS)
def categorise(request: HttpRequest, pk: int, body: Categorising) -> Answer:
    """Say what kind of trouble it is."""
    return act(request, pk, body.version, lambda ticket: ticket.categorise(category_at(body.category)))


@router.post("/{int:pk}/assessment", response=ANSWERS)
def assess(request: HttpRequest, pk: int, body: Assessing) -> Answer:
    """How many are hit, and how much it hinders them."""
    return act(
        request,
        pk,
        body.version,
        lambda ticket: ticket.assess(impact=body.impact, urgency=body.urgency, reason=body.why),
    )


@router.post("/{int:pk}/type", response=ANSWERS)
def retype(request: HttpRequest, pk: int, body: Retyping) -> Answer:
    """An incident after all, or a service request."""
    return act(request, pk, body.version, lambda ticket: ticket.retype(body.type.value, why=body.why))


@router.post("/{int:pk}/promised-date", response=ANSWERS)
def promise(request: HttpRequest, pk: int, body: Promising) -> Answer:
    """Promise the client a date, or move the one that stands."""
    return act(request, pk, body.version, lambda ticket: _promise(request, ticket, body))


@router.post("/{int:pk}/promised-date/taking-back", response=ANSWERS)
def take_back(request: HttpRequest, pk: int, body: TakingBack) -> Answer:
    """No date stands any more."""
    return act(
        request,
        pk,
        body.version,
        lambda ticket: take_back_date(ticket, by=caller_as_agent(request), why=body.why),
    )


def act(request: HttpRequest, pk: int, version: int | None, verb: Callable[[Ticket], object]) -> Answer:
    """Let `verb` change the ticket as the caller, now, if it still is what the caller saw."""
    ticket = ticket_of(request, pk)
    try:
        if version is not None and version != ticket.version:
            raise StaleTicket(ticket)
        with work(by=caller(request).actor(), at=clock.now()):
            verb(ticket)
    except StaleTicket as stale:
        error = Error(code="stale", message=f"{stale}; nothing was done.")
        return Status(409, Stale(error=error, ticket=TicketShown.of(ticket_of(request, pk))))
    return TicketShown.of(ticket_of(request, pk))


def _name_service(ticket: Ticket, key: str | None) -> None:
    ticket.name_service(None if key is None else service_of(ticket.client, key))


def _resettle(request: HttpRequest, ticket: Ticket, body: Resettling) -> None:
    client = Client.objects.visible_to(caller(request)).filter(key=body.client).first()
    if client is None:
        raise Invalid("client", "there is no such client that you serve")
    contact = None
    if body.contact is not None:
        theirs = Contact.objects.filter(client=client, is_active=True, email__iexact=body.contact)
        contact = theirs.first()
        if contact is None:
            raise Invalid("contact", f"{client.name} has nobody with this address")
    agent = caller_as_agent(request)
    move_to_client(ticket, client, by=agent, why=body.why, contact=contact, theirs=body.theirs)


def _promise(request: HttpRequest, ticket: Ticket, body: Promising) -> None:
    one = promise_date(ticket, body.at, by=caller_as_agent(request), why=body.why, shown=body.shown)
    if one.is_later and not body.next_opening:
        raise Invalid(
            "at", f"nobody works then; it would count at the next opening, {one.due_at.isoformat()}"
        )


def _assign(request: HttpRequest, ticket: Ticket, address: str | None) -> None:
    if address is None:
        ticket.assign(None)
    elif address == "me":
        ticket.take(caller_as_agent(request))
    else:
        ticket.assign(agent_for(ticket, address))


def caller_as_agent(request: HttpRequest) -> Agent:
    user = caller(request)
    if not hasattr(user, "agent"):
        raise UnableTo("Only an agent can do this.")
    return user.agent


def agent_for(ticket: Ticket, address: str, *, field: str = "agent") -> Agent:
    """The agent with this address, if they may see the ticket at all."""
    agent = (
        Agent.objects.select_related("user").filter(user__email=address.lower(), user__is_active=True).first()
    )
    if agent is None or not Ticket.objects.visible_to(agent.user).filter(pk=ticket.pk).exists():
        raise Invalid(field, f"no agent of {ticket.client.name} has this address")
    return agent


def _wait(ticket: Ticket, body: Waiting) -> None:
    if body.problem is not None and body.reason != PendingReason.PROBLEM:
        raise Invalid("problem", "only a ticket that waits for a problem names one")
    if body.team is not None and body.reason in (PendingReason.PROBLEM, PendingReason.REQUESTER_INFO):
        raise Invalid("team", "a ticket that waits for its contact or for a problem waits for no team")
    if body.reason == PendingReason.PROBLEM:
        Problem.awaited_by(ticket, body.problem).hold(ticket, until=body.until)
    elif body.reason == PendingReason.REQUESTER_INFO and body.question.strip():
        ticket.ask(body.question, until=body.until)
    elif body.question:
        raise Invalid("question", "only a ticket that waits for the contact’s answer asks one")
    else:
        ticket.pend(body.reason.value, until=body.until, team=_awaited(body.team))


def _awaited(key: str | None) -> Team | None:
    if key is None:
        return None
    team: Team | None = Team.objects.filter(key=key).first()
    if team is None:
        raise Invalid("team", f"there is no team {key}")
    return team
