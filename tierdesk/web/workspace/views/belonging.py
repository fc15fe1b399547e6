"""Where words and tickets belong: words that came to the wrong ticket, and tickets that are one matter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from tierdesk.core import clock
from tierdesk.core.work import work
from tierdesk.tickets.lifecycle import UNRESOLVED, StaleTicket, State, UnableTo
from tierdesk.tickets.models import Message, Ticket
from tierdesk.tickets.moving import can_move, can_split, move_words, split_matter, split_off, woken_by
from tierdesk.tickets.search import REFERENCE
from tierdesk.web.workspace.answer import act_on
from tierdesk.web.workspace.guard import agent_of, agent_page, ticket_of, user_of
from tierdesk.web.workspace.navigation import navigation

LOOKED_AT, OFFERED = 60, 6
NEW = "new"


@agent_page
def place(request: HttpRequest, pk: int, message_id: int) -> HttpResponse:
    """Words that came to the wrong ticket: to which one they belong, or a new one, and why. POST moves them."""
    ticket = ticket_of(request, pk)
    message = get_object_or_404(
        Message.objects.visible_to(user_of(request)).select_related("ticket__client", "ticket__contact"),
        pk=message_id,
        ticket=ticket,
    )
    if request.method == "POST":
        divides = bool(request.POST.get("divide"))
        moved_to = (_divided if divides else _moved)(request, ticket, message)
        if moved_to is not None:
            return redirect("workspace:ticket", moved_to.pk)
        return redirect("workspace:place", pk, message_id)
    context = {
        "ticket": ticket,
        "message": message,
        "movable": can_move(message),
        "splittable": can_split(message),
        "woken": woken_by(message),
        "others": _neighbours(request, ticket, (*UNRESOLVED, State.RESOLVED)),
    }
    return render(request, "workspace/place.html", context | navigation(request))


@agent_page
def merge(request: HttpRequest, pk: int) -> HttpResponse:
    """Which ticket this one is a duplicate of, and why. POST merges it into that one."""
    ticket = ticket_of(request, pk)
    if request.method == "POST":
        return _merged(request, ticket)
    followers = [one.email for one in ticket.participants.filter(accepted=True).order_by("email")]
    context = {
        "ticket": ticket,
        "others": _neighbours(request, ticket, UNRESOLVED),
        "told": [
            *([f"{ticket.contact.name} <{ticket.contact.email}>"] if ticket.contact else []),
            *followers,
        ],
    }
    return render(request, "workspace/merge.html", context | navigation(request))


@agent_page
@require_POST
def parting(request: HttpRequest, pk: int) -> HttpResponse:
    """It was no duplicate: the ticket goes on by itself."""
    why = request.POST.get("why", "")
    return act_on(
        request, pk, lambda ticket: ticket.part(why=why), "It goes on by itself again; its clocks count on."
    )


def _moved(request: HttpRequest, ticket: Ticket, message: Message) -> Ticket | None:
    """Move the words as the form says; the ticket they are on now, or None when that was refused."""
    said = request.POST

    def move() -> Ticket:
        if not _names_another(request):
            return split_off(message, subject=said.get("subject", ""), why=said.get("why", ""))
        to = _named(request)
        move_words(message, to=to, why=said.get("why", ""))
        return to

    to = _done(request, ticket, move)
    if to is not None:
        messages.success(request, f"Moved from {ticket.reference} to {to.reference}.")
    return to


def _divided(request: HttpRequest, ticket: Ticket, message: Message) -> Ticket | None:
    """Split a second matter off as the form says; its ticket, or None when that was refused."""
    said = {name: request.POST.get(name, "") for name in ("subject", "text", "why")}
    second = _done(request, ticket, lambda: split_matter(message, **said))
    if second is not None:
        messages.success(request, f"The second matter of {ticket.reference} is {second.reference}.")
    return second


def _done(request: HttpRequest, ticket: Ticket, verb: Callable[[], Ticket]) -> Ticket | None:
    """Let `verb` act as this agent, if the ticket still is as they saw it; None, and a word about it, when refused."""
    seen = request.POST.get("version", "")
    try:
        if seen.isdecimal() and int(seen) != ticket.version:
            raise StaleTicket(ticket)
        with work(by=agent_of(request).actor(), at=clock.now()):
            return verb()
    except StaleTicket:
        messages.warning(request, _too_late(ticket))
    except UnableTo as refusal:
        messages.error(request, str(refusal))
    return None


def _names_another(request: HttpRequest) -> bool:
    """Whether another ticket is meant, and not a new one. A number that was typed wins."""
    return bool(request.POST.get("number", "").strip()) or request.POST.get("other") != NEW


def _merged(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    def merge_away() -> Ticket:
        main = _named(request)
        ticket.merge_into(main, why=request.POST.get("why", ""))
        return main

    main = _done(request, ticket, merge_away)
    if main is None:
        return redirect("workspace:merge", ticket.pk)
    messages.success(request, f"{ticket.reference} is merged into {main.reference}.")
    return redirect("workspace:ticket", main.pk)


def _too_late(ticket: Ticket) -> str:
    return (
        f"{ticket.reference} or the other ticket was changed by somebody else in the meantime. "
        "Nothing of yours was done; this is how it stands now."
    )


def _named(request: HttpRequest) -> Ticket:
    """The other ticket: by the number that was typed, else the one that was chosen. Raises UnableTo."""
    said = request.POST.get("number", "").strip() or request.POST.get("other", "")
    if not said:
        raise UnableTo("Choose the other ticket, or type its number.")
    number = REFERENCE.match(said)
    related = ("client", "contact", "contract_version")
    mine = Ticket.objects.visible_to(user_of(request)).select_related(*related)
    found: Ticket | None = mine.filter(pk=int(number[1])).first() if number else None
    if found is None:
        raise UnableTo(f"There is no ticket “{said[:30]}” that you can see.")
    return found


def _neighbours(request: HttpRequest, ticket: Ticket, states: Sequence[str]) -> list[dict[str, Any]]:
    """Tickets of the same client that may be meant: of the same contact first, then the newest."""
    mine = Ticket.objects.visible_to(user_of(request)).filter(client=ticket.client_id, state__in=states)
    newest = list(mine.exclude(pk=ticket.pk).select_related("contact").order_by("-pk")[:LOOKED_AT])
    newest.sort(key=lambda one: (ticket.contact_id is None or one.contact_id != ticket.contact_id, -one.pk))
    return [
        {
            "value": one.reference,
            "label": f"{one.reference} {one.subject}",
            "hint": f"{one.get_state_display()} · {one.contact.name if one.contact else one.channel}",
        }
        for one in newest[:OFFERED]
    ]
