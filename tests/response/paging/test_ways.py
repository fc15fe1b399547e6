"""A number counts once its code came back; a policy says which ways are taken."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tierdesk.directory.staff.models import Agent
from tierdesk.response.paging.ways import MOST_GUESSES, UnableToReach, Way, said
from tierdesk.response.paging.ways import ways_of as reaches_of

MAIL = {"mail": "lena@desk.example"}


def ways_of(agent: Agent, via: str) -> dict[str, str]:
    return {reach.kind: reach.address for reach in reaches_of(agent, via)}


def proposed(cast: Cast, *, is_urgent: bool = True) -> tuple[Way, str]:
    return Way.propose(cast.lena, "sms", "+49 30 1234509", is_urgent=is_urgent, at=MONDAY_10)


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
    Way.propose(cast.lena, "sms", "+49 30 1234510", is_urgent=True, at=MONDAY_10)
    assert ways_of(cast.lena, "all") == MAIL


@pytest.mark.parametrize("number", ["030 1234509", "+49", "Lena"])
def test_what_is_no_number_is_refused(cast: Cast, number: str) -> None:
    with pytest.raises(UnableToReach):
        Way.propose(cast.lena, "sms", number, is_urgent=True, at=MONDAY_10)


def test_nobody_makes_the_desk_send_codes_without_end(cast: Cast) -> None:
    for minute in range(3):
        way, _ = Way.propose(
            cast.lena,
            "sms",
            f"+4915112345{minute:02d}",
            is_urgent=True,
            at=MONDAY_10 + timedelta(minutes=minute),
        )
        way.remove()
    with pytest.raises(UnableToReach, match="Three codes"):
        Way.propose(cast.lena, "sms", "+491511234599", is_urgent=True, at=MONDAY_10 + timedelta(minutes=50))
    Way.propose(cast.lena, "sms", "+491511234599", is_urgent=True, at=MONDAY_10 + timedelta(minutes=61))


class TestOrder:
    @pytest.fixture
    def waiting(self, cast: Cast) -> Cast:
        for kind, minutes in (("sms", 2), ("voice", 5)):
            Way.objects.create(
                agent=cast.lena, kind=kind, address="+49301234509", verified_at=MONDAY_10, wait_s=60 * minutes
            )
        return cast

    def test_each_way_waits_its_time(self, waiting: Cast) -> None:
        assert said(reaches_of(waiting.lena, "all")) == "mail, SMS after 2 min and voice call after 5 min"

    def test_the_first_that_is_asked_for_waits_for_nothing(self, waiting: Cast) -> None:
        assert said(reaches_of(waiting.lena, "urgent")) == "SMS and voice call after 3 min"

    def test_mail_may_come_later(self, waiting: Cast) -> None:
        Way.let_wait(waiting.lena, "mail", "10")
        assert said(reaches_of(waiting.lena, "all")) == "SMS, voice call after 3 min and mail after 8 min"

    @pytest.mark.parametrize("minutes", ["", "-1", "61", "1.5", "soon", "²", "٣"])
    def test_nonsense_changes_nothing(self, waiting: Cast, minutes: str) -> None:
        with pytest.raises(UnableToReach, match="from 0 to 60"):
            Way.let_wait(waiting.lena, "sms", minutes)
        assert waiting.lena.ways.get(kind="sms").wait_s == 120


@pytest.mark.parametrize(
    "address",
    [
        "hooks.example.com",
        "ftp://hooks.example.com/",
        "https://",
        "https://me:secret@hooks.example.com/",
        "https://hooks.example.com/#part",
        "https://hooks.example.com/a b",
        "https://hooks.example.com/\nHost: other",
        "https://[::1",
        f"https://hooks.example.com/{1000 * 'x'}",
    ],
)
def test_what_is_no_web_address_is_refused(cast: Cast, address: str) -> None:
    with pytest.raises(UnableToReach, match="whole address"):
        Way.propose(cast.lena, "webhook", address, is_urgent=True, at=MONDAY_10)


def test_a_webhook_has_a_secret_until_it_is_taken_away(cast: Cast) -> None:
    way, _ = Way.propose(cast.lena, "webhook", "https://hooks.example.com/p", is_urgent=True, at=MONDAY_10)
    kept = Way.objects.get(pk=way.pk)
    assert kept.secret == way.secret and kept.secret.startswith("whsec_")
    assert way.secret.encode() not in bytes(kept.secret_sealed)
    way.remove()
    kept.refresh_from_db()
    assert (kept.address, kept.secret) == ("", "")
