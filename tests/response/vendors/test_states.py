"""The life of a vendor case, state by state (promises.md §2.4)."""

from __future__ import annotations

from itertools import product

import pytest

from tierdesk.response.vendors.states import CHASES, FOLLOWS, CaseState, may_follow

MAY = {
    "draft": "submitted closed",
    "submitted": "acknowledged vendor_working waiting_on_us solution_offered closed",
    "acknowledged": "vendor_working waiting_on_us solution_offered closed",
    "vendor_working": "waiting_on_us solution_offered closed",
    "waiting_on_us": "vendor_working solution_offered closed",
    "solution_offered": "verifying vendor_working closed",
    "verifying": "vendor_working closed",
    "closed": "",
}


@pytest.mark.parametrize(("before", "after"), [*product(CaseState.values, repeat=2)])
def test_what_may_follow_what(before: str, after: str) -> None:
    assert may_follow(before, after) is (after in MAY[before].split())


def test_every_state_can_be_reached_and_only_closed_is_the_end() -> None:
    reached, ways = {"draft"}, {"draft"}
    while ways:
        ways = {after for before in ways for after in FOLLOWS[before]} - reached
        reached |= ways
    assert reached == set(CaseState.values)
    assert [state for state in CaseState.values if not FOLLOWS[state]] == ["closed"]


def test_the_driver_is_reminded_in_every_state_in_which_somebody_owes_something() -> None:
    assert set(CHASES) == set(CaseState.values) - {"draft", "closed"}
