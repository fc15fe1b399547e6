"""Programs look back at a major incident: the review, its tasks, and the end by hand; with the rights of the desk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tests.web.api.conftest import Program
from tierdesk.core import clock
from tierdesk.directory.staff.models import User
from tierdesk.response.major.models import MajorIncident, ReviewAction
from tierdesk.tickets.models import Ticket

type Doing = Callable[..., Any]
SOON = str((clock.now() + timedelta(days=7)).date())


@pytest.fixture
def lou(cast: Cast, program: Callable[[User], Program]) -> Program:
    return program(cast.lou.user)


@pytest.fixture
def kira(cast: Cast, program: Callable[[User], Program]) -> Program:
    return program(cast.kira.user)


@pytest.fixture
def incident(cast: Cast, lou: Program, ticket: Ticket, doing: Doing) -> str:
    """The address of one that is solved."""
    declaring = {
        "version": Ticket.objects.get(pk=ticket.pk).version,
        "why": "All are cut off.",
        "manager": "me",
    }
    made = lou.post(f"/tickets/{ticket.pk}/major", declaring).json()
    with doing(cast.lou, clock.now()):
        Ticket.objects.get(pk=ticket.pk).resolve(code="fixed", text="Works again.")
    return f"/major/{made['id']}"


def test_it_is_reviewed_and_closed(lou: Program, incident: str) -> None:
    refused = lou.post(f"{incident}/closure", {})
    assert (refused.status_code, "Hold its review first" in refused.json()["error"]["message"]) == (422, True)
    shown = lou.post(f"{incident}/review", {"text": "A power supply failed."}).json()
    assert (shown["review"], shown["stand"]) == ("A power supply failed.", "to_review")
    assert shown["reviewed_at"] is not None
    assert lou.post(f"{incident}/closure", {}).json()["stand"] == "ended"


def test_a_review_is_waived(lou: Program, incident: str) -> None:
    shown = lou.post(f"{incident}/review/waiver", {"why": "It was a drill."}).json()
    assert (shown["waived"], shown["review"]) == ("It was a drill.", "")


def test_a_task_is_agreed_and_done(lou: Program, kira: Program, incident: str) -> None:
    task = {"what": "A second gateway", "owner": "kira@desk.example", "due_date": SOON}
    made = lou.post(f"{incident}/actions", task)
    assert made.status_code == 201
    assert made.json() == task | {"id": made.json()["id"], "done_by": None, "done_at": None}
    assert lou.get(f"{incident}/actions").json() == [made.json()]
    done = kira.post(f"{incident}/actions/{made.json()['id']}/completion", {})
    assert (done.json()["done_by"], done.json()["done_at"] is not None) == ("kira@desk.example", True)
    again = kira.post(f"{incident}/actions/{made.json()['id']}/completion", {})
    assert (again.status_code, "done already" in again.json()["error"]["message"]) == (422, True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"what": " "},
        {"owner": "nobody@desk.example"},
        {"owner": "olga@desk.example"},
        {"due_date": "2020-01-01"},
        {"due_date": "9999-01-01"},
        {"due_date": "soon"},
        {"colour": "red"},
    ],
)
def test_a_task_that_is_none_is_refused(lou: Program, incident: str, wrong: dict[str, str]) -> None:
    task = {"what": "A second gateway", "owner": "me", "due_date": SOON} | wrong
    assert lou.post(f"{incident}/actions", task).status_code == 422
    assert not ReviewAction.objects.exists()


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("review", {"text": "It broke."}),
        ("review/waiver", {"why": "x"}),
        ("closure", {}),
        ("actions", {"what": "x", "owner": "me", "due_date": SOON}),
    ],
)
def test_whoever_has_no_part_in_it_is_told_so_and_an_outsider_nothing(
    cast: Cast,
    program: Callable[[User], Program],
    olga: Program,
    incident: str,
    verb: str,
    body: dict[str, str],
) -> None:
    before = MajorIncident.objects.values().get()
    assert olga.post(f"{incident}/{verb}", body).status_code == 404
    assert olga.get(f"{incident}/actions").status_code == 404
    assert program(cast.lena.user).post(f"{incident}/{verb}", body).status_code == 422
    assert MajorIncident.objects.values().get() == before
    assert not ReviewAction.objects.exists()


def test_a_task_of_another_incident_is_not_found(lou: Program, incident: str) -> None:
    task = {"what": "A second gateway", "owner": "me", "due_date": SOON}
    made = lou.post(f"{incident}/actions", task).json()
    assert lou.post(f"/major/999999/actions/{made['id']}/completion", {}).status_code == 404
    assert ReviewAction.objects.get().done_at is None
