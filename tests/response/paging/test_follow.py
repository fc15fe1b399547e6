"""A page that waits goes to whoever is on call when it leaves, and the timeline says so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tests.response.paging.conftest import publish, schedule
from tierdesk.core import clock
from tierdesk.directory.oncall.models import Schedule
from tierdesk.directory.staff.models import Agent
from tierdesk.response.paging.follow import belongs
from tierdesk.response.paging.pages import Page, PageState
from tierdesk.response.paging.people import Called
from tierdesk.response.paging.ways import Way
from tierdesk.tickets.models import Entry, Ticket

Live = Callable[..., None]
HOUR = timedelta(hours=1)
TUESDAY_9 = MONDAY_10 + 23 * HOUR
"""When the layer of these tests begins to hold, in Berlin."""


@pytest.fixture(autouse=True)
def mails_stay_here(settings: Any, tmp_path: Any) -> None:
    settings.HOME = tmp_path


ONE, OTHER = SimpleNamespace(pk=1), SimpleNamespace(pk=2)
BELONGS = [
    # (whose page, for the shift from, who has the duty now: agent, from when if it is held; stays?, why)
    (1, None, (ONE, None), True, "they are on call"),
    (1, None, (OTHER, None), False, "somebody else is"),
    (1, 0, (ONE, None), True, "their shift began"),
    (1, 5, (ONE, None), False, "they are on call before the shift for which it was held"),
    (1, 5, (ONE, 5), True, "held for their shift still"),
    (1, 5, (ONE, 7), False, "which begins later now"),
    (1, 5, (OTHER, 5), False, "which somebody else has now"),
    (1, 5, None, True, "nobody ever has the duty, so whoever was meant gets it"),
]


@pytest.mark.parametrize("whose, shift, duty, stays, why", BELONGS, ids=[row[-1] for row in BELONGS])
def test_whether_a_page_stays(whose: int, shift: float | None, duty: Any, stays: bool, why: str) -> None:
    page = Page(agent_id=whose, shift_at=None if shift is None else MONDAY_10 + shift * HOUR)
    now = None
    if duty is not None:
        agent, held = duty
        now = Called(
            agent, "on call", MONDAY_10 + (held or 0) * HOUR, "schedule:l1", is_held=held is not None
        )
    assert belongs(page, now) is stays, why


@pytest.fixture
def held(cast: Cast, doing: Callable[..., Any]) -> Callable[..., Ticket]:
    """A P1 on Monday at ten, of a desk whose duty Lena has from Tuesday at nine on: her page is held."""

    def hold(**said: Any) -> Ticket:
        with clock.frozen(MONDAY_10 - HOUR):
            schedule("l1", cast.desk, cast.lena, starts_date=TUESDAY_9.date(), handover=time(9))
        steps = [{"after": 0, "page": ["schedule:l1"]}]
        publish(**{"steps": steps, "nobody_on_call": "next_shift", "ack_timeout": 0} | said)
        with doing(cast.ann.user):
            return cast.ticket(impact=1, urgency=1)

    return hold


def stand_in(agent: Agent, begins: datetime, ends: datetime, *, at: datetime) -> Any:
    with clock.frozen(at):
        return Schedule.objects.get(key="l1").stand_in(
            agent, begins, ends, reason="ill", by=agent.user, at=at
        )


def sent(ticket: Ticket) -> list[tuple[float, str, str]]:
    """(hours after the ticket, who, on which way)."""
    pages = Page.objects.filter(paging__ticket=ticket, state=PageState.SENT).order_by("sent_at", "id")
    return [((one.sent_at - MONDAY_10) / HOUR, one.agent.name, one.channel) for one in pages]


def told(ticket: Ticket) -> list[str]:
    followed = Entry.objects.of(ticket.pk).filter(kind="page_followed")
    return [f"{one.details['name']} → {one.details['to']}" for one in followed]


def test_a_held_page_stays_with_its_person_where_nothing_changes(
    held: Callable[..., Ticket], live_until: Live
) -> None:
    ticket = held()
    live_until(TUESDAY_9 + HOUR)
    assert (sent(ticket), told(ticket)) == ([(23, "Lena Lang", "mail")], [])


def test_who_stands_in_for_that_shift_gets_it(
    cast: Cast, held: Callable[..., Ticket], live_until: Live
) -> None:
    ticket = held()
    live_until(MONDAY_10 + HOUR)
    stand_in(cast.lou, TUESDAY_9, TUESDAY_9 + 24 * HOUR, at=MONDAY_10 + HOUR)
    live_until(TUESDAY_9 + HOUR)
    assert sent(ticket) == [(23, "Lou Lead", "mail")]
    assert told(ticket) == ["Lena Lang → Lou Lead (next on call: L1) by mail"]


def test_who_stands_in_now_gets_it_now(cast: Cast, held: Callable[..., Ticket], live_until: Live) -> None:
    """It leaves at once, not at the shift for which it was held."""
    ticket = held()
    live_until(MONDAY_10 + HOUR)
    stand_in(cast.lou, MONDAY_10 + HOUR, MONDAY_10 + 5 * HOUR, at=MONDAY_10 + HOUR)
    live_until(TUESDAY_9 + HOUR)
    assert sent(ticket) == [(1, "Lou Lead", "mail")]
    assert told(ticket) == ["Lena Lang → Lou Lead (on call: L1) by mail"]


def test_one_for_whom_it_is_held_and_who_stands_in_earlier_gets_it_earlier(
    cast: Cast, held: Callable[..., Ticket], live_until: Live
) -> None:
    ticket = held()
    live_until(MONDAY_10 + HOUR)
    stand_in(cast.lena, MONDAY_10 + HOUR, MONDAY_10 + 5 * HOUR, at=MONDAY_10 + HOUR)
    live_until(TUESDAY_9 + HOUR)
    assert sent(ticket) == [(1, "Lena Lang", "mail")]


def test_what_is_taken_back_goes_back(cast: Cast, held: Callable[..., Ticket], live_until: Live) -> None:
    ticket = held()
    live_until(MONDAY_10 + HOUR)
    made = stand_in(cast.lou, TUESDAY_9, TUESDAY_9 + 24 * HOUR, at=MONDAY_10 + HOUR)
    live_until(MONDAY_10 + 2 * HOUR)
    made.withdraw(by=cast.lou.user, at=MONDAY_10 + 2 * HOUR)
    live_until(TUESDAY_9 + HOUR)
    assert sent(ticket) == [(23, "Lena Lang", "mail")]
    assert told(ticket) == [
        "Lena Lang → Lou Lead (next on call: L1) by mail",
        "Lou Lead → Lena Lang (next on call: L1) by mail",
    ]


def test_a_shift_that_vanished_keeps_the_page_where_it_was(
    cast: Cast, held: Callable[..., Ticket], live_until: Live
) -> None:
    ticket = held()
    live_until(MONDAY_10 + HOUR)
    Schedule.objects.get(key="l1").layers.all().delete()
    live_until(TUESDAY_9 + HOUR)
    assert (sent(ticket), told(ticket)) == ([(23, "Lena Lang", "mail")], [])


def test_a_way_that_waits_is_not_taken_to_whose_turn_is_over(
    cast: Cast, held: Callable[..., Ticket], live_until: Live
) -> None:
    """Mail at once, a call after an hour; in between Lou stands in, and is called by her own ways."""
    Way.objects.create(
        agent=cast.lena, kind="sms", address="+49301234509", verified_at=MONDAY_10, wait_s=3600
    )
    ticket = held()
    live_until(TUESDAY_9 + timedelta(minutes=10))
    assert sent(ticket) == [(23, "Lena Lang", "mail")]
    stand_in(cast.lou, TUESDAY_9 + HOUR / 3, TUESDAY_9 + 24 * HOUR, at=TUESDAY_9 + HOUR / 3)
    live_until(TUESDAY_9 + 3 * HOUR)
    assert [(round(when, 3), who, way) for when, who, way in sent(ticket)] == [
        (23, "Lena Lang", "mail"),
        (23.333, "Lou Lead", "mail"),
    ]


def test_of_who_was_moved_away_nobody_waits_for_an_answer(
    cast: Cast, held: Callable[..., Ticket], live_until: Live, doing: Callable[..., Any]
) -> None:
    """Lou passes it on: nobody else was called with that step, so the next one is due, whatever Lena's page was."""
    steps = [{"after": 0, "page": ["schedule:l1"]}, {"after": 172_800, "page": ["user:tom@desk.example"]}]
    ticket = held(steps=steps)
    live_until(MONDAY_10 + HOUR)
    stand_in(cast.lou, MONDAY_10 + HOUR, MONDAY_10 + 5 * HOUR, at=MONDAY_10 + HOUR)
    live_until(MONDAY_10 + 2 * HOUR)
    page = Page.objects.whole().get(paging__ticket=ticket, state=PageState.SENT)
    with doing(cast.lou, MONDAY_10 + 2 * HOUR):
        page.pass_on()
    live_until(MONDAY_10 + 3 * HOUR)
    assert sent(ticket)[-1] == (2, "Tom Tran", "mail")


def test_a_page_that_leaves_looks_itself_when_nobody_told_it(
    cast: Cast, held: Callable[..., Ticket], live_until: Live
) -> None:
    """A turn is over by time alone, or an account was closed: no schedule was changed."""
    ticket = held()
    live_until(MONDAY_10 + HOUR)
    Schedule.objects.get(key="l1").overrides.create(agent=cast.lou, from_at=TUESDAY_9, to_at=TUESDAY_9 + HOUR)
    Schedule.objects.update(wake_at=None)
    live_until(TUESDAY_9 + HOUR / 2)
    assert sent(ticket) == [(23, "Lou Lead", "mail")]
    assert told(ticket) == ["Lena Lang → Lou Lead (on call: L1) by mail"]


def test_who_was_acknowledged_is_called_no_more_by_a_change(
    cast: Cast, held: Callable[..., Ticket], live_until: Live, doing: Callable[..., Any]
) -> None:
    ticket = held()
    with doing(cast.lou, MONDAY_10 + HOUR):
        Ticket.objects.get(pk=ticket.pk).assign(cast.lou)
    stand_in(cast.lou, MONDAY_10 + HOUR, MONDAY_10 + 5 * HOUR, at=MONDAY_10 + HOUR)
    live_until(TUESDAY_9 + HOUR)
    assert (sent(ticket), told(ticket)) == ([], [])


# -- those that are next


NOON = MONDAY_10 + 2 * HOUR


@pytest.fixture
def next_called(cast: Cast, doing: Callable[..., Any]) -> Callable[..., Ticket]:
    """A P1 on Monday at ten: Lena is on call until noon, Lou is next for a day, then Kira. SMS takes its time."""

    def call(*page: str, wait_s: int = 3600) -> Ticket:
        with clock.frozen(MONDAY_10 - HOUR):
            people = (cast.lena, cast.lou, cast.kira)
            begins = (MONDAY_10 - 24 * HOUR).date()
            schedule("l1", cast.desk, *people, starts_date=begins, handover=time(12), shift_days=1)
        for number, agent in enumerate(people):
            Way.objects.create(
                agent=agent,
                kind="sms",
                address=f"+4930123450{number}",
                verified_at=MONDAY_10,
                wait_s=wait_s,
            )
        publish(steps=[{"after": 0, "page": list(page)}], ack_timeout=0)
        with doing(cast.ann.user):
            return cast.ticket(impact=1, urgency=1)

    return call


def pending(ticket: Ticket) -> list[tuple[str, str]]:
    """(whom, by which duty) of what still waits on the way that takes its time."""
    pages = Page.objects.filter(paging__ticket=ticket, state=PageState.PENDING, channel="sms")
    return sorted((page.agent.name, page.target) for page in pages.select_related("agent__user"))


def test_who_is_next_keeps_the_page_where_nothing_changes(
    next_called: Callable[..., Ticket], live_until: Live
) -> None:
    ticket = next_called("next:l1")
    live_until(MONDAY_10)
    assert pending(ticket) == [("Lou Lead", "next:l1")]
    assert told(ticket) == []


def test_who_becomes_next_by_a_change_gets_it_at_once(
    cast: Cast, next_called: Callable[..., Ticket], live_until: Live
) -> None:
    ticket = next_called("next:l1")
    live_until(MONDAY_10 + HOUR / 6)
    stand_in(cast.kira, NOON, NOON + 24 * HOUR, at=MONDAY_10 + HOUR / 6)
    live_until(MONDAY_10 + HOUR / 4)
    assert pending(ticket) == [("Kira Koch", "next:l1")]
    assert told(ticket) == ["Lou Lead → Kira Koch (next on call: L1) by mail and SMS after 60 min"]


def test_who_is_next_when_it_leaves_gets_it_though_nobody_told_it(
    cast: Cast, next_called: Callable[..., Ticket], live_until: Live
) -> None:
    """The turn is over by time alone while the way waits."""
    ticket = next_called("next:l1", wait_s=10_800)
    live_until(NOON + 2 * HOUR)
    assert [who for _, who, way in sent(ticket) if way == "mail"] == ["Lou Lead", "Kira Koch"]
    assert [who for who, _ in pending(ticket)] == ["Kira Koch"]
    assert told(ticket) == ["Lou Lead → Kira Koch (next on call: L1) by mail and SMS after 180 min"]


@pytest.mark.parametrize("order", [("schedule:l1", "next:l1"), ("next:l1", "schedule:l1")])
def test_when_the_turn_is_over_both_move_on_and_nobody_is_lost(
    cast: Cast, next_called: Callable[..., Ticket], live_until: Live, order: tuple[str, str]
) -> None:
    """Lena was on call and Lou next; then Lou is on call and Kira next, whatever is looked at first."""
    ticket = next_called(*order, wait_s=10_800)
    live_until(MONDAY_10)
    assert pending(ticket) == [("Lena Lang", "schedule:l1"), ("Lou Lead", "next:l1")]
    Schedule.objects.update(wake_at=NOON + HOUR / 2)
    live_until(NOON + HOUR / 2)
    assert pending(ticket) == [("Kira Koch", "next:l1"), ("Lou Lead", "schedule:l1")]


def test_who_was_next_and_takes_over_earlier_is_called_once(
    cast: Cast, next_called: Callable[..., Ticket], live_until: Live
) -> None:
    ticket = next_called("schedule:l1", "next:l1")
    live_until(MONDAY_10 + HOUR / 6)
    stand_in(cast.lou, MONDAY_10 + HOUR / 6, NOON, at=MONDAY_10 + HOUR / 6)
    live_until(MONDAY_10 + HOUR / 4)
    assert ("Lou Lead", "schedule:l1") in pending(ticket)
    assert [name for name, _ in pending(ticket)].count("Lou Lead") == 1
    assert "Lena Lang" not in dict(pending(ticket))
