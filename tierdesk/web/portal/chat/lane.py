"""`GET /live/chat/<widget>`: tells a visitor's page that there is something new. A plain ASGI application.

The page asks with fetch and reads the stream itself, because an EventSource cannot carry the token in a header. An
open stream is a sign of life: while it stands, the visitor is there.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from asgiref.sync import sync_to_async
from django.db import close_old_connections
from django.http import Http404

from tierdesk.channels.chat import signs
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, seeing
from tierdesk.web.live import STREAM_HEADERS, Hub, Listener, Receive, Scope, Send, chunk, until_gone
from tierdesk.web.portal.chat.door import bearer, conversation_of, find_widget, may_show

PREFIX = "/live/chat/"
SIGN_SECONDS = 15.0

type Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Opened:
    """What a knock at the lane leads to: the topics its page hears of, or the status that refuses it."""

    status: int
    client: int = 0
    topics: frozenset[str] = frozenset()


class ChatLane:
    """One stream per visitor's page, on the hub that the agents' pages listen to as well."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        key = scope["path"].removeprefix(PREFIX).strip("/")
        origin, host = headers.get("origin", ""), headers.get("host", "")
        cors = _cors(origin)
        if scope["method"] == "OPTIONS":
            allowed = await _allows(key, origin, host)
            await _answer(send, 204 if allowed else 403, cors if allowed else [])
            return
        token = bearer(headers.get("authorization", ""))
        opened = await _open(key, token, origin, host)
        if opened.status != 200:
            await _answer(send, opened.status, [] if opened.status == 403 else cors)
            return
        listener = Listener(frozenset({opened.client}), opened.topics)
        self.hub.listeners.add(listener)
        gone = asyncio.create_task(until_gone(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": [*STREAM_HEADERS, *cors]})
            await self._stream(listener, (key, token, origin, host), gone, send)
        finally:
            self.hub.listeners.discard(listener)
            gone.cancel()

    async def _stream(
        self, listener: Listener, knock: tuple[str, str, str, str], gone: asyncio.Task[None], send: Send
    ) -> None:
        """Word after word, and a sign of life by the clock; it ends when the conversation is not to be found."""
        now = asyncio.get_running_loop().time
        signed_at = now()
        await send(chunk(": here\n\n"))
        while not gone.done() and listener in self.hub.listeners:
            if now() - signed_at >= SIGN_SECONDS:
                opened = await _open(*knock)
                if opened.status != 200:
                    break
                listener.topics, signed_at = opened.topics, now()
                await send(chunk(": still here\n\n"))
            with suppress(TimeoutError):
                await asyncio.wait_for(listener.words.get(), max(0.05, signed_at + SIGN_SECONDS - now()))
                await send(chunk("data: new\n\n"))
        await send({"type": "http.response.body", "body": b"", "more_body": False})


@sync_to_async(thread_sensitive=False)
def _open(key: str, token: str, origin: str, host: str) -> Opened:
    """Find the conversation and note that its visitor is there."""
    try:
        with seeing(EVERY_CLIENT):
            widget = find_widget(key)
            if origin and not may_show(widget, origin, host):
                return Opened(403)
            conversation = conversation_of(widget, token)
            signs.see(conversation, clock.now())
            topics = {f"chat:{conversation.pk}", f"ticket:{conversation.ticket_id}"}
            return Opened(200, widget.client_id, frozenset(topics))
    except Http404:
        return Opened(404)
    finally:
        close_old_connections()


@sync_to_async(thread_sensitive=False)
def _allows(key: str, origin: str, host: str) -> bool:
    try:
        return may_show(find_widget(key), origin, host)
    except Http404:
        return False
    finally:
        close_old_connections()


def _cors(origin: str) -> Headers:
    headers = [(b"vary", b"Origin")]
    if origin:
        headers += [
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-allow-methods", b"GET"),
            (b"access-control-allow-headers", b"Authorization"),
            (b"access-control-max-age", b"3600"),
            (b"cross-origin-resource-policy", b"cross-origin"),
        ]
    return headers


async def _answer(send: Send, status: int, headers: Headers) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
