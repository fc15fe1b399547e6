"""Rungs of the ladder that a contract asks for beside the warning and the breach: each is a row that wakes by itself.

Where a contract asks for none there are no rows, and nothing here is read or written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from tierdesk.core import rows
from tierdesk.core.work import record
from tierdesk.directory.contracts.models import Metric, Party
from tierdesk.response.sla.facts import RungReached
from tierdesk.response.sla.marks import Mark
from tierdesk.response.sla.models import GOING, Clock, ClockState, Rung
from tierdesk.response.sla.terms import Terms
from tierdesk.tickets.models import Ticket

COLUMNS = ["client_id", "clock_id", "mark", "tell", "teams", "wake_at"]
USUAL = (Metric.RESOLVE.value,)
"""Of which promises to the client a rung speaks, if it does not say."""


def lay_rungs(tickets: Iterable[Any], terms: Terms) -> None:
    """Work out again when the clocks of these tickets reach the rungs that their contracts ask for.

    What was reached stays reached, unless the clock began anew since.
    """
    asked = {ticket.pk: agreed for ticket in tickets if (agreed := terms.rungs(ticket))}
    if not asked:
        return
    clocks = list(Clock.objects.filter(ticket__in=asked, party=Party.SLA, state__in=GOING))
    reached = _forget_all_but_reached(clocks)
    lines = [
        line
        for clock in clocks
        if clock.state == ClockState.RUNNING
        for line in _rungs_of(clock, asked[clock.ticket_id], reached[clock.pk])
    ]
    rows.insert(Rung, COLUMNS, lines)


def _forget_all_but_reached(clocks: Sequence[Clock]) -> defaultdict[int, set[str]]:
    begun = {clock.pk: clock.counting_from for clock in clocks}
    kept: defaultdict[int, set[str]] = defaultdict(set)
    gone = []
    for rung in Rung.objects.filter(clock__in=begun):
        if rung.reached_at is not None and rung.reached_at >= begun[rung.clock_id]:
            kept[rung.clock_id].add(rung.mark)
        else:
            gone.append(rung.pk)
    if gone:
        Rung.objects.filter(pk__in=gone).delete()
    return kept


def _rungs_of(clock: Clock, asked: Sequence[Mapping[str, Any]], reached: set[str]) -> Iterator[Sequence[Any]]:
    course = clock.course
    for rung in asked:
        used = Mark.of(rung["at"]).used(clock.target)
        if used is None or clock.metric not in (rung.get("of") or USUAL) or rung["at"] in reached:
            continue
        at = course.uses_up(used)
        if at is not None:
            yield clock.client_id, clock.pk, rung["at"], rung["tell"], rung.get("teams", []), at


def reach_rungs(due: list[Any], at: datetime) -> None:
    """What due rungs do: say that they are reached, all of a clock's at once; those of a clock that stands are left."""
    clocks = Clock.objects.in_bulk({rung.clock_id for rung in due})
    tickets = Ticket.objects.select_related("team").in_bulk({clock.ticket_id for clock in clocks.values()})
    told: defaultdict[int, list[Rung]] = defaultdict(list)
    for rung in due:
        clock = clocks[rung.clock_id]
        if clock.state == ClockState.RUNNING:
            rung.reached_at = at
            if _concerns(rung, tickets[clock.ticket_id]):
                told[clock.pk].append(rung)
    rows.update(Rung, ["reached_at", "wake_at"], [[rung.pk, rung.reached_at, None] for rung in due])
    for pk, rungs in told.items():
        record(_reached(clocks[pk], tickets[clocks[pk].ticket_id], rungs))


def _concerns(rung: Rung, ticket: Ticket) -> bool:
    """Whether the rung is for the team that has the ticket now."""
    return not rung.teams or (ticket.team is not None and ticket.team.key in rung.teams)


def _reached(clock: Clock, ticket: Ticket, rungs: Sequence[Rung]) -> RungReached:
    return RungReached(
        ticket=ticket,
        clock=clock.pk,
        metric=clock.metric,
        party=clock.party,
        tier=clock.tier,
        due_at=clock.due_at.isoformat() if clock.due_at else "",
        marks=[rung.mark for rung in rungs],
        tell=list(dict.fromkeys(role for rung in rungs for role in rung.tell)),
    )
