"""The web server: uvicorn, with a short way for the one request that comes by the ten thousand.

What monitoring posts costs uvicorn more than us: an ASGI cycle, a task, an event, two writes. So a small POST to
`/in/…` is collected here and taken in by a call; whatever has to wait for something, or is anything else, goes
uvicorn's way as if nothing had been. A head that came before, to the octet, is not read again
(docs/adr/0026-a-short-way-for-alarms.md).
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, ClassVar

import uvicorn
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from tierdesk.channels.alarms.committer import TURN_S
from tierdesk.channels.alarms.lane import JSON, Lane, Plain, Reply
from tierdesk.core import garbage
from tierdesk.web.doorstep import SLOWEST_OCTETS_PER_S

PREFIX = b"/in/"
LARGEST = 32 * 1024
"""Bytes of a body; a larger one is read aside, in a thread."""

END = b"\r\n\r\n"
LONGEST_HEAD = 2048
REMEMBERED = 4096
"""So many heads are remembered, of so many octets at most: eight megabytes of a process."""

PATIENCE_S = 30.0
"""So long a request may take to come, and longer by what an honest slow line needs for its size. The doorstep of the
pages is less patient, and says it in words."""

TOO_SLOW = b'{"error":"The request took too long to come. Send it again."}'


class Unheard:
    """Stands where uvicorn has an event that somebody waits for."""

    def set(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before a body on the short way. `forwarded`: for whom, as proxies name them."""

    said: Plain
    length: int
    forwarded: bytes


class Heads:
    """Those that came lately, by their octets."""

    def __init__(self) -> None:
        self._known: dict[bytes, Head] = {}

    def within(self, data: bytes) -> tuple[Head, bytes] | None:
        """The head and the body of a whole request, if such a head came before."""
        end = data.find(END) + len(END)
        head = self._known.get(data[:end])
        return (head, data[end:]) if head is not None and len(data) - end == head.length else None

    def remember(self, data: bytes, head: Head) -> None:
        """What `data`, a whole request, begins with."""
        octets = data[: data.find(END) + len(END)]
        if len(octets) > LONGEST_HEAD or len(data) - len(octets) != head.length:
            return
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[octets] = head


class Brief:
    """A request on the short way. It stands where uvicorn keeps a cycle, and has what those are asked for."""

    __slots__ = ("before", "body", "disconnected", "keep_alive", "more_body", "response_complete")

    message_event: ClassVar = Unheard()

    def __init__(self, before: object, *, keep_alive: bool) -> None:
        self.before = before
        self.keep_alive = keep_alive
        self.body = bytearray()
        self.more_body = True
        self.response_complete = self.disconnected = False


class FrontDoor(HttpToolsProtocol):
    """One connection. Requests that come before their turn wait theirs, on either way."""

    def __init__(self, machines: Lane, heads: Heads, *, patience_s: float = PATIENCE_S, **rest: Any) -> None:
        super().__init__(**rest)
        self._machines = machines
        self._heads = heads
        self._reading = False
        self._whole = b""
        self._quiet_since = 0.0
        self._patience_s = patience_s
        self._awaited_since = 0.0
        self._octets = 0
        self._hourglass: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_a_request()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._hourglass is not None:
            self._hourglass.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A request that comes whole, after nothing but such, with a head that is known, is not parsed."""
        if not self._reading and (self.cycle is None or self._is_answered_briefly()):
            if (known := self._heads.within(data)) and self._take(*known, Brief(self.cycle, keep_alive=True)):
                return
            self._whole = data
        self._octets += len(data)
        super().data_received(data)
        self._whole = b""

    def on_message_begin(self) -> None:
        """Only what is needed to see which way it goes: the scope of the long one comes when it is taken."""
        self._reading = True
        self._await_a_request()
        self.url = b""
        self.expect_100_continue = False
        self.headers = []

    def on_headers_complete(self) -> None:
        if self._is_brief():
            self.cycle = Brief(self.cycle, keep_alive=self._keeps_alive())  # type: ignore[assignment]
        else:
            self._begin_the_long_way()

    def _begin_the_long_way(self) -> None:
        heard = self.url, self.expect_100_continue, self.headers
        super().on_message_begin()
        self.url, self.expect_100_continue, self.headers[:] = heard
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._reading = False
        super().on_message_complete()
        brief = self.cycle
        if not isinstance(brief, Brief) or brief.response_complete:
            return
        body = bytes(brief.body)
        head = self._head(len(body))
        if head is None or not self._take(head, body, brief):
            self._go_the_long_way(brief)
        elif brief.keep_alive and self._whole:
            self._heads.remember(self._whole, head)

    def _is_answered_briefly(self) -> bool:
        return isinstance(self.cycle, Brief) and self.cycle.response_complete and self.cycle.keep_alive

    def _head(self, length: int) -> Head | None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in self.headers}
        said = self._machines.plain(self.url.decode("latin-1"), headers)
        forwarded = b", ".join(value for name, value in self.headers if name == b"x-forwarded-for")
        return Head(said, length, forwarded) if said else None

    def _take(self, head: Head, body: bytes, brief: Brief) -> bool:
        answer = partial(self._answer, brief)
        if not self._machines.take_at_once(head.said, body, self._remote(head.forwarded), answer):
            return False
        self.cycle = brief  # type: ignore[assignment]
        return True

    def _is_brief(self) -> bool:
        if not self.url.startswith(PREFIX) or self.parser.get_method() != b"POST":
            return False
        if self.cycle is not None and not self.cycle.response_complete:
            return False  # it waits for the answer to the one before
        if self.expect_100_continue or self.parser.should_upgrade() or b"?" in self.url or b"%" in self.url:
            return False
        length = next((value for name, value in self.headers if name == b"content-length"), b"")
        return length.isdigit() and int(length) <= LARGEST

    def _keeps_alive(self) -> bool:
        return bool(self.parser.get_http_version() != "1.0" and self.parser.should_keep_alive())

    def _go_the_long_way(self, brief: Brief) -> None:
        self.cycle = brief.before  # type: ignore[assignment]
        self._begin_the_long_way()
        super().on_body(bytes(brief.body))
        super().on_message_complete()

    def _remote(self, forwarded: bytes) -> str:
        """Who sent it: whom a proxy of ours names, where one stands before us."""
        host = self.client[0] if self.client else ""
        if forwarded and isinstance(self.app, ProxyHeadersMiddleware) and host in self.app.trusted_hosts:
            named, _ = self.app.trusted_hosts.get_trusted_client_address(forwarded.decode("latin-1"))
            return named or host
        return host

    def _answer(self, brief: Brief, reply: Reply) -> None:
        if brief.disconnected or self.transport.is_closing():
            return
        headers = (*self.server_state.default_headers, JSON, *reply.headers)
        self.transport.write(_written(reply.status, headers, reply.body(), brief.keep_alive))
        brief.response_complete = True
        if not brief.keep_alive:
            self.transport.close()
        if brief.keep_alive and not self.pipeline and not self.flow.read_paused:
            self._begin_to_be_quiet()
        else:
            self.on_response_complete()

    def _begin_to_be_quiet(self) -> None:
        """What uvicorn does after an answer, but for its timer: one that runs is asked later instead of set anew."""
        self.server_state.total_requests += 1
        self._quiet_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._await_quiet(self.timeout_keep_alive)

    def timeout_keep_alive_handler(self) -> None:
        """It is asked again when it could have been quiet for long enough, or after its next answer."""
        self.timeout_keep_alive_task = None
        if not isinstance(self.cycle, Brief):
            super().timeout_keep_alive_handler()
        elif self.cycle.response_complete:
            self._await_quiet(self._quiet_since + self.timeout_keep_alive - self.loop.time())

    def _await_quiet(self, seconds: float) -> None:
        if seconds > 0:
            self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)
        else:
            super().timeout_keep_alive_handler()

    def _await_a_request(self) -> None:
        """From now on one is to come in time. One timer of a connection at most runs, and is asked when it is over."""
        self._awaited_since = self.loop.time()
        self._octets = 0
        if self._hourglass is None:
            self._hourglass = self.loop.call_later(self._patience_s, self._ask_the_hourglass)

    def _ask_the_hourglass(self) -> None:
        self._hourglass = None
        if not self._reading and self.cycle is not None:
            return  # it came; the next one turns it again
        left = self._awaited_since + self._patience_s + self._octets / SLOWEST_OCTETS_PER_S - self.loop.time()
        if self._owes_an_answer():
            left = self._patience_s
        if left > 0:
            self._hourglass = self.loop.call_later(left, self._ask_the_hourglass)
        else:
            self._hang_up_on_who_trickles()

    def _owes_an_answer(self) -> bool:
        """To a request that came whole, before the one that does not come."""
        cycle = self.cycle
        return bool(self.pipeline) or (
            cycle is not None and not cycle.more_body and not cycle.response_complete
        )

    def _hang_up_on_who_trickles(self) -> None:
        """It is said why, but not to who said nothing: browsers open lines ahead of need."""
        cycle = self.cycle
        is_answered = cycle is not None and not isinstance(cycle, Brief) and cycle.response_started
        if self._reading and (not is_answered or cycle.response_complete):
            headers = (*self.server_state.default_headers, JSON)
            self.transport.write(_written(408, headers, TOO_SLOW, keep_alive=False))
        self.transport.close()


@lru_cache(maxsize=64)
def _written(status: int, headers: tuple[tuple[bytes, bytes], ...], body: bytes, keep_alive: bool) -> bytes:
    """An answer in octets; within a second most are the same."""
    told = (*headers, (b"content-length", b"%d" % len(body)))
    if not keep_alive:
        told = (*told, (b"connection", b"close"))
    return STATUS_LINE[status] + b"".join(b"%b: %b\r\n" % header for header in told) + b"\r\n" + body


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tierdesk.config.server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument(
        "--last-answers", type=int, default=10, help="seconds for answers when it is to leave"
    )
    told = parser.parse_args(words)
    sys.setswitchinterval(TURN_S)
    garbage.hold_off()
    from tierdesk.config.asgi import application, machines  # it connects what it imports

    uvicorn.run(
        application,
        host=told.host,
        port=told.port,
        http=partial(FrontDoor, machines, Heads()),  # type: ignore[arg-type]  # it makes a protocol, as a class does
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=told.last_answers,
    )


if __name__ == "__main__":
    main()
