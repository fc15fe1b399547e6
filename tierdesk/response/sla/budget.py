"""What a tier would get if the ticket were handed to it now: its own time, beside what is left of the client's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tierdesk.directory.contracts.models import Metric, Party
from tierdesk.response.sla.models import GOING, Clock
from tierdesk.response.sla.reading import Course
from tierdesk.response.sla.terms import Terms
from tierdesk.tickets.models import Ticket


@dataclass(frozen=True, slots=True)
class Budget:
    """`target`: working time of this tier's own promise, `left` of it (it may have had the ticket before), due when.

    `client_left`: what remains of the client's promise then; negative once broken, None without one that runs.
    """

    tier: int
    target: timedelta
    left: timedelta
    due_at: datetime | None
    client_left: timedelta | None

    @property
    def outlasts_the_client(self) -> bool:
        """Whether the tier could keep its own promise and still break the client's."""
        return self.client_left is not None and self.left > self.client_left


def budgets(ticket: Ticket, tiers: Iterable[int], at: datetime) -> list[Budget]:
    """The budgets of these tiers, as the contract promises them at the ticket's priority; none where it does not."""
    clocks = list(Clock.objects.filter(ticket=ticket, metric=Metric.RESOLVE, state__in=GOING))
    client = next((clock.remaining(at) for clock in clocks if clock.party == Party.SLA), None)
    theirs = {clock.tier: clock for clock in clocks if clock.party == Party.OLA}
    promises = Terms.of([ticket]).promises(ticket)
    own = {p.tier or 0: p for p in promises if p.tier in set(tiers) and p.metric == Metric.RESOLVE}
    found = []
    for tier, promise in sorted(own.items()):
        target = timedelta(seconds=promise.target_s)
        left = theirs[tier].remaining(at) if tier in theirs else target
        due_at = Course(promise.calendar.hours, at, max(left, timedelta(0))).due_at()
        found.append(Budget(tier, target, left, due_at, client))
    return found


def used_of_the_client(ticket: Ticket, at: datetime) -> int:
    """How many percent of the client's promise to resolve are used; 0 where none was made."""
    clocks = Clock.objects.filter(ticket=ticket, metric=Metric.RESOLVE, party=Party.SLA, state__in=GOING)
    return max((int(100 * (1 - one.remaining(at) / one.target)) for one in clocks), default=0)
