"""Attainment: which promises of a period were kept, which were missed and by whom, and which are open and broken.

Read from the clocks, which are replays of the timeline: a reopening, a pause put in later or a repair changes the
figures of the period that they concern. Definitions are in `DEFINITIONS`, printed beside the numbers (reference:
tiers.md §4, promises.md D10, J10 and J11).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from math import floor
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import TruncMonth

from tierdesk.directory.clients.models import Client
from tierdesk.directory.contracts.models import Metric, Party
from tierdesk.directory.staff.models import User
from tierdesk.learning.knowledge.models import SelfService
from tierdesk.response.major.models import MajorIncident
from tierdesk.response.sla.facts import DatePromised
from tierdesk.response.sla.ledger import Ledger, Mark, ledger
from tierdesk.response.sla.models import GOING, Clock, ClockState
from tierdesk.tickets.conversation import Direction, Message
from tierdesk.tickets.lifecycle import State
from tierdesk.tickets.models import Entry, Ticket

DEFINITIONS: Mapping[str, str] = {
    "kept, missed": "Promises that ended in the period: the month of a resolution counts, not that of the opening. "
    "Missed is what took longer than its target, by however little.",
    "attainment": "Kept ÷ (kept + missed), rounded down, so that it says 100 % only if none was missed.",
    "open and broken": "Promises that were broken and had not ended when the period did. They are in no percentage: "
    "they count as missed in the month in which they end.",
    "left out": "Promises that ended without a result: the ticket was cancelled or merged, or another promise "
    "took over.",
    "adjusted": "Waits that a lead put in afterwards, in the period, each with what shows it: the figures count "
    "without that time, in whatever month the promise ended.",
    "promised dates": "Dates that somebody gave the client for one ticket. One that was moved before it ran out is one "
    "promise with its last date; who moved it, and why, is listed.",
    "first contact": "Tickets resolved in the period that never left the first line and after whose first message the "
    "contact said nothing more, ÷ all that a person brought. One that is reopened counts no more.",
    "by themselves": "Contacts who were about to ask in the portal, were shown what may help, and said that it did. No "
    "ticket comes of it, so no promise runs.",
    "where the time went": "From when the ticket was received until the promise ended, around the clock: by tier while "
    "it was worked, and by what it waited for.",
}

SHOWN = 50
"""Missed promises that are listed."""

FROM_MACHINES = ("alarms",)
"""Channels on which no person waits for an answer."""


@dataclass(slots=True)
class Line:
    """How many promises of one kind were kept, missed, open and broken, and left out."""

    kept: int = 0
    missed: int = 0
    open_broken: int = 0
    left_out: int = 0

    @property
    def ended(self) -> int:
        return self.kept + self.missed

    @property
    def percent(self) -> float | None:
        """Rounded down to a tenth; None where nothing ended: no number is better than a made-up one."""
        return floor(1000 * self.kept / self.ended) / 10 if self.ended else None

    def add(self, other: Line) -> None:
        self.kept += other.kept
        self.missed += other.missed
        self.open_broken += other.open_broken
        self.left_out += other.left_out


type Kind = tuple[str, str, int | None, int]
"""Party, metric, tier (of an OLA), priority."""


@dataclass(frozen=True, slots=True)
class Late:
    """A promise that was missed or is broken: by so much working time `over`, and where the ticket's time went."""

    ticket: Ticket
    metric: str
    priority: int
    ended_at: datetime | None
    over: timedelta
    went: Sequence[tuple[str, timedelta]]


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A wait that was put in afterwards: on which ticket, by whom, when, and what they wrote about it."""

    ticket: Ticket
    by: str
    at: datetime
    begins: datetime
    ends: datetime
    reason: str
    evidence: str


@dataclass(frozen=True, slots=True)
class MovedDate:
    """A promised date that was moved: on which ticket, by whom, when, from which date to which, and why."""

    ticket: Ticket
    by: str
    at: datetime
    before: datetime
    after: datetime
    why: str


@dataclass(frozen=True, slots=True)
class FirstContact:
    """Of a channel: so many resolved at first contact `of` so many that a person brought."""

    channel: str
    count: int
    of: int

    @property
    def percent(self) -> float | None:
        return floor(1000 * self.count / self.of) / 10 if self.of else None


@dataclass(frozen=True, slots=True)
class Attainment:
    """The figures of a period: a line for each kind of promise, for each client, the worst, and first contacts."""

    kinds: Mapping[Kind, Line]
    clients: Sequence[tuple[str, Line]]
    late: Sequence[Late]
    first_contact: Sequence[FirstContact]
    adjustments: Sequence[Adjustment]
    moved_dates: Sequence[MovedDate]
    by_themselves: int
    majors: Sequence[MajorIncident]

    def of(self, party: str) -> Mapping[tuple[str, int | None, int], Line]:
        """The lines of a party, by metric, tier and priority."""
        return {
            (metric, tier, priority): line
            for (whose, metric, tier, priority), line in sorted(self.kinds.items(), key=_in_order)
            if whose == party
        }

    def total(self, party: str) -> Line:
        total = Line()
        for line in self.of(party).values():
            total.add(line)
        return total


def attainment(
    user: User, start: datetime, end: datetime, at: datetime, *, client: Client | None = None
) -> Attainment:
    """What ended from `start` until `end`, seen at `at`, of all clients that `user` may see or of one."""
    clocks = Clock.objects.visible_to(user)
    tickets, helped = Ticket.objects.visible_to(user), SelfService.objects.visible_to(user)
    majors = (
        MajorIncident.objects.visible_to(user).select_related("ticket__client").prefetch_related("actions")
    )
    if client is not None:
        clocks, tickets = clocks.filter(client=client), tickets.filter(client=client)
        helped, majors = helped.filter(client=client), majors.filter(client=client)
    ended = clocks.filter(stopped_at__gte=start, stopped_at__lt=end)
    broken = _open_and_broken(clocks, end)
    kinds: defaultdict[Kind, Line] = defaultdict(Line)
    by_client: defaultdict[int, Line] = defaultdict(Line)
    for each, state in ((ended, "state"), (broken, None)):
        fields = ["client_id", "party", "metric", "tier", "priority", *([state] if state else [])]
        for *kind, count in each.values_list(*fields).annotate(count=Count("pk")).order_by():
            whose, party, metric, tier, priority = kind[:5]
            name = COUNTED[kind[5]] if state else "open_broken"
            _count(kinds[party, metric, tier, priority], name, count)
            if party == Party.SLA:
                _count(by_client[whose], name, count)
    names = dict(Client.objects.filter(pk__in=by_client).values_list("pk", "name"))
    return Attainment(
        kinds=kinds,
        clients=[(names[pk], by_client[pk]) for pk in sorted(by_client, key=lambda pk: (names[pk], pk))],
        late=_late(ended.filter(state=ClockState.MISSED), broken, tickets, min(at, end)),
        first_contact=_first_contact(tickets, start, end),
        adjustments=_adjustments(tickets, start, end),
        moved_dates=_moved_dates(tickets, start, end),
        by_themselves=helped.filter(at__gte=start, at__lt=end).count(),
        majors=list(majors.filter(declared_at__gte=start, declared_at__lt=end).order_by("declared_at")),
    )


def trend(
    user: User, start: datetime, end: datetime, zone: ZoneInfo, *, client: Client | None = None
) -> list[tuple[date, Line]]:
    """What ended of the promises to clients, for each month of that zone between `start` and `end`."""
    ended = Clock.objects.visible_to(user).filter(party=Party.SLA, stopped_at__gte=start, stopped_at__lt=end)
    if client is not None:
        ended = ended.filter(client=client)
    months: defaultdict[date, Line] = defaultdict(Line)
    by_month = ended.annotate(month=TruncMonth("stopped_at", tzinfo=zone)).values_list("month", "state")
    for month, state, count in by_month.annotate(count=Count("pk")).order_by():
        _count(months[month.date()], COUNTED[state], count)
    return sorted(months.items())


COUNTED = {
    ClockState.MET.value: "kept",
    ClockState.MISSED.value: "missed",
    ClockState.CANCELLED.value: "left_out",
}


def _count(line: Line, name: str, count: int) -> None:
    setattr(line, name, getattr(line, name) + count)


def _in_order(item: tuple[Kind, Line]) -> tuple[int, int, int]:
    """As a ticket meets them: acknowledged, answered, kept informed, solved; each tier, the urgent first."""
    _party, metric, tier, priority = item[0]
    return Metric.values.index(metric), tier or 0, priority


def _open_and_broken(clocks: QuerySet[Clock], end: datetime) -> QuerySet[Clock]:
    """What had broken its promise before `end` and had not ended by then. What goes on is found by its open tickets."""
    going = Q(state__in=GOING, ticket__in=Ticket.objects.unresolved())
    return clocks.filter(Q(stopped_at__gte=end) | going, breached_at__lt=end)


def _late(
    missed: QuerySet[Clock], broken: QuerySet[Clock], tickets: QuerySet[Ticket], at: datetime
) -> list[Late]:
    """The newest missed promises to clients, and all that is open and broken before them, at most SHOWN."""
    shown = [
        *broken.filter(party=Party.SLA).order_by("breached_at")[:SHOWN],
        *missed.filter(party=Party.SLA).order_by("-stopped_at")[:SHOWN],
    ][:SHOWN]
    about = tickets.select_related("client").in_bulk([clock.ticket_id for clock in shown])
    marks = _marks(about)
    return [
        Late(
            ticket=about[clock.ticket_id],
            metric=clock.metric,
            priority=clock.priority,
            ended_at=clock.stopped_at if clock.state == ClockState.MISSED else None,
            over=-clock.remaining(at),
            went=_went(
                ledger(about[clock.ticket_id].created_at, marks[clock.ticket_id], clock.stopped_at or at)
            ),
        )
        for clock in shown
        if clock.ticket_id in about
    ]


def _marks(tickets: Iterable[int]) -> Mapping[int, list[Mark]]:
    """What the ledgers of these tickets are made of, read at once."""
    entries = Entry.objects.filter(ticket__in=list(tickets)).order_by("ticket_id", "id")
    lines = entries.values_list("ticket_id", "at", "tier", "team_id", "state", "pending_reason")
    return {pk: [Mark(*line[1:]) for line in own] for pk, own in groupby(lines, key=lambda line: line[0])}


def _went(spent: Ledger) -> list[tuple[str, timedelta]]:
    """`L2` for a tier that worked it, the code of a reason for what it waited for; most first."""
    found: defaultdict[str, timedelta] = defaultdict(timedelta)
    for stay in spent.unresolved:
        found[stay.reason or f"L{stay.tier}"] += stay.lasted
    return sorted(found.items(), key=lambda part: -part[1])


def _adjustments(tickets: QuerySet[Ticket], start: datetime, end: datetime) -> list[Adjustment]:
    entries = Entry.objects.filter(kind="wait_put_in", at__gte=start, at__lt=end).order_by("id")
    about = tickets.in_bulk({entry.ticket_id for entry in entries})
    return [
        Adjustment(
            ticket=about[entry.ticket_id],
            by=entry.by_name,
            at=entry.at,
            begins=datetime.fromisoformat(entry.details["begins"]),
            ends=datetime.fromisoformat(entry.details["ends"]),
            reason=entry.details["reason"],
            evidence=entry.details["evidence"],
        )
        for entry in entries
        if entry.ticket_id in about
    ]


def _moved_dates(tickets: QuerySet[Ticket], start: datetime, end: datetime) -> list[MovedDate]:
    said = Entry.objects.filter(kind=DatePromised.kind, at__gte=start, at__lt=end).order_by("id")
    moves = [entry for entry in said if entry.details["before"]]
    about = tickets.in_bulk({entry.ticket_id for entry in moves})
    return [
        MovedDate(
            ticket=about[entry.ticket_id],
            by=entry.by_name,
            at=entry.at,
            before=datetime.fromisoformat(entry.details["before"]),
            after=datetime.fromisoformat(entry.details["promised_at"]),
            why=entry.details["why"],
        )
        for entry in moves
        if entry.ticket_id in about
    ]


def _first_contact(tickets: QuerySet[Ticket], start: datetime, end: datetime) -> list[FirstContact]:
    resolved = tickets.filter(
        state__in=[State.RESOLVED, State.CLOSED],
        touched_at__gte=start,
        resolved_at__gte=start,
        resolved_at__lt=end,
    ).exclude(channel__in=FROM_MACHINES)
    heard = Message.objects.filter(ticket=OuterRef("pk"), direction=Direction.INBOUND)
    first = Message.objects.filter(ticket=OuterRef("ticket"), direction=Direction.INBOUND).order_by("id")
    stayed = Q(reopen_count=0, hand_over_count=0, tier=1) & ~Q(
        Exists(heard.exclude(pk=first.values("pk")[:1]))
    )
    lines = (
        resolved.values("channel")
        .annotate(of=Count("pk"), count=Count("pk", filter=stayed))
        .order_by("channel")
    )
    return [FirstContact(line["channel"], line["count"], line["of"]) for line in lines]
