"""Both ends of the mail: what a customer's server says to the desk, and the relay that takes what the desk sends."""

from __future__ import annotations

import asyncio
import email
import email.policy
import re
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import make_msgid

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.servers.desk import Desk, free_port, until

DESK = "support@desk.example"


@dataclass
class Relay:
    """A mail server that keeps all it is given, as (recipient, message), and says so after `slow_s` seconds.

    It knows nobody in `unknown`. `envelopes`: (return path, recipients) of each of them.
    """

    port: int = field(default_factory=free_port)
    taken: list[tuple[str, EmailMessage]] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    slow_s: float = 0
    unknown: set[str] = field(default_factory=set)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.unknown:
            return "550 5.1.1 No such user here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        raw = envelope.original_content or b""
        message = email.message_from_bytes(raw, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.envelopes.append((str(envelope.mail_from or ""), list(envelope.rcpt_tos)))
        self.taken.extend((recipient, message) for recipient in envelope.rcpt_tos)
        await asyncio.sleep(self.slow_s)
        return "250 2.0.0 Taken"

    def mails_to(self, address: str, *, about: str) -> list[EmailMessage]:
        return [
            message
            for recipient, message in list(self.taken)
            if recipient == address and about in str(message["Subject"])
        ]

    def mail_soon(self, address: str, *, about: str) -> EmailMessage:
        """The first mail to this address whose subject says that, waiting for it a little."""
        assert until(lambda: self.mails_to(address, about=about)), [str(m["Subject"]) for _, m in self.taken]
        return self.mails_to(address, about=about)[0]


@contextmanager
def relay_running() -> Iterator[Relay]:
    relay = Relay()
    server = Controller(relay, hostname="127.0.0.1", port=relay.port, ready_timeout=10)
    server.start()
    try:
        yield relay
    finally:
        server.stop()


def letter(subject: str, text: str, *, sender: str = "Ann Albers <ann@acme.example>") -> EmailMessage:
    """A mail as an ordinary client writes it."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, DESK, subject
    message["Message-ID"] = make_msgid(domain="acme.example")
    message.set_content(text)
    return message


def post(desk: Desk, message: EmailMessage | bytes, *, to: str = DESK, mail_from: str = "") -> None:
    """Hand one mail to the desk. Returns when it is acknowledged; raises SMTPException or OSError if not."""
    raw = message if isinstance(message, bytes) else message.as_bytes()
    with smtplib.SMTP("127.0.0.1", desk.smtp_port, timeout=15) as server:
        server.sendmail(mail_from or "ann@acme.example", [to], as_carried(raw))


def as_carried(raw: bytes) -> bytes:
    """A mail as SMTP carries it: every line ends with CRLF, the last one too. A lone CR is no line end."""
    carried = re.sub(rb"\r?\n", b"\r\n", raw)
    return carried if carried.endswith(b"\r\n") else carried + b"\r\n"
