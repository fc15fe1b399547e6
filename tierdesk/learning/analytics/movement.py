"""How work moves: where resolved tickets spent their time, how often they changed hands, which came back.

Read from the timeline: each entry says which team of which tier had the ticket from then on. Definitions are in
`DEFINITIONS`, printed beside the numbers (reference: tiers.md §4). One pass over the entries of the tickets that were
resolved in the period, of the clients that the reader may see; a hundred thousand entries take some seconds.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from statistics import mean, median, quantiles

from tierdesk.directory.clients.models import Client
from tierdesk.directory.services.models import Service
from tierdesk.directory.staff.models import Team, User
from tierdesk.response.sla.ledger import Mark, ledger
from tierdesk.tickets.lifecycle import State
from tierdesk.tickets.models import Entry, Ticket

DEFINITIONS: Mapping[str, str] = {  # by what the page calls them
    "Resolved": "Tickets whose last resolution lies in the period; without cancelled and merged ones.",
    "Time": "From when a ticket was received to its resolution, pending included, around the clock. The tiers’ times "
    "sum exactly to the ticket’s: each instant belongs to the team that had it.",
    "Changes of team": "A team that has the ticket twice in a row counts once; one to which it was routed, "
    "and that had it for no time at all, never had it.",
    "Came back": "Tickets that some team had again after another. At once: the next team but one was the same (A→B→A). "
    "Between tiers: the same of tiers.",
    "Resolved in front": "Pushed to the front: tickets that were resolved without the second and the third line "
    "ever having them.",
    "Climbed": "Of the tickets that touched a tier, those that went from it to a higher one at least once.",
    "Ping-pong": "Pairs of teams between which a ticket went there and back at once (A→B→A), by how often.",
}

SHOWN = 15
"""Lines of the long tables."""

SOME = 20
"""Tickets from which a service is worth a line: shares of fewer say little."""


@dataclass(frozen=True, slots=True)
class Trip:
    """One resolved ticket: who had it in which order (team, tier), and for how long, in seconds."""

    ticket: int
    client: int
    service: int | None
    route: tuple[tuple[int | None, int], ...]
    tiers: Mapping[int, float]
    teams: Mapping[tuple[int | None, int], float]
    total: float

    @property
    def teams_in_order(self) -> list[int | None]:
        return [team for team, _ in self.route]

    @property
    def tiers_in_order(self) -> list[int]:
        return [tier for tier, _ in groupby(tier for _, tier in self.route)]

    @property
    def hand_overs(self) -> int:
        return max(0, len(self.route) - 1)


@dataclass(frozen=True, slots=True)
class Times:
    """Hours that something took, of so many tickets; `share` of all the hours, in percent."""

    name: str
    tickets: int
    hours: float
    mean: float
    median: float
    p90: float
    share: float


@dataclass(frozen=True, slots=True)
class Share:
    """So many `of` so many; `percent` is None of none."""

    name: str
    count: int
    of: int

    @property
    def percent(self) -> float | None:
        return round(100 * self.count / self.of, 1) if self.of else None


@dataclass(frozen=True)
class Movement:
    """The figures of a period. `ledger_off_s`: by how many seconds the tiers' times miss the tickets' (0)."""

    tickets: int
    by_tier: Sequence[Times] = ()
    by_team: Sequence[Times] = ()
    total: Times | None = None
    hand_overs: Sequence[Share] = ()
    mean_hand_overs: float = 0.0
    came_back: Sequence[Share] = ()
    pushed_to_front: Share = field(default_factory=lambda: Share("", 0, 0))
    front_by_service: Sequence[Share] = ()
    escalated: Sequence[Share] = ()
    ping_pong: Sequence[tuple[str, str, int]] = ()
    ledger_off_s: float = 0.0


def movement(user: User, start: datetime, end: datetime, *, client: Client | None = None) -> Movement:
    """How tickets moved that were resolved from `start` until `end`, of all clients that `user` may see or of one."""
    resolved = Ticket.objects.visible_to(user).filter(
        state__in=[State.RESOLVED, State.CLOSED], resolved_at__gte=start, resolved_at__lt=end
    )
    if client is not None:
        resolved = resolved.filter(client=client)
    return figures(list(_trips(resolved)))


def figures(trips: Sequence[Trip]) -> Movement:
    """The same of trips."""
    if not trips:
        return Movement(0)
    count = len(trips)
    teams = dict(Team.objects.values_list("pk", "name"))
    return Movement(
        tickets=count,
        by_tier=_times({f"L{tier}": spent for tier, spent in sorted(_spent_by_tier(trips).items())}),
        by_team=sorted(_times(_by_name(trips, teams)), key=lambda line: -line.hours)[:SHOWN],
        total=_times({"": [trip.total for trip in trips]})[0],
        hand_overs=_distribution(trips),
        mean_hand_overs=round(mean(trip.hand_overs for trip in trips), 2),
        came_back=[
            Share("at once", sum(_at_once(trip.teams_in_order) for trip in trips), count),
            Share("at some time", sum(_at_some_time(trip.teams_in_order) for trip in trips), count),
            Share("between tiers, at once", sum(_at_once(trip.tiers_in_order) for trip in trips), count),
        ],
        pushed_to_front=Share("", sum(_stayed_in_front(trip) for trip in trips), count),
        front_by_service=_front_by_service(trips),
        escalated=_escalated(trips),
        ping_pong=_ping_pong(trips, teams),
        ledger_off_s=round(sum(abs(trip.total - sum(trip.tiers.values())) for trip in trips), 6),
    )


def _trips(resolved: Iterable[Ticket]) -> Iterator[Trip]:
    """One pass over the entries, ticket by ticket."""
    about = {ticket.pk: ticket for ticket in resolved}
    entries = Entry.objects.filter(ticket__in=list(about)).order_by("ticket_id", "id")
    lines = entries.values_list("ticket_id", "at", "tier", "team_id", "state", "pending_reason")
    for pk, own in groupby(lines.iterator(chunk_size=10_000), key=lambda line: line[0]):
        yield _trip(about[pk], [Mark(*line[1:]) for line in own])


def _trip(ticket: Ticket, marks: Sequence[Mark]) -> Trip:
    until = ticket.resolved_at or ticket.created_at
    stays = ledger(ticket.created_at, marks, until).unresolved
    tiers: defaultdict[int, float] = defaultdict(float)
    teams: defaultdict[tuple[int | None, int], float] = defaultdict(float)
    for stay in stays:
        tiers[stay.tier] += stay.lasted.total_seconds()
        teams[stay.team, stay.tier] += stay.lasted.total_seconds()
    total = sum((stay.lasted for stay in stays), timedelta(0)).total_seconds()
    route = tuple(
        who for who, _ in groupby((stay.team, stay.tier) for stay in stays if stay.team is not None)
    )
    return Trip(ticket.pk, ticket.client_id, ticket.service_id, route, tiers, teams, total)


def _spent_by_tier(trips: Sequence[Trip]) -> dict[int, list[float]]:
    spent: defaultdict[int, list[float]] = defaultdict(list)
    for trip in trips:
        for tier, seconds in trip.tiers.items():
            spent[tier].append(seconds)
    return spent


def _by_name(trips: Sequence[Trip], names: Mapping[int, str]) -> dict[str, list[float]]:
    spent: defaultdict[str, list[float]] = defaultdict(list)
    for trip in trips:
        for (team, tier), seconds in trip.teams.items():
            spent[f"{names.get(team or 0, '–')} (L{tier})"].append(seconds)
    return spent


def _times(spent: Mapping[str, Sequence[float]]) -> list[Times]:
    everything = sum(map(sum, spent.values()))
    return [
        Times(
            name=name,
            tickets=len(seconds),
            hours=_hours(sum(seconds)),
            mean=_hours(mean(seconds)),
            median=_hours(median(seconds)),
            p90=_hours(quantiles(seconds, n=10, method="inclusive")[-1] if len(seconds) > 1 else seconds[0]),
            share=round(100 * sum(seconds) / everything, 1) if everything else 0.0,
        )
        for name, seconds in spent.items()
    ]


def _hours(seconds: float) -> float:
    return round(seconds / 3600, 1)


def _distribution(trips: Sequence[Trip]) -> list[Share]:
    counts = Counter(min(trip.hand_overs, 6) for trip in trips)
    return [Share("6 or more" if n == 6 else str(n), counts[n], len(trips)) for n in range(7)]


def _at_once(route: Sequence[object]) -> bool:
    return any(first == third for first, third in zip(route, route[2:], strict=False))


def _at_some_time(route: Sequence[object]) -> bool:
    return len(set(route)) < len(route)


def _stayed_in_front(trip: Trip) -> bool:
    return all(tier == 1 for _, tier in trip.route)


def _front_by_service(trips: Sequence[Trip]) -> list[Share]:
    """Where least is resolved in front first: what may move left."""
    by_service: defaultdict[int, list[Trip]] = defaultdict(list)
    for trip in trips:
        if trip.service is not None:
            by_service[trip.service].append(trip)
    names = dict(Service.objects.filter(pk__in=by_service).values_list("pk", "name"))
    shares = [
        Share(names[service], sum(_stayed_in_front(trip) for trip in own), len(own))
        for service, own in by_service.items()
        if len(own) >= SOME
    ]
    return sorted(shares, key=lambda share: (share.count - share.of, share.name))[:SHOWN]


def _escalated(trips: Sequence[Trip]) -> list[Share]:
    touched: Counter[int] = Counter()
    climbed: Counter[int] = Counter()
    for trip in trips:
        tiers = trip.tiers_in_order
        touched.update(set(tiers))
        climbed.update({lower for lower, higher in pairwise(tiers) if higher > lower})
    return [Share(f"L{tier}", climbed[tier], touched[tier]) for tier in sorted(touched)]


def _ping_pong(trips: Sequence[Trip], names: Mapping[int, str]) -> list[tuple[str, str, int]]:
    pairs: Counter[tuple[str, str]] = Counter()
    for trip in trips:
        route = trip.teams_in_order
        for first, second, third in zip(route, route[1:], route[2:], strict=False):
            if first == third:
                one, other = sorted((names.get(first or 0, "–"), names.get(second or 0, "–")))
                pairs[one, other] += 1
    return [(one, other, count) for (one, other), count in pairs.most_common(SHOWN)]
