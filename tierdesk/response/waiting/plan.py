"""What a contract says of a wait: how often whom it waits for is reminded, and what follows on silence. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tierdesk.tickets.lifecycle import WOKEN_BY_CONTACT

THEN: Mapping[str, str] = {
    "nothing": "it waits on",
    "return": "it goes back to work where it waits",
    "resolve": "it is solved by silence, after a last warning",
}
"""What may follow when nobody answers."""

CHASERS = 2


class Step(StrEnum):
    CHASE = "chase"
    WARN = "warn"
    RETURN = "return"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Plan:
    """So many chasers, each `every_s` working seconds after the step before, and `after_s` later what follows."""

    every_s: int
    chasers: int = CHASERS
    then: str = "nothing"
    after_s: int | None = None

    @classmethod
    def of(cls, agreed: Mapping[str, Any]) -> Plan:
        """What a contract version says of one reason."""
        return cls(
            every_s=int(agreed["every"]),
            chasers=int(agreed.get("chasers", CHASERS)),
            then=str(agreed.get("then", "nothing")),
            after_s=agreed.get("after"),
        )

    @property
    def steps(self) -> tuple[Step, ...]:
        """All there is to do, in order. Nothing is solved by silence without a last warning before it."""
        ends = {"nothing": (), "return": (Step.RETURN,), "resolve": (Step.WARN, Step.RESOLVE)}[self.then]
        return (Step.CHASE,) * self.chasers + ends

    def step(self, done: int) -> Step | None:
        """What comes when so many steps are done; None when all are."""
        return self.steps[done] if done < len(self.steps) else None

    def pause_s(self, done: int) -> int:
        """Working seconds from the step before to the one that comes next."""
        is_end = self.step(done) in (Step.RETURN, Step.RESOLVE)
        return self.after_s if is_end and self.after_s else self.every_s


def may_end_in_silence(reason: str) -> bool:
    """Only the contact's silence can solve a ticket: a vendor's or a team's solves nothing."""
    return reason in WOKEN_BY_CONTACT
