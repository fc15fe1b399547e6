"""Who a target is at an instant: whoever is on call, is next, is of a team, or one person."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from tierdesk.directory.oncall.models import Schedule
from tierdesk.directory.staff.models import Agent, Team


@dataclass(frozen=True, slots=True)
class Called:
    """Somebody to call, `at` an instant, and why them.

    `target`: the duty by which they are called, or for which they are next; whoever that is when a page leaves gets it.
    `is_held`: they have it from `at` on, as nobody has it now.
    """

    agent: Agent
    why: str
    at: datetime
    target: str = ""
    is_held: bool = False


def called(target: str, at: datetime) -> list[Called]:
    """Everybody whom `target` means at `at`; empty if that is nobody who could sign in."""
    kind, _colon, name = target.partition(":")
    if kind == "team":
        team = Team.objects.filter(key=name).first()
        return [Called(agent, _("of %s") % team, at) for agent in _present(team)] if team else []
    if kind == "user":
        agents = Agent.objects.select_related("user").filter(user__email=name, user__is_active=True)
        return [Called(agent, _("named by the policy"), at) for agent in agents]
    schedule = _schedule(name)
    if schedule is None:
        return []
    if kind == "next":
        return [replace(one, at=at, target=target) for one in _next(schedule, at)]
    agent = schedule.on_call(at)
    return [Called(agent, _("on call: %s") % schedule.name, at, target)] if agent else []


def next_in(target: str, at: datetime) -> list[Called]:
    """Whoever is on call next where nobody is now, at the beginning of their shift."""
    kind, _colon, name = target.partition(":")
    schedule = _schedule(name) if kind in ("schedule", "next") else None
    held = _next(schedule, at) if schedule else []
    return [replace(one, target=f"schedule:{name}", is_held=True) for one in held]


def on_duty(target: str, at: datetime) -> Called | None:
    """Who has this duty at `at`, or is next for it, as it says; else who has it next; None if nobody ever has."""
    return next(iter([*called(target, at), *next_in(target, at)]), None)


def leads(target: str, at: datetime) -> list[Called]:
    """Those who answer for the team whose schedule, or which itself, `target` names."""
    kind, _colon, name = target.partition(":")
    schedule = _schedule(name) if kind in ("schedule", "next") else None
    team = schedule.team.key if schedule else name
    leading = Agent.objects.select_related("user").filter(
        memberships__team__key=team, memberships__is_lead=True, user__is_active=True
    )
    return [Called(agent, _("lead, as nobody is on call"), at) for agent in leading.order_by("pk")]


def _next(schedule: Schedule, at: datetime) -> list[Called]:
    shift = schedule.rota.next_shift(at)
    if shift is None:
        return []
    return [Called(schedule.people[shift.who], _("next on call: %s") % schedule.name, shift.from_at)]


def _schedule(key: str) -> Schedule | None:
    return Schedule.objects.with_rota().filter(key=key).first()


def _present(team: Team) -> QuerySet[Agent]:
    present = Agent.objects.filter(memberships__team=team, user__is_active=True, is_away=False)
    return present.select_related("user").order_by("pk")
