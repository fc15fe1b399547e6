"""What the ladder does when something happens elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from tierdesk.core.work import record
from tierdesk.directory.oncall.models import Schedule
from tierdesk.directory.staff.models import Agent
from tierdesk.response.tiers.facts import HierarchyTold
from tierdesk.response.tiers.ladder import rungs, to_tell
from tierdesk.response.tiers.models import Procedure
from tierdesk.tickets.models import Ticket


class ClockTold(Protocol):
    """What the hierarchy needs to know of a clock that warned or breached."""

    ticket: Ticket
    metric: str
    party: str
    tier: int | None
    at: datetime


def warn_hierarchy(facts: Sequence[ClockTold]) -> None:
    """Three quarters of a target are used: whoever stands on that rung is told."""
    _tell(facts, 75, "is about to be broken")


def tell_hierarchy(facts: Sequence[ClockTold]) -> None:
    """A promise is broken: the hierarchy is told. The ticket stays where it is."""
    _tell(facts, 100, "is broken")


def _tell(facts: Sequence[ClockTold], percent: int, what: str) -> None:
    room = _People()
    for fact in facts:
        ladder = rungs(room.procedure_of(fact.ticket).spec.get("ladder", ()))
        agents = sorted(room.in_roles(to_tell(ladder, percent), fact.ticket, fact.at))
        if agents:
            why = f"the promise “{fact.metric}” ({fact.party}) {what}"
            record(HierarchyTold(ticket=fact.ticket, percent=percent, agents=agents, why=why))


class _People:
    """Who holds which role, looked up once per team for a whole batch."""

    def __init__(self) -> None:
        self._leads: dict[int | None, set[int]] = {}
        self._duty: dict[int | None, set[int]] = {}
        self._managers: set[int] | None = None
        self._procedures: dict[tuple[int, int, int | None], Procedure] = {}

    def procedure_of(self, ticket: Ticket) -> Procedure:
        key = (ticket.client_id, ticket.tier, ticket.category_id)
        if key not in self._procedures:
            self._procedures[key] = Procedure.for_ticket(ticket)
        return self._procedures[key]

    def in_roles(self, roles: Iterable[str], ticket: Ticket, at: datetime) -> set[int]:
        found: set[int] = set()
        for role in roles:
            if role == "assignee" and ticket.assignee_id:
                found.add(ticket.assignee_id)
            elif role == "team_lead":
                found |= self._leads_of(ticket.team_id)
            elif role == "duty":
                found |= self._on_duty(ticket.team_id, at)
            elif role == "managers":
                found |= self._all_managers()
        return found

    def _leads_of(self, team: int | None) -> set[int]:
        if team not in self._leads:
            leads = Agent.objects.filter(memberships__team=team, memberships__is_lead=True)
            self._leads[team] = set(leads.values_list("pk", flat=True))
        return self._leads[team]

    def _on_duty(self, team: int | None, at: datetime) -> set[int]:
        if team not in self._duty:
            holders = [schedule.on_call(at) for schedule in Schedule.objects.filter(team=team)]
            self._duty[team] = {agent.pk for agent in holders if agent is not None}
        return self._duty[team]

    def _all_managers(self) -> set[int]:
        if self._managers is None:
            self._managers = set(Agent.objects.filter(is_manager=True).values_list("pk", flat=True))
        return self._managers
