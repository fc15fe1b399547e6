"""How long a channel may be silent: so many hours, of those in which somebody would use it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tierdesk.directory.calendars.hours import Hours


@dataclass(frozen=True, slots=True)
class Quiet:
    """The longest silence that is normal. `within`: the hours that count; None counts around the clock."""

    hours: int
    within: Hours | None = None

    def is_broken(self, heard: datetime, at: datetime) -> bool:
        """Whether it has been silent for too long `at`, last heard at `heard`."""
        silent = self.within.between(heard, at) if self.within else at - heard
        return silent > timedelta(hours=self.hours)

    def ends(self, heard: datetime) -> datetime | None:
        """Until when it may be silent; None: as long as it likes, since no hour that counts comes any more."""
        longest = timedelta(hours=self.hours)
        return self.within.add(heard, longest) if self.within else heard + longest
