"""Open pages of a running desk hear what changed: who may, at once, and no longer than they may."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import httpx
import pytest

from tests.servers.desk import Desk, until
from tests.servers.post import letter, post

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("servers")]

TICKET = "SELECT id FROM tickets_ticket WHERE subject = %s"


@dataclass
class Page:
    """What an open page has heard so far."""

    words: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def hears(self, word: str, *, within_s: float) -> bool:
        return until(lambda: word in " ".join(self.words).split(), within_s=within_s, pause_s=0.02)


@contextmanager
def open_page(browser: httpx.Client, *, asked_at: float | None = None) -> Iterator[Page]:
    page, listening = Page(), threading.Event()
    since = "" if asked_at is None else f"?since={asked_at * 1000:.0f}"

    def listen() -> None:
        with (
            suppress(httpx.HTTPError),
            browser.stream("GET", f"/live{since}", timeout=30) as stream,
        ):
            assert stream.status_code == 200
            for line in stream.iter_lines():
                listening.set()
                if line.startswith("data: "):
                    page.words.append(line.removeprefix("data: "))
        page.ended.set()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    assert listening.wait(10)
    try:
        yield page
    finally:
        browser.close()


def test_a_page_hears_what_changed_while_it_was_on_its_way_and_an_outsider_does_not(desk: Desk) -> None:
    asked_at = time.time()
    post(desk, letter("Too early to hear", "…", sender="arne@acme.example"))
    ticket = desk.row_soon(TICKET, "Too early to hear")["id"]
    with (
        open_page(desk.signed_in("lena@desk.example"), asked_at=asked_at) as slow,
        open_page(desk.signed_in("olga@desk.example"), asked_at=asked_at) as outsider,
    ):
        assert slow.hears(f"ticket:{ticket}", within_s=2)
        assert f"ticket:{ticket}" not in " ".join(outsider.words).split()


def test_an_agent_hears_of_a_new_ticket_within_two_seconds_and_an_outsider_does_not(desk: Desk) -> None:
    with (
        open_page(desk.signed_in("lena@desk.example")) as lenas,
        open_page(desk.signed_in("olga@desk.example")) as olgas,
    ):
        post(desk, letter("Acme hears", "…", sender="arne@acme.example"))
        ticket = desk.row_soon(TICKET, "Acme hears")["id"]
        assert lenas.hears(f"ticket:{ticket}", within_s=2)
        post(
            desk,
            letter("Borealis hears", "…", sender="bob@borealis.example"),
            mail_from="bob@borealis.example",
        )
        other = desk.row_soon(TICKET, "Borealis hears")["id"]
        assert olgas.hears(f"ticket:{other}", within_s=2)
        assert f"ticket:{ticket}" not in " ".join(olgas.words).split()


def test_who_is_not_signed_in_hears_nothing(desk: Desk) -> None:
    assert httpx.get(f"{desk.url}/live").status_code == 401
    assert httpx.get(f"{desk.url}/live", cookies={"tierdesk": "x" * 32}).status_code == 401


@pytest.mark.parametrize("busy", [False, True], ids=["on a quiet desk", "on a busy desk"])
def test_the_stream_ends_soon_after_its_user_is_deactivated(desk: Desk, busy: bool) -> None:
    with open_page(desk.signed_in("tom@desk.example")) as page:
        desk.change("UPDATE staff_user SET is_active = false WHERE email = 'tom@desk.example'")
        try:
            deadline = time.monotonic() + 6
            while time.monotonic() < deadline and not page.ended.wait(0.5):
                if busy:
                    post(desk, letter("It never stops", f"{time.monotonic()}", sender="arne@acme.example"))
            assert page.ended.is_set()
        finally:
            desk.change("UPDATE staff_user SET is_active = true WHERE email = 'tom@desk.example'")
