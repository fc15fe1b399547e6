"""The service report: per tier and per client, over a period, computed from the timeline.

Definitions are in `DEFINITIONS`, printed beside the numbers. Every query is one pass over the entries of the period
(index on kind and time) or over the tickets that the period touched; each is filtered by what the reader may see.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from tierdesk.directory.clients.visibility import visible_clients
from tierdesk.directory.staff.models import User

DEFINITIONS: Mapping[str, str] = {
    "open": "Tickets that are new, open or pending at the end of the period, by the tier that works them.",
    "open_requests": "Of the open ones, service requests; the others are incidents.",
    "at_risk": "Open tickets with a running client clock that has warned (75 % of its target) and not breached.",
    "breached": "Client clocks that crossed their target in the period, by the tier that worked the ticket then.",
    "resolved": "Tickets resolved in the period, by the tier that resolved them; also by silence.",
    "resolved_requests": "Of the resolved ones, service requests, by the type that they have by now.",
    "first_tier": "Resolved tickets that no tier but the first ever worked ÷ all resolved tickets.",
    "escalations": "Functional escalations that this tier sent in the period.",
    "returns": "Hand-overs of this tier that the receiving tier returned in the period.",
    "time": "Hours that unresolved tickets spent on this tier in the period, pending included, around the clock.",
}


@dataclass
class Line:
    """The figures of one tier of one client (or of all of them together). `seconds`: time on the tier."""

    open: int = 0
    at_risk: int = 0
    breached: int = 0
    resolved: int = 0
    first_tier_resolved: int = 0
    escalations: int = 0
    returns: int = 0
    open_requests: int = 0
    resolved_requests: int = 0
    seconds: float = 0.0

    @property
    def hours(self) -> float:
        return round(self.seconds / 3600, 1)

    @property
    def first_tier_percent(self) -> int | None:
        """Whole percent, or None where nothing was resolved: no number is better than a made-up one."""
        return round(100 * self.first_tier_resolved / self.resolved) if self.resolved else None

    def add(self, other: Line) -> None:
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))


COUNTS = (
    "open",
    "at_risk",
    "breached",
    "resolved",
    "first_tier_resolved",
    "escalations",
    "returns",
    "open_requests",
    "resolved_requests",
    "seconds",
)


@dataclass
class Report:
    """Lines by tier (all clients together), by client (all tiers together), and by both."""

    start: datetime
    end: datetime
    clients: Mapping[int, str]
    cells: Mapping[tuple[int, int], Line]
    by_tier: Mapping[int, Line] = field(default_factory=dict)
    by_client: Mapping[int, Line] = field(default_factory=dict)
    total: Line = field(default_factory=Line)


def report(user: User, start: datetime, end: datetime) -> Report:
    """The figures from `start` (inclusive) to `end` (exclusive, usually now) of the clients that `user` may see."""
    cells: dict[tuple[int, int], Line] = defaultdict(Line)
    visible = visible_clients(user)
    scope: dict[str, Any] = {
        "start": start,
        "end": end,
        "clients": None if visible is None else sorted(visible),
    }
    for name, sql in FIGURES.items():
        for client, tier, count in _rows(sql, scope):
            line = cells[client, tier]
            setattr(line, name, getattr(line, name) + (float(count) if name == "seconds" else int(count)))
    by_tier = {tier: _sum(line for (_, t), line in cells.items() if t == tier) for tier in (1, 2, 3, 4)}
    ids = sorted({client for client, _ in cells})
    by_client = {pk: _sum(line for (client, _), line in cells.items() if client == pk) for pk in ids}
    return Report(start, end, _names(ids), cells, by_tier, by_client, _sum(cells.values()))


def last_days(days: int, until: datetime) -> tuple[datetime, datetime]:
    """The period of the last `days` days up to `until`."""
    return until - timedelta(days=days), until


def _sum(lines: Any) -> Line:
    total = Line()
    for line in lines:
        total.add(line)
    return total


def _rows(sql: str, scope: Mapping[str, Any]) -> Sequence[tuple[int, int, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, scope)
        found: Sequence[tuple[int, int, Any]] = cursor.fetchall()
    return found


def _names(ids: Sequence[int]) -> dict[int, str]:
    from tierdesk.directory.clients.models import Client

    return dict(Client.objects.filter(pk__in=ids).values_list("pk", "name"))


SEEN = "(%(clients)s::bigint[] IS NULL OR client_id = ANY (%(clients)s::bigint[]))"
IN_PERIOD = "at >= %(start)s::timestamptz AND at < %(end)s::timestamptz"

FIGURES: Mapping[str, str] = {
    "open": f"""
        SELECT client_id, tier, count(*) FROM tickets_ticket
        WHERE state IN ('new', 'open', 'pending') AND {SEEN} GROUP BY 1, 2
    """,
    "at_risk": f"""
        SELECT client_id, tier, count(*) FROM tickets_ticket AS ticket
        WHERE state IN ('new', 'open', 'pending') AND {SEEN} AND EXISTS (
            SELECT FROM sla_clock WHERE ticket_id = ticket.id AND state = 'running' AND party = 'SLA'
            AND warned_at IS NOT NULL AND breached_at IS NULL
        ) GROUP BY 1, 2
    """,
    "breached": f"""
        SELECT client_id, tier, count(*) FROM tickets_entry
        WHERE kind = 'breached' AND details ->> 'party' = 'SLA' AND {IN_PERIOD} AND {SEEN} GROUP BY 1, 2
    """,
    "resolved": f"""
        SELECT client_id, (details ->> 'tier')::int, count(*) FROM tickets_entry
        WHERE kind = 'resolved' AND {IN_PERIOD} AND {SEEN} GROUP BY 1, 2
    """,
    "open_requests": f"""
        SELECT client_id, tier, count(*) FROM tickets_ticket
        WHERE state IN ('new', 'open', 'pending') AND type = 'request' AND {SEEN} GROUP BY 1, 2
    """,
    "resolved_requests": f"""
        SELECT client_id, (details ->> 'tier')::int, count(*) FROM tickets_entry AS entry
        WHERE kind = 'resolved' AND {IN_PERIOD} AND {SEEN} AND EXISTS (
            SELECT FROM tickets_ticket AS ticket WHERE ticket.id = entry.ticket_id AND ticket.type = 'request'
        ) GROUP BY 1, 2
    """,
    "first_tier_resolved": f"""
        SELECT client_id, 1, count(*) FROM tickets_entry AS entry
        WHERE kind = 'resolved' AND details ->> 'tier' = '1' AND {IN_PERIOD} AND {SEEN} AND NOT EXISTS (
            SELECT FROM tickets_entry AS other
            WHERE other.ticket_id = entry.ticket_id AND other.id < entry.id AND other.tier > 1
        ) GROUP BY 1
    """,
    "escalations": f"""
        SELECT client_id, (details ->> 'from_tier')::int, count(*) FROM tickets_entry
        WHERE kind = 'escalation_sent' AND {IN_PERIOD} AND {SEEN} GROUP BY 1, 2
    """,
    "returns": f"""
        SELECT client_id, (details ->> 'from_tier')::int, count(*) FROM tickets_entry
        WHERE kind = 'escalation_returned' AND {IN_PERIOD} AND {SEEN} GROUP BY 1, 2
    """,
    "seconds": f"""
        WITH stretch AS (
            SELECT client_id, tier, state, at, lead(at) OVER (PARTITION BY ticket_id ORDER BY id) AS until
            FROM tickets_entry WHERE {SEEN} AND ticket_id IN (
                SELECT id FROM tickets_ticket
                WHERE {SEEN} AND created_at < %(end)s::timestamptz
                AND (state IN ('new', 'open', 'pending') OR touched_at >= %(start)s::timestamptz)
            )
        )
        SELECT client_id, tier, sum(extract(epoch FROM
            least(coalesce(until, %(end)s::timestamptz), %(end)s::timestamptz) - greatest(at, %(start)s::timestamptz)))
        FROM stretch
        WHERE state IN ('new', 'open', 'pending')
        AND at < %(end)s::timestamptz AND coalesce(until, %(end)s::timestamptz) > %(start)s::timestamptz
        GROUP BY 1, 2
    """,
}
