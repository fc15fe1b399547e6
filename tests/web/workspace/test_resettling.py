"""Whose ticket is it? The page moves it, refuses in words, and shows no client that the agent does not serve."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tests.web.workspace.test_actions import post
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.directory.clients.models import Assignment
from tierdesk.tickets.models import Ticket

Doing = Callable[..., Any]
FORM = {"client": "BOR", "contact": "bob@borealis.example", "why": "Bob works there"}


@pytest.fixture
def ticket(cast: Cast, doing: Doing) -> Ticket:
    with doing(cast.lena):
        return cast.ticket()


@pytest.fixture
def lena(cast: Cast, client: Browser) -> Browser:
    client.force_login(cast.lena.user)
    return client


def read(browser: Browser, ticket: Ticket, page: str = "client/") -> tuple[int, str]:
    answer = browser.get(f"/tickets/{ticket.pk}/{page}")
    set_scope(EVERY_CLIENT)
    return answer.status_code, answer.content.decode()


def test_it_is_moved_and_its_page_says_so(cast: Cast, lena: Browser, ticket: Ticket) -> None:
    answer = post(lena, f"/tickets/{ticket.pk}/client/", {"version": ticket.version, "theirs": "on", **FORM})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/tickets/{ticket.pk}/")
    ticket.refresh_from_db()
    assert (ticket.client, ticket.contact) == (cast.borealis, cast.bob)
    _, page = read(lena, ticket, "")
    assert "brought it here from another client" in page and "Bob works there" in page
    assert "Acme" not in page


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"client": ""}, "Choose whose ticket it is"),
        ({"client": "NOBODY"}, "Choose whose ticket it is"),
        ({"contact": "ann@acme.example"}, "has nobody with the address ann@acme.example"),
        ({"why": " "}, "Say why it is a matter of"),
    ],
)
def test_it_is_refused_in_words_and_what_was_typed_comes_back(
    cast: Cast, lena: Browser, ticket: Ticket, change: dict[str, str], refusal: str
) -> None:
    answer = post(lena, f"/tickets/{ticket.pk}/client/", {**FORM, **change})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert refusal in page
    assert (FORM | change)["why"] in page
    ticket.refresh_from_db()
    assert ticket.client == cast.acme


def test_the_slower_of_two_is_told(cast: Cast, lena: Browser, ticket: Ticket, doing: Doing) -> None:
    form = {"version": ticket.version, **FORM}
    with doing(cast.tom):
        ticket.take(cast.tom)
    post(lena, f"/tickets/{ticket.pk}/client/", form)
    ticket.refresh_from_db()
    assert ticket.client == cast.acme
    assert "It was not moved." in read(lena, ticket)[1]


def test_who_serves_one_client_is_offered_no_other_and_moves_nothing(
    cast: Cast, client: Browser, doing: Doing
) -> None:
    with doing(cast.bob):
        ticket = cast.ticket(client=cast.borealis, contact=cast.bob)
    client.force_login(cast.olga.user)
    status, page = read(client, ticket)
    assert (status, "You serve no other client" in page, "Acme" in page) == (200, True, False)
    form = {"client": "ACME", "contact": "", "why": "a try"}
    assert post(client, f"/tickets/{ticket.pk}/client/", form).status_code == 422
    ticket.refresh_from_db()
    assert ticket.client == cast.borealis


def test_under_the_lock_of_two_clients_it_is_moved_and_under_that_of_the_other_it_is_whole(
    cast: Cast, client: Browser, doing: Doing
) -> None:
    """Olga’s team serves these two alone, so every row goes under the policy; then Borealis, and nothing is missing."""
    Assignment.objects.create(client=cast.acme, team=cast.northern)
    with doing(cast.lena):
        ticket = cast.ticket(text="The gateway of the branch does not answer.")
        ticket.hand_over(cast.northern, why="they know it")
    client.force_login(cast.olga.user)
    answer = post(client, f"/tickets/{ticket.pk}/client/", FORM)
    assert answer.status_code == 302
    Assignment.objects.filter(client=cast.acme).delete()
    status, page = read(client, ticket, "")
    assert (status, "The gateway of the branch does not answer." in page, "Acme" in page) == (
        200,
        True,
        False,
    )
