"""Forms as data: what they ask, for whom, and how often a public one may be sent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import connection, models
from django.db.models import Q, QuerySet

from tierdesk.channels.web_form.fields import Answer, FormField, readable
from tierdesk.directory.calendars.models import Calendar
from tierdesk.directory.clients.models import Client, Contact
from tierdesk.directory.services.models import Category, Service


class Access(models.TextChoices):
    SIGNED_IN = "signed_in", "Contacts who have signed in"
    LINK = "link", "Contacts, by a link to their mailbox"
    PUBLIC = "public", "Everybody"


class Forms(QuerySet["Form"]):
    def offered_to(self, contact: Contact) -> Self:
        """What a contact may fill in: the forms of their client, and those for every client."""
        mine = Q(client=contact.client_id) | Q(client=None)
        return self.filter(mine, is_active=True).select_related("service").order_by("service__name", "name")

    def public(self) -> Self:
        return self.filter(access=Access.PUBLIC, is_active=True, client__is_active=True)


class Form(models.Model):
    """One form. Without a client it is for all of them. `fields` are data (fields.py); so is `advice`:
    `{"words": ["vpn"], "say": "…"}`, shown to whoever types one of the words.

    `subject` may name fields, as in `New starter: {name}`. `next_steps`: what the receipt says happens next.
    `new_contacts`: whoever sends a public form becomes a contact. `most_per_hour`: how often it may be sent.
    `quiet_hours`: the longest that nobody sends it, in the hours of `quiet_in`; 0: any time.
    """

    client = models.ForeignKey(Client, null=True, blank=True, on_delete=models.CASCADE, related_name="forms")
    key = models.SlugField(max_length=60)
    name = models.CharField(max_length=160)
    intro = models.TextField(blank=True)
    service = models.ForeignKey(Service, null=True, blank=True, on_delete=models.SET_NULL)
    category = models.ForeignKey(Category, null=True, blank=True, on_delete=models.SET_NULL)
    access = models.CharField(max_length=10, choices=Access.choices, default=Access.SIGNED_IN)
    subject = models.CharField(max_length=200, blank=True)
    fields = models.JSONField(default=list)
    advice = models.JSONField(default=list, blank=True)
    next_steps = models.TextField(blank=True)
    new_contacts = models.BooleanField(default=False)
    most_per_hour = models.PositiveIntegerField(default=60)
    quiet_hours = models.PositiveSmallIntegerField(default=0, db_default=0)
    quiet_in = models.ForeignKey(
        Calendar, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    is_active = models.BooleanField(default=True)

    objects = Forms.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["client", "key"], nulls_distinct=False, name="one_form_per_key"),
            models.CheckConstraint(
                condition=~Q(access="public") | Q(client__isnull=False), name="a_public_form_has_a_client"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def questions(self) -> list[FormField]:
        return [FormField.of(one) for one in self.fields]

    def titled(self, answers: Mapping[str, Answer]) -> str:
        """The subject of what was sent: fields that were not asked leave nothing behind."""
        title = self.subject
        for each in self.questions():
            answer = answers.get(each.key, "")
            said = answer if isinstance(answer, str) else ", ".join(answer)
            title = title.replace(f"{{{each.key}}}", " ".join(said.split()))
        return title.strip(" :·-") or self.name

    def told(self, answers: Mapping[str, Answer]) -> str:
        return readable(self.questions(), answers)

    def advises(self, typed: str) -> list[str]:
        """What the form has to say to somebody who types these words."""
        words = typed.lower()
        return [one["say"] for one in self.advice if any(word.lower() in words for word in one["words"])]


PER_SENDER = 5
SENDERS_WINDOW = timedelta(minutes=10)
WINDOW = timedelta(hours=1)
KEPT = timedelta(days=1)


class Turnstile(models.Model):
    """How often a public form was sent within a while: by one sender (a digest of where they are), or by all."""

    form = models.ForeignKey(Form, on_delete=models.CASCADE, related_name="+", db_index=False)
    sender = models.CharField(max_length=32, blank=True)
    began_at = models.DateTimeField()
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["form", "sender", "began_at"], name="a_turnstile_counts_once")
        ]

    @classmethod
    def turn(cls, form: Form, remote: str, at: datetime) -> timedelta | None:
        """Let one through and return None, or say how long to wait. Each sender first, so that one alone cannot
        use up what all have together."""
        sender = hashlib.sha256(remote.encode()).hexdigest()[:32]
        for who, window, most in ((sender, SENDERS_WINDOW, PER_SENDER), ("", WINDOW, form.most_per_hour)):
            began = datetime.fromtimestamp(
                at.timestamp() // window.total_seconds() * window.total_seconds(), at.tzinfo
            )
            if cls._count(form, who, began) > most:
                return began + window - at
        return None

    @classmethod
    def _count(cls, form: Form, sender: str, began: datetime) -> int:
        row: dict[str, Any] = {"form": form.pk, "sender": sender, "began": began}
        with connection.cursor() as cursor:
            cursor.execute(COUNT, row)
            count = int(cursor.fetchone()[0])
        if count == 1:
            cls.objects.filter(began_at__lt=began - KEPT).delete()
        return count


COUNT = """
INSERT INTO web_form_turnstile (form_id, sender, began_at, count) VALUES (%(form)s, %(sender)s, %(began)s, 1)
ON CONFLICT (form_id, sender, began_at) DO UPDATE SET count = web_form_turnstile.count + 1 RETURNING count
"""
