"""What people find out without us: level 0 of the ladder."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import models

from tierdesk.directory.clients.models import Client, Contact
from tierdesk.directory.clients.visibility import ClientRows

LONGEST_ASKED = 500


class SelfService(models.Model):
    """A contact who was about to ask, was shown what may help, and says that it did. There is no ticket of it, so no
    promise runs (promises.md F10).

    `asked`: what they had typed. `shown`: how many answers they saw. `key`: of the form, so that it counts once.
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE)
    contact = models.ForeignKey(Contact, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()
    asked = models.CharField(max_length=LONGEST_ASKED, blank=True)
    shown = models.PositiveSmallIntegerField()
    key = models.UUIDField()

    objects = ClientRows.as_manager()

    class Meta:
        indexes = [models.Index(fields=["at"], name="self_service_by_time")]
        constraints = [models.UniqueConstraint(fields=["client", "key"], name="self_service_counts_once")]

    def __str__(self) -> str:
        return f"{self.contact or self.client}, {self.at:%Y-%m-%d}"

    @classmethod
    def note(cls, contact: Contact, *, asked: str, shown: int, key: UUID, at: datetime) -> SelfService:
        """Write it down, once for each `key`."""
        values = {
            "contact": contact,
            "at": at,
            "asked": " ".join(asked.split())[:LONGEST_ASKED],
            "shown": shown,
        }
        noted, _ = cls.objects.get_or_create(client_id=contact.client_id, key=key, defaults=values)
        return noted
