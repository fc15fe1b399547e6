"""Shifts are taken over from a calendar file: whose each of them is, and what that changes in the schedule.

Whole or nothing, and as often as one likes: the file says all that is taken over from now to a year ahead, so what it
says again stays, and what it says no more is taken back. Layers lie beneath, overrides by hand above (rota.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from itertools import pairwise
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from tierdesk.directory.oncall.models import (
    LONGEST_OVERRIDE,
    LONGEST_REASON,
    Override,
    Schedule,
    UnableToStandIn,
)
from tierdesk.directory.oncall.said import Said, said
from tierdesk.directory.staff.models import Agent, User

AHEAD = LONGEST_OVERRIDE
NAMED_AT_MOST = 5
"""Overlaps in one refusal."""


@dataclass(frozen=True, slots=True)
class Name:
    """What the file calls somebody, how often ahead, and who that seems to be."""

    label: str
    shifts: int
    agent: Agent | None


@dataclass(frozen=True, slots=True)
class Taken:
    """A shift of the file, when it is known whose it is. `reason` is what the file called it."""

    agent: Agent
    from_at: datetime
    to_at: datetime
    reason: str

    @property
    def key(self) -> tuple[int, datetime, datetime]:
        return self.agent.pk, self.from_at, self.to_at


@dataclass(frozen=True, slots=True)
class Change:
    """What taking over changes: shifts that come, that stay as they are, and overrides that go."""

    comes: list[Taken]
    stays: list[Taken]
    goes: list[Override]


def read(text: str, schedule: Schedule, *, days_begin: time, at: datetime) -> list[Said]:
    """What the file says of the year ahead. Raises UnreadableCalendar."""
    return said(text, at, at + AHEAD, zone=ZoneInfo(schedule.timezone), days_begin=days_begin)


def names(shifts: Iterable[Said], people: Sequence[Agent]) -> list[Name]:
    """Each name of the file once, in the order of first shifts, with whom of `people` it seems to mean."""
    count: dict[str, int] = {}
    first: dict[str, Said] = {}
    for shift in shifts:
        first.setdefault(shift.label, shift)
        count[shift.label] = count.get(shift.label, 0) + 1
    return [Name(label, count[label], meant(shift, people)) for label, shift in first.items()]


def meant(shift: Said, people: Sequence[Agent]) -> Agent | None:
    """Whose shift it seems to be: the only one invited, else the only one it names. None: nobody, or several."""
    for found in (
        [agent for agent in people if agent.user.email.lower() in shift.mails],
        [agent for agent in people if _says(shift.label, agent.name) or _says(shift.label, agent.user.email)],
        [agent for agent in people if _says(shift.label, agent.name.partition(" ")[0])],
    ):
        if found:
            return found[0] if len(found) == 1 else None
    return None


def chosen(
    shifts: Iterable[Said], who: Mapping[str, Agent | None], *, words: Callable[[datetime], str]
) -> list[Taken]:
    """The shifts of whom `who` names by label; those of nobody are left out. One person's, end to end, are one.

    Raises UnableToStandIn where two people would be on call at once; `words` says a time to whoever reads it.
    """
    of_people = [
        Taken(agent, shift.from_at, shift.to_at, shift.label[:LONGEST_REASON])
        for shift in shifts
        if (agent := who[shift.label]) is not None
    ]
    taken: list[Taken] = []
    for one in sorted(of_people, key=lambda one: (one.from_at, one.to_at)):
        if taken and taken[-1].agent == one.agent and one.from_at <= taken[-1].to_at:
            taken[-1] = replace(taken[-1], to_at=max(taken[-1].to_at, one.to_at))
        else:
            taken.append(one)
    overlaps = [(one, other) for one, other in pairwise(taken) if other.from_at < one.to_at]
    if overlaps:
        raise UnableToStandIn(
            _(
                "One person at a time is called, but the file has two at once: %(which)s. Leave one of them out."
            )
            % {"which": "; ".join(_overlap(*both, words) for both in overlaps[:NAMED_AT_MOST])}
        )
    return taken


def compared(schedule: Schedule, taken: Iterable[Taken], at: datetime) -> Change:
    """What would change if these were taken over at `at`."""
    standing = (
        schedule.overrides.standing().filter(is_taken_over=True, to_at__gt=at).select_related("agent__user")
    )
    ahead = {_key(one, at): one for one in standing}
    change = Change([], [], [])
    for one in taken:
        (change.stays if ahead.pop(one.key, None) else change.comes).append(one)
    change.goes.extend(ahead.values())
    return change


def take_over(schedule: Schedule, taken: Sequence[Taken], *, by: User | None, at: datetime) -> Change:
    """Let these, and none else, be what was taken over. Raises UnableToStandIn, and says why.

    `by`: who wanted it; None where their account is gone.
    """
    for one in taken:
        if not schedule.may_be_called(one.agent):
            raise UnableToStandIn(
                _("%(who)s is not of %(team)s, or cannot sign in; choose somebody who is.")
                % {"who": one.agent.name, "team": schedule.team.name}
            )
    with transaction.atomic():
        # Two people at once: the second finds what the first took over.
        Schedule.objects.select_for_update(of=("self",)).get(pk=schedule.pk)
        change = compared(schedule, taken, at)
        gone = schedule.overrides.filter(pk__in=[one.pk for one in change.goes])
        gone.filter(from_at__lt=at).update(to_at=at, withdrawn_by=by)  # what is over says who was on call
        gone.filter(from_at__gte=at).update(withdrawn_at=at, withdrawn_by=by)
        schedule.overrides.bulk_create(
            Override(
                schedule=schedule,
                agent=one.agent,
                from_at=one.from_at,
                to_at=one.to_at,
                reason=one.reason,
                is_taken_over=True,
                made_by=by,
                made_at=at,
            )
            for one in change.comes
        )
        schedule.look_again(at)
    return change


def _says(words: str, name: str) -> bool:
    """The name stands in the words by itself, in whatever case."""
    return bool(name) and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", words, re.IGNORECASE) is not None


def _overlap(one: Taken, other: Taken, words: Callable[[datetime], str]) -> str:
    return _("%(one)s and %(other)s from %(from)s to %(to)s") % {
        "one": one.agent.name,
        "other": other.agent.name,
        "from": words(other.from_at),
        "to": words(min(one.to_at, other.to_at)),
    }


def _key(override: Override, at: datetime) -> tuple[int, datetime, datetime]:
    """Of what has begun, the rest."""
    return override.agent_id, max(override.from_at, at), override.to_at
