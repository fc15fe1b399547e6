"""The fast lane of machine intake: a plain ASGI application that answers 202 only for what is stored.

Requests wait in a bounded queue; one thread writes whatever waits in one transaction and then answers all
of them. There is no timer: an idle lane stores a lone request at once, a busy one groups what came while it
was writing. A request of many alarms is a transaction of its own, written beside the others.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import orjson

from tierdesk.channels.alarms import routing, shapes
from tierdesk.channels.alarms.arrival import Arrival, KnownSource, Store, StoreIsAway, UnableToStore
from tierdesk.channels.alarms.committer import CAPACITY, Committer, Full
from tierdesk.channels.alarms.reading import Unreadable
from tierdesk.channels.alarms.request import Request
from tierdesk.channels.alarms.routing import Route
from tierdesk.channels.alarms.tokens import digest
from tierdesk.channels.alarms.understanding import understood
from tierdesk.core import clock

LARGEST_BODY = 512 * 1024
BODY_TO_READ_ASIDE = 32 * 1024
READERS = 2
"""So many threads read large bodies: with more, those that write wait longer for their turn at the interpreter."""

SOURCES_LAST_S = 10.0
UNKNOWN_LAST_S = 1.0
TOLD_ANEW_S = 600.0
"""A sender that cannot be read just now sends everything again and again: one body of its source in so long is kept."""

RETRY_AFTER_S = 5
HELD = 2_000
"""So many requests at most wait for people, besides those that wait to be stored."""

JSON = (b"content-type", b"application/json")

log = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(slots=True)
class Reply:
    """An HTTP answer with a JSON body."""

    status: int
    says: Mapping[str, Any]
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def body(self) -> bytes:
        return orjson.dumps(self.says)


class Refused(Exception):
    """The request gets `reply` and nothing of it is stored."""

    def __init__(self, status: int, sentence: str, *headers: tuple[bytes, bytes]) -> None:
        super().__init__(sentence)
        self.reply = Reply(status, {"error": sentence}, headers)

    def speak(self, refuse: Callable[[str], Mapping[str, Any]]) -> None:
        """Say it in the words that the sender knows."""
        self.reply = replace(self.reply, says=refuse(str(self)))


@dataclass(frozen=True, slots=True)
class Call:
    """A request on its way in: where it leads, and what came ahead of its body."""

    method: str
    route: Route
    headers: Mapping[str, str]
    remote: str
    receive: Receive


@dataclass(frozen=True, slots=True)
class Plain:
    """What came ahead of the body of something plain for our own door: headers, and the digest of its token.

    The same sender says the same each time, so whoever reads it may keep it.
    """

    headers: Mapping[str, str]
    token: str


class Precedence(Protocol):
    """Who goes before machines."""

    def nobody_waits(self) -> bool: ...

    async def give_way(self) -> None:
        """Return once nobody waits, or after a moment."""
        ...


class Disconnected(Exception):
    """The sender went away before its body was complete."""


class Lane:
    """`POST <prefix>/<token>`, or `POST <prefix>` with `Authorization: Bearer <token>`; with `/beat`, a sign of life.

    Besides, the addresses that other systems have built in (routing.py); those are answered in their words.

    202 stored · 400 malformed, kept for people to see · 401 unknown token, or forged · 413 too large · 429 or 503
    full, try again. Run it under an ASGI server with lifespan, or call `start` and `stop` from the
    application that mounts it. Whoever has `precedence` is waited for before a request is read.
    """

    def __init__(
        self,
        store: Store,
        *,
        beside: Sequence[Store] = (),
        prefix: str = "/in",
        capacity: int = CAPACITY,
        precedence: Precedence | None = None,
    ) -> None:
        self._prefix = prefix
        self._precedence = precedence
        self._shown_at: dict[int, float] = {}
        self._book = SourceBook(store)
        self._committer = Committer(store, beside=beside, capacity=capacity)
        self._readers = ThreadPoolExecutor(READERS, "alarm reader")
        self._held: list[Callable[[], None]] = []
        self._letting_in: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._committer.start()

    async def stop(self) -> None:
        """Turn new requests away, store and answer those that wait, and close the store."""
        if self._letting_in is not None:
            await self._letting_in
            await asyncio.sleep(0)  # those that it let in
        await self._committer.stop()
        self._readers.shutdown(wait=False)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Message, receive: Receive, send: Send) -> None:
        try:
            reply = await self._take_in(scope, receive)
        except Refused as refused:
            reply = refused.reply
        except Disconnected:
            return
        body = reply.body()
        headers = [JSON, (b"content-length", b"%d" % len(body)), *reply.headers]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _take_in(self, scope: Message, receive: Receive) -> Reply:
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        route = routing.find(scope["path"], self._prefix)
        if route is None:
            raise Refused(404, f"Alarms go to {self._prefix}/<token>.")
        call = Call(scope["method"], route, headers, str((scope.get("client") or ("",))[0]), receive)
        try:
            _demand_sense(call)
            body = await _body(receive, headers) if route.door.body_first else None
            return await self._answer(call, await self._book.find(route.token(headers, body or b"")), body)
        except Refused as refused:
            if route.shape:
                refused.speak(shapes.named(route.shape).refuse)
            raise

    async def _answer(self, call: Call, source: KnownSource, body: bytes | None) -> Reply:
        shape = shapes.named(call.route.shape or source.shape)
        if call.route.door.tells is not None:
            return Reply(200, call.route.door.tells(call.route.rest))
        if call.method == "OPTIONS":
            return _shaken(shape, call.headers)
        try:
            self._committer.demand_room(source)
            body = await _body(call.receive, call.headers) if body is None else body
            if self._precedence is not None:
                await self._precedence.give_way()
            try:
                arrival = await self._understand(call, source, shape, body)
            except Unreadable as fault:
                await self._show(call, source, shape, body, fault)
                raise
            await self._committer.stored(arrival)
        except (Full, StoreIsAway, UnableToStore, Unreadable) as trouble:
            raise _turned_away(trouble, shape) from None
        if refused := _refusal(arrival):
            raise refused
        return _stored(arrival, shape, call.method)

    async def _understand(self, call: Call, source: KnownSource, shape: shapes.Shape, body: bytes) -> Arrival:
        """The arrival of `body`. Raises Unreadable."""
        arrival = Arrival(source=source, received_at=clock.now(), raw=body, remote=call.remote)
        if call.route.door.is_beat:
            return replace(arrival, raw=b"", is_beat=True)
        if shape.prepare is not None:
            await asyncio.to_thread(shape.prepare, Request(body))
        read = partial(understood, arrival, call.headers, shape.name, call.route.rest)
        if len(body) > BODY_TO_READ_ASIDE:
            return await asyncio.get_running_loop().run_in_executor(self._readers, read)
        return read()

    async def _show(
        self, call: Call, source: KnownSource, shape: shapes.Shape, body: bytes, fault: Unreadable
    ) -> None:
        """Keep one of those that cannot be read where people see why; its sender still has it, and all others."""
        now = asyncio.get_running_loop().time()
        if now - self._shown_at.get(source.id, float("-inf")) < TOLD_ANEW_S:
            return
        own = "" if shape.name == source.shape else shape.name
        await self._committer.stored(
            Arrival(
                source=source,
                received_at=clock.now(),
                raw=body,
                remote=call.remote,
                refusal=str(fault),
                status=503,
                shape=own,
                path=call.route.rest,
                headers=shape.kept(call.headers),
            )
        )
        self._shown_at[source.id] = now

    def plain(self, path: str, headers: Mapping[str, str]) -> Plain | None:
        """What is posted to that path, if it may be taken in at once; otherwise it is to be served as any other."""
        route = routing.find(path, self._prefix)
        if route is None or route.door is not routing.OWN or "content-encoding" in headers:
            return None
        return Plain(headers, digest(route.token(headers)))

    def take_at_once(self, said: Plain, body: bytes, remote: str, answer: Callable[[Reply], None]) -> bool:
        """Take it in if nothing but people has to be waited for, and `answer` once it is stored.

        False: nothing was done, it is to be served as any other. For servers that know the whole request; the answers
        are the same.
        """
        source = self._book.known(said.token)
        shape = shapes.named(source.shape) if source else None
        if source is None or shape is None or shape.prepare is not None or not self._committer.has_room():
            return False
        arrival = Arrival(source=source, received_at=clock.now(), raw=body, remote=remote)
        take = partial(self._take, arrival, said.headers, shape, answer)
        if self._precedence is None or self._precedence.nobody_waits():
            take()
        elif len(self._held) < HELD:
            self._hold(take)
        else:
            return False
        return True

    def _take(
        self,
        arrival: Arrival,
        headers: Mapping[str, str],
        shape: shapes.Shape,
        answer: Callable[[Reply], None],
    ) -> None:
        read = understood(arrival, headers, shape.name)

        def told(trouble: Exception | None) -> None:
            refused = _refusal(read) if trouble is None else _turned_away(trouble, shape)
            answer(refused.reply if refused else _stored(read, shape, "POST"))

        try:
            self._committer.store(read, told)
        except (Full, StoreIsAway) as trouble:
            told(trouble)

    def _hold(self, take: Callable[[], None]) -> None:
        """Take it once nobody waits. The first that is held waits for all."""
        self._held.append(take)
        if self._letting_in is None:
            self._letting_in = asyncio.get_running_loop().create_task(self._let_in())

    async def _let_in(self) -> None:
        assert self._precedence is not None
        await self._precedence.give_way()
        self._letting_in, held, self._held = None, self._held, []
        for take in held:
            asyncio.get_running_loop().call_soon(take)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await self.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})


class SourceBook:
    """The sources by token, read from the store every few seconds.

    All of them are held, so a token costs one digest and one look-up whether it exists or not, and guessing
    tokens reaches the database at most once a second.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sources: Mapping[str, KnownSource] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def find(self, token: str) -> KnownSource:
        """The source of `token`. Raises Refused: 401 if there is none, 503 while that is unknown."""
        wanted = digest(token)
        await self._refresh(SOURCES_LAST_S)
        if wanted not in self._sources:
            await self._refresh(UNKNOWN_LAST_S)
        source = self._sources.get(wanted)
        if source is None:
            raise Refused(401, "No alarm source has this token.", (b"www-authenticate", b"Bearer"))
        return source

    def known(self, token: str) -> KnownSource | None:
        """The source whose token has that digest, if the sources were read lately and it is among them."""
        if asyncio.get_running_loop().time() - self._read_at > SOURCES_LAST_S:
            return None
        return self._sources.get(token)

    async def _refresh(self, seconds: float) -> None:
        """Read the sources again if that is longer ago; keep the old ones while the store is away."""
        loop = asyncio.get_running_loop()
        if loop.time() - self._read_at <= seconds:
            return
        async with self._reading:
            if loop.time() - self._read_at <= seconds:
                return
            try:
                self._sources = await asyncio.to_thread(self._store.sources)
            except StoreIsAway as error:
                if not self._sources:
                    raise Refused(
                        503, "The desk cannot look up sources now: send it again.", _retry_after()
                    ) from error
                log.warning("alarm sources could not be read, using the last ones: %s", error)
            self._read_at = loop.time()


def _stored(arrival: Arrival, shape: shapes.Shape, method: str) -> Reply:
    return Reply(shape.status(method), shape.answer(arrival.events))


def _refusal(arrival: Arrival) -> Refused | None:
    """What is said of an arrival that is kept, but was not understood."""
    return Refused(arrival.status, arrival.refusal) if arrival.refusal and arrival.status >= 400 else None


def _turned_away(trouble: Exception, shape: shapes.Shape) -> Refused:
    """What is said of one that is not stored."""
    match trouble:
        case Full():
            sentence = "The desk has more to store than it can: send this again."
            return Refused(shape.busy_status, sentence, _retry_after())
        case Unreadable():
            return Refused(503, f"{trouble} Send it again.", _retry_after())
        case StoreIsAway():
            return Refused(503, "The desk cannot store this now: send it again.", _retry_after())
        case UnableToStore():
            return Refused(400, "This cannot be stored.")
        case _:
            return Refused(500, "The desk failed to store this: its fault, not yours. Send it again.")


def _demand_sense(call: Call) -> None:
    if call.method not in call.route.door.methods:
        allowed = ", ".join(sorted(call.route.door.methods))
        raise Refused(405, f"This address takes {allowed}.", (b"allow", allowed.encode()))
    if call.headers.get("content-encoding", "identity") != "identity":
        raise Refused(415, "Send the body uncompressed.")


def _shaken(shape: shapes.Shape, headers: Mapping[str, str]) -> Reply:
    """The answer to a sender that asks first whether it may send."""
    if shape.handshake is None:
        raise Refused(405, "This address takes POST.", (b"allow", b"POST, PUT"))
    said = ((name.lower().encode(), value.encode()) for name, value in shape.handshake(headers).items())
    return Reply(200, {}, tuple(said))


async def _body(receive: Receive, headers: Mapping[str, str]) -> bytes:
    """The whole body. Raises Refused when it is larger than LARGEST_BODY, before it is in memory."""
    too_large = Refused(413, f"A body may have {LARGEST_BODY // 1024} KB; send fewer alarms at once.")
    declared = headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > LARGEST_BODY:
        raise too_large
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > LARGEST_BODY:
            raise too_large
        if not message.get("more_body", False):
            return b"".join(chunks)


def _retry_after() -> tuple[bytes, bytes]:
    return (b"retry-after", b"%d" % RETRY_AFTER_S)
