"""Which alarms are one trouble: each goes to the first home that is right for it, and says why.

The order is fixed, and the first that holds wins: the same alarm as before, the group that its source says, a storm of
its source (storms.py), trouble of a service that its own depends on, trouble of the same service. What is far apart in
time is not joined by service.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tierdesk.channels.alarms.models import Alarm
from tierdesk.channels.alarms.normal import CRITICAL
from tierdesk.tickets.models import Ticket

type GroupKey = tuple[int, str]
type ServiceKey = tuple[int, int]
type Upstream = Mapping[int, Sequence[tuple[int, str]]]
"""By service: what it depends on, however indirectly, as (key, name), the nearest first."""

Joined = Alarm.Joined


@dataclass(eq=False)
class Home:
    """A ticket that alarms join, or, while there is none, the one that these are going to open."""

    ticket: Ticket | None = None
    members: list[Member] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Member:
    """An alarm with why it is where it is: what held, and what that is called."""

    alarm: Alarm
    by: Joined
    to: str = ""


@dataclass(frozen=True, slots=True)
class Storm:
    """A storm of one source: where its alarms go, and which service it is about, if most of them are about one."""

    home: Home
    service: int | None

    def spares(self, severity: int, service: int | None) -> bool:
        """Whether such an alarm is trouble of its own: critical, and of another service."""
        return severity == CRITICAL and service is not None and service != self.service


@dataclass
class Homes:
    """The homes there are: by alarm that came before, by group and by storm of a source, and by service of a client.

    Those by service are kept with when their newest alarm of it came.
    """

    of_alarm: dict[int, Home] = field(default_factory=dict)
    of_group: dict[GroupKey, Home] = field(default_factory=dict)
    storms: dict[int, Storm] = field(default_factory=dict)
    of_service: dict[ServiceKey, tuple[Home, datetime]] = field(default_factory=dict)
    upstream: Upstream = field(default_factory=dict)

    def place(self, alarms: Sequence[Alarm], at: datetime) -> list[Home]:
        """Find each alarm its home; returns those that got members, causes before what depends on them."""
        touched: dict[Home, None] = {}
        for alarm in sorted(alarms, key=self._causes_first):
            home, by, to = self._found(alarm, at)
            home.members.append(Member(alarm, by, to))
            touched[home] = None
            self._remember(alarm, home, at)
        return list(touched)

    def _found(self, alarm: Alarm, at: datetime) -> tuple[Home, Joined, str]:
        if home := self.of_alarm.get(alarm.previous_id or 0):
            return home, Joined.KEY, alarm.key
        if alarm.group and (home := self.of_group.get((alarm.source_id, alarm.group))):
            return home, Joined.GROUP, alarm.group
        storm = self.storms.get(alarm.source_id)
        if storm and not storm.spares(alarm.severity, alarm.service.pk if alarm.service else None):
            return storm.home, Joined.STORM, alarm.source.name
        if alarm.service is None:
            return Home(), Joined.OPENED, ""
        for service, name in self.upstream.get(alarm.service.pk, ()):
            if home := self._lately(alarm, service, at):
                return home, Joined.UPSTREAM, name
        if home := self._lately(alarm, alarm.service.pk, at):
            return home, Joined.SERVICE, alarm.service.name
        return Home(), Joined.OPENED, ""

    def _lately(self, alarm: Alarm, service: int, at: datetime) -> Home | None:
        """The home of that service's trouble, if it is not older than what the alarm's source still joins."""
        home, since = self.of_service.get((alarm.client_id, service), (None, at))
        return home if at - since < timedelta(seconds=alarm.source.join_s) else None

    def _remember(self, alarm: Alarm, home: Home, at: datetime) -> None:
        if alarm.group:
            self.of_group.setdefault((alarm.source_id, alarm.group), home)
        if alarm.service is not None:
            self.of_service[alarm.client_id, alarm.service.pk] = (home, at)

    def _causes_first(self, alarm: Alarm) -> tuple[int, datetime, int]:
        """What others depend on comes before them: it depends on fewer services than they do."""
        depends_on = self.upstream.get(alarm.service.pk, ()) if alarm.service else ()
        return len(depends_on), alarm.first_at or alarm.last_at, alarm.pk
