"""Who is on call: the schedules of teams, their layers and overrides as rows. `rota.py` says, purely, who and when.

A schedule belongs to no client, as its team does not: there is no client's row to lock. Who may read it is said by
`visible_to`, who may change it by `may_change`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import sha256
from secrets import token_urlsafe
from typing import Self
from zoneinfo import ZoneInfo

from django.db import models, transaction
from django.db.models import F, Prefetch, Q
from django.utils.translation import gettext as _

from tierdesk.core import clock
from tierdesk.directory.calendars.models import Calendar
from tierdesk.directory.oncall import rota
from tierdesk.directory.oncall.rota import Rota, Shift
from tierdesk.directory.staff.models import Agent, Team, User

LONGEST_OVERRIDE = timedelta(days=366)
LONGEST_REASON = 200
"""Characters."""
TOKEN_BYTES = 24


class UnableToStandIn(ValueError):
    """Nobody can stand in like this. The text says why, to the person who asked for it."""


class Schedules(models.QuerySet["Schedule"]):
    def visible_to(self, user: User) -> Self:
        """Every agent sees every schedule: trouble climbs to other teams' people. Contacts see none."""
        return self if user.is_active and (user.is_admin or user.is_agent) else self.none()

    def with_rota(self) -> Self:
        """With all that their rotas are made of, so that none is fetched one by one."""
        layers = Layer.objects.select_related("calendar").prefetch_related(
            Prefetch("turns", Turn.objects.select_related("agent__user"))
        )
        overrides = Override.objects.standing().select_related("agent__user", "made_by")
        return self.select_related("team", "needed_in").prefetch_related(
            Prefetch("layers", layers), Prefetch("overrides", overrides, to_attr="standing_overrides")
        )


class Schedule(models.Model):
    """Who of a team is on call. Its local times are those of its zone.

    `needed_in`: somebody is to be on call in these hours, by the calendar's newest version; none: around the clock.
    `wake_at`: when it is looked at next whether anybody will be missing.
    """

    key = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="schedules")
    timezone = models.CharField(max_length=64, default="UTC")
    needed_in = models.ForeignKey(
        Calendar, on_delete=models.PROTECT, null=True, blank=True, related_name="needed_schedules"
    )
    wake_at = models.DateTimeField(null=True, blank=True, default=clock.now)

    objects = Schedules.as_manager()
    standing_overrides: list[Override]
    """What `with_rota` fetched."""

    class Meta:
        indexes = [
            models.Index(fields=["wake_at"], name="schedules_to_look_at", condition=Q(wake_at__isnull=False))
        ]

    def __str__(self) -> str:
        return self.name

    def on_call(self, at: datetime) -> Agent | None:
        """Who is on call at `at`; None when nobody is."""
        shift = self.rota.on_call(at)
        return None if shift is None else self.people[shift.who]

    def may_change(self, user: User) -> bool:
        """Whoever is of its team, managers and administrators."""
        if not user.is_active or not (user.is_admin or user.is_agent):
            return False
        return user.is_admin or user.agent.is_manager or self.team_id in user.agent.team_ids

    def stand_in(
        self, agent: Agent, from_at: datetime, to_at: datetime, *, reason: str, by: User, at: datetime
    ) -> Override:
        """Let somebody stand in for whoever would be on call. Raises UnableToStandIn, and says why."""
        reason = _said(reason)
        if to_at <= from_at:
            raise UnableToStandIn(_("It ends before it begins; correct one of the two times."))
        if to_at <= at:
            raise UnableToStandIn(_("That is over already: who was on call cannot be changed any more."))
        if to_at - from_at > LONGEST_OVERRIDE:
            raise UnableToStandIn(_("Nobody stands in for longer than a year; change the schedule instead."))
        if not self.may_be_called(agent):
            raise UnableToStandIn(
                _("%(who)s is not of %(team)s, or cannot sign in; choose somebody who is.")
                % {"who": agent.name, "team": self.team.name}
            )
        begins = max(from_at, at)
        if [shift.who for shift in self.rota.shifts(begins, to_at)] == [agent.pk] and not self.rota.gaps(
            begins, to_at
        ):
            raise UnableToStandIn(_("%(who)s is on call then as it is.") % {"who": agent.name})
        return self._override(agent, begins, to_at, reason=reason, by=by, at=at)

    def swap(
        self, one: Shift, other: Shift, *, reason: str, by: User, at: datetime
    ) -> tuple[Override, Override]:
        """Let two people take each other's shifts: both, or neither. Raises UnableToStandIn, and says why.

        Of a shift that is going on, the rest is swapped.
        """
        reason = _said(reason)
        if one.who == other.who:
            raise UnableToStandIn(_("Both shifts are the same person’s; choose shifts of two people."))
        if min(one.to_at, other.to_at) <= at:
            raise UnableToStandIn(_("That is over already: who was on call cannot be changed any more."))
        with transaction.atomic():
            first, second = (
                self._override(
                    self.people[taker.who], max(shift.from_at, at), shift.to_at, reason=reason, by=by, at=at
                )
                for shift, taker in ((one, other), (other, one))
            )
        return first, second

    def look_again(self, at: datetime) -> None:
        """Who is on call has changed: whether anybody will be missing is looked at now, not later."""
        type(self).objects.filter(pk=self.pk).update(wake_at=at)

    def candidates(self) -> list[Agent]:
        """Whoever may be called: the active people of the team, and those who have a turn; by name."""
        team = Agent.objects.filter(teams=self.team_id, user__is_active=True).select_related("user")
        people = {agent.pk: agent for agent in [*team, *self.people.values()] if agent.user.is_active}
        return sorted(people.values(), key=lambda agent: agent.name)

    def may_be_called(self, agent: Agent) -> bool:
        """Whoever can sign in and is of the team, or has a turn already."""
        return agent.user.is_active and (agent.pk in self.people or self.team_id in agent.team_ids)

    def _override(
        self, agent: Agent, from_at: datetime, to_at: datetime, *, reason: str, by: User, at: datetime
    ) -> Override:
        made: Override = self.overrides.create(
            agent=agent, from_at=from_at, to_at=to_at, reason=reason, made_by=by, made_at=at
        )
        self.look_again(at)  # afterwards: whoever looks must find it
        return made

    @cached_property
    def rota(self) -> Rota:
        """The schedule as a value, read once. People whose account is closed hold no turn: their time is a gap."""
        return Rota(
            zone=ZoneInfo(self.timezone),
            layers=tuple(layer.laid_out() for layer in self._layers),
            overrides=tuple(
                override.laid_out() for override in self._overrides if override.agent.user.is_active
            ),
            needed=self.needed_in.current().hours if self.needed_in else None,
        )

    @cached_property
    def people(self) -> dict[int, Agent]:
        """Everybody whom a turn or an override names, by key."""
        in_turn = [turn.agent for layer in self._layers for turn in layer.turns.all()]
        return {agent.pk: agent for agent in [*in_turn, *(override.agent for override in self._overrides)]}

    @property
    def _layers(self) -> Iterable[Layer]:
        return self._read.layers.all()

    @property
    def _overrides(self) -> list[Override]:
        """The later covers the earlier."""
        return self._read.standing_overrides

    @cached_property
    def _read(self) -> Schedule:
        """Itself with all that the rota is made of."""
        if hasattr(self, "standing_overrides"):
            return self
        return Schedule.objects.with_rota().get(pk=self.pk)


class Layer(models.Model):
    """People in turn, each for `shift_days` local days from `starts_date`, changing at local time `handover`.

    With a calendar it holds only in its hours, by the newest version. A layer with a higher `order` covers the others.
    """

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="layers")
    order = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=120)
    starts_date = models.DateField()
    shift_days = models.PositiveSmallIntegerField(default=7)
    handover = models.TimeField()
    calendar = models.ForeignKey(
        Calendar, on_delete=models.PROTECT, null=True, blank=True, related_name="on_call_layers"
    )

    class Meta:
        ordering = ["order"]
        constraints = [
            models.UniqueConstraint(fields=["schedule", "order"], name="layers_lie_one_over_another"),
            models.CheckConstraint(condition=Q(shift_days__range=(1, 365)), name="a_turn_has_days"),
        ]

    def __str__(self) -> str:
        return self.name

    def laid_out(self) -> rota.Layer:
        return rota.Layer(
            name=self.name,
            members=tuple(turn.agent_id if turn.agent.user.is_active else None for turn in self.turns.all()),
            starts=self.starts_date,
            turn_days=self.shift_days,
            handover=self.handover,
            hours=self.calendar.current().hours if self.calendar else None,
        )


class Turn(models.Model):
    """An agent's place in a layer."""

    layer = models.ForeignKey(Layer, on_delete=models.CASCADE, related_name="turns")
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE)
    order = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["order"]
        constraints = [models.UniqueConstraint(fields=["layer", "order"], name="one_agent_per_turn")]


class Overrides(models.QuerySet["Override"]):
    def standing(self) -> Self:
        """Those that nobody took back: what was taken over, and over it what was made by hand, as it was made."""
        return self.filter(withdrawn_at=None).order_by("-is_taken_over", "pk")


class Override(models.Model):
    """Somebody stands in for whoever would be on call, from `from_at` (inclusive) to `to_at` (exclusive).

    `made_by` is who said so; nobody where it was written before that was kept. It is taken back, never deleted;
    `withdrawn_by` without `withdrawn_at` ended it early. `is_taken_over`: a calendar file said it (takeover.py).
    """

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="overrides")
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE)
    from_at = models.DateTimeField()
    to_at = models.DateTimeField()
    reason = models.CharField(max_length=LONGEST_REASON, blank=True)
    is_taken_over = models.BooleanField(default=False, db_default=False)
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)

    objects = Overrides.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(to_at__gt=F("from_at")), name="an_override_has_length")
        ]

    def __str__(self) -> str:
        return f"{self.agent} stands in"

    def withdraw(self, *, by: User, at: datetime) -> None:
        """Take it back: from now on whoever would be on call is. Raises UnableToStandIn where that says nothing."""
        if self.to_at <= at:
            raise UnableToStandIn(_("That is over already: who was on call cannot be changed any more."))
        rows = Override.objects.filter(pk=self.pk, withdrawn_at=None, to_at=self.to_at)
        # Of what has begun, the part that is over stays: it says who was on call.
        begun = self.from_at < at
        changed = (
            rows.update(to_at=at, withdrawn_by=by) if begun else rows.update(withdrawn_at=at, withdrawn_by=by)
        )
        if not changed:
            raise UnableToStandIn(_("Somebody has taken it back already."))
        self.schedule.look_again(at)

    def laid_out(self) -> rota.Override:
        why = self.reason or "stands in"
        return rota.Override(self.agent_id, self.from_at, self.to_at, why, self.pk, self.is_taken_over)


class Subscription(models.Model):
    """A calendar at an address, whose shifts are taken over again and again (subscription.py); one of a schedule.

    Whoever knows the address reads the calendar, so it lies sealed. `who`: by what the calendar calls somebody the key
    of whoever it means, or null for who is left out. `days_begin`: when a whole day begins, by the schedule's clock.
    `trouble`: why the last answer was not taken over, since `trouble_since`; empty: it was. `is_told`: the leads were.
    """

    schedule = models.OneToOneField(Schedule, on_delete=models.CASCADE, related_name="subscription")
    address = models.BinaryField()
    days_begin = models.TimeField()
    who = models.JSONField(default=dict)
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField()
    trouble = models.CharField(max_length=500, blank=True, default="")
    trouble_since = models.DateTimeField(null=True)
    is_told = models.BooleanField(default=False)
    wake_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["wake_at"], name="calendars_to_ask", condition=Q(wake_at__isnull=False))
        ]

    def __str__(self) -> str:
        return f"{self.schedule}: a calendar that is asked"


class ToldGap(models.Model):
    """A coming gap that the leads of the team were told of; `to_at` is empty where no end was in sight.

    `near_at`: when they were told again, because it was near. It stays as long as the gap does: one that is filled is
    forgotten, and told anew if it opens again.
    """

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="told_gaps")
    from_at = models.DateTimeField()
    to_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField()
    near_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["from_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(to_at__isnull=True) | Q(to_at__gt=F("from_at")), name="a_told_gap_has_length"
            )
        ]

    def __str__(self) -> str:
        return f"{self.schedule}: nobody from {self.from_at:%Y-%m-%d %H:%M} UTC"


class Feed(models.Model):
    """A secret address at which a calendar program reads `owner`'s shifts, or the whole `schedule`.

    Only the token's digest is kept: it is shown once, and renewed when it is lost or has become known.
    """

    owner = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="feeds")
    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, null=True, related_name="feeds")
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "schedule"], nulls_distinct=False, name="one_feed_of_each_for_a_person"
            )
        ]

    def __str__(self) -> str:
        return f"{self.owner}: {self.schedule or 'own shifts'}"

    @classmethod
    def renew(cls, owner: Agent, schedule: Schedule | None, *, at: datetime) -> str:
        """A new token for this feed; the one before is void at once."""
        token = token_urlsafe(TOKEN_BYTES)
        cls.objects.update_or_create(
            owner=owner, schedule=schedule, defaults={"digest": digest(token), "made_at": at}
        )
        return token

    @classmethod
    def by_token(cls, token: str) -> Feed | None:
        """The feed that a token opens; None if it opens none, or its owner may not sign in any more."""
        feeds = cls.objects.select_related("owner__user", "schedule")
        return feeds.filter(digest=digest(token), owner__user__is_active=True).first()


def digest(token: str) -> str:
    """What is stored of a token and looked up: its SHA-256 in hexadecimal."""
    return sha256(token.encode(errors="surrogateescape")).hexdigest()


def _said(reason: str) -> str:
    """The reason, without which nobody stands in."""
    if not (reason := " ".join(reason.split())):
        raise UnableToStandIn(_("Say why; the others will read it."))
    if len(reason) > LONGEST_REASON:
        raise UnableToStandIn(_("Say it in %(most)d characters at most.") % {"most": LONGEST_REASON})
    return reason
