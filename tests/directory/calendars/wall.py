"""The clockmaker's model of working time: walk every minute of UTC, look at the clock on the wall, count.

The model knows nothing of pages, of searching or of `fold`. It reads the wall from UTC only, finds a local time by
looking for the first minute at which the wall shows it, and where the wall skips it, moves on by the offset before.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from tierdesk.directory.calendars.hours import Hours

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)

TURNS = {
    "Europe/Berlin": ["2026-03-29", "2026-10-25"],
    "Europe/London": ["2026-03-29", "2026-10-25"],
    "Europe/Lisbon": ["1992-09-27", "1996-03-31"],
    "Europe/Dublin": ["2026-03-29", "2026-10-25"],
    "Europe/Moscow": ["2011-03-27", "2014-10-26"],
    "Europe/Istanbul": ["2015-11-08", "2016-03-27"],
    "Europe/Chisinau": ["2026-03-29", "2026-10-25"],
    "Atlantic/Azores": ["2026-03-29", "2026-10-25"],
    "America/New_York": ["2026-03-08", "2026-11-01"],
    "America/St_Johns": ["2006-04-02", "2026-11-01"],
    "America/Havana": ["2026-03-08", "2026-11-01"],
    "America/Santiago": ["2024-04-07", "2024-09-08"],
    "America/Asuncion": ["2023-10-01", "2024-03-24"],
    "America/Sao_Paulo": ["2018-02-18", "2018-11-04"],
    "America/Caracas": ["2007-12-09", "2016-05-01"],
    "America/Scoresbysund": ["2024-03-31", "2026-03-29"],
    "America/Phoenix": ["2026-03-08"],
    "Africa/Cairo": ["2024-04-26", "2024-11-01"],
    "Africa/Casablanca": ["2025-02-23", "2025-04-06"],
    "Africa/Juba": ["2021-02-01"],
    "Africa/Sao_Tome": ["2018-01-01", "2019-01-01"],
    "Asia/Tehran": ["2022-03-22", "2022-09-22"],
    "Asia/Kolkata": ["2026-06-06"],
    "Asia/Kathmandu": ["1985-12-31", "1986-01-01"],
    "Asia/Pyongyang": ["2015-08-15", "2018-05-05"],
    "Asia/Beirut": ["2024-03-31", "2024-10-27"],
    "Asia/Gaza": ["2024-04-20", "2024-10-26"],
    "Asia/Tokyo": ["2026-12-31"],
    "Australia/Lord_Howe": ["2026-04-05", "2026-10-04"],
    "Australia/Sydney": ["2026-04-05", "2026-10-04"],
    "Australia/Eucla": ["2008-10-26", "2009-03-29"],
    "Antarctica/Troll": ["2024-03-31", "2024-10-27"],
    "Antarctica/Casey": ["2018-03-11", "2020-10-04"],
    "Pacific/Apia": ["2011-12-30", "2021-04-04"],
    "Pacific/Kiritimati": ["1994-12-31", "1995-01-01"],
    "Pacific/Kwajalein": ["1993-08-21"],
    "Pacific/Chatham": ["2026-04-05", "2026-09-27"],
    "Pacific/Marquesas": ["2026-01-01"],
    "UTC": ["2026-12-31", "2028-02-29"],
}
"""Zones and dates on which something happens to their clocks, or to the calendar."""


def counted(hours: Hours, start: datetime, stop: datetime) -> list[datetime]:
    """Every minute of `[start, stop)` in which the hours are open, by looking at each. Both are whole minutes."""
    wall = Wall.around(hours.tz, _round(start.date() - 5 * DAY), _round(stop.date() + 13 * DAY))
    is_open = wall.opened(hours)
    first, last = wall.minute(start), wall.minute(stop)
    return [start + MINUTE * (n - first) for n in range(first, last) if is_open[n]]


class Wall:
    """What the clock on the wall shows at each minute of UTC, from one midnight to another."""

    def __init__(self, tz: str, first: date, last: date) -> None:
        zone = ZoneInfo(tz)
        self.first, self.last = first, last
        self.begins = datetime(first.year, first.month, first.day, tzinfo=UTC)
        self.minutes = (last - first).days * 1440
        self.shows = [
            (self.begins + MINUTE * n).astimezone(zone).replace(tzinfo=None) for n in range(self.minutes)
        ]
        self.first_shown: dict[datetime, int] = {}
        self.furthest: list[datetime] = []
        for n, shown in enumerate(self.shows):
            self.first_shown.setdefault(shown, n)
            self.furthest.append(max(shown, self.furthest[-1]) if self.furthest else shown)

    @staticmethod
    @lru_cache(maxsize=400)
    def around(tz: str, first: date, last: date) -> Wall:
        return Wall(tz, first, last)

    def minute(self, at: datetime) -> int:
        return int((at - self.begins) / MINUTE)

    def when(self, local: datetime) -> int:
        """The minute at which the wall first shows it; if it never does, as if the wall had not skipped it."""
        if local in self.first_shown:
            return self.first_shown[local]
        before = bisect_right(self.furthest, local) - 1
        return before + int((local - self.shows[before]) / MINUTE)

    def opened(self, hours: Hours) -> bytearray:
        """Minute by minute, whether the hours are open. The outermost days are not all there: do not ask about them."""
        is_open = bytearray(self.minutes)
        day = self.first + 2 * DAY
        while day < self.last - 2 * DAY:
            if day not in hours.closed:
                for opens, closes in hours.partial.get(day, hours.week.get(day.weekday(), ())):
                    begin, end = on(day, opens), on(day, closes)
                    self._mark(is_open, begin, end if end > begin else end + DAY, 1)
            day += DAY
        for begin, end in hours.closed_intervals:
            self._mark(is_open, begin, end, 0)
        return is_open

    def _mark(self, is_open: bytearray, begin: datetime, end: datetime, mark: int) -> None:
        first, last = max(0, self.when(begin)), min(self.minutes, self.when(end))
        if first < last:
            is_open[first:last] = bytes([mark]) * (last - first)


def _round(day: date) -> date:
    """Back to one in eight days, so that the same walls are asked for again."""
    return date.fromordinal(day.toordinal() // 8 * 8)


def on(day: date, hhmm: str) -> datetime:
    return datetime(day.year, day.month, day.day) + timedelta(hours=int(hhmm[:2]), minutes=int(hhmm[3:]))
