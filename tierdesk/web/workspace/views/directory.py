"""Around the tickets: clients, what was parked, one's notices, settings."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from tierdesk.channels.models import Inbound, InboundState
from tierdesk.channels.registry import registered
from tierdesk.core import clock
from tierdesk.directory.clients.models import Client, Contact
from tierdesk.directory.contracts.models import ContractVersion, Promise
from tierdesk.response.notifications.models import Notice
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Ticket
from tierdesk.web.workspace.guard import agent_of, agent_page, user_of
from tierdesk.web.workspace.navigation import navigation

SHOWN = 100
SHOWN_BYTES = 20_000


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

    `?channel=`: of this channel alone.
    """
    found = Inbound.objects.visible_to(user_of(request)).filter(state=InboundState.PARKED).defer("raw")
    channel = registered().get(request.GET.get("channel", ""))
    if channel is not None:
        found = found.filter(channel=channel.key)
    context = {"found": found.select_related("client")[:SHOWN], "channel": channel}
    return render(request, "workspace/parked.html", context | navigation(request, "parked"))


@agent_page
def parked_one(request: HttpRequest, pk: int) -> HttpResponse:
    """One parked delivery, as plain text that nothing interprets. POST replays it (as a client's) or discards it."""
    one = get_object_or_404(Inbound.objects.visible_to(user_of(request)).select_related("client"), pk=pk)
    if request.method == "POST":
        _decide(request, one)
        return redirect("workspace:parked")
    raw = bytes(one.raw[:SHOWN_BYTES]).decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    context = {
        "one": one,
        "raw": raw,
        "cut": one.size > SHOWN_BYTES,
        "clients": Client.objects.visible_to(user_of(request)),
    }
    return render(request, "workspace/parked_one.html", context | navigation(request, "parked"))


def _decide(request: HttpRequest, one: Inbound) -> None:
    try:
        if request.POST.get("discard"):
            why = request.POST.get("why", "").strip()
            one.discard(f"{user_of(request).name}: {why}" if why else "")
            messages.success(request, "Discarded; the bytes are kept.")
        else:
            key = request.POST.get("client", "")
            client = Client.objects.visible_to(user_of(request)).filter(key=key).first()
            one.replay(clock.now(), client=client)
            messages.success(request, "It is tried again.")
    except UnableTo as refusal:
        messages.error(request, str(refusal))


@agent_page
def notices(request: HttpRequest) -> HttpResponse:
    """What the desk told this agent, newest first; opening the page reads them."""
    mine = Notice.objects.visible_to(user_of(request)).on_the_desk_of(agent_of(request))
    shown = list(mine.select_related("ticket")[:SHOWN])
    if request.method == "POST":
        mine.filter(read_at=None).update(read_at=clock.now())
        return redirect("workspace:notices")
    return render(request, "workspace/notices.html", {"notices": shown} | navigation(request, "notices"))
