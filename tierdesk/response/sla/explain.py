"""Explain this deadline: how a clock's due time came about, as text and as the parts of a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    """A stretch of the picture, as fractions of its width. `kind`: window, running, paused or over."""

    kind: str
    start: float
    stop: float
    label: str


@dataclass(frozen=True, slots=True)
class Picture:
    """The time bar: stretches drawn in this order, marks as (fraction, label), and what it begins and ends with."""

    spans: Sequence[Span]
    marks: Sequence[tuple[float, str]]
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything a reader needs to check a deadline by hand.

    `due_at`: when the target is or was used up; None while nothing counts, and of a clock that ended before.
    """

    clock: Clock
    at: datetime
    timezone: str
    calendar: str
    target: timedelta
    elapsed: timedelta
    due_at: datetime | None
    windows: Sequence[Window]
    pauses: Sequence[tuple[datetime, datetime | None, str]]
    picture: Picture

    @property
    def remaining(self) -> timedelta:
        return self.target - self.elapsed

    @property
    def over(self) -> timedelta:
        """How much more than the target was used; none while there is something left."""
        return max(self.elapsed - self.target, timedelta(0))


def explain(clock: Clock, at: datetime) -> Explanation:
    """Lay the clock open as it stands at `at`."""
    course, until = clock.course, clock.stopped_at or at
    due_at = clock.due_at or clock.breached_at
    end = max(until, due_at or until)
    windows = _windows(clock, end)
    return Explanation(
        clock=clock,
        at=at,
        timezone=course.hours.tz,
        calendar=clock.calendar.words,
        target=clock.target,
        elapsed=course.elapsed(until),
        due_at=due_at,
        windows=windows,
        pauses=list(_pauses(clock)),
        picture=_picture(clock, windows, at=at, due=due_at, end=end),
    )


def _pauses(clock: Clock) -> Iterator[tuple[datetime, datetime | None, str]]:
    """From, to, why: of a clock that has ended none lasts, and what began with its end was none."""
    for (start, stop), (_, _, reason) in zip(clock.spans, clock.pauses, strict=True):
        until = stop or clock.stopped_at
        if until != start:
            yield start, until, reason


def _windows(clock: Clock, end: datetime) -> list[Window]:
    """The working time until then: what counts, but for a promised date, which counts around the clock."""
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


def _picture(
    clock: Clock, windows: Sequence[Window], *, at: datetime, due: datetime | None, end: datetime
) -> Picture:
    first, last = clock.started_at, max(end, clock.started_at + timedelta(minutes=1))
    now = min(clock.stopped_at or at, last)

    def place(moment: datetime) -> float:
        return max(0.0, min(1.0, (moment - first) / (last - first)))

    def span(kind: str, start: datetime, stop: datetime, label: str) -> Span:
        return Span(kind, place(start), max(place(stop), place(start) + 0.002), label)

    spans = [span("window", w.opens, w.closes, "working time") for w in windows]
    stretches = (
        [(w.opens, w.closes) for w in windows] if clock.date_at is None else [(clock.counting_from, last)]
    )
    spans += [
        span("running", opens, min(closes, now), "counted") for opens, closes in stretches if opens < now
    ]
    if due is not None and due < now:
        spans += [
            span("over", max(opens, due), min(closes, now), "over")
            for opens, closes in stretches
            if closes > due
        ]
    spans += [span("paused", start, stop or now, reason) for start, stop, reason in _pauses(clock)]
    marks = [(place(due), "due")] if due is not None else []
    if clock.state in (ClockState.RUNNING, ClockState.PAUSED):
        marks.append((place(now), "now"))
    return Picture(spans, marks, first, last)
