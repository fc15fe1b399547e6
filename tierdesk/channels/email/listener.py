"""The SMTP listener for one's own mail server: stored and committed first, then `250`; `451` when the database is away."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from asgiref.sync import sync_to_async
from django.db import Error, InterfaceError, OperationalError, close_old_connections

from tierdesk.channels.email.limits import MESSAGE_BYTES
from tierdesk.channels.models import Inbound
from tierdesk.core.scope import EVERY_CLIENT, seeing

TAKEN = "250 2.0.0 Stored"
LATER = "451 4.3.0 Try again later"

log = logging.getLogger(__name__)


class Handler:
    """Takes each mail as it is. Recipients are judged when it is understood, not here."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        raw = envelope.original_content or b""
        peer = session.peer[0] if isinstance(session.peer, tuple) else str(session.peer)
        return await sync_to_async(keep, thread_sensitive=False)(
            raw, [str(one) for one in envelope.rcpt_tos], str(envelope.mail_from or ""), str(peer)
        )


def keep(raw: bytes, recipients: list[str], mail_from: str, remote: str) -> str:
    """Store one delivery and say what SMTP answers. The same bytes to the same recipients count once."""
    key = hashlib.sha256(raw + "\0".join(sorted(recipients)).encode()).hexdigest()
    meta = {"recipients": recipients, "mail_from": mail_from}
    try:
        with seeing(EVERY_CLIENT):
            Inbound.store("email", raw, ext_key=key, remote=remote, meta=meta)
    except (OperationalError, InterfaceError):
        log.warning("mail from %s is put off: the database is away", remote)
        return LATER
    except Error:
        log.exception("mail from %s could not be stored; its sender will try again", remote)
        return LATER
    finally:
        close_old_connections()
    return TAKEN


@contextmanager
def listening(host: str, port: int) -> Iterator[Controller]:
    """Listen in a thread of its own while the block runs."""
    controller = Controller(
        Handler(),
        hostname=host,
        port=port,
        data_size_limit=MESSAGE_BYTES,
        enable_SMTPUTF8=True,
        ready_timeout=10,
    )
    controller.start()
    log.info("listening for mail on %s port %s", host, port)
    try:
        yield controller
    finally:
        controller.stop()
