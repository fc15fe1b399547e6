"""What an agent does to a ticket. Each action is a resource; each makes one domain call."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from tierdesk.directory.clients.models import Contact
from tierdesk.directory.contracts.models import ContractVersion
from tierdesk.directory.services.models import Category, Service
from tierdesk.directory.staff.models import Agent, Team
from tierdesk.learning.problems.models import Problem
from tierdesk.tickets.lifecycle import PendingReason, UnableTo
from tierdesk.tickets.models import Ticket
from tierdesk.web.workspace.answer import act_on
from tierdesk.web.workspace.guard import agent_of, agent_page, answers_for, ticket_of, user_of
from tierdesk.web.workspace.local import instant_of


@agent_page
@require_POST
def words(request: HttpRequest, pk: int) -> HttpResponse:
    """Write to the contact (`audience` reply; with `ask` the ticket waits for the answer) or to colleagues (note)."""
    text = request.POST.get("text", "")
    if request.POST.get("audience") == "note":
        return act_on(request, pk, lambda ticket: ticket.note(text), "Note saved.")
    if request.POST.get("ask"):
        return act_on(
            request,
            pk,
            lambda ticket: ticket.heard().ask(text),
            "Question sent; the ticket waits for the answer.",
        )
    return act_on(request, pk, lambda ticket: ticket.heard().reply(text), "Reply sent.")


@agent_page
@require_POST
def assignment(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the ticket (`agent` empty), give it to somebody (`agent` is a key), or to nobody (`agent` is 0)."""
    chosen = request.POST.get("agent", "")
    if chosen == "0":
        return act_on(request, pk, lambda ticket: ticket.assign(None), "Back in the team’s queue.")
    if not chosen:
        return act_on(request, pk, lambda ticket: ticket.take(agent_of(request)), "The ticket is yours.")
    agent = get_object_or_404(Agent, pk=chosen if chosen.isdecimal() else 0)
    return act_on(request, pk, lambda ticket: ticket.assign(agent), f"Assigned to {agent.name}.")


@agent_page
@require_POST
def waiting(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the ticket wait for `reason` (for `team`, if it is one's turn), until a local time if one is given; or wake
    it (`resume`)."""
    if request.POST.get("resume"):
        return act_on(request, pk, lambda ticket: ticket.resume("an agent took it up again"), "Back to work.")
    reason, until = request.POST.get("reason", ""), request.POST.get("until", "")
    zone, team = user_of(request).timezone, request.POST.get("team", "")
    awaited = get_object_or_404(Team, pk=team) if team.isdecimal() else None
    number = request.POST.get("problem", "")

    def wait(ticket: Ticket) -> None:
        if reason == PendingReason.PROBLEM:
            chosen = int(number) if number.isdecimal() and len(number) < 18 else None
            Problem.awaited_by(ticket, chosen).hold(ticket, until=instant_of(until, zone))
        else:
            ticket.pend(reason, until=instant_of(until, zone), team=awaited)

    return act_on(request, pk, wait, "The ticket waits.")


@agent_page
@require_POST
def resolution(request: HttpRequest, pk: int) -> HttpResponse:
    """Resolve with a code and words for the contact; or take it back (`reopen`)."""
    if request.POST.get("reopen"):
        why = request.POST.get("why", "").strip() or "an agent reopened it"
        return act_on(request, pk, lambda ticket: ticket.reopen(why), "Reopened.")
    code, text = request.POST.get("code", ""), request.POST.get("text", "").strip()
    return act_on(
        request, pk, lambda ticket: ticket.resolve(code=code, text=text), "Resolved. The contact is told."
    )


@agent_page
@require_POST
def cancellation(request: HttpRequest, pk: int) -> HttpResponse:
    return act_on(request, pk, lambda ticket: ticket.cancel(request.POST.get("why", "")), "Cancelled.")


@agent_page
@require_POST
def put_in_wait(request: HttpRequest, pk: int) -> HttpResponse:
    """It had waited, and nobody had said so: a lead of its team, or a manager, puts the wait in, with what shows it."""
    zone = user_of(request).timezone

    def put_in(ticket: Ticket) -> None:
        if not answers_for(agent_of(request), ticket):
            raise UnableTo("Only a lead of the ticket’s team, or a manager, puts a wait in afterwards.")
        begins, ends = (instant_of(request.POST.get(name, ""), zone) for name in ("begins", "ends"))
        if begins is None or ends is None:
            raise UnableTo("Say from when to when it waited.")
        ticket.put_in_wait(
            request.POST.get("reason", ""),
            begins=begins,
            ends=ends,
            evidence=request.POST.get("evidence", ""),
        )

    return act_on(request, pk, put_in, "The wait is put in, and the promises are counted again.")


@agent_page
@require_POST
def assessment(request: HttpRequest, pk: int) -> HttpResponse:
    """Set impact and urgency with a reason; a lead of the team may override the priority instead."""
    reason = request.POST.get("reason", "")
    override = request.POST.get("priority", "")
    if override:
        return act_on(
            request, pk, lambda ticket: _override(request, ticket, override, reason), "Priority overridden."
        )
    return act_on(
        request,
        pk,
        lambda ticket: ticket.assess(
            impact=_one_to_three(request, "impact"), urgency=_one_to_three(request, "urgency"), reason=reason
        ),
        "Impact and urgency set; the clocks follow.",
    )


@agent_page
@require_POST
def category(request: HttpRequest, pk: int) -> HttpResponse:
    chosen = get_object_or_404(Category, path=request.POST.get("category", ""))
    return act_on(request, pk, lambda ticket: ticket.categorise(chosen), f"Category: {chosen.name}.")


@agent_page
@require_POST
def service(request: HttpRequest, pk: int) -> HttpResponse:
    """Say which service it is about."""
    named, chosen = request.POST.get("service", ""), None
    if named:
        offered = Service.objects.visible_to(user_of(request))
        chosen = get_object_or_404(offered, pk=named if named.isdecimal() else 0)
    done = f"Service: {chosen.name}." if chosen else "It is about no service that is known."
    return act_on(request, pk, lambda ticket: ticket.name_service(chosen), done)


@agent_page
@require_POST
def contact(request: HttpRequest, pk: int) -> HttpResponse:
    """Say whose trouble it is, by their mail address."""
    found, address = ticket_of(request, pk), request.POST.get("contact", "").strip()
    theirs = Contact.objects.visible_to(user_of(request)).filter(client=found.client, is_active=True)
    named = theirs.filter(email__iexact=address).first() if address else None
    if named is None:
        messages.error(request, f"Nobody of {found.client.name} has the address “{address}”.")
        return redirect("workspace:ticket", pk)
    return act_on(request, pk, lambda ticket: ticket.name_contact(named), f"{named.name} is the contact now.")


@agent_page
@require_POST
def renaming(request: HttpRequest, pk: int) -> HttpResponse:
    """Call it by what it is about."""
    subject = request.POST.get("subject", "")
    return act_on(request, pk, lambda ticket: ticket.rename(subject), "Its subject is changed.")


@agent_page
@require_POST
def retyping(request: HttpRequest, pk: int) -> HttpResponse:
    """It is an incident after all, or a service request."""
    chosen, why = request.POST.get("type", ""), request.POST.get("why", "")
    return act_on(
        request, pk, lambda ticket: ticket.retype(chosen, why=why), "Its type is changed; the clocks follow."
    )


@agent_page
@require_POST
def terms(request: HttpRequest, pk: int) -> HttpResponse:
    """Let another version of a contract of the client's apply from now on; for leads of the team and managers."""
    versions = ContractVersion.objects.visible_to(user_of(request)).select_related("contract")
    chosen = request.POST.get("contract_version", "")
    version = get_object_or_404(versions, pk=chosen if chosen.isdecimal() else 0)
    why = request.POST.get("why", "")
    return act_on(
        request,
        pk,
        lambda ticket: _change_terms(request, ticket, version, why),
        f"{version} applies from now on; the clocks follow.",
    )


def _change_terms(request: HttpRequest, ticket: Ticket, version: ContractVersion, why: str) -> None:
    if not answers_for(agent_of(request), ticket):
        raise UnableTo("Only a lead of the ticket’s team or a manager lets other terms apply.")
    ticket.change_terms(version, why=why)


def _override(request: HttpRequest, ticket: Ticket, priority: str, reason: str) -> None:
    if not agent_of(request).leads(ticket.team_id):
        raise UnableTo("Only a lead of the ticket’s team overrides a priority.")
    ticket.override_priority(int(priority) if priority.isdecimal() else 0, reason=reason)


def _one_to_three(request: HttpRequest, name: str) -> int:
    raw = request.POST.get(name, "")
    if raw not in {"1", "2", "3"}:
        raise UnableTo(f"Choose an {name} from 1 (high) to 3 (low).")
    return int(raw)
