"""Climbing the ladder: the gate with its pack, accepting, returning, asking for advice."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from tierdesk.core import clock
from tierdesk.core.work import work
from tierdesk.directory.staff.models import Agent, Team
from tierdesk.response.runbooks.models import matching
from tierdesk.response.sla.budget import budgets, used_of_the_client
from tierdesk.response.tiers.climbing import proposed_first, teams_above
from tierdesk.response.tiers.consultations import WITHIN, Consultation
from tierdesk.response.tiers.gate import When, check
from tierdesk.response.tiers.models import Escalation, Procedure, attempt_on
from tierdesk.response.tiers.pack import PARTS, Pack, RunRecord
from tierdesk.response.tiers.reasons import Reason
from tierdesk.tickets.lifecycle import StaleTicket, UnableTo
from tierdesk.tickets.models import Ticket
from tierdesk.web.workspace.answer import act_on
from tierdesk.web.workspace.clocks import faces_of
from tierdesk.web.workspace.guard import agent_of, agent_page, ticket_of, user_of
from tierdesk.web.workspace.ladder import came_back, prefilled, run_records
from tierdesk.web.workspace.local import zone_of
from tierdesk.web.workspace.navigation import navigation


@agent_page
def escalation(request: HttpRequest, pk: int) -> HttpResponse:
    """The gate: what the procedure asks, the pack pre-filled, what is left of the client's time. POST sends it."""
    ticket = ticket_of(request, pk)
    runs = run_records(ticket)
    if request.method == "POST":
        refused = _send(request, ticket, runs)
        if refused is None:
            return redirect("workspace:ticket", pk)
        messages.error(request, refused)
        ticket = ticket_of(request, pk)
    if request.method == "POST":
        pack = Pack.of(request.POST.dict())
    else:
        pack = prefilled(ticket, runs, zone_of(user_of(request)))
    return render(
        request, "workspace/escalation.html", _gate_context(request, ticket, runs, pack) | navigation(request)
    )


def _send(request: HttpRequest, ticket: Ticket, runs: list[RunRecord]) -> str | None:
    """Try to send the hand-over; returns why not, in words, or None."""
    team = get_object_or_404(Team, pk=_number(request, "team"))
    if team not in teams_above(ticket):
        return "Choose a team of a higher tier that serves this client."
    named = Agent.objects.filter(pk=_number(request, "named"), memberships__team=team).first()
    seen = request.POST.get("version", "")
    try:
        if seen.isdecimal() and int(seen) != ticket.version:
            raise StaleTicket(ticket)
        with work(by=agent_of(request).actor(), at=clock.now()):
            Escalation.send(
                ticket,
                team,
                by=agent_of(request),
                reason=request.POST.get("reason", ""),
                pack=Pack.of(request.POST.dict()),
                runs=runs,
                books_exist=bool(matching(ticket, ticket.tier)),
                bypass=request.POST.get("bypass", "").strip(),
                named=named,
                used=used_of_the_client(ticket, clock.now()),
                emergency=_is_emergency(request),
            )
    except StaleTicket:
        return f"{ticket.reference} was changed by somebody else in the meantime; nothing was sent. Look at it again."
    except UnableTo as refusal:
        return str(refusal)
    messages.success(request, f"Handed to {team.name}.")
    return None


def _gate_context(
    request: HttpRequest, ticket: Ticket, runs: list[RunRecord], pack: Pack
) -> dict[str, object]:
    procedure, emergency = Procedure.for_ticket(ticket), _is_emergency(request)
    rules = procedure.rules
    may_hurry = rules.emergency is not None and rules.emergency.is_open_to(
        ticket.priority, is_major=ticket.is_major
    )
    asked = rules.in_emergency if emergency and may_hurry else rules
    teams = proposed_first(teams_above(ticket), asked.to)
    chosen = next(
        (team for team in teams if team.pk == _number(request, "team")), teams[0] if teams else None
    )
    back = came_back(ticket)
    of_books = next((run.reason for run in reversed(runs) if run.reason), "")
    reason = request.POST.get("reason") or (back.reason if back else of_books)
    attempt = attempt_on(
        ticket,
        chosen,
        by=agent_of(request),
        reason=reason,
        pack=pack,
        runs=runs,
        books_exist=bool(matching(ticket, ticket.tier)),
        bypass=request.POST.get("bypass", ""),
        used=used_of_the_client(ticket, clock.now()),
        emergency=emergency,
    )
    allowed = asked.reasons or Reason.values
    faces = [face for face in faces_of(ticket, clock.now()) if face.clock.metric == "resolve"]
    return {
        "ticket": ticket,
        "procedure": procedure,
        "gate": check(rules, attempt),
        "teams": teams,
        "chosen": chosen.pk if chosen else "",
        "reasons": [(value, label) for value, label in Reason.choices if value in allowed],
        "reason": reason,
        "pack": pack.as_dict(),
        "parts": PARTS,
        "required": asked.required,
        "waives": asked.needs_book or not asked.may_skip or asked.to or asked.when != When(),
        "short_way": rules.emergency if may_hurry else None,
        "emergency": emergency,
        "runs": runs,
        "bypass": request.POST.get("bypass", ""),
        "budgets": budgets(ticket, {team.tier for team in teams}, clock.now()),
        "faces": faces,
        "to_the_client": [face for face in faces if face.clock.party == "SLA" and face.state != "met"],
        "colleagues": Agent.objects.filter(memberships__team__in=teams).select_related("user").distinct(),
        "needs_name": ticket.return_count > asked.max_returns,
    }


def _is_emergency(request: HttpRequest) -> bool:
    """By the form, or by a link to it."""
    return bool((request.POST if request.method == "POST" else request.GET).get("emergency"))


@agent_page
@require_POST
def acceptance(request: HttpRequest, pk: int, escalation_id: int) -> HttpResponse:
    """Take the hand-over; the ticket is yours from now on."""

    def accept(ticket: Ticket) -> None:
        _of_my_team(request, ticket, escalation_id).accept(agent_of(request))

    return act_on(request, pk, accept, "Accepted; the ticket is yours.")


@agent_page
@require_POST
def returning(request: HttpRequest, pk: int, escalation_id: int) -> HttpResponse:
    """Send the hand-over back with a coded reason and a word."""
    reason, note = request.POST.get("reason", ""), request.POST.get("note", "")

    def send_back(ticket: Ticket) -> None:
        _of_my_team(request, ticket, escalation_id).send_back(agent_of(request), reason=reason, note=note)

    return act_on(request, pk, send_back, "Returned.")


@agent_page
@require_POST
def coaching(request: HttpRequest, pk: int, escalation_id: int) -> HttpResponse:
    """Give the hand-over back and stay with it as its helper: it could be solved where it came from."""
    advice = request.POST.get("advice", "")

    def coach(ticket: Ticket) -> None:
        _of_my_team(request, ticket, escalation_id).coach(agent_of(request), advice=advice)

    return act_on(request, pk, coach, "It is back with those who sent it, and you help them.")


@agent_page
@require_POST
def withdrawal(request: HttpRequest, pk: int, escalation_id: int) -> HttpResponse:
    """Take a hand-over back that nobody has accepted yet."""
    why = request.POST.get("why", "")

    def withdraw(ticket: Ticket) -> None:
        sent = _hand_over(ticket, escalation_id)
        sent.check_sender(agent_of(request))
        sent.withdraw(agent_of(request), why=why)

    return act_on(request, pk, withdraw, "It is back with your team.")


def _of_my_team(request: HttpRequest, ticket: Ticket, escalation_id: int) -> Escalation:
    """The hand-over, if the agent belongs to the team it was sent to. Raises UnableTo otherwise."""
    found = _hand_over(ticket, escalation_id)
    found.check_receiver(agent_of(request))
    return found


def _hand_over(ticket: Ticket, escalation_id: int) -> Escalation:
    found: Escalation = get_object_or_404(
        Escalation.objects.select_related("from_team", "to_team", "sent_by__user", "from_agent__user"),
        pk=escalation_id,
        ticket=ticket,
    )
    found.ticket = ticket
    return found


@agent_page
@require_POST
def consultations(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask another tier for advice; the ticket stays where it is."""
    team = get_object_or_404(Team, pk=_number(request, "team"))
    question = request.POST.get("question", "")
    within = timedelta(minutes=_number(request, "within")) or WITHIN

    def ask(ticket: Ticket) -> None:
        Consultation.ask(ticket, team, by=agent_of(request), question=question, within=within)

    return act_on(request, pk, ask, f"{team.name} has your question.")


@agent_page
@require_POST
def advice(request: HttpRequest, pk: int, consultation_id: int) -> HttpResponse:
    """Answer a question of another tier, and say how long that took."""
    said = request.POST.get("minutes", "").strip()

    def answer(ticket: Ticket) -> None:
        if said and not said.isdecimal():
            raise UnableTo("Say how long it took in whole minutes, or leave it out.")
        minutes = _number(request, "minutes") if said else None
        asked = get_object_or_404(Consultation, pk=consultation_id, ticket=ticket)
        asked.ticket = ticket
        asked.reply(agent_of(request), request.POST.get("answer", ""), minutes=minutes)

    return act_on(request, pk, answer, "Your advice is on the ticket.")


def _number(request: HttpRequest, name: str) -> int:
    raw = request.POST.get(name, "")
    return int(raw) if raw.isdecimal() and len(raw) < 18 else 0
