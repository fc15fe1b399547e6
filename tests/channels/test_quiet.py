"""How long a channel may be silent, in the hours that count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tierdesk.channels.quiet import Quiet
from tierdesk.directory.calendars.hours import Hours

OFFICE = Hours.from_spec({"tz": "UTC", "week": {str(day): [["09:00", "17:00"]] for day in range(5)}})
NEVER = Hours.from_spec({"tz": "UTC", "week": {}})
FRIDAY_16 = datetime(2026, 6, 12, 16, tzinfo=UTC)
A_SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("quiet", "ends", "reason"),
    [
        (Quiet(3), FRIDAY_16 + timedelta(hours=3), "around the clock"),
        (Quiet(3, OFFICE), datetime(2026, 6, 15, 11, tzinfo=UTC), "one on Friday, two on Monday"),
        (Quiet(1, OFFICE), datetime(2026, 6, 12, 17, tzinfo=UTC), "as the office closes"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_it_may_be_silent_until(quiet: Quiet, ends: datetime, reason: str) -> None:
    assert quiet.ends(FRIDAY_16) == ends
    assert not quiet.is_broken(FRIDAY_16, ends)
    opens = quiet.within.next_opening(ends) if quiet.within else ends
    assert opens is not None
    assert quiet.is_broken(FRIDAY_16, opens + A_SECOND)


def test_where_nobody_ever_works_it_may_be_silent_for_ever() -> None:
    assert Quiet(1, NEVER).ends(FRIDAY_16) is None
    assert not Quiet(1, NEVER).is_broken(FRIDAY_16, FRIDAY_16 + timedelta(days=3000))
