"""The words on a ticket: public replies, internal notes, what the contact wrote; and the files that came along."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models

from tierdesk.core.facts import Actor
from tierdesk.core.work import current, record
from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import ClientRows
from tierdesk.tickets.facts import Amended, Heard, Noted, Replied
from tierdesk.tickets.lifecycle import WOKEN_BY_CONTACT, State, UnableTo

if TYPE_CHECKING:
    from tierdesk.tickets.models import Ticket


class Direction(models.TextChoices):
    INBOUND = "inbound", "From the contact"
    OUTBOUND = "outbound", "To the contact"
    INTERNAL = "internal", "Internal"


class Messages(ClientRows):
    def public(self) -> Messages:
        return self.exclude(direction=Direction.INTERNAL)


class Message(models.Model):
    """One thing somebody said on a ticket. `text` is what a person reads; `html` the original, cleaned when shown.

    `message_id` is the mail's Message-ID, ours or theirs. `automatic`: written by a machine, not by a person.
    `trust`: how sure we are of the sender: verified, unverified or failed (security.md §4).
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE, db_index=False, db_constraint=False)
    ticket = models.ForeignKey(
        "tickets.Ticket", on_delete=models.CASCADE, related_name="messages", db_index=False
    )
    direction = models.CharField(max_length=8, choices=Direction.choices)
    by_kind = models.CharField(max_length=10)
    by_id = models.BigIntegerField(null=True, blank=True)
    by_name = models.CharField(max_length=200)
    at = models.DateTimeField()
    channel = models.CharField(max_length=12)
    text = models.TextField()
    html = models.TextField(blank=True)
    message_id = models.CharField(max_length=998, blank=True)
    automatic = models.BooleanField(default=False)
    trust = models.CharField(max_length=10, default="verified")
    why = models.CharField(max_length=300, blank=True)

    objects = Messages.as_manager()

    class Meta:
        ordering = ["at", "id"]
        indexes = [
            models.Index(fields=["ticket", "at"], name="messages_of_a_ticket"),
            models.Index(fields=["message_id"], name="messages_by_id", condition=~models.Q(message_id="")),
        ]

    @property
    def is_public(self) -> bool:
        return self.direction != Direction.INTERNAL

    @property
    def is_markdown(self) -> bool:
        """Whether an agent wrote it, as Markdown. What comes from outside, and what is said in a chat, is plain."""
        is_ours = self.by_kind == "agent" and self.direction != Direction.INBOUND
        return is_ours and self.channel != "chat"


class Attachment(models.Model):
    """A file on a message. Its name is only data; it is served as a download, never by its own claim of type."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=127)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()

    objects = ClientRows.as_manager()


class Conversation:
    """The verbs that put words on a ticket. Mixed into `Ticket`; each runs inside a unit of work."""

    def reply(self: Ticket, text: str) -> Message:
        """Write to the contact. The first human reply is the response that the respond clock waits for."""
        if self.state in (State.CLOSED, State.CANCELLED):
            raise UnableTo(
                f"{self.reference} is {self.state}; open a follow-up ticket to write to the contact."
            )
        if not text.strip():
            raise UnableTo("Write something before you send the reply.")
        self.acknowledge_if_human()
        message = self.add_message(text, direction=Direction.OUTBOUND, channel=self.answers_by())
        if self.first_responded_at is None:
            self.change(first_responded_at=current().at)
        record(Replied(ticket=self, message=message.pk, tier=self.tier))
        return message

    def why_nobody_hears(self: Ticket) -> str:
        """Why a reply would reach nobody; empty if it reaches a contact, a chat, or somebody who follows the ticket."""
        if self.channel == "chat" or (self.contact is not None and self.contact.email):
            return ""
        if self.participants.filter(accepted=True).exists():
            return ""
        if self.contact is None:
            return "this ticket has no contact"
        return f"{self.contact.name} has no mail address"

    def heard(self: Ticket) -> Ticket:
        """Itself, for whoever is about to write to the contact. Raises UnableTo if nobody would get that."""
        if why := self.why_nobody_hears():
            raise UnableTo(f"Nobody would get a reply: {why}.")
        return self

    def answers_by(self: Ticket) -> str:
        """The channel that our words take: back into a chat that opened the ticket, else by mail."""
        return "chat" if self.channel == "chat" else "email"

    def ask(self: Ticket, text: str, *, until: datetime | None = None) -> Message:
        """Ask the contact a question and wait for the answer."""
        message = self.reply(text)
        self.pend("requester_info", until=until, asked=True)
        return message

    def note(self: Ticket, text: str) -> Message:
        """Write an internal note that no contact ever sees."""
        if not text.strip():
            raise UnableTo("Write something before you save the note.")
        message = self.add_message(text, direction=Direction.INTERNAL, channel="note")
        record(Noted(ticket=self, message=message.pk))
        return message

    def hear(
        self: Ticket,
        text: str,
        *,
        channel: str,
        html: str = "",
        message_id: str = "",
        automatic: bool = False,
        trust: str = "verified",
        why: str = "",
        live: bool = False,
        reopens: bool = True,
    ) -> Message:
        """The contact wrote. Wakes a ticket that waits for them, reopens a resolved one inside its window.

        An automatic answer is kept, but wakes and reopens nothing; `reopens` says whether other words mean that it is
        not solved after all. On a closed ticket raises UnableTo: the caller opens a follow-up instead.
        """
        if self.state in (State.CLOSED, State.CANCELLED):
            raise UnableTo(
                f"{self.reference} is {self.state}; what is said now belongs on a follow-up ticket."
            )
        message = self.add_message(
            text,
            direction=Direction.INBOUND,
            channel=channel,
            html=html,
            message_id=message_id,
            automatic=automatic,
            trust=trust,
            why=why,
        )
        self.heed(message, why=why, live=live, reopens=reopens)
        return message

    def heed(self: Ticket, message: Message, *, why: str, live: bool = False, reopens: bool = True) -> None:
        """Let words of the contact that now stand here do what such words do: end a wait, reopen."""
        automatic = message.automatic
        record(Heard(ticket=self, message=message.pk, automatic=automatic, why=why, live=live))
        if automatic or message.trust == "failed":
            return
        if self.state == State.PENDING and self.pending_reason in WOKEN_BY_CONTACT:
            self.resume("the contact answered")
        elif self.state == State.RESOLVED and reopens and self.can_reopen(current().at):
            self.reopen("the contact answered")

    def amend(self: Ticket, message: Message, text: str | None) -> None:
        """Whoever said it changed it afterwards, or took it back (None). The message stays as it was read here."""
        record(Amended(ticket=self, message=message.pk, text=text))

    def add_message(
        self: Ticket,
        text: str,
        *,
        direction: str,
        channel: str,
        html: str = "",
        message_id: str = "",
        automatic: bool = False,
        trust: str = "verified",
        why: str = "",
    ) -> Message:
        unit = current()
        by: Actor = unit.by
        message = Message(
            client_id=self.client_id,
            ticket=self,
            direction=direction,
            by_kind=by.kind,
            by_id=by.id,
            by_name=by.name,
            at=unit.at,
            channel=channel,
            text=text,
            html=html,
            message_id=message_id,
            automatic=automatic,
            trust=trust,
            why=why,
        )
        if self.held is not None:
            self.held.say(message)
        else:
            message.save(force_insert=True)
        return message
