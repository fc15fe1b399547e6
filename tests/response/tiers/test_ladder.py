"""The hierarchical ladder: which roles are told at which percentage."""

from __future__ import annotations

import pytest

from tierdesk.response.tiers.ladder import DEFAULT_LADDER, Rung, is_role, rungs, to_tell

FOUR = [
    Rung(50, ("assignee",)),
    Rung(75, ("team_lead",)),
    Rung(90, ("duty:night",)),
    Rung(100, ("managers",)),
]


def test_a_person_or_a_schedule_is_a_role_by_its_name() -> None:
    assert is_role("agent:lou@desk.example") and is_role("duty:night")
    assert not is_role("agent:") and not is_role("duty:") and not is_role("boss:lou")


@pytest.mark.parametrize(
    ("percent", "since", "told", "because"),
    [
        (40, 0, (), "nothing is reached yet"),
        (50, 0, ("assignee",), "a rung is reached exactly"),
        (75, 0, ("assignee", "team_lead"), "the rung at 50 is caught up with"),
        (100, 75, ("duty:night", "managers"), "the rung at 90 is caught up with"),
        (100, 0, ("assignee", "team_lead", "duty:night", "managers"), "the engine was down all the time"),
        (100, 100, ("managers",), "told again, the highest rung answers"),
    ],
)
def test_every_rung_passed_since_the_last_time_is_told(
    percent: int, since: int, told: tuple[str, ...], because: str
) -> None:
    assert to_tell(FOUR, percent, since=since) == told, because


def test_the_order_in_which_rungs_were_written_does_not_matter() -> None:
    assert to_tell(FOUR[::-1], 100, since=75) == to_tell(FOUR, 100, since=75)


def test_a_breach_is_told_even_if_the_ladder_ends_below_it() -> None:
    assert to_tell([Rung(75, ("team_lead",))], 100, since=75) == ("team_lead",)


def test_a_role_on_two_rungs_is_named_once() -> None:
    assert to_tell(DEFAULT_LADDER, 100).count("assignee") == 1


def test_a_specification_without_a_ladder_has_the_house_s() -> None:
    assert rungs([]) == DEFAULT_LADDER
    assert rungs([{"at": 90, "tell": ["managers"]}]) == [Rung(90, ("managers",))]


@pytest.mark.parametrize("name", ["assignee", "team_lead", "managers", "duty", "duty:night"])
def test_these_are_roles(name: str) -> None:
    assert is_role(name)


@pytest.mark.parametrize("name", ["", "boss", "duty:", "dutyfree"])
def test_these_are_nobody_s_role(name: str) -> None:
    assert not is_role(name)
