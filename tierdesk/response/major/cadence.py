"""How often the clients of a major incident hear from us, and when somebody is reminded of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

CHOICES = (15, 30, 60, 120, 240)
"""Minutes that are offered."""

SHORTEST_MIN, LONGEST_MIN = 5, 24 * 60

BY_PRIORITY: Mapping[int, int] = {1: 30, 2: 60}
OTHERWISE = 120
"""Minutes, where the contract says nothing and promises no updates."""

REMIND_AFTER = 0.75
"""The share of the time after which whoever writes the update is reminded, as clocks warn."""


def minutes_for(priority: int, promised_s: int | None, own_s: int | None = None) -> int:
    """Every how many minutes: as the contract says of major incidents at this priority (`own_s`), else as it promises
    updates of any ticket, else by the priority alone."""
    agreed_s = promised_s if own_s is None else own_s
    if agreed_s is None:
        return BY_PRIORITY.get(priority, OTHERWISE)
    return min(max(agreed_s // 60, SHORTEST_MIN), LONGEST_MIN)


def next_update(since: datetime, every_min: int) -> datetime:
    return since + timedelta(minutes=every_min)


def reminder(since: datetime, every_min: int) -> datetime:
    return since + timedelta(minutes=every_min) * REMIND_AFTER
