"""Holidays out of an iCalendar file: the days it says, and words for what is none."""

from __future__ import annotations

from datetime import date

import pytest

from tierdesk.directory.calendars.calendar_file import UnreadableCalendar
from tierdesk.directory.calendars.holidays import LAST, holidays


def file(*events: str) -> str:
    """A file of these events, each given as its lines."""
    body = "".join(
        f"BEGIN:VEVENT\nUID:{n}@state.example\n{event}\nEND:VEVENT\n" for n, event in enumerate(events)
    )
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//state//EN\n{body}END:VCALENDAR\n"


def days(*events: str, year: int = 2026) -> list[str]:
    return [f"{day:%d.%m.}" for day in holidays(file(*events)) if day.year == year]


CHRISTMAS = "SUMMARY:Christmas\nDTSTART;VALUE=DATE:20201225\nDTEND;VALUE=DATE:20201227\nRRULE:FREQ=YEARLY"


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param("DTSTART;VALUE=DATE:20260501", ["01.05."], id="one day"),
        pytest.param(
            "DTSTART;VALUE=DATE:20260501\nDTEND;VALUE=DATE:20260501", ["01.05."], id="the end is itself"
        ),
        pytest.param(
            "DTSTART;VALUE=DATE:20260501\nDTEND;VALUE=DATE:20260504",
            ["01.05.", "02.05.", "03.05."],
            id="the end is outside",
        ),
        pytest.param("DTSTART;VALUE=DATE:20260501\nDURATION:P2D", ["01.05.", "02.05."], id="a duration"),
        pytest.param(CHRISTMAS, ["25.12.", "26.12."], id="every year"),
        pytest.param(
            "DTSTART;VALUE=DATE:20200406\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=3WE",
            ["18.11."],
            id="a weekday of a month",
        ),
        pytest.param("DTSTART;VALUE=DATE:20200501\nRRULE:FREQ=YEARLY;UNTIL=20250501", [], id="it ended"),
        pytest.param(
            "DTSTART;VALUE=DATE:20200501\nRRULE:FREQ=YEARLY;UNTIL=20260501T000000Z",
            ["01.05."],
            id="until an instant",
        ),
        pytest.param("DTSTART;VALUE=DATE:20200501\nRRULE:FREQ=YEARLY;COUNT=7", ["01.05."], id="seven times"),
        pytest.param("DTSTART;VALUE=DATE:20200501\nRRULE:FREQ=YEARLY;COUNT=6", [], id="six times"),
        pytest.param(
            "DTSTART;VALUE=DATE:20200501\nRRULE:FREQ=YEARLY;INTERVAL=2", ["01.05."], id="every second year"
        ),
        pytest.param(
            "DTSTART;VALUE=DATE:20200501\nRRULE:FREQ=YEARLY\nEXDATE;VALUE=DATE:20260501", [], id="left out"
        ),
        pytest.param(
            "DTSTART;VALUE=DATE:20200501\nRDATE;VALUE=DATE:20260502,20260504",
            ["02.05.", "04.05."],
            id="added",
        ),
        pytest.param("STATUS:CANCELLED\nDTSTART;VALUE=DATE:20260501", [], id="cancelled"),
        pytest.param("DTSTART;VALUE=DATE:19710301\nRRULE:FREQ=YEARLY", ["01.03."], id="since long ago"),
    ],
)
def test_the_days_that_it_says(event: str, expected: list[str]) -> None:
    assert days(event, "DTSTART;VALUE=DATE:20150101") == expected


def test_a_day_that_moved_in_one_year() -> None:
    moved = "UID:0@state.example\nRECURRENCE-ID;VALUE=DATE:20260501\nDTSTART;VALUE=DATE:20260504"
    text = file("DTSTART;VALUE=DATE:20200501\nRRULE:FREQ=YEARLY", "@").replace(
        "UID:1@state.example\n@", moved
    )
    assert [day for day in holidays(text) if day.year in (2025, 2026)] == [date(2025, 5, 1), date(2026, 5, 4)]


def test_a_rule_without_an_end_has_one() -> None:
    assert holidays(file(CHRISTMAS))[-1] == date(LAST.year, 12, 26)


def test_lines_end_as_they_do_on_the_wire_or_in_an_editor() -> None:
    assert holidays(file(CHRISTMAS).replace("\n", "\r\n")) == holidays(file(CHRISTMAS))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("", "no iCalendar file", id="nothing"),
        pytest.param("Christmas: 25.12.", "no iCalendar file", id="prose"),
        pytest.param(file(CHRISTMAS)[:-20], "damaged", id="cut off"),
        pytest.param(file(CHRISTMAS) * 2, "damaged", id="two files"),
        pytest.param(
            "BEGIN:VEVENT\nDTSTART;VALUE=DATE:20260501\nEND:VEVENT\n",
            "begins with BEGIN:VCALENDAR",
            id="an event alone",
        ),
        pytest.param(file(), "no day between", id="empty"),
        pytest.param(file("DTSTART;VALUE=DATE:20990501"), "no day between", id="too far"),
        pytest.param(file("SUMMARY:Party\nDTSTART:20260501T180000Z"), "“Party” has hours", id="hours"),
        pytest.param(
            file("SUMMARY:A\nDTSTART;VALUE=DATE:20260501\nRDATE:20260502T100000Z"),
            "“A” has hours",
            id="added hours",
        ),
        pytest.param(
            file("SUMMARY:Sunday\nDTSTART;VALUE=DATE:20260503\nRRULE:FREQ=WEEKLY"),
            "“Sunday” comes back more often",
            id="weekly",
        ),
        pytest.param(
            file("DTSTART;VALUE=DATE:20260503\nRRULE:FREQ=SECONDLY"), "comes back more often", id="secondly"
        ),
        pytest.param(
            file("DTSTART;VALUE=DATE:20260503\nRRULE:FREQ=YEARLY;BYSECOND=1,2,3"),
            "at an hour",
            id="seconds of a year",
        ),
        pytest.param(
            file("DTSTART;VALUE=DATE:20200101\nRRULE:FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU"),
            "comes back more than 500 times",
            id="every day of every year",
        ),
        pytest.param(
            file("DTSTART;VALUE=DATE:20260503\nRRULE:FREQ=YEARLY;BYMONTHDAY=x"), "cannot be read", id="no day"
        ),
        pytest.param(
            file("DTSTART;VALUE=DATE:20260503\nRRULE:FREQ=YEARLY;INTERVAL=0"),
            "cannot be read",
            id="every no year",
        ),
        pytest.param(
            file("DTSTART;VALUE=DATE:20260503\nRRULE:FREQ=YEARLY;UNTIL=204001"),
            "cannot be read",
            id="until an hour",
        ),
        pytest.param(
            file("SUMMARY:Long\nDTSTART;VALUE=DATE:20260101\nDTEND;VALUE=DATE:20270101"),
            "“Long” ends before",
            id="a year long",
        ),
        pytest.param(
            file("DTSTART;VALUE=DATE:20260501\nDTEND;VALUE=DATE:20260401"),
            "ends before it begins",
            id="backwards",
        ),
        pytest.param(file("SUMMARY:No day"), "“No day” does not say its DTSTART", id="no beginning"),
        pytest.param(file(*["DTSTART;VALUE=DATE:20260501"] * 2001), "more than 2000 events", id="too many"),
        pytest.param(
            file(*[f"DTSTART;VALUE=DATE:20200501\nRRULE:FREQ=YEARLY;COUNT={n}" for n in range(1, 62)]),
            "more than 60 days that come back",
            id="too many rules",
        ),
        pytest.param(
            file(
                *[f"DTSTART;VALUE=DATE:{year}0101\nDURATION:P99D" for year in range(2016, 2050)] * 2
                + [f"DTSTART;VALUE=DATE:{year}0601\nDURATION:P99D" for year in range(2016, 2050)]
            ),
            "more than 4000 days",
            id="too many days",
        ),
        pytest.param("x" * 300_001, "longer than", id="too long"),
        pytest.param(
            file("SUMMARY:Fair\nDTSTART;VALUE=DATE:20260501\nDURATION:P1D\nDURATION:P2D"),
            "“Fair” says its DURATION twice",
            id="two durations",
        ),
        pytest.param(
            file("DTSTART;VALUE=DATE:20260501\nDTSTART;VALUE=,ATE:20260501"),
            "damaged",
            id="two kinds of a day",
        ),
        pytest.param(
            file("DTSTART;VALUE=DATE:99991231\nDURATION:P5D"),
            "It says no day between",
            id="the last day of all",
        ),
        pytest.param(
            file("DTSTART;VALUE=DATE:20260501\nRRULE:FREQ=YEARLY;BYYEARDAY=999"),
            "by a rule that cannot be read",
            id="no day of a year",
        ),
    ],
)
def test_what_is_no_file_of_holidays_is_refused_in_words(text: str, why: str) -> None:
    with pytest.raises(UnreadableCalendar, match=why):
        holidays(text)
