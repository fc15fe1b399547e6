"""Maintenance windows: an alarm inside one is stored and can be seen, but makes no ticket and tells nobody.

When its window ends, it is looked at again: what still stands then is trouble.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from tierdesk.channels.alarms.models import Alarm, MaintenanceWindow, MaintenanceWindows
from tierdesk.channels.alarms.surroundings import host
from tierdesk.directory.staff.models import User

LATELY = timedelta(days=1)


@dataclass(frozen=True)
class Maintenance:
    """The windows that are open at an instant, for some clients."""

    at: datetime
    open: Sequence[MaintenanceWindow]

    @classmethod
    def of(cls, alarms: Iterable[Alarm], at: datetime) -> Maintenance:
        clients = {alarm.client_id for alarm in alarms}
        planned = MaintenanceWindow.objects.filter(client__in=clients).around(at).select_related("client")
        return cls(at, [window for window in planned if window.is_open(at)])

    def window_of(self, alarm: Alarm) -> MaintenanceWindow | None:
        """The open window that this alarm falls into; of several, the one that ends last."""
        covering = [window for window in self.open if covers(window, alarm)]
        never = datetime.max.replace(tzinfo=self.at.tzinfo)
        return max(covering, key=lambda window: window.until(self.at) or never, default=None)

    def let_through(self, alarms: Sequence[Alarm]) -> list[Alarm]:
        """Those that fall into no window; the others are held back until theirs ends. The caller saves."""
        for alarm in alarms:
            alarm.window = self.window_of(alarm)
            if alarm.window is not None:
                alarm.wake_at = alarm.window.until(self.at)
        return [alarm for alarm in alarms if alarm.window is None]


@dataclass(frozen=True, slots=True)
class Planned:
    """A window as it stands: open until a time or for good, or when it opens next; and what it holds back.

    Neither: somebody ended it lately.
    """

    window: MaintenanceWindow
    is_open: bool
    until: datetime | None
    opens_at: datetime | None
    held: int


def planned(windows: MaintenanceWindows, user: User, at: datetime) -> list[Planned]:
    """Those of these windows that are not over, or were ended early within a day; the open ones first."""
    held = (
        Alarm.objects.visible_to(user).standing().filter(window__in=windows).values_list("window", flat=True)
    )
    counted = Counter(held)
    told = [
        Planned(
            window=window,
            is_open=window.is_open(at),
            until=window.until(at),
            opens_at=window.opens_next(at),
            held=counted[window.pk],
        )
        for window in windows.select_related("client", "source", "service")
    ]
    return sorted(
        (one for one in told if one.is_open or one.opens_at or _ended_lately(one.window, at)),
        key=lambda one: (not one.is_open, one.window.name),
    )


def _ended_lately(window: MaintenanceWindow, at: datetime) -> bool:
    return window.ended_at is not None and window.ended_at > at - LATELY


def covers(window: MaintenanceWindow, alarm: Alarm) -> bool:
    """Whether the window, if it is open, is about this alarm: what it leaves open is about all of its client's."""
    if window.client_id != alarm.client_id or window.source_id not in (None, alarm.source_id):
        return False
    if window.service_id not in (None, alarm.service_id):
        return False
    names = (alarm.resource, host(alarm.resource))
    return not window.resource or any(fnmatchcase(name, window.resource) for name in names)
