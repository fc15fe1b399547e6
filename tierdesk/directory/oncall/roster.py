"""Who is on call at an instant: pure, in local days, so that a shift keeps its local hours across a DST change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Rotation:
    """People in turn, each for `shift_days` local days from `starts`, changing at local time `handover`."""

    people: tuple[int, ...]
    timezone: str
    starts: date
    shift_days: int
    handover: time


@dataclass(frozen=True, slots=True)
class Override:
    """`person` stands in from `from_at` (inclusive) to `to_at` (exclusive)."""

    person: int
    from_at: datetime
    to_at: datetime


def on_call(rotation: Rotation, overrides: Sequence[Override], at: datetime) -> int | None:
    """The person who holds the rotation at `at` (aware); the latest override wins; None if nobody is in it."""
    standing_in = [override for override in overrides if override.from_at <= at < override.to_at]
    if standing_in:
        return max(standing_in, key=lambda override: override.from_at).person
    if not rotation.people:
        return None
    local = at.astimezone(ZoneInfo(rotation.timezone))
    days = (local.date() - rotation.starts).days - (local.time() < rotation.handover)
    return rotation.people[days // rotation.shift_days % len(rotation.people)]
