"""One port: two small plain ASGI lanes, and Django's WSGI handler in threads for everything else.

Machine intake and live events do not go through Django: a request there costs a tenth. Django's own ASGI handler is not
used either: it costs several times its WSGI path for an ordinary page (docs/adr/0003-one-port.md has the figures).
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tierdesk.config.settings")

from a2wsgi import WSGIMiddleware
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.template import engines
from django.template.backends.jinja2 import Jinja2
from django.urls import get_resolver

pages_in_threads = WSGIMiddleware(get_wsgi_application(), workers=8)  # type: ignore[arg-type]

from tierdesk.channels.alarms.committer import WRITERS_BESIDE
from tierdesk.channels.alarms.lane import Lane
from tierdesk.channels.alarms.routing import leads_to_machines
from tierdesk.channels.alarms.store import PostgresStore
from tierdesk.core import garbage
from tierdesk.web.courtesy import Courtesy
from tierdesk.web.doorstep import Doorstep
from tierdesk.web.live import Hub, LiveLane
from tierdesk.web.portal.chat.lane import PREFIX as CHATS
from tierdesk.web.portal.chat.lane import ChatLane

type Scope = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
type Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# A thread that makes a page gets its turn after a millisecond, not five: pages and machines share this process.
sys.setswitchinterval(0.001)

DSN = os.environ["DATABASE_URL"]

pages = Doorstep(pages_in_threads)  # type: ignore[arg-type]
courtesy = Courtesy()
store, *beside = [PostgresStore(DSN, role=settings.DATABASE_ROLE) for _ in range(1 + WRITERS_BESIDE)]
machines = Lane(store, beside=beside, precedence=courtesy)
hub = Hub(os.environ.get("DATABASE_LISTEN_URL", DSN))
live = LiveLane(hub)
chats = ChatLane(hub)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Send each request down its lane."""
    if scope["type"] == "lifespan":
        await _live_and_die(receive, send)
    elif scope["type"] == "http" and scope["path"] == "/live":
        await live(scope, receive, send)
    elif scope["type"] == "http" and scope["path"].startswith(CHATS):
        await chats(scope, receive, send)
    elif scope["type"] == "http" and leads_to_machines(scope["path"]):
        await machines(scope, receive, send)
    else:
        with courtesy.page():
            await pages(scope, receive, send)


def load_pages() -> None:
    """Load what the first pages would load, so that nobody waits for it."""
    get_resolver().url_patterns  # noqa: B018  # it imports all views
    for backend in engines.all():
        if isinstance(backend, Jinja2):
            for name in backend.env.list_templates():
                backend.env.get_template(name)


async def _live_and_die(receive: Receive, send: Send) -> None:
    """Start the lanes before the first request; drain what machines were promised before the last breath."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await asyncio.to_thread(load_pages)
            garbage.settle_in()
            await machines.start()
            await hub.start()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await machines.stop()
            await hub.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return
