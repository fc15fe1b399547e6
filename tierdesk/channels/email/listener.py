"""The listener for one's own mail server, SMTP and LMTP: stored and committed first, then `250`, else `451`."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from asgiref.sync import sync_to_async
from django.db import InterfaceError, OperationalError, close_old_connections

from tierdesk.channels.email.door import Door, LMTPDoor, SMTPDoor
from tierdesk.channels.email.limits import MESSAGE_BYTES
from tierdesk.channels.email.turn import head_start
from tierdesk.channels.models import Inbound
from tierdesk.core.scope import EVERY_CLIENT, seeing

TAKEN = "250 2.0.0 Stored"
LATER = "451 4.3.0 Try again later"
EX_DATAERR = 65
EX_TEMPFAIL = 75

MOST_RECIPIENTS = 1000
"""Of one mail. RFC 5321 §4.5.3.1.8 demands 100; who has more sends it again for the others."""

log = logging.getLogger(__name__)


class Entrance(Controller):
    """Opens a door of one kind to whoever calls."""

    door: Door = SMTPDoor

    def factory(self) -> SMTP:
        return self.door(self.handler, **self.SMTP_kwargs)


class Handler:
    """Takes each mail as it is. Recipients are judged when it is understood, not here."""

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        raw = envelope.original_content or b""
        peer = session.peer[0] if isinstance(session.peer, tuple) else str(session.peer)
        recipients = [str(one) for one in envelope.rcpt_tos]
        said = await sync_to_async(keep, thread_sensitive=False)(
            raw, recipients, str(envelope.mail_from or ""), str(peer)
        )
        assert isinstance(server, SMTPDoor | LMTPDoor)
        return server.to_each(said)


def keep(raw: bytes, recipients: list[str], mail_from: str | None, remote: str) -> str:
    """Store one delivery and say what SMTP answers. The same bytes to the same recipients count once.

    `mail_from`: "" is the null sender; None is not told, and then the mail's own Return-Path counts.
    Whatever goes wrong, the sender keeps the mail and tries again: a 5xx would give it back to its author.
    """
    key = hashlib.sha256(raw + "\0".join(sorted(recipients)).encode()).hexdigest()
    meta = {"recipients": recipients} | ({} if mail_from is None else {"mail_from": mail_from})
    try:
        with seeing(EVERY_CLIENT):
            start = head_start(mail_from or "")
            Inbound.store("email", raw, ext_key=key, remote=remote, meta=meta, head_start=start)
    except (OperationalError, InterfaceError):
        log.warning("mail from %s is put off: the database is away", remote)
        return LATER
    except Exception:
        log.exception("mail from %s is put off", remote)
        return LATER
    finally:
        close_old_connections()
    return TAKEN


def keep_from_pipe(stdin: BinaryIO, recipients: list[str], mail_from: str | None) -> int:
    """For a mail server that hands mail to a command: the exit code, 0 or EX_TEMPFAIL (sysexits.h) to try again."""
    raw = stdin.read(MESSAGE_BYTES + 1)
    if len(raw) > MESSAGE_BYTES:
        return EX_DATAERR
    return 0 if keep(raw, recipients, mail_from, "pipe") == TAKEN else EX_TEMPFAIL


@contextmanager
def listening(host: str, port: int, door: Door = SMTPDoor) -> Iterator[Controller]:
    """Listen in a thread of its own while the block runs."""
    controller = Entrance(
        Handler(),
        hostname=host,
        port=port,
        data_size_limit=MESSAGE_BYTES,
        enable_SMTPUTF8=True,
        ready_timeout=10,
    )
    controller.door = door
    controller.start()
    log.info("listening for mail on %s port %s (%s)", host, port, door.__name__.removesuffix("Door"))
    try:
        yield controller
    finally:
        controller.stop()
