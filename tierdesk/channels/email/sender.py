"""How mail leaves: composed once per notice and recipient, handed to a relay, or put into a folder where there is none."""

from __future__ import annotations

import smtplib
from datetime import datetime
from pathlib import Path
from typing import Protocol

from django.conf import settings

from tierdesk.channels.email.channel import secret
from tierdesk.channels.email.compose import Envelope, Letter, Origin, compose
from tierdesk.channels.email.models import Mailbox
from tierdesk.response.notifications.models import Notice
from tierdesk.tickets.conversation import Direction

TIMEOUT_S = 20


class Sender(Protocol):
    """Takes an envelope; returns when it is safe with somebody else. Raises OSError or SMTPException otherwise."""

    def send(self, envelope: Envelope) -> None: ...


class Relay:
    """A mail server that takes our mail (TIERDESK_SMTP_RELAY_HOST and _PORT)."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port

    def send(self, envelope: Envelope) -> None:
        with smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_S) as server:
            options = ["SMTPUTF8"] if envelope.needs_smtputf8 else []
            server.sendmail(envelope.mail_from, [envelope.rcpt_to], envelope.data, mail_options=options)


class Folder:
    """No relay is configured: each mail becomes a file, so that a newcomer sees what would be sent."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def send(self, envelope: Envelope) -> None:
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = envelope.message_id.strip("<>").partition("@")[0]
        (self.path / f"{name}.eml").write_bytes(envelope.data)


def sender() -> Sender:
    """The sender that the settings name."""
    if settings.SMTP_RELAY_HOST:
        return Relay(settings.SMTP_RELAY_HOST, settings.SMTP_RELAY_PORT)
    return Folder(settings.HOME / "outbox")


def envelope_of(notice: Notice, at: datetime) -> Envelope:
    """The mail that a notice becomes; the same Message-ID at every try. Raises UnableToCompose."""
    answered = _chain(notice)
    letter = Letter(
        ticket=notice.ticket_id or 0,
        serial=f"n{notice.pk}",
        mailbox=_mailbox(notice),
        from_name=notice.sender_name,
        subject=notice.subject,
        text=notice.text,
        at=at,
        origin=Origin.AUTOMATIC_REPLY if notice.automatic else Origin.PERSON,
        in_reply_to=answered[-1] if answered else "",
        references=tuple(answered),
        to=(notice.address,),
    )
    return compose(letter, recipient=notice.address, secret=secret())


def _mailbox(notice: Notice) -> str:
    own = Mailbox.objects.filter(client=notice.client) if notice.client else Mailbox.objects.none()
    return own.values_list("address", flat=True).first() or settings.MAIL_FROM


def _chain(notice: Notice) -> list[str]:
    """The Message-IDs of the conversation so far, oldest first; a vendor's mail starts a chain of its own."""
    if notice.case_id is not None or notice.ticket is None:
        return []
    said = notice.ticket.messages.exclude(direction=Direction.INTERNAL).exclude(message_id="")
    return [_bracketed(one) for one in said.order_by("at", "id").values_list("message_id", flat=True)]


def _bracketed(message_id: str) -> str:
    return f"<{message_id.strip('<> ')}>"


def send(notice: Notice, at: datetime) -> str:
    """Send a notice by mail; returns the Message-ID it left with."""
    envelope = envelope_of(notice, at)
    sender().send(envelope)
    return envelope.message_id
