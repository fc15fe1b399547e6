"""The timeline: append-only, complete, the truth. Every clock, metric and report can be computed from it again.

An entry keeps what a clock depends on as it was at the time (state, tier, team, assignee, priority, contract
version, pending reason) and its cause: the entry that led to it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self, cast

from django.db import connection, models

from tierdesk.core import rows
from tierdesk.core.facts import KINDS, Actor, Fact, Stamp
from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import ClientRows
from tierdesk.tickets.facts import TicketFact

LIVE_CHANNEL = "tierdesk_live"
MOST_ANNOUNCED = 150


class Entries(ClientRows):
    def of(self, ticket_id: int) -> Self:
        return self.filter(ticket_id=ticket_id).order_by("id")


class Entry(models.Model):
    """One line of a ticket's timeline: who, when, what, because of which entry, and how things stood then.

    That its ticket exists is looked up once for all that a statement writes; the client is the ticket's, and the cause
    an entry that was written before: to have each looked up at each commit cost a fifth of every breach (ADR 0030).
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE, db_index=False, db_constraint=False)
    ticket = models.ForeignKey(
        "tickets.Ticket",
        on_delete=models.CASCADE,
        related_name="entries",
        db_index=False,
        db_constraint=False,
    )
    at = models.DateTimeField()
    kind = models.CharField(max_length=40)
    by_kind = models.CharField(max_length=10)
    by_id = models.BigIntegerField(null=True, blank=True)
    by_name = models.CharField(max_length=200)
    details = models.JSONField(default=dict)
    cause = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False
    )
    state = models.CharField(max_length=10)
    pending_reason = models.CharField(max_length=20, blank=True)
    tier = models.PositiveSmallIntegerField()
    team_id = models.BigIntegerField(null=True, blank=True)
    assignee_id = models.BigIntegerField(null=True, blank=True)
    priority = models.PositiveSmallIntegerField()
    contract_version_id = models.BigIntegerField(null=True, blank=True)

    objects = Entries.as_manager()

    class Meta:
        verbose_name_plural = "entries"
        indexes = [
            models.Index(fields=["ticket", "id"], name="entries_of_a_ticket"),
            models.Index(fields=["kind", "at"], name="entries_by_kind"),
        ]

    @property
    def by(self) -> Actor:
        return Actor(self.by_kind, self.by_name, self.by_id)


COLUMNS = [
    "id",
    "client_id",
    "ticket_id",
    "at",
    "kind",
    "by_kind",
    "by_id",
    "by_name",
    "details",
    "cause_id",
    "state",
    "pending_reason",
    "tier",
    "team_id",
    "assignee_id",
    "priority",
    "contract_version_id",
]


class Timeline:
    """The journal of `core/work.py`: stamps facts and writes them down, reads them back, announces what changed."""

    def write(self, facts: Sequence[tuple[Fact, int | None]], *, by: Actor, at: datetime) -> None:
        """Write facts in one statement; each knows its entry's id afterwards."""
        lines = []
        for (fact, cause), pk in zip(facts, rows.reserve_ids(Entry, len(facts)), strict=True):
            stamp = Stamp(pk, by, at, cause)
            fact.put_stamp(stamp)
            lines.append(_line(cast(TicketFact, fact), stamp))
        rows.insert(Entry, COLUMNS, lines)

    def read(self, ids: Sequence[int]) -> list[Fact]:
        """The facts that these entries tell, in order of id; entries of a kind that no longer exists are left out."""
        entries = Entry.objects.filter(pk__in=ids).select_related("ticket").order_by("id")
        return [told(entry) for entry in entries if entry.kind in KINDS]

    def announce(self, facts: Sequence[Fact]) -> None:
        """Tell every listening process which tickets changed; ids only, so nothing leaks on the way."""
        changed = {(f.ticket.client_id, f.ticket.pk) for f in facts if isinstance(f, TicketFact)}
        tickets = (
            [[pk, client_id] for client_id, pk in sorted(changed)] if len(changed) <= MOST_ANNOUNCED else []
        )
        word = {"tickets": tickets, "clients": sorted({client_id for client_id, _ in changed})}
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [LIVE_CHANNEL, json.dumps(word)])


def _line(fact: TicketFact, stamp: Stamp) -> tuple[Any, ...]:
    """The values of COLUMNS."""
    ticket, by = fact.ticket, stamp.by
    return (
        stamp.id,
        ticket.client_id,
        ticket.id,
        stamp.at,
        fact.kind,
        by.kind,
        by.id,
        by.name,
        fact.details(),
        stamp.cause_id,
        ticket.state,
        ticket.pending_reason,
        ticket.tier,
        ticket.team_id,
        ticket.assignee_id,
        ticket.priority,
        ticket.contract_version_id,
    )


def told(entry: Entry) -> Fact:
    """The fact that an entry tells, as it was recorded."""
    fact = KINDS[entry.kind](ticket=entry.ticket, **entry.details)  # type: ignore[call-arg]
    fact.put_stamp(Stamp(id=entry.pk, by=entry.by, at=entry.at, cause_id=entry.cause_id))
    return fact
