"""Nobody holds a thread while their words trickle in: a request is let in when its body is there as a whole.

The pages run in a handful of threads. A sender who sends a byte now and then would hold one for as long as they like,
and a handful of such senders all of them; so bodies wait here, where waiting costs next to nothing.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, MutableMapping
from typing import IO, Any

type Scope = MutableMapping[str, Any]
type Message = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type Application = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_OCTETS = 110 * 1024 * 1024
"""A little more than the largest form that the portal answers kindly (web/portal/sizes.py)."""

FAR_TOO_LARGE = b"That is far too large. Nothing was sent: go back and choose smaller files.\n"

IN_MEMORY = 256 * 1024
PIECE = 256 * 1024

PATIENCE_S = 20.0
SLOWEST_OCTETS_PER_S = 16 * 1024
"""A body may take PATIENCE_S, and longer by what an honest slow line needs for its size."""


class TooSlow(Exception):
    """The body did not come in time."""


class TooLarge(Exception):
    """The body is larger than anything we read."""


class Gone(Exception):
    """The sender left before the body was there."""


class Doorstep:
    """Wraps an ASGI application; the body that it receives is there as soon as it asks."""

    def __init__(self, inside: Application, *, patience_s: float = PATIENCE_S) -> None:
        self._inside = inside
        self._patience_s = patience_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(scope):
            await self._inside(scope, receive, send)
            return
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as body:
            try:
                await self._wait_for(body, receive)
            except TooSlow:
                await _turn_away(send, 408, b"The body took too long. Send it again.\n")
            except TooLarge:
                await _turn_away(
                    send, 413, b"That is far too large. Nothing was sent: go back and choose smaller files.\n"
                )
            except Gone:
                return
            else:
                await self._inside(scope, _reading(body, receive), send)

    async def _wait_for(self, body: IO[bytes], receive: Receive) -> None:
        """Take the whole body in. Raises TooSlow, TooLarge or Gone."""
        now = asyncio.get_running_loop().time
        began, size = now(), 0
        while True:
            left = began + self._patience_s + size / SLOWEST_OCTETS_PER_S - now()
            try:
                message = await asyncio.wait_for(receive(), max(left, 0))
            except TimeoutError:
                raise TooSlow from None
            if message["type"] == "http.disconnect":
                raise Gone
            piece = message.get("body", b"")
            size += len(piece)
            if size > MOST_OCTETS:
                raise TooLarge
            body.write(piece)
            if not message.get("more_body", False):
                body.seek(0)
                return


def _has_body(scope: Scope) -> bool:
    return any(
        (name == b"content-length" and value != b"0") or name == b"transfer-encoding"
        for name, value in scope["headers"]
    )


def _reading(body: IO[bytes], receive: Receive) -> Receive:
    """A `receive` that hands over the body in pieces, and then whatever the server says next."""
    over = False

    async def read() -> Message:
        nonlocal over
        if over:
            return await receive()
        piece = body.read(PIECE)
        over = len(piece) < PIECE
        return {"type": "http.request", "body": piece, "more_body": not over}

    return read


async def _turn_away(send: Send, status: int, words: bytes) -> None:
    headers = [
        (b"content-type", b"text/plain"),
        (b"content-length", b"%d" % len(words)),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": words})
