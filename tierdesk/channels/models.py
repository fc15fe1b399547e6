"""What arrived, as it arrived: kept raw and committed before anybody tries to understand it."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import connection, models, transaction
from django.db.models import Q

from tierdesk.channels.watches import Watch
from tierdesk.core import clock
from tierdesk.core.words import Word
from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import ClientRows
from tierdesk.directory.staff.models import User
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Ticket

__all__ = ["Inbound", "InboundState", "Inbounds", "Watch"]


FASTER = "Somebody was faster: it is not in the parked box any more."


class InboundState(models.TextChoices):
    NEW = "new", "Waiting to be understood"
    DONE = "done", "Understood"
    PARKED = "parked", "Parked"
    DISCARDED = "discarded", "Discarded"


class Inbounds(ClientRows):
    def visible_to(self, user: User) -> Self:
        """Agents of the client; what belongs to no client yet, agents of every client. Contacts see none."""
        return super().visible_to(user) if user.is_agent or user.is_admin else self.none()

    def parked(self) -> Self:
        return self.filter(state=InboundState.PARKED)

    def with_words(self, words: str) -> Self:
        """What says these words where the box shows something of it: of whom and what it is, and why it waits."""
        return self.filter(Q(meta__about__icontains=words) | Q(reason__icontains=words)) if words else self

    def discard(self, why: str) -> int:
        """A person decided that those still parked are nothing; the bytes stay. Returns how many that were.

        Raises UnableTo without a reason.
        """
        if not why.strip():
            raise UnableTo("Say why it is discarded.")
        return self.parked().update(state=InboundState.DISCARDED, reason=why[:500])


class Inbound(models.Model):
    """One delivery on one channel. `ext_key` makes a delivery that comes twice count once.

    Every delivery ends as done, parked (with a reason that an agent reads) or discarded (by a person, with why).
    `tries` are counted before each try, so that a delivery that kills its reader is parked as well.
    """

    channel = models.CharField(max_length=20)
    ext_key = models.CharField(max_length=128)
    received_at = models.DateTimeField()
    raw = models.BinaryField()
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    remote = models.CharField(max_length=200, blank=True)
    meta = models.JSONField(default=dict)
    state = Word(max_length=9, choices=InboundState.choices, default=InboundState.NEW)
    reason = models.CharField(max_length=500, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    client = models.ForeignKey(Client, null=True, blank=True, on_delete=models.SET_NULL, db_index=False)
    ticket = models.ForeignKey(
        Ticket, null=True, blank=True, on_delete=models.SET_NULL, related_name="inbounds"
    )
    wake_at = models.DateTimeField(null=True, blank=True)

    objects = Inbounds.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["wake_at"], name="inbound_to_understand", condition=Q(wake_at__isnull=False)
            ),
            models.Index(fields=["-id"], name="inbound_parked", condition=Q(state="parked")),
            models.Index(fields=["-id"], name="inbound_discarded", condition=Q(state="discarded")),
            models.Index(fields=["channel", "-received_at"], name="inbound_by_channel"),
            models.Index(fields=["received_at"], name="inbound_by_arrival"),
        ]
        constraints = [models.UniqueConstraint(fields=["channel", "ext_key"], name="a_delivery_counts_once")]

    def __str__(self) -> str:
        return f"{self.channel} {self.pk}"

    @property
    def about(self) -> str:
        """What the funnel could tell of it when it was parked: whose it says that it is, and of what."""
        return str(self.meta.get("about", ""))

    @classmethod
    def store(
        cls,
        channel: str,
        raw: bytes,
        *,
        ext_key: str = "",
        remote: str = "",
        meta: dict[str, Any] | None = None,
        client: int | None = None,
        at: datetime | None = None,
        head_start: timedelta = timedelta(),
    ) -> tuple[int, bool]:
        """Keep a delivery; returns (id, whether it is new). It is committed when this returns.

        With a `head_start` it is understood before others that came so much earlier.

        Without a key of the channel's own, the hash of the bytes is the key. `client`: whose it is, if that is known
        before it is understood; whoever stores under the lock of a client must say so.
        """
        digest = hashlib.sha256(raw).hexdigest()
        key = (ext_key or digest)[:128]
        received = at or clock.now()
        row: dict[str, Any] = {
            "channel": channel,
            "key": key,
            "received": received,
            "wake": received - head_start,
            "raw": raw,
            "size": len(raw),
            "sha256": digest,
            "remote": remote[:200],
            "meta": json.dumps(meta or {}),
            "client": client,
        }
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute(STORE, row)
            stored = cursor.fetchone()
        if stored is not None:
            return stored[0], True
        return cls.objects.values_list("pk", flat=True).get(channel=channel, ext_key=key), False

    def replay(self, at: datetime, *, client: Client | None = None) -> None:
        """Try to understand it again, as mail of `client` if a person says whose it is.

        What was parked only because its channel is not agreed is let in: a person has seen it now.
        Raises UnableTo when it was taken in already.
        """
        meta = dict(self.meta)
        if client is not None:
            meta["client"] = client.key
        if meta.pop("not_agreed", False):
            meta["admitted"] = True
        undone = (InboundState.PARKED, InboundState.DISCARDED)
        self._decide(undone, InboundState.NEW, "", wake_at=at, meta=meta, tries=0)

    def discard(self, why: str) -> None:
        """A person decided that it is nothing; the bytes stay. Raises UnableTo unless it is parked."""
        if not type(self).objects.filter(pk=self.pk).discard(why):
            raise UnableTo(FASTER)
        self.refresh_from_db()

    def _decide(self, expected: tuple[str, ...], state: str, reason: str, **more: Any) -> None:
        mine = type(self).objects.filter(pk=self.pk, state__in=expected)
        if not mine.update(state=state, reason=reason, **more):
            raise UnableTo(FASTER)
        self.refresh_from_db()


STORE = """
INSERT INTO channels_inbound
    (channel, ext_key, received_at, raw, size, sha256, remote, meta, state, reason, tries, wake_at, client_id)
VALUES (%(channel)s, %(key)s, %(received)s, %(raw)s, %(size)s, %(sha256)s, %(remote)s, %(meta)s::jsonb, 'new', '', 0,
    %(wake)s, %(client)s)
ON CONFLICT (channel, ext_key) DO NOTHING RETURNING id
"""
