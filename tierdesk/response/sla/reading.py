"""What a clock says: a pure function of its start, target, hours, pauses and the present instant.

Elapsed is the truth, `due_at` a projection. Met means elapsed ≤ target, in real seconds, never rounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tierdesk.directory.calendars.hours import Hours, due, elapsed
from tierdesk.response.sla.policy import WARN_AT

INSTANT = timedelta(microseconds=1)

type Pause = tuple[datetime, datetime | None]


@dataclass(frozen=True, slots=True)
class Course:
    """How a clock is laid out: counting from `since`, `carried` already used before it (another calendar's time)."""

    hours: Hours
    since: datetime
    target: timedelta
    carried: timedelta = timedelta(0)
    pauses: tuple[Pause, ...] = ()

    def elapsed(self, at: datetime) -> timedelta:
        """Working time used up to `at`."""
        return self.carried + elapsed(self.hours, self.since, max(at, self.since), list(self.pauses))

    def due_at(self) -> datetime | None:
        """When the target is used up; None while paused, or when the calendar never opens."""
        return self.when(self.target)

    def uses_up(self, used: timedelta) -> datetime | None:
        """When so much is used; None while paused, or when the calendar never opens."""
        return self.when(used)

    def warns_at(self) -> datetime | None:
        return self.when(self.target * WARN_AT)

    def breaches_at(self) -> datetime | None:
        """The first instant at which more than the target is used: after a closing time, that is the next opening."""
        return self.when(self.target + INSTANT)

    def crossed_at(self, at: datetime) -> datetime | None:
        """When more than the target was used, if it was by `at`; a pause that lasts cures nothing."""
        if self.is_met(at):
            return None
        until_now = tuple((start, end or max(start, at)) for start, end in self.pauses)
        return replace(self, pauses=until_now).breaches_at()

    def is_met(self, at: datetime) -> bool:
        return self.elapsed(at) <= self.target

    def when(self, used: timedelta) -> datetime | None:
        """When so much is used up."""
        left = used - self.carried
        if left <= timedelta(0):
            return self.since
        if any(end is None for _, end in self.pauses):
            return None
        return due(self.hours, self.since, left, list(self.pauses))


@dataclass(frozen=True, slots=True)
class DatedCourse(Course):
    """A course to a promised date, which nothing moves: it counts real time, and no pause stops it (C15).

    It warns when three quarters of the *working* time until then are over, so that nobody is told of it at night.
    """

    def elapsed(self, at: datetime) -> timedelta:
        return max(at - self.since, timedelta(0))

    def when(self, used: timedelta) -> datetime | None:
        return self.since + used

    def warns_at(self) -> datetime | None:
        worked = self.hours.between(self.since, self.since + self.target)
        warns_at = self.hours.add(self.since, worked * WARN_AT) if worked else None
        return warns_at or self.when(self.target * WARN_AT)


def uncovered(
    begins: datetime, ends: datetime, pauses: Sequence[Pause]
) -> Iterator[tuple[datetime, datetime]]:
    """The parts of a span that no pause covers, in order; a pause that lasts covers all after its start."""
    for start, end in sorted(pauses, key=lambda pause: pause[0]):
        if begins < min(start, ends):
            yield begins, min(start, ends)
        begins = ends if end is None and start < ends else max(begins, end or begins)
    if begins < ends:
        yield begins, ends


def paused_since(pauses: Sequence[Pause]) -> datetime | None:
    """Since when the clock stands still, or None if it runs."""
    return next((start for start, end in pauses if end is None), None)
