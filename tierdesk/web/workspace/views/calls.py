"""Calls that an exchange told of: the list, one call, and what an agent does with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from tierdesk.channels.phone.models import Call, Direction
from tierdesk.channels.phone.progress import CallState
from tierdesk.core import clock
from tierdesk.core.work import work
from tierdesk.directory.clients.models import Number
from tierdesk.directory.staff.models import User
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Ticket
from tierdesk.web.workspace.guard import agent_of, agent_page, user_of
from tierdesk.web.workspace.navigation import navigation
from tierdesk.web.workspace.on_the_desk import calls_on_the_desk, described, in_words

SHOWN = 100
LISTS = {
    "all": Q(),
    "missed": Q(state=CallState.MISSED, direction=Direction.IN),
    "unwritten": Q(state=CallState.ENDED, wrapped_up_at=None),
}


@agent_page
@require_safe
def calls(request: HttpRequest) -> HttpResponse:
    """The calls that this agent may see, newest first."""
    show = request.GET.get("show", "all")
    found = Call.objects.visible_to(user_of(request)).filter(LISTS.get(show, Q()))
    related = found.select_related("client", "contact", "agent__user", "ticket", "exchange")
    shown = list(related.order_by("-id")[:SHOWN])
    context = {
        "calls": shown,
        "sharing": sharing(shown, user_of(request)),
        "show": show if show in LISTS else "all",
    }
    return render(request, "workspace/calls.html", context | navigation(request, "calls"))


def sharing(shown: Sequence[Call], user: User) -> Counter[str]:
    """How many people each number of a call without a contact is known to belong to."""
    numbers = {call.number for call in shown if call.number and call.contact is None}
    persons = Number.objects.visible_to(user).filter(e164__in=numbers, contact__is_active=True)
    return Counter(persons.values_list("e164", flat=True))


@agent_page
@require_safe
def calls_now(request: HttpRequest) -> HttpResponse:
    """What is on the agent's desk, as a fragment that is fetched whenever something about a call changes."""
    context = {"calls_now": calls_on_the_desk(agent_of(request))}
    return render(request, "workspace/calls_now.html", context)


@agent_page
@require_safe
def one_call(request: HttpRequest, pk: int) -> HttpResponse:
    found, agent = call_of(request, pk), agent_of(request)
    context = {
        "one": described(found, agent),
        "playable": found.playable(clock.now()),
        "because": in_words(found.cause),
        "writes_up": found.is_to_be_written_up_by(agent),
    }
    return render(request, "workspace/one_call.html", context | navigation(request, "calls"))


@agent_page
@require_POST
def take(request: HttpRequest, pk: int) -> HttpResponse:
    """The agent has the caller on the line, though the exchange did not say so."""
    return _act_on(request, pk, lambda call: call.take(agent_of(request)), "The call is yours.")


@agent_page
@require_POST
def tie(request: HttpRequest, pk: int) -> HttpResponse:
    """The call is about a ticket that is there already."""
    call_of(request, pk)
    number = request.POST.get("ticket", "").strip().upper().removeprefix("TD-")
    tickets = Ticket.objects.visible_to(user_of(request)).select_related("client", "contact")
    ticket = tickets.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 18 else None
    if ticket is None:
        messages.error(request, "There is no such ticket.")
        return redirect("workspace:one-call", pk)
    _act_on(request, pk, lambda call: call.tie(ticket), f"The call is on {ticket.reference}.")
    return redirect("workspace:ticket", ticket.pk)


@agent_page
@require_POST
def wrap_up(request: HttpRequest, pk: int) -> HttpResponse:
    """The agent is done with the call; what they write goes onto its ticket."""
    note = request.POST.get("note", "")[:20_000]
    return _act_on(
        request, pk, lambda call: call.wrap_up(agent_of(request), note), "Written up." if note else "Done."
    )


def call_of(request: HttpRequest, pk: int) -> Call:
    """The call, if this agent may see it; forbidden and unknown look the same (404)."""
    related = ("client", "contact__client", "agent__user", "ticket__client", "exchange")
    found: Call = get_object_or_404(Call.objects.visible_to(user_of(request)).select_related(*related), pk=pk)
    return found


def _act_on(request: HttpRequest, pk: int, verb: Callable[[Call], object], done: str) -> HttpResponse:
    """Let `verb` change the call as this agent, now, and go back to where the agent was: its ticket or its page."""
    call = call_of(request, pk)
    try:
        with work(by=agent_of(request).actor(), at=clock.now()):
            verb(call)
    except UnableTo as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)
    if call.ticket_id is not None:
        return redirect("workspace:ticket", call.ticket_id)
    return redirect("workspace:one-call", pk)
