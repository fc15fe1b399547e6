"""Who is on call, case by case: each row says why its answer is right."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from tierdesk.directory.calendars.hours import Hours
from tierdesk.directory.oncall.rota import InvalidRota, Layer, Override, Rota

BERLIN = ZoneInfo("Europe/Berlin")
ANN, BEN, CLEO, DAN = 1, 2, 3, 4
NAMES = {ANN: "ann", BEN: "ben", CLEO: "cleo", DAN: "dan"}
MONDAY = date(2026, 6, 1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def weekly(*members: int | None, starts: date = MONDAY, days: int = 7, at: str = "09:00") -> Layer:
    return Layer("weeks", members, starts, days, time.fromisoformat(at))


def office(*members: int | None, **dated: frozenset[date]) -> Layer:
    hours = Hours(tz="Europe/Berlin", week=dict.fromkeys(range(5), (("08:00", "18:00"),)), **dated)
    return Layer("office", members, MONDAY, 7, time(9), hours)


def rota(*layers: Layer, overrides: tuple[Override, ...] = (), zone: ZoneInfo = BERLIN) -> Rota:
    return Rota(zone, layers, overrides)


def stand_in(who: int, start: str, stop: str, why: str = "swap") -> Override:
    return Override(who, utc(start), utc(stop), why)


def told(rota: Rota, start: str, stop: str) -> list[str]:
    """The shifts as a reader sees them, in UTC."""
    return [
        f"{s.from_at:%d %H:%M}–{s.to_at:%d %H:%M} {NAMES[s.who]} {s.why}"
        for s in rota.shifts(utc(start), utc(stop))
    ]


def test_turns_go_round_and_are_handed_over_at_the_local_hour() -> None:
    assert told(rota(weekly(ANN, BEN)), "2026-06-01 07:00", "2026-06-22 07:00") == [
        "01 07:00–08 07:00 ann weeks",
        "08 07:00–15 07:00 ben weeks",
        "15 07:00–22 07:00 ann weeks",
    ]


def test_before_the_first_hand_over_nobody_is_on_call() -> None:
    assert rota(weekly(ANN)).gaps(utc("2026-05-31 00:00"), utc("2026-06-02 00:00")) == [
        (utc("2026-05-31 00:00"), utc("2026-06-01 07:00"))
    ]


def test_turns_of_one_person_are_one_shift() -> None:
    assert told(rota(weekly(ANN)), "2026-06-01 07:00", "2026-07-01 07:00") == ["01 07:00–01 07:00 ann weeks"]


@pytest.mark.parametrize(
    ("at", "day", "expected", "why"),
    [
        ("02:30", "2026-03-29", ["28 01:30–29 01:30", "29 01:30–30 00:30"], "the gap: as 02:30 at UTC+1"),
        ("02:00", "2026-03-29", ["28 01:00–29 01:00", "29 01:00–30 00:00"], "the gap begins: 03:00 at UTC+2"),
        ("09:00", "2026-03-29", ["28 08:00–29 07:00", "29 07:00–30 07:00"], "a day of 23 hours"),
        ("02:30", "2026-10-25", ["24 00:30–25 00:30", "25 00:30–26 01:30"], "twice: the first, at UTC+2"),
        ("03:00", "2026-10-25", ["24 01:00–25 02:00", "25 02:00–26 02:00"], "a day of 25 hours"),
    ],
)
def test_a_turn_keeps_its_local_hour_when_the_clocks_change(
    at: str, day: str, expected: list[str], why: str
) -> None:
    starts = date.fromisoformat(day) - timedelta(days=1)
    daily = rota(weekly(ANN, BEN, starts=starts, days=1, at=at))
    begins = daily.shifts(utc(f"{starts} 00:00"), utc(f"{starts} 00:00") + timedelta(days=9))[0].from_at
    shifts = daily.shifts(begins, begins + timedelta(days=3))
    assert [f"{s.from_at:%d %H:%M}–{s.to_at:%d %H:%M}" for s in shifts[:2]] == expected, why


def test_a_date_that_a_zone_skipped_is_a_turn_of_no_length() -> None:
    """Apia had no 30 December 2011: Ben's day never came."""
    days = weekly(ANN, BEN, CLEO, starts=date(2011, 12, 29), days=1)
    apia = rota(days, zone=ZoneInfo("Pacific/Apia"))
    assert told(apia, "2011-12-29 19:00", "2011-12-31 19:00") == [
        "29 19:00–30 19:00 ann weeks",
        "30 19:00–31 19:00 cleo weeks",
    ]


def test_a_later_layer_covers_an_earlier_one_within_its_hours() -> None:
    both = rota(weekly(ANN), office(BEN))
    assert told(both, "2026-06-05 00:00", "2026-06-08 12:00") == [
        "05 00:00–05 06:00 ann weeks",
        "05 06:00–05 16:00 ben office",
        "05 16:00–08 06:00 ann weeks",
        "08 06:00–08 12:00 ben office",
    ]


def test_on_a_holiday_what_is_beneath_shows_through() -> None:
    both = rota(weekly(ANN), office(BEN, closed=frozenset({date(2026, 6, 4)})))
    assert told(both, "2026-06-04 00:00", "2026-06-05 00:00") == ["04 00:00–05 00:00 ann weeks"]


def test_a_turn_that_nobody_has_shows_what_is_beneath_and_alone_is_a_gap() -> None:
    week = ("2026-06-08 07:00", "2026-06-15 07:00")
    assert told(rota(weekly(CLEO), weekly(ANN, None)), *week) == ["08 07:00–15 07:00 cleo weeks"]
    assert rota(weekly(ANN, None)).gaps(*map(utc, week)) == [(utc(week[0]), utc(week[1]))]


def test_a_turn_ends_in_the_middle_of_the_hours() -> None:
    assert told(rota(office(ANN, BEN)), "2026-06-08 00:00", "2026-06-09 00:00") == [
        "08 06:00–08 07:00 ann office",
        "08 07:00–08 16:00 ben office",
    ]


def test_a_swap_is_two_overrides_and_says_its_reason() -> None:
    swapped = rota(
        weekly(ANN, BEN, days=1),
        overrides=(
            stand_in(BEN, "2026-06-01 07:00", "2026-06-02 07:00"),
            stand_in(ANN, "2026-06-02 07:00", "2026-06-03 07:00"),
        ),
    )
    assert told(swapped, "2026-06-01 07:00", "2026-06-04 07:00") == [
        "01 07:00–02 07:00 ben swap",
        "02 07:00–03 07:00 ann swap",
        "03 07:00–04 07:00 ann weeks",
    ]


def test_of_two_overrides_the_one_made_later_holds() -> None:
    twice = rota(
        weekly(ANN),
        overrides=(
            stand_in(BEN, "2026-06-02 00:00", "2026-06-03 00:00", "first"),
            stand_in(CLEO, "2026-06-02 06:00", "2026-06-02 12:00", "second"),
        ),
    )
    assert told(twice, "2026-06-02 00:00", "2026-06-03 00:00") == [
        "02 00:00–02 06:00 ben first",
        "02 06:00–02 12:00 cleo second",
        "02 12:00–03 00:00 ben first",
    ]


def test_an_override_fills_a_gap() -> None:
    filled = rota(office(ANN), overrides=(stand_in(BEN, "2026-06-06 00:00", "2026-06-06 12:00"),))
    assert filled.gaps(utc("2026-06-06 00:00"), utc("2026-06-07 00:00")) == [
        (utc("2026-06-06 12:00"), utc("2026-06-07 00:00"))
    ]


def test_at_a_hand_over_the_one_who_takes_over_is_on_call() -> None:
    pair = rota(weekly(ANN, BEN))
    at = utc("2026-06-08 07:00")
    just_before = pair.on_call(at - timedelta(microseconds=1))
    taken_over = pair.on_call(at)
    assert just_before and just_before.who == ANN
    assert taken_over and (taken_over.who, taken_over.to_at) == (BEN, utc("2026-06-15 07:00"))


def test_the_end_of_a_long_turn_is_told() -> None:
    shift = rota(weekly(ANN, BEN, days=365)).on_call(utc("2026-06-02 00:00"))
    assert shift and shift.to_at == utc("2027-06-01 07:00")


def test_the_next_shift_is_told_whole() -> None:
    shift = rota(weekly(ANN, BEN)).next_shift(utc("2026-06-03 00:00"))
    assert shift and (shift.who, shift.from_at, shift.to_at) == (
        BEN,
        utc("2026-06-08 07:00"),
        utc("2026-06-15 07:00"),
    )


def test_a_layer_that_starts_later_is_the_next_shift() -> None:
    coming = rota(weekly(ANN, starts=date(2026, 9, 7)))
    shift = coming.next_shift(utc("2026-06-03 00:00"))
    assert coming.on_call(utc("2026-06-03 00:00")) is None
    assert shift and shift.from_at == utc("2026-09-07 07:00")


def test_whoever_is_alone_has_no_next_shift() -> None:
    assert rota(weekly(ANN)).next_shift(utc("2026-06-03 00:00")) is None


@pytest.mark.parametrize(
    "empty", [rota(), rota(weekly()), rota(weekly(None))], ids=["none", "bare", "no one"]
)
def test_a_rota_of_nobody_is_one_gap(empty: Rota) -> None:
    span = utc("2026-06-03 00:00"), utc("2026-06-04 00:00")
    assert (empty.shifts(*span), empty.gaps(*span)) == ([], [span])
    assert (empty.on_call(span[0]), empty.next_shift(span[0])) == (None, None)


def test_an_empty_span_has_neither_shifts_nor_gaps() -> None:
    at = utc("2026-06-03 00:00")
    assert (rota(weekly(ANN)).shifts(at, at), rota(weekly(ANN)).gaps(at, at)) == ([], [])


def test_nonsense_is_refused_in_words() -> None:
    with pytest.raises(InvalidRota, match="a turn lasts a day or more, not 0"):
        weekly(ANN, days=0)
    with pytest.raises(InvalidRota, match="ends after it begins"):
        stand_in(ANN, "2026-06-02 00:00", "2026-06-02 00:00")
    with pytest.raises(InvalidRota, match="without an offset"):
        Layer("weeks", (ANN,), MONDAY, 7, time(9, tzinfo=UTC))
    with pytest.raises(ValueError, match="has no time zone"):
        rota(weekly(ANN)).shifts(datetime(2026, 6, 1), utc("2026-06-02 00:00"))
    with pytest.raises(ValueError, match="is earlier than"):
        rota(weekly(ANN)).gaps(utc("2026-06-02 00:00"), utc("2026-06-01 00:00"))
