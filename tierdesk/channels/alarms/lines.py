"""The alarms of a ticket for its page: one line for each kind, however many alarms there are of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from tierdesk.channels.alarms.models import Alarm
from tierdesk.directory.staff.models import User
from tierdesk.tickets.models import Ticket

MOST_READ = 2_000
MOST_LINES = 12
BINS = 24

COLUMNS = (
    "class_name",
    "summary",
    "key",
    "state",
    "severity",
    "count",
    "first_at",
    "last_at",
    "flapping_until",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Alarms of one kind: how many, how many of them stand, how often they were raised, and when they began.

    `trend` counts how many began in each of BINS equal parts of the time that all lines share; `peak_at` is when most
    of them began. `severity` is the worst of those that stand, or of all.
    """

    name: str
    alarms: int
    standing: int
    flapping: int
    raises: int
    severity: int
    first_at: datetime
    last_at: datetime
    trend: tuple[int, ...]
    peak_at: datetime

    @property
    def peak(self) -> int:
        return max(self.trend)


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines, what stands and is worst first; `others` are kinds without one, `is_all`: all alarms were read."""

    lines: list[Line]
    others: int
    is_all: bool


def lines_of(ticket: Ticket, user: User) -> Lines:
    """Told by the newest MOST_READ alarms of the ticket, with one question."""
    raised = Alarm.objects.visible_to(user).filter(ticket=ticket, first_at__isnull=False)
    rows = list(raised.order_by("-id").values_list(*COLUMNS, named=True)[: MOST_READ + 1])
    is_all, rows = len(rows) <= MOST_READ, rows[:MOST_READ]
    if not rows:
        return Lines([], 0, True)
    begin, end = min(row.first_at for row in rows), max(row.last_at for row in rows)
    kinds: dict[str, list[Alarm]] = defaultdict(list)
    for row in rows:
        kinds[row.class_name or row.summary or row.key].append(row)
    lines = [_line(name, of_kind, begin, end) for name, of_kind in kinds.items()]
    lines.sort(key=lambda line: (not line.standing, line.severity, -line.alarms, line.name))
    return Lines(lines[:MOST_LINES], max(0, len(lines) - MOST_LINES), is_all)


def _line(name: str, rows: list[Alarm], begin: datetime, end: datetime) -> Line:
    standing = [row for row in rows if row.state in (Alarm.State.OPEN, Alarm.State.ACKNOWLEDGED)]
    trend = [0] * BINS
    width = (end - begin) / BINS
    for row in rows:
        assert row.first_at is not None
        trend[min(BINS - 1, int((row.first_at - begin) / width)) if width else 0] += 1
    return Line(
        name=name,
        alarms=len(rows),
        standing=len(standing),
        flapping=sum(row.flapping_until is not None for row in rows),
        raises=sum(row.count for row in rows),
        severity=min(row.severity for row in standing or rows),
        first_at=min(row.first_at for row in rows if row.first_at),
        last_at=max(row.last_at for row in rows),
        trend=tuple(trend),
        peak_at=begin + width * trend.index(max(trend)),
    )
