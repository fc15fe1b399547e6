"""A ticket's clocks: which promises run on it, and how they stand."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.http import HttpRequest
from ninja import Router
from pydantic import BaseModel

from tierdesk.core import clock as time
from tierdesk.response.sla.models import Clock, ClockState
from tierdesk.web.api.bearer import caller, ticket_of
from tierdesk.web.api.errors import REFUSALS

router = Router(tags=["clocks"])


class PauseShown(BaseModel):
    """`until` is null while it lasts."""

    since: datetime
    until: datetime | None
    reason: str


class ClockShown(BaseModel):
    """A promise running on a ticket. `target_s` and `elapsed_s` are working seconds of its calendar; of a promised date
    (`date`), which counts around the clock, real ones.

    `party`: SLA to the client, OLA of a tier of ours, UC from a vendor. `due_at` is null while it is paused or over.
    """

    id: int
    metric: str
    party: str
    tier: int | None
    priority: int
    state: ClockState
    target_s: int
    elapsed_s: float
    started_at: datetime
    due_at: datetime | None
    warned_at: datetime | None
    breached_at: datetime | None
    stopped_at: datetime | None
    pauses: list[PauseShown]

    @classmethod
    def of(cls, clock: Clock, at: datetime) -> Self:
        own = {name: getattr(clock, name) for name in cls.model_fields if name not in {"elapsed_s", "pauses"}}
        used = clock.elapsed_s if clock.elapsed_s is not None else clock.course.elapsed(at).total_seconds()
        pauses = [
            PauseShown(since=since, until=until, reason=reason) for since, until, reason in clock.pauses
        ]
        return cls(**own, elapsed_s=used, pauses=pauses)


@router.get("/{int:pk}/clocks", response={200: list[ClockShown], **REFUSALS})
def clocks(request: HttpRequest, pk: int) -> list[ClockShown]:
    """All clocks of a ticket as they stand now, in the order in which they started."""
    ticket, now = ticket_of(request, pk), time.now()
    rows = Clock.objects.visible_to(caller(request)).filter(ticket=ticket).order_by("started_at", "id")
    return [ClockShown.of(row, now) for row in rows]
