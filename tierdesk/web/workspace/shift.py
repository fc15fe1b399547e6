"""The board of a change of shifts: what the next shift of a team must know, gathered from all rooms.

Each section asks once, for the team's open tickets only, and shows a hundred lines at most.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from tierdesk.directory.contracts.models import Metric
from tierdesk.directory.staff.models import Team, User
from tierdesk.response.shifts.models import Line, Section
from tierdesk.response.sla.dates import standing_dates
from tierdesk.response.sla.models import Clock, ClockState
from tierdesk.response.tiers.consultations import Consultation
from tierdesk.response.tiers.models import Escalation
from tierdesk.response.vendors.models import Case
from tierdesk.response.waiting.models import Wait
from tierdesk.tickets.lifecycle import State
from tierdesk.tickets.models import Ticket
from tierdesk.web.workspace.waiting import words_of_wait

MOST = 100
"""Lines of a section. Whoever hands over more than that has other troubles, and the queues show them all."""

LAST = datetime.max.replace(tzinfo=UTC)

URGENT = 2
"""Priorities up to this one need a name."""


@dataclass(frozen=True, slots=True)
class Board:
    """What is to be handed over, by section; `cut`: the sections of which only the first lines are shown."""

    lines: list[Line]
    cut: frozenset[Section]

    def of(self, section: str) -> list[Line]:
        return [line for line in self.lines if line.section == section]


def board(team: Team, user: User, at: datetime, hours: int) -> Board:
    """What the team's next shift must know: what comes up to `hours` from now, and what is open without a time."""
    mine = (
        Ticket.objects.visible_to(user)
        .unresolved()
        .filter(team=team)
        .select_related("client", "assignee__user")
    )
    until = at + timedelta(hours=hours)
    gathered = {
        Section.URGENT: list(_urgent(mine)),
        Section.RUNS_OUT: list(_runs_out(mine, until)),
        Section.PROMISED: sorted(_promised(mine, until), key=_time),
        Section.HANDED: sorted(_handed(team, user, mine), key=_time),
        Section.WAITS: sorted(_waits(mine), key=_time),
    }
    cut = frozenset(section for section, lines in gathered.items() if len(lines) > MOST)
    return Board([line for lines in gathered.values() for line in lines[:MOST]], cut)


def _urgent(mine: QuerySet[Ticket]) -> Iterator[Line]:
    """What is urgent by its priority, and major incidents before all."""
    urgent = mine.filter(Q(priority__lte=URGENT) | Q(is_major=True))
    for ticket in urgent.order_by("-is_major", "priority", "id")[: MOST + 1]:
        who = _who(ticket)
        words = ticket.get_state_display() if who else _("nobody has it")
        if ticket.is_major:
            words = f"{_('major incident')}: {words}"
        yield Line(Section.URGENT, ticket, words, ticket.created_at, who)


def _runs_out(mine: QuerySet[Ticket], until: datetime) -> Iterator[Line]:
    """The nearest promise of each ticket that has one in time, late ones first; of two, that to the client."""
    tickets = list(mine.filter(next_due_at__lte=until).order_by("next_due_at", "id")[: MOST + 1])
    running = Clock.objects.filter(ticket__in=tickets, state=ClockState.RUNNING, due_at__lte=until)
    running = running.exclude(metric=Metric.DATE)  # who promised it is told below
    nearest: dict[int, Clock] = {}
    for clock in running.order_by("-due_at", "party", "id"):
        nearest[clock.ticket_id] = clock
    for ticket in tickets:
        if clock := nearest.get(ticket.pk):
            yield Line(Section.RUNS_OUT, ticket, _promise(clock), clock.due_at, _who(ticket))


def _promised(mine: QuerySet[Ticket], until: datetime) -> Iterator[Line]:
    """What somebody said for when: dates promised to clients, tickets that wake by themselves, the vendors’ dates."""
    given = Clock.objects.going().filter(metric=Metric.DATE, due_at__lte=until)
    promised = list(mine.filter(pk__in=given.values("ticket"))[: MOST + 1])
    dates = standing_dates(promised)
    for ticket in promised:
        date = dates[ticket.pk]
        words = _("%(who)s promised the client that it is solved: %(why)s") % {
            "who": date.by,
            "why": date.why,
        }
        yield Line(Section.PROMISED, ticket, words, date.due_at, _who(ticket))
    for ticket in mine.filter(state=State.PENDING, wake_at__lte=until)[: MOST + 1]:
        yield Line(Section.PROMISED, ticket, _("back to work by itself"), ticket.wake_at, _who(ticket))
    cases = Case.objects.open().filter(ticket__in=mine, promised_at__lte=until)
    for case in cases.select_related("ticket__client", "contract__vendor", "driver__user")[: MOST + 1]:
        words = _("%(vendor)s said it would have something (%(case)s)")
        said = words % {"vendor": case.contract.vendor.name, "case": case.number}
        yield Line(
            Section.PROMISED, case.ticket, said, case.promised_at, case.driver.name if case.driver else ""
        )


def _handed(team: Team, user: User, mine: QuerySet[Ticket]) -> Iterator[Line]:
    """Hand-overs that nobody has answered, from here and to here, and advice that is still owed."""
    ours = Q(from_team=team) | Q(to_team=team)
    sent = Escalation.objects.visible_to(user).unanswered().filter(ours)
    for one in sent.select_related("ticket__client", "from_team", "to_team", "sent_by__user")[: MOST + 1]:
        if one.to_team_id == team.pk:
            words = _("to be accepted, from %s") % (one.from_team.name if one.from_team else _("nobody"))
        else:
            words = _("not accepted yet by %s") % one.to_team.name
        yield Line(Section.HANDED, one.ticket, words, one.sent_at, one.sent_by.name if one.sent_by else "")
    owed = Consultation.objects.visible_to(user).open().filter(Q(ticket__in=mine) | Q(team=team))
    unsolved = owed.filter(ticket__state__in=[State.NEW, State.OPEN, State.PENDING])
    for advice in unsolved.select_related("ticket__client", "team", "asked_by__user", "helper__user")[
        : MOST + 1
    ]:
        words = (
            _("we owe advice") if advice.team_id == team.pk else _("advice is owed by %s") % advice.team.name
        )
        who = advice.helper or advice.asked_by
        yield Line(Section.HANDED, advice.ticket, words, advice.due_at, who.name if who else "")


def _waits(mine: QuerySet[Ticket]) -> Iterator[Line]:
    tickets = list(mine.filter(state=State.PENDING).order_by("id")[: MOST + 1])
    going = Wait.objects.going().filter(ticket__in=tickets).select_related("team")
    waits = {wait.ticket_id: wait for wait in going}
    for ticket in tickets:
        wait = waits.get(ticket.pk)
        ahead = wait.prospects()[:1] if wait else []
        if wait and ahead:
            words = f"{ticket.get_pending_reason_display()}; {words_of_wait(wait, ahead[0])}"
            yield Line(Section.WAITS, ticket, words, ahead[0].at, _who(ticket))
        else:
            yield Line(
                Section.WAITS, ticket, ticket.get_pending_reason_display(), ticket.wake_at, _who(ticket)
            )


def _promise(clock: Clock) -> str:
    whose = {"SLA": _("the client"), "OLA": f"L{clock.tier}", "UC": _("the vendor")}[clock.party]
    return f"{clock.get_metric_display()} · {whose}"


def _who(ticket: Ticket) -> str:
    return ticket.assignee.name if ticket.assignee else ""


def _time(line: Line) -> tuple[datetime, int]:
    """In order of time; what has none comes last."""
    return line.at or LAST, line.ticket.pk
