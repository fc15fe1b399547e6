"""How often a number may be sent to: every rung of the ladder."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.conftest import MONDAY_10
from tierdesk.response.paging.throttle import free_at, ladder_of


@pytest.mark.parametrize(
    ("minutes_ago", "free_in"),
    [
        pytest.param([], 0, id="nothing was sent"),
        pytest.param([0.5], 0.5, id="a minute lies between two"),
        pytest.param([1], 0, id="a minute is over"),
        pytest.param([2, 4, 6, 8], 0, id="four in a quarter of an hour"),
        pytest.param([2, 4, 6, 8, 10], 5, id="five in a quarter of an hour"),
        pytest.param([*range(16, 36, 2), 50], 10, id="eleven in an hour"),
        pytest.param([*range(61, 80), 100, 170], 10, id="twenty-one in three hours"),
    ],
)
def test_the_ladder(minutes_ago: list[float], free_in: float) -> None:
    sent = [MONDAY_10 - timedelta(minutes=ago) for ago in minutes_ago]
    assert free_at(sent, MONDAY_10, ladder_of("sms")) == MONDAY_10 + timedelta(minutes=free_in)
