"""How mail leaves: one envelope per notice, handed to a relay, or put into a folder where there is none."""

from __future__ import annotations

import re
import smtplib
from datetime import datetime
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.utils.html import linebreaks

from tierdesk.channels.email.compose import Envelope, Letter, Origin, compose
from tierdesk.channels.email.models import Mailbox, mailbox_for, secret
from tierdesk.channels.email.submission import Submission, hand_over
from tierdesk.core.markdown import markdown_message
from tierdesk.response.notifications.models import Notice
from tierdesk.response.vendors.models import CaseMessage
from tierdesk.tickets.conversation import Direction

TIMEOUT_S = 20
SET = re.compile(r"<(?!/?p>|br>|/)")
"""A tag that plain text has nothing for."""


class Sender(Protocol):
    """Takes an envelope; returns when it is safe with somebody else. Raises OSError or SMTPException otherwise."""

    def send(self, envelope: Envelope) -> None: ...


class Relay:
    """The mail server of the house that takes our mail (TIERDESK_SMTP_RELAY_HOST and _PORT)."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port

    def __str__(self) -> str:
        return f"by the mail server {self.host}, port {self.port}"

    def send(self, envelope: Envelope) -> None:
        with smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_S) as server:
            hand_over(server, envelope, mail_from=envelope.mail_from)


class Folder:
    """No relay is configured: each mail becomes a file, so that a newcomer sees what would be sent."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    def send(self, envelope: Envelope) -> None:
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = envelope.message_id.strip("<>").partition("@")[0]
        (self.path / f"{name}.eml").write_bytes(envelope.data)


def sender(mailbox: Mailbox) -> Sender:
    """The mailbox's own server, if it has one, or what the settings name for the house."""
    return Submission(mailbox) if mailbox.smtp_host else sender_of_the_house()


def sender_of_the_house() -> Relay | Folder:
    """For mailboxes without a server of their own; as text, it says where their mail goes."""
    if settings.SMTP_RELAY_HOST:
        return Relay(settings.SMTP_RELAY_HOST, settings.SMTP_RELAY_PORT)
    return Folder(settings.HOME / "outbox")


def envelope_of(notice: Notice, at: datetime, mailbox: Mailbox) -> Envelope:
    """The mail that a notice becomes, from that mailbox; the same Message-ID at every try. Raises UnableToCompose."""
    answered = _chain(notice)
    letter = Letter(
        ticket=notice.ticket_id or 0,
        serial=f"n{notice.pk}",
        mailbox=mailbox.address,
        from_name=notice.sender_name,
        subject=notice.subject,
        text=notice.text,
        html=_html(notice),
        at=at,
        origin=_origin(notice),
        in_reply_to=answered[-1] if answered else "",
        references=tuple(answered),
        to=(notice.address,),
        hops=int(notice.ticket.traits.get("mail.hops", 0)) if notice.ticket else 0,
    )
    return compose(letter, recipient=notice.address, secret=secret())


def _html(notice: Notice) -> str:
    """The mail with what an agent set in it as Markdown, such as a list. Empty where plain text shows all."""
    said = notice.said
    if said is None or not said.is_markdown or not notice.text.startswith(said.text):
        return ""
    written = markdown_message(said.text)
    if not SET.search(written):
        return ""
    return f"<html><body>{written}{linebreaks(notice.text.removeprefix(said.text), autoescape=True)}</body></html>"


def _origin(notice: Notice) -> Origin:
    if not notice.automatic:
        return Origin.PERSON
    return Origin.AUTOMATIC_REPLY if notice.kind == "receipt" else Origin.NOTIFICATION


def _chain(notice: Notice) -> list[str]:
    """The Message-IDs of the conversation when the notice was written, oldest first."""
    if notice.ticket is None or notice.agent_id is not None:
        return []
    if notice.case_id is not None:
        return _chain_of_case(notice)
    said = notice.ticket.messages.exclude(direction=Direction.INTERNAL).filter(message_id__contains="@")
    before = said.filter(at__lte=notice.created_at).exclude(pk=notice.said_id)
    return [_bracketed(one) for one in before.order_by("at", "id").values_list("message_id", flat=True)]


def _chain_of_case(notice: Notice) -> list[str]:
    """What we and the vendor wrote to one another; its mails are not the contact's."""
    ours = Notice.objects.filter(case_id=notice.case_id, pk__lt=notice.pk).exclude(message_id="")
    theirs = CaseMessage.objects.filter(case=notice.case_id, at__lte=notice.created_at).exclude(message_id="")
    written = [*ours.values_list("created_at", "message_id"), *theirs.values_list("at", "message_id")]
    return [_bracketed(message_id) for _, message_id in sorted(written)]


def _bracketed(message_id: str) -> str:
    return f"<{message_id.strip('<> ')}>"


def send(notice: Notice, at: datetime) -> str:
    """Send a notice by mail; returns the Message-ID it left with."""
    mailbox = mailbox_for(notice.client)
    envelope = envelope_of(notice, at, mailbox)
    sender(mailbox).send(envelope)
    return envelope.message_id


def way_of(notice: Notice) -> tuple[str, str]:
    """Which server a notice leaves by: when one is closed, what takes another way goes on."""
    host = mailbox_for(notice.client).smtp_host if notice.channel == "mail" else ""
    return notice.channel, host
