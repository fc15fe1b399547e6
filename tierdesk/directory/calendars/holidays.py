"""Holidays out of an iCalendar file (RFC 5545), as states and schools publish them. Pure.

Whole days are read: events that last days, with rules that come back every year, dates added, left out and moved. What
has hours, or comes back more often, is no holiday and is refused in words: hours are said in the calendar itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import takewhile
from typing import Any, Final

from dateutil.rrule import rrulestr

from tierdesk.directory.calendars.calendar_file import UnreadableCalendar, is_cancelled, listed, named, parsed

LONGEST = 300_000
"""Characters; a state's holidays of ten years take a tenth of it."""

MOST_EVENTS = 2000
MOST_DAYS = 4000
MOST_RULES = 60
"""A rule that never holds is asked for until the year 9999, a quarter of a second long."""

MOST_TIMES = 500
"""That one rule comes back: also one that began long ago costs no more than this."""

LONGEST_EVENT = timedelta(days=100)
FIRST: Final = date(2015, 1, 1)
LAST: Final = date(2049, 12, 31)
"""A rule without an end is kept until then: what a file says must not depend on the day when it is read."""

DAY = timedelta(days=1)
LONGEST_YEAR = 366
WITHIN_A_DAY = ("BYHOUR", "BYMINUTE", "BYSECOND")


def holidays(text: str) -> list[date]:
    """The days that the file says, from FIRST to LAST, in order. Raises UnreadableCalendar."""
    events = _events(text)
    if sum(len(listed(event.get("RRULE"))) for event in events) > MOST_RULES:
        raise UnreadableCalendar(f"It has more than {MOST_RULES} days that come back; give holidays alone.")
    moved = {(str(e.get("UID", "")), _day(e, "RECURRENCE-ID")) for e in events if "RECURRENCE-ID" in e}
    days: set[date] = set()
    for event in events:
        for day in _days(event, moved):
            days.add(day)
            if len(days) > MOST_DAYS:
                raise UnreadableCalendar(f"It says more than {MOST_DAYS} days; give holidays alone.")
    if not days:
        raise UnreadableCalendar(f"It says no day between {FIRST.year} and {LAST.year}.")
    return sorted(days)


def _events(text: str) -> list[Any]:
    found = parsed(text, longest=LONGEST, most=MOST_EVENTS, advice="give holidays alone")
    return [event for event in found.walk("VEVENT") if not is_cancelled(event)]


def _days(event: Any, moved: set[tuple[str, date]]) -> Iterator[date]:
    begins, length = _day(event, "DTSTART"), _length(event)
    uid = str(event.get("UID", ""))
    for first in _occurrences(event, begins):
        if (uid, first) in moved and "RECURRENCE-ID" not in event:
            continue
        if first > LAST:
            continue
        for n in range(length.days):
            if FIRST <= (day := first + n * DAY) <= LAST:
                yield day


def _occurrences(event: Any, begins: date) -> list[date]:
    left_out = set(_dates(event, "EXDATE"))
    found = {begins, *_dates(event, "RDATE")}
    for rule in listed(event.get("RRULE")):
        found |= set(_of_rule(event, rule, begins))
    return sorted(found - left_out)


def _of_rule(event: Any, rule: Any, begins: date) -> Iterator[date]:
    if [str(one).upper() for one in rule.get("FREQ", [])] != ["YEARLY"]:
        raise UnreadableCalendar(
            f"{named(event)} comes back more often than every year; say that in the week."
        )
    if any(part in rule for part in WITHIN_A_DAY):
        raise UnreadableCalendar(f"{named(event)} comes back at an hour; only whole days are holidays.")
    until = [one.date() if isinstance(one, datetime) else one for one in rule.get("UNTIL", [])]
    never = any(int(n) < 1 for n in rule.get("INTERVAL", [])) or any(
        not 1 <= abs(int(n)) <= LONGEST_YEAR for n in rule.get("BYYEARDAY", [])
    )
    if never or not all(isinstance(one, date) for one in until):
        raise UnreadableCalendar(f"{named(event)} comes back by a rule that cannot be read.")
    plain = {name: value for name, value in rule.items() if name != "UNTIL"}
    try:
        recurring = rrulestr(type(rule)(plain).to_ical().decode(), dtstart=datetime.combine(begins, time()))
    except (ValueError, TypeError) as error:
        raise UnreadableCalendar(
            f"{named(event)} comes back by a rule that cannot be read: {error}."
        ) from error
    last = min([LAST, *until])
    for times, day in enumerate(takewhile(lambda day: day <= last, (one.date() for one in recurring))):
        if times >= MOST_TIMES:
            raise UnreadableCalendar(f"{named(event)} comes back more than {MOST_TIMES} times.")
        yield day


def _length(event: Any) -> timedelta:
    if isinstance(event.get("DURATION"), list):
        raise UnreadableCalendar(f"{named(event)} says its DURATION twice.")
    length: timedelta = event["DURATION"].dt if "DURATION" in event else DAY
    if "DTEND" in event:
        length = _day(event, "DTEND") - _day(event, "DTSTART")
    if not timedelta(0) <= length <= LONGEST_EVENT:
        raise UnreadableCalendar(f"{named(event)} ends before it begins, or lasts longer than 100 days.")
    return max(length, DAY)


def _dates(event: Any, name: str) -> Iterator[date]:
    for several in listed(event.get(name)):
        for one in several.dts:
            yield _plain(event, one.dt)


def _day(event: Any, name: str) -> date:
    if name not in event:
        raise UnreadableCalendar(f"{named(event)} does not say its {name}.")
    if isinstance(event[name], list):
        raise UnreadableCalendar(f"{named(event)} says its {name} twice.")
    return _plain(event, event[name].dt)


def _plain(event: Any, said: object) -> date:
    if isinstance(said, datetime) or not isinstance(said, date):
        raise UnreadableCalendar(f"{named(event)} has hours; only whole days are holidays.")
    return said
