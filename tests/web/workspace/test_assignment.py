"""Who gets the next ticket, as agents see it: the button, and why it is they who have it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tests.response.assignment.conftest import pushes
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.core.wakeups import run_due
from tierdesk.directory.staff.models import Agent
from tierdesk.tickets.models import Ticket

__all__ = ["pushes"]


@pytest.fixture
def lena(cast: Cast, client: Browser) -> Browser:
    client.force_login(cast.lena.user)
    return client


@pytest.fixture
def at_ten() -> Iterator[datetime]:
    with clock.frozen(MONDAY_10):
        yield MONDAY_10


def told(browser: Browser, address: str) -> str:
    page = browser.get(address).content.decode()
    set_scope(EVERY_CLIENT)
    return " ".join(page.split())


def test_the_next_best_ticket_is_ones_own_and_opens(
    cast: Cast, lena: Browser, doing: Callable[..., Any]
) -> None:
    with doing(cast.lou):
        cast.ticket()
        urgent = cast.ticket(impact=1, urgency=1)
    assert 'data-key="n"' in told(lena, "/")
    answer = lena.post("/queues/next-best/")
    set_scope(EVERY_CLIENT)
    assert answer.headers["Location"] == f"/tickets/{urgent.pk}/"
    urgent.refresh_from_db()
    assert urgent.assignee == cast.lena
    page = told(lena, f"/tickets/{urgent.pk}/")
    assert f"TD-{urgent.pk} is yours." in page
    assert "Why me?" in page
    assert "the next best: its deadline has passed, P1" in page


def test_where_nothing_waits_that_is_said_kindly(cast: Cast, lena: Browser) -> None:
    answer = lena.post("/queues/next-best/", follow=True)
    assert answer.redirect_chain == [("/", 302)]
    assert "Nothing waits that is for you." in answer.content.decode()


@pytest.mark.parametrize("who", ["ann", "olga"])
def test_an_outsider_gets_no_ticket_by_asking(
    cast: Cast, client: Browser, doing: Callable[..., Any], who: str
) -> None:
    """A contact has no queue; Olga serves another client, in another team."""
    with doing(cast.lou):
        ticket = cast.ticket()
    client.force_login(getattr(cast, who).user)
    client.post("/queues/next-best/")
    set_scope(EVERY_CLIENT)
    ticket.refresh_from_db()
    assert ticket.assignee is None


def test_a_stranger_signs_in_first_and_asking_takes_a_button(cast: Cast, client: Browser) -> None:
    assert client.post("/queues/next-best/").headers["Location"].startswith("/sign-in/")
    client.force_login(cast.lena.user)
    assert client.get("/queues/next-best/").status_code == 405


def test_the_page_says_why_it_was_given_and_who_else_was_considered(
    cast: Cast, lena: Browser, doing: Callable[..., Any], pushes: Callable[..., None]
) -> None:
    pushes()
    cast.lou.go_away()
    with doing(cast.lou):
        ticket = cast.ticket()
    run_due(MONDAY_10)
    page = told(lena, f"/tickets/{ticket.pk}/")
    assert "Why me?" in page
    assert '<p class="small">holds 0 of 8 tickets</p>' in page
    assert "<li>Lou Lead: away</li>" in page
    assert "gave it to Lena Lang: holds 0 of 8 tickets" in page
    lena.post(f"/tickets/{ticket.pk}/assignment/")
    assert "<li>Lou Lead: away</li>" in told(lena, f"/tickets/{ticket.pk}/")
    with doing(cast.lou, MONDAY_10):
        Ticket.objects.get(pk=ticket.pk).assign(cast.lou)
    assert "Why Lou Lead?" not in told(lena, f"/tickets/{ticket.pk}/")


def test_the_page_says_why_nobody_has_it(
    cast: Cast, lena: Browser, doing: Callable[..., Any], pushes: Callable[..., None]
) -> None:
    pushes()
    cast.lou.go_away()
    cast.lena.go_away()
    with doing(cast.lou):
        ticket = cast.ticket()
    run_due(MONDAY_10)
    page = told(lena, f"/tickets/{ticket.pk}/")
    assert "Why nobody?" in page
    assert "could give it to nobody, so it stays in the queue: everybody is away" in page


def test_what_somebody_chose_by_themselves_has_no_reason(
    cast: Cast, lena: Browser, doing: Callable[..., Any]
) -> None:
    with doing(cast.lou):
        ticket = cast.ticket()
        ticket.take(cast.lena)
    assert "Why me?" not in told(lena, f"/tickets/{ticket.pk}/")


def test_the_page_says_which_tier_may_act(cast: Cast, lena: Browser, doing: Callable[..., Any]) -> None:
    with doing(cast.lou):
        ticket: Ticket = cast.ticket(category=cast.printer_category)
    assert "Who may act" not in told(lena, f"/tickets/{ticket.pk}/")
    cast.printer_category.lowest_tier = 3
    cast.printer_category.save()
    page = told(lena, f"/tickets/{ticket.pk}/")
    assert "Printer is for L3 and above" in page
    assert "hand it up" in page


def test_who_is_out_of_office_says_so_and_until_when(cast: Cast, lena: Browser, at_ten: datetime) -> None:
    lena.post("/on-call/me/absence/", {"until": "2026-06-09T09:00"})
    set_scope(EVERY_CLIENT)
    cast.lena.refresh_from_db()
    assert cast.lena.is_away
    assert cast.lena.wake_at == datetime(2026, 6, 9, 7, 0, tzinfo=UTC)
    page = told(lena, "/on-call/me/")
    assert "You are away: nothing new is given to you." in page
    assert "2026-06-09T07:00" in page
    lena.post("/on-call/me/absence/", {"back": "1"})
    set_scope(EVERY_CLIENT)
    cast.lena.refresh_from_db()
    assert (cast.lena.is_away, cast.lena.wake_at) == (False, None)


def test_nobody_is_away_until_a_time_that_is_over(cast: Cast, lena: Browser, at_ten: datetime) -> None:
    answer = lena.post("/on-call/me/absence/", {"until": "2026-06-01T09:00"})
    set_scope(EVERY_CLIENT)
    assert answer.status_code == 422
    assert "Choose a time in the future to be back." in answer.content.decode()
    assert not Agent.objects.get(pk=cast.lena.pk).is_away


def test_a_contact_has_no_absence(cast: Cast, client: Browser) -> None:
    client.force_login(cast.ann.user)
    assert client.post("/on-call/me/absence/", {}).headers["Location"] == "/portal/"
