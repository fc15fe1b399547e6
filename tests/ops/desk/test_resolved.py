"""What can never do what it says is refused with its line; what does only part of it is applied, and shown."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from tierdesk.ops import apply
from tierdesk.ops.desk.change import Difference, apply_desk
from tierdesk.ops.desk.lines import DeskRefused

pytestmark = pytest.mark.django_db

DESK = """
calendars:
  - {key: office, name: Office, timezone: Europe/Berlin, week: {mon-fri: 09:00-17:00}}
  - {key: always, name: Always, timezone: UTC, week: {mon-sun: 00:00-24:00}}
  - {key: shut, name: Shut, timezone: UTC, week: {mon: []}}
teams:
  - {key: desk, name: Desk, tier: L1, every_client: true}
  - {key: ops, name: Operations, tier: L2, every_client: true}
  - {key: empty, name: Empty, tier: L2, every_client: true}
agents:
  - {email: lena@desk.example, name: Lena, teams: [desk]}
  - {email: mara@desk.example, name: Mara, teams: [ops]}
  - {email: gone@desk.example, name: Gone, teams: [ops], active: false}
schedules:
  - key: night
    name: Night
    team: ops
    layers:
      - {name: All, starts: 2026-01-05, shift_days: 7, handover: "09:00", turns: [mara@desk.example]}
clients:
  - {key: ACME, name: Acme, timezone: Europe/Berlin, teams: [desk, ops]}
contracts:
  - client: ACME
    key: standard
    name: Acme
    effective_from: 2026-01-01
    calendar: office
    performers: {L1: us, L2: us}
    matrix: {1: [1, 2, 3], 2: [2, 3, 4], 3: [3, 4, 5]}
    promises: {P1: {resolve: 4 h}}
    rungs: [{at: 50 %, tell: [assignee]}]
procedures:
  - {key: up, name: Up, from_tier: L1, rules: {ladder: [{at: 80, tell: [assignee]}]}}
paging_policies:
  - key: p1
    name: P1
    teams: [desk]
    calendar: office
    steps:
      - {after: 0 s, page: [schedule:night]}
      - {after: 20 min, hand: L2}
"""


def applied(tmp_path: Path, *changes: tuple[str, str]) -> Difference:
    text = DESK
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "desk.yaml"
    path.write_text(text)
    return apply_desk(path)


PAGE, HAND = "page: [schedule:night]", "hand: L2"
LADDER, RUNG = "tell: [assignee]}]}}", "50 %, tell: [assignee]"
HOURS = "calendar: office\n    steps"
FOR = "teams: [desk]\n    calendar"


def test_a_desk_that_works_raises_no_doubt(tmp_path: Path) -> None:
    assert applied(tmp_path).doubts == []


@pytest.mark.parametrize(
    ("changes", "line", "sentence"),
    [
        (
            [(HAND, "hand: L3}\n      - {after: 40 min, hand: L2")],
            39,
            "Step 3 hands to L2, which is not above L3",
        ),
        (
            [(HAND, "hand: L2}\n      - {after: 40 min, hand: team:desk")],
            39,
            "Step 3 hands to team:desk, which is not above L2",
        ),
        ([(FOR, "teams: [ops]\n    calendar")], 39, "Step 2 hands to L2, which is not above L2"),
        ([(PAGE, "page: [team:empty]")], 39, "Step 1 calls nobody: nobody is in “empty”"),
        ([(PAGE, "page: [user:gone@desk.example]")], 39, "Step 1 calls nobody: gone@desk.example cannot"),
        (
            [(PAGE, f"{PAGE}, during: hours"), (HOURS, "calendar: shut\n    steps")],
            39,
            "Step 1 acts in hours that never come",
        ),
        (
            [(PAGE, f"{PAGE}, during: outside"), (HOURS, "calendar: always\n    steps")],
            39,
            "Step 1 acts outside of hours that never end",
        ),
        (
            [(HOURS, "calendar: office\n    when_exhausted: [team:empty]\n    steps")],
            39,
            "When all was in vain, it calls nobody",
        ),
        ([(LADDER, "tell: [managers]}]}}")], 33, "The rung at 80 % tells nobody: nobody is a manager"),
        ([(LADDER, "tell: [team_lead]}]}}")], 33, "The rung at 80 % tells nobody: nobody leads a team"),
        (
            [("rules: {ladder", "rules: {who_may: [lead, manager], ladder")],
            33,
            "Who hands it up is nobody: nobody leads a team and nobody is a manager",
        ),
        (
            [("rules: {ladder", "rules: {to: [L2, team:desk], ladder")],
            33,
            "It leads to team:desk, which is not above L1",
        ),
        (
            [("rules: {ladder", "rules: {emergency: {priorities: [1], to: [team:desk]}, ladder")],
            33,
            "The emergency path leads to team:desk, which is not above L1",
        ),
        ([("rules: {ladder", "rules: {to: [team:nowhere], ladder")], 33, "no “nowhere” among the teams"),
        (
            [("rules: {ladder", "rules: {emergency: {priorities: [1], tell: [managers]}, ladder")],
            33,
            "The emergency path tells nobody: nobody is a manager",
        ),
        (
            [
                (
                    "from_tier: L1, rules",
                    "from_tier: L1, in_force_from: 2026-06-01, review_by: 2026-06-01, rules",
                )
            ],
            33,
            "reviewed before it begins",
        ),
        ([(LADDER, 'tell: ["duty:nowhere"]}]}}')], 33, "no “nowhere” among the schedules"),
        ([(LADDER, 'tell: ["agent:ola@desk.example"]}]}}')], 33, "no “ola@desk.example” among the agents"),
        (
            [(LADDER, "tell: [assignee]}, {at: 70, tell: [assignee]}]}}")],
            33,
            "each rung is higher than the one before",
        ),
        ([(RUNG, "50 %, tell: [managers]")], 31, "The rung “50 %” tells nobody: nobody is a manager"),
        ([(RUNG, "50 %, tell: [duty:nowhere]")], 31, "no “nowhere” among the schedules"),
        ([("P1: {resolve: 4 h}", "P1: {resolve: 4 h, calendar: shut}")], 30, "“shut”, which never opens"),
    ],
    ids=[
        "down",
        "circle",
        "its own tier",
        "empty team",
        "closed account",
        "hours never come",
        "hours never end",
        "exhausted",
        "no manager",
        "no lead",
        "nobody may",
        "path not up",
        "emergency path not up",
        "path to no team",
        "emergency tells nobody",
        "reviewed too early",
        "no schedule",
        "no agent",
        "not monotone",
        "rung of nobody",
        "rung of no schedule",
        "no hours",
    ],
)
def test_what_can_never_work_is_refused_with_its_line(
    tmp_path: Path, changes: list[tuple[str, str]], line: int, sentence: str
) -> None:
    with pytest.raises(DeskRefused) as refused:
        applied(tmp_path, *changes)
    told = [one for one in refused.value.findings if one.startswith(f"desk.yaml:{line}:")]
    assert sentence in " ".join(told), refused.value.findings


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ([(PAGE, "page: [schedule:night, team:empty]")], "Step 1 calls not everybody: nobody is in “empty”"),
        ([(LADDER, "tell: [assignee, managers]}]}}")], "The rung at 80 % tells not everybody: nobody is a"),
        ([(HAND, "hand: L3")], "Step 2 hands to L3, where no team stands"),
        ([("name: Mara, teams: [ops]", "name: Mara")], "Nobody is in the teams above L1 (“empty”, “ops”)"),
        (
            [(FOR, "teams: [desk, ops]\n    calendar")],
            "Step 2 hands to L2, where some of its teams stand already",
        ),
        ([(FOR, "teams: []\n    calendar")], "The policy is for no team"),
    ],
    ids=["target", "role", "tier", "teams of nobody", "own tier for some", "no team"],
)
def test_what_does_only_part_of_it_is_applied_and_shown(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changes: list[tuple[str, str]],
    sentence: str,
) -> None:
    doubts = applied(tmp_path, *changes).doubts
    assert sentence in " ".join(doubt for _line, doubt in doubts)
    line, doubt = doubts[0]
    assert apply.run(Namespace(file=tmp_path / "desk.yaml", dry_run=False)) == 0
    assert f"Look at desk.yaml:{line}: {doubt}" in capsys.readouterr().out


def test_what_is_retired_may_lead_nowhere(tmp_path: Path) -> None:
    changed = applied(tmp_path, (PAGE, "page: [team:empty]"), ("name: P1\n", "name: P1\n    retired: true\n"))
    assert changed.doubts == []


def test_a_ladder_that_stays_is_no_difference(tmp_path: Path) -> None:
    applied(tmp_path)
    [change] = applied(tmp_path, ("rules: {ladder", "rules: {accept_min: 5, ladder")).changes
    assert str(change) == "~ procedures up\n    rules accept_min: nothing → 5"
