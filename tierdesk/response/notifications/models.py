"""Who must be told: pending rows, written in the same commit as what they tell of, and sent afterwards.

`mail` notices go out through channels/outbox.py, in order per ticket and address; `desk` notices are read on the desk.
"""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q

from tierdesk.directory.clients.models import Client, Contact
from tierdesk.directory.clients.visibility import ClientRows
from tierdesk.directory.staff.models import Agent
from tierdesk.tickets.models import Message, Ticket


class NoticeState(models.TextChoices):
    PENDING = "pending", "Waiting to be sent"
    SENT = "sent", "Sent"
    FAILED = "failed", "Could not be sent"
    BOUNCED = "bounced", "Came back"


class Notices(ClientRows):
    def on_the_desk_of(self, agent: Agent) -> Self:
        return self.filter(channel="desk", agent=agent)

    def mails(self) -> Self:
        return self.filter(channel="mail")


class Notice(models.Model):
    """One message to one person. `sender_name` is in whose voice a mail speaks; `case_id` set when it goes to a vendor.

    `wake_at`: when a pending mail is tried next. `message_id` is minted at the first try and kept for every later one,
    so that a receiver can drop a double. `said` is the ticket's message that the mail carries, if it carries one.
    """

    client = models.ForeignKey(Client, null=True, blank=True, on_delete=models.CASCADE, db_index=False)
    ticket = models.ForeignKey(
        Ticket, null=True, blank=True, on_delete=models.CASCADE, related_name="notices"
    )
    said = models.ForeignKey(Message, null=True, blank=True, on_delete=models.SET_NULL, db_index=False)
    case_id = models.BigIntegerField(null=True, blank=True)
    channel = models.CharField(max_length=5, default="mail")
    kind = models.CharField(max_length=20)
    agent = models.ForeignKey(Agent, null=True, blank=True, on_delete=models.CASCADE, related_name="notices")
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.SET_NULL, db_index=False)
    address = models.EmailField(blank=True)
    sender_name = models.CharField(max_length=200, blank=True)
    subject = models.CharField(max_length=300)
    text = models.TextField()
    automatic = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=NoticeState.choices, default=NoticeState.PENDING)
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
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(channel="desk", agent__isnull=False) | Q(channel="mail", address__gt=""),
                name="a_notice_goes_to_somebody",
            )
        ]
