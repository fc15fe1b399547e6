"""How often one address may be sent to: pure. GoAlert's numbers for SMS and calls (tiers.md §3).

Every way rests for a minute between two messages; what becomes due meanwhile leaves in one message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

type Ladder = Sequence[tuple[int, timedelta]]
"""At most so many within so long, shortest first."""

REST: Final[Ladder] = ((1, timedelta(minutes=1)),)
LADDERS: Final[Mapping[str, Ladder]] = {
    "sms": (*REST, (5, timedelta(minutes=15)), (11, timedelta(hours=1)), (21, timedelta(hours=3))),
    "voice": (*REST, (3, timedelta(minutes=15)), (7, timedelta(hours=1)), (15, timedelta(hours=3))),
}
LONGEST = timedelta(hours=3)


def ladder_of(channel: str) -> Ladder:
    return LADDERS.get(channel, REST)


def free_at(sent: Sequence[datetime], at: datetime, ladder: Ladder) -> datetime:
    """The first instant from `at` on at which one more may be sent after those that were, whatever their order."""
    newest_first = sorted(sent, reverse=True)
    frees = [newest_first[most - 1] + within for most, within in ladder if len(newest_first) >= most]
    return max([at, *frees])
