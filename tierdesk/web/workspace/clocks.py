"""Clocks as the page shows them: a word for the state, time used, time left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tierdesk.response.sla.models import Clock, ClockState
from tierdesk.tickets.models import Ticket

ORDER = {"breached": 0, "at_risk": 1, "ok": 2, "paused": 3, "missed": 4, "met": 5, "cancelled": 6}
OUTSIDE = "outside hours"


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
    """The clocks of a ticket, most urgent first; cancelled ones are left to the explanation page."""
    clocks = ticket.clocks.exclude(state=ClockState.CANCELLED).select_related("calendar__calendar")
    faces = [_face(clock, at) for clock in clocks]
    return sorted(faces, key=lambda face: (ORDER[face.state], face.clock.due_at or face.clock.started_at))


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
    return "at_risk" if used >= 0.75 * clock.target else "ok"


def _name(clock: Clock) -> str:
    whose = {"SLA": "client", "OLA": f"L{clock.tier}", "UC": "vendor"}[clock.party]
    return f"{clock.get_metric_display()} · {whose}"


def _note(clock: Clock, state: str, at: datetime) -> str:
    """Why a clock stands still; outside hours must not look like a pause that somebody granted (C16)."""
    if clock.state == ClockState.PAUSED:
        return str(clock.pauses[-1][2]).replace("_", " ")
    if clock.state == ClockState.RUNNING and not clock.course.hours.is_open(at):
        return OUTSIDE
    return "missed" if clock.state == ClockState.MISSED else ""


def worst(faces: Sequence[Face]) -> Face | None:
    """The breached client clock that the page must speak of first, if there is one."""
    return next(
        (f for f in faces if f.state == "breached" and f.clock.party == "SLA" and not f.clock.stopped_at),
        None,
    )
