"""Heartbeats: a source may promise a beat every so often. Silence is an alarm, and the next beat clears it.

Everything that is understood is a beat, and so is a knock at `…/beat`. Intake notes only when a source was last
heard, on a row that it writes anyway; what follows from that is found out here, once per promised beat and source.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F, Min, Q, QuerySet

from tierdesk.channels.alarms.models import Source
from tierdesk.channels.alarms.normal import MAJOR, Action, AlarmEvent, said
from tierdesk.channels.alarms.speaking import speak_for
from tierdesk.core.facts import ENGINE
from tierdesk.core.work import work

AT_ONCE = 500
KEY = "heartbeat"
HEARD_AGAIN = Q(silent_since__isnull=False, last_received_at__gt=F("silent_since"))


def check_beats(at: datetime) -> int:
    """Sources whose beat is overdue fall silent, and silent ones that were heard again are not; how many there were."""
    with work(by=ENGINE, at=at):
        due = overdue(at).order_by("pk")
        sources = list(due.select_for_update(skip_locked=True, no_key=True)[:AT_ONCE])
        speak_for([(source, event) for source in sources if (event := _found_out(source, at))], at)
        Source.objects.bulk_update(sources, ["wake_at", "silent_since"])
    return len(sources)


def overdue(at: datetime) -> QuerySet[Source]:
    """Sources that should have been heard by `at`, and silent ones that were."""
    return Source.objects.filter(Q(wake_at__lte=at) | HEARD_AGAIN)


def next_beat() -> datetime | None:
    """When the next source is due: its beat, or what was heard of a silent one."""
    beats = Source.objects.aggregate(at=Min("wake_at"))["at"]
    heard = Source.objects.filter(HEARD_AGAIN).aggregate(at=Min("last_received_at"))["at"]
    return min((each for each in (beats, heard) if each is not None), default=None)


def _found_out(source: Source, at: datetime) -> AlarmEvent | None:
    """Move the source on, and say what there is to say about it."""
    return _expect(source, at) if source.silent_since is None else _listen(source, at)


def _expect(source: Source, at: datetime) -> AlarmEvent | None:
    """Look whether a beat came in time. A source that is switched off is not missed; it may be switched on again."""
    heard_at = source.last_received_at
    due_at = source.beat_due_at(heard_at) if heard_at else at
    if not source.enabled:
        due_at = source.beat_due_at(at)
    if not source.beat_s or due_at > at:
        source.wake_at = due_at if source.beat_s else None
        return None
    source.silent_since, source.wake_at = at, None
    return _beat(source, Action.RAISE, f"It was last heard {_when(heard_at)}.", at)


def _listen(source: Source, at: datetime) -> AlarmEvent | None:
    """Look whether a silent source was heard again, or need not be."""
    heard_at, silent_since = source.last_received_at, source.silent_since
    source.wake_at = None
    if source.beat_s and (heard_at is None or silent_since is None or heard_at <= silent_since):
        return None
    source.silent_since = None
    if source.beat_s and heard_at:
        source.wake_at = source.beat_due_at(heard_at)
    return _beat(source, Action.CLEAR, "It is heard again.", at)


def _beat(source: Source, action: Action, text: str, at: datetime) -> AlarmEvent:
    return said(
        action=action,
        key=KEY,
        severity=MAJOR,
        resource=source.name,
        class_="Heartbeat",
        summary=f"{source.name} is silent: it promised a beat every {_how_long(source.beat_s)}",
        text=text,
        at=at,
    )


def _when(at: datetime | None) -> str:
    return f"at {at:%Y-%m-%d %H:%M:%S} UTC" if at else "never"


def _how_long(seconds: int) -> str:
    return str(timedelta(seconds=seconds)) if seconds % 60 else f"{seconds // 60} min"
