"""Shifts as a calendar file says them (RFC 5545): of Google, Outlook, PagerDuty, or a feed of ours. Pure.

An event is a shift: from when to when, and in its name or among the invited whose it is. Rules by which events come
back, days left out, added and moved are the library's to lay out. What has no zone is in the file's, else in the
schedule's; a whole day begins when the caller says. A shift comes back daily or less often.

Everything is laid out for the span that is asked for; what a file may cost is bounded by the limits here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from recurring_ical_events import CalendarQuery, of

from tierdesk.directory.calendars.calendar_file import (
    UnreadableCalendar,
    is_cancelled,
    listed,
    named,
    parsed,
    unknown_zone,
)

LONGEST = 1_000_000
"""Characters."""

MOST_EVENTS = 4000
MOST_SHIFTS = 2000
MOST_RULES = 60
"""One that never holds is asked for until the year 9999, 0.4 s long."""

FIRST_YEAR = 2000
"""A rule is asked from its beginning on: a daily one costs 4 ms a year."""

LONGEST_SHIFT = timedelta(days=366)
LONGEST_LABEL = 200
"""Characters."""

ADVICE = "give the calendar of this schedule alone"
SELDOM = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
PLAIN = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTH"}
"""What a daily or weekly rule may say: with more it may hold never, and that takes seconds to find out."""

MONTHS = range(1, 13)


@dataclass(frozen=True, slots=True)
class Said:
    """A shift of the file, from `from_at` (inclusive) to `to_at` (exclusive), in UTC.

    `label` is what the file calls whoever it is, in its own words; `mails`: the addresses of the invited.
    """

    label: str
    mails: tuple[str, ...]
    from_at: datetime
    to_at: datetime


def said(text: str, start: datetime, stop: datetime, *, zone: ZoneInfo, days_begin: time) -> list[Said]:
    """The shifts that lie in `[start, stop)`: in order, none twice. Of what is going on at `start`, the rest.

    Raises UnreadableCalendar.
    """
    found = parsed(text, longest=LONGEST, most=MOST_EVENTS, advice=ADVICE)
    events = found.walk("VEVENT")
    if sum(len(listed(event.get("RRULE"))) for event in events) > MOST_RULES:
        raise UnreadableCalendar(f"It has more than {MOST_RULES} events that come back; {ADVICE}.")
    for event in events:
        _check(event)
        if event.get("DTEND") is not None and event["DTEND"].dt == event["DTSTART"].dt:
            del event["DTEND"]  # a whole day that ends on itself is that day: some programs write it so
    shifts = {
        _read(event, zone, days_begin, start)
        for event in _laid_out(found, start - timedelta(days=1), stop)
        if not is_cancelled(event)
    }
    ahead = sorted(
        (one for one in shifts if one.from_at < one.to_at),
        key=lambda one: (one.from_at, one.to_at, one.label),
    )
    if not ahead:
        raise UnreadableCalendar("It says no shift between now and a year from now.")
    return ahead


def _laid_out(calendar: Any, start: datetime, stop: datetime) -> Iterator[Any]:
    """Each event as often as it happens in the span."""
    try:
        query: CalendarQuery = of(calendar)
        for count, event in enumerate(query.between(start, stop)):
            if count >= MOST_SHIFTS:
                raise UnreadableCalendar(f"It says more than {MOST_SHIFTS} shifts in a year; {ADVICE}.")
            yield event
    except UnreadableCalendar:
        raise
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise UnreadableCalendar(
            f"One of its events comes back by a rule that cannot be read: {error}."
        ) from error


def _check(event: Any) -> None:
    """That the event can be laid out, and at what cost."""
    if "DTSTART" not in event:
        raise UnreadableCalendar(f"{named(event)} does not say when it begins.")
    for name in ("DTSTART", "DTEND", "RECURRENCE-ID"):
        if isinstance(event.get(name), list):
            raise UnreadableCalendar(f"{named(event)} says its {name} twice.")
        if name in event and (zone := unknown_zone(event[name])):
            raise UnreadableCalendar(
                f"{named(event)} is in the time zone “{zone}”, which is not known here; "
                "say it by its name, such as Europe/Berlin."
            )
    if "DTEND" not in event and "DURATION" not in event and isinstance(event["DTSTART"].dt, datetime):
        raise UnreadableCalendar(f"{named(event)} does not say when it ends.")
    if event["DTSTART"].dt.year < FIRST_YEAR:
        raise UnreadableCalendar(f"{named(event)} began before {FIRST_YEAR}; let it begin later.")
    if not timedelta(0) < _length(event) <= LONGEST_SHIFT:
        raise UnreadableCalendar(f"{named(event)} ends before it begins, or lasts longer than a year.")
    for rule in listed(event.get("RRULE")):
        _check_rule(event, rule)


def _length(event: Any) -> timedelta:
    """By the clock on the wall: near enough to tell whether it is too long."""
    begins = event["DTSTART"].dt
    if "DURATION" in event:
        length: timedelta = event["DURATION"].dt
        return length
    ends = event["DTEND"].dt if "DTEND" in event else begins + timedelta(days=1)
    if isinstance(begins, datetime) != isinstance(ends, datetime):
        raise UnreadableCalendar(
            f"{named(event)} begins with an hour and ends without one, or the other way round."
        )
    if isinstance(begins, datetime) and (begins.tzinfo is None) != (ends.tzinfo is None):
        begins, ends = begins.replace(tzinfo=None), ends.replace(tzinfo=None)
    length = ends - begins
    return length or (timedelta(0) if isinstance(begins, datetime) else timedelta(days=1))


def _check_rule(event: Any, rule: Any) -> None:
    often = [str(one).upper() for one in rule.get("FREQ", [])]
    if len(often) != 1 or often[0] not in SELDOM:
        raise UnreadableCalendar(f"{named(event)} comes back more often than every day; {ADVICE}.")
    parts = {str(name).upper() for name in rule}
    is_plain = parts <= PLAIN or (often[0] in SELDOM[2:] and not parts & {"BYHOUR", "BYMINUTE", "BYSECOND"})
    numbers = [int(n) for n in rule.get("INTERVAL", [])]
    months = [int(n) for n in rule.get("BYMONTH", [])]
    if not is_plain or any(n < 1 for n in numbers) or any(n not in MONTHS for n in months):
        raise UnreadableCalendar(f"{named(event)} comes back by a rule that cannot be read.")


def _read(event: Any, zone: ZoneInfo, days_begin: time, start: datetime) -> Said:
    begins, ends = (_instant(event[name].dt, zone, days_begin) for name in ("DTSTART", "DTEND"))
    mails = tuple(str(one).lower().removeprefix("mailto:").strip() for one in listed(event.get("ATTENDEE")))
    summary = " ".join(str(event.get("SUMMARY", "")).split())
    label = " · ".join(part for part in (summary, ", ".join(mails)) if part)
    return Said(
        label=label[:LONGEST_LABEL] or "—",
        mails=mails,
        from_at=max(begins, start.astimezone(UTC)),
        to_at=ends,
    )


def _instant(said_at: date, zone: ZoneInfo, days_begin: time) -> datetime:
    """`fold=0`, and the offset before a gap: as hand-overs are read (rota.py)."""
    if not isinstance(said_at, datetime):
        said_at = datetime.combine(said_at, days_begin)
    if said_at.tzinfo is None:
        said_at = said_at.replace(tzinfo=zone, fold=0)
    return said_at.astimezone(UTC)
