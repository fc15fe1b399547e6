"""The gate: what a procedure asks before a ticket may climb, in words for whoever escalates."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tierdesk.response.tiers.gate import Attempt, Emergency, Rules, When, check
from tierdesk.response.tiers.pack import Pack, RunRecord

PACK = Pack(symptom="no tunnel", scope="one site", steps_tried="restarted", exact_ask="check the gateway")
HOUSE = Rules("House rule v1")
BOOKISH = Rules("Network v3", needs_book=True)
STRICT = Rules("Strict v1", max_returns=0)
LEADS = Rules("Leads v1", who_may=("lead", "manager"))
PATHED = Rules("Pathed v1", to=("team:network", "L3"))
TIMELY = Rules("Timely v1", when=When(reasons=("access",), book_followed=True, runs=2, used=40))
HURRIED = Rules(
    "Hurried v1",
    needs_book=True,
    who_may=("manager",),
    when=When(used=40),
    emergency=Emergency(priorities=(1,), to=("L3",), who_may=("assignee",)),
)
IN_HURRY = Attempt(
    from_tier=1,
    to_tier=3,
    reason="other",
    pack=Pack(symptom="all is dark", exact_ask="light"),
    books_exist=True,
    who=["assignee"],
    priority=1,
    emergency=True,
)
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
        pytest.param(PATHED, replace(L1_TO_L2, to_team="network"), [], id="the team that it leads to"),
        pytest.param(
            PATHED, replace(L1_TO_L2, to_tier=3), [], id="a tier that it leads to is not skipped to"
        ),
        pytest.param(
            PATHED, replace(L1_TO_L2, to_team="ops"), ["bypass"], id="another team than it leads to"
        ),
        pytest.param(
            PATHED,
            replace(L1_TO_L2, to_team="ops", bypass="they did it"),
            [],
            id="another team with a reason",
        ),
        pytest.param(TIMELY, L1_TO_L2, ["bypass"], id="none of its conditions holds"),
        pytest.param(TIMELY, replace(L1_TO_L2, bypass="they insist"), [], id="before its time with a reason"),
        pytest.param(TIMELY, replace(L1_TO_L2, reason="access"), [], id="a reason that is enough"),
        pytest.param(TIMELY, with_book(run("done")), [], id="the book that had to be followed"),
        pytest.param(TIMELY, with_book(run("left")), ["bypass"], id="one book tried of two"),
        pytest.param(TIMELY, with_book(run("left"), run("left")), [], id="two books tried"),
        pytest.param(TIMELY, replace(L1_TO_L2, used=39), ["bypass"], id="too little time is used"),
        pytest.param(TIMELY, replace(L1_TO_L2, used=40), [], id="enough time is used"),
        pytest.param(HURRIED, IN_HURRY, [], id="an emergency"),
        pytest.param(
            HURRIED, replace(IN_HURRY, priority=2), ["emergency"], id="no emergency at that priority"
        ),
        pytest.param(HURRIED, replace(IN_HURRY, priority=4, is_major=True), [], id="a major incident"),
        pytest.param(
            HURRIED,
            replace(IN_HURRY, emergency=False),
            ["team"] + ["scope", "steps_tried"] + ["bypass"] * 3,
            id="the same on the usual way",
        ),
        pytest.param(
            HURRIED, replace(IN_HURRY, who=["lead"]), ["team"], id="one who may not, in an emergency"
        ),
        pytest.param(HURRIED, replace(IN_HURRY, to_tier=2), ["bypass"], id="elsewhere in an emergency"),
        pytest.param(
            HURRIED, replace(IN_HURRY, pack=Pack(symptom="dark")), ["exact_ask"], id="without an ask"
        ),
        pytest.param(HOUSE, IN_HURRY, ["emergency"], id="a procedure without a short way"),
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


def test_the_short_way_keeps_in_mind_what_the_long_one_asks_for() -> None:
    assert check(HURRIED, IN_HURRY).bypassed == (
        "Answer: Who and what is affected, who is not?",
        "Answer: What was tried, with which result?",
        "A tier is skipped: say why.",
        "Follow the matching book to its end first, or say why not.",
        "This tier hands it up when 40 % of the client’s promise are used: say why before.",
    )


def test_the_conditions_are_said_as_a_reader_says_them() -> None:
    assert TIMELY.when.words == (
        "the reason is “It needs access that this tier does not have”, or a book was followed to its end, or "
        "2 books were tried, or 40 % of the client’s promise are used"
    )


def test_rules_read_their_paths_conditions_and_short_way() -> None:
    spec = {
        "to": ["L3"],
        "allowed_when": {"used": 40},
        "emergency": {"priorities": [1], "tell": ["managers"]},
    }
    assert Rules.of("A", spec) == Rules(
        "A", to=("L3",), when=When(used=40), emergency=Emergency(priorities=(1,), tell=("managers",))
    )
