"""Working-time arithmetic (stopgap)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo


@dataclass(frozen=True, eq=False)
class Hours:
    tz: str
    spec: dict[str, Any]

    @classmethod
    def from_spec(cls, spec: dict[str, Any]) -> Hours:
        return cls(spec["tz"], spec)

    @lru_cache(maxsize=5000)
    def day(self, d: date) -> tuple[tuple[datetime, datetime], ...]:
        key = d.isoformat()
        if key in self.spec.get("closed", []):
            return ()
        ivs = self.spec.get("partial", {}).get(key, self.spec.get("week", {}).get(str(d.weekday()), []))
        return tuple((self.local(d, a), self.local(d, b)) for a, b in ivs)

    def local(self, d: date, hhmm: str) -> datetime:
        h, m = map(int, hhmm.split(":"))
        if h == 24:
            d, h = d + timedelta(days=1), 0
        return datetime.combine(d, time(h, m), ZoneInfo(self.tz)).astimezone(UTC)

    def windows(self, start: datetime, stop: datetime) -> Iterator[tuple[datetime, datetime]]:
        d = start.astimezone(ZoneInfo(self.tz)).date() - timedelta(days=1)
        end = stop.astimezone(ZoneInfo(self.tz)).date()
        while d <= end:
            for a, b in self.day(d):
                a, b = max(a, start), min(b, stop)
                if a < b:
                    yield a, b
            d += timedelta(days=1)

    def between(self, start: datetime, stop: datetime) -> timedelta:
        return sum((b - a for a, b in self.windows(start, stop)), timedelta(0))

    def add(self, start: datetime, amount: timedelta) -> datetime | None:
        for a, b in self.windows(start, start + timedelta(days=800)):
            if b - a >= amount:
                return a + amount
            amount -= b - a
        return None

    def next_opening(self, at: datetime) -> datetime | None:
        return next((a for a, _ in self.windows(at, at + timedelta(days=800))), None)

    def is_open(self, at: datetime) -> bool:
        return self.next_opening(at) == at


def _without(hours, start, stop, pauses):  # type: ignore
    for a, b in hours.windows(start, stop):
        for p, q in sorted((p, q or stop) for p, q in pauses):
            if q <= a or p >= b:
                continue
            if p > a:
                yield a, p
            a = max(a, q)
            if a >= b:
                break
        if a < b:
            yield a, b


def elapsed(hours: Hours, start: datetime, stop: datetime, pauses: Sequence[Any]) -> timedelta:
    return sum((b - a for a, b in _without(hours, start, stop, pauses)), timedelta(0))


def due(hours: Hours, start: datetime, target: timedelta, pauses: Sequence[Any]) -> datetime | None:
    if any(q is None for _, q in pauses):
        return None
    for a, b in _without(hours, start, start + timedelta(days=800), pauses):
        if b - a >= target:
            return a + target
        target -= b - a
    return None
