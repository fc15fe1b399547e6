"""Who may do what about a major incident. It stands above the matrix, so it needs a right."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from tierdesk.directory.oncall.models import Schedule
from tierdesk.directory.staff.models import Agent, Membership
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
    return agent.pk in _on_call(ticket, at)


def who_may_declare(people: QuerySet[Agent], ticket: Ticket, at: datetime) -> QuerySet[Agent]:
    """Those of these people, who see the ticket, that may."""
    teams = [team for team in (ticket.team_id, ticket.voice_team_id) if team is not None]
    leads = Membership.objects.filter(team__in=teams, is_lead=True).values("agent")
    on_call = Membership.objects.filter(team=ticket.team_id, agent__in=_on_call(ticket, at)).values("agent")
    return people.filter(Q(is_manager=True) | Q(pk__in=leads) | Q(pk__in=on_call))


def _on_call(ticket: Ticket, at: datetime) -> set[int]:
    """Who is on call for the team that has the ticket."""
    schedules = Schedule.objects.filter(team=ticket.team_id).with_rota()
    holders = [schedule.on_call(at) for schedule in schedules]
    return {holder.pk for holder in holders if holder is not None}
