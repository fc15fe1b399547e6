"""The hierarchical ladder: who is told when a promise runs out. Pure; it never moves a ticket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DUTY = "duty"
PERSON = "agent"
ROLES = ("assignee", "team_lead", DUTY, "managers")
"""`duty` is whoever is on call for the ticket's team; `duty:<key>` whoever holds that schedule; `agent:<mail>` is one
person, such as a client's service-delivery manager."""


@dataclass(frozen=True, slots=True)
class Rung:
    """From `percent` of a target on, these roles are told."""

    percent: int
    roles: tuple[str, ...]


DEFAULT_LADDER: Sequence[Rung] = (
    Rung(75, ("assignee", "team_lead")),
    Rung(100, ("assignee", "team_lead", "duty", "managers")),
)


def to_tell(ladder: Sequence[Rung], percent: int, *, since: int = 0) -> tuple[str, ...]:
    """The roles to tell at `percent`, when they were last told at `since`.

    Every rung in between counts, so that a rung at which nobody looked is caught up with at the next one. If
    none lies in between, the highest that was reached is told again. Below the first rung: nobody.
    """
    reached = sorted((rung for rung in ladder if rung.percent <= percent), key=lambda rung: rung.percent)
    passed = [rung for rung in reached if rung.percent > since] or reached[-1:]
    return tuple(dict.fromkeys(role for rung in passed for role in rung.roles))


def rungs(spec: Sequence[Mapping[str, Any]]) -> Sequence[Rung]:
    """The ladder of a specification: [{at: 75, tell: [assignee, …]}, …]; the default if it is empty."""
    if not spec:
        return DEFAULT_LADDER
    return [Rung(int(rung["at"]), tuple(str(role) for role in rung["tell"])) for rung in spec]


def is_role(name: str) -> bool:
    kind, _, which = name.partition(":")
    return name in ROLES or (kind in (DUTY, PERSON) and bool(which))


def in_words(roles: Sequence[str]) -> str:
    """`team lead, duty (night), lou@desk.example`."""
    named = []
    for role in roles:
        kind, _, which = role.partition(":")
        named.append((which if kind == PERSON else f"{kind} ({which})") if which else role.replace("_", " "))
    return ", ".join(named)
