"""The ladder: hand a ticket up through its gate, accept it, return it, take it back; and the next best ticket."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.http import Http404, HttpRequest
from ninja import Router, Status
from pydantic import BaseModel

from tierdesk.core import clock
from tierdesk.core.work import work
from tierdesk.directory.staff.models import Agent, Team
from tierdesk.response.assignment.pull import take_next_best
from tierdesk.response.runbooks.models import matching, told_runs
from tierdesk.response.sla.budget import used_of_the_client
from tierdesk.response.tiers.climbing import teams_above
from tierdesk.response.tiers.models import Escalation, EscalationState
from tierdesk.response.tiers.pack import Pack, RunRecord
from tierdesk.response.tiers.reasons import Reason, ReturnReason
from tierdesk.tickets.models import Ticket
from tierdesk.web.api.actions import ANSWERS, Answer, Version, act, caller_as_agent
from tierdesk.web.api.bearer import caller, ticket_of
from tierdesk.web.api.errors import REFUSALS, Invalid
from tierdesk.web.api.fields import Line, Strict, Text, Word
from tierdesk.web.api.tickets import TicketShown

router = Router(tags=["hand-overs"])


class PackSent(Strict):
    """What the next tier needs to know. Which parts must be said depends on the procedure."""

    symptom: Text = ""
    scope: Text = ""
    business_impact: Text = ""
    first_occurred: Text = ""
    error_text: Text = ""
    recent_changes: Text = ""
    steps_tried: Text = ""
    evidence: Text = ""
    hypothesis: Text = ""
    client_promise: Text = ""
    exact_ask: Text = ""


class HandingUp(Strict):
    """`team`: the key of a team of a higher tier. `named`: the address of whoever takes it there, where the gate asks.

    `bypass`: why it goes another way than the procedure says. `emergency`: by the procedure's short way.
    """

    version: Version
    team: Word
    reason: Reason
    pack: PackSent
    bypass: Text = ""
    named: Word | None = None
    emergency: bool = False


class Accepting(Strict):
    version: Version


class Returning(Strict):
    version: Version
    reason: ReturnReason
    note: Line


class TakingBack(Strict):
    version: Version
    why: Line


class EscalationShown(BaseModel):
    """A hand-over up the ladder. `waived`: what the gate let pass only for a stated reason, or in an emergency."""

    id: int
    state: EscalationState
    from_tier: int
    to_tier: int
    to_team: str
    reason: Reason
    pack: dict[str, str]
    procedure: str
    bypass: str
    waived: list[str]
    emergency: bool
    sent_by: str | None
    sent_at: datetime
    answered_by: str | None
    answered_at: datetime | None
    return_reason: str
    return_note: str

    @classmethod
    def of(cls, sent: Escalation) -> Self:
        looked_up = {"to_team", "sent_by", "answered_by", "pack"}
        own = {name: getattr(sent, name) for name in cls.model_fields if name not in looked_up}
        return cls(
            **own,
            to_team=sent.to_team.key,
            sent_by=sent.sent_by.user.email if sent.sent_by else None,
            answered_by=sent.answered_by.user.email if sent.answered_by else None,
            pack={name: said for name, said in sent.contents.as_dict().items() if said},
        )


@router.get("/{int:pk}/escalations", response={200: list[EscalationShown], **REFUSALS})
def escalations(request: HttpRequest, pk: int) -> list[EscalationShown]:
    """Every hand-over of the ticket, oldest first."""
    ticket = ticket_of(request, pk)
    rows = Escalation.objects.visible_to(caller(request)).filter(ticket=ticket)
    return [
        EscalationShown.of(row)
        for row in rows.select_related("to_team", "sent_by__user", "answered_by__user")
    ]


@router.post("/{int:pk}/escalations", response=ANSWERS)
def hand_up(request: HttpRequest, pk: int, body: HandingUp) -> Answer:
    """Hand the ticket up, if the procedure's gate lets it through (`gate_shut` says what is missing)."""
    return act(request, pk, body.version, lambda ticket: _hand_up(request, ticket, body))


@router.post("/{int:pk}/acceptance", response=ANSWERS)
def accept(request: HttpRequest, pk: int, body: Accepting) -> Answer:
    """Take the hand-over that waits; from now on the caller works the ticket."""

    def take(ticket: Ticket) -> None:
        sent, agent = _waiting(ticket), caller_as_agent(request)
        sent.check_receiver(agent)
        sent.accept(agent)

    return act(request, pk, body.version, take)


@router.post("/{int:pk}/return", response=ANSWERS)
def send_back(request: HttpRequest, pk: int, body: Returning) -> Answer:
    """Send the hand-over that waits back, with a coded reason and a word."""

    def back(ticket: Ticket) -> None:
        sent, agent = _waiting(ticket), caller_as_agent(request)
        sent.check_receiver(agent)
        sent.send_back(agent, reason=body.reason.value, note=body.note)

    return act(request, pk, body.version, back)


@router.post("/{int:pk}/withdrawal", response=ANSWERS)
def withdraw(request: HttpRequest, pk: int, body: TakingBack) -> Answer:
    """Take the hand-over that waits back, before anybody accepted it."""

    def take_back(ticket: Ticket) -> None:
        sent, agent = _waiting(ticket), caller_as_agent(request)
        sent.check_sender(agent)
        sent.withdraw(agent, why=body.why)

    return act(request, pk, body.version, take_back)


@router.post("/next", response={200: TicketShown, 204: None, **REFUSALS})
def take_next(request: HttpRequest) -> TicketShown | Status[Any]:
    """The next best ticket for the caller, who has it from now on; 204 if there is none."""
    agent = caller_as_agent(request)
    with work(by=caller(request).actor(), at=clock.now()):
        ticket = take_next_best(agent, at=clock.now())
    return Status(204, None) if ticket is None else TicketShown.of(ticket_of(request, ticket.pk))


def _hand_up(request: HttpRequest, ticket: Ticket, body: HandingUp) -> None:
    team = next((team for team in teams_above(ticket) if team.key == body.team), None)
    if team is None:
        raise Invalid("team", "no team of a higher tier that serves this client has this key")
    Escalation.send(
        ticket,
        team,
        by=caller_as_agent(request),
        reason=body.reason.value,
        pack=Pack.of(body.pack.model_dump()),
        runs=[RunRecord(*told) for told in told_runs(ticket)],
        books_exist=bool(matching(ticket, ticket.tier)),
        bypass=body.bypass.strip(),
        named=_named(team, body.named),
        used=used_of_the_client(ticket, clock.now()),
        emergency=body.emergency,
    )


def _named(team: Team, address: str | None) -> Agent | None:
    if address is None:
        return None
    named: Agent | None = team.agents.filter(user__email=address.lower(), user__is_active=True).first()
    if named is None:
        raise Invalid("named", f"nobody of {team.name} has this address")
    return named


def _waiting(ticket: Ticket) -> Escalation:
    waiting = ticket.escalations.unanswered().select_related("from_team", "to_team", "sent_by", "from_agent")
    sent: Escalation | None = waiting.first()
    if sent is None:
        raise Http404
    sent.ticket = ticket
    return sent
