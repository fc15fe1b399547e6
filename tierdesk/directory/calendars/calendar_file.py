"""What somebody gave us as an iCalendar file (RFC 5545): its events, or in words why it cannot be read. Pure.

Definitions of time zones in a file are not believed: the library would keep each of them for everybody, by the name
that the file gave it. A zone is known by its name, of IANA's or of Windows, or it is not known.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from icalendar import Calendar

ZONE_DEFINITION = re.compile(
    r"^BEGIN:VTIMEZONE\b.*?^END:VTIMEZONE\b[^\n]*\n?", re.DOTALL | re.MULTILINE | re.I
)
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
        found = Calendar.from_ical(ZONE_DEFINITION.sub("", text))
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
