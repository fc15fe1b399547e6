"""What tiers asked of one another without handing over: how much advice was given, how fast, and what it took.

Advice counts in the period in which it was asked for. Coaching is advice that began as a hand-over (tiers.md §6).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from tierdesk.directory.clients.models import Client
from tierdesk.directory.staff.models import User
from tierdesk.response.tiers.consultations import Consultation

DEFINITIONS: Mapping[str, str] = {
    "Advice": "Questions to another tier that moved no ticket, by the team that was asked; by when they were asked.",
    "In time": "Answered by the time at which the advice was expected, counted in the hours of the contract.",
    "Coached": "Hand-overs that went back with a helper, because the tier below could solve them.",
    "Minutes": "What the givers said it took them; whoever said nothing is left out.",
}


@dataclass(frozen=True, slots=True)
class Advice:
    """One team's advice. `hours`: the median from question to answer, around the clock; None of no answers."""

    team: str
    asked: int
    answered: int
    in_time: int
    coached: int
    hours: float | None
    minutes: int


def advice(user: User, start: datetime, end: datetime, *, client: Client | None = None) -> Sequence[Advice]:
    """By team, those who were asked most first; of the clients that `user` may see, or of one of them."""
    asked = Consultation.objects.visible_to(user).filter(asked_at__gte=start, asked_at__lt=end)
    if client is not None:
        asked = asked.filter(client=client)
    by_team: defaultdict[str, list[Consultation]] = defaultdict(list)
    for one in asked.select_related("team"):
        by_team[one.team.name].append(one)
    found = [_of(team, own, end) for team, own in by_team.items()]
    return sorted(found, key=lambda line: (-line.asked, line.team))


def _of(team: str, own: Sequence[Consultation], end: datetime) -> Advice:
    took = [
        (one.answered_at - one.asked_at).total_seconds() / 3600 for one in own if one.answered_at is not None
    ]
    return Advice(
        team=team,
        asked=len(own),
        answered=len(took),
        in_time=sum(one.answered_at is not None and not one.is_late(end) for one in own),
        coached=sum(one.escalation_id is not None for one in own),
        hours=round(median(took), 1) if took else None,
        minutes=sum(one.minutes or 0 for one in own),
    )
