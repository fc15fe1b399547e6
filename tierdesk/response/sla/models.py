"""Clocks on promises: to the client (SLA), of our tiers (OLA), from vendors (UC).

A clock's row is a projection of the timeline. Its verbs change it; `reading.py` says, purely, what it reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Any, NamedTuple, Self

from django.db import connection, models
from django.db.models import F, Q

from tierdesk.core import rows
from tierdesk.core.read import Among
from tierdesk.core.words import Word
from tierdesk.core.work import record
from tierdesk.directory.calendars.models import CalendarVersion, hours_of
from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import ClientRows
from tierdesk.directory.contracts.models import Metric, Party
from tierdesk.response.sla.facts import Breached, Warned
from tierdesk.response.sla.policy import WARN_AT
from tierdesk.response.sla.reading import Course, DatedCourse, Pause, uncovered
from tierdesk.tickets.models import Ticket


class ClockState(models.TextChoices):
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    MET = "met", "Met"
    MISSED = "missed", "Missed"
    CANCELLED = "cancelled", "Cancelled"


GOING = (ClockState.RUNNING, ClockState.PAUSED)

HANDED_OVER = "handed_over"
"""Why a tier's own clock stands while another tier has the ticket; no reason of the ticket's."""


class Clocks(ClientRows):
    def going(self) -> Self:
        return self.filter(state__in=GOING)

    def of(self, tickets: Iterable[Ticket]) -> Self:
        return self.filter(ticket__in=[ticket.pk for ticket in tickets])

    def breached(self) -> Self:
        return self.filter(Q(breached_at__isnull=False) | Q(state=ClockState.MISSED))


class Clock(models.Model):
    """One promise running on one ticket.

    `priority`: of the ticket; of what a vendor promised, the case's severity.
    `target_s`: working seconds of `calendar`. `counting_from`: where the present calendar took over from an earlier
    one, under which `carried_s` had been used; usually `started_at` and 0. `pauses`: [[from, to or null, reason], …],
    ISO 8601. `due_at` is null while paused. `breached_at`: when more than the target was used, whatever came later.
    `date_at`: of a promised date, the instant that it counts as; then `target_s` is real seconds from `counting_from`.
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE, db_index=False, db_constraint=False)
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="clocks", db_index=False)
    metric = models.CharField(max_length=12, choices=Metric.choices)
    party = models.CharField(max_length=3, choices=Party.choices)
    tier = models.PositiveSmallIntegerField(null=True, blank=True)
    case_id = models.BigIntegerField(null=True, blank=True)
    priority = models.PositiveSmallIntegerField()
    target_s = models.PositiveIntegerField()
    date_at = models.DateTimeField(null=True, blank=True)
    calendar = models.ForeignKey(
        CalendarVersion, on_delete=models.PROTECT, db_index=False, db_constraint=False
    )
    started_at = models.DateTimeField()
    counting_from = models.DateTimeField()
    carried_s = models.FloatField(default=0)
    pauses = models.JSONField(default=list)
    state = Word(max_length=9, choices=ClockState.choices, default=ClockState.RUNNING)
    due_at = models.DateTimeField(null=True, blank=True)
    warned_at = models.DateTimeField(null=True, blank=True)
    breached_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    elapsed_s = models.FloatField(null=True, blank=True)
    wake_at = models.DateTimeField(null=True, blank=True)

    objects = Clocks.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["wake_at"], name="clocks_to_wake", condition=Q(wake_at__isnull=False)),
            models.Index(fields=["ticket"], name="clocks_of_a_ticket"),
            models.Index(fields=["stopped_at"], name="clocks_ended", condition=Q(stopped_at__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(target_s__gt=0), name="a_clock_has_a_target"),
            models.CheckConstraint(
                condition=Q(metric="date", date_at__isnull=False)
                | (~Q(metric="date") & Q(date_at__isnull=True)),
                name="a_promised_date_has_a_date",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["running", "paused"], stopped_at__isnull=True)
                | Q(state__in=["met", "missed", "cancelled"], stopped_at__isnull=False),
                name="an_ended_clock_has_stopped",
            ),
            models.UniqueConstraint(
                fields=["ticket", "metric", "party", "tier", "case_id"],
                condition=Q(state__in=["running", "paused"]),
                nulls_distinct=False,
                name="one_going_clock_per_promise",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.party} {self.metric} of {self.ticket_id}"

    @property
    def target(self) -> timedelta:
        if self.date_at is not None:
            return self.date_at - self.counting_from
        return timedelta(seconds=self.target_s)

    @property
    def spans(self) -> tuple[Pause, ...]:
        """The pauses as instants."""
        return tuple(
            (datetime.fromisoformat(start), datetime.fromisoformat(end) if end else None)
            for start, end, _ in self.pauses
        )

    @property
    def course(self) -> Course:
        if self.date_at is not None:
            return DatedCourse(hours_of(self.calendar_id), self.counting_from, self.target)
        return Course(
            hours=hours_of(self.calendar_id),
            since=self.counting_from,
            target=self.target,
            carried=timedelta(seconds=self.carried_s),
            pauses=self.spans,
        )

    def has_breached(self, at: datetime) -> bool:
        return self.breached_at is not None or not self.course.is_met(min(at, self.stopped_at or at))

    def remaining(self, at: datetime) -> timedelta:
        """Working time left at `at`; negative once breached."""
        return self.target - self.course.elapsed(self.stopped_at or at)

    def pause(self, at: datetime, reason: str) -> None:
        if self.state == ClockState.RUNNING:
            self.pauses = [*self.pauses, [at.isoformat(), None, reason]]
            self.state = ClockState.PAUSED
            self.project()

    def resume(self, at: datetime) -> None:
        if self.state == ClockState.PAUSED:
            start, _, reason = self.pauses[-1]
            self.pauses = [*self.pauses[:-1], [start, at.isoformat(), reason]]
            self.state = ClockState.RUNNING
            self.project()

    def take_back_hand_over(self, waits: Sequence[Any]) -> None:
        """As if it had never been handed over: of the time it was gone only the ticket's own waits do not count (H02).

        `waits`: pauses of the tier that had it meanwhile. Whatever the ticket waits for now goes on.
        """
        if self.state not in GOING:
            return
        lasting = self.pauses[-1:] if self.state == ClockState.PAUSED else []
        before = self.pauses[: len(self.pauses) - len(lasting)]
        if not before or before[-1][2] != HANDED_OVER:
            return
        gone_at = datetime.fromisoformat(before[-1][0])
        meanwhile = [wait for wait in waits if datetime.fromisoformat(wait[0]) >= gone_at]
        self.pauses = [*before[:-1], *meanwhile, *lasting]
        self.project()

    def put_in_pause(self, begins: datetime, ends: datetime, reason: str, at: datetime) -> None:
        """As if it had stood from `begins` to `ends`, as we learn at `at`; where it stood already, nothing changes.

        What was missed or broken only because of that time no longer is.
        """
        until = self.stopped_at or at
        fresh = list(uncovered(max(begins, self.counting_from), min(ends, until), self.spans))
        if self.state == ClockState.CANCELLED or not fresh:
            return
        put_in = [[start.isoformat(), end.isoformat(), reason] for start, end in fresh]
        self.pauses = sorted([*self.pauses, *put_in], key=lambda pause: datetime.fromisoformat(pause[0]))
        self.breached_at = self.course.crossed_at(until) if self.breached_at else None
        if self.stopped_at is None:
            if self.course.elapsed(at) < self.target * WARN_AT:
                self.warned_at = None
            self.project()
        else:
            used = self.course.elapsed(self.stopped_at)
            self.elapsed_s = used.total_seconds()
            self.state = ClockState.MET if used <= self.target else ClockState.MISSED

    def stop(self, at: datetime) -> None:
        """What was promised has happened: met if no more than the target was used, else missed."""
        if self.state not in GOING:
            return
        used = self.course.elapsed(at)
        met = used <= self.target and self.breached_at is None
        self.elapsed_s, self.stopped_at = used.total_seconds(), at
        self.state = ClockState.MET if met else ClockState.MISSED
        if not met and self.breached_at is None:
            self.breached_at = self.course.crossed_at(at)
        self.due_at = self.wake_at = None

    def take_back_stop(self) -> None:
        """What had stopped the clock turned out not to have happened."""
        self.state, self.stopped_at, self.elapsed_s = ClockState.RUNNING, None, None
        self.project()

    def take_back_cancellation(self) -> None:
        """The promise applies after all, and has done so all along. A wait had ended with the cancellation.

        A clock that stood because another tier had the ticket goes on standing: it is still there.
        """
        if self.state != ClockState.CANCELLED or self.stopped_at is None:
            return
        stands = bool(self.pauses) and self.pauses[-1][1:] == [None, HANDED_OVER]
        if not stands:
            self.end_wait(self.stopped_at)
        self.state = ClockState.PAUSED if stands else ClockState.RUNNING
        self.stopped_at = self.elapsed_s = None
        self.project()

    def end_wait(self, at: datetime) -> None:
        """A wait that lasted when the clock stopped ended with it: it does not last for ever."""
        if self.pauses and self.pauses[-1][1] is None:
            start, _, reason = self.pauses[-1]
            self.pauses = [*self.pauses[:-1], [start, at.isoformat(), reason]]

    def cancel(self, at: datetime) -> None:
        """The promise no longer applies: neither met nor missed."""
        if self.state in GOING:
            self.elapsed_s = self.course.elapsed(at).total_seconds()
            self.state, self.stopped_at = ClockState.CANCELLED, at
            self.due_at = self.wake_at = None

    def strike(self) -> None:
        """There never was such a promise on this ticket: it is kept as a clock that never counted."""
        self.state, self.stopped_at, self.elapsed_s = ClockState.CANCELLED, self.started_at, 0.0
        self.due_at = self.wake_at = self.warned_at = self.breached_at = None

    @property
    def never_counted(self) -> bool:
        return self.state == ClockState.CANCELLED and self.stopped_at == self.started_at

    def reopen(self, at: datetime, *, policy: str = "resume") -> None:
        """Count on after the stop, as `Policies.reopen` says."""
        if self.stopped_at is None or policy == "ignore":
            return
        self.end_wait(self.stopped_at)
        if policy == "resume":
            self.pauses = [*self.pauses, [self.stopped_at.isoformat(), at.isoformat(), "resolved"]]
        elif policy == "restart":
            self.counting_from, self.carried_s = at, 0
            self.warned_at = self.breached_at = None
        self.state, self.stopped_at, self.elapsed_s = ClockState.RUNNING, None, None
        self.project()

    def retarget(
        self,
        *,
        at: datetime,
        target_s: int,
        calendar_id: int,
        priority: int,
        policy: str = "decided",
        forgives: bool = False,
    ) -> None:
        """Another target from now on, as `Policies.retarget` says (promises.md E01–E09).

        A breach stands, also one that nobody has told yet, unless the contract `forgives` what is no longer one.
        """
        crossed_at = self.course.crossed_at(at)
        if policy == "restart":
            self.counting_from, self.carried_s = at, 0
        elif calendar_id != self.calendar_id and policy == "retroactive":
            self.counting_from, self.carried_s = self.started_at, 0
        elif calendar_id != self.calendar_id:
            self.carried_s = self.course.elapsed(at).total_seconds()
            self.counting_from = at
        self.target_s, self.calendar_id, self.priority = target_s, calendar_id, priority
        if self.state == ClockState.PAUSED:  # else the engine finds by itself what is late by the change
            crossed_at = crossed_at or self.course.crossed_at(at)
        if forgives and self.course.is_met(at):
            self.warned_at = self.breached_at = None
            self.project()
        elif crossed_at is not None and self.breached_at is None:
            self.be_late(crossed_at, at)
        else:
            self.project()

    def be_late(self, crossed_at: datetime, at: datetime) -> None:
        """Late by a change at `at`: the engine tells it now, also while the clock stands (E06)."""
        self.due_at, self.breached_at = self.course.due_at(), crossed_at
        self.warned_at, self.wake_at = self.warned_at or at, crossed_at

    def move(self, date_at: datetime, calendar_id: int, at: datetime) -> None:
        """Another date is promised before this one is broken; it warns again, of the time that is left from `at` on."""
        self.date_at, self.calendar_id, self.counting_from = date_at, calendar_id, at
        self.target_s = whole_seconds(date_at - at)
        self.warned_at = None
        self.project()

    def project(self) -> None:
        """Work out `due_at` and `wake_at` again from what the clock is now."""
        self.due_at, self.wake_at = projection(self.course, warned=self.warned_at, breached=self.breached_at)


def whole_seconds(lasts: timedelta) -> int:
    """Rounded up."""
    return ceil(lasts.total_seconds())


class Rung(models.Model):
    """A moment of a clock (`mark`, see marks.py) at which a contract wants these roles told; one row where it asks so.

    `teams`: only while one of them has the ticket (keys); empty: whoever has it. `reached_at`: when it was.
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE, db_index=False, db_constraint=False)
    clock = models.ForeignKey(Clock, on_delete=models.CASCADE, related_name="rungs", db_index=False)
    mark = models.CharField(max_length=20)
    tell = models.JSONField(default=list)
    teams = models.JSONField(default=list)
    reached_at = models.DateTimeField(null=True, blank=True)
    wake_at = models.DateTimeField(null=True, blank=True)

    objects = ClientRows.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["wake_at"], name="rungs_to_wake", condition=Q(wake_at__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(fields=["clock", "mark"], name="a_clock_reaches_a_rung_once"),
        ]

    def __str__(self) -> str:
        return f"{self.mark} of clock {self.clock_id}"


def projection(
    course: Course, *, warned: datetime | None = None, breached: datetime | None = None
) -> tuple[datetime | None, datetime | None]:
    """(due_at, wake_at) of a clock on this course: it wakes first to warn, then at the first instant of breach."""
    due_at = course.due_at()
    if due_at is None or breached is not None:
        return due_at, None
    return due_at, course.breaches_at() if warned else course.warns_at()


CHANGING = [
    "calendar_id",
    "priority",
    "target_s",
    "date_at",
    "counting_from",
    "carried_s",
    "pauses",
    "state",
    "due_at",
    "warned_at",
    "breached_at",
    "stopped_at",
    "elapsed_s",
    "wake_at",
]


IDENTITY = ("metric", "party", "tier", "case_id", "started_at")
BORN_WITH = ["client_id", "ticket_id", *IDENTITY]


class Start(NamedTuple):
    """A clock that is about to run: what was promised to whom, and from when. Plain: they come by the thousand.

    `waits_for`: it begins while the ticket waits for this, and stands.
    """

    client_id: int
    ticket_id: int
    metric: str
    party: str
    priority: int
    target_s: int
    calendar_id: int
    started_at: datetime
    tier: int | None = None
    case_id: int | None = None
    date_at: datetime | None = None
    waits_for: str = ""

    def state(self) -> ClockState:
        return ClockState.PAUSED if self.waits_for else ClockState.RUNNING

    def pauses(self) -> list[list[str | None]]:
        return [[self.started_at.isoformat(), None, self.waits_for]] if self.waits_for else []

    def course(self) -> Course:
        if self.date_at is not None:
            return DatedCourse(hours_of(self.calendar_id), self.started_at, self.date_at - self.started_at)
        pauses = ((self.started_at, None),) if self.waits_for else ()
        return Course(
            hours_of(self.calendar_id), self.started_at, timedelta(seconds=self.target_s), pauses=pauses
        )


STARTING = [*Start._fields[:-1], "counting_from", "carried_s", "pauses", "state", "due_at", "wake_at"]


def start(clocks: Iterable[Start]) -> None:
    """Put clocks into the world, in one statement, and let their tickets know what is due next."""
    clocks = list(clocks)
    rows.insert(Clock, STARTING, _laid_out(clocks))
    project_onto_tickets({clock.ticket_id for clock in clocks})


def _laid_out(clocks: Sequence[Start]) -> list[tuple[Any, ...]]:
    """The rows of STARTING. Most clocks of a batch share their calendar, start and target: each is worked out once."""
    known: dict[tuple[Any, ...], tuple[datetime | None, datetime | None]] = {}
    lines = []
    for clock in clocks:
        course = (clock.calendar_id, clock.started_at, clock.target_s, clock.date_at, clock.waits_for)
        if course not in known:
            known[course] = projection(clock.course())
        state, pauses = clock.state().value, clock.pauses()
        lines.append((*clock[:-1], clock.started_at, 0.0, pauses, state, *known[course]))
    return lines


def put_down(clocks: Sequence[Clock]) -> None:
    """Put clocks of the memory into the world as they are by now, in one statement."""
    columns = [*BORN_WITH, *CHANGING]
    rows.insert(Clock, columns, [[getattr(clock, name) for name in columns] for clock in clocks])
    project_onto_tickets({clock.ticket_id for clock in clocks})


def keep(clocks: Sequence[Clock]) -> None:
    """Write changed clocks back, in one statement, and let their tickets know what is due next."""
    rows.update(
        Clock, CHANGING, [[clock.pk, *(getattr(clock, name) for name in CHANGING)] for clock in clocks]
    )
    project_onto_tickets({clock.ticket_id for clock in clocks})


def project_onto_tickets(ticket_ids: set[int]) -> None:
    """Set `next_due_at` of these tickets to the earliest due time of their running clocks."""
    if not ticket_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE tickets_ticket AS ticket SET next_due_at = next.due_at
            FROM (
                SELECT one.id, (
                    SELECT min(due_at) FROM sla_clock
                    WHERE ticket_id = one.id AND state = 'running' AND party <> 'UC'
                ) AS due_at
                FROM unnest(%s::bigint[]) AS one(id)
            ) AS next
            WHERE ticket.id = next.id AND ticket.next_due_at IS DISTINCT FROM next.due_at
            """,
            [sorted(ticket_ids)],
        )


WAKING = ["id", "ticket_id", "metric", "party", "tier", "due_at", "warned_at", "wake_at", "calendar_id"]


def wake_clocks(due: list[Any], at: datetime) -> None:
    """What due clocks do: warn once, then breach once. After an outage a clock that is past both only breaches.

    `due`: tuples in the order of WAKING. The breach carries the instant it was crossed, not the one we noticed.
    """
    named = Ticket.objects.as_told().filter(Among(F("id"), {row[1] for row in due}))
    tickets = {ticket.id: ticket for ticket in named}
    warned: list[tuple[Any, ...]] = []
    breached: list[tuple[Any, ...]] = []
    for pk, ticket_id, metric, party, tier, due_at, warned_at, wake_at, calendar_id in due:
        crossing = wake_at if warned_at else _crossing(metric, due_at, calendar_id)
        about: dict[str, Any] = {
            "ticket": tickets[ticket_id],
            "clock": pk,
            "metric": metric,
            "party": party,
            "tier": tier,
            "due_at": (due_at or wake_at).isoformat(),  # late, and then paused: no longer due
        }
        if warned_at is None and (crossing is None or at < crossing):
            warned.append((pk, at, crossing))
            record(Warned(**about))
        else:
            breached.append((pk, crossing, None))
            record(Breached(**about, crossed_at=(crossing or at).isoformat()))
    rows.update(Clock, ["warned_at", "wake_at"], warned)
    rows.update(Clock, ["breached_at", "wake_at"], breached)


def _crossing(metric: str, due_at: datetime, calendar_id: int) -> datetime | None:
    opening = due_at if metric == Metric.DATE else hours_of(calendar_id).next_opening(due_at)
    return None if opening is None else opening + timedelta(microseconds=1)


__all__ = [
    "GOING",
    "WAKING",
    "Clock",
    "ClockState",
    "Rung",
    "Start",
    "keep",
    "projection",
    "put_down",
    "start",
    "wake_clocks",
]
