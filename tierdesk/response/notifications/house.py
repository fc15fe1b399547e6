"""What concerns the house and no ticket: whoever answers for it is told on the desk and by mail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from tierdesk.directory.staff.models import Agent, Team, User
from tierdesk.response.notifications import words
from tierdesk.response.notifications.models import Notice, NoticeState


def tell_administrators(kind: str, values: Mapping[str, object], at: datetime) -> None:
    """Those who are agents read it on the desk, too; `kind` names the words."""
    Notice.objects.bulk_create(_notices(_administrators(), kind, values, at))


def tell_leads(team: Team, kind: str, values: Mapping[str, object], *, path: str, at: datetime) -> None:
    """Those who answer for the team and are there, as `tell_agents` does."""
    leads = Agent.objects.filter(memberships__team=team, memberships__is_lead=True)
    tell_agents(team, leads, kind, values, path=path, at=at)


def tell_agents(
    team: Team, agents: Iterable[Agent], kind: str, values: Mapping[str, object], *, path: str, at: datetime
) -> None:
    """Those of these agents who are there hear of a matter of the team; managers where none is, else administrators.

    `path`: the page of the desk where something can be done about it.
    """
    there = User.objects.filter(is_active=True, agent__is_away=False).select_related("agent").order_by("pk")
    told = list(there.filter(agent__in=[agent.pk for agent in agents]))
    told = told or list(there.filter(agent__is_manager=True)) or list(_administrators())
    Notice.objects.bulk_create(_notices(told, kind, values, at, team=team, path=path))


@dataclass(frozen=True, slots=True)
class OfMany:
    """What these agents hear of many tickets of a team; the words name no client."""

    team: int
    agents: Sequence[int]
    values: Mapping[str, object]


def tell_of_many(matters: Sequence[OfMany], kind: str, *, path: str, at: datetime) -> None:
    """Exactly those whom each names, and nobody else; all of it read and written at once."""
    teams = Team.objects.in_bulk({matter.team for matter in matters})
    named = {agent for matter in matters for agent in matter.agents}
    there = User.objects.filter(is_active=True, agent__in=named).select_related("agent").order_by("pk")
    notices: list[Notice] = []
    for matter in matters:
        told = (one for one in there if one.agent.pk in matter.agents)
        notices += _notices(told, kind, matter.values, at, team=teams[matter.team], path=path)
    Notice.objects.bulk_create(notices)


def _administrators() -> Iterable[User]:
    return User.objects.filter(is_admin=True, is_active=True).select_related("agent")


def _notices(
    people: Iterable[User],
    kind: str,
    values: Mapping[str, object],
    at: datetime,
    *,
    team: Team | None = None,
    path: str = "",
) -> Iterator[Notice]:
    url = f"{settings.BASE_URL}{path}"
    subject, text = words.desk_notice(kind, {**values, "team": team.name if team else ""})
    wrapped = words.OF_TEAM if team else words.HOUSE
    mail = words.fill(wrapped, {"text": text, "url": url, "team": team.name if team else ""})
    told = {"kind": kind, "subject": subject, "created_at": at, "team": team, "path": path}
    for one in people:
        agent = getattr(one, "agent", None)
        if agent is not None:
            yield Notice(**told, channel="desk", agent=agent, text=text, state=NoticeState.SENT)
        yield Notice(**told, channel="mail", address=one.email, text=mail, automatic=True, wake_at=at)
