"""Queues tell incidents and service requests apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tests.web.api.conftest import Program, program
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.directory.staff.models import User
from tierdesk.tickets.models import Ticket
from tierdesk.web.workspace import queue

__all__ = ["program"]

type Doing = Callable[..., Any]


@pytest.fixture
def both(cast: Cast, doing: Doing) -> tuple[Ticket, Ticket]:
    """An incident and a request."""
    with doing(cast.lena):
        return cast.ticket(), cast.ticket(type="request", subject="A new keyboard")


@pytest.mark.parametrize(
    ("query", "shown"),
    [("", (True, True)), ("?type=incident", (True, False)), ("?type=request", (False, True))],
)
def test_a_queue_shows_one_type_or_all(
    cast: Cast, client: Browser, both: tuple[Ticket, Ticket], query: str, shown: tuple[bool, bool]
) -> None:
    client.force_login(cast.lena.user)
    page = client.get(f"/queues/team/{query}").content.decode()
    assert tuple(f"ticket-{one.pk}" in page for one in both) == shown
    rows = client.get(f"/queues/team/{query}", headers={"HX-Request": "true"}).content.decode()
    assert tuple(f"ticket-{one.pk}" in rows for one in both) == shown


def test_an_unknown_type_is_not_found(cast: Cast, client: Browser) -> None:
    client.force_login(cast.lena.user)
    assert client.get("/queues/team/?type=problem").status_code == 404


def test_the_next_page_is_of_the_same_type(
    cast: Cast, client: Browser, doing: Doing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "PAGE", 1)
    with doing(cast.lena):
        wanted = [cast.ticket(type="request") for _ in range(2)]
        cast.ticket()
    client.force_login(cast.lena.user)
    page = client.get("/queues/team/?type=request").content.decode()
    assert "&amp;type=request" in page
    view = queue.BY_SLUG["team"]
    set_scope(EVERY_CLIENT)
    first = queue.page_of(view, cast.lena.user, wanted[0].created_at, type="request")
    second = queue.page_of(view, cast.lena.user, wanted[0].created_at, first.next_cursor, type="request")
    assert [row["id"] for row in first.rows + second.rows] == [one.pk for one in wanted]
    assert second.next_cursor is None


def test_programs_ask_for_one_type(
    cast: Cast, program: Callable[[User], Program], both: tuple[Ticket, Ticket]
) -> None:
    lena = program(cast.lena.user)
    found = lena.get("/tickets", type="request").json()["items"]
    assert [one["id"] for one in found] == [both[1].pk]
    assert lena.get("/tickets", type="problem").status_code == 422
