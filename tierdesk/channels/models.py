"""What arrived, as it arrived: kept raw and committed before anybody tries to understand it."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Q

from tierdesk.core import clock
from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import ClientRows
from tierdesk.tickets.models import Ticket


class InboundState(models.TextChoices):
    NEW = "new", "Waiting to be understood"
    DONE = "done", "Understood"
    PARKED = "parked", "Parked"
    DISCARDED = "discarded", "Discarded"


class Inbound(models.Model):
    """One delivery on one channel. `ext_key` makes a delivery that comes twice count once.

    Every delivery ends as done, parked (with a reason that an agent reads) or discarded (by a person, with why).
    """

    channel = models.CharField(max_length=20)
    ext_key = models.CharField(max_length=128)
    received_at = models.DateTimeField()
    raw = models.BinaryField()
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    remote = models.CharField(max_length=200, blank=True)
    meta = models.JSONField(default=dict)
    state = models.CharField(max_length=9, choices=InboundState.choices, default=InboundState.NEW)
    reason = models.CharField(max_length=500, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    client = models.ForeignKey(Client, null=True, blank=True, on_delete=models.SET_NULL, db_index=False)
    ticket = models.ForeignKey(
        Ticket, null=True, blank=True, on_delete=models.SET_NULL, related_name="inbounds"
    )
    wake_at = models.DateTimeField(null=True, blank=True)

    objects = ClientRows.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["wake_at"], name="inbound_to_understand", condition=Q(wake_at__isnull=False)
            ),
            models.Index(fields=["-id"], name="inbound_parked", condition=Q(state="parked")),
        ]
        constraints = [models.UniqueConstraint(fields=["channel", "ext_key"], name="a_delivery_counts_once")]

    def __str__(self) -> str:
        return f"{self.channel} {self.pk}"

    @classmethod
    def store(
        cls,
        channel: str,
        raw: bytes,
        *,
        ext_key: str = "",
        remote: str = "",
        meta: dict[str, Any] | None = None,
        at: datetime | None = None,
    ) -> tuple[int, bool]:
        """Keep a delivery; returns (id, whether it is new). It is committed when this returns.

        Without a key of the channel's own, the hash of the bytes is the key.
        """
        digest = hashlib.sha256(raw).hexdigest()
        received = at or clock.now()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO channels_inbound
                    (channel, ext_key, received_at, raw, size, sha256, remote, meta, state, reason, tries, wake_at)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s::jsonb, 'new', '', 0, %s)
                ON CONFLICT (channel, ext_key) DO NOTHING RETURNING id
                """,
                [
                    channel,
                    (ext_key or digest)[:128],
                    received,
                    raw,
                    len(raw),
                    digest,
                    remote[:200],
                    json.dumps(meta or {}),
                    received,
                ],
            )
            row = cursor.fetchone()
            if row is not None:
                return row[0], True
            known = cls.objects.filter(channel=channel, ext_key=(ext_key or digest)[:128])
            return known.values_list("pk", flat=True)[0], False

    def replay(self, at: datetime, *, client: Client | None = None) -> None:
        """Try to understand it again, as mail of `client` if a person says whose it is."""
        meta = self.meta | ({"client": client.key} if client else {})
        self._decide(InboundState.NEW, "", wake_at=at, meta=meta, tries=0)

    def discard(self, why: str) -> None:
        """A person decided that it is nothing; the bytes stay."""
        self._decide(InboundState.DISCARDED, why)

    def _decide(self, state: str, reason: str, **more: Any) -> None:
        type(self).objects.filter(pk=self.pk, state=InboundState.PARKED).update(
            state=state, reason=reason, **more
        )
        self.refresh_from_db()
