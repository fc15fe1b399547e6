"""A run-book on the ticket's page: whoever runs a command reads before what it does, and on what."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tests.response.runbooks.test_runs import BOOKS
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.response.runbooks.models import Book, Run
from tierdesk.tickets.models import Ticket

CHANGES = "Changes something"


@pytest.fixture
def run(cast: Cast, doing: Any) -> Run:
    """Tom follows the book that makes room on a disk."""
    with doing(cast.lena):
        ticket = cast.ticket()
    with doing(cast.tom):
        ticket.hand_over(team=cast.ops, why="a disk is full")
    with doing(cast.tom):
        book = Book.publish((BOOKS / "disk-cleanup.md").read_text())
        given = {"host": "fs1:9100", "mount": "/var", "goal": "80"}
        return Run.start(Ticket.objects.get(pk=ticket.pk), book, cast.tom, given)


def page(client: Browser, cast: Cast, run: Run) -> str:
    client.force_login(cast.tom.user)
    words = client.get(f"/tickets/{run.ticket_id}/").content.decode()
    set_scope(EVERY_CLIENT)
    return words


def test_what_a_book_is_run_on_stands_above_its_steps(cast: Cast, client: Browser, run: Run) -> None:
    told = page(client, cast, run).partition('class="stepper"')[0]
    assert "<code>fs1:9100</code>" in told and "<code>/var</code>" in told


def test_a_command_that_only_reads_is_a_check(cast: Cast, client: Browser, run: Run) -> None:
    told = page(client, cast, run)
    assert "df -P" in told and CHANGES not in told


def test_a_command_that_removes_says_so_and_who_agrees_first(
    cast: Cast, client: Browser, run: Run, doing: Any
) -> None:
    for step, out, answer in (
        ("used", "97", None),
        ("inodes", "40", None),
        ("what", "9000 /var/log", None),
        ("what", "", "Logs or the journal"),
    ):
        with doing(cast.tom):
            Run.objects.get(pk=run.pk).answer(
                step, **({"answer": answer} if answer else {"out": out, "ok": True})
            )
    told = page(client, cast, run)
    assert "journalctl --rotate" in told
    for words in (
        CHANGES,
        "What it removes is gone",
        "No way back is written",
        "Somebody of L3 agrees first",
    ):
        assert words in told


def test_the_book_itself_says_it_too(cast: Cast, client: Browser, run: Run) -> None:
    client.force_login(cast.tom.user)
    told = client.get(f"/books/{run.revision.book_id}/").content.decode()
    set_scope(EVERY_CLIENT)
    assert told.count(CHANGES) == 2 and told.count("Somebody of L3 agrees first") == 1
