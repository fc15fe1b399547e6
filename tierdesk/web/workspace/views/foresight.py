"""What happens if a ticket comes in at some instant: managers ask, and share the link. Nothing is written."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from tierdesk.core import clock
from tierdesk.directory.clients.models import Client
from tierdesk.directory.contracts.models import CHANNELS
from tierdesk.directory.services.models import Category, Service
from tierdesk.directory.staff.models import User
from tierdesk.response.simulation.situation import PRIORITIES, Asked, NotASituation, read
from tierdesk.response.simulation.telling import what_happens
from tierdesk.web.ui.wording import channel
from tierdesk.web.workspace.foreseen import Foreseen
from tierdesk.web.workspace.guard import manager_page, user_of
from tierdesk.web.workspace.local import zone_of
from tierdesk.web.workspace.navigation import navigation

LONGEST = 120
"""Characters of an answer; a name, a path or a time is no longer."""


@require_GET
@manager_page
def what_happens_if(request: HttpRequest) -> HttpResponse:
    """The form, and below it the answer once something was asked."""
    user = user_of(request)
    clients = Client.objects.visible_to(user).filter(is_active=True)
    asked, zone = _asked(request), zone_of(user)
    context: dict[str, Any] = {"foreseen": None, "wrong": {}}
    status = 200
    if "client" in request.GET:
        try:
            context["foreseen"] = Foreseen(what_happens(read(asked, clients=clients)), zone)
        except NotASituation as fault:
            context["wrong"], status = fault.wrong, 422
    context |= _form(asked, user, zone)
    context["clients"] = [(one.key, one.name) for one in clients]
    page = context | navigation(request, "what-happens")
    return render(request, "workspace/what_happens.html", page, status=status)


def _asked(request: HttpRequest) -> Asked:
    """What the address says; where it says nothing, a P1 by mail, now."""
    now = clock.now().astimezone(zone_of(user_of(request)))
    usual = asdict(Asked(at=f"{now:%Y-%m-%dT%H:%M}"))
    said = {name: request.GET.get(name, value) for name, value in usual.items()}
    return Asked(**{name: value.replace("\0", "")[:LONGEST] for name, value in said.items()})


def _form(asked: Asked, user: User, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "asked": asked,
        "zones": list(dict.fromkeys([zone.key, "UTC", *filter(None, [asked.zone])])),
        "services": _services(user),
        "categories": [(one.path, f"{one.path} · {one.name}") for one in Category.objects.all()],
        "channels": [(name, channel(name)) for name in CHANNELS],
        "priorities": [(str(number), f"P{number}") for number in PRIORITIES],
    }


def _services(user: User) -> list[tuple[str, str]]:
    """Each key once, with the clients that have such a service; without any it is offered to all."""
    whose: dict[tuple[str, str], list[str]] = {}
    for one in Service.objects.visible_to(user).select_related("client").order_by("name", "client__name"):
        known = next((key for key in whose if key[0] == one.key), (one.key, one.name))
        whose.setdefault(known, []).extend([one.client.name] if one.client else [])
    return [(key, " · ".join([name, *filter(None, [", ".join(of)])])) for (key, name), of in whose.items()]
