"""Somebody floods a public form, trickles into a webhook, or sends a copy: everybody else's words still arrive."""

from __future__ import annotations

import socket
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest

from tests.servers.desk import Desk, until
from tests.servers.post import letter, post
from tierdesk.channels.web_form.models import PER_SENDER

pytestmark = pytest.mark.server

TICKET = "SELECT id FROM tickets_ticket WHERE subject = %s"
CALLS = "SELECT state, ended_at FROM phone_call WHERE ext_id = %s"
SLOW_ONES = 40
"""Five times the threads of the pages."""

FLOOD = 150
PATIENCE_S = 30.0
"""On a machine that does other things as well."""


def everybody_else(desk: Desk, name: str) -> float:
    """Mail, an exchange's event and a signed-in page, while somebody misbehaves; how long the three took."""
    began = time.monotonic()
    post(desk, letter(name, "…", sender="arne@acme.example"))
    event = {"event": "newCall", "callId": name, "direction": "in", "from": "+49301234501"}
    told = httpx.post(f"{desk.url}/phone/{desk.world['phone_token']}/", data=event, timeout=PATIENCE_S)
    assert told.status_code == 200, told.text
    with httpx.Client(base_url=desk.url, timeout=PATIENCE_S) as browser:
        assert browser.get("/sign-in/").status_code == 200
    desk.row_soon(TICKET, name, within_s=PATIENCE_S)
    return time.monotonic() - began


def test_a_webhook_that_trickles_holds_up_nobody(desk: Desk) -> None:
    with ExitStack() as stack:
        for _ in range(SLOW_ONES):
            stack.enter_context(trickling(desk))
        took = everybody_else(desk, "Words beside a trickle")
    print(f"{SLOW_ONES} slow senders, everybody else in {took:.1f} s")


def test_who_trickles_is_turned_away_in_the_end(desk: Desk) -> None:
    with trickling(desk) as line:
        line.settimeout(60)
        assert b" 408 " in line.recv(200)


def test_a_flood_on_a_public_form_is_slowed_down_and_holds_up_nobody(desk: Desk) -> None:
    statuses: Counter[int] = Counter()
    counted = threading.Lock()

    def send(browser: httpx.Client, token: str) -> None:
        said = {
            "sender_name": "Flood",
            "sender_email": "f@x.example",
            "name": "Flood",
            "key": str(uuid.uuid4()),
        }
        answer = browser.post("/portal/public/ACME/hello/", data=said | {"csrfmiddlewaretoken": token})
        with counted:
            statuses[answer.status_code] += 1

    def flood() -> None:
        with httpx.Client(base_url=desk.url, timeout=60, headers={"Origin": desk.url}) as browser:
            assert browser.get("/portal/public/ACME/hello/").status_code == 200
            for _ in range(FLOOD // 6):
                send(browser, browser.cookies["csrftoken"])

    flooding = [threading.Thread(target=flood, daemon=True) for _ in range(6)]
    for thread in flooding:
        thread.start()
    took = everybody_else(desk, "Words beside a flood")
    for thread in flooding:
        thread.join(120)
    print(f"{statuses}, everybody else in {took:.1f} s")
    assert statuses.keys() == {302, 429} and statuses.total() == FLOOD
    assert PER_SENDER <= statuses[302] <= 2 * PER_SENDER  # a new window may begin meanwhile
    kept = desk.rows("SELECT count(*) AS n FROM channels_inbound WHERE channel = 'web_form'")
    assert kept == [{"n": statuses[302]}]


def test_a_copy_of_an_event_says_nothing_new(desk: Desk) -> None:
    address = f"{desk.url}/phone/{desk.world['phone_token']}/"
    call = {"callId": "copied", "direction": "in", "from": "anonymous"}
    story = [{"event": "newCall"}, {"event": "answer"}, {"event": "hangup", "cause": "normalClearing"}]
    for event in story:
        assert httpx.post(address, data=call | event, timeout=PATIENCE_S).status_code == 200
    before = desk.rows(CALLS, "copied")
    for event in story * 3:
        assert httpx.post(address, data=call | event, timeout=PATIENCE_S).status_code == 200
    assert desk.rows(CALLS, "copied") == before
    assert [row["state"] for row in before] == ["ended"]


@contextmanager
def trickling(desk: Desk) -> Iterator[socket.socket]:
    """An exchange that says its length and then sends a byte now and then."""
    head = (
        f"POST /phone/{desk.world['phone_token']}/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\nevent="
    )
    stopped = threading.Event()
    with socket.create_connection(("127.0.0.1", desk.port), timeout=10) as line:
        line.sendall(head.encode())
        thread = threading.Thread(target=_drip, args=(line, stopped), daemon=True)
        thread.start()
        yield line
        stopped.set()
        thread.join(5)


def _drip(line: socket.socket, stopped: threading.Event) -> None:
    while not stopped.wait(0.5):
        try:
            line.sendall(b"x")
        except OSError:
            return


def test_the_desk_is_as_quick_as_ever_afterwards(desk: Desk) -> None:
    assert until(lambda: httpx.get(f"{desk.url}/sign-in/", timeout=5).status_code == 200)
