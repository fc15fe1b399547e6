"""What the bench lays its measurements on: tables that it fills by SQL of its own, past the rooms that know them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client as Browser

from tierdesk.core import clock
from tierdesk.core.wakeups import Wakeup, wakeups
from tierdesk.ops.bench import measure
from tierdesk.ops.bench.__main__ import PARTS, measurement
from tierdesk.response.notifications.models import Notice
from tierdesk.response.sla.models import Clock
from tierdesk.tickets.models import Ticket


@pytest.fixture
def bench(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Its world, in a database that is too small to be looked through first."""
    monkeypatch.setattr(measure, "_analyze", lambda: None)
    measure.world.cache_clear()
    measure.world()
    yield
    measure.world.cache_clear()


@pytest.mark.parametrize("part", PARTS)
def test_each_part_is_measured_by_something(part: str) -> None:
    assert measurement(part).__name__ == f"bench_{part}"


def test_its_tickets_can_be_read(bench: None) -> None:
    measure._fill_tickets(200)
    assert Ticket.objects.count() == 200
    browser = Browser()
    browser.force_login(measure.world().agent.user)
    for path in ("/", "/queues/all/", measure._open_ticket(), "/search/?q=word7"):
        assert browser.get(path).status_code == 200, path


def test_its_clocks_fire(bench: None) -> None:
    measure._fill_tickets(200)
    measure._fill_clocks(20, due="now() - interval '1 minute'", warned="now() - interval '1 hour'")
    [wakeup] = [one for one in wakeups() if one.model is Clock]
    assert isinstance(wakeup, Wakeup)
    assert wakeup.run(clock.now()) == 20
    assert {notice.agent for notice in Notice.objects.filter(channel="desk")} == {measure.world().agent}, (
        "somebody is told"
    )


def test_its_tickets_are_opened(bench: None) -> None:
    measure._open(3)
    assert Ticket.objects.count() == 3
