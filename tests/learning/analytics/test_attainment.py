"""Which promises of a month were kept: only what ended counts, and what is reopened counts no more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tierdesk.core.scope import only, seeing
from tierdesk.directory.clients.models import Client
from tierdesk.learning.analytics.attainment import Attainment, FirstContact, Line, attainment, trend
from tierdesk.response.major.models import MajorIncident
from tierdesk.response.sla.dates import promise_date
from tierdesk.tickets.models import Ticket

Doing = Callable[..., Any]
BERLIN = ZoneInfo("Europe/Berlin")
JUNE, JULY, AUGUST = (datetime(2026, month, 1, tzinfo=BERLIN) for month in (6, 7, 8))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
"""Acme's P3 is to be solved within 24 working hours: three days."""


def june(cast: Cast, at: datetime = JULY) -> Attainment:
    return attainment(cast.lou.user, JUNE, JULY, at)


def resolve_line(found: Attainment) -> Line:
    return found.of("SLA")["resolve", None, 3]


@pytest.fixture
def solved(cast: Cast, doing: Doing) -> Callable[..., Ticket]:
    """A P3 of Ann's, opened and solved when the test says."""

    def make(opened: datetime, ended: datetime, **more: Any) -> Ticket:
        with doing(cast.lena, opened):
            ticket = cast.ticket(**more)
        with doing(cast.lena, ended):
            ticket.resolve(code="fixed")
        return ticket

    return make


def test_what_ended_in_time_is_kept_and_what_did_not_is_missed(cast: Cast, solved: Any) -> None:
    solved(MONDAY_10, MONDAY_10 + 2 * HOUR)
    solved(MONDAY_10, MONDAY_10 + DAY)
    solved(MONDAY_10, MONDAY_10 + 7 * DAY)
    line = resolve_line(june(cast))
    assert (line.kept, line.missed, line.percent) == (2, 1, 66.6)


def test_a_promised_date_is_a_line_of_its_own_and_who_moved_it_is_listed(cast: Cast, doing: Doing) -> None:
    wednesday = MONDAY_10 + 2 * DAY
    for solved_at in (wednesday + HOUR, wednesday + 3 * HOUR):
        with doing(cast.lena):
            ticket = cast.ticket()
        with doing(cast.lena):
            promise_date(ticket, wednesday, by=cast.lena, why="told Ann")
        with doing(cast.lou, MONDAY_10 + HOUR):
            promise_date(ticket, wednesday + 2 * HOUR, by=cast.lou, why="the part comes later")
        with doing(cast.lena, solved_at):
            ticket.resolve(code="fixed")
    seen = june(cast)
    line = seen.of("SLA")["date", None, 3]
    assert (line.kept, line.missed) == (1, 1)
    assert [(one.by, one.before, one.after, one.why) for one in seen.moved_dates] == [
        ("Lou Lead", wednesday, wednesday + 2 * HOUR, "the part comes later")
    ] * 2
    assert ("date", 3, HOUR) in [(late.metric, late.priority, late.over) for late in seen.late]


def test_j10_a_promise_counts_in_the_month_in_which_it_was_solved(cast: Cast, solved: Any) -> None:
    solved(datetime(2026, 6, 30, 10, tzinfo=BERLIN), datetime(2026, 7, 1, 10, tzinfo=BERLIN))
    assert ("resolve", None, 3) not in june(cast).of("SLA")
    assert resolve_line(attainment(cast.lou.user, JULY, AUGUST, AUGUST)).kept == 1


def test_the_months_are_those_of_the_reader_s_zone(cast: Cast, solved: Any) -> None:
    midnight = datetime(2026, 7, 1, 0, 30, tzinfo=BERLIN)
    solved(midnight - HOUR, midnight)
    assert not june(cast).kinds
    assert trend(cast.lou.user, JUNE, AUGUST, BERLIN) == [(date(2026, 7, 1), Line(kept=3))]
    new_york = ZoneInfo("America/New_York")
    assert trend(cast.lou.user, JUNE, AUGUST, new_york) == [(date(2026, 6, 1), Line(kept=3))]


def test_j11_what_is_open_and_broken_is_a_line_of_its_own(
    cast: Cast, doing: Doing, live_until: Callable[[datetime], None]
) -> None:
    with doing(cast.lena):
        ticket = cast.ticket()
        ticket.take(cast.lena)
    live_until(JULY)
    line = resolve_line(june(cast))
    assert (line.open_broken, line.ended, line.percent) == (1, 0, None)
    with doing(cast.lena, JULY + DAY):
        ticket.resolve(code="fixed")
    assert resolve_line(june(cast, AUGUST)).open_broken == 1
    july = resolve_line(attainment(cast.lou.user, JULY, AUGUST, AUGUST))
    assert (july.missed, july.open_broken) == (1, 0)


def test_one_missed_of_many_never_reads_as_all_of_them() -> None:
    assert Line(kept=99_999, missed=1).percent == 99.9
    assert Line(kept=3).percent == 100.0
    assert Line().percent is None


def test_a_cancelled_ticket_is_left_out(cast: Cast, doing: Doing) -> None:
    with doing(cast.lena):
        ticket = cast.ticket()
    with doing(cast.lena):
        ticket.cancel("a mistake")
    line = resolve_line(june(cast))
    assert (line.left_out, line.ended) == (1, 0)


def test_what_was_missed_says_by_how_much_and_where_its_time_went(
    cast: Cast, doing: Doing, at: datetime
) -> None:
    with doing(cast.lena):
        ticket = cast.ticket()
        ticket.take(cast.lena)
    with doing(cast.lena, at + DAY):
        ticket.hand_over(cast.ops, why="theirs")
    with doing(cast.tom, at + 8 * DAY):
        ticket.resolve(code="fixed")
    [late] = [one for one in june(cast).late if one.metric == "resolve"]
    assert (late.ticket, late.ended_at) == (ticket, at + 8 * DAY)
    assert late.went == [("L2", 7 * DAY), ("L1", DAY)]
    assert late.over == 24 * HOUR


@pytest.mark.parametrize(
    ("then", "counted"),
    [
        ("nothing", 1),
        ("they write again", 0),
        ("it was handed over", 0),
    ],
)
def test_resolved_at_first_contact(cast: Cast, doing: Doing, at: datetime, then: str, counted: int) -> None:
    with doing(cast.lena):
        ticket = cast.ticket()
        if then == "it was handed over":
            ticket.hand_over(cast.ops, why="theirs")
    if then == "they write again":
        with doing(cast.ann, at + HOUR):
            ticket.hear("And another thing.", channel="email")
    with doing(cast.lena, at + 2 * HOUR):
        ticket.resolve(code="fixed")
    assert june(cast).first_contact == [FirstContact("email", counted, 1)]


def test_d10_a_reopening_takes_the_first_contact_back_for_the_month_it_counted_in(
    cast: Cast, doing: Doing, solved: Any, at: datetime
) -> None:
    ticket = solved(datetime(2026, 6, 30, 10, tzinfo=BERLIN), datetime(2026, 6, 30, 11, tzinfo=BERLIN))
    assert june(cast).first_contact == [FirstContact("email", 1, 1)]
    with doing(cast.lena, JULY + 10 * HOUR):
        ticket.reopen("it is back")
    assert june(cast).first_contact == []
    with doing(cast.lena, JULY + 12 * HOUR):
        ticket.resolve(code="fixed")
    assert attainment(cast.lou.user, JULY, AUGUST, AUGUST).first_contact == [FirstContact("email", 0, 1)]


def test_machines_make_no_first_contact(cast: Cast, doing: Doing, at: datetime) -> None:
    with doing(cast.lena):
        cast.ticket(channel="alarms").resolve(code="fixed")
    assert june(cast).first_contact == []


def test_a_reader_sees_their_clients_only_and_may_look_at_one(cast: Cast, solved: Any) -> None:
    solved(MONDAY_10, MONDAY_10 + HOUR)
    solved(MONDAY_10, MONDAY_10 + HOUR, client=cast.borealis, contact=cast.bob)
    assert set(dict(june(cast).clients)) == {"Acme GmbH", "Borealis Inc."}
    assert set(dict(attainment(cast.olga.user, JUNE, JULY, JULY).clients)) == {"Borealis Inc."}
    of_one = attainment(cast.lou.user, JUNE, JULY, JULY, client=cast.acme)
    assert set(dict(of_one.clients)) == {"Acme GmbH"}
    with seeing(only([cast.borealis.pk])):
        assert set(dict(june(cast).clients)) == {"Borealis Inc."}


def test_its_queries_do_not_grow_with_what_was_missed(cast: Cast, solved: Any) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            june(cast)
        return len(queries)

    solved(MONDAY_10, MONDAY_10 + 7 * DAY)
    count()  # reads the calendar once for all
    few = count()
    for _ in range(5):
        solved(MONDAY_10, MONDAY_10 + 7 * DAY)
    assert count() == few


def test_the_major_incidents_of_a_month_are_listed_for_who_may_see_them(
    cast: Cast, doing: Doing, at: datetime
) -> None:
    with doing(cast.ann):
        ticket = cast.ticket()
    with doing(cast.lou, at + HOUR):
        declared = MajorIncident.declare(ticket, by=cast.lou, why="everybody")
    assert june(cast).majors == [declared]
    assert attainment(cast.lou.user, JULY, AUGUST, AUGUST).majors == []
    assert attainment(cast.olga.user, JUNE, JULY, JULY).majors == []
    assert attainment(cast.lou.user, JUNE, JULY, JULY, client=cast.borealis).majors == []


def test_two_clients_of_one_name_are_two(cast: Cast, solved: Any) -> None:
    """Names are not unique; keys are."""
    Client.objects.filter(pk=cast.borealis.pk).update(name=cast.acme.name)
    solved(MONDAY_10, MONDAY_10 + 2 * HOUR)
    solved(MONDAY_10, MONDAY_10 + 2 * HOUR, client=cast.borealis, contact=cast.bob)
    found = june(cast)
    assert len(found.clients) == 2
    assert sum(line.kept for _, line in found.clients) == found.total("SLA").kept
