"""The next best ticket for somebody who asks: taken at once, by nobody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Case, Count, F, Value, When

from tierdesk.directory.staff.models import Agent, Membership
from tierdesk.response.assignment.decide import Candidate
from tierdesk.response.assignment.models import HELD, need
from tierdesk.response.assignment.rank import Ranked, Waiting, dominating, rank
from tierdesk.tickets.models import Ticket, Tickets

WINDOW = 100
"""So many of the most urgent of a team are compared, however many wait."""

COLUMNS = (
    "id team_id client_id priority next_due_at category__needs service__needs contact__language client__language"
    " contact_id"
).split()


def take_next_best(agent: Agent, *, at: datetime) -> Ticket | None:
    """Give `agent` the best of the tickets that nobody has in the queues of their teams; None if none is for them.

    Two who ask at once get two tickets: one that somebody is taking at this moment is passed over.
    """
    queue = Ticket.objects.visible_to(agent.user).unassigned().filter(state__in=HELD)
    held = _held(agent)
    ranked = rank(
        [_waiting(row) for team in sorted(agent.team_ids) for row in _window(queue.filter(team=team), held)],
        _candidate(agent),
        colleagues=_colleagues(agent),
        held=held,
        at=at,
    )
    ticket = _locked(queue, ranked)
    if ticket is not None:
        ticket.take(agent, why=next(one.why for one in ranked if one.ticket == ticket.pk))
    return ticket


def _window(queue: Tickets, held: Mapping[int, int]) -> list[dict[str, Any]]:
    """The most urgent; where a storm fills it, as many of others, which it would hide."""
    urgent = queue.order_by(F("next_due_at").asc(nulls_last=True), "id").values(*COLUMNS)
    first = list(urgent[:WINDOW])
    storms = dominating(held)
    if len(first) < WINDOW or not any(row["client_id"] in storms for row in first):
        return first
    others = urgent.exclude(client__in=storms)[:WINDOW]
    return list({row["id"]: row for row in (*first, *others)}.values())


def _locked(queue: Tickets, ranked: Sequence[Ranked]) -> Ticket | None:
    """The best that nobody else is taking, locked."""
    if not ranked:
        return None
    places = (When(pk=one.ticket, then=Value(place)) for place, one in enumerate(ranked))
    best = queue.filter(pk__in=[one.ticket for one in ranked]).order_by(Case(*places))
    found: Ticket | None = best.select_for_update(skip_locked=True, of=("self",)).first()
    return found


def _held(agent: Agent) -> dict[int, int]:
    """How many tickets of each client these teams work on."""
    in_hands = Ticket.objects.filter(
        team__in=agent.team_ids, state__in=HELD, assignee__isnull=False
    ).order_by()
    return dict(in_hands.values_list("client").annotate(many=Count("pk")))


def _waiting(row: Mapping[str, Any]) -> Waiting:
    language = (row["contact__language"] or row["client__language"]) if row["contact_id"] else ""
    return Waiting(
        ticket=row["id"],
        team=row["team_id"],
        client=row["client_id"],
        priority=row["priority"],
        due_at=row["next_due_at"],
        need=need(row["category__needs"] or {}, row["service__needs"] or {}, language, row["priority"]),
    )


def _colleagues(agent: Agent) -> dict[int, list[Candidate]]:
    others = Membership.objects.filter(team__in=agent.team_ids, agent__user__is_active=True)
    others = others.exclude(agent=agent).select_related("agent__user").prefetch_related("agent__skills")
    found: dict[int, list[Candidate]] = {}
    for member in others:
        found.setdefault(member.team_id, []).append(_candidate(member.agent))
    return found


def _candidate(agent: Agent) -> Candidate:
    return Candidate(
        agent=agent.pk,
        name=agent.name,
        skills={skill.platform: skill.level for skill in agent.skills.all()},
        speaks=agent.speaks,
        is_away=agent.is_away,
    )
