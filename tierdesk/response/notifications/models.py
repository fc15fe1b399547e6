"""Who must be told: pending rows, written in the same commit as what they tell of, and sent afterwards.

`mail` and `chat` notices go out through channels/outbox.py, in order per ticket and address, as do those for a `room`
where an agent talks to the desk; `desk` notices are read on the desk.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Q

from tierdesk.core.words import Word
from tierdesk.core.work import current, record
from tierdesk.directory.clients.models import Client, Contact
from tierdesk.directory.clients.visibility import ClientRows, visible_clients
from tierdesk.directory.staff.models import Agent, Team, User
from tierdesk.response.notifications.facts import LeftLate, Undelivered
from tierdesk.tickets.models import Message, Ticket

NOTICEABLE = timedelta(minutes=1)
"""What leaves within this has left when it was written: so long an engine may rest."""


class NoticeState(models.TextChoices):
    PENDING = "pending", "Waiting to be sent"
    SENT = "sent", "Sent"
    FAILED = "failed", "Could not be sent"
    BOUNCED = "bounced", "Came back"
    WITHHELD = "withheld", "Held back"


class Notices(ClientRows):
    def visible_to(self, user: User) -> Self:
        """Agents, of the clients they serve, and what is a matter of one of our teams, which is no client's.

        Contacts see what was sent to them in their mailboxes.
        """
        if not (user.is_agent or user.is_admin):
            return self.none()
        ids = visible_clients(user)
        return self if ids is None else self.filter(Q(client_id__in=ids) | Q(team__isnull=False))

    def on_the_desk_of(self, agent: Agent) -> Self:
        return self.filter(channel="desk", agent=agent)

    def mails(self) -> Self:
        return self.filter(channel="mail")


class Notice(models.Model):
    """One message to one person. `sender_name` is in whose voice a mail speaks; `case_id` set when it goes to a vendor.

    `wake_at`: when a pending mail is tried next. `message_id` is minted at the first try and kept for every later one,
    so that a receiver can drop a double. `said` is the ticket's message that the mail carries, if it carries one.
    `team`: whose own matter it is, where it is no client's; `path`: the page of the desk where something can be done
    about that. `error`: why it failed, came back or was held back; a receipt that must not be sent is a row, too.
    """

    client = models.ForeignKey(Client, null=True, blank=True, on_delete=models.CASCADE, db_index=False)
    ticket = models.ForeignKey(
        Ticket, null=True, blank=True, on_delete=models.CASCADE, related_name="notices"
    )
    said = models.ForeignKey(Message, null=True, blank=True, on_delete=models.SET_NULL, db_index=False)
    case_id = models.BigIntegerField(null=True, blank=True)
    team = models.ForeignKey(
        Team, null=True, blank=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    path = models.CharField(max_length=200, blank=True, db_default="")
    channel = Word(max_length=5, default="mail")
    kind = Word(max_length=20)
    agent = models.ForeignKey(Agent, null=True, blank=True, on_delete=models.CASCADE, related_name="notices")
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.SET_NULL, db_index=False)
    address = models.CharField(max_length=1000, blank=True)
    sender_name = models.CharField(max_length=200, blank=True)
    subject = models.CharField(max_length=300)
    text = models.TextField()
    automatic = models.BooleanField(default=False)
    state = Word(max_length=8, choices=NoticeState.choices, default=NoticeState.PENDING)
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)
    message_id = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    wake_at = models.DateTimeField(null=True, blank=True)

    objects = Notices.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["wake_at"], name="notices_to_send", condition=Q(wake_at__isnull=False)),
            models.Index(fields=["agent", "-id"], name="notices_of_an_agent", condition=Q(channel="desk")),
            models.Index(
                fields=["ticket", "address", "id"], name="notices_in_order", condition=Q(state="pending")
            ),
            models.Index(fields=["message_id"], name="notices_by_message_id", condition=~Q(message_id="")),
            models.Index(
                fields=["created_at"],
                name="notices_that_failed",
                condition=Q(state__in=("failed", "bounced")),
            ),
            models.Index(
                fields=["address", "created_at"], name="receipts_by_address", condition=Q(kind="receipt")
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(channel="desk", agent__isnull=False)
                | Q(channel__in=["mail", "room"], address__gt="")
                | Q(channel="chat", ticket__isnull=False),
                name="a_notice_goes_to_somebody",
            ),
            models.CheckConstraint(
                condition=Q(team__isnull=True) | Q(client__isnull=True, ticket__isnull=True),
                name="a_matter_of_a_team_is_no_client_s",
            ),
        ]

    def tell_that_it_left(self, at: datetime) -> None:
        """Its contact has our public words only now: what was promised is answered now, not when they were written."""
        waited = at - self.created_at
        if self.kind != "reply" or self.ticket is None or self.said_id is None or waited < NOTICEABLE:
            return
        if self.contact_id != self.ticket.contact_id:
            return
        record(
            LeftLate(
                ticket=self.ticket,
                notice=self.pk,
                message=self.said_id,
                waited_s=int(waited.total_seconds()),
            )
        )

    def come_back(self, why: str, *, dead: bool, state: str = NoticeState.BOUNCED) -> None:
        """It did not arrive. `dead`: no later mail to this address will; its contact is marked."""
        unit = current()
        reason = why[:500]
        type(self).objects.filter(pk=self.pk).update(state=state, error=reason, wake_at=None)
        self.state, self.error, self.wake_at = state, reason, None
        if dead and self.contact_id is not None:
            Contact.objects.filter(pk=self.contact_id).update(undeliverable_since=unit.at)
        if self.ticket is not None:
            record(
                Undelivered(
                    ticket=self.ticket,
                    notice=self.pk,
                    notice_kind=self.kind,
                    address=self.address,
                    why=reason,
                    message=self.said_id,
                )
            )
