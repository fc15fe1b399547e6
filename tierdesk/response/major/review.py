"""Looking back at a major incident: what happened, and the tasks that came of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import models
from django.db.models import Q

from tierdesk.core.work import current, record
from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import InternalRows
from tierdesk.directory.staff.models import Agent
from tierdesk.response.major.facts import ActionDone, ActionDue
from tierdesk.tickets.lifecycle import UnableTo

LONGEST_ACTION = 500

MORNING = time(8)
"""When the owner of an action is reminded of it, on its day, in their own zone."""


class ReviewActions(InternalRows):
    def open(self) -> Self:
        return self.filter(done_at=None)


class ReviewAction(models.Model):
    """A task that came of a review: `owner` does it until `due_date`. Its owner is reminded once, on that day."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, db_index=False)
    incident = models.ForeignKey("major.MajorIncident", on_delete=models.CASCADE, related_name="actions")
    what = models.CharField(max_length=LONGEST_ACTION)
    owner = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="review_actions")
    due_date = models.DateField()
    done_by = models.ForeignKey(
        Agent, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    done_at = models.DateTimeField(null=True, blank=True)
    wake_at = models.DateTimeField(null=True, blank=True)

    objects = ReviewActions.as_manager()

    class Meta:
        ordering = ["due_date", "id"]
        indexes = [
            models.Index(fields=["wake_at"], name="actions_that_fall_due", condition=Q(wake_at__isnull=False))
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(done_at__isnull=True) | Q(wake_at__isnull=True),
                name="nobody_is_reminded_of_what_is_done",
            )
        ]

    def finish(self, by: Agent) -> None:
        """It is done, as its owner says, or somebody of the major incident. Raises UnableTo if it was already."""
        if by.pk != self.owner_id and not self.incident.is_worked_by(by, current().at):
            raise UnableTo(f"{self.owner.name} says when that is done, or whoever has a role in it.")
        done = {"done_by": by, "done_at": current().at, "wake_at": None}
        if not type(self).objects.open().filter(pk=self.pk).update(**done):
            raise UnableTo("That action is done already.")
        record(
            ActionDone(ticket=self.incident.ticket, incident=self.incident_id, action=self.pk, what=self.what)
        )


def morning_of(day: date, owner: Agent) -> datetime:
    """The instant at which the owner's day begins, in their zone; in UTC where the zone does not exist."""
    try:
        zone: ZoneInfo | Any = ZoneInfo(owner.user.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        zone = UTC
    return datetime.combine(day, MORNING, tzinfo=zone).astimezone(UTC)


def wake_actions(actions: Sequence[Any], at: datetime) -> None:
    """The day of an action has come: its owner is told, once."""
    ReviewAction.objects.filter(pk__in=[one.pk for one in actions]).update(wake_at=None)
    keyed = ReviewAction.objects.select_related("incident__ticket").in_bulk([one.pk for one in actions])
    for action in keyed.values():
        record(
            ActionDue(
                ticket=action.incident.ticket,
                incident=action.incident_id,
                action=action.pk,
                what=action.what,
                agent=action.owner_id,
            )
        )
