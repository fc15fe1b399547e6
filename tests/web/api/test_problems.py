"""Problems for programs: opened, moved, linked and unlinked, proposed ones answered, with the rights of the desk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import Cast
from tests.web.api.conftest import Program
from tierdesk.core import clock
from tierdesk.core.wakeups import fast_forward
from tierdesk.directory.staff.models import User
from tierdesk.learning.problems.models import Problem
from tierdesk.learning.problems.recurrences import Recurrence
from tierdesk.tickets.models import Entry, Ticket

type Doing = Callable[..., Any]
H, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def kira(cast: Cast, program: Callable[[User], Program]) -> Program:
    return program(cast.kira.user)


@pytest.fixture
def olga(cast: Cast, program: Callable[[User], Program]) -> Program:
    """Of a team that serves Borealis alone."""
    return program(cast.olga.user)


@pytest.fixture
def problem(kira: Program, ticket: Ticket) -> dict[str, Any]:
    answer = kira.post(f"/tickets/{ticket.pk}/problem", {"title": "The gateway", "why": "third time"})
    assert answer.status_code == 201, answer.json()
    made: dict[str, Any] = answer.json()
    return made


def test_it_is_opened_on_an_incident_and_read(
    cast: Cast, kira: Program, ticket: Ticket, problem: dict[str, Any]
) -> None:
    assert problem["reference"] == f"PR-{problem['id']}"
    assert (problem["client"], problem["state"], problem["owner"]) == ("ACME", "logged", cast.kira.user.email)
    assert problem["incidents"] == [ticket.pk]
    assert [one["text"] for one in problem["findings"]] == ["third time"]
    assert kira.get(f"/problems/{problem['id']}").json() == problem


def test_they_are_found_by_state_client_and_incident(
    cast: Cast, kira: Program, ticket: Ticket, problem: dict[str, Any]
) -> None:
    found = [
        (query, [one["id"] for one in kira.get("/problems", **query).json()["items"]])
        for query in (
            {},
            {"state": "logged"},
            {"state": "rca"},
            {"client": "ACME"},
            {"client": "BOR"},
            {"ticket": ticket.pk},
            {"ticket": ticket.pk + 1},
        )
    ]
    assert [bool(ids) for _, ids in found] == [True, True, False, True, False, True, False]
    assert kira.get("/problems", state="nothing").status_code == 422


def test_it_goes_on_and_is_closed(kira: Program, problem: dict[str, Any]) -> None:
    path = f"/problems/{problem['id']}"
    version = problem["version"]
    for state, more in (("assess", {}), ("known_error", {"workaround": "restart it", "cause": "a leak"})):
        body = {"version": version, "state": state, "note": f"it is {state} now", **more}
        answer = kira.post(f"{path}/state", body)
        assert answer.status_code == 200, answer.json()
        version = answer.json()["version"]
    assert answer.json()["workaround"] == "restart it"
    stale = kira.post(f"{path}/state", {"version": 1, "state": "rca", "note": "back"})
    assert stale.status_code == 422
    assert "changed by somebody else" in stale.json()["error"]["message"]
    closed = kira.post(
        f"{path}/closing", {"version": version, "closed_as": "fix_applied", "note": "mended"}
    ).json()
    assert (closed["state"], closed["closed_as"]) == ("closed", "fix_applied")


def test_somebody_takes_it(cast: Cast, lena: Program, problem: dict[str, Any]) -> None:
    answer = lena.post(f"/problems/{problem['id']}/owner", {"version": problem["version"]})
    assert answer.json()["owner"] == cast.lena.user.email


def test_incidents_are_linked_and_unlinked_all_or_none(
    cast: Cast, kira: Program, ticket: Ticket, problem: dict[str, Any], doing: Doing
) -> None:
    with doing(cast.lena, clock.now()):
        more = [cast.ticket().pk for _ in range(2)]
    path = f"/problems/{problem['id']}/incidents"
    linked = kira.post(path, {"tickets": more, "why": "same log line"})
    assert linked.json()["incidents"] == [ticket.pk, *more]
    again = kira.post(path, {"tickets": [more[0]], "why": "again"})
    assert again.status_code == 422 and "linked" in again.json()["error"]["message"]
    gone = kira.post(f"{path}/unlinking", {"tickets": [ticket.pk, 999_999], "why": "a slip"})
    assert gone.status_code == 422
    assert Problem.objects.get().occurrences.count() == 3
    without = kira.post(f"{path}/unlinking", {"tickets": [ticket.pk], "why": "it was the cable"})
    assert without.json()["incidents"] == more
    assert Entry.objects.of(ticket.pk).filter(kind="problem_unlinked").exists()


def test_a_ticket_waits_for_it(kira: Program, ticket: Ticket, problem: dict[str, Any]) -> None:
    def wait(**more: Any) -> Any:
        body = {"version": Ticket.objects.get(pk=ticket.pk).version, "reason": "problem"} | more
        return kira.post(f"/tickets/{ticket.pk}/waiting", body)

    assert wait(problem=problem["id"] + 1).status_code == 422
    assert wait(reason="access", problem=problem["id"]).status_code == 422
    answer = wait()
    assert (answer.status_code, answer.json()["pending_reason"]) == (200, "problem")
    closing = {"version": problem["version"], "closed_as": "cancelled", "note": "it was none"}
    kira.post(f"/problems/{problem['id']}/closing", closing)
    assert Ticket.objects.get(pk=ticket.pk).state == "open"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/state", {"version": 1, "state": "assess", "note": "x"}),
        ("/closing", {"version": 1, "closed_as": "cancelled", "note": "x"}),
        ("/owner", {"version": 1}),
        ("/incidents", {"tickets": [1], "why": "x"}),
        ("/incidents/unlinking", {"tickets": [1], "why": "x"}),
    ],
)
def test_of_other_clients_problems_nobody_hears(
    olga: Program, problem: dict[str, Any], path: str, body: dict[str, Any]
) -> None:
    assert olga.get(f"/problems/{problem['id']}").status_code == 404
    assert olga.get("/problems").json()["items"] == []
    if "tickets" not in body:
        assert olga.post(f"/problems/{problem['id']}{path}", body).status_code == 404
    else:
        assert olga.post(f"/problems/{problem['id']}{path}", body).status_code in (404, 422)
    assert Problem.objects.get().version == problem["version"]


@pytest.fixture
def repeats(cast: Cast, ticket: Ticket, doing: Doing) -> int:
    began = clock.now()
    for day in range(3):
        with doing(cast.lena, began + day * DAY):
            one = cast.ticket(category=cast.printer_category)
        with doing(cast.lena, began + day * DAY + H):
            one.resolve(code="fixed")
        fast_forward(began + day * DAY + 2 * H)
    return Recurrence.objects.proposed().get().pk


def test_repeats_are_read_and_accepted(cast: Cast, kira: Program, olga: Program, repeats: int) -> None:
    (shown,) = kira.get("/problems/repeats").json()
    assert (shown["id"], shown["client"], shown["category"]) == (repeats, "ACME", "hardware/printer")
    assert (shown["service"], shown["incidents"], shown["state"]) == ("vpn", 3, "proposed")
    assert olga.get("/problems/repeats").json() == []
    path = f"/problems/repeats/{repeats}/accepting"
    assert olga.post(path, {"why": "x", "title": "It"}).status_code == 404
    assert kira.post(path, {"why": "x"}).status_code == 422, "neither a problem nor a title"
    answer = kira.post(path, {"why": "all on one tray", "title": "The tray"})
    assert answer.status_code == 200, answer.json()
    assert len(answer.json()["incidents"]) == 3
    assert kira.get("/problems/repeats").json() == []
    assert kira.post(path, {"why": "again", "title": "It"}).status_code == 422


def test_repeats_are_dismissed(kira: Program, repeats: int) -> None:
    answer = kira.post(f"/problems/repeats/{repeats}/dismissing", {"why": "three printers"})
    assert (answer.json()["state"], answer.json()["answer"]) == ("dismissed", "three printers")


def test_statements_do_not_grow_with_problems_and_incidents(
    cast: Cast, kira: Program, ticket: Ticket, doing: Doing
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            kira.get("/problems")
        return len(queries)

    def another() -> None:
        with doing(cast.kira, clock.now()):
            one = cast.ticket()
            made = Problem.open_for(one, title="It", why="again", by=cast.kira)
            made.link(ticket, why="again")

    another()
    count()
    few = count()
    for _ in range(4):
        another()
    assert count() == few
