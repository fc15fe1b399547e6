"""A request is let in when its body is there as a whole; who trickles waits outside, where waiting costs nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from tierdesk.web import doorstep
from tierdesk.web.doorstep import Doorstep

POST = {"type": "http", "method": "POST", "headers": [(b"content-length", b"6")]}
GET = {"type": "http", "method": "GET", "headers": []}


def piece(body: bytes, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


class Inside:
    """The application behind the step: remembers the body that it read."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.bodies.append(body)
        await send({"type": "http.response.start", "status": 200, "headers": []})


def visit(
    messages: Sequence[dict[str, Any]], *, pause_s: float = 0, patience_s: float = 5, scope: Any = POST
) -> tuple[list[bytes], list[int]]:
    """(the bodies that came in, the statuses that went out) when these messages arrive, each after a pause."""
    inside, statuses = Inside(), []

    async def run() -> None:
        arriving = iter(messages)

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(pause_s)
            try:
                return next(arriving)
            except StopIteration:
                await asyncio.sleep(3600)
                raise AssertionError from None

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        await Doorstep(inside, patience_s=patience_s)(scope, receive, send)

    asyncio.run(asyncio.wait_for(run(), 10))
    return inside.bodies, statuses


def test_a_body_comes_in_as_it_was_sent() -> None:
    assert visit([piece(b"abc"), piece(b"def", more=False)]) == ([b"abcdef"], [200])


@pytest.mark.parametrize("size", [0, 1, doorstep.PIECE, doorstep.PIECE + 1, 3 * doorstep.IN_MEMORY])
def test_a_body_of_any_size_comes_in_whole(size: int) -> None:
    assert visit([piece(b"x" * size, more=False)]) == ([b"x" * size], [200])


def test_a_request_without_a_body_goes_straight_in() -> None:
    assert visit([piece(b"", more=False)], scope=GET) == ([b""], [200])


def test_who_trickles_is_turned_away_and_never_comes_in() -> None:
    assert visit([piece(b"x")] * 1000, pause_s=0.02, patience_s=0.2) == ([], [408])


def test_who_says_nothing_at_all_is_turned_away() -> None:
    assert visit([], patience_s=0.1) == ([], [408])


def test_a_slow_but_honest_line_gets_the_time_that_its_size_needs() -> None:
    half = doorstep.SLOWEST_OCTETS_PER_S
    messages = [piece(b"x" * half), piece(b"x" * half, more=False)]
    assert visit(messages, pause_s=0.3, patience_s=0.4)[1] == [200]


def test_a_body_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorstep, "MOST_OCTETS", 1000)
    assert visit([piece(b"x" * 400)] * 10) == ([], [413])


def test_who_leaves_before_the_end_is_not_answered() -> None:
    assert visit([piece(b"x"), {"type": "http.disconnect"}]) == ([], [])
