"""How the channels do, for every agent: what of them is in trouble comes first."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tierdesk.channels.alarms import guide, shapes
from tierdesk.channels.alarms.again import try_again
from tierdesk.channels.alarms.health import part
from tierdesk.channels.alarms.listeners import SYSLOG_TLS
from tierdesk.channels.alarms.maintenance import planned
from tierdesk.channels.alarms.models import (
    MaintenanceWindow,
    MaintenanceWindows,
    Refusal,
    Source,
    Stranger,
)
from tierdesk.channels.health import healths, way_out
from tierdesk.channels.models import Watch
from tierdesk.core import clock
from tierdesk.directory.staff.models import User
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.web.workspace.guard import agent_of, agent_page, user_of
from tierdesk.web.workspace.navigation import navigation

SHOWN = 50
DECIDED = 20
AGAIN = 200
STRANGERS = 20
SHOWN_BYTES = 8_000


@agent_page
def channels(request: HttpRequest) -> HttpResponse:
    user, at = user_of(request), clock.now()
    strangers = [
        (one, _spoken(one), _last_words(one)) for one in Stranger.objects.visible_to(user)[:STRANGERS]
    ]
    windows = planned(MaintenanceWindow.objects.visible_to(user), user, at)
    context = {
        "windows": windows,
        "strangers": strangers,
    }
    return render(
        request,
        "workspace/channels.html",
        context | how_they_do(user, at) | navigation(request, "channels"),
    )


def how_they_do(user: User, at: datetime) -> dict[str, Any]:
    """Each way in and out, those in trouble first."""
    return {
        "channels": sorted(healths(user, at), key=lambda one: not one.in_trouble),
        "out": way_out(user, at),
        "troubles": Watch.objects.visible_to(user).troubled().select_related("client").order_by("since_at"),
    }


@agent_page
def alarm_source(request: HttpRequest, pk: int) -> HttpResponse:
    """One monitoring system: how it does, what it said that was not understood, and how it is pointed here."""
    source = source_of(request, pk)
    waiting = source.refusals.waiting()
    decided = source.refusals.exclude(state=Refusal.State.WAITING).select_related("decided_by")
    files = unquote(reverse("workspace:sender-file", args=["{}"]))
    context = {
        "source": source,
        "part": part(source, clock.now()),
        "shape": shapes.named(source.shape),
        "may_map": user_of(request).is_admin and shapes.named(source.shape).speaks_by_mapping,
        "refusals": waiting.defer("raw").order_by("-received_at")[:SHOWN],
        "waiting": waiting.count(),
        "decided": decided.defer("raw").order_by("-decided_at")[:DECIDED],
        "windows": planned(_windows_of(source, user_of(request)), user_of(request), clock.now()),
        "guide": guide.flowing(guide.guide(source.shape, desk=settings.BASE_URL, senders=files)),
    }
    return render(request, "workspace/alarm_source.html", context | navigation(request, "channels"))


def _windows_of(source: Source, user: User) -> MaintenanceWindows:
    """Its own windows, and those of all sources of its client."""
    windows = MaintenanceWindow.objects.visible_to(user).filter(client=source.client_id)
    return windows.filter(Q(source=source) | Q(source=None))


@agent_page
@require_POST
def refusals_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Try what waits of a source again, the oldest first, AGAIN at most; each stands for itself."""
    source, understood, still = source_of(request, pk), 0, 0
    for refusal in source.refusals.waiting().order_by("received_at")[:AGAIN]:
        refusal.source = source
        try:
            try_again(refusal, by=agent_of(request), at=clock.now())
            understood += 1
        except UnableTo:
            still += 1
    if understood:
        messages.success(request, _("Understood now: %(count)d.") % {"count": understood})
    if still:
        messages.error(request, _("Still not understood: %(count)d. Each says why.") % {"count": still})
    return redirect("workspace:alarm-source", pk)


@agent_page
def refusal(request: HttpRequest, pk: int, refusal_id: int) -> HttpResponse:
    """One body that was not understood, as text that nothing interprets. POST tries it again or discards it."""
    found = Refusal.objects.visible_to(user_of(request)).filter(source=pk)
    one = get_object_or_404(found.select_related("source__client", "decided_by"), pk=refusal_id)
    if request.method == "POST":
        decided = _decide(request, one)
        return redirect("workspace:alarm-source", pk) if decided else redirect(request.path)
    context = {"one": one, "source": one.source, "raw": _as_text(bytes(one.raw))}
    return render(request, "workspace/refusal.html", context | navigation(request, "channels"))


@agent_page
@require_POST
def end_maintenance(request: HttpRequest, pk: int) -> HttpResponse:
    """A window is over before its time, with a reason that stays with it."""
    windows = MaintenanceWindow.objects.visible_to(user_of(request)).select_related("client")
    window = get_object_or_404(windows, pk=pk)
    try:
        with transaction.atomic():
            window.end(by=agent_of(request).name, why=request.POST.get("why", ""), at=clock.now())
    except UnableTo as unable:
        messages.error(request, str(unable))
    else:
        messages.success(
            request, _("“%(name)s” is over; what stands is looked at now.") % {"name": window.name}
        )
    return redirect("workspace:channels")


def source_of(request: HttpRequest, pk: int) -> Source:
    """The source, if this agent may see it; forbidden and unknown look the same (404)."""
    found: Source = get_object_or_404(
        Source.objects.visible_to(user_of(request)).select_related("client", "service"), pk=pk
    )
    return found


def _decide(request: HttpRequest, one: Refusal) -> bool:
    """Whether it could be done; if not, the page says why."""
    try:
        if request.POST.get("discard"):
            one.discard(request.POST.get("why", ""), by=user_of(request), at=clock.now())
            messages.success(request, _("Discarded; the bytes are kept."))
        else:
            count = try_again(one, by=agent_of(request), at=clock.now())
            messages.success(request, _("Understood now; events in it: %(count)d.") % {"count": count})
    except UnableTo as unable:
        messages.error(request, str(unable))
        return False
    return True


@agent_page
def sender_file(request: HttpRequest, name: str) -> HttpResponse:
    return handed_out(name)


def handed_out(name: str) -> HttpResponse:
    """A file that is put where the monitoring runs."""
    if name not in guide.senders_files():
        raise Http404
    content = (guide.SENDERS / name).read_bytes()
    answer = HttpResponse(content, content_type="application/octet-stream")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _spoken(stranger: Stranger) -> str:
    """What it speaks, or was turned away from."""
    return _("Syslog over TLS") if stranger.shape == SYSLOG_TLS else shapes.named(stranger.shape).title


def _last_words(stranger: Stranger) -> str:
    """What it said last, as its kind reads: the bytes of a trap carry a community, which is a secret.

    Of who was turned away before it said anything: why.
    """
    raw = bytes(stranger.last_raw)
    if stranger.shape == SYSLOG_TLS:
        return _as_text(raw)
    try:
        events = shapes.read(stranger.shape, shapes.Request(raw, remote=stranger.remote))
    except shapes.MalformedAlarm as refusal:
        return str(refusal)
    return events[0].summary if events else _as_text(raw)


def _as_text(raw: bytes) -> str:
    """The beginning of what came, as text that nothing interprets."""
    shown = raw[:SHOWN_BYTES].decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    return shown if len(raw) <= SHOWN_BYTES else f"{shown} …"
