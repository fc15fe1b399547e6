"""A queue, page by page: what is due, then what is not, each ticket once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tierdesk.tickets.models import Ticket
from tierdesk.web.workspace.queue import BY_SLUG, page_of

type Doing = Callable[..., Any]


@pytest.fixture
def queued(cast: Cast, doing: Doing) -> list[int]:
    """Keys of tickets in the order of the queue: two due at one instant, one later, two without a promise."""
    with doing(cast.lena):
        tickets = [cast.ticket() for _ in range(5)]
    keys = [one.pk for one in tickets]
    later, first, undue, second, last = keys
    hour = timedelta(hours=1)
    for key, due in (
        (later, MONDAY_10 + hour),
        (first, MONDAY_10),
        (second, MONDAY_10),
        (undue, None),
        (last, None),
    ):
        Ticket.objects.filter(pk=key).update(next_due_at=due)
    return [first, second, later, undue, last]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_pages_of_any_size_show_each_ticket_once(
    cast: Cast, queued: list[int], monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr("tierdesk.web.workspace.queue.PAGE", size)
    shown, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        page = page_of(BY_SLUG["all"], cast.lena.user, MONDAY_10, cursor)
        shown += [row["id"] for row in page.rows]
        cursor, pages = page.next_cursor, pages + 1
    assert shown == queued
    assert pages == -(-len(queued) // size)


def test_a_later_page_begins_in_the_index_where_the_last_one_ended(
    cast: Cast, queued: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tierdesk.web.workspace.queue.PAGE", 2)
    view = BY_SLUG["all"]
    first = page_of(view, cast.lena.user, MONDAY_10)
    with CaptureQueriesContext(connection) as asked:
        page_of(view, cast.lena.user, MONDAY_10, first.next_cursor)
    places = next(one["sql"] for one in asked if "next_due_at" in one["sql"])
    with connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off"
        )
        cursor.execute(f"EXPLAIN {places}")
        plan = " ".join(line for (line,) in cursor.fetchall())
    assert "Index Cond: (next_due_at >= " in plan
    assert "queue_of_all" in plan
