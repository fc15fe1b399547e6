"""Problems: the causes behind incidents, what is known of each, and the incidents that it caused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tierdesk.core import clock
from tierdesk.core.work import work
from tierdesk.learning.problems.models import ClosedAs, Problem
from tierdesk.learning.problems.recurrences import Recurrence
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Ticket
from tierdesk.web.workspace.guard import agent_of, agent_page, ticket_of, user_of
from tierdesk.web.workspace.navigation import navigation

SHOWN = 200
NEW = "new"


@agent_page
def problems(request: HttpRequest) -> HttpResponse:
    """Those that go on, the oldest first, and the newest that are closed."""
    mine = Problem.objects.visible_to(user_of(request)).select_related("client", "owner__user")
    mine = mine.annotate(incidents=Count("occurrences"))
    context = {
        "repeats": list(Recurrence.objects.visible_to(user_of(request)).proposed().whole()[:SHOWN]),
        "going": list(mine.going().order_by("opened_at")[:SHOWN]),
        "closed": list(mine.filter(state="closed").order_by("-closed_at")[:20]),
    }
    return render(request, "workspace/problems.html", context | navigation(request, "problems"))


@agent_page
def problem(request: HttpRequest, pk: int) -> HttpResponse:
    """One problem: how it stands, what was found, which incidents it caused."""
    found = _found(request, pk)
    incidents = Ticket.objects.visible_to(user_of(request)).filter(problems__problem=found)
    context = {
        "problem": found,
        "findings": list(found.findings.all()),
        "incidents": list(incidents.select_related("assignee__user").order_by("-pk")[:SHOWN]),
        "awaited": set(found.occurrences.waiting().values_list("ticket", flat=True)),
        "ways": ClosedAs.choices,
    }
    return render(request, "workspace/problem.html", context | navigation(request, "problems"))


@agent_page
@require_POST
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """It is further, or back, with what was found."""
    said = {name: request.POST.get(name, "") for name in ("note", "cause", "workaround")}
    return _act(request, pk, lambda one: one.move(request.POST.get("state", ""), **said), _("Written down."))


@agent_page
@require_POST
def closing(request: HttpRequest, pk: int) -> HttpResponse:
    how, note = request.POST.get("closed_as", ""), request.POST.get("note", "")
    return _act(request, pk, lambda one: one.close(how, note=note), _("The problem is closed."))


@agent_page
@require_POST
def owning(request: HttpRequest, pk: int) -> HttpResponse:
    return _act(request, pk, lambda one: one.take(agent_of(request)), _("The problem is yours."))


@agent_page
@require_POST
def unlinking(request: HttpRequest, pk: int) -> HttpResponse:
    """An incident was linked by mistake."""
    number = request.POST.get("ticket", "")
    ticket = ticket_of(request, int(number) if number.isdecimal() and len(number) < 18 else 0)
    why = request.POST.get("why", "")
    done = _("%s is linked no longer.") % ticket.reference
    return _act(request, pk, lambda one: one.unlink(ticket, why=why), done)


@agent_page
def repeats(request: HttpRequest, pk: int) -> HttpResponse:
    """Repeats that may have one cause: which, and what somebody made of it. POST accepts or dismisses them."""
    mine = Recurrence.objects.visible_to(user_of(request)).whole()
    found: Recurrence = get_object_or_404(mine.exclude(state="counting"), pk=pk)
    going = Problem.objects.visible_to(user_of(request)).going().filter(client=found.client_id)
    refused = ""
    if request.method == "POST":
        try:
            return _answered(request, found, going)
        except UnableTo as refusal:
            refused = str(refusal)
            found.refresh_from_db()
    incidents = found.tickets() if found.state == "proposed" else Ticket.objects.none()
    if found.problem is not None:
        incidents = Ticket.objects.filter(problems__problem=found.problem_id, created_at__gte=found.since)
    incidents = Ticket.objects.visible_to(user_of(request)).filter(pk__in=incidents.values("pk"))
    context = {
        "repeats": found,
        "incidents": list(incidents.select_related("assignee__user").order_by("-pk")[:SHOWN]),
        "others": [
            {"value": one.pk, "label": str(one), "hint": one.get_state_display()}
            for one in going.order_by("-pk")[:8]
        ],
        "refused": refused,
        "said": {name: request.POST.get(name, "") for name in ("problem", "title", "why", "answer")},
    }
    status = 422 if refused else 200
    return render(request, "workspace/repeats.html", context | navigation(request, "problems"), status=status)


def _answered(request: HttpRequest, found: Recurrence, going: QuerySet[Problem]) -> HttpResponse:
    """Accept or dismiss, as the form says. Raises UnableTo."""
    why, by = request.POST.get("why", ""), agent_of(request)
    if request.POST.get("answer") == "dismiss":
        with work(by=by.actor(), at=clock.now()):
            found.dismiss(by=by, why=why)
        messages.success(request, _("Dismissed. It is proposed again when as many new ones come."))
        return redirect("workspace:problems")
    known = _known(request.POST.get("problem", NEW), going)
    with work(by=by.actor(), at=clock.now()):
        if known is None:
            title = request.POST.get("title", "")
            known = Problem.open_for_repeats(found, title=title, why=why, by=by)
        else:
            known.take_on(found, why=why, by=by)
    messages.success(request, _("The incidents are linked to it."))
    return redirect("workspace:problem", known.pk)


@agent_page
def of_ticket(request: HttpRequest, pk: int) -> HttpResponse:
    """What is behind this incident: a problem that is known, or a new one. POST links it."""
    ticket = ticket_of(request, pk)
    going = Problem.objects.visible_to(user_of(request)).going().filter(client=ticket.client_id)
    refused = ""
    if request.method == "POST":
        try:
            return redirect("workspace:problem", _linked(request, ticket, going).pk)
        except UnableTo as refusal:
            refused = str(refusal)
    context: dict[str, Any] = {
        "ticket": ticket,
        "others": [
            {"value": one.pk, "label": str(one), "hint": one.get_state_display()}
            for one in going.exclude(occurrences__ticket=ticket).order_by("-pk")[:8]
        ],
        "refused": refused,
        "said": {name: request.POST.get(name, "") for name in ("problem", "title", "why")},
    }
    status = 422 if refused else 200
    return render(request, "workspace/ticket_problem.html", context | navigation(request), status=status)


def _linked(request: HttpRequest, ticket: Ticket, going: QuerySet[Problem]) -> Problem:
    """The problem that the form names, or a new one, with this ticket linked. Raises UnableTo."""
    why, known = request.POST.get("why", ""), _known(request.POST.get("problem", NEW), going)
    with work(by=agent_of(request).actor(), at=clock.now()):
        if known is None:
            title = request.POST.get("title", "")
            return Problem.open_for(ticket, title=title, why=why, by=agent_of(request))
        known.link(ticket, why=why)
        return known


def _known(said: str, going: QuerySet[Problem]) -> Problem | None:
    """The problem that a form names; None for a new one. Raises UnableTo."""
    if said == NEW:
        return None
    known: Problem | None = going.filter(pk=int(said) if said.isdecimal() and len(said) < 18 else 0).first()
    if known is None:
        raise UnableTo(_("Choose a problem that goes on, or open a new one."))
    return known


def _found(request: HttpRequest, pk: int) -> Problem:
    mine = Problem.objects.visible_to(user_of(request)).select_related("client", "owner__user")
    found: Problem = get_object_or_404(mine, pk=pk)
    return found


def _act(request: HttpRequest, pk: int, verb: Callable[[Problem], object], done: str) -> HttpResponse:
    """Let the agent do it to the problem as they saw it; what is refused is said in words."""
    one, seen = _found(request, pk), request.POST.get("version", "")
    if seen.isdecimal() and len(seen) < 10:
        one.version = int(seen)
    try:
        with work(by=agent_of(request).actor(), at=clock.now()):
            verb(one)
    except UnableTo as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)
    return redirect("workspace:problem", pk)
