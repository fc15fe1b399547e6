"""Live events: tells open pages *what changed*; the page fetches its own fragment again. A plain ASGI application.

One LISTEN connection per process, one bounded queue per open page. Only ids travel; a page hears of a ticket only if
its user may see the ticket's client. Rights are looked at again every RECHECK_SECONDS. What changed while a page was on
its way to its reader is told as soon as it listens: the page says when it was asked for, by the clock of the house. By
the reader's own it would be told too little, for the wish to listen is on its way for a while as well.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs

import psycopg
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.db import close_old_connections
from django.http import HttpRequest

from tierdesk.directory.clients.visibility import visible_clients
from tierdesk.tickets.timeline import LIVE_CHANNEL

type Scope = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
type Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PING_SECONDS = 15.0
RECHECK_SECONDS = 5.0
WAITING_AT_MOST = 100
RETRY_SECONDS = 1.0
REMEMBERED_SECONDS = 30.0
"""So long is remembered what changed; a page that took longer to arrive hears of the last of it."""

REMEMBERED_AT_MOST = 1000
ANY_TICKET = "ticket:*"

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Listener:
    """One open page: the clients its user may see (None: all) and the words that wait to be sent.

    `topics`: all that a visitor's page hears of; an agent's page (None) hears of everything of its clients.
    """

    clients: frozenset[int] | None
    topics: frozenset[str] | None = None
    words: asyncio.Queue[str] = field(default_factory=lambda: asyncio.Queue(WAITING_AT_MOST))

    def hears_of(self, client_id: int) -> bool:
        return self.clients is None or client_id in self.clients


class Hub:
    """Listens to PostgreSQL once and tells every open page of this process."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.listeners: set[Listener] = set()
        self._lately: deque[tuple[float, dict[str, Any]]] = deque(maxlen=REMEMBERED_AT_MOST)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._listen())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self.dsn, autocommit=True) as connection:
                    await connection.execute(f"LISTEN {LIVE_CHANNEL}")
                    for listener in list(self.listeners):
                        self._tell(listener, ANY_TICKET)  # whatever happened while nobody listened
                    async for notice in connection.notifies():
                        self._spread(json.loads(notice.payload))
            except (psycopg.Error, OSError):
                log.warning("live events: the database is away; listening again in %s s", RETRY_SECONDS)
                await asyncio.sleep(RETRY_SECONDS)

    def catch_up(self, listener: Listener, since: float) -> None:
        """Tell a page that was asked for at `since` (a timestamp), in one word, what changed from then on."""
        since = max(since, time.time() - REMEMBERED_SECONDS)
        missed = [topic for at, word in self._lately if at >= since for topic in _topics(listener, word)]
        if missed:
            self._tell(listener, " ".join(dict.fromkeys(missed)))

    def _spread(self, word: dict[str, Any]) -> None:
        self._lately.append((time.time(), word))
        for listener in list(self.listeners):
            if topics := _topics(listener, word):
                self._tell(listener, " ".join(topics))

    def _tell(self, listener: Listener, word: str) -> None:
        try:
            listener.words.put_nowait(word)
        except asyncio.QueueFull:
            self.listeners.discard(listener)  # too slow: its stream ends and the page connects anew


def _topics(listener: Listener, word: dict[str, Any]) -> list[str]:
    """What of `word` the page may hear."""
    changed = {kind: word.get(f"{kind}s", []) for kind in ("ticket", "chat")}
    if not any(changed.values()):
        heard = any(listener.hears_of(client_id) for client_id in word["clients"])
        return [word.get("topic", ANY_TICKET)] if heard else []
    topics = [
        f"{kind}:{pk}"
        for kind, rows in changed.items()
        for pk, client_id in rows
        if listener.hears_of(client_id)
    ]
    return topics if listener.topics is None else [topic for topic in topics if topic in listener.topics]


class LiveLane:
    """`GET /live`: server-sent events for whoever is signed in."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        clients = await _visible_to_session(_session_key(scope))
        if clients is NOBODY:
            await _answer(send, 401)
            return
        listener = Listener(clients)
        self.hub.listeners.add(listener)
        if (since := _since(scope)) is not None:
            self.hub.catch_up(listener, since)
        gone = asyncio.create_task(until_gone(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": STREAM_HEADERS})
            await self._stream(listener, _session_key(scope), gone, send)
        finally:
            self.hub.listeners.discard(listener)
            gone.cancel()

    async def _stream(self, listener: Listener, session: str, gone: asyncio.Task[None], send: Send) -> None:
        """Send word after word. Rights are looked at again by the clock, so that a busy desk does not put it off."""
        await send(chunk("retry: 2000\n\n"))
        now = asyncio.get_running_loop().time
        spoke_at = looked_at = now()
        while not gone.done() and listener in self.hub.listeners:
            if now() - looked_at >= RECHECK_SECONDS:
                clients = await _visible_to_session(session)
                if clients is NOBODY:
                    break
                listener.clients, looked_at = clients, now()
            if now() - spoke_at >= PING_SECONDS:
                await send(chunk(": still here\n\n"))
                spoke_at = now()
            with suppress(TimeoutError):
                word = await asyncio.wait_for(listener.words.get(), looked_at + RECHECK_SECONDS - now())
                await send(chunk(f"data: {word}\n\n"))
                spoke_at = now()
        await send({"type": "http.response.body", "body": b"", "more_body": False})


NOBODY: frozenset[int] = frozenset({-1})
"""Marks a request without a signed-in user."""

STREAM_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


@sync_to_async(thread_sensitive=False)
def _visible_to_session(session_key: str) -> frozenset[int] | None:
    """The clients that the session's user may see; NOBODY if it is not (or no longer) signed in."""
    try:
        request = HttpRequest()
        request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key or None)
        user = get_user(request)
        if not user.is_authenticated or not user.is_active:
            return NOBODY
        return visible_clients(user)
    finally:
        close_old_connections()


def _session_key(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"cookie":
            morsel = SimpleCookie(value.decode("latin-1")).get(settings.SESSION_COOKIE_NAME)
            return morsel.value if morsel else ""
    return ""


def _since(scope: Scope) -> float | None:
    """When the page was asked for, from `?since=` in milliseconds; None if it does not say."""
    [told] = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("since", [""])[:1]
    return int(told) / 1000 if told.isdecimal() and len(told) < 16 else None


async def until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _answer(send: Send, status: int) -> None:
    await send(
        {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]}
    )
    await send({"type": "http.response.body", "body": b"sign in first\n"})


def chunk(text: str) -> dict[str, Any]:
    return {"type": "http.response.body", "body": text.encode(), "more_body": True}
