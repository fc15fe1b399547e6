"""The bridges to chat platforms, for administrators: how each of them does, and trying one out."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from tierdesk.channels.chat.health import trouble_of
from tierdesk.channels.chat.models import Bridge
from tierdesk.channels.chat.trial import try_bridge
from tierdesk.ops.settings.listing import address_of
from tierdesk.ops.settings.views import page
from tierdesk.web.workspace.guard import admin_page, user_of


@admin_page
def bridges(request: HttpRequest) -> HttpResponse:
    """Each bridge: what of it is missing, and the address that its platform is given."""
    found = Bridge.objects.visible_to(user_of(request)).select_related("client").order_by("client", "name")
    rows = [
        (one, trouble_of(one), f"{settings.BASE_URL}{reverse('portal:bridge', args=[one.key])}", _form(one))
        for one in found
    ]
    return page(request, "bridges.html", {"bridges": rows}, section="bridges")


@admin_page
@require_POST
def trial(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the platform who we are there."""
    tried = try_bridge(get_object_or_404(Bridge.objects.visible_to(user_of(request)), pk=pk))
    (messages.success if tried.well else messages.error)(request, tried.seen)
    return redirect("settings:bridges")


def _form(bridge: Bridge) -> str:
    """Where its settings are changed."""
    return address_of("chat_bridges", (bridge.key,))
