"""How fast working time is reckoned: a contract's calendar over a year, on one core. `bin/bench calendar` prints it."""

from __future__ import annotations

import statistics
import time
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tierdesk.directory.calendars.hours import Hours

CALLS, ROUNDS = 20_000, 5
STRIDE = 7_654_337
"""Seconds from one start to the next, round the year: a prime, so that they come in no order."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Calls per second of processor time. `raw`: one binary search over a year's windows and one sum of times."""

    raw: float
    add: float
    between: float


def measure() -> Figures:
    """Starts all over a year, targets of up to forty working hours, in no order."""
    hours = contract_calendar()
    first = datetime(2026, 1, 1, tzinfo=UTC)
    starts = [first + timedelta(seconds=STRIDE * n % (365 * 86_400)) for n in range(CALLS)]
    amounts = [timedelta(seconds=1 + STRIDE * n % (40 * 3600)) for n in range(CALLS)]
    stops = [hours.add(start, amount) for start, amount in zip(starts, amounts, strict=True)]
    opens = [opening for opening, _ in hours.windows(first, first + timedelta(days=365))]

    def raw(start: datetime, amount: timedelta) -> datetime:
        return opens[bisect_right(opens, start) - 1] + amount

    return Figures(
        raw=_per_second(raw, starts, amounts),
        add=_per_second(hours.add, starts, amounts),
        between=_per_second(hours.between, starts, stops),
    )


def contract_calendar() -> Hours:
    """As contracts have them: a lunch break, a short Friday, a year's holidays, a half day, a maintenance night."""
    days = [["08:00", "12:00"], ["12:45", "17:30"]]
    holidays = ("01-01", "04-03", "04-06", "05-01", "05-14", "05-25", "10-03", "12-25")
    return Hours.from_spec(
        {
            "tz": "Europe/Berlin",
            "week": {"0": days, "1": days, "2": days, "3": days, "4": [["08:00", "14:30"]]},
            "closed": [f"2026-{day}" for day in holidays],
            "partial": {"2026-12-24": [["08:00", "12:00"]]},
            "closed_intervals": [["2026-09-15T10:00", "2026-09-15T12:00"]],
        }
    )


def _per_second(call: Callable[[Any, Any], object], firsts: list[Any], seconds: list[Any]) -> float:
    """Of processor time, so that a busy machine measures the same; the median of the rounds."""
    rates = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for first, second in zip(firsts, seconds, strict=True):
            call(first, second)
        rates.append(len(firsts) / (time.process_time() - began))
    return statistics.median(rates)
