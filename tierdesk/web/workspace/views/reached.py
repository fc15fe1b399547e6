"""One's own page: the pages that wait for one, and how one is reached. A number counts once its code came back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tierdesk.channels import sms
from tierdesk.core import clock
from tierdesk.core.work import work
from tierdesk.response.assignment.models import go_out, return_agents
from tierdesk.response.paging.models import WAITING, Page, PageState
from tierdesk.response.paging.ways import UnableToReach, Way
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.web.workspace.guard import agent_of, agent_page, user_of
from tierdesk.web.workspace.local import instant_of
from tierdesk.web.workspace.navigation import navigation


@agent_page
def me(request: HttpRequest) -> HttpResponse:
    return _page(request)


@agent_page
@require_POST
def number(request: HttpRequest) -> HttpResponse:
    """Propose a number: a code goes there."""
    typed, agent = request.POST.get("number", ""), agent_of(request)
    if not sms.is_set_up():
        return _page(request, refusal=_("No provider of SMS is set up; ask an administrator."), typed=typed)
    try:
        way, code = Way.propose(agent, typed, is_urgent="urgent" in request.POST, at=clock.now())
        sms.send(way.address, _("%(code)s is your code for Tierdesk.") % {"code": code})
    except (UnableToReach, sms.NotTaken, sms.Refused) as unable:
        return _page(request, refusal=str(unable), typed=typed)
    messages.success(request, _("A code is on its way to %(number)s.") % {"number": way.address})
    return redirect("workspace:me")


@agent_page
@require_POST
def code(request: HttpRequest) -> HttpResponse:
    """The code that came back."""
    way = agent_of(request).ways.filter(kind="sms").exclude(address="").first()
    try:
        if way is None:
            raise UnableToReach(_("Write your number first."))
        way.verify(request.POST.get("code", ""), at=clock.now())
    except UnableToReach as unable:
        return _page(request, refusal=str(unable))
    messages.success(request, _("You are reached by SMS from now on."))
    return redirect("workspace:me")


@agent_page
@require_POST
def removal(request: HttpRequest) -> HttpResponse:
    for way in agent_of(request).ways.filter(kind="sms"):
        way.remove()
    messages.success(request, _("Your number is not used any more."))
    return redirect("workspace:me")


@agent_page
@require_POST
def absence(request: HttpRequest) -> HttpResponse:
    """Out of office, until a local time if one is given; or `back`."""
    agent, at = agent_of(request), clock.now()
    try:
        with work(by=agent.actor(), at=at):
            if request.POST.get("back"):
                return_agents([agent], at)
            else:
                go_out(agent, until=instant_of(request.POST.get("until", ""), user_of(request).timezone))
    except UnableTo as unable:
        return _page(request, absence_refusal=str(unable))
    messages.success(request, _("You are away.") if agent.is_away else _("Welcome back."))
    return redirect("workspace:me")


def _page(
    request: HttpRequest, *, refusal: str = "", typed: str = "", absence_refusal: str = ""
) -> HttpResponse:
    agent = agent_of(request)
    context: dict[str, Any] = {
        "pages": _waiting(request),
        "email": user_of(request).email,
        "way": agent.ways.filter(kind="sms").exclude(address="").first(),
        "refusal": refusal,
        "absence_refusal": absence_refusal,
        "typed": typed,
    }
    answer = context | navigation(request, "on-call")
    return render(request, "workspace/me.html", answer, status=422 if refusal or absence_refusal else 200)


def _waiting(request: HttpRequest) -> list[Page]:
    """One page of each ticket that still calls, the newest."""
    mine = Page.objects.visible_to(user_of(request)).filter(
        agent=agent_of(request), state=PageState.SENT, paging__state__in=WAITING
    )
    newest = mine.select_related("paging__ticket__client").order_by("paging_id", "-id").distinct("paging_id")
    return list(newest)
