"""What somebody gave us as an iCalendar file (RFC 5545): its events, or in words why it cannot be read. Pure.

Definitions of time zones in a file are not believed: the library would keep each of them for everybody, by the name
that the file gave it. A zone is known by its name, of IANA's or of Windows, or it is not known.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from icalendar import Calendar

LONGEST_NAME = 60
"""Characters of an event's name that a refusal says."""


class UnreadableCalendar(ValueError):
    """The file cannot be read as what it was given for; the text says why, to whoever gave it."""


def parsed(text: str, *, longest: int, most: int, advice: str) -> Any:
    """The calendar with all its events. `longest`: characters; `most`: events; `advice`: what to give instead.

    Raises UnreadableCalendar.
    """
    if len(text) > longest:
        raise UnreadableCalendar(f"It is longer than {longest} characters; {advice}.")
    try:
        found = Calendar.from_ical("".join(_without_zones(text)))
    except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableCalendar("It is no iCalendar file, or it is damaged: give all of it.") from error
    if found.name != "VCALENDAR":
        raise UnreadableCalendar("It is no iCalendar file: that begins with BEGIN:VCALENDAR.")
    events = found.walk("VEVENT")
    for event in (event for event in events if not is_cancelled(event)):
        for name, why in event.errors:
            raise UnreadableCalendar(f"{named(event)} cannot be read, at {name}: {why}.")
    if len(events) > most:
        raise UnreadableCalendar(f"It has more than {most} events; {advice}.")
    return found


def _without_zones(text: str) -> Iterator[str]:
    """The lines outside of definitions of time zones; of one that does not end, none more."""
    is_within = False
    for line in text.splitlines(keepends=True):
        said = line.strip().upper()
        is_within = is_within or said == "BEGIN:VTIMEZONE"
        if not is_within:
            yield line
        elif said == "END:VTIMEZONE":
            is_within = False


def is_cancelled(event: Any) -> bool:
    return str(event.get("STATUS", "")).upper() == "CANCELLED"


def named(event: Any) -> str:
    return f"“{str(event.get('SUMMARY', '')).strip()[:LONGEST_NAME] or 'An event without a name'}”"


def listed(said: Any) -> list[Any]:
    """A property that may stand never, once or often, as a list."""
    return [] if said is None else said if isinstance(said, list) else [said]


def unknown_zone(said: Any) -> str:
    """The name of the zone that a time is said in, where nobody knows it; else empty."""
    zone = said.params.get("TZID", "")
    is_known = isinstance(said.dt, datetime) and said.dt.tzinfo is not None
    return str(zone) if zone and not is_known else ""
