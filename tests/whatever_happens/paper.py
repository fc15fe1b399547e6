"""A ticket on paper: a few lines that say what must become of it, written without looking at how the desk does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tierdesk.directory.calendars.hours import Hours

NOTHING = timedelta(0)
CLIENT_OWES = {"requester_info", "requester_confirm", "requester_scheduled", "client_approval", "access"}
REOPENABLE = timedelta(days=5)


@dataclass
class Stretch:
    """From `begins` on it stood like this; `charged`: whose own time it is, if it is anybody's."""

    begins: datetime
    state: str
    reason: str
    tier: int
    charged: int

    @property
    def counts(self) -> bool:
        """Whether the client's promise runs meanwhile."""
        return self.state in ("new", "open") or (self.state == "pending" and self.reason not in CLIENT_OWES)


@dataclass
class Paper:
    """One ticket. `sent`: a hand-over waits to be accepted; `sender`: the tier that sent it, `since` when.

    `date`: the instant that the date promised to the client counts as, if one stands. `missed_dates`: those before it
    that were over when another took their place, or none.
    """

    created_at: datetime
    hours: Hours
    target: timedelta
    state: str = "new"
    reason: str = ""
    tier: int = 1
    until: datetime | None = None
    resolved_at: datetime | None = None
    sent: bool = False
    sender: int = 0
    since: datetime | None = None
    returns: int = 0
    noticed: bool = False
    breached: bool = False
    date: datetime | None = None
    missed_dates: int = 0
    stretches: list[Stretch] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.put(self.created_at)

    def put(self, at: datetime, **changes: object) -> None:
        """It stands otherwise from `at` on."""
        for name, value in changes.items():
            setattr(self, name, value)
        self.stretches.append(Stretch(at, self.state, self.reason, self.tier, self.tier))

    def give_date(self, date: datetime | None, at: datetime) -> None:
        """Another date stands from `at` on, or none."""
        self.missed_dates += self.date is not None and self.date < at
        self.date = date

    def works_at(self, date: datetime) -> datetime | None:
        """The first instant from then on at which somebody works; the end of a working day is one, too."""
        if self.hours.between(date - timedelta(seconds=1), date):
            return date
        return self.hours.add(date, NOTHING)

    def live_until(self, at: datetime) -> None:
        """What time alone does to it."""
        if self.state == "pending" and self.until and self.until <= at:
            self.put(self.until, state="open", reason="", until=None)
        if self.state == "resolved" and self.resolved_at and self.resolved_at + REOPENABLE <= at:
            self.put(self.resolved_at + REOPENABLE, state="closed")

    def note_a_breach(self, at: datetime) -> None:
        """More than the target was used once: that stands, whatever comes later."""
        self.breached |= self.used(at) > self.target

    def charge_the_sender(self, at: datetime) -> None:
        """A hand-over that came back: the time it took is the sender's, as if it had never left."""
        assert self.since is not None
        for stretch in self.stretches:
            if stretch.begins >= self.since and stretch.tier != self.sender:
                stretch.charged = self.sender

    def used(self, at: datetime) -> timedelta:
        """Of the client's promise."""
        return self._sum(at, lambda stretch: stretch.counts)

    def used_by(self, tier: int, at: datetime) -> timedelta:
        """Of this tier's own promise."""
        return self._sum(at, lambda stretch: stretch.counts and stretch.charged == tier)

    def lasted(self, at: datetime) -> dict[int, timedelta]:
        """What went by on each tier while it was not resolved, around the clock."""
        spent: dict[int, timedelta] = {}
        for stretch, ends in self._ended(at):
            if stretch.state in ("new", "open", "pending") and ends > stretch.begins:
                spent[stretch.tier] = spent.get(stretch.tier, NOTHING) + (ends - stretch.begins)
        return spent

    def _sum(self, at: datetime, which: Callable[[Stretch], bool]) -> timedelta:
        return sum(
            (self.hours.between(one.begins, ends) for one, ends in self._ended(at) if which(one)), NOTHING
        )

    def _ended(self, at: datetime) -> list[tuple[Stretch, datetime]]:
        following = [one.begins for one in self.stretches[1:]] + [at]
        return list(zip(self.stretches, following, strict=True))

    @property
    def is_open(self) -> bool:
        return self.state in ("new", "open", "pending")
