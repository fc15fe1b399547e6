"""What goes from a major incident to all its children, as rows that are written in one commit with what they tell of.

The engine carries them (carry.py): whoever acts need not see every child's client, and a killed process loses none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from tierdesk.core.facts import Actor
from tierdesk.core.words import Word
from tierdesk.core.work import current
from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import InternalRows

if TYPE_CHECKING:
    from tierdesk.response.major.models import MajorIncident


class CascadeKind(models.TextChoices):
    BROADCAST = "broadcast", "A broadcast"
    RESOLUTION = "resolution", "Its resolution"
    REOPENING = "reopening", "Its reopening"
    END = "end", "Its standing down"


class Cascade(models.Model):
    """One thing that reaches all children, by whoever did it to the parent. `reached`: how many it has reached."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, db_index=False)
    incident = models.ForeignKey("major.MajorIncident", on_delete=models.CASCADE, related_name="cascades")
    kind = Word(max_length=10, choices=CascadeKind.choices)
    text = models.TextField(blank=True)
    code = models.CharField(max_length=20, blank=True)
    by_kind = models.CharField(max_length=10)
    by_id = models.BigIntegerField(null=True, blank=True)
    by_name = models.CharField(max_length=200)
    said_at = models.DateTimeField()
    reached = models.PositiveIntegerField(null=True, blank=True)
    wake_at = models.DateTimeField(null=True, blank=True)

    objects = InternalRows.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["wake_at"], name="cascades_to_carry", condition=Q(wake_at__isnull=False))
        ]

    @classmethod
    def put(cls, incident: MajorIncident, kind: str, *, text: str = "", code: str = "") -> Cascade:
        """Let it go to the children as soon as this unit of work is committed."""
        unit = current()
        return cls.objects.create(
            client_id=incident.client_id,
            incident=incident,
            kind=kind,
            text=text,
            code=code,
            by_kind=unit.by.kind,
            by_id=unit.by.id,
            by_name=unit.by.name,
            said_at=unit.at,
            wake_at=unit.at,
        )

    @property
    def by(self) -> Actor:
        return Actor(self.by_kind, self.by_name, self.by_id)
