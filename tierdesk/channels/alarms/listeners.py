"""Listeners for what carries no token: syslog over UDP, TCP and TLS, and SNMP traps. Off unless a port is set.

A source is known by the address that it sends from (`Source.senders`; the narrowest network wins). What comes from
anywhere else is counted per address, with the last that it said, and not read. One thread holds all listeners; what
they hear is stored by a committer of their own, as in the lane.

Nobody on these wires waits for an answer, except who sends an inform: it is answered when it is stored, and sent again
by its agent if it was not. A connection is read on only while little of what it said waits to be stored.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import ssl
import threading
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import connection

from tierdesk.channels.alarms import informs
from tierdesk.channels.alarms.arrival import Arrival, KnownSource, Store, StoreIsAway, UnableToStore
from tierdesk.channels.alarms.committer import Committer, Full
from tierdesk.channels.alarms.shapes import snmp_trap
from tierdesk.channels.alarms.strangers import Strangers
from tierdesk.channels.alarms.understanding import understood
from tierdesk.channels.alarms.usm import UsmUser
from tierdesk.core import clock

SYSLOG: Final = "syslog"
SNMP: Final = "snmp_trap"
SYSLOG_TLS: Final = "syslog_tls"
"""No shape of alarms: what strangers are counted under who are turned away before they say anything."""

SOURCES_LAST_S = 10.0
FLUSH_S = 5.0
BEAT_S = 10.0
"""A line that says nothing of note is still a sign of life; it is stored at most so often."""

LONGEST_LINE = 64 * 1024
MOST_CONNECTIONS = 200
HANDSHAKE_S = 10.0
UNDER_WAY = 200
"""So many messages of one connection may wait to be stored."""

A_SECOND = 200.0
BURST = 1_000.0
"""So much one address may say, on and on and at once; what is more is turned away and counted."""

MOST_ADDRESSES = 10_000

NAMED_AGAIN_S = 60.0
"""An address that is turned away again and again stands in the log so often."""

log = logging.getLogger(__name__)

type Network = ipaddress.IPv4Network | ipaddress.IPv6Network
type Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Senders:
    """Which source an address belongs to, by shape."""

    def __init__(self, sources: Iterable[KnownSource]) -> None:
        self._by_shape: dict[str, list[tuple[Network, KnownSource]]] = {}
        for source in sources:
            for sender in source.senders:
                network = ipaddress.ip_network(sender, strict=False)
                self._by_shape.setdefault(source.shape, []).append((network, source))
        for networks in self._by_shape.values():
            networks.sort(key=lambda pair: -pair[0].prefixlen)

    def source_of(self, address: Address, shape: str) -> KnownSource | None:
        """The source whose narrowest network holds the address."""
        networks = self._by_shape.get(shape, ())
        return next((source for network, source in networks if address in network), None)


@dataclass
class Allowance:
    """How much each address may still say: a bucket per address, the longest unheard forgotten first."""

    a_second: float = A_SECOND
    burst: float = BURST
    buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def takes(self, remote: str) -> bool:
        now = time.monotonic()
        left, at = self.buckets.pop(remote, (self.burst, now))
        left = min(self.burst, left + (now - at) * self.a_second)
        self.buckets[remote] = (max(left - 1, 0.0), now)
        if len(self.buckets) > MOST_ADDRESSES:
            self.buckets.popitem(last=False)
        return left >= 1


class Ear:
    """What all listeners share: who is known, how much they may say, and where it is stored."""

    def __init__(self, store: Store, strangers: Strangers) -> None:
        self._store = store
        self._strangers = strangers
        self._committer = Committer(store)
        self._senders = Senders(())
        self._allowance = Allowance()
        self._named = Allowance(a_second=1 / NAMED_AGAIN_S, burst=1)
        self._noted: dict[int, float] = {}
        self._under_way: set[asyncio.Task[Any]] = set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Ear]:
        self._committer.start()
        await self._look()
        chores = [
            asyncio.create_task(_again_and_again(SOURCES_LAST_S, self._look)),
            asyncio.create_task(_again_and_again(FLUSH_S, self._write_down)),
        ]
        try:
            yield self
        finally:
            for chore in chores:
                chore.cancel()
            await asyncio.gather(*chores, *self._under_way, return_exceptions=True)
            await self._committer.stop()
            await asyncio.to_thread(self._count)

    async def hear(self, shape: str, raw: bytes, remote: str) -> bool:
        """Store what one message says; whether it is stored, or needs not be."""
        source = self._source(shape, remote)
        if source is None:
            self._strangers.note(shape, remote, raw, clock.now())
            return False
        if not self._allowance.takes(remote):
            self._committer.turn_away(source)
            return False
        arrival = understood(Arrival(source=source, received_at=clock.now(), raw=raw, remote=remote), {})
        if not arrival.events and not arrival.refusal and not self._is_beat(source):
            return True
        try:
            await self._committer.stored(arrival)
        except (Full, StoreIsAway, UnableToStore) as error:
            log.warning("a message of alarm source %d is not stored: %s", source.id, error or "full")
            return False
        return True

    def turn_away(self, remote: str, why: str) -> None:
        """Name somebody who may not speak over TLS, and why, now and then; how often is counted."""
        if self._named.takes(remote):
            log.warning("%s is turned away from syslog over TLS: %s", remote, why)
        self._strangers.note(SYSLOG_TLS, remote, why.encode(), clock.now())

    def user_of(self, remote: str) -> UsmUser | None:
        """As whom a source at this address speaks SNMP of version 3; None if it does not, or has said too much."""
        source = self._source(SNMP, remote)
        if source is None or source.usm is None or not self._allowance.takes(remote):
            return None
        return source.usm

    def soon(self, story: Coroutine[Any, Any, None]) -> None:
        """Go on with a story beside what is heard next."""
        task = asyncio.create_task(story)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    def _source(self, shape: str, remote: str) -> KnownSource | None:
        return self._senders.source_of(address_of(remote), shape)

    def _is_beat(self, source: KnownSource) -> bool:
        now = time.monotonic()
        if now - self._noted.get(source.id, float("-inf")) < BEAT_S:
            return False
        self._noted[source.id] = now
        return True

    async def _look(self) -> None:
        try:
            self._senders = Senders((await asyncio.to_thread(self._store.sources)).values())
        except StoreIsAway as error:
            log.warning("alarm sources could not be read, using the last ones: %s", error)

    async def _write_down(self) -> None:
        await asyncio.to_thread(self._count)

    def _count(self) -> None:
        """Write down who talks to us unknown, on a connection that is not kept."""
        try:
            self._strangers.flush()
        finally:
            connection.close()


async def _again_and_again(seconds: float, chore: Callable[[], Awaitable[None]]) -> None:
    """Whatever goes wrong with it is logged, and it is done again."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await chore()
        except Exception:
            log.exception("a chore of the alarm listeners failed; it is done again in %s s", seconds)


class Datagrams(asyncio.DatagramProtocol):
    """One message per datagram."""

    def __init__(self, ear: Ear, shape: str) -> None:
        self._ear = ear
        self._shape = shape
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.DatagramTransport)
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._ear.soon(self._hear(data, addr))

    async def _hear(self, raw: bytes, addr: tuple[Any, ...]) -> None:
        remote = plain_address(addr[0])
        user = self._ear.user_of(remote) if self._shape == SNMP and informs.may_be_inform(raw) else None
        answer = informs.report_to(raw, user) if user else b""
        if not answer and await self._ear.hear(self._shape, raw, remote) and self._shape == SNMP:
            answer = informs.response_to(raw, user) if user else snmp_trap.answer_to(raw)
        if answer and self._transport is not None:
            self._transport.sendto(answer, addr)


class Lines:
    """Syslog over TCP (RFC 6587): frames that begin with their length, or lines; a sender may mix them.

    Over TLS there are frames alone (RFC 5425 §4.3); what is none ends the connection.
    """

    def __init__(self, ear: Ear, *, tls: ssl.SSLContext | None = None) -> None:
        self._ear = ear
        self._tls = tls
        self._open = 0

    async def attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        remote = plain_address(writer.get_extra_info("peername")[0])
        if self._tls is not None and not await self._is_sealed(writer, remote, self._tls):
            return
        self._open += 1
        try:
            if self._open <= MOST_CONNECTIONS:
                await self._read(reader, remote)
            else:
                log.warning("%s is hung up on: %d syslog connections are open", remote, MOST_CONNECTIONS)
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError) as broke:
            log.info("the syslog connection of %s broke: %s", remote, broke)
        except BadFrame as bad:
            log.warning("%s is hung up on: %s", remote, bad)
        finally:
            self._open -= 1
            writer.close()

    async def _is_sealed(self, writer: asyncio.StreamWriter, remote: str, tls: ssl.SSLContext) -> bool:
        """Whether they speak TLS, and show a certificate where one is wanted.

        asyncio, given a server's TLS, turns away whoever does not, and tells nobody.
        """
        try:
            await writer.start_tls(tls, ssl_handshake_timeout=HANDSHAKE_S)
        except ssl.SSLError as refusal:
            self._ear.turn_away(remote, in_words(refusal))
        except (ConnectionError, TimeoutError) as broke:
            log.info("the syslog connection of %s broke: %s", remote, broke)
        else:
            return True
        writer.close()
        return False

    async def _read(self, reader: asyncio.StreamReader, remote: str) -> None:
        """Hear everything in order, and return when all of it is stored; how it ended changes nothing of that."""
        room = asyncio.Semaphore(UNDER_WAY)
        ended: Exception | None = None
        async with asyncio.TaskGroup() as heard:
            try:
                async for frame in frames(reader, framed=self._tls is not None):
                    await room.acquire()
                    heard.create_task(self._ear.hear(SYSLOG, frame, remote)).add_done_callback(
                        lambda _: room.release()
                    )
            except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError, BadFrame) as how:
                ended = how
        if ended is not None:
            raise ended


def in_words(refusal: ssl.SSLError) -> str:
    """Why somebody is turned away, for whoever administers their machine."""
    if isinstance(refusal, ssl.SSLCertVerificationError):
        return f"Its certificate is not one that is admitted: {refusal.verify_message}."
    if refusal.reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE":
        return "It shows no certificate."
    return f"It does not speak TLS as it must: {(refusal.reason or 'the handshake failed').replace('_', ' ').lower()}."


class BadFrame(ValueError):
    """What comes is neither a frame nor a line that anybody would send."""


async def frames(reader: asyncio.StreamReader, *, framed: bool = False) -> AsyncIterator[bytes]:
    """The messages of a stream; `framed`: each begins with its length. Raises BadFrame."""
    while True:
        first = await reader.read(1)
        if not first:
            return
        if first.isdigit():
            head = first + await _until(reader, b" ", 8)
            if not head[:-1].isdigit() or int(head) > LONGEST_LINE:
                raise BadFrame(f"a frame says that it is {head[:8]!r} long; {LONGEST_LINE} is the most")
            yield await reader.readexactly(int(head))
        elif framed:
            raise BadFrame("over TLS each message begins with its length (RFC 5425)")
        elif first not in b"\r\n\0":
            yield (first + await _until(reader, b"\n", LONGEST_LINE)).rstrip(b"\r\n\0")


async def _until(reader: asyncio.StreamReader, end: bytes, most: int) -> bytes:
    """Up to and with `end`, or the rest before the stream ends. Raises BadFrame."""
    try:
        found = await reader.readuntil(end)
    except asyncio.IncompleteReadError as rest:
        return rest.partial
    except asyncio.LimitOverrunError as error:
        raise BadFrame(f"a line is longer than {most} bytes") from error
    if len(found) > most:
        raise BadFrame(f"a line is longer than {most} bytes")
    return found


def plain_address(address: str) -> str:
    """As people write it: without a zone, and an IPv4 address that came over IPv6 as what it is."""
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


def address_of(remote: str) -> Address:
    return ipaddress.ip_address(remote)


@dataclass(frozen=True, slots=True)
class Ports:
    """Where to listen; 0 is not at all. `tls`: how to be spoken to at the port for syslog over TLS."""

    host: str
    syslog: int = 0
    snmp: int = 0
    syslog_tls: int = 0
    tls: ssl.SSLContext | None = None

    def __bool__(self) -> bool:
        return bool(self.syslog or self.snmp or self.syslog_tls)

    def named(self) -> Iterator[tuple[str, int]]:
        """What is listened for, and at which port."""
        words = {
            "syslog (UDP and TCP)": self.syslog,
            "SNMP traps": self.snmp,
            "syslog over TLS": self.syslog_tls,
        }
        return ((what, port) for what, port in words.items() if port)


def tls_context(certificate: str, key: str, authority: str = "") -> ssl.SSLContext:
    """How we show who we are; with an `authority`, senders must show a certificate that it signed (RFC 5425 §4.2).

    All are files in PEM. Raises UnableToSpeakTLS.
    """
    if not certificate:
        raise UnableToSpeakTLS("syslog over TLS needs a certificate: set TIERDESK_TLS_CERTIFICATE")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key or None)
        if authority:
            context.load_verify_locations(authority)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise UnableToSpeakTLS(f"the files for syslog over TLS cannot be used: {error}") from error
    return context


class UnableToSpeakTLS(OSError):
    """The certificate or its key cannot be used; the text says why."""


@contextmanager
def listening(ports: Ports, store: Store, strangers: Strangers) -> Iterator[None]:
    """Listen in a thread of its own. Raises OSError if a port is taken."""
    ready: threading.Event = threading.Event()
    ending: list[Any] = []
    broken: list[OSError] = []

    async def live() -> None:
        stop = asyncio.Event()
        ending.append((asyncio.get_running_loop(), stop))
        async with AsyncExitStack() as stack:
            ear = await stack.enter_async_context(Ear(store, strangers).listening())
            try:
                for server in await _open(ports, ear):
                    stack.callback(server.close)
            except OSError as taken:
                broken.append(taken)
                return
            ready.set()
            await stop.wait()

    def run() -> None:
        try:
            asyncio.run(live())
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="alarm listeners", daemon=True)
    thread.start()
    ready.wait()
    if broken:
        thread.join()
        raise broken[0]
    for what, port in ports.named():
        log.info("listening for %s on %s port %s", what, ports.host, port)
    try:
        yield
    finally:
        loop, stop = ending[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=15)


async def _open(ports: Ports, ear: Ear) -> Sequence[Any]:
    loop = asyncio.get_running_loop()
    found: list[Any] = []
    for shape, port in ((SYSLOG, ports.syslog), (SNMP, ports.snmp)):
        if port:
            address = (ports.host, port)
            transport, _ = await loop.create_datagram_endpoint(
                lambda shape=shape: Datagrams(ear, shape),  # type: ignore[misc]
                local_addr=address,
            )
            found.append(transport)
    if ports.syslog:
        lines = Lines(ear)
        found.append(await asyncio.start_server(lines.attend, ports.host, ports.syslog, limit=LONGEST_LINE))
    if ports.syslog_tls:
        sealed = Lines(ear, tls=ports.tls)
        found.append(
            await asyncio.start_server(sealed.attend, ports.host, ports.syslog_tls, limit=LONGEST_LINE)
        )
    return found
