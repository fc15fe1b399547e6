"""The desk gives tickets to people while they work: in the hours of the team, and in those of each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tests.response.assignment.conftest import now
from tierdesk.core.wakeups import run_due
from tierdesk.directory.calendars.models import Calendar, CalendarVersion, newest_hours
from tierdesk.directory.staff.models import Agent
from tierdesk.response.assignment.models import Offer
from tierdesk.tickets.models import Entry, Ticket

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NIGHT = MONDAY_10 + 13 * HOUR
"""Monday, 23:00 in Berlin; the office of Acme's calendar opens on Tuesday at 09:00."""
OPENS = MONDAY_10 + 23 * HOUR

type Opened = Callable[..., list[Ticket]]
type Live = Callable[[datetime], None]


@pytest.fixture
def office(cast: Cast) -> Calendar:
    return cast.office.calendar


@pytest.fixture(autouse=True)
def _pushing(pushes: Callable[..., None]) -> None:
    pushes()


def kinds(ticket: Ticket) -> list[str]:
    return [e.kind for e in Entry.objects.of(ticket.pk) if e.kind in ("assigned", "nobody_chosen")]


def test_at_night_a_ticket_rests_in_the_queue_until_the_team_opens(
    cast: Cast, office: Calendar, opened: Opened, live_until: Live
) -> None:
    cast.desk.hours = office
    cast.desk.save()
    [ticket] = opened(at=NIGHT)
    assert (ticket.assignee, kinds(ticket)) == (None, [])
    assert Offer.objects.get().wake_at == OPENS
    live_until(OPENS)
    assert now([ticket])[0].assignee is not None
    assert [e.at for e in Entry.objects.of(ticket.pk) if e.kind == "assigned"] == [OPENS]


def test_by_day_it_is_given_at_once(cast: Cast, office: Calendar, opened: Opened) -> None:
    cast.desk.hours = office
    cast.desk.save()
    [ticket] = opened()
    assert ticket.assignee is not None


def test_room_at_night_wakes_nothing_before_the_team_opens(
    cast: Cast, office: Calendar, opened: Opened, doing: Any
) -> None:
    cast.desk.hours = office
    cast.desk.save()
    [held] = opened()
    [waits] = opened(at=NIGHT)
    with doing(held.assignee, NIGHT + HOUR):
        held.resolve(code="fixed")
    run_due(NIGHT + HOUR)
    assert now([waits])[0].assignee is None
    assert Offer.objects.get().wake_at == OPENS


def test_whoever_is_not_at_work_is_given_nothing_and_it_says_so(
    cast: Cast, office: Calendar, opened: Opened
) -> None:
    Agent.objects.filter(pk=cast.lena.pk).update(hours=office)
    [ticket] = opened(at=NIGHT)
    assert ticket.assignee == cast.lou
    entry = Entry.objects.of(ticket.pk).get(kind="assigned")
    assert entry.details["others"] == [["Lena Lang", "not at work now"]]


def test_where_nobody_is_at_work_the_first_who_begins_is_given_it(
    cast: Cast, office: Calendar, opened: Opened, live_until: Live
) -> None:
    Agent.objects.filter(pk__in=[cast.lena.pk, cast.lou.pk]).update(hours=office)
    [ticket] = opened(at=NIGHT)
    entry = Entry.objects.of(ticket.pk).get(kind="nobody_chosen")
    assert entry.details["why"] == "nobody is at work now"
    assert Offer.objects.get().wake_at == OPENS
    live_until(OPENS)
    assert now([ticket])[0].assignee is not None


def test_a_team_that_never_opens_gives_nothing_and_is_not_looked_at_again(cast: Cast, opened: Opened) -> None:
    never = Calendar.objects.create(key="never", name="Never")
    CalendarVersion.objects.create(calendar=never, version=1, spec={"tz": "UTC", "week": {}})
    cast.desk.hours = never
    cast.desk.save()
    [ticket] = opened()
    assert (ticket.assignee, Offer.objects.get().wake_at) == (None, None)


def test_the_newest_version_of_a_calendar_counts(cast: Cast, office: Calendar) -> None:
    newer = CalendarVersion.objects.create(
        calendar=office, version=2, spec={"tz": "UTC", "week": {"0": [["20:00", "24:00"]]}}
    )
    assert newest_hours([office.pk, None]) == {office.pk: newer.hours}
    assert newest_hours([None]) == {}
