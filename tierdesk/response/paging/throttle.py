"""How often one number may be sent to: pure. GoAlert's numbers for SMS (tiers.md §3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

LADDER = (
    (1, timedelta(minutes=1)),
    (5, timedelta(minutes=15)),
    (11, timedelta(hours=1)),
    (21, timedelta(hours=3)),
)
LONGEST = LADDER[-1][1]


def free_at(sent: Sequence[datetime], at: datetime) -> datetime:
    """The first instant from `at` on at which one more may be sent after those that were, whatever their order."""
    newest_first = sorted(sent, reverse=True)
    frees = [newest_first[most - 1] + within for most, within in LADDER if len(newest_first) >= most]
    return max([at, *frees])
