"""Schedules as rows: closed accounts, calendars, and two people who are faster than one another."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from tests.cast import Cast
from tierdesk.directory.oncall.models import Layer, Override, Schedule, Turn, UnableToStandIn

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)
"""A Tuesday."""


@pytest.fixture
def night(cast: Cast) -> Schedule:
    """Lena day and night, and Tom over her in the hours of the office in Berlin."""
    schedule = Schedule.objects.create(key="night", name="Night duty", team=cast.desk)
    for order, (agent, calendar) in enumerate([(cast.lena, None), (cast.tom, cast.office.calendar)]):
        layer = Layer.objects.create(
            schedule=schedule,
            order=order,
            name=f"Layer {order}",
            starts_date=date(2026, 3, 2),
            handover=time(9),
            calendar=calendar,
        )
        Turn.objects.create(layer=layer, agent=agent, order=0)
    return schedule


def test_a_layer_holds_in_its_calendar_s_hours(cast: Cast, night: Schedule) -> None:
    assert night.on_call(NOW) == cast.tom
    assert night.on_call(NOW + timedelta(hours=6)) == cast.lena


def test_a_closed_account_holds_no_turn(cast: Cast, night: Schedule) -> None:
    cast.tom.user.is_active = False
    cast.tom.user.save(update_fields=["is_active"])
    assert Schedule.objects.get().on_call(NOW) == cast.lena, "what is beneath shows through"
    cast.lena.user.is_active = False
    cast.lena.user.save(update_fields=["is_active"])
    assert Schedule.objects.get().rota.gaps(NOW, NOW + timedelta(days=1)) == [(NOW, NOW + timedelta(days=1))]


def test_a_closed_account_stands_in_for_nobody(cast: Cast, night: Schedule) -> None:
    cast.lou.user.is_active = False
    with pytest.raises(UnableToStandIn, match="choose somebody who is"):
        night.stand_in(cast.lou, NOW, NOW + timedelta(days=1), reason="ill", by=cast.lena.user, at=NOW)


def test_of_two_who_take_it_back_the_second_is_told(cast: Cast, night: Schedule) -> None:
    for begins in (NOW - timedelta(hours=1), NOW + timedelta(hours=1)):
        made = night.overrides.create(agent=cast.lou, from_at=begins, to_at=NOW + timedelta(days=1))
        seen_by_both = Override.objects.get(pk=made.pk)
        made.withdraw(by=cast.lena.user, at=NOW)
        with pytest.raises(UnableToStandIn, match="Somebody has taken it back already"):
            seen_by_both.withdraw(by=cast.lou.user, at=NOW + timedelta(minutes=1))
        made.refresh_from_db()
        assert made.withdrawn_by == cast.lena.user
