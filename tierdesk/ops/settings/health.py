"""How the channels do, for administrators who are no agents: what is set up here should be seen to work."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from tierdesk.core import clock
from tierdesk.ops.settings.views import page
from tierdesk.web.workspace.guard import admin_page, user_of
from tierdesk.web.workspace.views.channels import how_they_do


@admin_page
def channels(request: HttpRequest) -> HttpResponse:
    """When each was last heard, what waits, and what is in trouble; what was said is for agents to read."""
    return page(request, "channels.html", how_they_do(user_of(request), clock.now()), section="channels")
