"""Working-time arithmetic: how much of a span people worked, and when an amount of work will be used up. Pure.

Every local time becomes an instant first; after that all arithmetic is on whole microseconds of UTC, so a working
second is a real second, also in the night when the clocks change. The rules (promises.md §4):

- a week of local intervals `[open, close)`; a dated override replaces the intervals of its day, or closes it;
- `close <= open` means overnight and belongs to the day that it opens on; `24:00` is the next midnight;
- overlapping intervals are united;
- a local time that does not exist is read with the UTC offset before the gap, a local time that occurs twice is its
  first occurrence (RFC 5545 §3.3.5); an interval whose ends cross under this mapping is empty that day.

A calendar is laid out once per UTC year as a page of windows; every question is a binary search on a page or two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from itertools import islice
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tierdesk.directory.calendars.windows import EPOCH, Page, Span, united, within, without

type Interval = tuple[str, str]
"""Local opening and closing time, each 'HH:MM'."""

type Pause = tuple[datetime, datetime | None]
"""From, to; None while it lasts."""

type Segment = tuple[Hours, datetime, datetime | None]
"""These hours count from, to; None for good."""

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WEEKDAY_KEYS = {str(day): day for day in range(7)}
PARTS = ("tz", "week", "closed", "holidays", "partial", "closed_intervals")
HH_MM = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")

INSTANT = timedelta(microseconds=1)
DAY = timedelta(days=1)
FOREVER = datetime.max.replace(tzinfo=UTC)
NOTHING = timedelta(0)

FIRST_YEAR, LAST_YEAR = date.min.year + 1, date.max.year - 1
HORIZON = 100
"""Years. What does not happen within so many years never happens: no search here is without end."""
YEARS_AT_HAND = 6


class InvalidHours(ValueError):
    """This is not a calendar. The text says where and why, to the person who wrote it."""


@dataclass(frozen=True)
class Hours:
    """When people work: an IANA zone, a week, and the dates that differ from it. A value: immutable and hashable.

    `week`: weekday, 0 = Monday → its intervals. `closed`: dates on which nothing opens, whatever else is said of them.
    `partial`: date → intervals in place of the week's; they may open a day or shorten it. `closed_intervals`: local
    (from, to), such as agreed maintenance, cut out of everything. Raises InvalidHours for what makes no sense.
    """

    tz: str
    week: Mapping[int, tuple[Interval, ...]]
    closed: frozenset[date] = frozenset()
    partial: Mapping[date, tuple[Interval, ...]] = field(default_factory=dict)
    closed_intervals: tuple[tuple[datetime, datetime], ...] = ()

    def __post_init__(self) -> None:
        _check_zone(self.tz)
        week = {day: _intervals(_weekday(day), self.week[day]) for day in sorted(self.week, key=str)}
        partial = {day: _intervals(f"partial {day}", self.partial[day]) for day in sorted(self.partial)}
        for start, stop in self.closed_intervals:
            _check_closed_interval(start, stop)
        self._freeze(
            week=MappingProxyType({day: intervals for day, intervals in week.items() if intervals}),
            closed=frozenset(self.closed),
            partial=MappingProxyType(partial),
            closed_intervals=tuple(sorted(self.closed_intervals)),
        )

    def _freeze(self, **values: object) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Hours:
        """Read the JSON shape `{tz, week: {"0": [["09:00", "17:00"]]}, closed, partial, closed_intervals}`.

        `holidays`: `{file, days}`; days that are closed as well, and the file that they were read from (holidays.py).
        """
        if not isinstance(spec, Mapping):
            raise InvalidHours(f"a calendar is an object with {', '.join(PARTS)}, not {spec!r}")
        if unknown := sorted(map(str, set(spec) - set(PARTS))):
            raise InvalidHours(f"a calendar has no part {unknown[0]!r}; it has {', '.join(PARTS)}")
        week, partial = _object(spec, "week"), _object(spec, "partial")
        closed = [*_list(spec, "closed"), *_list(_object(spec, "holidays"), "days")]
        return cls(
            tz=spec.get("tz", ""),
            week={WEEKDAY_KEYS.get(str(day), day): intervals for day, intervals in week.items()},
            closed=frozenset(_read_date("closed", day) for day in closed),
            partial={_read_date("partial", day): intervals for day, intervals in partial.items()},
            closed_intervals=tuple(_read_closed_interval(span) for span in _list(spec, "closed_intervals")),
        )

    def to_spec(self) -> dict[str, Any]:
        """The JSON shape that `from_spec` reads. Parts that say nothing are left out."""
        dated = {
            "closed": [day.isoformat() for day in sorted(self.closed)],
            "partial": {
                day.isoformat(): [list(i) for i in intervals] for day, intervals in self.partial.items()
            },
            "closed_intervals": [
                [start.isoformat(), stop.isoformat()] for start, stop in self.closed_intervals
            ],
        }
        week = {str(day): [list(i) for i in intervals] for day, intervals in self.week.items()}
        return {"tz": self.tz, "week": week} | {part: said for part, said in dated.items() if said}

    @classmethod
    def always(cls, tz: str = "UTC") -> Hours:
        """Day and night, every day."""
        return cls(tz=tz, week=dict.fromkeys(range(7), (("00:00", "24:00"),)))

    def between(self, start: datetime, stop: datetime) -> timedelta:
        """Working time in `[start, stop)`. Raises ValueError when `stop` is earlier: time is never negative."""
        start, stop = _forwards(start, stop)
        first, last = start.year, stop.year
        page = self._pages.get(first) or self._page(first)
        before = page.worked(start)
        if first != last:
            before -= sum(self._page(year).total for year in range(first, last))
            page = self._page(last)
        return timedelta(0, 0, page.worked(stop) - before)

    def add(self, start: datetime, amount: timedelta) -> datetime | None:
        """The earliest instant with `amount` of working time since `start`; for an amount of zero the next opening.

        None is never. Raises ValueError for a negative amount.
        """
        if not amount:
            return self.next_opening(start)
        start = _utc(start)
        page = self._pages.get(start.year) or self._page(start.year)
        left = _positive(amount) + page.worked(start)
        if left <= page.total:
            return _instant(page.earliest(left))
        for year in self._years_after(start.year):
            page = self._page(year)
            if left <= page.total:
                return _instant(page.earliest(left))
            left -= page.total
        return None

    def subtract(self, stop: datetime, amount: timedelta) -> datetime | None:
        """The latest instant with `amount` of working time until `stop`; for an amount of zero the previous closing.

        Such as "two working hours before the deadline". None is never. Raises ValueError for a negative amount.
        """
        if not amount:
            return self.previous_closing(stop)
        stop = _utc(stop)
        page = self._page(stop.year)
        left = _positive(amount) + page.total - page.worked(stop)
        for year in self._years_before(stop.year):
            page = self._page(year)
            if left <= page.total:
                return _instant(page.latest(page.total - left))
            left -= page.total
        return None

    def windows(self, start: datetime, stop: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The stretches of working time inside `[start, stop)` as (opens, closes) in UTC, in order and apart."""
        start, stop = _utc(start), _utc(stop)
        begin, end = _micros(start), _micros(stop)
        pages = (self._page(year) for year in range(start.year, stop.year + 1))
        for opens, closes in united(span for page in pages for span in page.spans(begin, end)):
            yield _instant(opens), _instant(closes)

    def is_open(self, at: datetime) -> bool:
        """Whether people work at this instant: at the opening yes, at the close no."""
        at = _utc(at)
        return self._page(at.year).opening(_micros(at)) == _micros(at)

    def next_opening(self, at: datetime) -> datetime | None:
        """`at` itself during working time, else when work next begins. None is never."""
        at = _utc(at)
        for year in self._years_after(at.year):
            if (opening := self._page(year).opening(_micros(at))) is not None:
                return _instant(opening)
        return None

    def previous_closing(self, at: datetime) -> datetime | None:
        """`at` itself during working time or at its end, else when work last ended. None is never."""
        at = _utc(at)
        for year in self._years_before(at.year):
            if (closing := self._page(year).closing(_micros(at))) is not None:
                return _instant(closing)
        return None

    def works_on(self, day: date) -> bool:
        """Whether work begins on this local date. The small hours of a night shift are the day before."""
        return next(self._windows_of(day), None) is not None

    def working_day(self, day: date, days: int = 0) -> date | None:
        """The working day `days` after `day`, or before it if negative. None is never.

        A day off counts as the next working day, going back as the one before.
        """
        step = 1 if days >= 0 else -1
        reach = (day + DAY * step * n for n in range(HORIZON * 366))
        return next(islice(filter(self.works_on, reach), abs(days), None), None)

    def add_working_days(self, at: datetime, days: int) -> datetime | None:
        """The same local time `days` working days later, or earlier if negative. None is never.

        Outside working time counts as the next opening, going back as the opening of the working day before.
        """
        begin = at if self.is_open(at) else self.next_opening(at) if days >= 0 else self._last_opening(at)
        if begin is None:
            return None
        day, local = self._working_day_of(begin), begin.astimezone(self.zone)
        then = self.working_day(day, days)
        return None if then is None else _instant(self._read(then + (local.date() - day), local.time()))

    def _page(self, year: int) -> Page:
        """The windows of one UTC year, kept at hand: the years of today's deadlines are asked for all the time."""
        page = self._pages.get(year)
        if page is None:
            page = _page(self, year)
            if len(self._pages) >= YEARS_AT_HAND:
                self._pages.clear()
            self._pages[year] = page
        return page

    @cached_property
    def _pages(self) -> dict[int, Page]:
        return {}

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.tz)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        """Kept: every question begins with looking up a page."""
        week, partial = tuple(self.week.items()), tuple(self.partial.items())
        return hash((self.tz, week, self.closed, partial, self.closed_intervals))

    def _last_opening(self, at: datetime) -> datetime | None:
        closing = self.previous_closing(at)
        if closing is None:
            return None
        opens, _ = next(self._windows_of(self._working_day_of(closing - INSTANT)))
        return _instant(opens)

    def _working_day_of(self, at: datetime) -> date:
        """The date whose work is done at `at`: at two in the night that may still be yesterday."""
        today, instant = at.astimezone(self.zone).date(), _micros(at)
        days = (today, today - DAY)
        return next(
            (day for day in days if any(start <= instant < stop for start, stop in self._windows_of(day))),
            today,
        )

    def _years_after(self, year: int) -> range:
        """The years in which to look for what comes after an instant of this one."""
        last = LAST_YEAR if self.week else max((day.year + 1 for day in self.partial), default=year)
        return range(year, min(last, year + HORIZON) + 1)

    def _years_before(self, year: int) -> range:
        first = FIRST_YEAR if self.week else min((day.year - 1 for day in self.partial), default=year)
        return range(year, max(first, year - HORIZON) - 1, -1)

    def _windows_of(self, day: date) -> Iterator[Span]:
        """The working time that begins on a local date."""
        return without(united(sorted(self._spans_of(day))), self._closed_spans)

    def _spans_of(self, day: date) -> Iterator[Span]:
        """The intervals of a local date as instants, before they are united and cut."""
        if day in self.closed:
            return
        for opens, closes in self.partial.get(day, self.week.get(day.weekday(), ())):
            until = day if opens < closes < "24:00" else day + DAY
            start, stop = self._read(day, _time(opens)), self._read(until, _time(closes))
            if start < stop:
                yield start, stop

    @cached_property
    def _closed_spans(self) -> tuple[Span, ...]:
        spans = (
            (self._read(start.date(), start.time()), self._read(stop.date(), stop.time()))
            for start, stop in self.closed_intervals
        )
        return tuple(united(sorted((start, stop) for start, stop in spans if start < stop)))

    def _read(self, day: date, at: time) -> int:
        """A local time as an instant. `fold=0` is our rule: the offset before a gap, the first of two occurrences."""
        return _micros(datetime.combine(day, at.replace(fold=0), self.zone))


def elapsed(hours: Hours, start: datetime, stop: datetime, pauses: Iterable[Pause] = ()) -> timedelta:
    """Working time in `[start, stop)` outside all pauses; pauses that overlap count once.

    Raises ValueError when `stop` is earlier than `start`, or a pause ends before it begins.
    """
    start, stop = _forwards(start, stop)
    return segmented_elapsed([(hours, start, None)], stop, pauses)


def due(hours: Hours, start: datetime, target: timedelta, pauses: Iterable[Pause] = ()) -> datetime | None:
    """The earliest instant at which `target` is used up; for a target of zero the next opening that is not paused.

    None is never: nothing opens, or a pause lasts. Raises ValueError as `elapsed` does.
    """
    return segmented_due([(hours, start, None)], target, pauses)


def segmented_elapsed(segments: Iterable[Segment], stop: datetime, pauses: Iterable[Pause] = ()) -> timedelta:
    """Working time up to `stop` when the hours changed on the way: each segment counts by its own hours."""
    stop, holes, worked = _utc(stop), _in_order(pauses), NOTHING
    for hours, since, until in segments:
        ends = stop if until is None else min(stop, _utc(until))
        for begin, end in without([(_utc(since), ends)], holes):
            worked += hours.between(begin, end)
    return worked


def segmented_due(
    segments: Iterable[Segment], target: timedelta, pauses: Iterable[Pause] = ()
) -> datetime | None:
    """The earliest instant at which `target` is used up when the hours changed on the way: what was used stays used.

    The segments are in order and do not overlap. None is never.
    """
    holes, left = _in_order(pauses), target
    for hours, since, until in segments:
        ends = FOREVER if until is None else _utc(until)
        for begin, end in without([(_utc(since), ends)], holes):
            at = hours.add(begin, left)
            if at is not None and (at < end or (left and at == end)):
                return at
            if end == FOREVER:
                return None
            left -= hours.between(begin, end)
    return None


def _in_order(pauses: Iterable[Pause]) -> tuple[tuple[datetime, datetime], ...]:
    spans = [_forwards(start, FOREVER if stop is None else stop) for start, stop in pauses]
    return tuple(sorted(spans))


@lru_cache(maxsize=2048)
def _page(hours: Hours, year: int) -> Page:
    """The windows of one UTC year. Equal calendars share their pages, however many clients were promised them.

    A date may reach two days beyond itself, by an overnight shift and its distance from UTC, and a third where a
    zone has skipped a date (Apia 2011).
    """
    first, last = date(year, 1, 1), date(year, 12, 31)
    begin, end = _micros(datetime(year, 1, 1, tzinfo=UTC)), _micros(datetime(year + 1, 1, 1, tzinfo=UTC))
    dates = map(date.fromordinal, range(first.toordinal() - 3, last.toordinal() + 4))
    spans = united(sorted(span for day in dates for span in hours._spans_of(day)))
    closed = tuple(within(hours._closed_spans, begin, end))
    return Page.of(without(within(spans, begin, end), closed))


def _micros(at: datetime) -> int:
    """Microseconds since 1970 UTC. Put together by hand: dividing by a timedelta of one takes twice as long."""
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _instant(micros: int) -> datetime:
    return EPOCH + timedelta(0, 0, micros)


def _utc(at: datetime) -> datetime:
    """In UTC, because Python compares and subtracts times of one zone by the clock on the wall, not by instant."""
    if at.tzinfo is UTC:
        return at
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone")
    return at.astimezone(UTC)


def _forwards(start: datetime, stop: datetime) -> tuple[datetime, datetime]:
    if start.tzinfo is not UTC or stop.tzinfo is not UTC:
        start, stop = _utc(start), _utc(stop)
    if stop < start:
        raise ValueError(f"{stop} is earlier than {start}")
    return start, stop


def _positive(amount: timedelta) -> int:
    if amount < NOTHING:
        raise ValueError(f"working time is never negative: {amount}")
    return (amount.days * 86_400 + amount.seconds) * 1_000_000 + amount.microseconds


@lru_cache(maxsize=1441)
def _time(hhmm: str) -> time:
    """The time on the clock; `24:00` shows as 00:00."""
    return time(int(hhmm[:2]) % 24, int(hhmm[3:]))


def _check_zone(tz: str) -> None:
    try:
        ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError) as error:
        raise InvalidHours(f"tz: {tz!r} is not a time zone; write one such as Europe/Berlin") from error


def _weekday(day: int) -> str:
    if day not in range(7):
        raise InvalidHours(f"week: {day!r} is not a weekday; they go from 0, Monday, to 6, Sunday")
    return WEEKDAYS[day]


def _intervals(where: str, intervals: Iterable[Sequence[str]]) -> tuple[Interval, ...]:
    if isinstance(intervals, str | Mapping) or not isinstance(intervals, Iterable):
        raise InvalidHours(f"{where}: {intervals!r} is not a list of intervals")
    return tuple(_interval(where, interval) for interval in intervals)


def _interval(where: str, interval: Sequence[str]) -> Interval:
    match interval:
        case [str() as opens, str() as closes]:
            for at in (opens, closes):
                if not HH_MM.fullmatch(at):
                    raise InvalidHours(f"{where}: {at!r} is not a time; write HH:MM, from 00:00 to 24:00")
            if opens == "24:00":
                raise InvalidHours(f"{where}: nothing opens at 24:00; write 00:00 of the next day")
            return opens, closes
    raise InvalidHours(f"{where}: {interval!r} is not an interval; write [open, close]")


def _check_closed_interval(start: datetime, stop: datetime) -> None:
    if start.tzinfo or stop.tzinfo:
        raise InvalidHours(f"closed_intervals: {start} to {stop} is local time; write it without an offset")
    if stop <= start:
        raise InvalidHours(f"closed_intervals: {start} to {stop} ends before it begins")


def _object(spec: Mapping[str, Any], part: str) -> Mapping[Any, Any]:
    said = spec.get(part) or {}
    if not isinstance(said, Mapping):
        raise InvalidHours(f"{part}: {said!r} is not an object")
    return said


def _list(spec: Mapping[str, Any], part: str) -> Sequence[Any]:
    said = spec.get(part) or ()
    if not isinstance(said, list | tuple):
        raise InvalidHours(f"{part}: {said!r} is not a list")
    return said


def _read_date(part: str, day: str | date) -> date:
    try:
        return date.fromisoformat(str(day))
    except ValueError as error:
        raise InvalidHours(f"{part}: {day!r} is not a date; write YYYY-MM-DD") from error


def _read_closed_interval(span: Sequence[str]) -> tuple[datetime, datetime]:
    try:
        start, stop = span
        return datetime.fromisoformat(start), datetime.fromisoformat(stop)
    except (ValueError, TypeError) as error:
        raise InvalidHours(f"closed_intervals: {span!r} is not [from, to]; write YYYY-MM-DDTHH:MM") from error
