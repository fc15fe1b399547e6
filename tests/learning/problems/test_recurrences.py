"""What keeps coming is proposed as a problem, and somebody accepts that or dismisses it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from tests.cast import Cast
from tierdesk.core.scope import only, seeing
from tierdesk.learning.problems.models import Problem
from tierdesk.learning.problems.recurrences import Recurrence
from tierdesk.response.major.models import MajorIncident
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Ticket

type Doing = Callable[..., Any]
type Live = Callable[[datetime], None]

H, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def solved(cast: Cast, doing: Doing, live_until: Live, at: datetime) -> Callable[..., Ticket]:
    """An incident of Acme's VPN, solved an hour after it came, and lived through for another."""

    def make(after: timedelta = timedelta(), **more: Any) -> Ticket:
        told = {"category": cast.vpn_category, "service": cast.vpn} | more
        with doing(cast.lena, at + after):
            ticket = cast.ticket(**told)
        with doing(cast.lena, at + after + H):
            ticket.resolve(code="fixed")
        live_until(at + after + 2 * H)
        return ticket

    return make


@pytest.fixture
def repeats(solved: Callable[..., Ticket]) -> Recurrence:
    for day in range(3):
        solved(day * DAY)
    return Recurrence.objects.whole().get()


def test_three_within_the_window_are_proposed_minutes_after_the_last_was_solved(
    cast: Cast, repeats: Recurrence, at: datetime
) -> None:
    assert (repeats.state, repeats.incidents, repeats.since) == ("proposed", 3, at)
    assert (repeats.client, repeats.service, repeats.category) == (cast.acme, cast.vpn, cast.vpn_category)
    assert repeats.proposed_at == at + 2 * DAY + H + timedelta(minutes=10)
    assert str(repeats) == "Acme GmbH · VPN · network/vpn"
    assert repeats.tickets().count() == 3


@pytest.mark.parametrize(
    ("which", "why"),
    [
        ("two", "two are no repeat yet"),
        ("late", "the first lies before the window"),
        ("other client", "of another client"),
        ("other category", "of another kind"),
        ("other service", "of another service"),
        ("request", "somebody wants something; nothing is broken"),
        ("cancelled", "one of them was none"),
        ("linked", "one of them has its problem"),
        ("child", "one followed a major incident, which has its own review"),
        ("no category", "nobody knows what it was"),
    ],
)
def test_it_is_not_proposed(
    cast: Cast, solved: Any, doing: Doing, live_until: Live, at: datetime, which: str, why: str
) -> None:
    others: dict[str, dict[str, Any]] = {
        "other client": {"client": cast.borealis, "contact": cast.bob, "service": None},
        "other category": {"category": cast.printer_category},
        "other service": {"service": cast.mail},
        "request": {"type": "request"},
        "no category": {"category": None, "subject": "It", "text": "It."},
    }
    first = solved(-40 * DAY if which == "late" else timedelta())
    if which == "linked":
        with doing(cast.kira, at + 2 * H):
            Problem.open_for(first, title="The gateway", why="seen before", by=cast.kira)
    solved(DAY)
    if which in others:
        solved(2 * DAY, **others[which])
    elif which == "late" or which == "linked":
        solved(2 * DAY)
    elif which == "cancelled":
        with doing(cast.lena, at + 2 * DAY):
            cast.ticket(category=cast.vpn_category, service=cast.vpn).cancel("a slip")
    elif which == "child":
        with doing(cast.lena, at + 2 * DAY):
            parent = cast.ticket()
            child = cast.ticket(category=cast.vpn_category, service=cast.vpn)
        with doing(cast.lou, at + 2 * DAY + H):
            MajorIncident.declare(parent, by=cast.lou, why="everybody").link([child.pk])
        with doing(cast.lou, at + 2 * DAY + 2 * H):
            Ticket.objects.get(pk=parent.pk).resolve(code="fixed")
    live_until(at + 3 * DAY)
    assert not Recurrence.objects.exists(), why


def test_what_comes_meanwhile_is_counted_with_it(
    repeats: Recurrence, solved: Any, live_until: Live, at: datetime
) -> None:
    solved(4 * DAY)
    live_until(at + 5 * DAY)
    again = Recurrence.objects.get()
    assert (again.pk, again.incidents, again.proposed_at) == (repeats.pk, 4, repeats.proposed_at)


def test_accepted_it_is_a_problem_with_all_of_them(
    cast: Cast, repeats: Recurrence, doing: Doing, at: datetime
) -> None:
    with doing(cast.kira, at + 4 * DAY):
        problem = Problem.open_for_repeats(repeats, title="The gateway", why="same log line", by=cast.kira)
    repeats.refresh_from_db()
    assert (repeats.state, repeats.problem, repeats.answered_by) == ("accepted", problem, cast.kira)
    assert (repeats.answer, repeats.incidents) == ("same log line", 3)
    assert problem.occurrences.count() == 3


def test_they_may_be_of_a_problem_that_is_known(
    cast: Cast, repeats: Recurrence, doing: Doing, at: datetime
) -> None:
    with doing(cast.kira, at + 4 * DAY):
        other = cast.ticket()
        known = Problem.open_for(other, title="The gateway", why="seen", by=cast.kira)
        known.take_on(repeats, why="same log line", by=cast.kira)
    assert known.occurrences.count() == 4
    assert Recurrence.objects.get().problem == known


def test_dismissed_it_takes_as_many_new_ones(
    cast: Cast, repeats: Recurrence, solved: Any, doing: Doing, live_until: Live, at: datetime
) -> None:
    with doing(cast.lou, at + 4 * DAY):
        repeats.dismiss(by=cast.lou, why="three different cables")
    for day in (5, 6):
        solved(day * DAY)
    live_until(at + 7 * DAY)
    assert [one.state for one in Recurrence.objects.all()] == ["dismissed"]
    solved(7 * DAY)
    live_until(at + 8 * DAY)
    assert sorted(one.state for one in Recurrence.objects.all()) == ["dismissed", "proposed"]
    assert Recurrence.objects.proposed().get().incidents == 3


@pytest.mark.parametrize("how", ["dismissed", "no reason", "none left", "no title"])
def test_it_is_answered_once_and_with_a_reason(
    cast: Cast, repeats: Recurrence, doing: Doing, at: datetime, how: str
) -> None:
    slow = Recurrence.objects.get()
    with doing(cast.kira, at + 4 * DAY):
        if how == "dismissed":
            repeats.dismiss(by=cast.kira, why="no")
        elif how == "none left":
            first, *others = repeats.tickets()
            problem = Problem.open_for(first, title="It", why="again", by=cast.kira)
            for one in others:
                problem.link(one, why="again")
    before = Recurrence.objects.values().get()
    known = Problem.objects.count()
    with pytest.raises(UnableTo), doing(cast.lou, at + 5 * DAY):
        if how == "no reason":
            slow.dismiss(by=cast.lou, why=" ")
        else:
            title = "" if how == "no title" else "It"
            Problem.open_for_repeats(slow, title=title, why="again", by=cast.lou)
    assert Recurrence.objects.values().get() == before
    assert Problem.objects.count() == known


def test_nobody_sees_those_of_clients_that_they_do_not_serve(cast: Cast, repeats: Recurrence) -> None:
    assert list(Recurrence.objects.visible_to(cast.lena.user)) == [repeats]
    for stranger in (cast.olga.user, cast.ann.user):
        assert not Recurrence.objects.visible_to(stranger).exists()
    with seeing(only([cast.borealis.pk])):
        assert not Recurrence.objects.exists()


def test_the_database_keeps_one_open_recurrence_of_a_kind(cast: Cast, repeats: Recurrence) -> None:
    with pytest.raises(IntegrityError, match="one_open_recurrence_per_kind"), transaction.atomic():
        Recurrence.objects.create(client=cast.acme, service=cast.vpn, category=cast.vpn_category)
