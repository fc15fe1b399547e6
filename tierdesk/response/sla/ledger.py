"""Where a ticket's time went: one stay per tier, team and state, without gaps, from when it was received. Pure.

It is read from the timeline, whose every entry says how the ticket stood afterwards. What the tiers spent sums exactly
to what the ticket spent, to the microsecond, around the clock and in working time (promises.md H09): stays touch one
another, and working time of a whole is the sum of its parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from tierdesk.directory.calendars.hours import Hours
from tierdesk.tickets.lifecycle import UNRESOLVED
from tierdesk.tickets.models import Entry, Ticket

NOTHING = timedelta(0)


class Mark(NamedTuple):
    """An entry of the timeline as the ledger reads it: when, and how the ticket stood from then on."""

    at: datetime
    tier: int
    team: int | None
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Stay:
    """From `begins` to `ends` it was with this team of this tier, in this state, and if pending waited for `reason`."""

    tier: int
    team: int | None
    state: str
    reason: str
    begins: datetime
    ends: datetime

    @property
    def lasted(self) -> timedelta:
        return self.ends - self.begins

    @property
    def is_unresolved(self) -> bool:
        return self.state in UNRESOLVED

    def worked(self, hours: Hours) -> timedelta:
        """How much of it was working time of these hours."""
        return hours.between(self.begins, self.ends)


@dataclass(frozen=True, slots=True)
class Ledger:
    """The stays of one ticket, in order and touching one another, up to the instant of the reading."""

    stays: Sequence[Stay]

    @property
    def unresolved(self) -> Sequence[Stay]:
        """What counts as the ticket's own time: pending is part of it, resolved and waiting for objections is not."""
        return [stay for stay in self.stays if stay.is_unresolved]

    def total(self, hours: Hours | None = None) -> timedelta:
        return _sum(self.unresolved, hours)

    def by_tier(self, hours: Hours | None = None) -> Mapping[int, timedelta]:
        """What each tier spent, around the clock or, with `hours`, in working time."""
        return _by(self.unresolved, lambda stay: stay.tier, hours)

    def by_team(self, hours: Hours | None = None) -> Mapping[tuple[int, int | None], timedelta]:
        """What each team of each tier spent; an idle queue is charged to the team that holds it (H04)."""
        return _by(self.unresolved, lambda stay: (stay.tier, stay.team), hours)

    def waited_for(self, hours: Hours | None = None) -> Mapping[str, timedelta]:
        """What went by pending, by the reason."""
        return _by([stay for stay in self.unresolved if stay.reason], lambda stay: stay.reason, hours)


def ledger_of(ticket: Ticket, at: datetime) -> Ledger:
    """The ledger of a ticket as it stands at `at`."""
    marks = Entry.objects.of(ticket.pk).values_list("at", "tier", "team_id", "state", "pending_reason")
    return ledger(ticket.created_at, [Mark(*mark) for mark in marks], at)


def ledger(received_at: datetime, marks: Sequence[Mark], at: datetime) -> Ledger:
    """The stays between the marks, which are in the order of their entries; equal neighbours are one stay.

    What was written down before an earlier mark counts from that one: time never runs backwards.
    """
    stays: list[Stay] = []
    begins = received_at
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        ends = max(begins, min(at, following.at) if following else at)
        _append(stays, Stay(mark.tier, mark.team, mark.state, mark.reason, begins, ends))
        begins = ends
    return Ledger(stays)


def _append(stays: list[Stay], stay: Stay) -> None:
    if stay.begins == stay.ends:
        return
    last = stays[-1] if stays else None
    if last and (last.tier, last.team, last.state, last.reason) == (
        stay.tier,
        stay.team,
        stay.state,
        stay.reason,
    ):
        stays[-1] = Stay(last.tier, last.team, last.state, last.reason, last.begins, stay.ends)
    else:
        stays.append(stay)


def _sum(stays: Iterable[Stay], hours: Hours | None) -> timedelta:
    return sum((stay.worked(hours) if hours else stay.lasted for stay in stays), NOTHING)


def _by[K](stays: Iterable[Stay], key: Callable[[Stay], K], hours: Hours | None) -> dict[K, timedelta]:
    found: dict[K, timedelta] = {}
    for stay in stays:
        spent = stay.worked(hours) if hours else stay.lasted
        found[key(stay)] = found.get(key(stay), NOTHING) + spent
    return found
