"""Sources that never say that trouble is over (syslog, Graylog): what is unheard for their quiet time, is over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from tierdesk.channels.alarms.models import Alarm, Source
from tierdesk.channels.alarms.normal import Action, AlarmEvent, said
from tierdesk.channels.alarms.speaking import speak_for
from tierdesk.core import rows

STANDING = (Alarm.State.OPEN, Alarm.State.ACKNOWLEDGED)


def await_quiet(alarms: Iterable[Alarm]) -> None:
    """Look at these again when their sources could have been quiet for long enough. The caller saves."""
    for alarm in alarms:
        if alarm.source.quiet_s:
            alarm.wake_at = _quiet_at(alarm)


def clear_quiet(alarms: Sequence[Alarm], at: datetime) -> list[Alarm]:
    """Of alarms whose time has come, clear those that nothing was heard of, and wait on for those that were.

    Returns the others: those that are cleared, and those that were only held back and have no ticket yet.
    """
    sources = Source.objects.filter(pk__in={alarm.source_id for alarm in alarms}, quiet_s__gt=0)
    quiet = {source.pk for source in sources}
    waiting = [a for a in alarms if a.source_id in quiet and a.state in STANDING and a.ticket_id]
    held = _held(waiting)
    for alarm in waiting:
        alarm.source = held.get(alarm.source_id, alarm.source)
    over = [alarm for alarm in waiting if alarm.source_id in held and _quiet_at(alarm) <= at]
    for alarm in over:
        alarm.wake_at = None
    await_quiet(alarm for alarm in waiting if alarm.source_id in held and alarm not in over)
    rows.update(Alarm, ["wake_at"], [(a.pk, a.wake_at) for a in waiting if a.source_id in held])
    speak_for([(alarm.source, _over(alarm, at)) for alarm in over], at)
    return [alarm for alarm in alarms if alarm not in waiting]


def _held(alarms: Sequence[Alarm]) -> dict[int, Source]:
    """The sources of these alarms, held, but for those that just now say something: their alarms stay due.

    We hold the alarms already. Intake holds the source first: to wait for it here could be for ever.
    """
    sources = Source.objects.filter(pk__in={alarm.source_id for alarm in alarms}).order_by("pk")
    return {source.pk: source for source in sources.select_for_update(skip_locked=True, no_key=True)}


def _quiet_at(alarm: Alarm) -> datetime:
    return alarm.last_at + timedelta(seconds=alarm.source.quiet_s)


def _over(alarm: Alarm, at: datetime) -> AlarmEvent:
    return said(
        action=Action.CLEAR,
        key=alarm.key,
        severity=alarm.severity,
        resource=alarm.resource,
        summary=alarm.summary,
        text="Nothing was heard of it for the quiet time of its source.",
        at=at,
    )
