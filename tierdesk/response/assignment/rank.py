"""Which ticket is the next best one for somebody who asks: pure, and each says why.

By the time to its next deadline, a quarter of an hour alike; then by priority; then by how well it fits; then the
exact deadline. A ticket that takes a skill which they lack is left to a colleague who is there and has it. Where one
client's tickets are more than half of what the team works on, those of others come first, so that a storm starves
nobody; a P1 is never put off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tierdesk.response.assignment.decide import Candidate, Need, language_name

ALIKE = timedelta(minutes=15)
STORM = 5
"""From so many tickets in the team's hands on a client can have more than its share."""

NO_DEADLINE = timedelta(days=3650) // ALIKE


@dataclass(frozen=True, slots=True)
class Waiting:
    """A ticket in a queue as plain values."""

    ticket: int
    team: int
    client: int
    priority: int
    due_at: datetime | None
    need: Need


@dataclass(frozen=True, slots=True)
class Ranked:
    ticket: int
    why: str


def rank(
    waiting: Sequence[Waiting],
    agent: Candidate,
    *,
    colleagues: Mapping[int, Sequence[Candidate]],
    held: Mapping[int, int],
    at: datetime,
) -> list[Ranked]:
    """The tickets that `agent` may be given, the best first.

    `colleagues` are the others of each team, by team; `held` says how many tickets of each client are in hands.
    """
    storms = dominating(held)
    mine = [one for one in waiting if not _is_for_others(one, agent, colleagues.get(one.team, ()))]
    ordered = sorted(mine, key=lambda one: (_is_put_off(one, storms), *_order(one, agent, at)))
    passed = any(_is_put_off(one, storms) for one in mine)
    return [
        Ranked(one.ticket, _why(one, agent, at, passed and not _is_put_off(one, storms))) for one in ordered
    ]


def dominating(held: Mapping[int, int]) -> set[int]:
    """The client, if there is one, of whom more than half of what is in hands is."""
    return {client for client, many in held.items() if many >= STORM and 2 * many > sum(held.values())}


def _is_put_off(one: Waiting, storms: set[int]) -> bool:
    return one.client in storms and one.priority > 1


def _is_for_others(one: Waiting, agent: Candidate, colleagues: Sequence[Candidate]) -> bool:
    able = (other.is_able(one.need) and not other.is_away for other in colleagues)
    return not agent.is_able(one.need) and any(able)


def _order(one: Waiting, agent: Candidate, at: datetime) -> tuple[object, ...]:
    quarter = NO_DEADLINE if one.due_at is None else max(one.due_at - at, timedelta()) // ALIKE
    misfit = (-agent.level(one.need), not agent.understands(one.need))
    return quarter, one.priority, *misfit, one.due_at is None, one.due_at or at, one.ticket


def _why(one: Waiting, agent: Candidate, at: datetime, comes_before_a_storm: bool) -> str:
    parts = [
        f"the next best: {_deadline(one.due_at, at)}",
        f"P{one.priority}",
        f"{one.need.platform} {agent.level(one.need)}" if agent.level(one.need) else "",
        f"speaks {language_name(one.need.language)}"
        if one.need.language and agent.understands(one.need)
        else "",
        "before those of a client that has more than half of the team’s hands"
        if comes_before_a_storm
        else "",
    ]
    return ", ".join(part for part in parts if part)


def _deadline(due_at: datetime | None, at: datetime) -> str:
    if due_at is None:
        return "no deadline"
    minutes = int((due_at - at).total_seconds() // 60)
    if minutes < 0:
        return "its deadline has passed"
    return f"due in {minutes} min" if minutes < 120 else f"due in {minutes // 60} h"
