"""The service report and the promises kept, for managers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import BaseModel, Field

from tierdesk.core import clock
from tierdesk.directory.clients.models import Client
from tierdesk.learning.analytics import attainment as promises
from tierdesk.learning.analytics.attainment import Attainment, Closing, Kind, Restated, attainment
from tierdesk.learning.analytics.closing import bounds
from tierdesk.learning.analytics.report import DEFINITIONS, Line, Report, last_days, report
from tierdesk.web.api.bearer import caller, only_managers
from tierdesk.web.api.errors import REFUSALS, Invalid
from tierdesk.web.api.fields import YEARS, Asked, Word

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


class Counted(BaseModel):
    """How many promises ended how. `percent` is null where none was kept or missed."""

    kept: int
    missed: int
    open_broken: int
    left_out: int
    percent: float | None

    @classmethod
    def of(cls, line: promises.Line) -> Self:
        return cls(**{name: getattr(line, name) for name in cls.model_fields})


class Promised(BaseModel):
    """One kind of promise: `party` is SLA (to clients), OLA (among our tiers) or UC (of vendors).

    `told`: as things were when the month was closed, or are, where it is not; `restated`: what counts by now, if other.
    """

    party: str
    metric: str
    tier: int | None
    priority: int
    told: Counted
    restated: Counted | None

    @classmethod
    def of(cls, kind: Kind, found: Attainment) -> Self:
        party, metric, tier, priority = kind
        by_now = found.closing.kinds.get(kind) if found.closing else None
        return cls(
            party=party,
            metric=metric,
            tier=tier,
            priority=priority,
            told=Counted.of(found.told(kind)),
            restated=Counted.of(by_now) if by_now else None,
        )


class OfContract(BaseModel):
    client: str
    contract: str
    told: Counted


class Closed(BaseModel):
    """For so many clients the month is closed, `of` so many, and so many promises count as something else since."""

    clients: int
    of: int
    at: datetime | None
    restatements: int

    @classmethod
    def as_of(cls, closing: Closing) -> Self:
        return cls(clients=closing.clients, of=closing.of, at=closing.closed_at, restatements=closing.changes)


class Restatement(BaseModel):
    """A promise of a closed month that counts as something else than was told; blank: not in this month.

    `ticket`: its id; null where it is another client's since. `entry`: the one of its timeline that says why.
    """

    at: datetime
    ticket: int | None
    entry: int | None
    party: str
    metric: str
    tier: int | None
    priority: int
    told_as: str
    counts_as: str

    @classmethod
    def of(cls, one: Restated) -> Self:
        return cls(
            at=one.at,
            ticket=one.ticket.pk if one.ticket else None,
            entry=one.entry.pk if one.entry else None,
            party=one.party,
            metric=one.metric,
            tier=one.tier,
            priority=one.priority,
            told_as=one.was,
            counts_as=one.counts,
        )


class AttainmentShown(BaseModel):
    """A month in the caller's zone. `total` and `restated_total` are of the promises to clients.

    `closed` is null while the month goes on. `restatements`: the newest ones.
    """

    month: str
    start: datetime
    end: datetime
    closed: Closed | None
    total: Counted
    restated_total: Counted
    promises: list[Promised]
    contracts: list[OfContract]
    restatements: list[Restatement]
    definitions: Mapping[str, str]

    @classmethod
    def of(cls, month: date, start: datetime, end: datetime, found: Attainment) -> Self:
        return cls(
            month=f"{month:%Y-%m}",
            start=start,
            end=end,
            closed=Closed.as_of(found.closing) if found.closing else None,
            total=Counted.of(found.total("SLA")),
            restated_total=Counted.of(found.by_now("SLA")),
            promises=[Promised.of(kind, found) for kind in found.every_kind()],
            contracts=[
                OfContract(client=client, contract=name, told=Counted.of(line))
                for client, name, line in found.contracts
            ],
            restatements=[Restatement.of(one) for one in found.closing.restated] if found.closing else [],
            definitions=promises.DEFINITIONS,
        )


class Month(Asked):
    """`month` as 2026-11, by default the one that goes on; of one `client`, or of all that the caller serves."""

    month: Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")] | None = None
    client: Word | None = None


@router.get("/attainment", response={200: AttainmentShown, **REFUSALS})
def show_attainment(request: HttpRequest, asked: Query[Month]) -> AttainmentShown:
    """Which promises of a month were kept. For agents who are no managers it does not exist (404)."""
    only_managers(request)
    user, now = caller(request), clock.now()
    zone = ZoneInfo(user.timezone)
    this_month = now.astimezone(zone).date().replace(day=1)
    month = _begun(asked.month, this_month) if asked.month else this_month
    client = None
    if asked.client is not None:
        client = Client.objects.visible_to(user).filter(key=asked.client).first()
        if client is None:
            raise Invalid("client", "there is no such client that you serve")
    start, end = bounds(month, zone)
    closed = None if month == this_month else month
    return AttainmentShown.of(
        month, start, end, attainment(user, start, end, now, client=client, month=closed)
    )


def _begun(month: str, this_month: date) -> date:
    first = date.fromisoformat(f"{month}-01") if int(month[:4]) in YEARS else None
    if first is None or first > this_month:
        raise Invalid("month", f"it lies between {YEARS[0]}-01 and {this_month:%Y-%m}")
    return first
