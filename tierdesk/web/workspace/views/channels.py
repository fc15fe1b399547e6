"""How the channels do, for every agent: what of them is in trouble comes first."""

from __future__ import annotations

from urllib.parse import unquote

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from tierdesk.channels.alarms import guide, shapes
from tierdesk.channels.alarms.health import part
from tierdesk.channels.alarms.models import Refusal, Source
from tierdesk.channels.health import healths, way_out
from tierdesk.core import clock
from tierdesk.web.workspace.guard import agent_page, user_of
from tierdesk.web.workspace.navigation import navigation

REFUSALS = 20
SHOWN_BYTES = 8_000


@agent_page
def channels(request: HttpRequest) -> HttpResponse:
    user, at = user_of(request), clock.now()
    found = sorted(healths(user, at), key=lambda one: not one.in_trouble)
    context = {"channels": found, "out": way_out(user, at)}
    return render(request, "workspace/channels.html", context | navigation(request, "channels"))


@agent_page
def alarm_source(request: HttpRequest, pk: int) -> HttpResponse:
    """One monitoring system: how it does, what it said that was not understood, and how it is pointed here."""
    user = user_of(request)
    source = get_object_or_404(Source.objects.visible_to(user).select_related("client", "service"), pk=pk)
    refusals = Refusal.objects.visible_to(user).filter(source=source).order_by("-received_at")[:REFUSALS]
    files = unquote(reverse("workspace:sender-file", args=["{}"]))
    context = {
        "source": source,
        "part": part(source, user, clock.now()),
        "shape": shapes.named(source.shape),
        "refusals": [(one, _as_text(bytes(one.raw))) for one in refusals],
        "guide": guide.flowing(guide.guide(source.shape, desk=settings.BASE_URL, senders=files)),
    }
    return render(request, "workspace/alarm_source.html", context | navigation(request, "channels"))


@agent_page
def sender_file(request: HttpRequest, name: str) -> HttpResponse:
    """A file that is put where the monitoring runs."""
    if name not in guide.senders_files():
        raise Http404
    content = (guide.SENDERS / name).read_bytes()
    answer = HttpResponse(content, content_type="application/octet-stream")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _as_text(raw: bytes) -> str:
    """The beginning of what came, as text that nothing interprets."""
    shown = raw[:SHOWN_BYTES].decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    return shown if len(raw) <= SHOWN_BYTES else f"{shown} …"
