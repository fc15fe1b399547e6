"""What stops a clock: which pending reason pauses which promise, by default and by contract. Pure."""

from __future__ import annotations

from collections.abc import Collection

CLIENT_OWES = frozenset(
    {"requester_info", "requester_confirm", "requester_scheduled", "client_approval", "access"}
)
"""While the client owes us something the promise to resolve does not run. A vendor or another team stops nothing."""

UPDATE_PAUSES = frozenset({"requester_info", "requester_confirm", "requester_scheduled"})

NEVER_PAUSED = frozenset({"acknowledge", "respond", "accept"})


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
