"""A shift hands its work to the next one: what it said, frozen, and the names of both who answer for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, Self

from django.db import models, transaction
from django.db.models import Q

from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import ClientRows
from tierdesk.directory.staff.models import Agent, Membership, Team, User
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Ticket

HOURS = (4, 8, 12, 24, 72)
"""How long the next shift may be, in hours; the longest is a weekend."""


GRACE = timedelta(minutes=15)
"""So long a signed hand-over may wait, before those who may take it are told that it does."""


class Section(models.TextChoices):
    """What the next shift must know, in the order in which it should be read."""

    URGENT = "urgent", "Urgent and open"
    RUNS_OUT = "runs_out", "Promises that run out"
    PROMISED = "promised", "What was said for when"
    HANDED = "handed", "Hand-overs and advice"
    WAITS = "waits", "What waits for whom"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to know about one ticket. `at`: when it comes, or since when it is so. `who`: whose it is, if any's."""

    section: Section
    ticket: Ticket
    words: str
    at: datetime | None = None
    who: str = ""


class Tell(Protocol):
    """Tells these agents of a matter of their team, on the desk and by mail."""

    def __call__(
        self,
        team: Team,
        agents: Iterable[Agent],
        kind: str,
        values: Mapping[str, object],
        *,
        path: str,
        at: datetime,
    ) -> None: ...


class ShiftHandOvers(models.QuerySet["ShiftHandOver"]):
    def visible_to(self, user: User) -> Self:
        """A team's own, for its members; all of them for an administrator."""
        if user.is_admin:
            return self
        return self.filter(team__in=user.agent.team_ids) if user.is_agent else self.none()


class ShiftHandOver(models.Model):
    """One change of shifts of one team. `hours`: how far it looked ahead. Signed by two, or waiting for the second.

    `wake_at`: when somebody is told that it waits.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="shift_hand_overs", db_index=False)
    hours = models.PositiveSmallIntegerField()
    handed_by = models.ForeignKey(
        Agent, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    handed_at = models.DateTimeField()
    note = models.TextField(blank=True)
    taken_by = models.ForeignKey(
        Agent, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    taken_at = models.DateTimeField(null=True, blank=True)
    remark = models.TextField(blank=True)
    wake_at = models.DateTimeField(null=True, blank=True)

    objects = ShiftHandOvers.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["team", "-id"], name="shifts_of_a_team"),
            models.Index(fields=["wake_at"], name="shifts_that_wait", condition=Q(wake_at__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(taken_at__isnull=True) | Q(wake_at__isnull=True),
                name="nobody_is_told_of_a_shift_that_was_taken",
            )
        ]

    def __str__(self) -> str:
        return f"{self.team.name}, {self.handed_at:%Y-%m-%d %H:%M} UTC"

    @classmethod
    def sign(
        cls,
        team: Team,
        *,
        by: Agent,
        at: datetime,
        hours: int,
        note: str,
        lines: Sequence[Line],
        seen: int | None,
    ) -> ShiftHandOver:
        """The outgoing lead signs what the board says now. `seen`: the newest one that their page showed.

        Raises UnableTo if they may not, or if somebody signed in the meantime.
        """
        if hours not in HOURS:
            raise UnableTo(f"Look {', '.join(map(str, HOURS[:-1]))} or {HOURS[-1]} hours ahead.")
        _check_may_sign(team, by)
        with transaction.atomic():
            Team.objects.select_for_update(no_key=True).get(pk=team.pk)
            newest = cls.objects.filter(team=team).first()
            if (newest.pk if newest else None) != seen:
                raise UnableTo("Somebody has handed the shift over in the meantime. Look at it first.")
            made = cls.objects.create(
                team=team, hours=hours, handed_by=by, handed_at=at, note=note.strip(), wake_at=at + GRACE
            )
            ShiftLine.objects.bulk_create(
                [
                    ShiftLine(
                        client_id=line.ticket.client_id,
                        hand_over=made,
                        ticket=line.ticket,
                        section=line.section,
                        words=line.words[:300],
                        at=line.at,
                        who=line.who[:200],
                    )
                    for line in lines
                ]
            )
        return made

    def take(self, by: Agent, *, at: datetime, remark: str) -> None:
        """The incoming lead signs. Raises UnableTo if they may not, gave it themselves, or another was faster."""
        if by.pk == self.handed_by_id:
            raise UnableTo("You handed it over yourself; somebody else takes it.")
        _check_may_sign(self.team, by, besides=self.handed_by_id)
        waiting = type(self).objects.filter(pk=self.pk, taken_at=None)
        if not waiting.update(taken_by=by, taken_at=at, remark=remark.strip(), wake_at=None):
            raise UnableTo("Somebody has taken it already.")


class ShiftLine(models.Model):
    """A line of the board as it was when it was signed."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, db_index=False)
    hand_over = models.ForeignKey(ShiftHandOver, on_delete=models.CASCADE, related_name="lines")
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="+")
    section = models.CharField(max_length=8, choices=Section.choices)
    words = models.CharField(max_length=300)
    at = models.DateTimeField(null=True, blank=True)
    who = models.CharField(max_length=200, blank=True)

    objects = ClientRows.as_manager()

    class Meta:
        ordering = ["id"]


def may_sign(team: Team, agent: Agent, *, besides: int | None = None) -> bool:
    """A lead of the team; any member where it has no lead who is there, `besides` the agent who signed already."""
    own = [membership for membership in agent.standing if membership.team_id == team.pk]
    if not own:
        return False
    return own[0].is_lead or not _there(team, besides).filter(is_lead=True).exists()


def remind_takers(tell: Tell) -> Callable[[list[Any], datetime], None]:
    """What hand-overs do that nobody has taken in time: those who may are told, once. An overtaken one is silent."""

    def act(waiting: list[Any], at: datetime) -> None:
        keys = [one.pk for one in waiting]
        ShiftHandOver.objects.filter(pk__in=keys).update(wake_at=None)
        for one in ShiftHandOver.objects.filter(pk__in=keys).select_related("team", "handed_by__user"):
            newest = ShiftHandOver.objects.filter(team=one.team_id).first()
            if newest == one:
                who = one.handed_by.name if one.handed_by else "Somebody"
                told = {"who": who, "time": f"{one.handed_at:%H:%M} UTC"}
                path = f"/shifts/{one.team.key}/{one.pk}/"
                tell(one.team, _takers(one), "shift_waits", told, path=path, at=at)

    return act


def _takers(one: ShiftHandOver) -> list[Agent]:
    """The leads who are there; where none is, the whole team. Never whoever gave it."""
    there = _there(one.team, one.handed_by_id).select_related("agent__user")
    return [its.agent for its in there.filter(is_lead=True) or there]


def _there(team: Team, besides: int | None) -> models.QuerySet[Membership]:
    there = team.memberships.filter(agent__is_away=False, agent__user__is_active=True)
    return there.exclude(agent=besides).order_by("pk")


def _check_may_sign(team: Team, agent: Agent, *, besides: int | None = None) -> None:
    if not may_sign(team, agent, besides=besides):
        raise UnableTo(f"A lead of {team.name} signs for the shift.")
