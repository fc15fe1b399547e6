"""The hierarchical ladder: who is told when a promise runs out. Pure; it never moves a ticket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ROLES = ("assignee", "team_lead", "duty", "managers")


@dataclass(frozen=True, slots=True)
class Rung:
    """From `percent` of a target on, these roles are told."""

    percent: int
    roles: tuple[str, ...]


DEFAULT_LADDER: Sequence[Rung] = (
    Rung(75, ("assignee", "team_lead")),
    Rung(100, ("assignee", "team_lead", "duty", "managers")),
)


def to_tell(ladder: Sequence[Rung], percent: int) -> tuple[str, ...]:
    """The roles of the highest rung that `percent` has reached; none below the first."""
    reached = [rung for rung in ladder if rung.percent <= percent]
    return max(reached, key=lambda rung: rung.percent).roles if reached else ()


def rungs(spec: Sequence[dict[str, object]]) -> Sequence[Rung]:
    """The ladder of a procedure's specification: [{at: 75, tell: [assignee, …]}, …]; the default if it is empty."""
    if not spec:
        return DEFAULT_LADDER
    return [Rung(int(str(rung["at"])), tuple(str(role) for role in rung["tell"])) for rung in spec]  # type: ignore[attr-defined]
