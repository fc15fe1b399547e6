"""What a contract may agree on is what the desk's file can say, with the same defaults."""

from __future__ import annotations

from tierdesk.ops.desk.sections import POLICIES
from tierdesk.response.sla.policy import CLIENT_OWES, Policies


def test_the_desk_s_file_can_say_every_policy() -> None:
    assert set(POLICIES.fields) == set(Policies.__dataclass_fields__)


def test_what_is_not_said_is_as_usual_here_and_there() -> None:
    usual, ours = dict(POLICIES.usual), Policies()
    assert set(usual.pop("pause_reasons")) == CLIENT_OWES and ours.pause_reasons is None
    assert list(ours.ack_counts) == usual.pop("ack_counts")
    assert usual == {name: getattr(ours, name) for name in usual}


def test_what_is_no_policy_of_a_clock_is_left_alone() -> None:
    assert Policies.of({"reopen": "ignore", "holiday_set": "de"}) == Policies(reopen="ignore")
