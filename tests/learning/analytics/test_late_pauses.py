"""Waits that began just before a promise fell due: by group, by reason, by client, and nobody by name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tierdesk.learning.analytics.late_pauses import LatePauses, late_pauses
from tierdesk.tickets.models import Ticket

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def waited(cast: Cast, doing: Callable[..., Any], at: datetime) -> Callable[..., Ticket]:
    """A ticket of P1, four hours to solve around the clock, that waits when so much is left of them."""

    def let_wait(left: timedelta, reason: str = "access", **more: Any) -> Ticket:
        with doing(cast.lena):
            ticket = cast.ticket(impact=1, urgency=1, **more)
        with doing(cast.lena, at + timedelta(hours=4) - left):
            ticket.take(cast.lena)
            ticket.pend(reason)
        return ticket

    return let_wait


@pytest.fixture
def told(cast: Cast, at: datetime) -> Callable[..., LatePauses]:
    return lambda user=cast.lou.user, **more: late_pauses(user, at - DAY, at + DAY, **more)


def test_a_wait_that_began_ten_minutes_before_is_one(
    waited: Callable[..., Ticket], told: Callable[..., LatePauses]
) -> None:
    late, _ = waited(10 * MINUTE), waited(10 * MINUTE + timedelta(seconds=1))
    found = told()
    assert (found.late, found.pauses) == (1, 2)
    (ticket,) = found.tickets
    assert (ticket.pk, ticket.client, ticket.reason, ticket.left) == (
        late.pk,
        "Acme GmbH",
        "Waiting for access",
        10 * MINUTE,
    )
    assert [(share.name, share.late, share.pauses, share.percent) for share in found.by_reason] == [
        ("Waiting for access", 1, 2, 50)
    ]
    assert [share.name for share in found.by_client] == ["Acme GmbH"]


@pytest.mark.parametrize(("left", "late"), [(0, 1), (-1, 0)], ids=["at the last moment", "broken already"])
def test_what_was_broken_already_was_not_hidden(
    waited: Callable[..., Ticket], told: Callable[..., LatePauses], left: int, late: int
) -> None:
    waited(left * MINUTE)
    assert told().late == late


def test_a_wait_that_stops_no_promise_hides_none(
    waited: Callable[..., Ticket], told: Callable[..., LatePauses]
) -> None:
    waited(5 * MINUTE, "vendor")
    found = told()
    assert (found.late, found.pauses) == (0, 1)


def test_how_close_is_close_can_be_chosen(
    waited: Callable[..., Ticket], told: Callable[..., LatePauses]
) -> None:
    waited(30 * MINUTE)
    assert (told().late, told(minutes=30).late) == (0, 1)


def test_people_are_counted_in_teams_and_small_teams_together(
    waited: Callable[..., Ticket], told: Callable[..., LatePauses], settings: Any
) -> None:
    waited(5 * MINUTE)
    assert [share.name for share in told().by_group] == ["teams of fewer than 5"]
    assert told().by_person == ()
    settings.SMALLEST_GROUP = 2
    assert [share.name for share in told().by_group] == ["Service Desk"]


def test_names_are_told_only_where_the_house_allows_it(
    waited: Callable[..., Ticket], told: Callable[..., LatePauses], settings: Any
) -> None:
    waited(5 * MINUTE)
    settings.NAMES_IN_REPORTS = True
    assert [(share.name, share.late) for share in told().by_person] == [("Lena Lang", 1)]


def test_nobody_sees_a_client_that_they_do_not_serve(
    cast: Cast, waited: Callable[..., Ticket], told: Callable[..., LatePauses]
) -> None:
    waited(5 * MINUTE)
    found = told(cast.olga.user)
    assert (found.pauses, found.tickets, found.by_client) == (0, [], [])


def test_a_wait_that_the_engine_or_a_contact_began_is_nobodys(
    cast: Cast, doing: Callable[..., Any], told: Callable[..., LatePauses]
) -> None:
    with doing(cast.ann):
        cast.ticket().pend("access")
    assert told().pauses == 0
