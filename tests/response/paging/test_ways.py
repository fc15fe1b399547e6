"""A number counts once its code came back; a policy says which ways are taken."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tierdesk.response.paging.ways import MOST_GUESSES, UnableToReach, Way, ways_of

MAIL = {"mail": "lena@desk.example"}


def proposed(cast: Cast, *, is_urgent: bool = True) -> tuple[Way, str]:
    return Way.propose(cast.lena, "+49 30 1234509", is_urgent=is_urgent, at=MONDAY_10)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def test_a_number_is_used_once_its_code_came_back(cast: Cast) -> None:
    way, code = proposed(cast)
    assert ways_of(cast.lena, "all") == MAIL
    way.verify(f" {code} ", at=MONDAY_10)
    assert ways_of(cast.lena, "all") == MAIL | {"sms": "+49301234509"}
    assert ways_of(cast.lena, "urgent") == {"sms": "+49301234509"}


def test_where_nothing_is_urgent_all_ways_are_taken(cast: Cast) -> None:
    way, code = proposed(cast, is_urgent=False)
    way.verify(code, at=MONDAY_10)
    assert ways_of(cast.lena, "urgent") == MAIL | {"sms": "+49301234509"}


def test_a_code_cannot_be_guessed_for_long(cast: Cast) -> None:
    way, code = proposed(cast)
    for _ in range(MOST_GUESSES):
        with pytest.raises(UnableToReach, match="not the code"):
            way.verify(wrong(code), at=MONDAY_10)
    with pytest.raises(UnableToReach, match="over"):
        way.verify(code, at=MONDAY_10)


def test_a_code_is_over_after_a_while(cast: Cast) -> None:
    way, code = proposed(cast)
    with pytest.raises(UnableToReach, match="over"):
        way.verify(code, at=MONDAY_10 + timedelta(minutes=10))


def test_another_number_must_be_proved_again(cast: Cast) -> None:
    way, code = proposed(cast)
    way.verify(code, at=MONDAY_10)
    Way.propose(cast.lena, "+49 30 1234510", is_urgent=True, at=MONDAY_10)
    assert ways_of(cast.lena, "all") == MAIL


@pytest.mark.parametrize("number", ["030 1234509", "+49", "Lena"])
def test_what_is_no_number_is_refused(cast: Cast, number: str) -> None:
    with pytest.raises(UnableToReach):
        Way.propose(cast.lena, number, is_urgent=True, at=MONDAY_10)


def test_nobody_makes_the_desk_send_codes_without_end(cast: Cast) -> None:
    for minute in range(3):
        way, _ = Way.propose(
            cast.lena, f"+4915112345{minute:02d}", is_urgent=True, at=MONDAY_10 + timedelta(minutes=minute)
        )
        way.remove()
    with pytest.raises(UnableToReach, match="Three codes"):
        Way.propose(cast.lena, "+491511234599", is_urgent=True, at=MONDAY_10 + timedelta(minutes=50))
    Way.propose(cast.lena, "+491511234599", is_urgent=True, at=MONDAY_10 + timedelta(minutes=61))
