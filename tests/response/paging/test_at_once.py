"""Two requests at once: no more codes leave than one person may ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tests.response.assignment.test_at_once import at_once
from tests.settled import settled
from tierdesk.response.paging.ways import MOST_CODES, UnableToReach, Way


@pytest.fixture
def cast(transactional_db: None) -> Iterator[Cast]:
    """The named world, seen by other connections too."""
    yield settled()


def test_who_asks_at_once_is_sent_no_more_codes_than_who_asks_in_turn(cast: Cast) -> None:
    sent: list[str] = []

    def ask() -> None:
        for _ in range(5):
            try:
                sent.append(Way.propose(cast.lena, "sms", "+49301234509", is_urgent=True, at=MONDAY_10)[1])
            except UnableToReach:
                continue

    at_once(*[ask] * 4)
    assert len(sent) == MOST_CODES
