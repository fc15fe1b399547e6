"""Paging policies in the desk's file: read, written again the same, and refused with their lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from tierdesk.ops.desk.change import apply_desk
from tierdesk.ops.desk.export import export_desk
from tierdesk.ops.desk.lines import DeskRefused
from tierdesk.response.paging.models import Policy

pytestmark = pytest.mark.django_db

DESK = """
teams:
  - {key: ops, name: Operations, tier: L2}
agents:
  - {email: mara@desk.example, name: Mara Munk, teams: [ops]}
schedules:
  - key: night
    name: Night
    team: ops
    layers:
      - {name: All, starts: 2026-01-05, shift_days: 7, handover: "09:00", turns: [mara@desk.example]}
paging_policies:
  - key: p1
    name: P1
    teams: [ops]
    priorities: [P1, P2]
    repeat: 2
    ack_timeout: 30 min
    steps:
      - {after: 0 s, page: [schedule:night]}
      - {after: 5 min, page: [next:night, team:ops], unless: closed}
      - {after: 20 min, hand: L3}
    when_exhausted: [user:mara@desk.example]
"""


def applied(tmp_path: Path, text: str) -> None:
    desk = tmp_path / "desk.yaml"
    desk.write_text(text)
    apply_desk(desk)


def test_a_policy_is_read_and_written_again_the_same(tmp_path: Path) -> None:
    applied(tmp_path, DESK)
    policy = Policy.objects.get()
    assert [(step.after_s, step.page, step.hand) for step in policy.steps] == [
        (0, ("schedule:night",), ""),
        (300, ("next:night", "team:ops"), ""),
        (1200, (), "L3"),
    ]
    applied(tmp_path, export_desk())
    assert Policy.objects.count() == 1


def test_a_change_is_a_new_version_and_a_retired_one_calls_nobody(tmp_path: Path) -> None:
    applied(tmp_path, DESK)
    applied(tmp_path, DESK.replace("repeat: 2", "repeat: 3"))
    assert list(Policy.objects.order_by("version").values_list("version", flat=True)) == [1, 2]
    applied(tmp_path, DESK.replace("repeat: 2", "retired: true"))
    assert not Policy.objects.in_force().exists()


@pytest.mark.parametrize(
    ("was", "is_now", "line", "sentence"),
    [
        ("page: [schedule:night]", "page: [schedule:day]", 20, "no “day” among the schedules"),
        ("page: [schedule:night]", "page: [mara]", 20, "“mara” is nobody"),
        ("user:mara@", "user:ola@", 23, "among the agents"),
        ("hand: L3", "hand: L1", 22, "no tier above the first"),
        ("hand: L3", "hand: L3, page: [team:ops]", 19, "Step 3 either pages somebody or hands"),
        ("after: 20 min", "after: 5 min", 19, "Step 3 is not later than the one before"),
        ("hand: L3", "hand: L3, during: hours", 19, "give the policy a calendar"),
        ("unless: closed", "unless: late", 21, "not one of acked, closed"),
        ("repeat: 2", "repeat: 9", 17, "from 0 to 5"),
    ],
    ids=[
        "schedule",
        "target",
        "person",
        "tier",
        "both",
        "not rising",
        "hours of no calendar",
        "unless",
        "repeat",
    ],
)
def test_nonsense_is_refused_with_its_line(
    tmp_path: Path, was: str, is_now: str, line: int, sentence: str
) -> None:
    with pytest.raises(DeskRefused) as refused:
        applied(tmp_path, DESK.replace(was, is_now))
    assert [told for told in refused.value.findings if told.startswith(f"desk.yaml:{line}:")], refused.value
    assert sentence in str(refused.value.findings)


def test_a_policy_without_steps_is_refused(tmp_path: Path) -> None:
    head, _, _ = DESK.partition("    steps:")
    with pytest.raises(DeskRefused, match="Nobody would be paged"):
        applied(tmp_path, head + "    steps: []\n")
