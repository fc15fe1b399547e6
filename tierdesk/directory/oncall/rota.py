"""Who is on call, when and why: layers of turns, the later over the earlier, and overrides over all. Pure.

The rules (tiers.md §3):

- a turn lasts so many local days from the day its layer starts, and is handed over at a local time, so that it keeps
  its hour when the clocks change; before its first hand-over a layer holds nobody;
- a hand-over at a time that does not exist is read with the UTC offset before the gap, at a time that occurs twice it
  is the first occurrence (RFC 5545 §3.3.5), as working hours are (calendars/hours.py);
- a layer with hours holds only within them; outside, and in a turn that nobody has, what is beneath shows through;
- shifts that were taken over from a calendar cover the layers, and overrides by hand cover both;
- of two overrides the one that was made later holds.

Everything is laid out for the span that is asked for, and for no more: the cost grows with the span.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from itertools import count
from zoneinfo import ZoneInfo

from tierdesk.directory.calendars.hours import Hours

DAY = timedelta(days=1)
REACHES = (timedelta(days=15), timedelta(days=120), timedelta(days=800))
"""How far ahead a change of hands is looked for; the longest turn is 365 days."""

type Span = tuple[datetime, datetime]


class InvalidRota(ValueError):
    """Nobody could be on call by this. The text says what is wrong, to the person who wrote it."""


@dataclass(frozen=True, slots=True)
class Layer:
    """People in turn: each `turn_days` local days from `starts`, handed over at `handover`, then from the beginning.

    `members` are keys of people; None is a turn that nobody has. `hours`: when the layer holds; None is always.
    Raises InvalidRota for a turn without days.
    """

    name: str
    members: tuple[int | None, ...]
    starts: date
    turn_days: int
    handover: time
    hours: Hours | None = None

    def __post_init__(self) -> None:
        if self.turn_days < 1:
            raise InvalidRota(f"{self.name}: a turn lasts a day or more, not {self.turn_days}")
        if self.handover.tzinfo is not None:
            raise InvalidRota(f"{self.name}: the hand-over is local; write it without an offset")

    @property
    def why(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Override:
    """`who` stands in from `from_at` (inclusive) to `to_at` (exclusive). Raises InvalidRota if it has no length.

    `key` is what the override is known by elsewhere; `is_taken_over`: a calendar said it, nobody stands in.
    """

    who: int
    from_at: datetime
    to_at: datetime
    why: str = ""
    key: int | None = None
    is_taken_over: bool = False

    def __post_init__(self) -> None:
        if self.to_at <= self.from_at:
            raise InvalidRota("an override ends after it begins")


@dataclass(frozen=True, slots=True)
class Shift:
    """`who` is on call from `from_at` (inclusive) to `to_at` (exclusive), in UTC; `by` says what puts them there."""

    from_at: datetime
    to_at: datetime
    who: int
    by: Layer | Override

    @property
    def why(self) -> str:
        """The layer's name, or the reason of the override."""
        return self.by.why

    @property
    def stands_in(self) -> bool:
        """Somebody put them there by hand, in the place of whoever would be on call."""
        return isinstance(self.by, Override) and not self.by.is_taken_over

    def goes_on_as(self, other: Shift) -> bool:
        return self.to_at == other.from_at and self.who == other.who and self.by == other.by


@dataclass(frozen=True, slots=True)
class Rota:
    """A schedule as a value: its zone, its layers from the lowest to the highest, its overrides as they were made.

    `needed`: when somebody is to be on call; None is always.
    """

    zone: ZoneInfo
    layers: tuple[Layer, ...]
    overrides: tuple[Override, ...] = ()
    needed: Hours | None = None

    def shifts(self, start: datetime, stop: datetime) -> list[Shift]:
        """Who is on call in `[start, stop)`: in order, none overlapping, cut to the span.

        One person's time by one layer is one shift, however many turns it is. Raises ValueError for a time without
        a zone, or a span that ends before it begins.
        """
        start, stop = _span(start, stop)
        laid: list[list[Shift]] = [list(self._shifts_of(layer, start, stop)) for layer in self.layers]
        laid += [[shift] for override in self.overrides if (shift := _cut(override, start, stop))]
        return list(_joined(reduce(_over, laid, [])))

    def gaps(self, start: datetime, stop: datetime) -> list[Span]:
        """The stretches of `[start, stop)` in which nobody is on call."""
        start, stop = _span(start, stop)
        gaps: list[Span] = []
        for shift in self.shifts(start, stop):
            if start < shift.from_at:
                gaps.append((start, shift.from_at))
            start = shift.to_at
        return [*gaps, (start, stop)] if start < stop else gaps

    def missing(self, start: datetime, stop: datetime) -> list[Span]:
        """Of the gaps of `[start, stop)`, what lies in the time when somebody is needed."""
        gaps = self.gaps(start, stop)
        if self.needed is None or not gaps:
            return gaps
        windows = list(self.needed.windows(start, stop))
        cut = [(max(one[0], other[0]), min(one[1], other[1])) for one in gaps for other in windows]
        return [(begins, ends) for begins, ends in cut if begins < ends]

    def on_call(self, at: datetime) -> Shift | None:
        """Who is on call at `at`; None if nobody is. The shift is told from `at` on, as far as its end is in reach."""
        at, _ = _span(at, at)
        for reach, last in _reaches():
            ahead = self.shifts(at, at + reach)
            if not ahead or ahead[0].from_at > at:
                return None
            if last or ahead[0].to_at < at + reach:
                return ahead[0]
        return None

    def next_shift(self, at: datetime) -> Shift | None:
        """The first shift that begins after `at`; None if none does within the longest reach."""
        at, _ = _span(at, at)
        for reach, last in _reaches():
            later = [shift for shift in self.shifts(at, at + reach) if shift.from_at > at]
            if later and (last or later[0].to_at < at + reach):
                return later[0]
        return None

    def _shifts_of(self, layer: Layer, start: datetime, stop: datetime) -> Iterator[Shift]:
        """What a layer says by itself."""
        if layer.hours is None:
            yield from self._turns(layer, start, stop)
            return
        turns = self._turns(layer, start, stop)
        turn = next(turns, None)
        for opens, closes in layer.hours.windows(start, stop):
            while turn and turn.to_at <= opens:
                turn = next(turns, None)
            while turn and turn.from_at < closes:
                yield replace(turn, from_at=max(turn.from_at, opens), to_at=min(turn.to_at, closes))
                if turn.to_at > closes:
                    break
                turn = next(turns, None)

    def _turns(self, layer: Layer, start: datetime, stop: datetime) -> Iterator[Shift]:
        """The turns of a layer that lie in the span, whatever its hours. A turn that nobody has is left out."""
        if not layer.members:
            return
        # A hand-over is at most two days from its date in UTC (a zone's distance, and a date that a zone skipped).
        days = (start.astimezone(self.zone).date() - layer.starts).days - 2
        for turn in count(max(0, days // layer.turn_days)):
            begins, ends = (self._handed_over(layer, turn + n) for n in (0, 1))
            if begins >= stop:
                return
            who = layer.members[turn % len(layer.members)]
            if who is not None and max(begins, start) < min(ends, stop):
                yield Shift(max(begins, start), min(ends, stop), who, layer)

    def _handed_over(self, layer: Layer, turn: int) -> datetime:
        """When a turn begins. `fold=0` is our rule: the offset before a gap, the first of two occurrences."""
        day = layer.starts + DAY * layer.turn_days * turn
        return datetime.combine(day, layer.handover.replace(fold=0), self.zone).astimezone(UTC)


def _over(under: list[Shift], over: list[Shift]) -> list[Shift]:
    """What `over` leaves of `under`, and `over` itself. Both are in order and do not overlap; so is what comes out."""
    seen: list[Shift] = []
    first = 0
    for shift in under:
        begins = shift.from_at
        while first < len(over) and over[first].to_at <= begins:
            first += 1
        for above in (over[place] for place in range(first, len(over))):
            if above.from_at >= shift.to_at:
                break
            if begins < above.from_at:
                seen.append(replace(shift, from_at=begins, to_at=above.from_at))
            begins = above.to_at
        if begins < shift.to_at:
            seen.append(replace(shift, from_at=begins))
    return sorted([*seen, *over], key=lambda shift: shift.from_at)


def _joined(shifts: list[Shift]) -> Iterator[Shift]:
    """The same time in as few shifts as possible."""
    held: Shift | None = None
    for shift in shifts:
        if held and held.goes_on_as(shift):
            held = replace(held, to_at=shift.to_at)
            continue
        if held:
            yield held
        held = shift
    if held:
        yield held


def _cut(override: Override, start: datetime, stop: datetime) -> Shift | None:
    """The override as far as it lies in the span; None if it does not."""
    begins, ends = max(override.from_at.astimezone(UTC), start), min(override.to_at.astimezone(UTC), stop)
    return Shift(begins, ends, override.who, override) if begins < ends else None


def _reaches() -> Iterator[tuple[timedelta, bool]]:
    """Each reach, and whether it is the last."""
    for reach in REACHES:
        yield reach, reach == REACHES[-1]


def _span(start: datetime, stop: datetime) -> Span:
    """In UTC, because Python compares times of one zone by the clock on the wall, not by instant."""
    for at in (start, stop):
        if at.tzinfo is None:
            raise ValueError(f"{at} has no time zone")
    start, stop = start.astimezone(UTC), stop.astimezone(UTC)
    if stop < start:
        raise ValueError(f"{stop} is earlier than {start}")
    return start, stop
