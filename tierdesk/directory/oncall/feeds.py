"""What a calendar program reads at a feed: its owner's shifts in every schedule, or all shifts and gaps of one.

It shows what its owner may see (`visible_to`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from tierdesk.directory.oncall.ical import Event, written
from tierdesk.directory.oncall.models import Feed, Schedule
from tierdesk.directory.oncall.rota import Shift, Span

BEFORE, AHEAD = timedelta(days=14), timedelta(days=120)


def calendar(feed: Feed, at: datetime) -> str:
    """The feed as an iCalendar object: from two weeks ago to four months ahead."""
    schedules = Schedule.objects.visible_to(feed.owner.user).with_rota().order_by("key")
    span = (at - BEFORE, at + AHEAD)
    if feed.schedule is not None:
        events = [event for one in schedules.filter(pk=feed.schedule.pk) for event in _everybody(one, span)]
        return written(_("On call: %(name)s") % {"name": feed.schedule.name}, events, at=at)
    events = [event for one in schedules for event in _own(one, feed.owner_id, span)]
    return written(_("On call: %(name)s") % {"name": feed.owner.name}, events, at=at)


def _own(schedule: Schedule, who: int, span: Span) -> Iterator[Event]:
    for shift in schedule.rota.shifts(*span):
        if shift.who == who:
            yield _event(schedule, shift, _("On call: %(name)s") % {"name": schedule.name}, span)


def _everybody(schedule: Schedule, span: Span) -> Iterator[Event]:
    for shift in schedule.rota.shifts(*span):
        yield _event(schedule, shift, f"{schedule.people[shift.who].name} · {schedule.name}", span)
    for start, stop in schedule.rota.missing(*span):
        uid = _uid(schedule, "nobody", (start, stop), span)
        summary = _("Nobody is on call: %(name)s") % {"name": schedule.name}
        yield Event(uid, start, stop, summary, _("No layer holds. Let somebody stand in."))


def _event(schedule: Schedule, shift: Shift, summary: str, span: Span) -> Event:
    why = _("Stands in: %(why)s") % {"why": shift.why} if shift.stands_in else shift.why
    uid = _uid(schedule, str(shift.who), (shift.from_at, shift.to_at), span)
    return Event(uid, shift.from_at, shift.to_at, summary, why)


def _uid(schedule: Schedule, who: str, time: Span, span: Span) -> str:
    """By the end: the beginning of what began long ago moves with the span, and so does an end that lies beyond it."""
    if time[1] < span[1]:
        place = f"{int(time[1].timestamp())}"
    else:
        place = f"from-{int(time[0].timestamp())}" if time[0] > span[0] else "always"
    return f"{schedule.key}-{who}-{place}@tierdesk"
