"""What the widget asks and says. JSON, without cookies; the plain page for who has no scripts is at the end."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from tierdesk.channels.chat import signs
from tierdesk.channels.chat.lines import TooMany, Unclear, Visitor, say, start
from tierdesk.channels.chat.models import TYPING_LASTS, ChatState, Conversation, Widget
from tierdesk.channels.chat.seats import somebody_is_there
from tierdesk.core import clock
from tierdesk.core.scope import only, seeing
from tierdesk.core.work import work
from tierdesk.tickets.conversation import Direction
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Message
from tierdesk.web.portal.chat.door import Knock, door, find_widget
from tierdesk.web.portal.chat.vouch import contact_behind, vouch_for
from tierdesk.web.portal.chat.words import WORDS
from tierdesk.web.portal.guard import contact_of, contact_page

MOST_SHOWN = 500
OVERLAP = timedelta(seconds=30)


@door("GET")
def state(request: HttpRequest, knock: Knock) -> HttpResponse:
    """What a page needs before it shows anything: the words, and whether somebody is there."""
    widget = knock.widget
    with translation.override(knock.language):
        words = {name: str(text) for name, text in WORDS.items()}
    return JsonResponse(
        {
            "name": widget.name,
            "greeting": widget.greeting,
            "open": somebody_is_there(widget, knock.at),
            "words": words,
        }
    )


@door("GET", "POST")
def lines(request: HttpRequest, knock: Knock) -> HttpResponse:
    """The conversation so far, after the message `after`; or one more line, which begins it if it is the first."""
    if request.method == "GET":
        after = request.GET.get("after", "0")
        return JsonResponse(_shown(knock.conversation(), knock, int(after) if after.isdecimal() else 0))
    conversation = start(knock.widget, knock.token, _visitor(knock), knock.at)
    signs.see(conversation, knock.at)
    say(conversation, knock.word("text"), knock.word("key"), knock.at)
    signs.visitor_types(conversation, None)
    return JsonResponse(_shown(knock.conversation(), knock, 0), status=201)


@door("POST")
def life(request: HttpRequest, knock: Knock) -> HttpResponse:
    """Signs of life: the page is there and has shown lines (`seen`), somebody types, the page closes (`left`)."""
    conversation, seen = knock.conversation(), knock.words.get("seen", 0)
    if knock.words.get("left"):
        signs.leave(conversation)
    else:
        signs.see(conversation, knock.at, up_to=seen if isinstance(seen, int) and 0 <= seen < 2**63 else 0)
    if "typing" in knock.words:
        signs.visitor_types(conversation, knock.at if knock.words["typing"] else None)
    return HttpResponse(status=204)


@door("POST")
def end(request: HttpRequest, knock: Knock) -> HttpResponse:
    """The visitor has said all."""
    conversation = knock.conversation()
    try:
        with work(by=conversation.actor(), at=knock.at):
            conversation.end("the visitor ended it")
    except UnableTo:
        pass  # it was over already, which is what was asked for
    signs.announce(conversation)
    return HttpResponse(status=204)


def _visitor(knock: Knock) -> Visitor:
    contact = contact_behind(knock.word("vouch", 200), knock.widget.client_id)
    email = "" if contact else knock.word("email", 254).lower()
    if email:
        try:
            validate_email(email)
        except ValidationError as error:
            raise Unclear("This is not a mail address.") from error
    return Visitor(
        name=knock.word("name", 200),
        email=email,
        contact=contact,
        page=knock.word("page", 500),
        remote=knock.remote,
    )


def _shown(conversation: Conversation, knock: Knock, after: int) -> dict[str, Any]:
    typed = conversation.agent_typed_at
    live = conversation.state == ChatState.LIVE
    return {
        "state": conversation.state,
        "open": conversation.state != ChatState.ENDED or somebody_is_there(knock.widget, knock.at),
        "agent": conversation.agent.name if live and conversation.agent else "",
        "typing": bool(live and typed and knock.at - typed < TYPING_LASTS),
        "number": conversation.ticket.reference if conversation.ticket else "",
        "lines": [_line(message) for message in _after(conversation, after, knock.at)],
    }


def _after(conversation: Conversation, after: int, at: datetime) -> list[Message]:
    """Lines newer than the message `after`, and those of the last moments: two that were said at once may become
    visible in either order."""
    fresh = conversation.lines().filter(Q(pk__gt=after) | Q(at__gt=at - OVERLAP))
    return list(fresh.order_by("-at", "-id")[:MOST_SHOWN])[::-1]


def _line(message: Message) -> dict[str, Any]:
    ours = message.direction == Direction.OUTBOUND
    return {
        "id": message.pk,
        "ours": ours,
        "name": message.by_name if ours else "",
        "text": message.text,
        "at": message.at.isoformat(timespec="seconds"),
    }


@contact_page
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """Which chat the portal offers to the signed-in contact, and our word for who they are; nothing if none."""
    contact = contact_of(request)
    widgets = Widget.objects.filter(client=contact.client_id, is_active=True)
    widget = widgets.first()
    if widget is None or not widget.is_agreed(clock.now()):
        return HttpResponse(status=204)
    return JsonResponse({"key": widget.key, "vouch": vouch_for(contact), "who": contact.pk})


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, key: str) -> HttpResponse:
    """The chat as a page of its own. Without scripts it is a form that leaves a message."""
    widget = find_widget(key)
    values = {name: request.POST.get(name, "").strip()[:4000] for name in ("name", "email", "text")}
    errors = _faults(values) if request.method == "POST" else {}
    number = None
    if request.method == "POST" and not errors:
        try:
            number = _leave(request, widget, values)
        except (TooMany, Unclear):
            errors = {"text": [_("This could not be taken. Wait a minute, then send it again.")]}
    context = {
        "widget": widget,
        "values": values,
        "errors": errors,
        "number": number,
        "key": request.POST.get("key") or secrets.token_urlsafe(32),
    }
    return render(request, "portal/chat.html", context, status=422 if errors else 200)


def _faults(values: dict[str, str]) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    if not values["text"]:
        errors["text"] = [_("Tell us what happened.")]
    try:
        validate_email(values["email"])
    except ValidationError:
        errors["email"] = [_("We need a mail address to answer you.")]
    return errors


def _leave(request: HttpRequest, widget: Widget, values: dict[str, str]) -> str:
    """A message that nobody waits for; returns the number of its ticket, empty if that is not decided yet.

    The form's key is its token and its line's key: sent twice, it is one message.
    """
    at, key = clock.now(), request.POST.get("key", "")
    visitor = Visitor(
        name=values["name"][:200], email=values["email"].lower(), remote=request.META.get("REMOTE_ADDR", "")
    )
    with seeing(only([widget.client_id])):
        ticket = say(start(widget, key, visitor, at, stays=False), values["text"], key[:64], at)
    return ticket.reference if ticket else ""
