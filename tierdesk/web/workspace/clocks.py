"""Clocks as the page shows them: a word for the state, time used, time left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from tierdesk.core.written import Written
from tierdesk.directory.contracts.models import Metric
from tierdesk.directory.staff.models import Team
from tierdesk.response.sla.ledger import Stay, ledger_of
from tierdesk.response.sla.models import Clock, ClockState
from tierdesk.response.sla.policy import WARN_AT
from tierdesk.response.sla.story import Turn, story
from tierdesk.response.tiers.reasons import Reason, ReturnReason
from tierdesk.response.vendors.models import Case
from tierdesk.tickets.lifecycle import PendingReason, State
from tierdesk.tickets.models import Ticket
from tierdesk.web.ui.wording import duration

ORDER = {"breached": 0, "at_risk": 1, "ok": 2, "paused": 3, "missed": 4, "met": 5, "cancelled": 6}
OUTSIDE = "outside hours"

_CLOCKS = Written(
    lambda ticket: (
        Clock.objects.filter(ticket=ticket)
        .exclude(state=ClockState.CANCELLED)
        .select_related("calendar__calendar")
    )
)


@dataclass(frozen=True, slots=True)
class Face:
    """One clock at an instant. `state` is one of the design system's: ok, at_risk, breached, paused, met."""

    clock: Clock
    name: str
    state: str
    used: timedelta
    target: timedelta
    left: timedelta | None
    note: str


def faces_of(ticket: Ticket, at: datetime) -> list[Face]:
    """The clocks of a ticket, most urgent first; of what was promised and kept again and again, the newest.

    Cancelled ones are left to the explanation page.
    """
    every = [_face(clock, at) for clock in _CLOCKS(ticket=ticket)]
    kept = {_promise(face): face for face in sorted(every, key=_started) if face.state == "met"}
    faces = [face for face in every if face.state != "met" or kept[_promise(face)] is face]
    return sorted(faces, key=lambda face: (ORDER[face.state], face.clock.due_at or face.clock.started_at))


def _started(face: Face) -> tuple[datetime, int]:
    """In the order in which they began; of the same instant, in which they were written."""
    return face.clock.started_at, face.clock.pk


def _promise(face: Face) -> tuple[str, int | None]:
    return face.name, face.clock.case_id


def _face(clock: Clock, at: datetime) -> Face:
    used = timedelta(seconds=clock.elapsed_s) if clock.elapsed_s is not None else clock.course.elapsed(at)
    state = _state(clock, used)
    left = clock.target - used if state in {"paused", "breached"} else None
    return Face(clock, _name(clock), state, used, clock.target, left, _note(clock, state, at))


def _state(clock: Clock, used: timedelta) -> str:
    if clock.state == ClockState.MET:
        return "met"
    if clock.state == ClockState.MISSED or clock.breached_at or used > clock.target:
        return "breached"
    if clock.state == ClockState.PAUSED:
        return "paused"
    return "at_risk" if clock.warned_at or used >= WARN_AT * clock.target else "ok"


def _name(clock: Clock) -> str:
    whose = {"SLA": "client", "OLA": f"L{clock.tier}", "UC": "vendor"}[clock.party]
    return f"{clock.get_metric_display()} · {whose}"


def _note(clock: Clock, state: str, at: datetime) -> str:
    """Why a clock stands still; outside hours must not look like a pause that somebody granted (C16)."""
    if clock.state == ClockState.PAUSED:
        why = str(clock.pauses[-1][2])
        return pause_in_words(why).lower()
    if (
        clock.state == ClockState.RUNNING
        and clock.metric != Metric.DATE
        and not clock.course.hours.is_open(at)
    ):
        return OUTSIDE
    return "missed" if clock.state == ClockState.MISSED else ""


def pause_in_words(reason: str) -> str:
    """What a ticket waits for, or another cause by which a clock stands still, such as being handed over."""
    return str(dict(PendingReason.choices).get(reason, reason.replace("_", " ")))


def worst(faces: Sequence[Face]) -> Face | None:
    """The breached client clock that the page must speak of first, if there is one."""
    return next(
        (f for f in faces if f.state == "breached" and f.clock.party == "SLA" and not f.clock.stopped_at),
        None,
    )


@dataclass(frozen=True, slots=True)
class TurnLine:
    """One turn of a clock in words."""

    at: datetime
    what: str
    why: str
    by: str
    contract: str | None
    calendar: str
    date_at: datetime | None


def case_of(clock: Clock) -> Case | None:
    """The vendor's case that made the promise, where a vendor made it."""
    return Case.objects.select_related("contract__vendor").filter(pk=clock.case_id).first()


def vendor_contract(case: Case) -> str:
    """Which contract the vendor promised it by, such as “Nordvik: Gateways and lines”."""
    return f"{case.contract.vendor.name}: {case.contract.product}"


def turns_of(clock: Clock, ticket: Ticket, case: Case | None = None) -> list[TurnLine]:
    """Who changed what on this clock. `case`: of the vendor that made the promise."""
    letter = "P" if case is None else "S"
    return [
        TurnLine(
            turn.at,
            _turn(turn, letter),
            _why(turn),
            turn.by,
            turn.contract if case is None else vendor_contract(case),
            turn.calendar,
            turn.date_at,
        )
        for turn in story(clock, ticket)
    ]


CODED: Mapping[str, type[Reason] | type[ReturnReason]] = {
    "escalation_sent": Reason,
    "escalation_returned": ReturnReason,
}
"""Entries that say why by a code of their own."""


def _why(turn: Turn) -> str:
    coded = CODED.get(turn.kind)
    return str(coded(turn.why).label) if coded and turn.why in coded.values else pause_in_words(turn.why)


def _turn(turn: Turn, letter: str) -> str:
    """`letter`: P of a priority, S of a vendor's severity."""
    target = {"target": duration(turn.target_s), "priority": f"{letter}{turn.priority}"}
    words = {
        "started": _("promised, to be solved by")
        if turn.date_at
        else _("started, %(target)s for %(priority)s") % target,
        "moved": _("moved to"),
        "paused": _("stands still"),
        "resumed": _("runs again"),
        "retargeted": _("another target: %(target)s for %(priority)s") % target,
        "met": _("kept"),
        "missed": _("missed"),
        "cancelled": _("no longer applies"),
        "reopened": _("counts on"),
        "uncounted": _("a pause is taken back"),
        "put_in": _("a pause is put in afterwards"),
        "warned": _("warned: three quarters are used"),
        "breached": _("broken"),
    }
    return words[turn.what]


@dataclass(frozen=True, slots=True)
class TimeLine:
    """What a tier's team spent with the ticket in one state."""

    tier: int
    team: str
    state: str
    lasted: timedelta
    worked: timedelta


@dataclass(frozen=True, slots=True)
class Spent:
    """Where a ticket's time went, and the sums: `tiers` as (tier, around the clock, working time)."""

    lines: Sequence[TimeLine]
    tiers: Sequence[tuple[int, timedelta, timedelta]]
    lasted: timedelta
    worked: timedelta


def spent_on(ticket: Ticket, clock: Clock, at: datetime) -> Spent:
    """The ledger of a ticket in words; working time by the clock's present calendar."""
    read, hours = ledger_of(ticket, at), clock.calendar.hours
    names = dict(Team.objects.filter(pk__in={stay.team for stay in read.stays}).values_list("pk", "name"))
    lines = [
        TimeLine(stay.tier, names.get(stay.team or 0, "–"), _standing(stay), stay.lasted, stay.worked(hours))
        for stay in read.unresolved
    ]
    worked = read.by_tier(hours)
    return Spent(
        lines,
        [(tier, lasted, worked[tier]) for tier, lasted in sorted(read.by_tier().items())],
        read.total(),
        read.total(hours),
    )


def _standing(stay: Stay) -> str:
    return str(PendingReason(stay.reason).label if stay.reason else State(stay.state).label)
