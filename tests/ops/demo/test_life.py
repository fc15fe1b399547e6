"""The demo's weeks are lived, not inserted: every ticket has its timeline, its clocks, and a past that adds up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cast import Cast
from tests.journeys.conftest import Post, post  # noqa: F401
from tierdesk.ops.demo.life import Life
from tierdesk.response.major.models import MajorIncident
from tierdesk.response.runbooks.models import Book, Run
from tierdesk.response.sla.models import Clock
from tierdesk.response.sla.verify import verify
from tierdesk.response.tiers.models import Escalation
from tierdesk.tickets.models import Entry, Ticket

BOOKS = Path(__file__).parents[3] / "tierdesk" / "ops" / "demo" / "books"


@pytest.fixture
def lived(cast: Cast, post: Post) -> int:  # noqa: F811
    for path in BOOKS.glob("*.md"):
        Book.publish(path.read_text())
    since = datetime(2026, 6, 8, tzinfo=UTC)
    return Life(until=since + timedelta(days=3)).live(since)


def test_three_days_leave_a_living_desk(lived: int, live_until: Callable[[datetime], None]) -> None:
    assert lived > 20
    assert Ticket.objects.filter(state="resolved").exists()
    assert Ticket.objects.unresolved().exists()
    assert Escalation.objects.exists()
    assert Run.objects.exists()
    assert Clock.objects.filter(state="met").exists()
    assert not Entry.objects.filter(at__gt=datetime(2026, 6, 11, tzinfo=UTC)).exists()
    _every_ticket_has_a_beginning_and_entries_in_order()
    incident = MajorIncident.objects.get()
    assert (incident.ticket.state, incident.missed, incident.reviewed_at is not None) == ("closed", 0, True)
    assert set(incident.children.values_list("state", flat=True)) == {"resolved"}
    assert incident.children.values("client").distinct().count() == 2
    assert list(incident.cascades.values_list("kind", flat=True)) == ["broadcast", "broadcast", "resolution"]
    assert [str(one) for one in verify()] == []


def _every_ticket_has_a_beginning_and_entries_in_order() -> None:
    for ticket in Ticket.objects.all():
        entries = list(Entry.objects.of(ticket.pk))
        assert entries[0].kind == "opened"
        assert [e.at for e in entries] == sorted(e.at for e in entries)
