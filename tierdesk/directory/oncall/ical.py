"""Shifts as an iCalendar object (RFC 5545), for calendar programs to subscribe to. Pure.

Written here, not by a library: what we say is a flat list of events in UTC, without zones, rules or alarms, and the
format's only traps for such a list are escaping (§3.3.11) and folding (§3.1).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

LINE_OCTETS = 75
"""Of a line, without its end (§3.1)."""


@dataclass(frozen=True, slots=True)
class Event:
    """`uid` is the same whenever the same event is told again; from `from_at` (inclusive) to `to_at` (exclusive)."""

    uid: str
    from_at: datetime
    to_at: datetime
    summary: str
    description: str = ""


def written(name: str, events: Iterable[Event], *, at: datetime) -> str:
    """The calendar called `name`, as it is at `at`. Raises ValueError for a time without a zone."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Tierdesk//On call//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"NAME:{_text(name)}",
        f"X-WR-CALNAME:{_text(name)}",  # what programs read that do not know NAME (RFC 7986 §5.1)
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        *(line for event in events for line in _event(event, at)),
        "END:VCALENDAR",
    ]
    return "".join(f"{folded}\r\n" for line in lines for folded in _folded(line))


def _event(event: Event, at: datetime) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{_text(event.uid)}"
    yield f"DTSTAMP:{_utc(at)}"
    yield f"DTSTART:{_utc(event.from_at)}"
    yield f"DTEND:{_utc(event.to_at)}"
    yield f"SUMMARY:{_text(event.summary)}"
    if event.description:
        yield f"DESCRIPTION:{_text(event.description)}"
    yield "END:VEVENT"


def _utc(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone")
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(words: str) -> str:
    """A value of type TEXT. Control characters have no place in it, and a bare CR would end the line."""
    escaped = words.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    lines = escaped.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\\n".join("".join(character for character in line if character >= " ") for line in lines)


def _folded(line: str) -> Iterator[str]:
    """The line in pieces of at most 75 octets, never within a character; each but the first begins with a space."""
    piece, octets = "", 0
    for character in line:
        size = len(character.encode())
        if octets + size > LINE_OCTETS:
            yield piece
            piece, octets = " ", 1
        piece, octets = piece + character, octets + size
    yield piece
