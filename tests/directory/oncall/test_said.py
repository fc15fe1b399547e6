"""Shifts of a calendar file: what Google, Outlook and PagerDuty write, and words for what is none."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from tierdesk.directory.calendars.calendar_file import UnreadableCalendar
from tierdesk.directory.oncall.said import MOST_SHIFTS, Said, said

START = datetime(2026, 3, 2, tzinfo=UTC)
"""A Monday."""

STOP = START + timedelta(days=366)
BERLIN = ZoneInfo("Europe/Berlin")

MONTH = START + timedelta(days=31)


def file(*events: str, head: str = "") -> str:
    body = "".join(
        f"BEGIN:VEVENT\nUID:{n}@elsewhere.example\n{event}\nEND:VEVENT\n" for n, event in enumerate(events)
    )
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//elsewhere//EN\n{head}{body}END:VCALENDAR\n"


def read(text: str, stop: datetime = MONTH) -> list[Said]:
    return said(text, START, stop, zone=BERLIN, days_begin=time(9))


def times(*events: str, head: str = "", stop: datetime = MONTH) -> list[str]:
    """Each shift as `03-02 08:00 – 03-09 08:00`, in UTC."""
    return [
        f"{one.from_at:%m-%d %H:%M} – {one.to_at:%m-%d %H:%M}" for one in read(file(*events, head=head), stop)
    ]


WEEKS = "DTSTART;TZID=Europe/Berlin:20260302T090000\nDTEND;TZID=Europe/Berlin:20260309T090000\nSUMMARY:Lena"

CUSTOM_ZONE = """BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:STANDARD
DTSTART:16010101T000000
TZOFFSETFROM:+1200
TZOFFSETTO:+1200
END:STANDARD
END:VTIMEZONE
"""


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param(
            "DTSTART:20260303T080000Z\nDTEND:20260304T080000Z", ["03-03 08:00 – 03-04 08:00"], id="an event"
        ),
        pytest.param(
            "DTSTART:20260303T080000Z\nDURATION:PT12H", ["03-03 08:00 – 03-03 20:00"], id="a duration"
        ),
        pytest.param(
            "DTSTART:20260303T090000\nDTEND:20260303T170000", ["03-03 08:00 – 03-03 16:00"], id="in no zone"
        ),
        pytest.param(
            "DTSTART;TZID=W. Europe Standard Time:20260303T090000\nDURATION:PT1H",
            ["03-03 08:00 – 03-03 09:00"],
            id="a zone of Windows",
        ),
        pytest.param(
            "DTSTART;VALUE=DATE:20260303\nDTEND;VALUE=DATE:20260305",
            ["03-03 08:00 – 03-05 08:00"],
            id="whole days begin at the hand-over",
        ),
        pytest.param("DTSTART;VALUE=DATE:20260303", ["03-03 08:00 – 03-04 08:00"], id="one day"),
        pytest.param(
            "DTSTART;VALUE=DATE:20260303\nDTEND;VALUE=DATE:20260303",
            ["03-03 08:00 – 03-04 08:00"],
            id="a day that ends on itself",
        ),
        pytest.param(
            "DTSTART;VALUE=DATE:20260301", ["03-02 00:00 – 03-02 08:00"], id="what is going on, from now on"
        ),
        pytest.param(
            f"{WEEKS}\nRRULE:FREQ=WEEKLY;INTERVAL=2",
            ["03-02 08:00 – 03-09 08:00", "03-16 08:00 – 03-23 08:00", "03-30 07:00 – 04-06 07:00"],
            id="every second week keeps its hour when the clocks change",
        ),
        pytest.param(
            f"{WEEKS}\nRRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=2\nEXDATE;TZID=Europe/Berlin:20260302T090000",
            ["03-16 08:00 – 03-23 08:00"],
            id="one left out",
        ),
        pytest.param(
            f"{WEEKS}\nRDATE;TZID=Europe/Berlin:20260316T090000",
            ["03-02 08:00 – 03-09 08:00", "03-16 08:00 – 03-23 08:00"],
            id="one added",
        ),
        pytest.param(
            "DTSTART:20260228T080000Z\nDURATION:PT12H\nRRULE:FREQ=MONTHLY;BYDAY=-1SA",
            ["03-28 08:00 – 03-28 20:00"],
            id="the last Saturday of a month",
        ),
        pytest.param(
            "DTSTART:20180101T000000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=20260303T000000Z",
            ["03-02 00:00 – 03-02 01:00", "03-03 00:00 – 03-03 01:00"],
            id="a rule that began long ago",
        ),
    ],
)
def test_an_event_is_a_shift(event: str, expected: list[str]) -> None:
    assert times(event) == expected


def test_one_that_was_moved_is_where_it_went() -> None:
    moved = (
        "UID:0@elsewhere.example\nRECURRENCE-ID;TZID=Europe/Berlin:20260309T090000\n"
        "DTSTART;TZID=Europe/Berlin:20260310T090000\nDTEND;TZID=Europe/Berlin:20260316T090000\nSUMMARY:Tom"
    )
    text = file(f"{WEEKS}\nRRULE:FREQ=WEEKLY;COUNT=2").replace(
        "END:VCALENDAR", f"BEGIN:VEVENT\n{moved}\nEND:VEVENT\nEND:VCALENDAR"
    )
    assert [(one.label, f"{one.from_at:%m-%d}") for one in read(text)] == [
        ("Lena", "03-02"),
        ("Tom", "03-10"),
    ]


def test_what_was_cancelled_is_no_shift() -> None:
    assert times(WEEKS, f"{WEEKS}\nSTATUS:CANCELLED".replace("20260302", "20260301")) == [
        "03-02 08:00 – 03-09 08:00"
    ]


def test_the_file_s_zone_is_that_of_times_without_one() -> None:
    head = "X-WR-TIMEZONE:America/New_York\n"
    assert times("DTSTART:20260303T090000\nDURATION:PT1H", head=head) == ["03-03 14:00 – 03-03 15:00"]


def test_a_file_does_not_say_what_a_zone_is() -> None:
    """Else the next file of anybody would be read by this one's Berlin."""
    assert times("DTSTART;TZID=Europe/Berlin:20260303T090000\nDURATION:PT1H", head=CUSTOM_ZONE) == [
        "03-03 08:00 – 03-03 09:00"
    ]
    with pytest.raises(UnreadableCalendar, match="“Ours”, which is not known here"):
        times(
            "DTSTART;TZID=Ours:20260303T090000\nDURATION:PT1H",
            head=CUSTOM_ZONE.replace("Europe/Berlin", "Ours"),
        )


def test_whose_it_is_stands_in_the_name_and_among_the_invited() -> None:
    (one,) = read(
        file(
            "DTSTART:20260303T080000Z\nDURATION:PT1H\nSUMMARY:On  call\nATTENDEE;CN=L:MAILTO:Lena@desk.example"
        )
    )
    assert one.label == "On call · lena@desk.example"
    assert one.mails == ("lena@desk.example",)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("", "no iCalendar file", id="nothing"),
        pytest.param("Lena: Mondays", "no iCalendar file", id="no calendar"),
        pytest.param("BEGIN:VTODO\nEND:VTODO\n", "begins with BEGIN:VCALENDAR", id="something else"),
        pytest.param("x" * 1_000_001, "longer than 1000000 characters", id="too long"),
        pytest.param("BEGIN:VTIMEZONE\n" * 60_000, "no iCalendar file", id="zones without an end"),
        pytest.param(file(), "says no shift", id="empty"),
        pytest.param(file("DTSTART:20250303T080000Z\nDURATION:PT1H"), "says no shift", id="all is over"),
        pytest.param(file("SUMMARY:Lena"), "“Lena” does not say when it begins", id="no beginning"),
        pytest.param(file("DTSTART:20260303T080000Z"), "does not say when it ends", id="no end"),
        pytest.param(file("DTSTART:soon\nDURATION:PT1H"), "cannot be read, at DTSTART", id="no time"),
        pytest.param(
            file("DTSTART:20260303T080000Z\nDTEND:20260303T080000Z"), "ends before it begins", id="no length"
        ),
        pytest.param(
            file("DTSTART:20260303T080000Z\nDTEND:20260302T080000Z"), "ends before it begins", id="backwards"
        ),
        pytest.param(
            file("DTSTART:20260303T080000Z\nDTEND:20280303T080000Z"), "longer than a year", id="years"
        ),
        pytest.param(
            file("DTSTART:20260303T080000Z\nDTEND;VALUE=DATE:20260304"), "with an hour and ends without", id="mixed"
        ),
        pytest.param(
            file("DTSTART:20260303T080000Z\nDTSTART:20260304T080000Z\nDURATION:PT1H"), "DTSTART twice", id="twice"
        ),
        pytest.param(
            file("DTSTART;TZID=Mars/Base:20260303T080000\nDURATION:PT1H"), "“Mars/Base”", id="a zone of nowhere"
        ),
        pytest.param(
            file("DTSTART:19990303T080000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY"), "began before 2000", id="ancient"
        ),
        *(
            pytest.param(
                file(f"DTSTART:20260303T080000Z\nDURATION:PT1H\nRRULE:{rule}"), why, id=rule.replace(";", " ")
            )
            for rule, why in [
                ("FREQ=HOURLY", "more often than every day"),
                ("FREQ=SECONDLY", "more often than every day"),
                ("FREQ=DAILY;INTERVAL=0", "by a rule that cannot be read"),
                ("FREQ=DAILY;BYHOUR=1,2,3", "by a rule that cannot be read"),
                ("FREQ=MONTHLY;BYMINUTE=1,2,3", "by a rule that cannot be read"),
                ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "by a rule that cannot be read"),
                ("FREQ=WEEKLY;BYMONTH=13", "by a rule that cannot be read"),
                ("FREQ=MONTHLY;BYDAY=99MO", "by a rule that cannot be read"),
            ]
        ),
        pytest.param(
            file(*["DTSTART:20260303T080000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY"] * 61), "more than 60 events", id="rules"
        ),
        pytest.param(
            file(*["DTSTART:20260303T080000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY"] * 6),
            f"more than {MOST_SHIFTS} shifts",
            id="shifts",
        ),
    ],
)  # fmt: skip
def test_what_is_no_calendar_of_shifts_is_refused_in_words(text: str, why: str) -> None:
    with pytest.raises(UnreadableCalendar, match=why):
        read(text, STOP)
