"""A change of shifts is signed by two, and says for ever what it said then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tierdesk.core.scope import EVERY_CLIENT, only, seeing
from tierdesk.directory.staff.models import Agent, Membership, User
from tierdesk.response.notifications.models import Notice
from tierdesk.response.shifts.models import GRACE, Line, Section, ShiftHandOver, ShiftLine
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Ticket

Doing = Callable[..., Any]


@pytest.fixture
def ticket(cast: Cast, doing: Doing) -> Ticket:
    with doing(cast.lena):
        return cast.ticket()


@pytest.fixture
def sign(cast: Cast, ticket: Ticket, at: datetime) -> Callable[..., ShiftHandOver]:
    """Sign for the service desk, with one line about Ann's ticket."""

    def signed(by: Agent, *, seen: int | None = None, **more: Any) -> ShiftHandOver:
        lines = [Line(Section.RUNS_OUT, ticket, "Resolve · the client", at, "Lena Lang")]
        said = {"at": at, "hours": 8, "note": " Ann is angry. ", "lines": lines} | more
        return ShiftHandOver.sign(cast.desk, by=by, seen=seen, **said)

    return signed


def test_what_was_signed_stays_as_it_was(
    cast: Cast, ticket: Ticket, sign: Callable[..., ShiftHandOver], doing: Doing, at: datetime
) -> None:
    one = sign(cast.lou)
    with doing(cast.lena):
        ticket.resolve(code="fixed")
    [line] = ShiftLine.objects.filter(hand_over=one)
    assert (line.section, line.ticket, line.words, line.at, line.who) == (
        "runs_out",
        ticket,
        "Resolve · the client",
        at,
        "Lena Lang",
    )
    assert (one.note, one.handed_by, one.hours, one.taken_at) == ("Ann is angry.", cast.lou, 8, None)


def test_whoever_comes_signs_too_and_only_once(
    cast: Cast, sign: Callable[..., ShiftHandOver], at: datetime
) -> None:
    one = sign(cast.lou)
    later = at + timedelta(minutes=10)
    one.take(cast.lena, at=later, remark="Which Ann?")
    one.refresh_from_db()
    assert (one.taken_by, one.taken_at, one.remark) == (cast.lena, later, "Which Ann?")
    with pytest.raises(UnableTo, match="taken it already"):
        one.take(cast.lena, at=later, remark="")


def test_nobody_takes_what_they_gave(cast: Cast, sign: Callable[..., ShiftHandOver], at: datetime) -> None:
    with pytest.raises(UnableTo, match="somebody else takes it"):
        sign(cast.lou).take(cast.lou, at=at, remark="")


def test_a_lead_signs_where_there_is_one(
    cast: Cast, sign: Callable[..., ShiftHandOver], at: datetime
) -> None:
    with pytest.raises(UnableTo, match="A lead of Service Desk signs"):
        sign(cast.lena)
    cast.lena.memberships.update(is_lead=True)
    one = sign(Agent.objects.get(pk=cast.lena.pk))
    nobody_s_lead = Agent.objects.get(pk=cast.tom.pk)
    with pytest.raises(UnableTo, match="A lead of Service Desk signs"):
        one.take(nobody_s_lead, at=at, remark="")
    one.take(cast.lou, at=at, remark="")


def test_without_a_lead_who_is_there_any_member_signs(cast: Cast, sign: Callable[..., ShiftHandOver]) -> None:
    Agent.objects.filter(pk=cast.lou.pk).update(is_away=True)
    assert sign(cast.lena).handed_by == cast.lena


def test_of_two_who_sign_at_once_the_slower_is_told(cast: Cast, sign: Callable[..., ShiftHandOver]) -> None:
    first = sign(cast.lou)
    with pytest.raises(UnableTo, match="in the meantime"):
        sign(cast.lou)
    second = sign(cast.lou, seen=first.pk)
    assert list(ShiftHandOver.objects.all()) == [second, first]


def test_it_looks_ahead_for_as_long_as_a_shift_can_be(cast: Cast, sign: Callable[..., ShiftHandOver]) -> None:
    with pytest.raises(UnableTo, match="4, 8, 12, 24 or 72 hours"):
        sign(cast.lou, hours=5)
    assert not ShiftHandOver.objects.exists()


def test_others_see_neither_the_change_nor_its_lines(cast: Cast, sign: Callable[..., ShiftHandOver]) -> None:
    one = sign(cast.lou)
    assert list(ShiftHandOver.objects.visible_to(cast.lena.user)) == [one]
    assert not ShiftHandOver.objects.visible_to(cast.tom.user).exists()
    assert not ShiftHandOver.objects.visible_to(cast.ann.user).exists()
    assert not ShiftLine.objects.visible_to(cast.olga.user).exists()
    with seeing(only({cast.borealis.pk})):
        assert not ShiftLine.objects.exists()
    with seeing(EVERY_CLIENT):
        assert ShiftLine.objects.exists()


def told() -> list[tuple[str, datetime]]:
    mails = Notice.objects.filter(kind="shift_waits", channel="mail").order_by("id")
    return [(one.address, one.created_at) for one in mails]


@pytest.mark.parametrize(
    "away, leads, whom, why",
    [
        ((), ("lou", "lena"), ["lena"], "the other lead; not whoever gave it"),
        ((), ("lou",), ["lena", "mia"], "any member, where no other lead is"),
        (("lena",), ("lou",), ["mia"], "who is there"),
        (("lena", "mia"), ("lou",), ["lou"], "a manager, where nobody else of the team is"),
    ],
)
def test_who_may_take_it_is_told_once_that_it_waits(
    cast: Cast,
    sign: Callable[..., ShiftHandOver],
    at: datetime,
    live_until: Callable[[datetime], None],
    away: tuple[str, ...],
    leads: tuple[str, ...],
    whom: list[str],
    why: str,
) -> None:
    mia = Agent.objects.create(user=User.objects.create_user("mia@desk.example", name="Mia Moll"))
    Membership.objects.create(agent=mia, team=cast.desk)
    people = {"lena": cast.lena, "lou": cast.lou, "mia": mia}
    for name in leads:
        Membership.objects.filter(team=cast.desk, agent=people[name]).update(is_lead=True)
    for name in away:
        Agent.objects.filter(pk=people[name].pk).update(is_away=True)
    one = sign(Agent.objects.get(pk=cast.lou.pk))
    live_until(at + timedelta(hours=2))
    assert told() == [(f"{name}@desk.example", at + GRACE) for name in whom], why
    assert {n.path for n in Notice.objects.filter(kind="shift_waits")} == {f"/shifts/desk/{one.pk}/"}


def test_nobody_is_told_of_a_shift_that_was_taken_in_time_or_that_another_overtook(
    cast: Cast, sign: Callable[..., ShiftHandOver], at: datetime, live_until: Callable[[datetime], None]
) -> None:
    first = sign(cast.lou)
    second = sign(cast.lou, seen=first.pk, at=at + timedelta(minutes=5))
    live_until(at + GRACE)
    assert told() == []
    second.take(cast.lena, at=at + GRACE, remark="")
    live_until(at + timedelta(hours=2))
    assert told() == []
