"""What a contract says of a wait, as steps."""

from __future__ import annotations

from typing import Any

import pytest

from tierdesk.response.waiting.plan import Plan, Step, may_end_in_silence

DAY = 8 * 3600

STEPS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "two reminders, and it waits on": ({"every": DAY}, ["chase", "chase"]),
    "a return needs no warning": ({"every": DAY, "chasers": 1, "then": "return"}, ["chase", "return"]),
    "silence is warned of first": (
        {"every": DAY, "chasers": 2, "then": "resolve"},
        ["chase", "chase", "warn", "resolve"],
    ),
    "without chasers the warning is still sent": (
        {"every": DAY, "chasers": 0, "then": "resolve"},
        ["warn", "resolve"],
    ),
    "nobody and nothing": ({"every": DAY, "chasers": 0}, []),
}


@pytest.mark.parametrize(("agreed", "steps"), STEPS.values(), ids=STEPS)
def test_the_steps_of_a_plan(agreed: dict[str, Any], steps: list[str]) -> None:
    plan = Plan.of(agreed)
    assert [*plan.steps] == steps
    assert plan.step(len(steps)) is None


def test_only_the_end_waits_for_its_own_time() -> None:
    plan = Plan.of({"every": DAY, "chasers": 1, "then": "resolve", "after": 3 * DAY})
    assert [plan.pause_s(done) for done in range(3)] == [DAY, DAY, 3 * DAY]
    assert plan.step(1) == Step.WARN
    assert Plan.of({"every": DAY, "chasers": 0, "then": "return"}).pause_s(0) == DAY


@pytest.mark.parametrize(
    ("reason", "may"),
    [("requester_info", True), ("access", True), ("vendor", False), ("dependency_group", False)],
)
def test_only_the_contacts_silence_solves(reason: str, may: bool) -> None:
    assert may_end_in_silence(reason) is may
