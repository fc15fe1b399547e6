"""Who is on call: schedules with a rotation and overrides. `roster.py` says, purely, who at an instant."""

from __future__ import annotations

from datetime import datetime

from django.db import models

from tierdesk.directory.oncall.roster import Override as RosterOverride
from tierdesk.directory.oncall.roster import Rotation, on_call
from tierdesk.directory.staff.models import Agent, Team


class Schedule(models.Model):
    """A rotation of agents for one team: each holds `shift_days` local days, handing over at `handover` o'clock."""

    key = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="schedules")
    timezone = models.CharField(max_length=64, default="UTC")
    starts_date = models.DateField()
    shift_days = models.PositiveSmallIntegerField(default=7)
    handover = models.TimeField()

    def __str__(self) -> str:
        return self.name

    def on_call(self, at: datetime) -> Agent | None:
        """Who holds this schedule at `at`; None when its rotation is empty."""
        turns = list(self.turns.select_related("agent__user").order_by("order"))
        agents = {turn.agent_id: turn.agent for turn in turns}
        overrides = self.overrides.filter(from_at__lte=at, to_at__gt=at).select_related("agent__user")
        standing_in = [RosterOverride(o.agent_id, o.from_at, o.to_at) for o in overrides]
        agents |= {o.agent_id: o.agent for o in overrides}
        rotation = Rotation(
            people=tuple(turn.agent_id for turn in turns),
            timezone=self.timezone,
            starts=self.starts_date,
            shift_days=self.shift_days,
            handover=self.handover,
        )
        who = on_call(rotation, standing_in, at)
        return None if who is None else agents[who]


class Turn(models.Model):
    """An agent's place in a rotation."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="turns")
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE)
    order = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["schedule", "order"], name="one_agent_per_turn")]


class Override(models.Model):
    """Somebody stands in for whoever would be on call."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="overrides")
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE)
    from_at = models.DateTimeField()
    to_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(to_at__gt=models.F("from_at")), name="an_override_has_length"
            )
        ]
