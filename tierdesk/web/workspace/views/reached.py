"""One's own page: the pages that wait for one, and how one is reached. A way counts once its code came back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tierdesk.channels.pager import push
from tierdesk.channels.pager.chat import bridges
from tierdesk.channels.pager.out import OUT, send_code
from tierdesk.channels.pager.outgoing import NotTaken, Refused
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, seeing
from tierdesk.core.work import work
from tierdesk.directory.staff.models import Agent
from tierdesk.response.assignment.models import go_out, return_agents
from tierdesk.response.paging.pages import Page, PageState
from tierdesk.response.paging.states import WAITING
from tierdesk.response.paging.ways import (
    CHANNELS,
    CHAT,
    MAIL,
    PUSH,
    WEBHOOK,
    UnableToReach,
    Way,
    said,
    ways_of,
)
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.web.workspace.guard import agent_of, agent_page, user_of
from tierdesk.web.workspace.local import instant_of
from tierdesk.web.workspace.navigation import navigation


@agent_page
def me(request: HttpRequest) -> HttpResponse:
    return _page(request)


@agent_page
@require_POST
def proposal(request: HttpRequest, kind: str) -> HttpResponse:
    """Propose an address: a code goes there. The secret of a webhook is shown here, once."""
    wanted, agent = _address(request, kind), agent_of(request)
    posted = request.POST
    try:
        if kind not in _offered():
            raise UnableToReach(_("Nothing is set up that could reach you this way; ask an administrator."))
        keys = push.keys(posted.get("p256dh", ""), posted.get("auth", "")) if kind == PUSH else ""
        with seeing(EVERY_CLIENT):
            way, code = Way.propose(
                agent, kind, wanted, is_urgent="urgent" in posted, at=clock.now(), secret=keys
            )
            _send(way, code)
    except UnableToReach as unable:
        return _page(request, refusal=str(unable), typed={kind: posted.get("address", "")})
    if kind == WEBHOOK:
        return _page(request, secret=way.secret)
    messages.success(request, _("A code is on its way to %(address)s.") % {"address": _shown(way)})
    return redirect("workspace:me")


@agent_page
@require_POST
def code(request: HttpRequest, kind: str) -> HttpResponse:
    """The code that came back."""
    way = _way(request, kind)
    try:
        if way is None:
            raise UnableToReach(_("Write first where you are reached."))
        way.verify(request.POST.get("code", ""), at=clock.now())
    except UnableToReach as unable:
        return _page(request, refusal=str(unable))
    messages.success(request, _("You are reached by %(way)s from now on.") % {"way": _(CHANNELS[kind])})
    return redirect("workspace:me")


@agent_page
@require_POST
def identity(request: HttpRequest) -> HttpResponse:
    """A code to be written in the chat, so that the desk knows who answers there. It is shown here, once."""
    way = _way(request, CHAT)
    try:
        if way is None:
            raise UnableToReach(_("Write first where you are reached."))
        return _page(request, who_code=way.ask_who(at=clock.now()))
    except UnableToReach as unable:
        return _page(request, refusal=str(unable))


@agent_page
@require_POST
def removal(request: HttpRequest, kind: str) -> HttpResponse:
    if way := _way(request, kind):
        way.remove()
        told = {"way": _(CHANNELS[kind]), "address": _shown(way)}
        messages.success(request, _("%(address)s is not used for %(way)s any more.") % told)
    return redirect("workspace:me")


@agent_page
@require_POST
def order(request: HttpRequest) -> HttpResponse:
    """How long each way waits; all of them or none."""
    agent = agent_of(request)
    try:
        with transaction.atomic():
            for kind in (MAIL, *(way.kind for way in _proved(agent))):
                Way.let_wait(agent, kind, request.POST.get(kind, "").strip())
    except UnableToReach as unable:
        return _page(request, refusal=str(unable))
    messages.success(request, _("Pages reach you in this order from now on."))
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
    request: HttpRequest,
    *,
    refusal: str = "",
    typed: Mapping[str, str] | None = None,
    absence_refusal: str = "",
    secret: str = "",
    who_code: str = "",
) -> HttpResponse:
    """`secret`: that of a webhook which was written down just now; `who_code`: to be written in the chat."""
    agent = agent_of(request)
    ways = {way.kind: way for way in agent.ways.exclude(address="")}
    mail = agent.ways.filter(kind=MAIL).first()
    offered = _offered()
    waits = [(MAIL, user_of(request).email, mail.wait_s if mail else 0)]
    waits += [(way.kind, _shown(way), way.wait_s) for way in _proved(agent)]
    context: dict[str, Any] = {
        "pages": _waiting(request),
        "said": said(ways_of(agent, "all")),
        "waits": [(kind, _(CHANNELS[kind]), shown, wait_s // 60) for kind, shown, wait_s in waits],
        "ways": [
            (kind, ways.get(kind), _shown(ways[kind]) if kind in ways else "")
            for kind in CHANNELS
            if kind in ways or kind in offered
        ],
        "offered": offered,
        "bridges": _bridges() if CHAT in offered else [],
        "refusal": refusal,
        "absence_refusal": absence_refusal,
        "push_key": push.public_key(),
        "typed": typed or {},
        "secret": secret,
        "who_code": who_code,
        "answers_as": _answers_as(ways.get(CHAT)),
    }
    answer = context | navigation(request, "on-call")
    return render(request, "workspace/me.html", answer, status=422 if refusal or absence_refusal else 200)


def _send(way: Way, code: str) -> None:
    """Raises UnableToReach; no code is waited for that never left."""
    try:
        send_code(way, code)
    except (NotTaken, Refused) as fault:
        way.remove()
        raise UnableToReach(str(fault)) from fault


def _address(request: HttpRequest, kind: str) -> str:
    """A room of a chat is named with its bridge."""
    address = request.POST.get("address", "").strip()
    return f"{request.POST.get('bridge', '')}/{address}" if kind == CHAT else address


def _way(request: HttpRequest, kind: str) -> Way | None:
    return agent_of(request).ways.filter(kind=kind).exclude(address="").first()


def _proved(agent: Agent) -> list[Way]:
    """In their order."""
    return list(agent.ways.exclude(verified_at=None).order_by("wait_s", "id"))


def _shown(way: Way) -> str:
    """The address of a webhook or a browser may itself be a secret; whose it is is told by its server."""
    return urlsplit(way.address).hostname or "" if way.kind in (WEBHOOK, PUSH) else way.address


def _answers_as(way: Way | None) -> str:
    """Who they are in the chat, as the desk knows them there; empty: their answers are nobody's."""
    if way is None or way.verified_at is None:
        return ""
    return way.identity


def _offered() -> list[str]:
    """The ways that something is set up for."""
    with seeing(EVERY_CLIENT):
        return [kind for kind, out in OUT.items() if out.is_set_up()]


def _bridges() -> Mapping[str, str]:
    with seeing(EVERY_CLIENT):
        return {bridge.key: bridge.name for bridge in bridges()}


def _waiting(request: HttpRequest) -> list[Page]:
    """One page of each ticket that still calls, the newest."""
    mine = Page.objects.visible_to(user_of(request)).filter(
        agent=agent_of(request), state=PageState.SENT, paging__state__in=WAITING
    )
    newest = mine.select_related("paging__ticket__client").order_by("paging_id", "-id").distinct("paging_id")
    return list(newest)
