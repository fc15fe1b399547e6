"""What a contract may agree on besides its targets, and which pending reason pauses which promise. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

CLIENT_OWES = frozenset(
    {"requester_info", "requester_confirm", "requester_scheduled", "client_approval", "access"}
)
"""While the client owes us something the promise to resolve does not run. A vendor or another team stops nothing."""

UPDATE_PAUSES = frozenset({"requester_info", "requester_confirm", "requester_scheduled"})

NEVER_PAUSED = frozenset({"acknowledge", "respond", "accept", "date"})

REOPEN: Mapping[str, str] = {
    "resume": "it counts on; the time in between is free",
    "restart": "it begins anew",
    "count_through": "it counts as if it had never been solved",
    "ignore": "it stays as it ended",
}
RETARGET: Mapping[str, str] = {
    "decided": "from the start; under another calendar what was used stays used",
    "retroactive": "from the start, whatever the calendar",
    "restart": "anew from the change",
}
UPDATE: Mapping[str, str] = {
    "cadence": "from our own last words",
    "reply": "from the contact’s oldest unanswered words",
}
"""What each policy may say, and what that means."""

GRACE = timedelta(minutes=15)
"""So soon after the start another priority corrects a slip: it counts from the start, whatever was agreed (E09)."""


@dataclass(frozen=True, slots=True)
class Policies:
    """What was agreed; the defaults are ours.

    `reopen`: what a reopened ticket's resolve clock does. `resume`: the time in between does not count. `restart`: a
    new target from the reopening. `count_through`: it counts as if never resolved. `ignore`: it stays as it ended.

    `retarget`: what another target does. `decided`: it counts from the start, and on another calendar what was used
    stays used. `retroactive`: from the start, whatever the calendar. `restart`: a new target from the change.

    `update`: `cadence` counts between our own public words, `reply` from the contact's oldest unanswered ones.
    `pause_reasons`: the pausing reasons; None: CLIENT_OWES. `ack_counts`: channels on which taking notice responds.
    """

    reopen: str = "resume"
    retarget: str = "decided"
    update: str = "cadence"
    downgrade_allowed_after_breach: bool = False
    pause_reasons: Collection[str] | None = None
    ack_counts: Collection[str] = ()

    @classmethod
    def of(cls, agreed: Mapping[str, Any]) -> Policies:
        """Those of a contract version. What is no policy of a clock is left alone."""
        return cls(**{name: agreed[name] for name in cls.__dataclass_fields__ if name in agreed})


def pauses(metric: str, party: str, reason: str, *, agreed: Collection[str] | None = None) -> bool:
    """Whether a clock of `metric` for `party` stands still while the ticket waits for `reason`.

    `agreed`: the contract's own list of pausing reasons; None means the defaults. A vendor's own clock (UC) follows
    its case, never the ticket.
    """
    if party == "UC" or metric in NEVER_PAUSED:
        return False
    if metric == "update":
        return reason in UPDATE_PAUSES
    return reason in (CLIENT_OWES if agreed is None else agreed)


WARN_AT = 0.75
"""The share of a target after which a clock warns."""
