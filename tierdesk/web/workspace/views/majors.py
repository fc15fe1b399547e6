"""Major incidents: the list, the board of one, and what people do there."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from tierdesk.core import clock
from tierdesk.core.work import work
from tierdesk.directory.staff.models import Agent
from tierdesk.response.major.cadence import CHOICES
from tierdesk.response.major.children import release
from tierdesk.response.major.models import Child, MajorIncident, Proposal, ReviewAction, usual_minutes
from tierdesk.response.major.rights import may_declare, who_may_declare
from tierdesk.tickets.lifecycle import StaleTicket, UnableTo
from tierdesk.tickets.models import Ticket
from tierdesk.tickets.search import REFERENCE
from tierdesk.web.workspace.answer import act_on
from tierdesk.web.workspace.guard import agent_of, agent_page, ticket_of, user_of
from tierdesk.web.workspace.majors import board_of, going_for, overview, people_who_serve
from tierdesk.web.workspace.navigation import navigation

MOST_LINKED = 500

type Verb = Callable[[MajorIncident], object]


@agent_page
def majors(request: HttpRequest) -> HttpResponse:
    """Those that go on, those to look back at, and what is still to be done about those that ended."""
    context = overview(user_of(request), clock.now())
    return render(request, "workspace/majors.html", context | navigation(request, "majors"))


@agent_page
def major(request: HttpRequest, pk: int) -> HttpResponse:
    """The board of one. Asked by htmx, it answers with the part that is named, without what is being written."""
    return _board(request, _incident(request, pk))


@agent_page
def declaration(request: HttpRequest, pk: int) -> HttpResponse:
    """A ticket and a major incident: it follows one that goes on, or becomes one. POST declares."""
    ticket = ticket_of(request, pk)
    if request.method == "POST":
        made = _declared(request, ticket)
        if made is not None:
            return redirect("workspace:major", made.pk)
    return _declaring(request, pk)


@agent_page
@require_POST
def proposal(request: HttpRequest, pk: int) -> HttpResponse:
    """Whoever may declare it is told what this agent thinks. Refused, the words come back."""
    agent, why = agent_of(request), request.POST.get("why", "")
    done = _("Whoever may declare it is told. You hear what becomes of it.")
    if _about(request, pk, lambda ticket: Proposal.propose(ticket, by=agent, why=why), done):
        return redirect("workspace:ticket", pk)
    return _declaring(request, pk, status=422)


@agent_page
@require_POST
def declining(request: HttpRequest, pk: int) -> HttpResponse:
    """It is none, for a reason that whoever proposed it reads."""
    agent, why = agent_of(request), request.POST.get("why", "")
    mine = Proposal.objects.visible_to(user_of(request)).select_related("proposed_by__user")
    found: Proposal = get_object_or_404(mine, pk=_key(request.POST.get("proposal", "")), ticket=pk)

    def decline(ticket: Ticket) -> None:
        found.ticket = ticket
        found.decline(by=agent, why=why)

    if _about(request, pk, decline, _("Declined. Whoever proposed it is told why.")):
        return redirect("workspace:ticket", pk)
    return _declaring(request, pk, declined=why, status=422)


def _about(request: HttpRequest, pk: int, verb: Callable[[Ticket], object], done: str) -> bool:
    """Let `verb` do something about the ticket as this agent, and say so, or why not."""
    try:
        with work(by=agent_of(request).actor(), at=clock.now()):
            verb(ticket_of(request, pk))
    except StaleTicket as stale:
        messages.warning(request, _("%s. Look at it, and try again.") % stale)
        return False
    except UnableTo as refusal:
        messages.error(request, str(refusal))
        return False
    messages.success(request, done)
    return True


def _declaring(
    request: HttpRequest, pk: int, *, declined: str | None = None, status: int = 200
) -> HttpResponse:
    """The page; `declined`: why it is none, as it was refused."""
    ticket, at = ticket_of(request, pk), clock.now()
    proposals = Proposal.objects.visible_to(user_of(request)).open().filter(ticket=ticket)
    usual = usual_minutes(ticket)
    context = {
        "ticket": ticket,
        "going": [one for one in going_for(user_of(request)) if one.ticket_id != ticket.pk],
        "may_declare": may_declare(agent_of(request), ticket, at),
        "those_who_may": who_may_declare(people_who_serve(ticket), ticket, at),
        "colleagues": people_who_serve(ticket),
        "cadences": sorted({*CHOICES, usual}),
        "usual": usual,
        "said": request.POST if declined is None else {},
        "proposal": proposals.select_related("proposed_by__user").first(),
        "declined": declined,
    }
    return render(request, "workspace/declare_major.html", context | navigation(request), status=status)


@agent_page
@require_POST
def following(request: HttpRequest, pk: int) -> HttpResponse:
    """The ticket follows the major incident that was chosen."""
    chosen = request.POST.get("incident", "")
    if not chosen:
        messages.error(request, _("Choose the major incident that it belongs to."))
        return redirect("workspace:declaration", pk)
    incident = get_object_or_404(going_for(user_of(request)), pk=_key(chosen))
    return act_on(
        request,
        pk,
        lambda ticket: incident.link([ticket.pk]),
        _("It follows %(number)s.") % {"number": incident.ticket.reference},
    )


@agent_page
@require_POST
def role(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """One person has the role from now on; `agent` 0: nobody."""
    agent = _agent(request, "agent")
    by = agent_of(request)
    return _act(request, pk, lambda one: one.hand_role(kind, agent, by=by), _("The role is handed over."))


@agent_page
@require_POST
def broadcasts(request: HttpRequest, pk: int) -> HttpResponse:
    """One text to all. Refused, it comes back with the board, so that it is not lost."""
    text, incident = request.POST.get("text", ""), _incident(request, pk)
    by, seen = agent_of(request), request.POST.get("newest")
    newest = None if seen is None else _key(seen)
    refused = _tried(request, incident, lambda one: one.broadcast(text, by=by, newest=newest))
    if refused:
        messages.error(request, refused)
        return _board(request, _incident(request, pk), said=text, status=422)
    messages.success(request, _("Sent. It is on its way to every child."))
    return redirect("workspace:major", pk)


@agent_page
@require_POST
def cadence(request: HttpRequest, pk: int) -> HttpResponse:
    every, by = _key(request.POST.get("every", "")), agent_of(request)
    return _act(
        request, pk, lambda one: one.change_cadence(every, by=by), _("The next update is due accordingly.")
    )


@agent_page
@require_POST
def children(request: HttpRequest, pk: int) -> HttpResponse:
    """Link the tickets that were chosen (`tickets`), and those whose numbers were typed (`numbers`)."""
    linked: list[Ticket] = []

    def link(incident: MajorIncident) -> None:
        linked.extend(incident.link(_chosen(request)))

    return _act(
        request,
        pk,
        link,
        lambda: (
            ngettext("%(many)s ticket follows it.", "%(many)s tickets follow it.", len(linked))
            % {"many": len(linked)}
        ),
    )


@agent_page
@require_POST
def releasing(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the chosen children out of it, each back to work by itself."""
    keys, why = [_key(raw) for raw in request.POST.getlist("children")], request.POST.get("why", "")

    def take_out(incident: MajorIncident) -> None:
        rows = incident.children.visible_to(user_of(request)).filter(pk__in=keys)
        found: list[Child] = list(rows.select_related("ticket__client", "ticket__contract_version"))
        if not found:
            raise UnableTo(_("Choose the tickets that do not belong to it."))
        for child in found:
            release(child, why=why)

    return _act(request, pk, take_out, _("Back to work."))


@agent_page
@require_POST
def standing_down(request: HttpRequest, pk: int) -> HttpResponse:
    why, by = request.POST.get("why", ""), agent_of(request)
    return _act(
        request,
        pk,
        lambda one: one.stand_down(by=by, why=why),
        _("It is an ordinary ticket; its children go back to work."),
    )


@agent_page
@require_POST
def review(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down what happened; or waive the review (`waive`), with a reason."""
    by = agent_of(request)
    if request.POST.get("waive"):
        why = request.POST.get("why", "")
        return _act(request, pk, lambda one: one.waive_review(why, by=by), _("The review is waived."))
    text, incident = request.POST.get("review", ""), _incident(request, pk)
    refused = _tried(request, incident, lambda one: one.hold_review(text, by=by))
    if refused:
        messages.error(request, refused)
        return _board(request, _incident(request, pk), reviewed=text, status=422)
    messages.success(request, _("The review is written down."))
    return redirect("workspace:major", pk)


@agent_page
@require_POST
def actions(request: HttpRequest, pk: int) -> HttpResponse:
    """A task that comes of it: what, whose, until when."""
    owner = get_object_or_404(
        Agent.objects.select_related("user"), pk=_key(request.POST.get("owner", "")), user__is_active=True
    )
    what, by = request.POST.get("what", ""), agent_of(request)
    return _act(
        request,
        pk,
        lambda one: one.agree(what, owner=owner, due_date=_day(request.POST.get("due", "")), by=by),
        _("%(name)s has the task, and is reminded on its day.") % {"name": owner.name},
    )


@agent_page
@require_POST
def action_done(request: HttpRequest, pk: int, action_id: int) -> HttpResponse:
    mine = ReviewAction.objects.visible_to(user_of(request)).select_related("incident__ticket", "owner__user")
    action: ReviewAction = get_object_or_404(mine, pk=action_id, incident=pk)
    return _act(request, pk, lambda one: action.finish(by=agent_of(request)), _("Done."))


@agent_page
@require_POST
def closing(request: HttpRequest, pk: int) -> HttpResponse:
    return _act(request, pk, lambda one: one.close(by=agent_of(request)), _("Closed."))


def _board(
    request: HttpRequest, incident: MajorIncident, *, said: str = "", reviewed: str = "", status: int = 200
) -> HttpResponse:
    context = board_of(incident, user_of(request), clock.now())
    context |= {"said": said, "reviewed": reviewed or incident.review}
    part = request.GET.get("part")
    if request.headers.get("HX-Request") and part in ("now", "course"):
        return render(request, f"workspace/major_{part}.html", context)
    return render(request, "workspace/major.html", context | navigation(request, "majors"), status=status)


def _incident(request: HttpRequest, pk: int) -> MajorIncident:
    """The major incident, if this user may see its client; forbidden and unknown look the same (404)."""
    related = ("ticket__client", "ticket__contact", "ticket__contract_version", "ticket__team")
    seen = MajorIncident.objects.visible_to(user_of(request))
    found: MajorIncident = get_object_or_404(
        seen.select_related(*related, "ticket__voice_team", "declared_by__user", "reviewed_by__user"), pk=pk
    )
    return found


def _act(request: HttpRequest, pk: int, verb: Verb, done: str | Callable[[], str]) -> HttpResponse:
    """Let `verb` change it as this agent, now, and go back to its board with a word about it."""
    refused = _tried(request, _incident(request, pk), verb)
    if refused:
        messages.error(request, refused)
    else:
        messages.success(request, done if isinstance(done, str) else done())
    return redirect("workspace:major", pk)


def _tried(request: HttpRequest, incident: MajorIncident, verb: Verb) -> str:
    """Why it could not be done, in words; empty if it was."""
    try:
        with work(by=agent_of(request).actor(), at=clock.now()):
            verb(incident)
    except StaleTicket as stale:
        return _("%(number)s was changed by somebody else in the meantime. Look at it, and try again.") % {
            "number": stale.ticket.reference
        }
    except UnableTo as refusal:
        return str(refusal)
    return ""


def _declared(request: HttpRequest, ticket: Ticket) -> MajorIncident | None:
    said, seen = request.POST, request.POST.get("version", "")
    manager = _agent(request, "manager")
    try:
        if seen.isdecimal() and int(seen) != ticket.version:
            raise StaleTicket(ticket)
        with work(by=agent_of(request).actor(), at=clock.now()):
            made = MajorIncident.declare(
                ticket,
                by=agent_of(request),
                why=said.get("why", ""),
                manager=manager,
                every_min=_key(said.get("every", "")),
            )
    except StaleTicket:
        messages.warning(
            request,
            _("%(number)s was changed by somebody else in the meantime. Look at it, and try again.")
            % {"number": ticket.reference},
        )
        return None
    except UnableTo as refusal:
        messages.error(request, str(refusal))
        return None
    messages.success(request, _("%(number)s is a major incident.") % {"number": ticket.reference})
    return made


def _chosen(request: HttpRequest) -> list[int]:
    """Keys of the tickets that are meant, all of which this user may see. Raises UnableTo."""
    typed = [word for word in re.split(r"[\s,;]+", request.POST.get("numbers", "")) if word]
    wanted = {}
    for said in (*request.POST.getlist("tickets"), *typed):
        number = REFERENCE.match(said)
        if number is None:
            raise UnableTo(_("“%(said)s” is no ticket’s number.") % {"said": said[:30]})
        wanted[int(number[1])] = said
    if len(wanted) > MOST_LINKED:
        raise UnableTo(_("Link at most %(most)s tickets at once.") % {"most": MOST_LINKED})
    seen = set(Ticket.objects.visible_to(user_of(request)).filter(pk__in=wanted).values_list("pk", flat=True))
    missing = [said for pk, said in wanted.items() if pk not in seen]
    if missing:
        raise UnableTo(
            _("There is no ticket %(said)s that you can see.") % {"said": ", ".join(missing[:5])[:80]}
        )
    return list(wanted)


def _agent(request: HttpRequest, name: str) -> Agent | None:
    """The agent whose key a field holds; None for 0."""
    chosen = request.POST.get(name, "")
    if chosen == "0":
        return None
    found: Agent = get_object_or_404(Agent.objects.select_related("user"), pk=_key(chosen))
    return found


def _day(raw: str) -> date:
    try:
        return date.fromisoformat(raw)
    except ValueError as error:
        raise UnableTo(_("Say until which day.")) from error


def _key(raw: Any) -> int:
    return int(raw) if str(raw).isdecimal() and len(str(raw)) < 18 else 0
