"""The service report, for managers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Self

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import BaseModel, Field

from tierdesk.core import clock
from tierdesk.learning.analytics.report import DEFINITIONS, Line, Report, last_days, report
from tierdesk.web.api.bearer import caller, only_managers
from tierdesk.web.api.errors import REFUSALS
from tierdesk.web.api.fields import Asked

router = Router(tags=["report"])

LONGEST_PERIOD = 366


class Figures(BaseModel):
    """Counts, and hours around the clock; what each means is in `definitions`."""

    open: int
    at_risk: int
    breached: int
    resolved: int
    first_tier_resolved: int
    first_tier_percent: int | None
    escalations: int
    returns: int
    hours: float
    open_requests: int
    resolved_requests: int

    @classmethod
    def of(cls, line: Line) -> Self:
        return cls(**{name: getattr(line, name) for name in cls.model_fields})


class OfClient(BaseModel):
    id: int
    name: str
    figures: Figures


class ReportShown(BaseModel):
    """From `start` (inclusive) to `end` (exclusive): all together, per tier and per client."""

    start: datetime
    end: datetime
    total: Figures
    tiers: dict[str, Figures]
    clients: list[OfClient]
    definitions: Mapping[str, str]

    @classmethod
    def of(cls, figures: Report) -> Self:
        return cls(
            start=figures.start,
            end=figures.end,
            total=Figures.of(figures.total),
            tiers={f"L{tier}": Figures.of(line) for tier, line in figures.by_tier.items()},
            clients=[
                OfClient(id=pk, name=figures.clients.get(pk, ""), figures=Figures.of(line))
                for pk, line in figures.by_client.items()
            ],
            definitions=DEFINITIONS,
        )


class Period(Asked):
    """The last `days` days up to now."""

    days: Annotated[int, Field(ge=1, le=LONGEST_PERIOD)] = 30


@router.get("", response={200: ReportShown, **REFUSALS})
def show_report(request: HttpRequest, period: Query[Period]) -> ReportShown:
    """How the desk did. For agents who are no managers it does not exist (404)."""
    only_managers(request)
    return ReportShown.of(report(caller(request), *last_days(period.days, clock.now())))
