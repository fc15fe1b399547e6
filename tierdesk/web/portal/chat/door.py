"""The door of the widget: pages of other sites knock here, without cookies, and learn nothing they were not given.

A widget answers to our own pages and to the origins it names. A conversation is shown to whoever has its token, sent
as a bearer token so that it stands in no address and no log. Unknown and forbidden conversations look the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from tierdesk.channels.chat.lines import TooMany, Unclear
from tierdesk.channels.chat.models import Conversation, Widget, digest
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, only, seeing

LARGEST_BODY = 32 * 1024
WAIT_S = 60


@dataclass(frozen=True)
class Knock:
    """One request at the door: the widget, when, what its body says, and the token if it carries one."""

    widget: Widget
    at: datetime
    token: str
    remote: str
    language: str
    words: dict[str, Any] = field(default_factory=dict)

    def word(self, name: str, longest: int = 4000) -> str:
        """A text of the body, without what no text has; empty if there is none."""
        value = self.words.get(name, "")
        return value.strip()[:longest].replace("\0", "") if isinstance(value, str) else ""

    def conversation(self) -> Conversation:
        """The conversation of the token. Raises Http404."""
        return conversation_of(self.widget, self.token)


type View = Callable[[HttpRequest, Knock], HttpResponse]


def door(*methods: str) -> Callable[[View], Callable[[HttpRequest, str], HttpResponse]]:
    """What every view of the door begins with: an open widget, an origin it names, a body that can be read."""

    def dress(view: View) -> Callable[[HttpRequest, str], HttpResponse]:
        @csrf_exempt  # nothing here looks at a cookie: the token is what proves something
        @wraps(view)
        def guarded(request: HttpRequest, key: str) -> HttpResponse:
            widget = find_widget(key)
            origin = request.headers.get("Origin", "")
            if origin and not may_show(widget, origin, request.get_host()):
                return HttpResponse("This site does not show this chat.\n", status=403)
            if request.method == "OPTIONS":
                return _with_cors(HttpResponse(status=204), origin, methods)
            if request.method not in methods:
                return _with_cors(HttpResponse(status=405), origin, methods)
            with seeing(only([widget.client_id])):
                return _with_cors(_answer(view, request, widget), origin, methods)

        return guarded

    return dress


def find_widget(key: str) -> Widget:
    """The widget, if chat is on for its client now. Raises Http404."""
    with seeing(EVERY_CLIENT):
        known = Widget.objects.filter(key=key, is_active=True, client__is_active=True)
        widget: Widget | None = known.select_related("client", "calendar").first()
        if widget is None or not widget.is_agreed(clock.now()):
            raise Http404("There is no such chat.")
    return widget


def conversation_of(widget: Widget, token: str) -> Conversation:
    mine = Conversation.objects.filter(token_sha256=digest(token), widget=widget)
    found: Conversation | None = mine.select_related("contact", "agent__user", "ticket").first()
    if found is None:
        raise Http404("There is no such conversation.")
    found.widget = widget
    return found


def may_show(widget: Widget, origin: str, host: str) -> bool:
    """Whether a page of `origin` may speak to this widget: our own pages, and the sites that it names."""
    return origin in {f"http://{host}", f"https://{host}"} or origin in widget.origins


def bearer(header: str) -> str:
    kind, _, token = header.partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _answer(view: View, request: HttpRequest, widget: Widget) -> HttpResponse:
    try:
        return view(request, _knock(request, widget))
    except Http404:
        return JsonResponse({"error": "There is no such conversation."}, status=404)
    except TooMany:
        slow = JsonResponse({"error": "That was a lot at once. Wait a minute."}, status=429)
        slow.headers["Retry-After"] = str(WAIT_S)
        return slow
    except Unclear as fault:
        return JsonResponse({"error": str(fault)}, status=422)


def _knock(request: HttpRequest, widget: Widget) -> Knock:
    return Knock(
        widget=widget,
        at=clock.now(),
        token=bearer(request.headers.get("Authorization", "")),
        remote=request.META.get("REMOTE_ADDR", ""),
        language=widget.client.language,
        words=_body(request) if request.method == "POST" else {},
    )


def _body(request: HttpRequest) -> dict[str, Any]:
    if int(request.headers.get("Content-Length") or 0) > LARGEST_BODY:
        raise Unclear("That is too long for a line of a chat.")
    try:
        words = json.loads(request.body or b"{}")
    except ValueError as error:
        raise Unclear("The body is no JSON.") from error
    if not isinstance(words, dict):
        raise Unclear("The body is no JSON object.")
    return words


def _with_cors(response: HttpResponse, origin: str, methods: tuple[str, ...]) -> HttpResponse:
    response.headers["Vary"] = "Origin"
    if origin:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
        response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
        response.headers["Access-Control-Max-Age"] = "3600"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
