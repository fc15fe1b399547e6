"""Who of a team is at work at an instant, by its hours, theirs and their word: whom the desk could give a ticket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tierdesk.directory.calendars.hours import Hours
from tierdesk.directory.calendars.models import newest_hours
from tierdesk.directory.staff.models import Agent, Team

LOOKS = 1000
"""Openings that are tried: two calendars that share no hour in a year or so are taken to share none."""


@dataclass(frozen=True, slots=True)
class Presence:
    """`has_hours`: whether anybody said when they work. `is_open`: the team's own hours; `at_work`: names, then.

    `opens_at`: when somebody of an open team is there next; None where somebody is, and where nobody ever will be.
    """

    has_hours: bool
    is_open: bool
    at_work: tuple[str, ...]
    opens_at: datetime | None

    @property
    def is_nobody(self) -> bool:
        """Nobody can be given a ticket at that instant."""
        return not (self.is_open and self.at_work)


def presence_of(team: Team, at: datetime) -> Presence:
    """Three statements, however many people there are."""
    people = Agent.objects.filter(memberships__team=team, user__is_active=True).select_related("user")
    members = list(people.order_by("user__name", "pk").distinct())
    hours = newest_hours([team.hours_id, *(agent.hours_id for agent in members)])
    own = hours[team.hours_id] if team.hours_id is not None else None
    is_open = own is None or own.is_open(at)
    there = [agent for agent in members if not agent.is_away]
    at_work = [agent for agent in there if agent.hours_id is None or hours[agent.hours_id].is_open(at)]
    begins = [
        together([one for one in (own, hours.get(agent.hours_id or 0)) if one is not None], at)
        for agent in there
    ]
    is_somebody = is_open and bool(at_work)
    return Presence(
        has_hours=bool(hours),
        is_open=is_open,
        at_work=tuple(agent.name for agent in at_work) if is_open else (),
        opens_at=None if is_somebody else min((one for one in begins if one is not None), default=None),
    )


def together(all_of: Sequence[Hours], at: datetime) -> datetime | None:
    """From `at` on, the first instant at which all of these are open; None if they never are, as far as we look."""
    for _ in range(LOOKS):
        opens = [one.next_opening(at) for one in all_of]
        latest = at
        for one in opens:
            if one is None:
                return None
            latest = max(latest, one)
        if latest == at:
            return at
        at = latest
    return None
