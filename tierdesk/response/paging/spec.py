"""What a paging policy may say: pure. Refused when it is published, not when a ticket burns.

teams: [l1], priorities: [1]                     which tickets it is for
steps: [{after: 300, page: ["schedule:l1"]}]     what happens so many seconds after the trigger
repeat: 2                                        how often the steps are gone through again
ack_timeout: 1800                                seconds in which whoever acknowledged shows progress; 0 is for ever
calendar: office-de                              whose hours `during` means
when_exhausted: ["team:ops"]                     who is paged when all was in vain
nobody_on_call: next_shift                       what happens where a target has nobody
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

TARGET = re.compile(r"(schedule|next|team|user):(\S{1,254})")
LEVEL = re.compile(r"L[2-4]")
HAND = re.compile(r"L[2-4]|team:\S{1,40}")
VIA = {"all": "On every way", "urgent": "Only on the urgent ways"}
DURING = {"always": "At any time", "hours": "Only in the calendar’s hours", "outside": "Only outside of them"}
UNLESS = {"acked": "Unless somebody acknowledged", "closed": "Unless the ticket is over"}
NOBODY = {
    "next_shift": "Hold the page for whoever is on call next",
    "next_step": "Go on with the next step at once",
    "page_lead": "Page the team’s leads",
}
LAST_WAIT_S = 300
"""How long a single step is waited for before the next loop; after several it is the wait before the last one."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `after_s` seconds after the trigger it pages `page`, or hands the ticket to `hand`."""

    after_s: int
    page: tuple[str, ...] = ()
    hand: str = ""
    via: str = "all"
    during: str = "always"
    unless: str = "acked"

    def is_spared(self, *, acknowledged: bool) -> bool:
        """A ticket that is over has no chain at all; so only an acknowledgement can spare a step."""
        return acknowledged and self.unless == "acked"


def steps(spec: Mapping[str, Any]) -> tuple[Step, ...]:
    return tuple(
        Step(
            after_s=said["after"],
            page=tuple(said.get("page", ())),
            hand=said.get("hand", ""),
            via=said.get("via", "all"),
            during=said.get("during", "always"),
            unless=said.get("unless", "closed" if said.get("hand") else "acked"),
        )
        for said in spec["steps"]
    )


def length_s(chain: Sequence[Step]) -> int:
    """Seconds from the trigger to the next loop, or to the end."""
    waits = [later.after_s - step.after_s for step, later in pairwise(chain)]
    return chain[-1].after_s + (waits[-1] if waits else LAST_WAIT_S)


def findings(spec: Mapping[str, Any]) -> list[str]:
    """What is wrong with a policy, as sentences; empty if nothing is."""
    if not spec.get("steps"):
        return ["Nobody would be paged; give a step."]
    return [*_of_steps(spec["steps"], has_calendar=bool(spec.get("calendar")))]


def _of_steps(said: Sequence[Mapping[str, Any]], *, has_calendar: bool) -> Iterator[str]:
    before, stands = -1, ""
    for number, step in enumerate(said, 1):
        if "after" not in step:
            yield f"Step {number} needs its “after”; give it."
        elif step["after"] <= before:
            yield f"Step {number} is not later than the one before; “after” counts from the trigger and rises."
        if bool(step.get("page")) == bool(step.get("hand")):
            yield f"Step {number} either pages somebody or hands the ticket on; give one of “page” and “hand”."
        if step.get("during", "always") != "always" and not has_calendar:
            yield f"Step {number} names hours; give the policy a calendar."
        before = step.get("after", before)
        if LEVEL.fullmatch(hand := step.get("hand", "")):
            if hand <= stands:
                yield f"Step {number} hands to {hand}, which is not above {stands}; hands lead up, never in a circle."
            stands = max(hand, stands)
