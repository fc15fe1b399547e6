"""How the channels do, for every agent: what of them is in trouble comes first."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tierdesk.channels.health import healths, way_out
from tierdesk.core import clock
from tierdesk.web.workspace.guard import agent_page, user_of
from tierdesk.web.workspace.navigation import navigation


@agent_page
def channels(request: HttpRequest) -> HttpResponse:
    user, at = user_of(request), clock.now()
    found = sorted(healths(user, at), key=lambda one: not one.in_trouble)
    context = {"channels": found, "out": way_out(user, at)}
    return render(request, "workspace/channels.html", context | navigation(request, "channels"))
