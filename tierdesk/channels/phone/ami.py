"""A line to Asterisk's manager interface: signed in by challenge, watched by pings, dialled again when it breaks.

What happened while the line was down is made up for: the calls under way are asked for, and those that the desk still
holds for going and Asterisk does not know any more have ended.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections

from tierdesk.channels.phone.asterisk import Interpreter, Message
from tierdesk.channels.phone.hear import hear
from tierdesk.channels.phone.models import Call, Direction, Exchange, ExchangeKind
from tierdesk.channels.phone.progress import CallEvent, CallState
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, seeing

PING_S = 30.0
SILENCE_S = 75.0
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
LOOK_S = 0.5

log = logging.getLogger(__name__)


class LineBroke(Exception):
    """The interface hung up, fell silent, or did not let us in; the sentence says which."""


@dataclass(frozen=True)
class Account:
    """Where the interface is and who we are there (`manager.conf`)."""

    host: str
    port: int
    user: str
    secret: str


def attend(stopping: threading.Event) -> None:
    """Listen to the Asterisk of the settings until told to stop; a line that breaks is dialled again."""
    account = Account(settings.AMI_HOST, settings.AMI_PORT, settings.AMI_USER, settings.AMI_SECRET)
    pause = FIRST_PAUSE_S
    while not stopping.is_set():
        began = time.monotonic()
        try:
            asyncio.run(_attend(account, stopping.is_set))
        except (LineBroke, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as broke:
            log.warning("the line to Asterisk at %s port %s broke: %s", account.host, account.port, broke)
        except Exception:
            log.exception("the line to Asterisk is dialled again")
        pause = (
            FIRST_PAUSE_S if time.monotonic() - began > LONGEST_PAUSE_S else min(pause * 2, LONGEST_PAUSE_S)
        )
        stopping.wait(pause)


async def _attend(account: Account, is_over: Callable[[], bool]) -> None:
    """One line, from dialling to its end."""
    interpreter = Interpreter(settings.AMI_CONTEXTS, await _going())
    async with line(account) as ami:
        log.info("listening to Asterisk at %s port %s", account.host, account.port)
        ami.ask("CoreShowChannels")
        async for message in ami.messages(is_over):
            for event in interpreter.events(message):
                await _keep(event, is_over)


async def _keep(event: CallEvent, is_over: Callable[[], bool]) -> None:
    """Keep what was said; while the database is away it is said to it again, as Asterisk says it only once."""
    while not is_over():
        try:
            await sync_to_async(_hear, thread_sensitive=False)(event)
            return
        except (OperationalError, InterfaceError):
            log.warning("the database is away; call %s waits", event.call_id)
            await asyncio.sleep(1)


def _hear(event: CallEvent) -> None:
    try:
        with seeing(EVERY_CLIENT):
            exchange = _exchange()
            if exchange is not None:
                hear(exchange, event, clock.now())
    finally:
        close_old_connections()


def _exchange() -> Exchange | None:
    found: Exchange | None = (
        Exchange.objects.select_related("client").filter(kind=ExchangeKind.ASTERISK, enabled=True).first()
    )
    if found is None:
        log.warning("Asterisk tells of calls, but no exchange of the desk's file is of kind “asterisk”")
    return found


@sync_to_async(thread_sensitive=False)
def _going() -> dict[str, bool]:
    """The calls that the desk holds for going, and whether each is incoming."""
    try:
        with seeing(EVERY_CLIENT):
            going = Call.objects.filter(exchange__kind=ExchangeKind.ASTERISK, state__in=CallState.going())
            found = going.values_list("ext_id", "direction")
            return {call_id: direction == Direction.IN for call_id, direction in found}
    finally:
        close_old_connections()


class Ami:
    """An open line. Not to be made by hand: see `line`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def sign_in(self, account: Account) -> None:
        """Let ourselves in without saying the secret. Raises LineBroke if we are not wanted."""
        banner = await asyncio.wait_for(self._reader.readline(), PING_S)
        if not banner.startswith(b"Asterisk Call Manager"):
            raise LineBroke("whoever answered is no Asterisk")
        self.ask("Challenge", AuthType="MD5")
        challenge = (await self._answer()).get("challenge", "")
        key = hashlib.md5(f"{challenge}{account.secret}".encode(), usedforsecurity=False).hexdigest()
        self.ask("Login", AuthType="MD5", Username=account.user, Key=key, Events="call")
        answer = await self._answer()
        if answer.get("response", "").lower() != "success":
            raise LineBroke(f"{account.user} is not let in: {answer.get('message', 'no reason given')}")

    def ask(self, action: str, **fields: str) -> None:
        said = {"Action": action, **fields}
        lines = (f"{name}: {_one_line(value)}\r\n" for name, value in said.items())
        self._writer.write("".join([*lines, "\r\n"]).encode())

    async def messages(self, is_over: Callable[[], bool]) -> AsyncIterator[Message]:
        """Message after message until `is_over`. Raises LineBroke when the other side hangs up or falls silent."""
        now = asyncio.get_running_loop().time
        heard_at = pinged_at = now()
        reading = asyncio.ensure_future(self._message())
        try:
            while not is_over():
                done, _ = await asyncio.wait([reading], timeout=LOOK_S)
                if done:
                    heard_at = now()
                    yield reading.result()
                    reading = asyncio.ensure_future(self._message())
                elif now() - heard_at > SILENCE_S:
                    raise LineBroke("nothing was heard for too long")
                if now() - pinged_at > PING_S:
                    self.ask("Ping")
                    pinged_at = now()
        finally:
            reading.cancel()

    async def _answer(self) -> Message:
        """The next response; events that come before it are of no use yet."""
        while True:
            message = await asyncio.wait_for(self._message(), PING_S)
            if "response" in message:
                return message

    async def _message(self) -> Message:
        """One message: lines of `Name: value`, ended by an empty one. A name that comes twice keeps its last value."""
        fields: dict[str, str] = {}
        while (raw := await self._reader.readline()) not in (b"\r\n", b"\n"):
            if not raw:
                raise LineBroke("the other side hung up")
            name, _, value = raw.decode("utf-8", "replace").partition(":")
            fields[name.strip().lower()] = value.strip().replace("\0", "")
        return fields


@asynccontextmanager
async def line(account: Account) -> AsyncIterator[Ami]:
    """A line that is signed in. Raises LineBroke or OSError."""
    reader, writer = await asyncio.wait_for(asyncio.open_connection(account.host, account.port), PING_S)
    try:
        ami = Ami(reader, writer)
        await ami.sign_in(account)
        yield ami
    finally:
        writer.close()


def _one_line(value: str) -> str:
    """A field is one line: what follows a line break would be a field of its own."""
    return " ".join(value.splitlines())
