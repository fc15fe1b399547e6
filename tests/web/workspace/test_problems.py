"""The pages of problems: opened on a ticket, moved on with what was found, and nothing of other clients."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from tests.cast import Cast
from tests.web.workspace.test_actions import post
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.core.wakeups import fast_forward
from tierdesk.learning.problems.models import Problem
from tierdesk.learning.problems.recurrences import Recurrence
from tierdesk.tickets.models import Ticket

Doing = Callable[..., Any]


@pytest.fixture
def ticket(cast: Cast, doing: Doing) -> Ticket:
    with doing(cast.lena):
        return cast.ticket()


@pytest.fixture
def problem(cast: Cast, ticket: Ticket, doing: Doing) -> Problem:
    with doing(cast.kira):
        return Problem.open_for(ticket, title="The gateway drops tunnels", why="third time", by=cast.kira)


@pytest.fixture
def lena(cast: Cast, client: Browser) -> Browser:
    client.force_login(cast.lena.user)
    return client


def read(browser: Browser, address: str) -> str:
    page = browser.get(address).content.decode()
    set_scope(EVERY_CLIENT)
    return page


def test_a_problem_is_opened_on_a_ticket_whose_page_says_so(
    cast: Cast, lena: Browser, ticket: Ticket
) -> None:
    form = {"title": "The gateway drops tunnels", "why": "the third time this month"}
    answer = post(lena, f"/tickets/{ticket.pk}/problem/", form)
    found = Problem.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/problems/{found.pk}/")
    page = read(lena, f"/tickets/{ticket.pk}/")
    assert f"Behind it is {found.reference} The gateway drops tunnels" in page
    assert "The gateway drops tunnels" in read(lena, "/problems/")


def test_another_ticket_is_linked_to_one_that_is_known(
    cast: Cast, lena: Browser, problem: Problem, doing: Doing
) -> None:
    with doing(cast.lena):
        second = cast.ticket(subject="VPN again")
    assert problem.title in read(lena, f"/tickets/{second.pk}/problem/")
    form = {"problem": problem.pk, "title": "VPN again", "why": "same log"}
    post(lena, f"/tickets/{second.pk}/problem/", form)
    assert problem.occurrences.count() == 2
    assert "VPN again" in read(lena, f"/problems/{problem.pk}/")


@pytest.mark.parametrize(
    ("form", "refusal"),
    [
        ({"title": "", "why": "x"}, "Give the problem a title"),
        ({"title": "x", "why": " "}, "Say why this is the cause"),
        ({"problem": "999999", "why": "x"}, "Choose a problem that goes on"),
        ({"problem": "²", "why": "x"}, "Choose a problem that goes on"),
    ],
)
def test_what_is_refused_comes_back_in_words(
    lena: Browser, ticket: Ticket, form: dict[str, str], refusal: str
) -> None:
    answer = post(lena, f"/tickets/{ticket.pk}/problem/", form)
    assert (answer.status_code, refusal in answer.content.decode()) == (422, True)
    assert not Problem.objects.exists()


def test_it_is_moved_on_taken_and_closed(cast: Cast, lena: Browser, problem: Problem) -> None:
    address = f"/problems/{problem.pk}/"
    post(lena, f"{address}owner/", {"version": 1})
    post(lena, f"{address}state/", {"version": 2, "state": "assess", "note": "the log is full"})
    form = {"version": 3, "state": "known_error", "note": "firmware", "workaround": "Restart the gateway."}
    post(lena, f"{address}state/", form)
    problem.refresh_from_db()
    assert (problem.owner, problem.state) == (cast.lena, "known_error")
    assert "Restart the gateway." in read(lena, f"/tickets/{problem.occurrences.get().ticket_id}/")
    post(lena, f"{address}closing/", {"version": 3, "closed_as": "fix_applied", "note": "too late"})
    problem.refresh_from_db()
    assert problem.state == "known_error"
    assert "changed by somebody else" in read(lena, address)
    post(lena, f"{address}closing/", {"version": 4, "closed_as": "fix_applied", "note": "7.4.2 is in"})
    assert "Mended" in read(lena, "/problems/")


def test_an_agent_of_another_client_finds_no_problem(cast: Cast, client: Browser, problem: Problem) -> None:
    client.force_login(cast.olga.user)
    assert client.get(f"/problems/{problem.pk}/").status_code == 404
    assert client.post(f"/problems/{problem.pk}/state/", {"state": "assess", "note": "x"}).status_code == 404
    assert "gateway" not in read(client, "/problems/")


def test_the_list_asks_no_more_for_more_problems(
    cast: Cast, lena: Browser, problem: Problem, doing: Doing
) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            read(lena, "/problems/")
        return len(queries)

    read(lena, "/problems/")
    few = asked()
    for n in range(5):
        with doing(cast.lena):
            Problem.open_for(cast.ticket(), title=f"Problem {n}", why="it came back", by=cast.lena)
    assert asked() == few


def test_what_was_linked_by_mistake_is_unlinked(
    cast: Cast, lena: Browser, ticket: Ticket, problem: Problem
) -> None:
    assert ticket.reference in read(lena, f"/problems/{problem.pk}/")
    form = {"ticket": ticket.pk, "why": "it was the cable", "version": problem.version}
    assert post(lena, f"/problems/{problem.pk}/unlinking/", form).status_code == 302
    assert not problem.occurrences.exists()
    assert "took it off the problem PR-" in read(lena, f"/tickets/{ticket.pk}/")


def test_a_ticket_waits_for_the_problem_behind_it(
    cast: Cast, lena: Browser, ticket: Ticket, problem: Problem
) -> None:
    assert "Which problem?" in read(lena, f"/tickets/{ticket.pk}/")
    version = Ticket.objects.get(pk=ticket.pk).version
    form = {"reason": "problem", "problem": problem.pk, "until": "", "version": version}
    post(lena, f"/tickets/{ticket.pk}/waiting/", form)
    assert Ticket.objects.get(pk=ticket.pk).pending_reason == "problem"
    page = read(lena, f"/tickets/{ticket.pk}/")
    assert f"It waits for {problem.reference}" in page
    assert f"solution: {problem.reference}" in page, "its timeline says so"
    assert "waits for it" in read(lena, f"/problems/{problem.pk}/")


@pytest.fixture
def repeats(cast: Cast, doing: Doing, at: datetime) -> Recurrence:
    for day in range(3):
        with doing(cast.lena, at + timedelta(days=day)):
            one = cast.ticket(category=cast.printer_category)
        with doing(cast.lena, at + timedelta(days=day, hours=1)):
            one.resolve(code="fixed")
        fast_forward(at + timedelta(days=day, hours=2))
    return Recurrence.objects.proposed().get()


def test_repeats_are_shown_and_become_a_problem(cast: Cast, lena: Browser, repeats: Recurrence) -> None:
    assert "Repeats that may have one cause" in read(lena, "/problems/")
    page = read(lena, f"/problems/repeats/{repeats.pk}/")
    assert "3 times hardware/printer" in page and "Incidents (3)" in page
    form = {"answer": "accept", "title": "The tray", "why": "all on one tray"}
    answer = post(lena, f"/problems/repeats/{repeats.pk}/", form)
    found = Problem.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/problems/{found.pk}/")
    assert found.occurrences.count() == 3
    assert "Lena Lang accepted it" in read(lena, f"/problems/repeats/{repeats.pk}/")
    assert "Repeats that may have one cause" not in read(lena, "/problems/")


def test_repeats_are_dismissed_with_a_reason(cast: Cast, lena: Browser, repeats: Recurrence) -> None:
    path = f"/problems/repeats/{repeats.pk}/"
    assert post(lena, path, {"answer": "dismiss", "why": " "}).status_code == 422
    assert post(lena, path, {"answer": "dismiss", "why": "three printers"}).status_code == 302
    page = read(lena, path)
    assert "Lena Lang dismissed it" in page and "three printers" in page


def test_repeats_of_other_clients_are_not_found(cast: Cast, client: Browser, repeats: Recurrence) -> None:
    client.force_login(cast.olga.user)
    assert client.get(f"/problems/repeats/{repeats.pk}/").status_code == 404
    assert "hardware/printer" not in read(client, "/problems/")
    answer = client.post(f"/problems/repeats/{repeats.pk}/", {"answer": "dismiss", "why": "x"})
    set_scope(EVERY_CLIENT)
    assert answer.status_code == 404
    repeats.refresh_from_db()
    assert repeats.state == "proposed"
