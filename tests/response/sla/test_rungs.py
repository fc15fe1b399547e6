"""Rungs of a contract's ladder: at any share of a promise, or minutes before or after its end, in working time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import Cast
from tierdesk.core.wakeups import run_due
from tierdesk.response.notifications.models import Notice
from tierdesk.response.sla.marks import Mark, NoMark
from tierdesk.response.sla.models import Rung
from tierdesk.response.sla.verify import repair
from tierdesk.tickets.models import Entry, Ticket

H = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
Doing = Callable[..., Any]
Live = Callable[[datetime], None]

HALF = {"at": "50 %", "tell": ["assignee"]}


@pytest.fixture
def agreed(cast: Cast) -> Callable[..., None]:
    def agree(*rungs: dict[str, Any]) -> None:
        cast.acme_contract.rungs = list(rungs)
        cast.acme_contract.save(update_fields=["rungs"])

    return agree


@pytest.fixture
def opened(cast: Cast, doing: Doing) -> Callable[..., Ticket]:
    """Ann's, by Lena, who works it. Of P1 it has four hours around the clock, of P3 three days of office hours."""

    def open_one(*, priority: int = 1, **more: Any) -> Ticket:
        rank = {1: (1, 1), 3: (2, 2)}[priority]
        with doing(cast.lena) as unit:
            ticket = cast.ticket(impact=rank[0], urgency=rank[1], **more)
            unit.settle()
            ticket.take(cast.lena)
        assert ticket.priority == priority
        return ticket

    return open_one


def reached(ticket: Ticket) -> list[tuple[list[str], datetime]]:
    entries = Entry.objects.of(ticket.pk).filter(kind="rung_reached")
    return [(entry.details["marks"], entry.at) for entry in entries]


# -- marks


@pytest.mark.parametrize(
    ("text", "used", "written"),
    [
        ("50 %", 2 * H, "50 %"),
        ("150%", 6 * H, "150 %"),
        ("30 min before", 3.5 * H, "30 min before"),
        ("60 min after", 5 * H, "1 h after"),
        ("5 h before", None, "5 h before"),
        ("4 h before", None, "4 h before"),
    ],
)
def test_where_a_mark_lies_on_a_promise_of_four_hours(
    text: str, used: timedelta | None, written: str
) -> None:
    mark = Mark.of(text)
    assert (mark.used(4 * H), str(mark)) == (used, written)
    assert Mark.of(written) == mark


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("soon", "is no moment"),
        ("75 %", "procedure’s ladder"),
        ("100 %", "procedure’s ladder"),
        ("0 %", "from 1 to 1000"),
        ("0 min before", "told anyway"),
        ("-5 min after", "is no moment"),
    ],
)
def test_what_is_no_mark_says_what_to_write(text: str, why: str) -> None:
    with pytest.raises(NoMark, match=why):
        Mark.of(text)


# -- on clocks


def test_a_rung_is_reached_at_its_own_time_and_tells_whom_it_names(
    cast: Cast, at: datetime, agreed: Callable[..., None], opened: Callable[..., Ticket], live_until: Live
) -> None:
    agreed(HALF, {"at": "30 min before", "tell": ["managers"]}, {"at": "1 h after", "tell": ["team_lead"]})
    ticket = opened()
    live_until(at + 6 * H)
    assert reached(ticket) == [
        (["50 %"], at + 2 * H),
        (["30 min before"], at + 3.5 * H),
        (["1 h after"], at + 5 * H),
    ]
    told = Entry.objects.of(ticket.pk).filter(kind="hierarchy_told").exclude(details__rung="")
    assert [(e.details["rung"], e.details["roles"], e.details["agents"]) for e in told] == [
        ("50 %", ["assignee"], [cast.lena.pk]),
        ("30 min before", ["managers"], [cast.lou.pk]),
        ("1 h after", ["team_lead"], [cast.lou.pk]),
    ]
    assert [e.cause.kind for e in told if e.cause] == ["rung_reached"] * 3
    half = Notice.objects.filter(ticket=ticket, agent=cast.lena, subject__contains="has reached a rung: 50 %")
    assert {notice.channel for notice in half} == {"desk", "mail"}
    ticket.refresh_from_db()
    assert (ticket.team, ticket.tier, ticket.assignee) == (cast.desk, 1, cast.lena), "it never moves"


def test_minutes_are_working_minutes(
    at: datetime, agreed: Callable[..., None], opened: Callable[..., Ticket], live_until: Live
) -> None:
    """Due on Thursday at 10:00; nine hours before that is Tuesday at 17:00, when the office closes."""
    agreed({"at": "9 h before", "tell": ["assignee"]})
    ticket = opened(priority=3)
    live_until(at + timedelta(days=4))
    assert reached(ticket) == [(["9 h before"], at + timedelta(days=1) + 7 * H)]


def test_a_pause_moves_the_rung_like_the_deadline(
    cast: Cast,
    at: datetime,
    agreed: Callable[..., None],
    opened: Callable[..., Ticket],
    doing: Doing,
    live_until: Live,
) -> None:
    agreed(HALF)
    ticket = opened()
    with doing(cast.lena, at + H):
        Ticket.objects.get(pk=ticket.pk).pend("access")
    live_until(at + 3 * H)
    assert reached(ticket) == [], "it stood still"
    with doing(cast.lena, at + 3 * H):
        Ticket.objects.get(pk=ticket.pk).resume("there it is")
    live_until(at + 10 * H)
    assert reached(ticket) == [(["50 %"], at + 4 * H)]


def test_what_is_solved_reaches_nothing_more(
    cast: Cast,
    at: datetime,
    agreed: Callable[..., None],
    opened: Callable[..., Ticket],
    doing: Doing,
    live_until: Live,
) -> None:
    agreed(HALF)
    ticket = opened()
    with doing(cast.lena, at + H):
        Ticket.objects.get(pk=ticket.pk).resolve(code="fixed")
    live_until(at + 10 * H)
    assert reached(ticket) == []
    assert not Rung.objects.filter(wake_at__isnull=False).exists(), "and nothing is left to wake"


def test_a_reopened_ticket_reaches_the_rungs_it_had_not(
    cast: Cast,
    at: datetime,
    agreed: Callable[..., None],
    opened: Callable[..., Ticket],
    doing: Doing,
    live_until: Live,
) -> None:
    agreed({"at": "25 %", "tell": ["assignee"]}, HALF)
    ticket = opened()
    live_until(at + 1.5 * H)
    with doing(cast.lena, at + 1.5 * H):
        Ticket.objects.get(pk=ticket.pk).resolve(code="fixed")
    with doing(cast.lena, at + 3 * H):
        Ticket.objects.get(pk=ticket.pk).reopen("it is not")
    live_until(at + 4 * H)
    assert reached(ticket) == [(["25 %"], at + H), (["50 %"], at + 3.5 * H)]


def test_another_priority_moves_the_rungs(
    cast: Cast,
    at: datetime,
    agreed: Callable[..., None],
    opened: Callable[..., Ticket],
    doing: Doing,
    live_until: Live,
) -> None:
    agreed(HALF)
    ticket = opened(priority=3)
    with doing(cast.lena, at + H):
        Ticket.objects.get(pk=ticket.pk).assess(impact=1, urgency=1, reason="all of them")
    live_until(at + 5 * H)
    assert reached(ticket) == [(["50 %"], at + 2 * H)]


def test_after_an_outage_one_entry_tells_all_rungs_that_were_passed(
    cast: Cast, at: datetime, agreed: Callable[..., None], opened: Callable[..., Ticket]
) -> None:
    agreed({"at": "25 %", "tell": ["assignee"]}, {"at": "50 %", "tell": ["assignee", "managers"]})
    ticket = opened()
    run_due(at + 2.5 * H)
    assert reached(ticket) == [(["25 %", "50 %"], at + 2.5 * H)]
    told = Entry.objects.of(ticket.pk).get(kind="hierarchy_told", details__rung="25 %, 50 %")
    assert told.details["roles"] == ["assignee", "managers"]


def test_a_rung_of_a_team_is_for_that_team(
    cast: Cast,
    at: datetime,
    agreed: Callable[..., None],
    opened: Callable[..., Ticket],
    doing: Doing,
    live_until: Live,
) -> None:
    agreed(HALF | {"teams": ["ops"]})
    with_desk, with_ops = opened(), opened()
    with doing(cast.lena, at + H):
        Ticket.objects.get(pk=with_ops.pk).hand_over(cast.ops, why="theirs")
    live_until(at + 3 * H)
    assert (len(reached(with_desk)), len(reached(with_ops))) == (0, 1)


def test_a_rung_speaks_of_the_promises_that_it_names(
    at: datetime, agreed: Callable[..., None], opened: Callable[..., Ticket], live_until: Live
) -> None:
    agreed(HALF | {"of": ["respond"]})
    ticket = opened()
    live_until(at + 3 * H)
    assert reached(ticket) == [(["50 %"], at + 15 * MINUTE)]


def test_one_person_can_be_named_and_must_serve_the_client(
    cast: Cast, at: datetime, agreed: Callable[..., None], opened: Callable[..., Ticket], live_until: Live
) -> None:
    agreed(HALF | {"tell": ["agent:kira@desk.example", "agent:olga@desk.example"]})
    ticket = opened()
    live_until(at + 3 * H)
    told = Entry.objects.of(ticket.pk).get(kind="hierarchy_told", details__rung="50 %")
    assert told.details["agents"] == [cast.kira.pk], "Olga does not serve Acme"


def test_a_contract_without_rungs_has_no_rows_and_costs_no_statement(
    cast: Cast, agreed: Callable[..., None], opened: Callable[..., Ticket], doing: Doing, at: datetime
) -> None:
    opened()
    with (
        CaptureQueriesContext(
            connection,
        ) as queries,
        doing(cast.lena, at + H),
    ):
        cast.ticket()
    assert not Rung.objects.exists()
    assert [q["sql"] for q in queries if "sla_rung" in q["sql"]] == []


def test_clocks_set_right_have_their_rungs_again(
    cast: Cast,
    at: datetime,
    agreed: Callable[..., None],
    opened: Callable[..., Ticket],
    doing: Doing,
    live_until: Live,
) -> None:
    agreed(HALF)
    ticket = opened()
    clock = ticket.clocks.get(metric="resolve", party="SLA")
    type(clock).objects.filter(pk=clock.pk).update(target_s=60)
    Rung.objects.all().delete()
    with doing(cast.lena, at + H):
        assert repair(ticket)
    live_until(at + 3 * H)
    assert reached(ticket) == [(["50 %"], at + 2 * H)]
