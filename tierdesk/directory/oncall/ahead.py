"""The coming gaps of a schedule: which of them are news, and to whom nobody has said so yet.

The leads hear of a gap once, when it comes into the fourteen days ahead, and once more when it is a day away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from django.utils import dateformat
from django.utils.translation import gettext as _

from tierdesk.directory.oncall.models import Schedule, ToldGap
from tierdesk.directory.oncall.rota import Span
from tierdesk.directory.staff.models import Team

AHEAD = timedelta(days=14)
SIGHT = 2 * AHEAD
"""A gap that begins in the days ahead is followed up to here; what goes on longer has no end in sight."""

NEAR = timedelta(days=1)
EVERY = timedelta(hours=6)
"""A schedule is looked at so often, besides whenever somebody changes it: holidays and accounts change elsewhere."""

NAMED_AT_MOST = 5


class Tell(Protocol):
    """Tells those who answer for a team, on the desk and by mail; `kind` names the words, `path` is where to act."""

    def __call__(
        self, team: Team, kind: str, values: Mapping[str, object], *, path: str, at: datetime
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Gap:
    """A time when nobody is on call, though somebody is needed. `to_at` None: no end is in sight.

    `told_at`, `near_at`: when the leads were told of it, and told again; None: not yet.
    """

    from_at: datetime
    to_at: datetime | None
    told_at: datetime | None = None
    near_at: datetime | None = None

    def covers(self, other: Gap) -> bool:
        reaches = self.to_at is None or (other.to_at is not None and other.to_at <= self.to_at)
        return self.from_at <= other.from_at and reaches


def seen(spans: Sequence[Span], at: datetime) -> list[Gap]:
    """Of the gaps in sight, those that begin in the days ahead."""
    return [Gap(begins, ends if ends < at + SIGHT else None) for begins, ends in spans if begins < at + AHEAD]


def weighed(gaps: Sequence[Gap], known: Sequence[Gap], at: datetime) -> tuple[list[Gap], list[Gap]]:
    """(all gaps, as they are told of from now on; those of them that are news at `at`). Pure.

    A gap that lies within a known one is known; one that grew is not. Of a known gap in two pieces each is told
    again when it is near.
    """
    now, news = [], []
    for gap in gaps:
        before = next((one for one in known if one.covers(gap)), None)
        if before and gap.from_at <= at:
            gap = replace(gap, from_at=before.from_at)  # it goes on: nobody saw its beginning move
        told = before.told_at if before else None
        near = before.near_at if before else None
        if near is not None and gap.from_at - near > NEAR:
            near = None  # that was about an earlier piece
        is_near = gap.from_at - at <= NEAR
        fresh = replace(gap, told_at=told or at, near_at=near or (at if is_near else None))
        now.append(fresh)
        if told is None or (is_near and near is None):
            news.append(fresh)
    return now, news


def next_look(gaps: Sequence[Gap], at: datetime) -> datetime:
    """When a gap comes near, or in some hours."""
    return min([at + EVERY, *(gap.from_at - NEAR for gap in gaps if gap.near_at is None)])


type Follow = Callable[[list[Any], datetime], None]
"""Lets what waits for somebody on call by these schedules follow a change."""


def look_ahead(tell: Tell, follow: Follow) -> Callable[[list[Any], datetime], None]:
    """What due schedules do: their coming gaps are looked at, and `tell` says those that are news.

    They are due when somebody changed them as well, so what waits follows.
    """

    def act(due: list[Any], at: datetime) -> None:
        follow(due, at)
        schedules = Schedule.objects.with_rota().prefetch_related("told_gaps")
        for schedule in schedules.filter(pk__in=[one.pk for one in due]).order_by("pk"):
            _look(schedule, tell, at)

    return act


def _look(schedule: Schedule, tell: Tell, at: datetime) -> None:
    known = [Gap(one.from_at, one.to_at, one.told_at, one.near_at) for one in schedule.told_gaps.all()]
    gaps, news = weighed(seen(schedule.rota.missing(at, at + SIGHT), at), known, at)
    if gaps != known:
        schedule.told_gaps.all().delete()
        ToldGap.objects.bulk_create(
            ToldGap(
                schedule=schedule,
                from_at=gap.from_at,
                to_at=gap.to_at,
                told_at=gap.told_at or at,
                near_at=gap.near_at,
            )
            for gap in gaps
        )
    if news:
        tell(
            schedule.team,
            "duty_gap",
            _values(schedule, news, at),
            path=f"/on-call/schedules/{schedule.key}/",
            at=at,
        )
    schedule.look_again(next_look(gaps, at))


def _values(schedule: Schedule, news: Sequence[Gap], at: datetime) -> dict[str, object]:
    zone = ZoneInfo(schedule.timezone)
    named = "; ".join(_said(gap, at, zone) for gap in news[:NAMED_AT_MOST])
    more = len(news) - NAMED_AT_MOST
    return {
        "schedule": schedule.name,
        "gaps": f"{named} {_('and %d more') % more}" if more > 0 else named,
        "zone": schedule.timezone,
    }


def _said(gap: Gap, at: datetime, zone: ZoneInfo) -> str:
    """`Sat 13 Jun, 09:00 – Mon 15 Jun, 09:00`, or `Fri 12 Jun, 16:00 – 17:00`, in the schedule's own time."""
    begins = _("now") if gap.from_at <= at else _local(gap.from_at, zone)
    if gap.to_at is None:
        return _("from %s on") % begins
    same_day = max(gap.from_at, at).astimezone(zone).date() == gap.to_at.astimezone(zone).date()
    return f"{begins} – {_local(gap.to_at, zone, 'H:i' if same_day else 'D j M, H:i')}"


def _local(at: datetime, zone: ZoneInfo, form: str = "D j M, H:i") -> str:
    return dateformat.format(at.astimezone(zone), form)
