"""Who may do what about a major incident. It stands above the matrix, so it needs a right."""

from __future__ import annotations

from datetime import datetime

from tierdesk.directory.oncall.models import Schedule
from tierdesk.directory.staff.models import Agent
from tierdesk.tickets.models import Ticket

WHO = (
    "a manager, a lead of the team that has the ticket or talks to its contact, or whoever is on call for it"
)


def may_declare(agent: Agent, ticket: Ticket, at: datetime) -> bool:
    """Whether this agent declares a major incident, and stands it down: WHO. Seeing the ticket comes first.

    Whoever is on call may, because nobody else may be there at night.
    """
    if agent.is_manager or agent.leads(ticket.team_id) or agent.leads(ticket.voice_team_id):
        return True
    if ticket.team_id is None or ticket.team_id not in agent.team_ids:
        return False
    schedules = Schedule.objects.filter(team=ticket.team_id).with_rota()
    holders = [schedule.on_call(at) for schedule in schedules]
    return any(holder is not None and holder.pk == agent.pk for holder in holders)
