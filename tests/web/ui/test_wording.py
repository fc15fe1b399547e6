"""Quantities, moments and names as they are written on a page."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierdesk.web.ui.wording import (
    FACES,
    channel,
    duration,
    face,
    filesize,
    initials,
    iso,
    moment,
    month_name,
)


@pytest.mark.parametrize(("length", "words"), [
    (0, "0 s"),
    (59.9, "59 s"),
    (60, "1 min"),
    (timedelta(minutes=59, seconds=59), "59 min"),
    (timedelta(hours=2), "2 h"),
    (timedelta(hours=2, minutes=10), "2 h 10 min"),
    (timedelta(hours=99, minutes=59), "99 h 59 min"),
    (timedelta(hours=100, minutes=59), "100 h"),
    (timedelta(minutes=-7), "−7 min"),
    (-0.4, "0 s"),
])  # fmt: skip
def test_a_duration_is_rounded_down_to_what_is_shown(length: timedelta | float, words: str) -> None:
    assert duration(length) == words


@pytest.mark.parametrize(("octets", "words"), [
    (0, "0 B"), (999, "999 B"), (1000, "1 kB"), (1449, "1.4 kB"), (482_113, "482 kB"), (999_600, "1.0 MB"),
    (1_482_113, "1.5 MB"), (25_000_000, "25 MB"), (3_000_000_000_000, "3 TB"),
])  # fmt: skip
def test_a_file_size_is_written_as_file_managers_do(octets: int, words: str) -> None:
    assert filesize(octets) == words


@pytest.mark.parametrize(("name", "letters"), [
    ("Mara Lindqvist", "ML"), ("Dr. Aoife Byrne", "DB"), ("Zabbix", "ZA"), ("ingrid.solberg@a.example", "IS"),
    ("Windows & identity", "WI"), ("Łukasz Żak", "ŁŻ"), ("李 明", "李明"), ("—", "?"), ("", "?"),
])  # fmt: skip
def test_initials_stand_for_people_teams_and_addresses(name: str, letters: str) -> None:
    assert initials(name) == letters


@given(st.text())
def test_every_name_has_initials_and_one_lasting_face(name: str) -> None:
    assert initials(name)
    assert 1 <= face(name) <= FACES
    assert face(name) == face(name)


def test_an_instant_is_written_in_utc_for_machines() -> None:
    berlin = timezone(timedelta(hours=2))
    assert iso(datetime(2026, 6, 8, 10, 0, tzinfo=berlin)) == "2026-06-08T08:00:00Z"


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        iso(datetime(2026, 6, 8, 10, 0))


def test_a_moment_reads_in_the_readers_zone() -> None:
    from django.utils import timezone as reader

    with reader.override("Europe/Berlin"):
        assert moment(datetime(2026, 6, 8, 8, 0, tzinfo=UTC)) == "2026-06-08 10:00"


def test_a_channel_is_named_within_a_sentence() -> None:
    assert [channel(key) for key in ("web_form", "api", "email")] == ["web form", "API", "email"]


def test_a_month_is_named() -> None:
    assert month_name(date(2026, 6, 8)) == "June 2026"
