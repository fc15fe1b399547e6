"""The page of promises kept: a month that goes on, one that is not closed yet, a closed one, and a restated one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tests.response.vendors.conftest import nordvik, submit
from tests.web.june import CLOSED, HOUR, LAST_DAY, solved_in_june
from tierdesk.core import clock
from tierdesk.learning.analytics.models import ClosedMonth
from tierdesk.response.sla.models import Clock
from tierdesk.response.vendors.models import Case
from tierdesk.tickets.models import Ticket

__all__ = ["nordvik", "submit"]


@pytest.fixture
def ticket(cast: Cast, doing: Callable[..., Any]) -> Ticket:
    return solved_in_june(cast, doing)


@pytest.fixture
def june(cast: Cast, client: Browser) -> Callable[..., str]:
    """What somebody reads of June at an instant; Lou, if nobody else."""

    def read(at: datetime, who: Any = None) -> str:
        client.force_login((who or cast.lou).user)
        with clock.frozen(at):
            return client.get("/report/attainment/?month=2026-06").content.decode()

    return read


def test_a_month_that_goes_on_says_so(ticket: Ticket, june: Callable[..., str]) -> None:
    words = june(LAST_DAY + 3 * HOUR)
    assert "This month is still going on" in words and "Promises kept in June 2026" in words


def test_a_month_that_is_over_says_from_when_its_figures_are_kept(
    ticket: Ticket, june: Callable[..., str]
) -> None:
    words = june(CLOSED - HOUR)
    assert "are kept from 2026-07-04 on" in words
    assert "This month was never closed" in june(CLOSED + HOUR), "the engine did not run"


def test_a_closed_month_says_that_nothing_changed(
    ticket: Ticket, june: Callable[..., str], live_until: Callable[[datetime], None]
) -> None:
    live_until(CLOSED)
    words = june(CLOSED + HOUR)
    assert "The counts are those that were told then." in words
    assert "Nothing has been restated since." in words
    assert "Restated: which promises" not in words


def test_what_was_restated_is_told_with_old_and_new_and_why(
    cast: Cast,
    ticket: Ticket,
    june: Callable[..., str],
    doing: Callable[..., Any],
    live_until: Callable[[datetime], None],
) -> None:
    live_until(CLOSED)
    with doing(cast.lou, CLOSED + HOUR):
        ticket.reopen("it is back")
    live_until(CLOSED + 2 * HOUR)
    words = june(CLOSED + 3 * HOUR)
    assert "2 promises of this month count as something else than was told" in words
    assert "Restated: what counts by now" in words
    row = words[words.index("Restated: which promises") :]
    for told in (ticket.reference, "Resolve", "Kept", "not in this month", "Lou Lead", "it is back"):
        assert told in row
    assert ticket.reference not in june(CLOSED + 3 * HOUR, cast.olga)


def test_a_vendor_s_restated_promise_is_told_with_the_vendor_s_severity(
    cast: Cast,
    ticket: Ticket,
    june: Callable[..., str],
    submit: Callable[..., Case],
    doing: Callable[..., Any],
    live_until: Callable[[datetime], None],
) -> None:
    case = submit(by=cast.kira, at=LAST_DAY + HOUR, severity=2)
    with doing(cast.kira, LAST_DAY + 2 * HOUR):
        case.move("vendor_working")
    live_until(CLOSED)
    Clock.objects.filter(case_id=case.pk).update(state="missed", breached_at=LAST_DAY + HOUR)
    ClosedMonth.objects.update(wake_at=CLOSED + HOUR)
    live_until(CLOSED + 2 * HOUR)
    row = june(CLOSED + 3 * HOUR).partition("Restated: which promises")[2].partition("</table>")[0]
    assert "Respond · S2" in row
