"""An alarm that clears ends no major incident: people say when it is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.cast import Cast
from tests.channels.alarms.conftest import Monitor, minutes
from tierdesk.response.major.models import MajorIncident
from tierdesk.tickets.models import Ticket

Doing = Callable[..., Any]
Lives = Callable[[datetime], None]


def declare(cast: Cast, doing: Doing, minute: float) -> MajorIncident:
    with doing(cast.lou, minutes(minute)):
        return MajorIncident.declare(
            Ticket.objects.get(), by=cast.lou, why="The shop is down.", every_min=1440
        )


@pytest.mark.parametrize(
    ("cleared", "declared", "stays", "why"),
    [
        (2, 1, "open", "it is a major incident before its alarm clears"),
        (1, 2, "pending", "it becomes one while it is only watched"),
    ],
)
def test_it_goes_on_when_its_alarm_is_clear(
    cast: Cast,
    monitor: Monitor,
    doing: Doing,
    live_until: Lives,
    cleared: int,
    declared: int,
    stays: str,
    why: str,
) -> None:
    monitor.raises(0, "shop")
    for minute in (1, 2):
        if minute == cleared:
            monitor.clears(minute, "shop")
        if minute == declared:
            declare(cast, doing, minute)
    live_until(minutes(600))
    assert Ticket.objects.get().state == stays, why


def test_a_child_whose_alarm_clears_waits_for_its_parent(
    cast: Cast, monitor: Monitor, doing: Doing, live_until: Lives
) -> None:
    monitor.raises(0, "shop")
    child = Ticket.objects.get()
    with doing(cast.lou, minutes(1)):
        parent = cast.ticket(subject="Nothing works")
    with doing(cast.lou, minutes(1)):
        parent = Ticket.objects.get(pk=parent.pk)
        incident = MajorIncident.declare(parent, by=cast.lou, why="The shop is down.", every_min=1440)
        incident.link([child.pk])
    monitor.clears(2, "shop")
    live_until(minutes(600))
    child.refresh_from_db()
    assert (child.state, child.pending_reason) == ("pending", "major_parent")
