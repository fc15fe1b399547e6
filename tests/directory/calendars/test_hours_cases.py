"""Working time, case by case. The numbers are those of promises.md §6; each row says why its answer is right."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tierdesk.directory.calendars.hours import (
    Hours,
    Interval,
    InvalidHours,
    Pause,
    Segment,
    due,
    elapsed,
    segmented_due,
    segmented_elapsed,
)

BERLIN = ZoneInfo("Europe/Berlin")


def weekly(tz: str, days: Sequence[int], *intervals: Interval, **dated: Any) -> Hours:
    return Hours(tz=tz, week=dict.fromkeys(days, intervals), **dated)


MON_FRI, MON_SAT, DAILY, SUNDAY = range(5), range(6), range(7), [6]

OFFICE = weekly("Europe/Berlin", MON_FRI, ("09:00", "17:00"))
CORPUS_CHRISTI = weekly("Europe/Berlin", MON_FRI, ("09:00", "17:00"), closed={date(2026, 6, 4)})
CHRISTMAS = weekly(
    "Europe/Berlin",
    MON_FRI,
    ("09:00", "17:00"),
    closed={date(2026, 12, 25), date(2026, 12, 26)},
    partial={date(2026, 12, 24): (("09:00", "12:00"),)},
)
LUNCH = weekly("Europe/Berlin", MON_FRI, ("09:00", "12:00"), ("13:00", "17:00"))
OVERLAPPING = weekly("Europe/Berlin", MON_FRI, ("09:00", "13:00"), ("12:00", "17:00"))
EXTRA_SATURDAY = weekly(
    "Europe/Berlin", MON_FRI, ("09:00", "17:00"), partial={date(2026, 6, 6): (("10:00", "14:00"),)}
)
MAINTENANCE = weekly(
    "Europe/Berlin",
    MON_FRI,
    ("09:00", "17:00"),
    closed_intervals=((datetime(2026, 6, 8, 10), datetime(2026, 6, 8, 12)),),
)
ROUND_THE_CLOCK = Hours.always("Europe/Berlin")
NIGHTS = weekly("Europe/Berlin", DAILY, ("22:00", "06:00"))
SUNDAY_EARLY = weekly("Europe/Berlin", SUNDAY, ("02:30", "10:00"))
IN_THE_GAP = weekly("Europe/Berlin", SUNDAY, ("02:45", "03:15"))
NEW_YORK = weekly("America/New_York", MON_FRI, ("09:00", "17:00"))
KOLKATA = weekly("Asia/Kolkata", MON_SAT, ("09:00", "18:00"))
LORD_HOWE = Hours.always("Australia/Lord_Howe")
APIA = weekly("Pacific/Apia", DAILY, ("09:00", "17:00"))
APIA_FRIDAYS = weekly("Pacific/Apia", [4], ("09:00", "17:00"))
UNEVEN = Hours(tz="UTC", week={0: (("09:00", "17:00"),), 1: (("09:00", "16:00"),), 3: (("08:00", "17:00"),)})
EIGHT_TO_SIX = weekly("Europe/Berlin", MON_FRI, ("08:00", "18:00"))
EIGHT_TO_FIVE = weekly("UTC", MON_FRI, ("08:00", "17:00"))
NEVER = Hours(tz="Europe/Berlin", week={})

DUE = [
    ("A01", OFFICE, "2026-06-05T16:00", 4, "2026-06-08T12:00", "one hour on Friday and three on Monday"),
    ("A02", OFFICE, "2026-06-05T21:00", 4, "2026-06-08T13:00", "the clock starts at the next opening"),
    ("A03", OFFICE, "2026-06-06T10:00", 4, "2026-06-08T13:00", "a Saturday is as closed as a night"),
    ("A04", OFFICE, "2026-06-05T17:00", 1, "2026-06-08T10:00", "half-open: the closing instant is outside"),
    ("A05", OFFICE, "2026-06-08T09:00", 1, "2026-06-08T10:00", "half-open: the opening instant is inside"),
    ("A06a", OFFICE, "2026-06-05T13:00", 4, "2026-06-05T17:00", "used up on Friday, not at Monday's opening"),
    ("A07", CORPUS_CHRISTI, "2026-06-03T16:00", 2, "2026-06-05T10:00", "nobody works on the holiday"),
    ("A08", CHRISTMAS, "2026-12-24T11:00", 2, "2026-12-28T10:00", "half a day, two holidays, a Sunday"),
    ("A09", LUNCH, "2026-06-08T11:30", 1, "2026-06-08T13:30", "lunch does not count"),
    ("A11", EXTRA_SATURDAY, "2026-06-05T16:00", 2, "2026-06-06T11:00", "an override can open a day too"),
    ("A12", MAINTENANCE, "2026-06-08T09:00", 2, "2026-06-08T13:00", "agreed maintenance is cut out"),
    ("A13", NEVER, "2026-06-08T09:00", 2, None, "what never opens is never due"),
    (
        "A14",
        OFFICE,
        "2026-06-06T10:00",
        0,
        "2026-06-08T09:00",
        "nothing to do is done when somebody is there",
    ),
    ("A15", OFFICE, "2028-02-28T16:00", 10, "2028-03-01T10:00", "29 February 2028 is a working Tuesday"),
    ("A16a", OFFICE, "2026-06-08T09:00", 24, "2026-06-10T17:00", "a day of 24 hours is three days of work"),
    ("A16b", OFFICE, "2026-06-08T10:30", 24, "2026-06-11T10:30", "the same from the middle of a morning"),
    ("A17", UNEVEN, "2026-06-08T11:00", 16, "2026-06-11T11:00", "6 hours, 7, none, and 3 of an early day"),
    ("A18", EIGHT_TO_SIX, "2026-06-08T16:00", 4, "2026-06-09T10:00", "two hours today, two tomorrow"),
    ("B01", ROUND_THE_CLOCK, "2026-03-29T00:30", 4, "2026-03-29T05:30", "the hour from 2 to 3 did not exist"),
    ("B02", ROUND_THE_CLOCK, "2026-10-25T00:30", 4, "2026-10-25T03:30", "the hour from 2 to 3 came twice"),
    ("B05a", NIGHTS, "2026-03-28T22:00", 8, "2026-03-29T23:00", "the spring night has seven hours"),
    ("B05b", NIGHTS, "2026-10-24T22:00", 8, "2026-10-25T05:00", "the autumn night has nine"),
    ("B06", OFFICE, "2026-03-27T16:00", 2, "2026-03-30T10:00", "each day has its own offset"),
    ("B07", SUNDAY_EARLY, "2026-03-29T00:00", 0, "2026-03-29T03:30", "half past two does not exist: 03:30"),
    ("B08", SUNDAY_EARLY, "2026-10-25T00:00", 0, "2026-10-25T02:30+02:00", "of two half past twos the first"),
    (
        "B10",
        KOLKATA,
        "2026-06-05T11:45Z",
        2,
        "2026-06-06T10:15",
        "half an hour of offset; Saturday is worked",
    ),
    (
        "B11",
        NEW_YORK,
        "2026-03-09T15:30+01:00",
        1,
        "2026-03-09T11:30",
        "five hours apart in these weeks, not six",
    ),
    ("B12", APIA, "2011-12-29T16:00", 2, "2011-12-31T10:00", "30 December 2011 never happened in Apia"),
    (
        "B13a",
        Hours.always("America/New_York"),
        "2026-11-01T01:30-04:00",
        1,
        "2026-11-01T01:30-05:00",
        "the first",
    ),
    ("B13b", Hours.always("America/New_York"), "2026-11-01T01:30-05:00", 1, "2026-11-01T02:30", "the second"),
    (
        "own",
        IN_THE_GAP,
        "2026-03-28T00:00",
        0.5,
        "2026-04-05T03:15",
        "the ends cross on 29 March: empty that day",
    ),
    ("own", ROUND_THE_CLOCK, "2026-06-06T10:00", 0, "2026-06-06T10:00", "already open: at once"),
    ("own", OFFICE, "2026-12-31T16:00", 2, "2027-01-01T10:00", "the turn of the year costs nothing"),
]

ELAPSED = [
    ("A06b", OFFICE, "2026-06-05T13:00", "2026-06-06T10:00", 4, "resolved on Saturday: nobody worked since"),
    ("A06c", OFFICE, "2026-06-05T13:00", "2026-06-08T09:00:01", 4 + 1 / 3600, "the first second of Monday"),
    ("A10", OVERLAPPING, "2026-06-08T09:00", "2026-06-08T17:00", 8, "the hour that overlaps counts once"),
    ("A19", OFFICE, "2026-06-08T14:00", "2026-06-09T09:00", 3, "19 hours of life, 3 of work"),
    ("A20", EIGHT_TO_FIVE, "2025-12-12T21:00", "2025-12-15T09:30", 1.5, "of 60.5 hours of life"),
    ("A21", OFFICE, "2026-06-05T16:00", "2026-06-08T16:00", 8, "not the 72 hours on the calendar"),
    ("B03a", ROUND_THE_CLOCK, "2026-03-29T00:00", "2026-03-30T00:00", 23, "a day of 23 hours"),
    ("B03b", ROUND_THE_CLOCK, "2026-10-25T00:00", "2026-10-26T00:00", 25, "a day of 25 hours"),
    ("B04a", NIGHTS, "2026-03-28T22:00", "2026-03-29T06:00", 7, "people really work seven hours"),
    ("B04b", NIGHTS, "2026-10-24T22:00", "2026-10-25T06:00", 9, "and nine"),
    ("B07", SUNDAY_EARLY, "2026-03-29T00:00", "2026-03-29T12:00", 6.5, "opens at 03:30 summer time"),
    ("B08", SUNDAY_EARLY, "2026-10-25T00:00", "2026-10-25T12:00", 8.5, "opens at the first 02:30"),
    ("B09a", LORD_HOWE, "2026-04-05T00:00", "2026-04-06T00:00", 24.5, "half an hour of summer time ends"),
    ("B09b", LORD_HOWE, "2026-10-04T00:00", "2026-10-05T00:00", 23.5, "and begins"),
    (
        "B14",
        ROUND_THE_CLOCK,
        "2026-10-25T02:30+02:00",
        "2026-10-25T02:30+01:00",
        1,
        "one wall time, an hour apart",
    ),
    ("own", APIA_FRIDAYS, "2011-12-29T00:00", "2012-01-01T00:00", 8, "a missing date is read past the gap"),
    ("own", ROUND_THE_CLOCK, "2025-12-31T23:00", "2026-01-01T01:00", 2, "across a new year"),
    ("own", ROUND_THE_CLOCK, "2020-01-01T00:00", "2025-01-01T00:00", 24 * 1827, "five years, two leap days"),
    ("own", OFFICE, "2026-06-08T12:00", "2026-06-08T12:00", 0, "no time passed"),
]

PAUSED = [
    (
        "C01",
        "2026-06-08T16:00",
        [("2026-06-08T16:30", "2026-06-09T10:00")],
        "2026-06-09T13:30",
        "re-laid from there",
    ),
    (
        "C02",
        "2026-06-08T16:00",
        [("2026-06-08T18:00", "2026-06-09T08:00")],
        "2026-06-09T12:00",
        "nobody was there",
    ),
    (
        "C03",
        "2026-06-08T09:00",
        [("2026-06-08T11:00", "2026-06-08T13:00"), ("2026-06-08T10:00", "2026-06-08T12:00")],
        "2026-06-08T16:00",
        "three hours in all, not four, in whatever order they come",
    ),
    (
        "C04",
        "2026-06-08T09:00",
        [("2026-06-08T10:00", "2026-06-08T10:00")],
        "2026-06-08T13:00",
        "no time, no effect",
    ),
    (
        "C05",
        "2026-06-08T09:00",
        [("2026-06-08T13:00", "2026-06-08T14:00")],
        "2026-06-08T13:00",
        "used up before",
    ),
    (
        "C06",
        "2026-06-08T09:00",
        [("2026-06-08T13:00:01", None)],
        "2026-06-08T13:00",
        "a late pause cures nothing",
    ),
    ("C08", "2026-06-08T09:00", [("2026-06-08T12:59:59", None)], None, "while it lasts there is no due time"),
    (
        "D01",
        "2026-06-08T09:00",
        [("2026-06-08T11:00", "2026-06-10T09:30")],
        "2026-06-10T11:30",
        "resolved, reopened",
    ),
    (
        "own",
        "2026-06-08T09:00",
        [("2026-06-01T00:00", "2026-06-08T10:00")],
        "2026-06-08T14:00",
        "paused before",
    ),
]


@pytest.mark.parametrize(("case", "hours", "start", "amount", "expected", "why"), DUE)
def test_an_amount_of_work_is_used_up_at(
    case: str, hours: Hours, start: str, amount: float, expected: str | None, why: str
) -> None:
    at = due(hours, local(start, hours), timedelta(hours=amount))
    assert at == (expected and local(expected, hours)), why
    assert at is None or at.tzinfo is UTC


@pytest.mark.parametrize(("case", "hours", "start", "stop", "expected", "why"), ELAPSED)
def test_the_work_in_a_span_is(
    case: str, hours: Hours, start: str, stop: str, expected: float, why: str
) -> None:
    assert elapsed(hours, local(start, hours), local(stop, hours)) == timedelta(hours=expected), why


@pytest.mark.parametrize(("case", "start", "pauses", "expected", "why"), PAUSED)
def test_four_hours_with_pauses_are_used_up_at(
    case: str, start: str, pauses: list[tuple[str, str | None]], expected: str | None, why: str
) -> None:
    at = due(OFFICE, berlin(start), timedelta(hours=4), [pause(*span) for span in pauses])
    assert at == (expected and berlin(expected)), why


def test_c07_disjoint_pauses_are_taken_off() -> None:
    """C07."""
    pauses = [
        pause("2026-06-08T10:00", "2026-06-08T11:00"),
        pause("2026-06-08T12:00", "2026-06-08T12:30"),
    ]
    assert elapsed(OFFICE, berlin("2026-06-08T09:00"), berlin("2026-06-08T15:00"), pauses) == timedelta(
        hours=4.5
    )


def test_a_pause_that_lasts_counts_up_to_the_stop() -> None:
    paused = [pause("2026-06-08T10:00", None)]
    assert elapsed(OFFICE, berlin("2026-06-08T09:00"), berlin("2026-06-09T09:00"), paused) == timedelta(
        hours=1
    )


def test_nothing_to_do_waits_for_the_end_of_a_pause() -> None:
    paused = [pause("2026-06-08T09:00", "2026-06-08T11:00")]
    assert due(OFFICE, berlin("2026-06-06T10:00"), timedelta(0), paused) == berlin("2026-06-08T11:00")


def test_a_change_of_hours_keeps_what_was_used() -> None:
    """E05b: from Friday 16:00 in office hours, from Saturday 10:00 on round the clock; four hours in all."""
    friday, saturday = berlin("2026-06-05T16:00"), berlin("2026-06-06T10:00")
    segments: list[Segment] = [(OFFICE, friday, saturday), (ROUND_THE_CLOCK, saturday, None)]
    assert segmented_elapsed(segments, saturday) == timedelta(hours=1)
    assert segmented_due(segments, timedelta(hours=4)) == berlin("2026-06-06T13:00")
    assert segmented_elapsed(segments, berlin("2026-06-06T13:00")) == timedelta(hours=4)


def test_a_target_used_up_before_the_hours_change_is_due_before() -> None:
    friday, saturday = berlin("2026-06-05T16:00"), berlin("2026-06-06T10:00")
    segments: list[Segment] = [(OFFICE, friday, saturday), (ROUND_THE_CLOCK, saturday, None)]
    assert segmented_due(segments, timedelta(hours=1)) == berlin("2026-06-05T17:00")
    assert segmented_elapsed(segments, berlin("2026-06-05T16:30")) == timedelta(minutes=30)


def test_hours_that_end_without_successors_leave_the_rest_undone() -> None:
    segments: list[Segment] = [(OFFICE, berlin("2026-06-08T09:00"), berlin("2026-06-08T12:00"))]
    assert segmented_due(segments, timedelta(hours=4)) is None


@pytest.mark.parametrize(
    ("stop", "amount", "expected", "why"),
    [
        ("2026-06-08T12:00", 2, "2026-06-08T10:00", "within a morning"),
        ("2026-06-08T10:00", 2, "2026-06-05T16:00", "over a weekend"),
        ("2026-06-07T10:00", 1, "2026-06-05T16:00", "from a day off"),
        (
            "2026-06-08T10:00",
            1,
            "2026-06-08T09:00",
            "the latest such instant: the opening, not Friday's close",
        ),
        ("2026-06-07T10:00", 0, "2026-06-05T17:00", "the previous closing"),
        ("2026-06-08T09:00", 0, "2026-06-05T17:00", "at the opening nobody has worked yet"),
        ("2026-01-01T09:30", 1, "2025-12-31T16:30", "over the turn of the year"),
    ],
)
def test_so_much_work_before_a_deadline_is_at(stop: str, amount: float, expected: str, why: str) -> None:
    assert OFFICE.subtract(berlin(stop), timedelta(hours=amount)) == berlin(expected), why


def test_open_is_from_the_opening_to_just_before_the_close() -> None:
    instant = timedelta(microseconds=1)
    opens, closes = berlin("2026-06-08T09:00"), berlin("2026-06-08T17:00")
    assert [OFFICE.is_open(at) for at in (opens - instant, opens, closes - instant, closes)] == [
        False,
        True,
        True,
        False,
    ]
    assert OFFICE.next_opening(opens + instant) == opens + instant
    assert OFFICE.next_opening(closes) == berlin("2026-06-09T09:00")
    assert OFFICE.previous_closing(closes) == closes
    assert OFFICE.previous_closing(opens) == berlin("2026-06-05T17:00")


def test_windows_explain_a_deadline() -> None:
    windows = list(OFFICE.windows(berlin("2026-06-05T16:00"), berlin("2026-06-08T12:00")))
    assert windows == [
        (berlin("2026-06-05T16:00"), berlin("2026-06-05T17:00")),
        (berlin("2026-06-08T09:00"), berlin("2026-06-08T12:00")),
    ]


def test_time_without_a_break_is_one_window() -> None:
    start, stop = berlin("2025-11-01T12:00"), berlin("2027-02-01T12:00")
    assert list(ROUND_THE_CLOCK.windows(start, stop)) == [(start, stop)]


def test_no_span_has_no_windows() -> None:
    at = berlin("2026-06-08T10:00")
    assert list(OFFICE.windows(at, at)) == []
    assert list(OFFICE.windows(at, at - timedelta(days=1))) == []


def test_a_night_belongs_to_the_day_that_it_began_on() -> None:
    """Closing a date takes its own night away and leaves the end of the night before."""
    nights = weekly("Europe/Berlin", DAILY, ("22:00", "06:00"), closed={date(2026, 6, 9)})
    assert list(nights.windows(berlin("2026-06-09T00:00"), berlin("2026-06-11T00:00"))) == [
        (berlin("2026-06-09T00:00"), berlin("2026-06-09T06:00")),
        (berlin("2026-06-10T22:00"), berlin("2026-06-11T00:00")),
    ]


def test_a_closed_date_stays_closed_whatever_else_is_said_of_it() -> None:
    monday = date(2026, 6, 8)
    hours = weekly(
        "Europe/Berlin", MON_FRI, ("09:00", "17:00"), closed={monday}, partial={monday: (("10:00", "12:00"),)}
    )
    assert not hours.works_on(monday)


def test_an_interval_that_ends_where_it_begins_lasts_a_day() -> None:
    hours = weekly("Europe/Berlin", [0], ("09:00", "09:00"))
    assert hours.between(berlin("2026-06-08T00:00"), berlin("2026-06-14T00:00")) == timedelta(hours=24)


@pytest.mark.parametrize(
    ("at", "days", "expected", "why"),
    [
        ("2026-06-05T16:50", 1, "2026-06-08T16:50", "Monday, at the same time"),
        ("2026-06-05T16:50", 0, "2026-06-05T16:50", "now"),
        ("2026-06-06T11:00", 1, "2026-06-09T09:00", "Saturday counts as Monday's opening"),
        ("2026-06-08T20:00", 1, "2026-06-10T09:00", "an evening counts as the next morning"),
        ("2026-06-08T16:50", -1, "2026-06-05T16:50", "back over a weekend"),
        ("2026-06-08T20:00", -1, "2026-06-05T09:00", "going back an evening counts as its own morning"),
        ("2026-03-27T12:00", 1, "2026-03-30T12:00", "the same time on the wall, an hour nearer"),
    ],
)
def test_working_days_keep_the_time_on_the_wall(at: str, days: int, expected: str, why: str) -> None:
    assert OFFICE.add_working_days(berlin(at), days) == berlin(expected), why


def test_the_small_hours_of_a_night_shift_are_the_day_before() -> None:
    """Friday's night only: on Saturday at 03:00 one working day later is a week later, on Saturday at 03:00."""
    friday_night = weekly("Europe/Berlin", [4], ("22:00", "06:00"))
    assert friday_night.add_working_days(berlin("2026-06-06T03:00"), 1) == berlin("2026-06-13T03:00")


def test_a_day_off_counts_as_the_next_working_day_and_going_back_as_the_one_before() -> None:
    saturday = date(2026, 6, 6)
    assert OFFICE.working_day(saturday) == date(2026, 6, 8)
    assert OFFICE.working_day(saturday, 1) == date(2026, 6, 9)
    assert OFFICE.working_day(saturday, -1) == date(2026, 6, 4)


def test_what_never_opens_answers_never_to_everything() -> None:
    at = berlin("2026-06-08T09:00")
    assert NEVER.next_opening(at) is None
    assert NEVER.previous_closing(at) is None
    assert NEVER.subtract(at, timedelta(hours=1)) is None
    assert NEVER.working_day(date(2026, 6, 8)) is None
    assert NEVER.add_working_days(at, 1) is None
    assert NEVER.add_working_days(at, -1) is None
    assert not NEVER.is_open(at)
    assert NEVER.between(at, at + timedelta(days=400)) == timedelta(0)


def test_a_single_opening_far_away_is_found_and_none_after_it() -> None:
    once = Hours(tz="Europe/Berlin", week={}, partial={date(2041, 5, 1): (("23:00", "24:00"),)})
    assert once.next_opening(berlin("2026-06-08T09:00")) == berlin("2041-05-01T23:00")
    assert once.add(berlin("2026-06-08T09:00"), timedelta(hours=2)) is None
    assert once.next_opening(berlin("2041-05-02T00:00")) is None
    assert once.previous_closing(berlin("2060-01-01T00:00")) == berlin("2041-05-02T00:00")


@pytest.mark.parametrize(
    ("tz", "day", "interval", "opens", "closes"),
    [
        (
            "Pacific/Honolulu",
            date(2026, 12, 31),
            ("20:00", "21:00"),
            "2027-01-01T06:00Z",
            "2027-01-01T07:00Z",
        ),
        ("Asia/Tokyo", date(2027, 1, 1), ("03:00", "04:00"), "2026-12-31T18:00Z", "2026-12-31T19:00Z"),
    ],
)
def test_a_single_opening_is_found_in_the_other_year_of_utc(
    tz: str, day: date, interval: Interval, opens: str, closes: str
) -> None:
    once = Hours(tz=tz, week={}, partial={day: (interval,)})
    assert once.next_opening(berlin("2026-06-08T09:00")) == berlin(opens)
    assert once.previous_closing(berlin("2027-06-08T09:00")) == berlin(closes)


def test_more_work_than_a_century_holds_is_never_done() -> None:
    assert OFFICE.add(berlin("2026-06-08T09:00"), timedelta(days=365 * 100)) is None


def test_time_never_runs_backwards() -> None:
    """J05: neither negative nor the absolute value."""
    later, earlier = berlin("2026-06-08T10:00"), berlin("2026-06-08T09:00")
    with pytest.raises(ValueError, match="earlier"):
        OFFICE.between(later, earlier)
    with pytest.raises(ValueError, match="earlier"):
        elapsed(OFFICE, later, earlier)
    with pytest.raises(ValueError, match="earlier"):
        elapsed(OFFICE, earlier, later, [(later, earlier)])
    for lay in (OFFICE.add, OFFICE.subtract):
        with pytest.raises(ValueError, match="never negative"):
            lay(later, timedelta(hours=-1))


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        OFFICE.add(datetime(2026, 6, 8, 9), timedelta(hours=1))


def test_hours_are_a_value() -> None:
    """Equal calendars share what was laid out for them, however many contracts promise them."""
    spec = {"tz": "Europe/Berlin", "week": {str(day): [["09:00", "17:00"]] for day in MON_FRI}}
    assert Hours.from_spec(spec) == OFFICE
    assert hash(Hours.from_spec(spec)) == hash(OFFICE)
    assert Hours.from_spec(spec) != LUNCH
    with pytest.raises(TypeError):
        OFFICE.week[5] = (("09:00", "17:00"),)  # type: ignore[index]


@pytest.mark.parametrize("hours", [OFFICE, CHRISTMAS, LUNCH, MAINTENANCE, NIGHTS, NEVER, ROUND_THE_CLOCK])
def test_a_spec_says_all_there_is_to_say(hours: Hours) -> None:
    assert Hours.from_spec(json.loads(json.dumps(hours.to_spec()))) == hours


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"tz": "Europe/Bielefeld"}, "'Europe/Bielefeld' is not a time zone"),
        ({"tz": "Europe"}, "'Europe' is not a time zone"),
        ({"tz": "../etc/passwd"}, "is not a time zone"),
        ({"tz": ""}, "'' is not a time zone"),
        ({"tz": None}, "None is not a time zone"),
        ({"week": {"0": [["9:00", "17:00"]]}}, "Monday: '9:00' is not a time"),
        ({"week": {"1": [["09:00", "24:01"]]}}, "Tuesday: '24:01' is not a time"),
        ({"week": {"2": [["09:00", "17:60"]]}}, "Wednesday: '17:60' is not a time"),
        ({"week": {"3": [["24:00", "06:00"]]}}, "Thursday: nothing opens at 24:00"),
        ({"week": {"4": [["09:00"]]}}, "Friday: .* is not an interval"),
        ({"week": {"5": ["09:00"]}}, "Saturday: '09:00' is not an interval"),
        ({"week": {"6": "09:00-17:00"}}, "Sunday: .* is not a list of intervals"),
        ({"week": {"6": 9}}, "Sunday: 9 is not a list of intervals"),
        ({"week": {"7": [["09:00", "17:00"]]}}, "'7' is not a weekday"),
        ({"week": {"monday": [["09:00", "17:00"]]}}, "'monday' is not a weekday"),
        ({"week": [["09:00", "17:00"]]}, "week: .* is not an object"),
        ({"closed": ["25.12.2026"]}, "'25.12.2026' is not a date"),
        ({"closed": ["2026-02-30"]}, "'2026-02-30' is not a date"),
        ({"closed": "2026-12-25"}, "closed: '2026-12-25' is not a list"),
        ({"partial": {"2026-12-24": [["09:00", "noon"]]}}, "partial 2026-12-24: 'noon' is not a time"),
        ({"closed_intervals": [["2026-06-08T10:00"]]}, "is not \\[from, to\\]"),
        ({"closed_intervals": [["2026-06-08T12:00", "2026-06-08T10:00"]]}, "ends before it begins"),
        ({"closed_intervals": [["2026-06-08T10:00Z", "2026-06-08T12:00Z"]]}, "is local time"),
        ({"feasts": ["2026-12-25"]}, "no part 'feasts'"),
        ({"holidays": ["2026-12-25"]}, "holidays: .* is not an object"),
        ({"holidays": {"days": ["25.12."]}}, "'25.12.' is not a date"),
        ({7: []}, "no part '7'"),
    ],
)
def test_nonsense_in_a_calendar_is_refused_with_its_place(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidHours, match=said):
        Hours.from_spec({"tz": "Europe/Berlin", "week": {}} | wrong)


@pytest.mark.parametrize("wrong", [None, [], "Europe/Berlin", 9])
def test_what_is_no_object_is_no_calendar(wrong: Any) -> None:
    with pytest.raises(InvalidHours, match="a calendar is an object with tz"):
        Hours.from_spec(wrong)


@pytest.mark.shared_data
def test_the_published_cases(shared_data: Path) -> None:
    vectors = json.loads((shared_data / "sla_cases.json").read_text())
    calendars = {name: Hours.from_spec(spec) for name, spec in vectors["calendars"].items()}
    answers = {case["id"]: answer(case, calendars) for case in vectors["cases"]}
    assert answers == {case["id"]: expectation(case) for case in vectors["cases"]}
    assert len(answers) == 63


def answer(case: dict[str, Any], calendars: dict[str, Hours]) -> object:
    """What our arithmetic says to a case of the vector file (promises.md §8)."""
    target = timedelta(seconds=case.get("target_s", 0))
    if case["kind"] == "segmented_due":
        zone = ZoneInfo(case["tz"])
        segments: list[Segment] = [
            (calendars[name], wall(start, zone), wall(stop, zone)) for name, start, stop in case["segments"]
        ]
        change = segments[-1][2]
        assert change is not None
        segments.append((calendars[case["then"]], change, None))
        return segmented_elapsed(segments, change).total_seconds(), segmented_due(segments, target)
    zone = ZoneInfo(case.get("start_tz") or case["tz"])
    pauses = [(wall(start, zone), wall(stop, zone)) for start, stop in case["pauses"]]
    hours = calendars[case["calendar"]]
    if case["kind"] == "due":
        return due(hours, wall(case["start"], zone, case["fold"]), target, pauses)
    folds = case.get("folds", [0, 0])
    used = elapsed(hours, wall(case["start"], zone, folds[0]), wall(case["stop"], zone, folds[1]), pauses)
    return used.total_seconds(), used <= target if "expect_met" in case else None


def expectation(case: dict[str, Any]) -> object:
    if case["kind"] == "segmented_due":
        return case["expect_elapsed_at_change_s"], datetime.fromisoformat(case["expect_due"])
    if case["kind"] == "due":
        return case["expect_due_utc"] and datetime.fromisoformat(case["expect_due_utc"])
    return case["expect_elapsed_s"], case.get("expect_met")


def local(text: str, hours: Hours) -> datetime:
    return wall(text, hours.zone)


def berlin(text: str) -> datetime:
    return wall(text, BERLIN)


def wall(text: str, zone: ZoneInfo, fold: int = 0) -> datetime:
    """A time on the wall, or with its offset where the wall shows it twice; in UTC, where equal means the same."""
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=zone, fold=fold)).astimezone(UTC)


def pause(start: str, stop: str | None) -> Pause:
    return berlin(start), None if stop is None else berlin(stop)
