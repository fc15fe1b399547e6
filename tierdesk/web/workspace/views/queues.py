"""The queue pages: what an agent sees all day."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from tierdesk.core import clock
from tierdesk.core.work import work
from tierdesk.directory.services.models import TicketType
from tierdesk.response.assignment.pull import take_next_best
from tierdesk.tickets.search import find
from tierdesk.web.workspace.guard import agent_of, agent_page, user_of
from tierdesk.web.workspace.navigation import navigation
from tierdesk.web.workspace.queue import BY_SLUG, BadCursor, page_of
from tierdesk.web.workspace.rows import rendered
from tierdesk.web.workspace.talks import talks_of

TYPES = (
    ("", gettext_lazy("All types")),
    (TicketType.INCIDENT.value, gettext_lazy("Incidents")),
    (TicketType.REQUEST.value, gettext_lazy("Requests")),
)


@agent_page
def queue(request: HttpRequest, slug: str = "team") -> HttpResponse:
    """One page of a view, of all types or of `type`. Asked by htmx, it answers with the rows alone."""
    view, type = BY_SLUG.get(slug), request.GET.get("type", "")
    if view is None or (type and type not in TicketType.values):
        raise Http404
    at = clock.now()
    try:
        page = page_of(view, user_of(request), at, request.GET.get("after"), type=type)
    except BadCursor as error:
        raise Http404(str(error)) from error
    context = {
        "view": view,
        "page": page,
        "first": "after" not in request.GET,
        "rendered": rendered,
        "type": type,
        "types": TYPES,
    }
    if request.headers.get("HX-Request"):
        return render(request, "workspace/queue_rows.html", context)
    talks = talks_of(agent_of(request), at, whole=False)
    context |= {"talks": talks, "whole": False} | navigation(request, current=view.slug, seat=talks.seat)
    return render(request, "workspace/queue.html", context)


@agent_page
@require_POST
def next_best(request: HttpRequest) -> HttpResponse:
    """Give the agent the best ticket that nobody has, and open it; back to the queue where there is none."""
    agent, at = agent_of(request), clock.now()
    with work(by=agent.actor(), at=at):
        ticket = take_next_best(agent, at=at)
    if ticket is None:
        messages.info(
            request, _("Nothing waits that is for you. Whatever comes next appears here by itself.")
        )
        return redirect("workspace:home")
    messages.success(request, _("%s is yours.") % ticket.reference)
    return redirect("workspace:ticket", ticket.pk)


@agent_page
def search(request: HttpRequest) -> HttpResponse:
    """Find tickets by number, by the people and by words; newest first."""
    query = request.GET.get("q", "").strip()[:200]
    found = find(query, user_of(request)) if query else []
    return render(request, "workspace/search.html", {"query": query, "found": found} | navigation(request))
