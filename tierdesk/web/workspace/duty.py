"""Who is on call, as the pages show it: now, next, fourteen days as a picture and a table, and where nobody is.

All words and places are in the reader's zone. A day of the picture is as wide as any other, also when it has 23 hours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import dateformat
from django.utils.translation import gettext as _

from tierdesk.directory.oncall.models import Schedule
from tierdesk.directory.oncall.rota import REACHES, Shift, Span

DAYS = 14
SWAP_DAYS = 42
FRIDAY = 4
WIDTH = 1000
"""Of the picture, in its own units."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose page it is: the zone, and the instant at which it is made."""

    zone: ZoneInfo
    at: datetime

    def words(self, at: datetime) -> str:
        """`Mon 2 Mar, 09:00`"""
        return dateformat.format(at.astimezone(self.zone), "D j M, H:i")

    def day(self, at: datetime) -> str:
        """`Mon 2 Mar 2026`"""
        return dateformat.format(at.astimezone(self.zone), "D j M Y")

    def midnight(self, day: date) -> datetime:
        return datetime.combine(day, time.min, self.zone).astimezone(UTC)

    @property
    def today(self) -> date:
        return self.at.astimezone(self.zone).date()


@dataclass(frozen=True, slots=True)
class Line:
    """A shift, or a gap (`who` is empty), in words. `key` finds the shift again a little later.

    `ends` and `length` are empty where the end is out of sight.
    """

    who: str
    begins: str
    ends: str
    length: str
    why: str
    is_override: bool = False
    key: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """A day at the head of the picture: `Mon`, 2."""

    weekday: str
    number: int
    is_weekend: bool

    @classmethod
    def of(cls, day: date) -> Day:
        return cls(dateformat.format(day, "D"), day.day, day.weekday() > FRIDAY)


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of the picture. `kind`: turn, override or gap."""

    kind: str
    x: float
    width: float
    label: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One person's bars; without a name those of nobody."""

    name: str
    bars: list[Bar]


@dataclass(frozen=True, slots=True)
class Duty:
    """A schedule at an instant. `now` and `next` are lines, None for nobody; `gone` is where the picture is past.

    `is_needed`: somebody is to be on call now.
    """

    schedule: Schedule
    now: Line | None
    is_needed: bool
    next: Line | None
    shifts: list[Line]
    gaps: list[Line]
    uncovered: str
    lanes: list[Lane]
    days: list[Day]
    gone: float


def duty(schedule: Schedule, reader: Reader) -> Duty:
    """The schedule as its page shows it."""
    first, rota, at = reader.today, schedule.rota, reader.at
    begins, ends = reader.midnight(first), reader.midnight(first + timedelta(days=DAYS))
    ahead, gaps = rota.shifts(at, ends), rota.missing(at, ends)
    now, later = rota.on_call(at), rota.next_shift(at)
    return Duty(
        schedule=schedule,
        now=line(schedule, now, reader, until=at + REACHES[-1]) if now else None,
        is_needed=rota.needed is None or rota.needed.is_open(at),
        next=line(schedule, later, reader, until=at + REACHES[-1]) if later else None,
        shifts=[line(schedule, shift, reader, until=ends) for shift in ahead],
        gaps=[_gap(gap, reader, until=ends) for gap in gaps],
        uncovered=length(sum((stop - start for start, stop in gaps), timedelta())),
        lanes=_lanes(schedule, rota.shifts(begins, ends), rota.missing(begins, ends), reader),
        days=[Day.of(first + timedelta(days=n)) for n in range(DAYS)],
        gone=_place(at, reader),
    )


def to_swap(schedule: Schedule, reader: Reader) -> dict[str, Shift]:
    """The shifts of the next weeks by their keys; without the last, whose end is not known."""
    until = reader.at + timedelta(days=SWAP_DAYS)
    return {_key(shift): shift for shift in schedule.rota.shifts(reader.at, until) if shift.to_at < until}


def line(schedule: Schedule, shift: Shift, reader: Reader, *, until: datetime) -> Line:
    """A shift in words; one that reaches `until`, beyond which nobody has looked, has no end."""
    is_whole = shift.to_at < until
    return Line(
        who=schedule.people[shift.who].name,
        begins=reader.words(shift.from_at),
        ends=reader.words(shift.to_at) if is_whole else "",
        length=length(shift.to_at - shift.from_at) if is_whole else "",
        why=shift.why,
        is_override=shift.stands_in,
        key=_key(shift),
    )


def length(span: timedelta) -> str:
    """`2 d 3 h`, `45 min`: without the units that say nothing."""
    minutes = int(span.total_seconds() // 60)
    parts = [(minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 min"


def _gap(gap: Span, reader: Reader, *, until: datetime) -> Line:
    start, stop = gap
    is_whole = stop < until
    return Line(
        who="",
        begins=reader.words(start),
        ends=reader.words(stop) if is_whole else "",
        length=length(stop - start) if is_whole else "",
        why="",
    )


def _key(shift: Shift) -> str:
    """By its end: of a shift that is going on, the beginning moves with the clock."""
    return f"{shift.who}-{int(shift.to_at.timestamp())}"


def _lanes(schedule: Schedule, shifts: Sequence[Shift], gaps: Sequence[Span], reader: Reader) -> list[Lane]:
    """A lane for each person in the order of their first shift, and one for nobody if there are gaps."""
    lanes: dict[int, list[Bar]] = {}
    for shift in shifts:
        kind = "override" if shift.stands_in else "turn"
        bar = _bar(kind, (shift.from_at, shift.to_at), shift.why, reader)
        lanes.setdefault(shift.who, []).append(bar)
    named = [Lane(schedule.people[who].name, bars) for who, bars in lanes.items()]
    return [*named, *_nobody(gaps, reader)]


def _nobody(gaps: Sequence[Span], reader: Reader) -> Iterable[Lane]:
    if gaps:
        yield Lane("", [_bar("gap", gap, _("nobody"), reader) for gap in gaps])


def _bar(kind: str, span: Span, why: str, reader: Reader) -> Bar:
    start, stop = (_place(at, reader) for at in span)
    label = f"{reader.words(span[0])} – {reader.words(span[1])}: {why}"
    return Bar(kind, round(start, 1), round(stop - start, 1), label)


def _place(at: datetime, reader: Reader) -> float:
    """Where an instant is in the picture: by the clock on the reader's wall."""
    local = at.astimezone(reader.zone)
    day = (local.date() - reader.today).days + (local.hour * 60 + local.minute) / 1440
    return day * WIDTH / DAYS
