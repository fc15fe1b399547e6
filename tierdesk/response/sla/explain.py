"""Explain this deadline: how a clock's due time came about, as text and as the parts of a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tierdesk.response.sla.models import Clock, ClockState
from tierdesk.response.sla.reading import Pause

LONGEST = timedelta(days=120)
"""How far the picture looks ahead for the due time of a calendar that rarely opens."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of working time: from, to, how much of the target it used, and how much it will use."""

    opens: datetime
    closes: datetime
    used: timedelta
    total: timedelta
    """Target used up when the window ends."""


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the picture, in thousandths of its width. `kind`: open, used, paused, due or now."""

    kind: str
    left: int
    width: int
    label: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything a reader needs to check a deadline by hand."""

    clock: Clock
    at: datetime
    timezone: str
    calendar: str
    target: timedelta
    elapsed: timedelta
    due_at: datetime | None
    windows: Sequence[Window]
    pauses: Sequence[tuple[datetime, datetime | None, str]]
    picture: Sequence[Span]

    @property
    def remaining(self) -> timedelta:
        return self.target - self.elapsed


def explain(clock: Clock, at: datetime) -> Explanation:
    """Lay the clock open as it stands at `at`."""
    course, until = clock.course, clock.stopped_at or at
    end = max(until, clock.due_at or until)
    windows = _windows(clock, end)
    pauses = [(start, stop, reason) for (start, stop), (_, _, reason) in zip(clock.spans, clock.pauses, strict=True)]
    return Explanation(
        clock=clock,
        at=at,
        timezone=course.hours.tz,
        calendar=str(clock.calendar),
        target=clock.target,
        elapsed=course.elapsed(until),
        due_at=clock.due_at,
        windows=windows,
        pauses=pauses,
        picture=_picture(clock, windows, at=at, end=end),
    )


def _windows(clock: Clock, end: datetime) -> list[Window]:
    course, total = clock.course, timedelta(seconds=clock.carried_s)
    windows = []
    for opens, closes in course.hours.windows(course.since, min(end, course.since + LONGEST)):
        used = closes - opens - _overlap(clock.spans, opens, closes)
        total += used
        windows.append(Window(opens, closes, used, total))
    return windows


def _overlap(pauses: Sequence[Pause], opens: datetime, closes: datetime) -> timedelta:
    """How much of a window was paused; pauses of one clock never overlap one another."""
    paused = timedelta(0)
    for start, stop in pauses:
        paused += max(timedelta(0), min(stop or closes, closes) - max(start, opens))
    return paused


def _picture(clock: Clock, windows: Sequence[Window], *, at: datetime, end: datetime) -> list[Span]:
    first, last = clock.started_at, max(end, clock.started_at + timedelta(minutes=1))
    whole = (last - first).total_seconds()

    def place(moment: datetime) -> int:
        return max(0, min(1000, round(1000 * (moment - first).total_seconds() / whole)))

    def span(kind: str, start: datetime, stop: datetime, label: str) -> Span:
        return Span(kind, place(start), max(2, place(stop) - place(start)), label)

    now = min(clock.stopped_at or at, last)
    parts = [span("open", w.opens, w.closes, "working time") for w in windows]
    parts += [span("used", w.opens, min(w.closes, now), "counted") for w in windows if w.opens < now]
    parts += [
        span("paused", start, stop or now, reason)
        for (start, stop), (_, _, reason) in zip(clock.spans, clock.pauses, strict=True)
    ]
    if clock.due_at is not None:
        parts.append(span("due", clock.due_at, clock.due_at, "due"))
    if clock.state in (ClockState.RUNNING, ClockState.PAUSED):
        parts.append(span("now", now, now, "now"))
    return parts
