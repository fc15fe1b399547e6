"""Shifts in the words of RFC 5545."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierdesk.directory.oncall.ical import Event, written

AT = datetime(2026, 3, 3, 12, tzinfo=UTC)


def event(summary: str = "On call", description: str = "") -> Event:
    return Event("night-7-1@tierdesk", AT, AT + timedelta(hours=1), summary, description)


def unfolded(text: str) -> list[str]:
    return text.replace("\r\n ", "").split("\r\n")


def test_a_shift_is_an_event_in_utc() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    shift = Event(
        "night-7-1@tierdesk",
        datetime(2026, 3, 29, 1, 30, tzinfo=berlin),
        datetime(2026, 3, 29, 9, tzinfo=berlin),
        "Lena Lang · Night duty",
        "Weeks",
    )
    assert written("On call", [shift], at=AT) == (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Tierdesk//On call//EN\r\nCALSCALE:GREGORIAN\r\n"
        "METHOD:PUBLISH\r\nNAME:On call\r\nX-WR-CALNAME:On call\r\nREFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n"
        "BEGIN:VEVENT\r\nUID:night-7-1@tierdesk\r\nDTSTAMP:20260303T120000Z\r\nDTSTART:20260329T003000Z\r\n"
        "DTEND:20260329T070000Z\r\nSUMMARY:Lena Lang · Night duty\r\nDESCRIPTION:Weeks\r\nEND:VEVENT\r\n"
        "END:VCALENDAR\r\n"
    )


def test_what_has_a_meaning_is_escaped() -> None:
    said = written("On call", [event("a, b; c\\d", "one\r\ntwo\rEND:VEVENT\x00\x07")], at=AT)
    assert "SUMMARY:a\\, b\\; c\\\\d" in unfolded(said)
    assert "DESCRIPTION:one\\ntwo\\nEND:VEVENT" in unfolded(said)


@given(st.text())
def test_no_line_is_too_long_and_none_is_broken_within_a_character(words: str) -> None:
    said = written(words, [event(words, words)], at=AT)
    lines = said.encode().split(b"\r\n")
    assert all(len(line) <= 75 for line in lines)
    assert all(line.decode() is not None and b"\n" not in line and b"\r" not in line for line in lines)
    assert [line for line in unfolded(said) if line.startswith("BEGIN:")] == [
        "BEGIN:VCALENDAR",
        "BEGIN:VEVENT",
    ]


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        written("On call", [event()], at=datetime(2026, 3, 3))
