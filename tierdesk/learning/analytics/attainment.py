"""Attainment: which promises of a period were kept, which were missed and by whom, and which are open and broken.

Read from the clocks, which are replays of the timeline, until a client's month is closed (closing.py): from then on its
counts are those that were told, and what a reopening, a pause put in later or a repair changes is a restatement beside
them. The lists are always as things stand now. Definitions are in `DEFINITIONS`, printed beside the numbers
(reference: tiers.md §4, promises.md D10, J08, J10 and J11).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from math import floor
from zoneinfo import ZoneInfo

from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Sum, When
from django.db.models.functions import TruncMonth

from tierdesk.directory.clients.models import Client
from tierdesk.directory.contracts.models import Contract, Metric, Party
from tierdesk.directory.staff.models import User
from tierdesk.learning.analytics.closing import COUNTED_AS
from tierdesk.learning.analytics.models import ClosedMonth, Counts, Figure, Restatement
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
    "adjusted": "Waits that a lead put in afterwards, in the period, each with what shows it: the promise counts "
    "without that time, in whatever month it ended; a closed month is restated.",
    "closed": "Three days after its end a client’s month, which goes by the client’s own time, is closed: its counts "
    "stay as they were told then. The lists, first contacts among them, are as things stand now.",
    "restated": "What was found out about a closed month afterwards: a ticket was reopened, a wait was put in, a clock "
    "was corrected. The counts that were told stay, the new ones stand beside them.",
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
class Restated:
    """One promise of a closed month that counts as something else than was told.

    `ticket` None: it is another client's since. `entry`: what happened to it, where one entry says so.
    """

    at: datetime
    ticket: Ticket | None
    entry: Entry | None
    party: str
    metric: str
    tier: int | None
    priority: int
    was: str
    counts: str


@dataclass(frozen=True, slots=True)
class Closing:
    """How far a month is closed: so many clients, `of` so many, and what was restated since.

    `kinds`: of each kind that changed, what counts by now. `restated`: the newest changes, of so many `changes`.
    """

    clients: int
    of: int
    closed_at: datetime | None
    kinds: Mapping[Kind, Line]
    restated: Sequence[Restated]
    changes: int


@dataclass(frozen=True, slots=True)
class Attainment:
    """The figures of a period: a line for each kind of promise, for each client and contract, and what is behind them.

    `closing` None: the period is no month, or goes on.
    """

    kinds: Mapping[Kind, Line]
    clients: Sequence[tuple[str, Line]]
    contracts: Sequence[tuple[str, str, Line]]
    types: Mapping[str, Line]
    closing: Closing | None
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

    def every_kind(self) -> list[Kind]:
        """All that was told or restated, in order, party by party."""
        restated = self.closing.kinds if self.closing else {}
        parties = Party.values
        lines = {**self.kinds, **restated}.items()
        return [
            kind for kind, _ in sorted(lines, key=lambda one: (parties.index(one[0][0]), *_in_order(one)))
        ]

    def told(self, kind: Kind) -> Line:
        return self.kinds.get(kind, Line())

    def by_now(self, party: str) -> Line:
        """The total of a party with all that was restated."""
        restated = self.closing.kinds if self.closing else {}
        total = Line()
        for kind, line in {**self.kinds, **restated}.items():
            if kind[0] == party:
                total.add(line)
        return total

    def total(self, party: str) -> Line:
        total = Line()
        for line in self.of(party).values():
            total.add(line)
        return total


def attainment(
    user: User,
    start: datetime,
    end: datetime,
    at: datetime,
    *,
    client: Client | None = None,
    month: date | None = None,
) -> Attainment:
    """What ended from `start` until `end`, seen at `at`, of all clients that `user` may see or of one.

    `month`: the period is this month. Of clients that have closed it, the counts are those that were told.
    """
    clocks = Clock.objects.visible_to(user)
    tickets, helped = Ticket.objects.visible_to(user), SelfService.objects.visible_to(user)
    majors = (
        MajorIncident.objects.visible_to(user).select_related("ticket__client").prefetch_related("actions")
    )
    closed = ClosedMonth.objects.visible_to(user).filter(begins_on=month)
    if client is not None:
        clocks, tickets = clocks.filter(client=client), tickets.filter(client=client)
        helped, majors = helped.filter(client=client), majors.filter(client=client)
        closed = closed.filter(client=client)
    ended = clocks.filter(stopped_at__gte=start, stopped_at__lt=end)
    broken = _open_and_broken(clocks, end)
    months = list(closed) if month is not None else []
    sums = _Sums()
    running = ~Q(client__in=[one.client_id for one in months])
    sums.count(ended.filter(running), "state")
    sums.count(broken.filter(running))
    sums.take_over(Figure.objects.filter(month__in=months))
    clients, contracts = sums.named()
    return Attainment(
        kinds=sums.kinds,
        clients=clients,
        contracts=contracts,
        types=sums.types,
        closing=_closing(user, months, sums, client) if month is not None else None,
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
    """What ended of the promises to clients, by month of that zone from `start` to `end`; closed ones as told."""
    ended = Clock.objects.visible_to(user).filter(party=Party.SLA, stopped_at__gte=start, stopped_at__lt=end)
    told = ClosedMonth.objects.visible_to(user).filter(
        begins_on__gte=start.astimezone(zone).date(), begins_on__lt=end.astimezone(zone).date()
    )
    if client is not None:
        ended, told = ended.filter(client=client), told.filter(client=client)
    months: defaultdict[date, Line] = defaultdict(Line)
    closed = set(told.values_list("client_id", "begins_on"))
    by_month = ended.annotate(ended_in=TruncMonth("stopped_at", tzinfo=zone)).values_list(
        "client_id", "ended_in", "state"
    )
    for whose, month, state, count in by_month.annotate(count=Count("pk")).order_by():
        if (whose, month.date()) not in closed:
            _count(months[month.date()], COUNTED_AS[state], count)
    figures = Figure.objects.filter(month__in=told, party=Party.SLA).values_list("month__begins_on")
    for month, *counts in figures.annotate(**SUMS).order_by():
        months[month].add(_line(counts))
    return sorted(months.items())


SUMS = {f"all_{name}": Sum(name) for name in Counts.values}


def _line(counts: Sequence[int]) -> Line:
    """Of numbers in the order of Counts."""
    return Line(**dict(zip(Counts.values, counts, strict=True)))


CONTRACT = Case(
    When(
        ticket__contract_version__client=F("client"),
        then=F("ticket__contract_version__contract"),
    )
)
"""Of the ticket; none where it is another client's by now, whose contract is nobody else's business."""


class _Sums:
    """Counts by kind of promise; those of promises to clients by client and contract, and by type."""

    def __init__(self) -> None:
        self.kinds: defaultdict[Kind, Line] = defaultdict(Line)
        self.contracts: defaultdict[tuple[int, int | None], Line] = defaultdict(Line)
        self.types: defaultdict[str, Line] = defaultdict(Line)

    def count(self, clocks: QuerySet[Clock], *state: str) -> None:
        """These clocks, each by its state, or all as open and broken."""
        fields = ["client_id", "contract", "ticket__type", "party", "metric", "tier", "priority", *state]
        found = clocks.annotate(contract=CONTRACT).values_list(*fields)
        for whose, contract, type, *kind, count in found.annotate(count=Count("pk")).order_by():
            name = COUNTED_AS[kind.pop()] if state else Counts.OPEN_BROKEN
            line = Line()
            _count(line, name, count)
            self._add(whose, contract, type, (kind[0], kind[1], kind[2], kind[3]), line)

    def take_over(self, figures: QuerySet[Figure]) -> None:
        fields = ["client_id", "contract_id", "type", "party", "metric", "tier", "priority"]
        for whose, contract, type, *kind in figures.values_list(*fields, *Counts.values):
            self._add(whose, contract, type, (kind[0], kind[1], kind[2], kind[3]), _line(kind[4:]))

    def _add(self, whose: int, contract: int | None, type: str, kind: Kind, line: Line) -> None:
        if line == Line():
            return  # what counts since a restatement only was not told
        self.kinds[kind].add(line)
        if kind[0] == Party.SLA:
            self.contracts[whose, contract].add(line)
            self.types[type].add(line)

    def named(self) -> tuple[list[tuple[str, Line]], list[tuple[str, str, Line]]]:
        """(by client, by client and contract), in the order of their names."""
        clients = {whose for whose, _ in self.contracts}
        names = dict(Client.objects.filter(pk__in=clients).values_list("pk", "name"))
        keys = {contract for _, contract in self.contracts if contract is not None}
        called = dict(Contract.objects.filter(pk__in=keys).values_list("pk", "name"))
        by_client: defaultdict[int, Line] = defaultdict(Line)
        for (whose, _), line in self.contracts.items():
            by_client[whose].add(line)
        contracts = [
            (names[whose], called.get(contract, "") if contract else "", line)
            for (whose, contract), line in self.contracts.items()
        ]
        return (
            [(names[pk], by_client[pk]) for pk in sorted(by_client, key=lambda pk: (names[pk], pk))],
            sorted(contracts, key=lambda one: one[:2]),
        )


def _closing(user: User, months: Sequence[ClosedMonth], sums: _Sums, client: Client | None) -> Closing:
    """How far it is closed; of a client that has no figures in it nothing is missing."""
    clients = {month.client_id for month in months}
    open_ones = {whose for whose, _ in sums.contracts} - clients
    changes = Restatement.objects.visible_to(user).filter(month__in=months)
    return Closing(
        clients=len(clients),
        of=len(clients | open_ones),
        closed_at=max((month.closed_at for month in months), default=None),
        kinds=_restated_kinds(changes, sums.kinds),
        restated=_restated(user, changes),
        changes=changes.count(),
    )


def _restated_kinds(changes: QuerySet[Restatement], told: Mapping[Kind, Line]) -> dict[Kind, Line]:
    """What counts by now, of each kind of which something else was told."""
    moved: defaultdict[Kind, Line] = defaultdict(Line)
    for side, name, sign in (("before", "was", -1), ("after", "counts", 1)):
        fields = [f"{side}__{field}" for field in ("party", "metric", "tier", "priority")]
        counted = changes.exclude(**{name: ""}).values_list(*fields, name).annotate(count=Count("pk"))
        for party, metric, tier, priority, counts, count in counted.order_by():
            _count(moved[party, metric, tier, priority], counts, sign * count)
    for kind, line in moved.items():
        line.add(told.get(kind, Line()))
    return {kind: line for kind, line in moved.items() if line != told.get(kind, Line())}


def _restated(user: User, changes: QuerySet[Restatement]) -> list[Restated]:
    shown = list(changes.select_related("before", "after").order_by("-id")[:SHOWN])
    about = Ticket.objects.visible_to(user).select_related("client").in_bulk([one.ticket_id for one in shown])
    entries = Entry.objects.visible_to(user).in_bulk([one.entry_id for one in shown if one.entry_id])
    found = []
    for one in shown:
        ticket, figure = about.get(one.ticket_id), one.after or one.before
        assert figure is not None  # the database holds that there is one
        if ticket is not None and ticket.client_id != one.client_id:
            ticket = None
        entry = entries.get(one.entry_id) if one.entry_id and ticket else None
        about_promise = (figure.party, figure.metric, figure.tier, figure.priority)
        found.append(Restated(one.at, ticket, entry, *about_promise, one.was, one.counts))
    return found


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
