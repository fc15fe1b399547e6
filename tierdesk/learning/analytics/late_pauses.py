"""Pauses that began just before a promise to the client would have fallen due (reference: waiting used to hide delay).

They are read from the clocks' own pauses and the entries that began them. Who began one is named only where the house
allows it: else people are counted in teams, and teams of too few people together (data about persons in small numbers
is data about a person).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, QuerySet

from tierdesk.directory.clients.models import Client
from tierdesk.directory.contracts.models import Party
from tierdesk.directory.staff.models import Team, User
from tierdesk.response.sla.models import Clock
from tierdesk.tickets.lifecycle import PendingReason
from tierdesk.tickets.models import Entry, Ticket

MINUTES = 10
TICKETS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Paused:
    """One wait that an agent began. `left`: working time to the nearest due time that it stopped, if any."""

    ticket: int
    client: int
    team: int | None
    person: str
    reason: str
    at: datetime
    left: timedelta | None = None

    def is_late(self, minutes: int) -> bool:
        """Whether so little was left. What was broken already was not hidden by it."""
        return self.left is not None and timedelta(0) <= self.left <= timedelta(minutes=minutes)


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the pauses of one name were late."""

    name: str
    late: int
    pauses: int

    @property
    def percent(self) -> int:
        return round(100 * self.late / self.pauses)


@dataclass(frozen=True, slots=True)
class LateTicket:
    """A ticket whose wait began that late."""

    pk: int
    reference: str
    subject: str
    client: str
    reason: str
    at: datetime
    left: timedelta


@dataclass(frozen=True, slots=True)
class LatePauses:
    """Who, why and for whom, most first; `by_person` is empty unless the house allows names."""

    minutes: int
    late: int
    pauses: int
    by_group: Sequence[Share]
    by_person: Sequence[Share]
    by_reason: Sequence[Share]
    by_client: Sequence[Share]
    tickets: Sequence[LateTicket]


def late_pauses(user: User, start: datetime, end: datetime, *, minutes: int = MINUTES) -> LatePauses:
    """The waits that agents began from `start` until `end`, of the clients that `user` may see."""
    found = _begun(user, start, end)
    late = [one for one in found if one.is_late(minutes)]
    clients = dict(Client.objects.filter(pk__in={one.client for one in found}).values_list("pk", "name"))
    groups = _groups({one.team for one in found})
    named = settings.NAMES_IN_REPORTS
    return LatePauses(
        minutes=minutes,
        late=len(late),
        pauses=len(found),
        by_group=_shares(found, minutes, lambda one: groups[one.team]),
        by_person=_shares(found, minutes, lambda one: one.person) if named else (),
        by_reason=_shares(found, minutes, lambda one: str(PendingReason(one.reason).label)),
        by_client=_shares(found, minutes, lambda one: clients[one.client]),
        tickets=_tickets(late, clients),
    )


def _begun(user: User, start: datetime, end: datetime) -> list[Paused]:
    """Each with the least that any promise to the client had left when it stood still because of it."""
    entries = Entry.objects.visible_to(user).filter(kind="pended", at__gte=start, at__lt=end, by_kind="agent")
    lines = entries.order_by("id").values_list(
        "ticket_id", "client_id", "team_id", "by_name", "pending_reason", "at"
    )
    left = _left(Clock.objects.filter(ticket__in=entries.values("ticket"), party=Party.SLA))
    return [replace(one, left=left.get((one.ticket, one.at))) for one in (Paused(*line) for line in lines)]


def _left(clocks: QuerySet[Clock]) -> dict[tuple[int, datetime], timedelta]:
    """By ticket and beginning of a pause: what was left then of the promise that had least."""
    left: dict[tuple[int, datetime], timedelta] = {}
    for clock in clocks.exclude(pauses=[]).iterator(chunk_size=2000):
        course = clock.course
        for since, _ in clock.spans:
            remaining = clock.target - course.elapsed(since)
            key = clock.ticket_id, since
            left[key] = min(remaining, left.get(key, remaining))
    return left


def _groups(teams: set[int | None]) -> dict[int | None, str]:
    """The name under which each team's people are counted."""
    small = f"teams of fewer than {settings.SMALLEST_GROUP}"
    known = Team.objects.filter(pk__in=[team for team in teams if team]).annotate(people=Count("memberships"))
    names = {team.pk: team.name if team.people >= settings.SMALLEST_GROUP else small for team in known}
    return {team: names.get(team or 0, small) for team in teams}


def _shares(found: Iterable[Paused], minutes: int, name: Callable[[Paused], str]) -> list[Share]:
    counts: dict[str, list[int]] = {}
    for one in found:
        count = counts.setdefault(name(one), [0, 0])
        count[0] += one.is_late(minutes)
        count[1] += 1
    shares = [Share(of, late, pauses) for of, (late, pauses) in counts.items()]
    return sorted(shares, key=lambda share: (-share.late, -share.pauses, share.name))


def _tickets(late: Sequence[Paused], clients: dict[int, str]) -> list[LateTicket]:
    shown = sorted(late, key=lambda one: one.at, reverse=True)[:TICKETS_SHOWN]
    tickets = Ticket.objects.in_bulk({one.ticket for one in shown})
    return [
        LateTicket(
            pk=one.ticket,
            reference=tickets[one.ticket].reference,
            subject=tickets[one.ticket].subject,
            client=clients[one.client],
            reason=str(PendingReason(one.reason).label),
            at=one.at,
            left=one.left,
        )
        for one in shown
        if one.left is not None
    ]
