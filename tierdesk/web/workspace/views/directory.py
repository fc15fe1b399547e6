"""Around the tickets: clients, what was parked, one's notices, settings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tierdesk.channels.intake import take_in
from tierdesk.channels.models import Inbound, Inbounds, InboundState
from tierdesk.channels.registry import registered
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, seeing
from tierdesk.directory.clients.models import Client, Contact
from tierdesk.directory.contracts.models import ContractVersion, Promise
from tierdesk.response.notifications.models import Notice
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Ticket
from tierdesk.web.workspace.guard import agent_of, agent_page, user_of
from tierdesk.web.workspace.navigation import navigation

SHOWN = 100
DISCARDED = 20
SHOWN_BYTES = 20_000
PATIENCE = timedelta(seconds=8)
"""For so long an agent waits for what was picked to be understood; the rest is left to the worker."""


@agent_page
def clients(request: HttpRequest) -> HttpResponse:
    found = Client.objects.visible_to(user_of(request))
    return render(request, "workspace/clients.html", {"clients": found} | navigation(request, "clients"))


@agent_page
def client(request: HttpRequest, key: str) -> HttpResponse:
    """A client: its people, its contract in force with every promise, its tickets."""
    user = user_of(request)
    found = get_object_or_404(Client.objects.visible_to(user), key=key)
    promises = Prefetch(
        "promises",
        Promise.objects.select_related("calendar__calendar").order_by("priority", "party", "tier", "metric"),
    )
    version = (
        ContractVersion.objects.visible_to(user)
        .filter(client=found)
        .select_related("contract")
        .prefetch_related(promises)
        .order_by("-effective_from", "-version")
        .first()
    )
    context = {
        "client": found,
        "contacts": Contact.objects.visible_to(user).filter(client=found)[:SHOWN],
        "version": version,
        "tickets": Ticket.objects.visible_to(user)
        .filter(client=found)
        .unresolved()
        .select_related("contact", "team")
        .order_by("next_due_at")[:SHOWN],
    }
    return render(request, "workspace/client.html", context | navigation(request, "clients"))


@agent_page
def parked(request: HttpRequest) -> HttpResponse:
    """What could not be understood or is not agreed: kept with its reason until somebody decides.

    `?channel=`, `?words=`: of this channel, with these words alone. `?before=`: what came before this one.
    `?tried=`: what came of these, which were tried again just now.
    """
    every = Inbound.objects.visible_to(user_of(request)).defer("raw").select_related("client", "ticket")
    tried = every.filter(pk__in=_keys(request.GET.getlist("tried")))
    narrowed = _narrowed(request.GET)
    every = _within(every, narrowed)
    waiting = every.parked()
    before = _keys(request.GET.getlist("before"))
    page = list((waiting.filter(pk__lt=before[0]) if before else waiting)[: SHOWN + 1])
    found = page[:SHOWN]
    context = {
        "found": found,
        "count": waiting.count(),
        "newer": _box(narrowed) if before else None,
        "older": _box(narrowed | {"before": found[-1].pk}) if len(page) > SHOWN else None,
        "discarded": every.filter(state=InboundState.DISCARDED)[:DISCARDED],
        "narrowed": narrowed,
        "words": narrowed.get("words", ""),
        "channel": registered().get(narrowed.get("channel", "")),
        "tried": tried,
        "names": {one.key: one.name for one in registered().values()},
    }
    return render(request, "workspace/parked.html", context | navigation(request, "parked"))


def _narrowed(said: QueryDict) -> dict[str, str]:
    """What the box is narrowed to: a channel that there is, and words."""
    channel, words = said.get("channel", ""), said.get("words", "").replace("\0", "").strip()[:200]
    return ({"channel": channel} if channel in registered() else {}) | ({"words": words} if words else {})


def _within(some: Inbounds, narrowed: Mapping[str, str]) -> Inbounds:
    some = some.with_words(narrowed.get("words", ""))
    return some.filter(channel=narrowed["channel"]) if "channel" in narrowed else some


def _box(shown: Mapping[str, Any]) -> str:
    """The address of the box, narrowed and turned to a page."""
    return f"{reverse('workspace:parked')}?{urlencode(shown, doseq=True)}"


@agent_page
@require_POST
def parked_again(request: HttpRequest) -> HttpResponse:
    """What was picked in the box is tried again, each by itself; the box then says what came of each."""
    picked = list(_picked(request).defer("raw").order_by("id"))
    _try_again(picked)
    _tell(request, picked)
    return redirect(_box(_narrowed(request.POST) | {"tried": [one.pk for one in picked]}))


@agent_page
@require_POST
def parked_discard(request: HttpRequest) -> HttpResponse:
    """What was picked in the box is nothing: which that is, and why, is asked first.

    Where the box was narrowed to some words, `alike` takes all that have them, up to the newest that was there when it
    was asked: nobody has seen what came since.
    """
    picked, alike, narrowed = _picked(request), _alike(request), _narrowed(request.POST)
    if not picked.exists():
        messages.error(request, _("Nothing was discarded: pick what waits in the box."))
        return redirect(_box(narrowed))
    if why := request.POST.get("why", "").strip():
        gone = (alike if request.POST.get("alike") else picked).discard(f"{user_of(request).name}: {why}")
        messages.success(request, _("Discarded: %(count)d. Their bytes are kept.") % {"count": gone})
        return redirect(_box(narrowed))
    context = {
        "found": picked.defer("raw"),
        "alike": alike.count(),
        "newest": alike.values_list("pk", flat=True).first(),
        "narrowed": narrowed,
        "back": _box(narrowed),
    }
    return render(request, "workspace/parked_discard.html", context | navigation(request, "parked"))


def _alike(request: HttpRequest) -> Inbounds:
    """What is parked with the words that the box is narrowed to; nothing where it is not."""
    narrowed, newest = _narrowed(request.POST), _keys(request.POST.getlist("newest"))
    parked = Inbound.objects.visible_to(user_of(request)).parked()
    if "words" not in narrowed:
        return parked.none()
    return _within(parked.filter(pk__lte=newest[0]) if newest else parked, narrowed)


def _picked(request: HttpRequest) -> Inbounds:
    keys = _keys(request.POST.getlist("parked"))
    return Inbound.objects.visible_to(user_of(request)).parked().filter(pk__in=keys)


def _try_again(picked: Sequence[Inbound]) -> None:
    began = clock.now()
    for one in picked:
        with suppress(UnableTo):  # somebody was faster; what came of it is told all the same
            one.replay(began)
    for one in picked:
        if clock.now() - began < PATIENCE:
            _take_in(one)


def _take_in(one: Inbound) -> None:
    """As the worker understands it: with everybody's rows in sight."""
    with seeing(EVERY_CLIENT):
        take_in(one.pk)
        one.refresh_from_db()


def _tell(request: HttpRequest, picked: Sequence[Inbound]) -> None:
    """How many went which way. The box says what came of each that the agent still sees."""
    mine = Inbound.objects.visible_to(user_of(request)).filter(pk__in=[one.pk for one in picked])
    ends = Counter(mine.values_list("state", flat=True))
    gone = len(picked) - ends.total()
    if not picked:
        messages.error(request, _("Nothing was tried: pick what waits in the box."))
    if ends[InboundState.DONE]:
        messages.success(request, _("Understood now: %(count)d.") % {"count": ends[InboundState.DONE]})
    if gone:
        words = _("Of clients whom you do not serve, and with their agents now: %(count)d.")
        messages.success(request, words % {"count": gone})
    if ends[InboundState.NEW]:
        messages.info(request, _("Still being understood: %(count)d.") % {"count": ends[InboundState.NEW]})
    if ends[InboundState.PARKED]:
        words = _("Still parked: %(count)d. Each says why.")
        messages.warning(request, words % {"count": ends[InboundState.PARKED]})


def _keys(said: Sequence[str]) -> list[int]:
    """Of deliveries, as a form or an address names them; not more than the box shows."""
    return [int(one) for one in said[:SHOWN] if one.isdecimal() and one.isascii() and len(one) < 18]


@agent_page
def parked_one(request: HttpRequest, pk: int) -> HttpResponse:
    """One delivery, as plain text that nothing interprets. POST tries it again (as a client's) or discards it."""
    one = get_object_or_404(
        Inbound.objects.visible_to(user_of(request)).select_related("client", "ticket"), pk=pk
    )
    if request.method == "POST":
        return _decide(request, one)
    channel = registered().get(one.channel)
    raw = bytes(one.raw[:SHOWN_BYTES]).decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    context = {
        "one": one,
        "channel": channel,
        "told": channel.told(one) if channel else None,
        "raw": raw,
        "cut": one.size > SHOWN_BYTES,
        "clients": Client.objects.visible_to(user_of(request)),
    }
    return render(request, "workspace/parked_one.html", context | navigation(request, "parked"))


def _decide(request: HttpRequest, one: Inbound) -> HttpResponse:
    try:
        if request.POST.get("discard"):
            why = request.POST.get("why", "").strip()
            one.discard(f"{user_of(request).name}: {why}" if why else "")
            messages.success(request, _("Discarded; the bytes are kept."))
            return redirect("workspace:parked")
        key = request.POST.get("client", "")
        one.replay(clock.now(), client=Client.objects.visible_to(user_of(request)).filter(key=key).first())
    except UnableTo as refusal:
        messages.error(request, str(refusal))
        return redirect("workspace:parked-one", one.pk)
    return _what_came_of(request, one)


def _what_came_of(request: HttpRequest, one: Inbound) -> HttpResponse:
    """It is understood at once, so that whoever tried it again sees what came of it.

    It may turn out to be of a client whom this agent does not serve, and is then out of the agent's sight.
    """
    _take_in(one)
    user = user_of(request)
    if not Inbound.objects.visible_to(user).filter(pk=one.pk).exists():
        messages.success(request, _("It is of a client whom you do not serve, and is with their agents now."))
        return redirect("workspace:parked")
    if one.state == InboundState.PARKED:
        messages.error(request, _("It stays parked: %(why)s") % {"why": one.reason})
    elif one.state == InboundState.DONE:
        messages.success(request, _("Understood now: %(what)s.") % {"what": one.reason or _("an answer")})
    if one.ticket_id and Ticket.objects.visible_to(user).filter(pk=one.ticket_id).exists():
        return redirect("workspace:ticket", one.ticket_id)
    return redirect("workspace:parked-one", one.pk)


@agent_page
def notices(request: HttpRequest) -> HttpResponse:
    """What the desk told this agent, newest first; opening the page reads them."""
    mine = Notice.objects.visible_to(user_of(request)).on_the_desk_of(agent_of(request))
    shown = list(mine.select_related("ticket")[:SHOWN])
    if request.method == "POST":
        mine.filter(read_at=None).update(read_at=clock.now())
        return redirect("workspace:notices")
    return render(request, "workspace/notices.html", {"notices": shown} | navigation(request, "notices"))
