"""What sources are to count: what they sent, what was turned away, and when they were last heard.

A busy source counts once a second: fifty rows rewritten with every call would cost the database a tenth of it. What is
not written down yet is known to one process alone, and who kills it takes a second of counting with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tierdesk.channels.alarms.arrival import Arrival

COUNTED_EVERY = timedelta(seconds=1)


@dataclass(slots=True)
class Tally:
    """Of one source. `heard_at`: when it last said something."""

    received: int = 0
    shed: int = 0
    heard_at: datetime | None = None

    def add(self, received: int, shed: int, heard_at: datetime | None) -> None:
        self.received += received
        self.shed += shed
        if heard_at is not None and (self.heard_at is None or heard_at > self.heard_at):
            self.heard_at = heard_at


@dataclass(frozen=True, slots=True)
class Counting:
    """What goes with one call: by source what it counts `now`, and what it counts `later`."""

    now: dict[int, Tally]
    later: dict[int, Tally]
    at: datetime | None


class Counts:
    """What is not counted yet, and which source counted when."""

    def __init__(self) -> None:
        self._owed: dict[int, Tally] = {}
        self._counted_at: dict[int, datetime] = {}

    @property
    def are_owed(self) -> bool:
        return bool(self._owed)

    def counting(self, batch: Sequence[Arrival]) -> Counting:
        """With this batch, what it and those before it owe; with an empty one, everything now."""
        at = max((arrival.received_at for arrival in batch), default=None)
        owed = tallied(batch)
        for source, tally in self._owed.items():
            owed.setdefault(source, Tally()).add(tally.received, tally.shed, tally.heard_at)
        now = {source: tally for source, tally in owed.items() if at is None or self._is_due(source, at)}
        return Counting(now, {source: tally for source, tally in owed.items() if source not in now}, at)

    def settle(self, counting: Counting) -> None:
        """It was stored."""
        self._owed = counting.later
        if counting.at is not None:
            self._counted_at.update(dict.fromkeys(counting.now, counting.at))

    def _is_due(self, source: int, at: datetime) -> bool:
        """Also where the clock was set back."""
        counted_at = self._counted_at.get(source)
        return counted_at is None or not timedelta() <= at - counted_at < COUNTED_EVERY


def tallied(batch: Iterable[Arrival]) -> dict[int, Tally]:
    """What each source of the batch is to count for it."""
    tallies: dict[int, Tally] = {}
    for arrival in batch:
        tally = tallies.get(arrival.source.id)
        if tally is None:
            tally = tallies[arrival.source.id] = Tally()
        heard_at = arrival.received_at if arrival.events or arrival.is_beat else None
        tally.add(len(arrival.events), arrival.shed, heard_at)
    return tallies
