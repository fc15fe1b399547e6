"""Who changed what on a clock, and when: its story, told from the timeline by a replay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tierdesk.directory.calendars.models import CalendarVersion
from tierdesk.directory.contracts.models import ContractVersion
from tierdesk.response.sla.models import Clock, ClockState
from tierdesk.response.sla.replay import ABOUT, lines_of, replay
from tierdesk.response.sla.terms import Terms
from tierdesk.tickets.models import Ticket

SEEN = (
    "state",
    "target_s",
    "date_at",
    "calendar_id",
    "priority",
    "pauses",
    "counting_from",
    "warned_at",
    "breached_at",
)


@dataclass(frozen=True, slots=True)
class Turn:
    """Something happened to the clock: when, by whom, through which kind of entry, and what it did, in plain values.

    `what`: started, paused, resumed, retargeted, moved, met, missed, cancelled, reopened, uncounted, warned, breached,
    or put_in: a pause, afterwards.
    `contract`: the version in force then (None: without a contract). `calendar`: the version that counts from then on;
    both as readers call them.
    `date_at`: the promised date, where it began or was moved.
    """

    at: datetime
    by: str
    kind: str
    what: str
    why: str
    target_s: int
    priority: int
    contract: str | None
    calendar: str
    date_at: datetime | None = None


def story(clock: Clock, ticket: Ticket) -> list[Turn]:
    """Every turn of this clock, oldest first. `ticket` is its ticket."""
    lines = lines_of([ticket.pk])[ticket.pk]
    told: list[tuple[Sequence[Any], dict[str, Any] | None, dict[str, Any]]] = []
    last: dict[str, Any] | None = None
    rows = Clock.objects.filter(ticket=ticket, pk__lt=clock.pk, metric=clock.metric)
    earlier = sum(_is(one, clock) for one in rows)  # the same promise may have been counted anew

    def watch(line: Sequence[Any], clocks: Sequence[Clock]) -> None:
        nonlocal last
        alike = [c for c in clocks if _is(c, clock)]
        if len(alike) <= earlier:
            return
        one = alike[earlier]
        seen = {name: getattr(one, name) for name in SEEN}
        if seen != last:
            told.append((line, last, seen))
            last = seen

    replay(tuple(getattr(ticket, name) for name in ABOUT), lines, Terms.of_all(), watch=watch)
    return _turns(told)


def _is(one: Clock, clock: Clock) -> bool:
    return (one.metric, one.party, one.tier, one.case_id, one.started_at) == (
        clock.metric,
        clock.party,
        clock.tier,
        clock.case_id,
        clock.started_at,
    )


def _turns(told: Sequence[tuple[Sequence[Any], dict[str, Any] | None, dict[str, Any]]]) -> list[Turn]:
    contracts = {
        version.pk: version.words
        for version in ContractVersion.objects.select_related("contract").filter(
            pk__in={line[9] for line, _, _ in told if line[9]}
        )
    }
    calendars = {
        version.pk: version.words
        for version in CalendarVersion.objects.select_related("calendar").filter(
            pk__in={seen["calendar_id"] for _, _, seen in told}
        )
    }
    return [
        Turn(
            at=line[1],
            by=line[4],
            kind=line[2],
            what="put_in" if before and line[2] == "wait_put_in" else _what(before, seen),
            why=str(line[-1].get("evidence") or line[-1].get("why") or line[-1].get("reason") or ""),
            target_s=seen["target_s"],
            priority=seen["priority"],
            contract=contracts.get(line[9]),
            calendar=calendars[seen["calendar_id"]],
            date_at=None if before and before["date_at"] == seen["date_at"] else seen["date_at"],
        )
        for line, before, seen in told
    ]


def _what(before: dict[str, Any] | None, after: dict[str, Any]) -> str:
    """The one word for what happened between two looks at the clock."""
    if before is None:
        return "started"
    if before["state"] != after["state"]:
        if after["state"] == ClockState.PAUSED:
            return "paused"
        if after["state"] == ClockState.RUNNING:
            return "resumed" if before["state"] == ClockState.PAUSED else "reopened"
        return str(after["state"])
    if before["date_at"] != after["date_at"]:
        return "moved"
    aims = ("target_s", "calendar_id", "priority", "counting_from")
    if any(before[name] != after[name] for name in aims):
        return "retargeted"
    if before["breached_at"] != after["breached_at"]:
        return "breached"
    if before["warned_at"] != after["warned_at"]:
        return "warned"
    return "uncounted"
