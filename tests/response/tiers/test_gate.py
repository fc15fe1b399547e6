"""The gate: what a procedure asks before a ticket may climb, in words for whoever escalates."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tierdesk.response.tiers.gate import Attempt, Rules, check
from tierdesk.response.tiers.pack import Pack, RunRecord

PACK = Pack(symptom="no tunnel", scope="one site", steps_tried="restarted", exact_ask="check the gateway")
HOUSE = Rules("House rule v1")
BOOKISH = Rules("Network v3", needs_book=True)
STRICT = Rules("Strict v1", max_returns=0)
LEADS = Rules("Leads v1", who_may=("lead", "manager"))
L1_TO_L2 = Attempt(from_tier=1, to_tier=2, reason="skill", pack=PACK)


def run(outcome: str) -> RunRecord:
    return RunRecord("VPN, revision 1", [("Restart the client", "it failed")], "not enough", outcome)


def with_book(*runs: RunRecord, bypass: str = "") -> Attempt:
    return replace(L1_TO_L2, books_exist=True, runs=runs, bypass=bypass)


@pytest.mark.parametrize(
    ("rules", "attempt", "shut_by"),
    [
        pytest.param(HOUSE, L1_TO_L2, [], id="everything is there"),
        pytest.param(LEADS, replace(L1_TO_L2, who=["lead"]), [], id="one who may"),
        pytest.param(LEADS, replace(L1_TO_L2, who=None), [], id="the desk itself"),
        pytest.param(LEADS, replace(L1_TO_L2, who=["assignee"]), ["team"], id="one who may not"),
        pytest.param(LEADS, replace(L1_TO_L2, bypass="urgent"), ["team"], id="a reason is no permission"),
        pytest.param(HOUSE, replace(L1_TO_L2, reason=""), ["reason"], id="no reason"),
        pytest.param(HOUSE, replace(L1_TO_L2, reason="too hard"), ["reason"], id="a reason nobody coded"),
        pytest.param(
            Rules("A", reasons=("access",)), L1_TO_L2, ["reason"], id="a reason this procedure does not allow"
        ),
        pytest.param(
            HOUSE,
            replace(L1_TO_L2, pack=Pack(symptom="x", scope="y")),
            ["steps_tried", "exact_ask"],
            id="half a pack",
        ),
        pytest.param(
            Rules("A", required=()),
            replace(L1_TO_L2, pack=Pack()),
            [],
            id="a procedure that asks for no pack",
        ),
        pytest.param(HOUSE, replace(L1_TO_L2, to_tier=1), ["team"], id="sideways is not up"),
        pytest.param(HOUSE, replace(L1_TO_L2, from_tier=3), ["team"], id="down is not up"),
        pytest.param(HOUSE, replace(L1_TO_L2, to_tier=3), ["bypass"], id="a tier is skipped without a word"),
        pytest.param(
            HOUSE, replace(L1_TO_L2, to_tier=3, bypass="site down"), [], id="a tier is skipped with a reason"
        ),
        pytest.param(HOUSE, replace(L1_TO_L2, to_tier=3, bypass="  "), ["bypass"], id="blanks are no reason"),
        pytest.param(
            Rules("A", may_skip=True),
            replace(L1_TO_L2, to_tier=3),
            [],
            id="a procedure that lets tiers be skipped",
        ),
        pytest.param(HOUSE, with_book(), [], id="the house rule does not ask for a book"),
        pytest.param(BOOKISH, L1_TO_L2, [], id="there is no book to follow"),
        pytest.param(BOOKISH, with_book(), ["bypass"], id="nobody followed the book"),
        pytest.param(BOOKISH, with_book(run("running")), ["bypass"], id="the book is still being followed"),
        pytest.param(BOOKISH, with_book(run("left")), ["bypass"], id="the book was laid aside"),
        pytest.param(BOOKISH, with_book(run("done")), [], id="the book was followed to its end"),
        pytest.param(
            BOOKISH, with_book(run("left"), run("escalate")), [], id="the book itself says: hand up"
        ),
        pytest.param(
            BOOKISH, with_book(bypass="the console is down"), [], id="the book is bypassed with a reason"
        ),
        pytest.param(HOUSE, replace(L1_TO_L2, returns_so_far=2), [], id="it came back twice"),
        pytest.param(
            HOUSE, replace(L1_TO_L2, returns_so_far=3), ["named"], id="the third return asks for a name"
        ),
        pytest.param(
            HOUSE, replace(L1_TO_L2, returns_so_far=3, named_owner=True), [], id="somebody is named"
        ),
        pytest.param(
            HOUSE,
            replace(L1_TO_L2, returns_so_far=3, bypass="urgent"),
            ["named"],
            id="a name cannot be bypassed",
        ),
        pytest.param(
            STRICT, replace(L1_TO_L2, returns_so_far=1), ["named"], id="a procedure may be stricter"
        ),
    ],
)
def test_the_gate(rules: Rules, attempt: Attempt, shut_by: list[str]) -> None:
    gate = check(rules, attempt)
    assert [missing.field for missing in gate.missing] == shut_by
    assert gate.is_open is (not shut_by)


def test_each_missing_thing_is_a_sentence_for_the_one_who_escalates() -> None:
    gate = check(HOUSE, replace(L1_TO_L2, pack=replace(PACK, exact_ask=""), reason=""))
    assert gate.words == "Answer: What exactly do you ask of the next tier? Choose a reason."
    assert [str(missing) for missing in gate.missing] == [missing.sentence for missing in gate.missing]


def test_the_gate_keeps_what_a_reason_has_waived() -> None:
    both = Attempt(1, 3, "skill", PACK, books_exist=True, bypass="the whole site is down")
    assert check(BOOKISH, both).bypassed == (
        "A tier is skipped: say why.",
        "Follow the matching book to its end first, or say why not.",
    )


def test_a_bypass_that_nothing_needed_waives_nothing() -> None:
    assert check(HOUSE, replace(L1_TO_L2, bypass="just in case")).bypassed == ()


def test_rules_that_a_specification_does_not_name_are_the_house_s() -> None:
    assert Rules.of("Network v1", {"accept_min": 15}) == Rules("Network v1", accept_min=15)
