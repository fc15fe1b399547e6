"""Outlooks of open tickets: told from the client's own past, turned by time, and gone with the question."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.learning.prediction.models import Band, Outlook, band_of
from tierdesk.learning.prediction.survival import ENOUGH
from tierdesk.tickets.models import Ticket
from tierdesk.web.workspace.queue import BY_SLUG, BadCursor, page_of

HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)
Doing = Callable[..., AbstractContextManager[Any]]
LiveUntil = Callable[[datetime], None]
Went = Callable[..., None]


@pytest.fixture
def went(cast: Cast, doing: Doing, at: datetime) -> Went:
    """`went(many, took)`: so many tickets came weeks ago and took so long."""

    def past(many: int, took: timedelta, **draft: Any) -> None:
        with doing(cast.lena, at - 8 * WEEK):
            tickets = [cast.ticket(**draft) for _ in range(many)]
        with doing(cast.lena, at - 8 * WEEK + took):
            for ticket in Ticket.objects.in_bulk([one.pk for one in tickets]).values():
                ticket.resolve(code="fixed")

    return past


@pytest.fixture
def fresh(cast: Cast, doing: Doing, at: datetime) -> Callable[[], Ticket]:
    def opened() -> Ticket:
        with doing(cast.ann, at):
            return cast.ticket()

    return opened


def test_it_is_told_from_how_such_tickets_went_before(
    went: Went, fresh: Callable[[], Ticket], at: datetime, live_until: LiveUntil
) -> None:
    went(ENOUGH, HOUR)
    ticket = fresh()
    live_until(at)
    outlook = ticket.outlook
    assert (outlook.band, outlook.in_ten, outlook.alike) == (Band.KEPT, 10, ENOUGH)
    assert outlook.like == [f"P{ticket.priority}", "L1", "VPN"]


def test_nothing_is_told_where_too_little_is_known_or_only_another_client_knows(
    cast: Cast, went: Went, fresh: Callable[[], Ticket], at: datetime, live_until: LiveUntil
) -> None:
    went(ENOUGH - 2, HOUR)
    went(ENOUGH, HOUR, client=cast.borealis, contact=cast.bob)
    ticket = fresh()
    live_until(at)
    assert ticket.outlook.band == Band.UNKNOWN
    assert not Outlook.objects.told_of(ticket).exists()


def test_it_turns_when_those_that_were_quick_are_done(
    went: Went, fresh: Callable[[], Ticket], at: datetime, live_until: LiveUntil
) -> None:
    went(ENOUGH, HOUR)
    went(ENOUGH, 5 * WEEK)
    ticket = fresh()
    live_until(at)
    before = Outlook.objects.get(pk=ticket.pk)
    assert before.band == Band.OPEN
    assert before.wake_at is not None
    assert before.wake_at <= at + 3 * HOUR
    live_until(before.wake_at)
    assert Outlook.objects.get(pk=ticket.pk).band == Band.LATE


def test_it_follows_its_ticket(
    cast: Cast, went: Went, fresh: Callable[[], Ticket], doing: Doing, at: datetime, live_until: LiveUntil
) -> None:
    went(ENOUGH, HOUR)
    ticket = fresh()
    with doing(cast.lena, at + HOUR / 4):
        ticket.pend("requester_info", asked=True)
    live_until(at + HOUR / 2)
    assert Outlook.objects.get(pk=ticket.pk).wake_at is None  # its clock stands still
    with doing(cast.lena, at + HOUR / 2):
        ticket.resume("an answer came")
    live_until(at + HOUR / 2)
    assert Outlook.objects.get(pk=ticket.pk).like == [f"P{ticket.priority}", "L1", "VPN"]
    with doing(cast.lena, at + HOUR):
        ticket.hand_over(cast.ops, why="skill")
    live_until(at + HOUR)
    assert Outlook.objects.get(pk=ticket.pk).wake_at > at + HOUR
    with doing(cast.tom, at + 2 * HOUR):
        ticket.resolve(code="fixed")
    assert not Outlook.objects.filter(pk=ticket.pk).exists()
    with doing(cast.ann, at + 3 * HOUR):
        ticket.reopen(why="It is back.")
    assert Outlook.objects.filter(pk=ticket.pk).exists()


def test_it_ends_with_the_breach(
    went: Went, fresh: Callable[[], Ticket], at: datetime, live_until: LiveUntil
) -> None:
    went(ENOUGH, 5 * WEEK)
    ticket = fresh()
    live_until(at)
    assert Outlook.objects.get(pk=ticket.pk).band == Band.LATE
    live_until(at + 4 * WEEK)
    assert not Outlook.objects.filter(pk=ticket.pk).exists()


def test_a_promise_that_is_due_at_the_close_is_looked_at_again_in_the_morning(
    cast: Cast, went: Went, doing: Doing, at: datetime, live_until: LiveUntil
) -> None:
    """At the close all is used up and nothing broken; until the office opens nobody can know more (A06)."""
    went(ENOUGH, 5 * WEEK)
    with doing(cast.ann, at - HOUR):
        ticket = cast.ticket()
    due_at = ticket.clocks.get(metric="resolve", party="SLA").due_at
    assert due_at is not None
    assert (due_at.hour, cast.office.hours.is_open(due_at)) == (15, False)
    live_until(due_at)
    wake_at = Outlook.objects.get(pk=ticket.pk).wake_at
    assert wake_at is not None
    assert wake_at.replace(microsecond=0) == cast.office.hours.next_opening(due_at)


def test_the_desk_shows_it_to_those_who_serve_the_client(
    cast: Cast,
    went: Went,
    fresh: Callable[[], Ticket],
    client: Browser,
    at: datetime,
    live_until: LiveUntil,
) -> None:
    went(ENOUGH, 5 * WEEK)
    ticket = fresh()
    live_until(at)
    client.force_login(cast.lena.user)
    page = client.get(f"/tickets/{ticket.pk}/").content.decode()
    assert f"Of {ENOUGH} tickets like this one (P{ticket.priority}, L1, VPN)" in page
    assert "about 0 in 10 were resolved in time" in page
    assert ticket.reference in client.get("/queues/likely-late/").content.decode()
    client.force_login(cast.olga.user)
    assert client.get(f"/tickets/{ticket.pk}/").status_code == 404
    assert ticket.reference not in client.get("/queues/likely-late/").content.decode()
    set_scope(EVERY_CLIENT)


def test_the_queue_of_what_is_likely_late_goes_on_where_it_stopped(
    cast: Cast,
    went: Went,
    doing: Doing,
    at: datetime,
    live_until: LiveUntil,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tierdesk.web.workspace.queue.PAGE", 2)
    went(ENOUGH, 5 * WEEK)
    with doing(cast.ann, at):
        references = {cast.ticket().reference for _ in range(3)}
    live_until(at)
    late, lena = BY_SLUG["likely-late"], cast.lena.user
    first = page_of(late, lena, at)
    second = page_of(late, lena, at, first.next_cursor)
    shown = [f"TD-{row['id']}" for row in [*first.rows, *second.rows]]
    assert len(shown) == 3
    assert set(shown) == references
    with pytest.raises(BadCursor):
        page_of(BY_SLUG["team"], lena, at, first.next_cursor)  # a place in another order


@pytest.mark.parametrize(
    ("chance", "band"),
    [
        (1.0, Band.KEPT),
        (0.67, Band.KEPT),
        (0.5, Band.OPEN),
        (0.34, Band.OPEN),
        (0.33, Band.LATE),
        (0.0, Band.LATE),
    ],
)
def test_the_bands_are_thirds(chance: float, band: str) -> None:
    assert band_of(chance) == band
