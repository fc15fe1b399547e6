"""Flapping: an alarm that comes and goes. It stays open and is quiet about it, until it has been calm for a while.

What it did is counted in what its source said, back through the alarms that it closed and opened again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import connection

from tierdesk.channels.alarms.facts import AlarmCalmed, AlarmFlaps
from tierdesk.channels.alarms.models import Alarm
from tierdesk.core import rows
from tierdesk.core.work import record

CHANGES = 4
WITHIN = timedelta(minutes=30)
CALM = timedelta(minutes=30)
REMEMBERED = timedelta(minutes=10)

CHANGED = """
    WITH RECURSIVE life (alarm, part, steps) AS (
        SELECT id, id, 0 FROM unnest(%(alarms)s::bigint[]) AS id
        UNION ALL
        SELECT life.alarm, past.id, life.steps + 1
        FROM life JOIN alarms_alarm AS later ON later.id = life.part
        JOIN alarms_alarm AS past ON past.id = later.previous_id
        WHERE past.cleared_at > %(since)s AND life.steps < 4
    )
    SELECT alarm FROM (
        SELECT life.alarm, said.action,
            lag(said.action) OVER (PARTITION BY life.alarm ORDER BY said.source_time, said.id) AS before
        FROM life CROSS JOIN LATERAL (
            SELECT event.id, event.action, event.source_time FROM alarms_event AS event
            WHERE event.alarm_id = life.part AND event.action IN ('raise', 'clear')
            ORDER BY event.id DESC LIMIT 500
        ) AS said
        WHERE said.source_time > %(since)s
    ) AS told
    GROUP BY alarm HAVING count(*) FILTER (WHERE action <> before) >= %(changes)s
"""
"""Of each alarm the last 500 raises and clears are enough: it is asked after every change."""


def find_flapping(alarms: Sequence[Alarm], at: datetime) -> list[Alarm]:
    """Of these alarms, which just changed, those that flap: since now, or still. They must be calm from now on."""
    again = [alarm for alarm in alarms if alarm.flapping_until is not None]
    begin = _beginning([alarm for alarm in alarms if alarm.flapping_until is None], at)
    for alarm in (*again, *begin):
        alarm.flapping_until = at + CALM
    return [*again, *begin]


def hold(flapping: Iterable[Alarm]) -> None:
    """Look at them when they could have calmed down, and not before."""
    until = [(alarm.pk, alarm.flapping_until, alarm.flapping_until) for alarm in flapping]
    rows.update(Alarm, ["flapping_until", "wake_at"], until)


def calm_down(alarms: Sequence[Alarm], at: datetime) -> list[Alarm]:
    """Of alarms whose time has come, let those go on that are calm again; returns those that never flapped."""
    flapping = [alarm for alarm in alarms if alarm.flapping_until is not None]
    for alarm in flapping:
        alarm.flapping_until = _calm_at(alarm)
    hold(alarm for alarm in flapping if alarm.flapping_until and alarm.flapping_until > at)
    held = Alarm.objects.filter(pk__in=[alarm.pk for alarm in flapping])
    calm = [alarm.pk for alarm in flapping if alarm.flapping_until and alarm.flapping_until <= at]
    held.filter(pk__in=calm).standing().look_again(flapping_until=None, wake_at=None)
    held.filter(pk__in=calm).cleared().look_again(flapping_until=None, wake_at=at + REMEMBERED)
    for alarm in held.filter(pk__in=calm, ticket__isnull=False).select_related("ticket"):
        record(AlarmCalmed(ticket=alarm.ticket, alarm=str(alarm)))
    return [alarm for alarm in alarms if alarm.flapping_until is None]


def _calm_at(alarm: Alarm) -> datetime | None:
    """When it will have been calm for long enough, if it does not turn again."""
    turned = alarm.turned_at and alarm.turned_at + CALM
    return max((until for until in (alarm.flapping_until, turned) if until is not None), default=None)


def tell(flapping: Sequence[Alarm]) -> None:
    """Say on their tickets that these begin to flap."""
    for alarm in flapping:
        if alarm.ticket is not None:
            record(AlarmFlaps(ticket=alarm.ticket, alarm=str(alarm)))


def _beginning(alarms: Sequence[Alarm], at: datetime) -> list[Alarm]:
    """Only what was clear lately can have come and gone."""
    since = at - WITHIN
    asked = [
        alarm.pk for alarm in alarms if alarm.previous_id or (alarm.cleared_at and alarm.cleared_at > since)
    ]
    if not asked:
        return []
    with connection.cursor() as cursor:
        cursor.execute(CHANGED, {"alarms": asked, "since": since, "changes": CHANGES})
        found = {pk for (pk,) in cursor.fetchall()}
    return [alarm for alarm in alarms if alarm.pk in found]
