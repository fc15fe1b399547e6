"""A closed month keeps the figures that were told, and what changes them later stands beside them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from tests.cast import Cast
from tests.conftest import MONDAY_10 as LONG_BEFORE
from tierdesk.core.scope import only, seeing
from tierdesk.directory.clients.models import Client
from tierdesk.learning.analytics.attainment import Attainment, Line, attainment, trend
from tierdesk.learning.analytics.closing import bounds, close_due, closes_at, month_on
from tierdesk.learning.analytics.models import ClosedMonth, Counted, Figure, Restatement
from tierdesk.response.sla.verify import repair
from tierdesk.tickets.models import Ticket
from tierdesk.tickets.resettling import move_to_client

type Doing = Callable[..., Any]
type Live = Callable[[datetime], None]

BERLIN = ZoneInfo("Europe/Berlin")
JUNE = date(2026, 6, 1)
BEGINS, ENDS = bounds(JUNE, BERLIN)
CLOSED = closes_at(JUNE, BERLIN)
LATER = CLOSED + timedelta(days=7)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LAST_DAY, BEFORE = (datetime(2026, 6, day, 10, tzinfo=BERLIN) for day in (30, 15))
"""What is solved on the last day of June may still be reopened when June is closed."""
RESOLVE = ("SLA", "resolve", None, 3)


@pytest.fixture(autouse=True)
def _clients_wake(cast: Cast) -> None:
    """As they do from when they are made; the cast was made before its time."""
    Client.objects.update(wake_at=LONG_BEFORE)


@pytest.fixture
def solved(cast: Cast, doing: Doing) -> Callable[..., Ticket]:
    """A P3 of Ann's, of the last day of June unless it is said, and solved then after so long."""

    def make(after: timedelta = 2 * HOUR, opened: datetime = LAST_DAY, **more: Any) -> Ticket:
        with doing(cast.lena, opened):
            ticket = cast.ticket(**more)
        with doing(cast.lena, LAST_DAY + after):
            ticket.resolve(code="fixed")
        return ticket

    return make


def june(cast: Cast, at: datetime = LATER, **more: Any) -> Attainment:
    return attainment(cast.lou.user, BEGINS, ENDS, at, month=JUNE, **more)


def restated(found: Attainment) -> list[tuple[str, str, str]]:
    """(metric, was told as, counts as) of the promises to clients."""
    assert found.closing
    return sorted((one.metric, one.was, one.counts) for one in found.closing.restated if one.tier is None)


def of_clients() -> list[tuple[str, str]]:
    found = Restatement.objects.filter(Q(before__party="SLA") | Q(after__party="SLA")).order_by("id")
    return list(found.values_list("was", "counts"))


@pytest.mark.parametrize(
    ("month", "count", "other"),
    [
        (date(2026, 6, 1), 1, date(2026, 7, 1)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
        (date(2026, 1, 1), -1, date(2025, 12, 1)),
        (date(2026, 6, 1), -12, date(2025, 6, 1)),
    ],
)
def test_months_go_on(month: date, count: int, other: date) -> None:
    assert month_on(month, count) == other


def test_a_month_is_closed_three_days_after_its_end_in_the_client_s_zone(
    cast: Cast, solved: Any, live_until: Live
) -> None:
    solved()
    solved(client=cast.borealis, contact=cast.bob)
    live_until(CLOSED - HOUR)
    assert not ClosedMonth.objects.exists()
    live_until(CLOSED)
    [acme] = ClosedMonth.objects.all()
    assert (acme.client, acme.begins_on, acme.starts_at, acme.ends_at) == (cast.acme, JUNE, BEGINS, ENDS)
    live_until(CLOSED + 6 * HOUR)
    borealis = ClosedMonth.objects.get(client=cast.borealis)
    assert borealis.closed_at == CLOSED + 6 * HOUR, "midnight in New York"


def test_what_is_told_before_is_told_afterwards(
    cast: Cast, solved: Any, doing: Doing, live_until: Live
) -> None:
    for opened in (LAST_DAY, LAST_DAY - DAY, BEFORE):
        solved(opened=opened)
    with doing(cast.lena, BEFORE):
        cast.ticket().take(cast.lena)  # and nobody solves it: open and broken
    with doing(cast.lena, BEFORE) as unit:
        ticket = cast.ticket()
        unit.settle()
        ticket.cancel("a mistake")
    live_until(CLOSED - HOUR)
    before = june(cast)
    assert before.closing and before.closing.clients == 0
    live_until(CLOSED)
    after = june(cast)
    assert (after.kinds, after.clients, after.contracts) == (before.kinds, before.clients, before.contracts)
    line = after.told(RESOLVE)
    assert (line.kept, line.missed, line.open_broken, line.left_out) == (2, 1, 1, 1)
    assert [(client, name) for client, name, _ in after.contracts] == [
        ("Acme GmbH", "Acme GmbH standard support")
    ]
    assert after.closing and (after.closing.clients, after.closing.of, after.closing.changes) == (1, 1, 0)
    assert trend(cast.lou.user, BEGINS, ENDS, BERLIN) == [
        (JUNE, Line(*(getattr(after.total("SLA"), name) for name in Line.__slots__)))
    ]


def test_a_reopening_is_a_restatement_and_what_was_told_stands(
    cast: Cast, solved: Any, doing: Doing, live_until: Live
) -> None:
    ticket = solved()
    solved()
    live_until(CLOSED)
    told = june(cast)
    with doing(cast.lou, CLOSED + DAY):
        ticket.reopen("it is back")
    live_until(LATER)
    found = june(cast)
    assert found.kinds == told.kinds
    assert restated(found) == [("resolve", "kept", "")]
    assert found.closing
    assert found.closing.kinds == {RESOLVE: Line(kept=1), ("OLA", "resolve", 1, 3): Line(kept=1)}
    assert found.closing.changes == 2, "the tier's own as well"
    one = found.closing.restated[0]
    assert one.ticket == ticket
    assert one.entry and (one.entry.kind, one.entry.by_name) == ("reopened", "Lou Lead")
    assert one.at == CLOSED + DAY + timedelta(minutes=10)
    assert (found.total("SLA").kept, found.by_now("SLA").kept) == (6, 5)


def test_it_counts_where_it_ends_then_and_its_closed_month_is_told_once(
    cast: Cast, solved: Any, doing: Doing, live_until: Live
) -> None:
    ticket = solved()
    live_until(CLOSED)
    with doing(cast.lou, CLOSED + DAY):
        ticket.reopen("it is back")
    live_until(CLOSED + DAY + HOUR)
    with doing(cast.lena, CLOSED + DAY + 2 * HOUR):
        ticket.resolve(code="fixed")
    july = bounds(date(2026, 7, 1), BERLIN)
    live_until(july[1] + 4 * DAY)
    assert of_clients() == [("kept", "")]
    found = attainment(cast.lou.user, *july, LATER, month=date(2026, 7, 1))
    assert found.told(RESOLVE).kept == 1
    assert found.closing and found.closing.clients == 1


def test_what_was_solved_again_at_once_is_no_news_for_the_month_but_that_it_no_longer_ends_there(
    cast: Cast, solved: Any, doing: Doing, live_until: Live
) -> None:
    ticket = solved()
    live_until(CLOSED)
    with doing(cast.lou, CLOSED + DAY):
        ticket.reopen("a slip")
    with doing(cast.lou, CLOSED + DAY + timedelta(minutes=5)):
        ticket.resolve(code="fixed")
    live_until(LATER)
    assert restated(june(cast)) == [("resolve", "kept", "")]


def test_a_wait_put_in_afterwards_makes_missed_ones_kept(
    cast: Cast, solved: Any, doing: Doing, live_until: Live
) -> None:
    ticket = solved(opened=BEFORE)
    live_until(CLOSED)
    assert june(cast).told(RESOLVE) == Line(missed=1)
    with doing(cast.lou, CLOSED + DAY):
        ticket.put_in_wait(
            "requester_info",
            begins=BEFORE + DAY,
            ends=BEFORE + 13 * DAY,
            evidence="her mail of Tuesday",
        )
    live_until(LATER)
    found = june(cast)
    assert ("resolve", "missed", "kept") in restated(found)
    assert found.told(RESOLVE) == Line(missed=1)
    assert found.closing and found.closing.kinds[RESOLVE] == Line(kept=1)


def test_j08_a_second_change_counts_from_the_first(
    cast: Cast, solved: Any, doing: Doing, live_until: Live
) -> None:
    ticket = solved()
    live_until(CLOSED)
    with doing(cast.lou, CLOSED + DAY):
        ticket.reopen("it is back")
    live_until(CLOSED + 2 * DAY)
    clock = ticket.clocks.get(metric="resolve", party="SLA")
    clock.stop(LAST_DAY + HOUR)  # as a defect would leave it
    clock.save()
    ClosedMonth.objects.update(wake_at=CLOSED + 3 * DAY)
    live_until(CLOSED + 3 * DAY)
    with doing(cast.lou, CLOSED + 4 * DAY):
        assert repair(Ticket.objects.get(pk=ticket.pk))
    live_until(LATER)
    told = list(Restatement.objects.filter(clock_id=clock.pk).order_by("id"))
    assert [(one.was, one.counts) for one in told] == [("kept", ""), ("", "kept"), ("kept", "")]
    assert told[1].entry_id is None, "no entry says so"
    found = june(cast)
    assert found.closing and found.closing.kinds[RESOLVE] == Line()


def test_a_ticket_of_another_client_s_leaves_one_month_and_comes_into_another(
    cast: Cast, doing: Doing, live_until: Live
) -> None:
    with doing(cast.lena, LAST_DAY) as unit:
        ticket = cast.ticket()
        unit.settle()
        ticket.take(cast.lena)
        ticket.reply("We look at it.")
    live_until(CLOSED + DAY)
    assert june(cast).told(("SLA", "respond", None, 3)) == Line(kept=1)
    with doing(cast.lou, CLOSED + DAY):
        move_to_client(ticket, cast.borealis, by=cast.lou, contact=cast.bob, why="it is Bob's", theirs=True)
    live_until(LATER)
    acme = june(cast, client=cast.acme)
    assert ("respond", "kept", "left_out") in restated(acme), "its clocks never counted for Acme"
    assert acme.closing
    assert {one.ticket for one in acme.closing.restated} == {None}, (
        "whose it is now is none of Acme's business"
    )
    assert acme.told(("SLA", "respond", None, 3)) == Line(kept=1)


def test_nobody_is_told_of_a_month_that_only_looks_changed(
    cast: Cast, solved: Any, doing: Doing, live_until: Live
) -> None:
    """Another priority of a ticket that goes on changes nothing of the month before."""
    solved()
    with doing(cast.lena, ENDS - HOUR):
        ticket = cast.ticket()
    live_until(CLOSED)
    with doing(cast.lou, CLOSED + DAY):
        ticket.assess(impact=2, urgency=1, reason="worse")
    live_until(LATER)
    assert not Restatement.objects.exists()
    assert not ClosedMonth.objects.exclude(wake_at=None).exists()


def test_a_new_ticket_wakes_no_closed_month(cast: Cast, solved: Any, doing: Doing, live_until: Live) -> None:
    solved()
    live_until(CLOSED)
    with doing(cast.lena, CLOSED + HOUR):
        ticket = cast.ticket()
    with doing(cast.lena, CLOSED + 2 * HOUR):
        ticket.resolve(code="fixed")
    with doing(cast.lena, CLOSED + 3 * HOUR):
        ticket.reopen("not yet")
    assert not ClosedMonth.objects.exclude(wake_at=None).exists()


def test_after_a_long_rest_every_month_is_closed(cast: Cast, solved: Any) -> None:
    solved()
    assert close_due(CLOSED) == 1
    Client.objects.exclude(pk=cast.acme.pk).update(wake_at=None)
    late = CLOSED + 100 * DAY
    Client.objects.filter(pk=cast.acme.pk).update(wake_at=CLOSED + DAY)
    while close_due(late):
        pass
    months = ClosedMonth.objects.filter(client=cast.acme).values_list("begins_on", flat=True)
    assert [month.month for month in months] == [6, 7, 8, 9]
    assert Client.objects.get(pk=cast.acme.pk).wake_at == closes_at(date(2026, 10, 1), BERLIN)


def test_a_desk_that_never_closed_one_begins_with_the_last(cast: Cast, solved: Any) -> None:
    solved()
    close_due(CLOSED + 40 * DAY)
    close_due(CLOSED + 40 * DAY)
    assert [one.begins_on.month for one in ClosedMonth.objects.filter(client=cast.acme)] == [7]
    assert not ClosedMonth.objects.filter(client=cast.borealis).exists(), "it had no tickets"


def test_months_are_seen_by_who_serves_the_client(cast: Cast, solved: Any, live_until: Live) -> None:
    solved()
    solved(client=cast.borealis, contact=cast.bob)
    live_until(LATER)
    assert {one.client for one in ClosedMonth.objects.visible_to(cast.olga.user)} == {cast.borealis}
    assert not ClosedMonth.objects.visible_to(cast.ann.user).exists()
    mine = attainment(cast.olga.user, BEGINS, ENDS, LATER, month=JUNE)
    assert [name for name, _ in mine.clients] == ["Borealis Inc."]
    with seeing(only([cast.borealis.pk])):
        for model in (ClosedMonth, Figure, Counted):
            assert {one.client_id for one in model.objects.all()} == {cast.borealis.pk}


def test_the_database_closes_a_month_once(cast: Cast, solved: Any, live_until: Live) -> None:
    solved()
    live_until(CLOSED)
    again = ClosedMonth.objects.get()
    again.pk = None
    with pytest.raises(IntegrityError, match="a_month_is_closed_once"), transaction.atomic():
        again.save()


def test_queries_do_not_grow_with_what_was_restated(
    cast: Cast, solved: Any, doing: Doing, live_until: Live
) -> None:
    tickets = [solved() for _ in range(6)]
    live_until(CLOSED)

    def reopen(these: list[Ticket], at: datetime) -> int:
        for ticket in these:
            with doing(cast.lou, at):
                ticket.reopen("it is back")
        live_until(at + HOUR)
        june(cast)  # reads the calendars once for all
        with CaptureQueriesContext(connection) as queries:
            june(cast)
        return len(queries)

    assert reopen(tickets[:1], CLOSED + HOUR) == reopen(tickets[1:], CLOSED + 3 * HOUR)


def test_types_are_told_apart_before_and_after_it_is_closed(
    cast: Cast, solved: Any, live_until: Live
) -> None:
    solved()
    solved(type="request")
    before = june(cast, CLOSED - HOUR)
    live_until(CLOSED)
    after = june(cast)
    assert before.types == after.types == {"incident": Line(kept=3), "request": Line(kept=3)}
