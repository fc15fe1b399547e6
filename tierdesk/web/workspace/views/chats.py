"""Chats: what waits, accepting it, talking, handing it over, ending it; and the agent's own seat."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from tierdesk.channels.chat import signs
from tierdesk.channels.chat.models import Conversation, Seat
from tierdesk.core import clock
from tierdesk.core.work import work
from tierdesk.directory.staff.models import Agent
from tierdesk.tickets.lifecycle import StaleTicket, UnableTo
from tierdesk.tickets.models import Ticket
from tierdesk.web.workspace.guard import agent_of, agent_page, user_of
from tierdesk.web.workspace.navigation import navigation
from tierdesk.web.workspace.talks import (
    can_talk,
    count_offered,
    is_typing,
    receiving_teams,
    take_seat,
    takers,
    talks_of,
)

MOST_AT_ONCE = 20


def conversation_of(request: HttpRequest, pk: int) -> Conversation:
    """The chat, if this agent may see it; forbidden and unknown look the same (404)."""
    related = ("client", "contact", "agent__user", "team", "widget", "ticket__client", "ticket__contact")
    found = Conversation.objects.visible_to(user_of(request)).filter(ticket__isnull=False)
    conversation: Conversation = get_object_or_404(found.select_related(*related), pk=pk)
    return conversation


@agent_page
@require_safe
def chats(request: HttpRequest) -> HttpResponse:
    """All live chats. Asked by htmx, it answers with the lists alone."""
    whole = "brief" not in request.GET
    talks = talks_of(agent_of(request), clock.now(), whole=whole)
    context: dict[str, Any] = {"talks": talks, "whole": whole, "most": range(1, 11)}
    if request.headers.get("HX-Request"):
        return render(request, "workspace/chat_lists.html", context)
    return render(request, "workspace/chats.html", context | navigation(request, "chats", seat=talks.seat))


@agent_page
@require_safe
def count(request: HttpRequest) -> HttpResponse:
    """The line of the navigation, with how many chats wait for this agent."""
    at = clock.now()
    offered = count_offered(take_seat(agent_of(request), at), at)
    return render(request, "workspace/chat_count.html", {"chats_offered": offered, "current": ""})


@agent_page
@require_safe
def chat(request: HttpRequest, pk: int) -> HttpResponse:
    """One chat. Asked by htmx: what stands around its lines, or the lines after the message `after`."""
    found, at = conversation_of(request, pk), clock.now()
    context: dict[str, Any] = {"chat": found, "agent": agent_of(request), "lines": found.lines()}
    after = request.GET.get("after", "")
    if request.headers.get("HX-Request") and after.isdecimal():
        return render(
            request, "workspace/chat_lines.html", context | {"lines": found.lines().filter(pk__gt=int(after))}
        )
    context |= {
        "may_talk": can_talk(found, agent_of(request)),
        "is_there": found.is_there(at),
        "is_typing": is_typing(found, at),
        "takers": takers(found, at),
        "teams": receiving_teams(found),
    }
    if request.headers.get("HX-Request"):
        return render(request, "workspace/chat_head.html", context)
    return render(request, "workspace/chat.html", context | navigation(request, "chats"))


@agent_page
@require_POST
def seat(request: HttpRequest) -> HttpResponse:
    """Take chats from now on (`open`), `most` at once; or none."""
    most = request.POST.get("most", "")
    is_open = bool(request.POST.get("open"))
    room = min(max(int(most), 1), MOST_AT_ONCE) if most.isdecimal() and len(most) < 4 else 3
    mine, _ = Seat.objects.get_or_create(agent=agent_of(request))
    mine.is_open, mine.most, mine.seen_at = is_open, room, clock.now()
    mine.save(update_fields=["is_open", "most", "seen_at"])
    messages.success(request, "You take chats now." if is_open else "You take no chats now.")
    return redirect("workspace:chats")


@agent_page
@require_POST
def acceptance(request: HttpRequest, pk: int) -> HttpResponse:
    agent = agent_of(request)
    done = _act(request, pk, lambda chat: chat.accept(agent), "The chat is yours.")
    return redirect("workspace:chat", pk) if done else redirect("workspace:chats")


@agent_page
@require_POST
def words(request: HttpRequest, pk: int) -> HttpResponse:
    """One line to the visitor. Asked by htmx, the answer is empty: the line appears where all lines do."""
    text = request.POST.get("text", "")
    _act(request, pk, lambda chat: _say(chat, agent_of(request), text))
    if not request.headers.get("HX-Request"):
        return redirect("workspace:chat", pk)
    refused = [str(message) for message in messages.get_messages(request)]
    if refused:
        return HttpResponse(refused[0], status=422, content_type="text/plain")
    return HttpResponse(status=204, headers={"HX-Trigger": "said"})


@agent_page
@require_POST
def typing(request: HttpRequest, pk: int) -> HttpResponse:
    found = conversation_of(request, pk)
    if can_talk(found, agent_of(request)):
        signs.agent_types(found, clock.now() if request.POST.get("typing") else None)
    return HttpResponse(status=204)


@agent_page
@require_POST
def handover(request: HttpRequest, pk: int) -> HttpResponse:
    """To a colleague (`to` is `agent:7`) or to a team (`team:3`), with a word why."""
    kind, _, key = request.POST.get("to", "").partition(":")
    number, why = (
        int(key) if key.isdecimal() and len(key) < 18 else 0,
        request.POST.get("why", "").strip()[:300],
    )

    def hand(chat: Conversation) -> None:
        if kind == "team":
            chat.hand_to_team(get_object_or_404(receiving_teams(chat), pk=number), why=why)
        else:
            chat.hand_to_agent(get_object_or_404(Agent.objects.select_related("user"), pk=number), why=why)

    done = _act(request, pk, _only_for(agent_of(request), hand), "Handed over.")
    return redirect("workspace:chats") if done else redirect("workspace:chat", pk)


@agent_page
@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    name = agent_of(request).name
    end_it: Callable[[Conversation], object] = lambda chat: chat.end(f"{name} ended it")  # noqa: E731
    _act(request, pk, _only_for(agent_of(request), end_it), "The chat is over; the ticket goes on.")
    return redirect("workspace:ticket", conversation_of(request, pk).ticket_id)


def _say(chat: Conversation, agent: Agent, text: str) -> None:
    if not can_talk(chat, agent):
        raise UnableTo("You do not talk in this chat now; accept it first.")
    Ticket.objects.select_for_update(of=("self",)).get(pk=chat.ticket_id).reply(text)
    Conversation.objects.filter(pk=chat.pk).update(agent_typed_at=None)


def _only_for(agent: Agent, verb: Callable[[Conversation], object]) -> Callable[[Conversation], object]:
    """Whoever talks decides what becomes of a chat; a lead of its team may, too."""

    def guarded(chat: Conversation) -> object:
        team = chat.team_id or (chat.ticket.team_id if chat.ticket else None)
        if chat.agent_id != agent.pk and not agent.leads(team):
            raise UnableTo("Only the agent who talks, or a lead of the team, decides this.")
        return verb(chat)

    return guarded


def _act(request: HttpRequest, pk: int, verb: Callable[[Conversation], object], done: str = "") -> bool:
    """Let `verb` change the chat as this agent, now; what the domain refuses is said in its own words."""
    found = conversation_of(request, pk)
    try:
        with work(by=agent_of(request).actor(), at=clock.now()):
            verb(found)
    except (UnableTo, StaleTicket) as refusal:
        messages.error(request, str(refusal))
        return False
    signs.announce(found)
    if done:
        messages.success(request, done)
    return True
