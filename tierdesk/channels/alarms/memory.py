"""The store of the intake in memory, for tests and for trying a shape: the same rules, no database.

It is also the plainest statement of those rules; the tests hold `alarms_intake` (sql.py) to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tierdesk.channels.alarms.arrival import Arrival, KnownSource
from tierdesk.channels.alarms.normal import INFO, Action, AlarmEvent


@dataclass
class HeldAlarm:
    """An alarm in memory, with the columns of `models.Alarm` that intake writes."""

    source_id: int
    key: str
    severity: int = INFO
    summary: str = ""
    count: int = 0
    first_at: datetime | None = None
    raised_at: datetime | None = None
    cleared_at: datetime | None = None
    acknowledged_at: datetime | None = None
    closed_at: datetime | None = None
    previous: HeldAlarm | None = None
    _raised_last: bool = False

    @property
    def state(self) -> str:
        if self.closed_at is not None:
            return "closed"
        if not self.is_raised:
            return "cleared"
        return "acknowledged" if self.is_acknowledged else "open"

    @property
    def is_raised(self) -> bool:
        if self.raised_at is None or self.cleared_at is None:
            return self.raised_at is not None
        return self.raised_at > self.cleared_at or (self.raised_at == self.cleared_at and self._raised_last)

    @property
    def is_acknowledged(self) -> bool:
        """Acknowledged since it was last cleared, and not before it was first raised."""
        if self.acknowledged_at is None or self.first_at is None or self.acknowledged_at < self.first_at:
            return False
        return self.cleared_at is None or self.acknowledged_at > self.cleared_at

    @property
    def newest_at(self) -> datetime | None:
        return _later(self.raised_at, self.cleared_at)

    def hear(self, event: AlarmEvent, at: datetime) -> None:
        """Take in one event with source time `at`, however late it comes."""
        if event.action in (Action.RAISE, Action.CLEAR) and at == _later(self.newest_at, at):
            self._raised_last = event.action is Action.RAISE
        if event.action is Action.RAISE:
            self._hear_raise(event, at)
        elif event.action is Action.CLEAR:
            self.cleared_at = _later(self.cleared_at, at)
        elif event.action is Action.ACK:
            self.acknowledged_at = _later(self.acknowledged_at, at)
        if self.raised_at is None and event.action is not Action.NOTE:
            self.severity, self.summary = event.severity, event.summary

    def _hear_raise(self, event: AlarmEvent, at: datetime) -> None:
        self.count += 1
        self.first_at = at if self.first_at is None else min(self.first_at, at)
        self.raised_at = _later(self.raised_at, at)
        if at == self.raised_at:
            self.severity, self.summary = event.severity, event.summary


@dataclass
class MemoryStore:
    """A `Store` that forgets everything when it goes. `known` are its sources by token digest."""

    known: dict[str, KnownSource] = field(default_factory=dict)
    alarms: list[HeldAlarm] = field(default_factory=list)
    events: list[tuple[int, AlarmEvent]] = field(default_factory=list)
    refusals: list[Arrival] = field(default_factory=list)
    shed: dict[int, int] = field(default_factory=dict)
    beats: dict[int, int] = field(default_factory=dict)
    commits: int = 0
    owes_counts: bool = False
    _event_ids: set[tuple[int, str]] = field(default_factory=set)

    def sources(self) -> Mapping[str, KnownSource]:
        return dict(self.known)

    def commit(self, batch: Sequence[Arrival]) -> None:
        self.commits += 1
        for arrival in batch:
            if arrival.refusal:
                self.refusals.append(arrival)
            if arrival.shed:
                self.shed[arrival.source.id] = self.shed.get(arrival.source.id, 0) + arrival.shed
            if arrival.is_beat:
                self.beats[arrival.source.id] = self.beats.get(arrival.source.id, 0) + 1
            for event in arrival.events:
                self._hear(arrival, event)

    def close(self) -> None:
        """Nothing is open."""

    def alarm(self, key: str) -> HeldAlarm | None:
        """The unclosed alarm of that key, of whichever source."""
        return next((alarm for alarm in self.alarms if alarm.key == key and alarm.closed_at is None), None)

    def _hear(self, arrival: Arrival, event: AlarmEvent) -> None:
        if event.event_id:
            if (arrival.source.id, event.event_id) in self._event_ids:
                return
            self._event_ids.add((arrival.source.id, event.event_id))
        self.events.append((arrival.source.id, event))
        at = event.source_time(arrival.received_at)
        alarm = self._unclosed(arrival.source.id, event.key) or self._born(arrival.source.id, event, at)
        if alarm is not None:
            alarm.hear(event, at)

    def _unclosed(self, source_id: int, key: str) -> HeldAlarm | None:
        ours = (alarm for alarm in self.alarms if (alarm.source_id, alarm.key) == (source_id, key))
        return next((alarm for alarm in ours if alarm.closed_at is None), None)

    def _born(self, source_id: int, event: AlarmEvent, at: datetime) -> HeldAlarm | None:
        """A new alarm for the event, unless it came too late for a closed one or tells no state."""
        ours = [alarm for alarm in self.alarms if (alarm.source_id, alarm.key) == (source_id, event.key)]
        past = max(ours, key=lambda alarm: alarm.closed_at or at, default=None)
        if event.action is Action.NOTE or (past is not None and not _opens_anew(event, at, past)):
            return None
        alarm = HeldAlarm(source_id, event.key, previous=past)
        self.alarms.append(alarm)
        return alarm


def _opens_anew(event: AlarmEvent, at: datetime, past: HeldAlarm) -> bool:
    """Whether what is heard after `past` closed is news: older than its end is late, or repeated."""
    if event.action is Action.ACK or past.newest_at is None:
        return event.action is not Action.ACK
    if event.action is Action.RAISE:
        return event.repeats or at >= past.newest_at
    return at > past.newest_at


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return one or other
    return max(one, other)
