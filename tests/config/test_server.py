"""The short way for alarms, through a real server: the same answers as on the long one, and in their order."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import orjson
import pytest
import uvicorn

from tests.channels.alarms.test_lane import RAISE, FailingStore, GatedStore
from tierdesk.channels.alarms.arrival import KnownSource
from tierdesk.channels.alarms.lane import Lane, Plain
from tierdesk.channels.alarms.tokens import digest
from tierdesk.config.server import LARGEST, LONGEST_HEAD, REMEMBERED, FrontDoor, Head, Heads
from tierdesk.web.courtesy import Courtesy

WITHIN_S = 10.0


class CountedHeads(Heads):
    """They count the requests that began with one of them."""

    known_again = 0

    def within(self, data: bytes) -> tuple[Head, bytes] | None:
        found = super().within(data)
        self.known_again += found is not None
        return found


class Desk:
    """A server on a port of its own, with a lane over `store`; `long` are the paths that went the long way."""

    def __init__(
        self,
        store: GatedStore,
        *,
        courtesy: Courtesy | None = None,
        quiet_s: int = 5,
        patience_s: float = WITHIN_S,
        **limits: Any,
    ) -> None:
        self.store = store
        self.long: list[str] = []
        self.heads = CountedHeads()
        self.slow = threading.Event()
        self.lane = Lane(store, precedence=courtesy, **limits)
        self.server = uvicorn.Server(
            uvicorn.Config(
                self._application,
                port=0,
                http=partial(FrontDoor, self.lane, self.heads, patience_s=patience_s),  # type: ignore[arg-type]
                interface="asgi3",
                lifespan="on",
                log_level="warning",
                timeout_graceful_shutdown=5,
                timeout_keep_alive=quiet_s,
            )
        )

    async def _application(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            self.long.append(scope["path"])
            if scope["path"] == "/slow":
                await asyncio.to_thread(self.slow.wait, WITHIN_S)
            if scope["path"] in ("/remote", "/slow"):
                body = scope["client"][0].encode()
                length = [(b"content-length", b"%d" % len(body))]
                await send({"type": "http.response.start", "status": 200, "headers": length})
                await send({"type": "http.response.body", "body": body})
                return
        await self.lane(scope, receive, send)

    @property
    def port(self) -> int:
        [listening] = self.server.servers
        return int(listening.sockets[0].getsockname()[1])

    @contextmanager
    def running(self) -> Iterator[Desk]:
        thread = threading.Thread(target=self.server.run, daemon=True)
        thread.start()
        until = threading.Event()
        for _ in range(500):
            if self.server.started:
                break
            until.wait(0.01)
        assert self.server.started
        try:
            assert self.ask(b"/in/nobody")[0] == 401, "it has read its sources"
            self.long.clear()
            yield self
        finally:
            self.store.gate.set()
            self.server.should_exit = True
            thread.join(WITHIN_S)
            assert not thread.is_alive()

    def line(self) -> Line:
        return Line(self.port)

    def ask(
        self, path: bytes, body: bytes | None = None, *headers: bytes
    ) -> tuple[int, dict[bytes, bytes], bytes]:
        with self.line() as line:
            line.say(path, orjson.dumps(RAISE) if body is None else body, *headers)
            return line.hear()


class Line:
    """One connection, octets in and out."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=WITHIN_S)
        self._heard = self._socket.makefile("rb")

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *why: object) -> None:
        self._heard.close()
        self._socket.close()

    def say(self, path: bytes, body: bytes, *headers: bytes, version: bytes = b"1.1") -> None:
        self.send(request(path, body, *headers, version=version))

    def send(self, octets: bytes) -> None:
        self._socket.sendall(octets)

    def hear(self) -> tuple[int, dict[bytes, bytes], bytes]:
        """Status, headers and body of the next answer."""
        status = int(self._heard.readline().split(b" ")[1])
        headers = {}
        while (header := self._heard.readline().rstrip(b"\r\n")) != b"":
            name, _, value = header.partition(b": ")
            headers[name.lower()] = value
        return status, headers, self._heard.read(int(headers.get(b"content-length", b"0")))

    def is_over(self) -> bool:
        """Whether the other end hung up."""
        return self._heard.read(1) == b""


def request(path: bytes, body: bytes, *headers: bytes, version: bytes = b"1.1") -> bytes:
    lines = [b"POST %b HTTP/%b" % (path, version), b"Host: desk", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join([*lines, b"", body])


@pytest.fixture
def store() -> GatedStore:
    return GatedStore()


@pytest.fixture
def desk(store: GatedStore) -> Iterator[Desk]:
    with Desk(store).running() as desk:
        yield desk


ALARM = orjson.dumps(RAISE)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (b"/in/plain", ALARM, 202),
        (b"/in/plain", b'{"half', 400),
        (b"/in/plain", b"", 400),
        (b"/in/plain", b"\x00\xff", 400),
        (b"/in/alertmanager", orjson.dumps({"alerts": [{"labels": {"alertname": "Down"}}]}), 202),
        (b"/in/pagerduty", orjson.dumps({"event_action": "resolve", "dedup_key": "k"}), 202),
    ],
)
def test_both_ways_say_the_same(desk: Desk, path: bytes, body: bytes, status: int) -> None:
    short = desk.ask(path, body)
    assert desk.long == []
    long = desk.ask(path + b"?long=way", body)
    assert desk.long == [path.decode()]
    assert short[0] == long[0] == status
    assert short[2] == long[2]
    assert {**short[1], b"date": b""} == {**long[1], b"date": b""}


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (b"/in/nobody", [], 401),
        (b"/in", [], 401),
        (b"/in", [b"Authorization: Bearer plain"], 202),
        (b"/in/plain/more", [], 404),
        (b"/in/plain/beat", [], 202),
        (b"/in/pl%61in", [], 202),
        (b"/in/plain", [b"Content-Encoding: gzip"], 415),
        (b"/in/plain", [b"Connection: Upgrade", b"Upgrade: h2c"], 400),  # uvicorn reads no body then
    ],
)
def test_what_is_not_plain_goes_the_long_way(
    desk: Desk, path: bytes, headers: list[bytes], status: int
) -> None:
    assert desk.ask(path, None, *headers)[0] == status
    assert len(desk.long) == 1


def test_a_bearer_may_come_short(desk: Desk) -> None:
    assert desk.ask(b"/in/", None, b"Authorization: Bearer plain")[0] == 202
    assert desk.long == []


def test_large_chunked_and_hesitating_bodies_go_the_long_way(desk: Desk) -> None:
    large = orjson.dumps(RAISE | {"text": "x" * LARGEST})
    assert desk.ask(b"/in/plain", large)[0] == 202
    with desk.line() as line:
        line.send(b"POST /in/plain HTTP/1.1\r\nHost: desk\r\nTransfer-Encoding: chunked\r\n\r\n")
        line.send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(ALARM), ALARM))
        assert line.hear()[0] == 202
        line.send(
            b"POST /in/plain HTTP/1.1\r\nHost: desk\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
            % len(ALARM)
        )
        assert line.hear()[0] == 100
        line.send(ALARM)
        assert line.hear()[0] == 202
    assert len(desk.long) == 3


def test_a_body_may_come_octet_by_octet(desk: Desk, store: GatedStore) -> None:
    with desk.line() as line:
        for octet in request(b"/in/plain", ALARM):
            line.send(bytes([octet]))
        assert line.hear()[0] == 202
    assert store.alarm("disk") is not None
    assert desk.long == []


def test_one_line_asks_again_and_again(desk: Desk, store: GatedStore) -> None:
    with desk.line() as line:
        for number in range(20):
            line.say(b"/in/plain", orjson.dumps(RAISE | {"key": f"k{number}"}))
            assert line.hear()[0] == 202
    assert {alarm.key for alarm in store.alarms} == {f"k{number}" for number in range(20)}
    assert desk.long == []


def test_answers_come_in_the_order_of_the_questions(desk: Desk, store: GatedStore) -> None:
    """Asked at once, short ones and long ones behind one another."""
    store.gate.clear()
    with desk.line() as line:
        asked = [b"/in/plain", b"/in/nobody", b"/in/plain", b"/remote", b"/in/plain/more", b"/in/plain"]
        line.send(b"".join(request(path, ALARM) for path in asked))
        assert store.arrived.wait(WITHIN_S)
        store.gate.set()
        assert [line.hear()[0] for _ in asked] == [202, 401, 202, 200, 404, 202]


def test_it_hangs_up_where_that_is_asked(desk: Desk) -> None:
    with desk.line() as line:
        line.say(b"/in/plain", ALARM, b"Connection: close")
        status, headers, _ = line.hear()
        assert (status, headers[b"connection"]) == (202, b"close")
        assert line.is_over()
    with desk.line() as line:
        line.say(b"/in/plain", ALARM, version=b"1.0")
        assert line.hear()[0] == 202
        assert line.is_over()


@pytest.mark.parametrize("ways", [[b"/in/plain"], [b"/in/plain", b"/remote"]], ids=["short", "by turns"])
def test_it_hangs_up_on_who_is_quiet_and_on_nobody_else(store: GatedStore, ways: list[bytes]) -> None:
    with Desk(store, quiet_s=1).running() as desk, desk.line() as line:
        for turn in range(6):
            line.say(ways[turn % len(ways)], orjson.dumps(RAISE))
            assert line.hear()[0] in (200, 202)
            time.sleep(0.3)
        began = time.monotonic()
        assert line.is_over()
        assert time.monotonic() - began < WITHIN_S / 2


def test_it_does_not_hang_up_on_who_waits_for_the_store(store: GatedStore) -> None:
    with Desk(store, quiet_s=1).running() as desk, desk.line() as line:
        line.say(b"/in/plain", orjson.dumps(RAISE))
        assert line.hear()[0] == 202
        store.gate.clear()
        line.say(b"/in/plain", orjson.dumps(RAISE))
        time.sleep(1.5)
        store.gate.set()
        assert line.hear()[0] == 202
        assert line.is_over(), "when it has been quiet after that"


HEAD = b"POST /in/plain HTTP/1.1\r\nHost: desk\r\n"
TRICKLES = {
    "a head": HEAD + b"X-Slow: ",
    "a body": HEAD + b"Content-Length: 5000\r\n\r\n",
    "a large body": HEAD + b"Content-Length: 90000\r\n\r\n",
    "in chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n1388\r\n",
    "a second one": request(b"/in/plain", ALARM) + HEAD,
}


@pytest.mark.parametrize("begins", TRICKLES.values(), ids=TRICKLES)
def test_it_hangs_up_on_who_trickles(store: GatedStore, begins: bytes) -> None:
    with Desk(store, patience_s=0.5).running() as desk, desk.line() as line:
        line.send(begins)
        if begins.startswith(request(b"/in/plain", ALARM)):
            assert line.hear()[0] == 202
        began = time.monotonic()
        with suppress(ConnectionError):  # it may be over between two octets
            while time.monotonic() - began < 1:
                line.send(b"a")
                time.sleep(0.1)
        with suppress(ConnectionError):  # or its words be lost with what was sent too late
            assert line.hear()[0] == 408
            assert line.is_over()
    assert time.monotonic() - began < WITHIN_S / 2
    assert all(event.key == RAISE["key"] for _, event in store.events)


def test_it_hangs_up_on_who_says_nothing(store: GatedStore) -> None:
    with Desk(store, patience_s=0.5).running() as desk, desk.line() as line:
        began = time.monotonic()
        assert line.is_over()
        assert 0.4 < time.monotonic() - began < WITHIN_S / 2


def test_it_does_not_hang_up_on_a_line_that_is_slow_but_honest(store: GatedStore) -> None:
    body = orjson.dumps(RAISE | {"text": "x" * 64_000})
    with Desk(store, patience_s=0.5).running() as desk, desk.line() as line:
        whole = request(b"/in/plain", body)
        for begin in range(0, len(whole), 8_192):
            line.send(whole[begin : begin + 8_192])
            time.sleep(0.15)
        assert line.hear()[0] == 202


def test_nor_on_who_waits_for_an_answer_while_the_next_request_comes(store: GatedStore) -> None:
    with Desk(store, patience_s=0.5).running() as desk, desk.line() as line:
        line.say(b"/slow", b"")
        line.send(HEAD)
        time.sleep(1.2)
        desk.slow.set()
        assert line.hear()[0] == 200


def test_nobody_is_answered_before_the_commit_and_who_left_is_not_missed(
    desk: Desk, store: GatedStore
) -> None:
    store.gate.clear()
    with desk.line() as line:
        line.say(b"/in/plain", ALARM)
        assert store.arrived.wait(WITHIN_S)
        with desk.line() as gone:
            gone.say(b"/in/plain", orjson.dumps(RAISE | {"key": "left"}))
        store.gate.set()
        assert line.hear()[0] == 202
        line.say(b"/in/plain", ALARM)
        assert line.hear()[0] == 202
    assert {alarm.key for alarm in store.alarms} == {"disk", "left"}


def test_who_leaves_in_the_middle_leaves_nothing(desk: Desk, store: GatedStore) -> None:
    with desk.line() as line:
        line.send(request(b"/in/plain", ALARM)[:-5])
    assert desk.ask(b"/in/plain", orjson.dumps(RAISE | {"key": "next"}))[0] == 202
    assert {alarm.key for alarm in store.alarms} == {"next"}


def test_it_answers_what_waits_before_it_leaves(store: GatedStore) -> None:
    desk = Desk(store)
    with desk.running(), desk.line() as line:
        store.gate.clear()
        line.say(b"/in/plain", ALARM)
        assert store.arrived.wait(WITHIN_S)
        desk.server.should_exit = True
        threading.Timer(0.3, store.gate.set).start()
        assert line.hear()[0] == 202
        assert line.is_over()


def test_the_store_away_full_or_broken_is_said_as_ever() -> None:
    away = FailingStore()
    with Desk(away, capacity=1).running() as desk:
        away.away = True
        assert desk.ask(b"/in/plain")[0] == 503
        away.away = False
        assert desk.ask(b"/in/plain", orjson.dumps(RAISE | {"key": "poison"}))[0] == 400
        assert desk.long == []
        away.gate.clear()
        away.arrived.clear()
        with desk.line() as first, desk.line() as second:
            first.say(b"/in/plain", ALARM)
            assert away.arrived.wait(WITHIN_S)
            second.say(b"/in/plain", ALARM)
            _until(lambda: not desk.lane._committer.has_room())
            status, headers, _ = desk.ask(b"/in/plain")
            assert (status, headers[b"retry-after"]) == (429, b"5")
            assert desk.long == ["/in/plain"], (
                "where there is no room it goes the long way, and is counted there"
            )
            away.gate.set()
            assert (first.hear()[0], second.hear()[0]) == (202, 202)


def test_a_failure_of_ours_is_answered_and_takes_no_other_down(
    desk: Desk, store: GatedStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(store, "commit", lambda batch: 1 / 0)
    status, _, body = desk.ask(b"/in/plain")
    assert status == 500 and "not yours" in orjson.loads(body)["error"]
    monkeypatch.undo()
    assert desk.ask(b"/in/plain")[0] == 202
    assert "ZeroDivisionError" in caplog.text


@contextmanager
def somebody_waits(desk: Desk, courtesy: Courtesy) -> Iterator[None]:
    """A page is being made."""
    loop = desk.lane._committer._loop
    assert loop is not None
    page = courtesy.page()
    loop.call_soon_threadsafe(page.__enter__)
    _until(lambda: not courtesy.nobody_waits())
    yield
    loop.call_soon_threadsafe(page.__exit__, None, None, None)


def test_people_go_first(store: GatedStore) -> None:
    courtesy = Courtesy(at_most_s=WITHIN_S)
    with Desk(store, courtesy=courtesy).running() as desk, desk.line() as line, desk.line() as other:
        with somebody_waits(desk, courtesy):
            line.say(b"/in/plain", ALARM)
            _until(lambda: len(desk.lane._held) == 1)
            other.say(b"/in/plain", b"{")
            _until(lambda: len(desk.lane._held) == 2)
            assert store.commits == 0
        assert (line.hear()[0], other.hear()[0]) == (202, 400)
        assert desk.long == []


def test_who_waits_for_people_is_answered_before_it_leaves(store: GatedStore) -> None:
    courtesy = Courtesy(at_most_s=0.5)
    desk = Desk(store, courtesy=courtesy)
    with desk.running(), desk.line() as line, somebody_waits(desk, courtesy):
        line.say(b"/in/plain", ALARM)
        _until(lambda: len(desk.lane._held) == 1)
        desk.server.should_exit = True
        assert line.hear()[0] == 202


def test_machines_wait_for_people_a_moment_only(store: GatedStore) -> None:
    courtesy = Courtesy(at_most_s=0.1)
    with Desk(store, courtesy=courtesy).running() as desk, somebody_waits(desk, courtesy):
        for _ in range(2):
            assert desk.ask(b"/in/plain")[0] == 202


def test_where_too_many_wait_for_people_the_rest_waits_on_the_long_way(
    store: GatedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tierdesk.channels.alarms.lane.HELD", 1)
    courtesy = Courtesy(at_most_s=WITHIN_S)
    with Desk(store, courtesy=courtesy).running() as desk, desk.line() as first, desk.line() as second:
        with somebody_waits(desk, courtesy):
            first.say(b"/in/plain", ALARM)
            _until(lambda: len(desk.lane._held) == 1)
            second.say(b"/in/plain", ALARM)
            _until(lambda: desk.long == ["/in/plain"])
            assert store.commits == 0
        assert (first.hear()[0], second.hear()[0]) == (202, 202)


def test_who_waited_for_people_in_vain_is_told(store: GatedStore) -> None:
    courtesy = Courtesy(at_most_s=WITHIN_S)
    full = Desk(store, courtesy=courtesy, capacity=1)
    with full.running() as desk, desk.line() as first, desk.line() as second:
        with somebody_waits(desk, courtesy):
            first.say(b"/in/plain", ALARM)
            _until(lambda: len(desk.lane._held) == 1)
            second.say(b"/in/plain", ALARM)
            _until(lambda: len(desk.lane._held) == 2)
            store.gate.clear()
        assert second.hear()[0] == 429
        store.gate.set()
        assert first.hear()[0] == 202
    assert store.shed == {1: 1}, "it is counted"


@pytest.mark.parametrize(
    ("told", "remote"),
    [
        ([], "127.0.0.1"),
        ([b"X-Forwarded-For: 203.0.113.9"], "203.0.113.9"),
        ([b"X-Forwarded-For: 198.51.100.1, 203.0.113.9"], "203.0.113.9"),
        ([b"X-Forwarded-For: "], "127.0.0.1"),
    ],
)
def test_a_proxy_of_ours_names_the_sender(
    desk: Desk, store: GatedStore, told: list[bytes], remote: str
) -> None:
    assert desk.ask(b"/in/plain", b"{", *told)[0] == 400
    assert desk.long == []
    assert [refused.remote for refused in store.refusals] == [remote]
    assert desk.ask(b"/remote", b"", *told)[2] == remote.encode(), "as uvicorn says"


def test_a_new_token_is_looked_up(desk: Desk, store: GatedStore) -> None:
    store.known[digest("new")] = KnownSource(9, 1, "plain")
    _until(lambda: desk.ask(b"/in/new")[0] == 202)


@pytest.fixture
def known(desk: Desk) -> Iterator[Line]:
    """A line whose request the desk has read before."""
    with desk.line() as line:
        line.say(b"/in/plain", ALARM)
        assert line.hear()[0] == 202
        yield line


def test_a_head_that_came_before_is_not_read_again(desk: Desk, store: GatedStore, known: Line) -> None:
    for number in range(5):
        known.say(b"/in/plain", orjson.dumps(RAISE | {"key": f"k{number:02}"}))
        assert known.hear()[0] == 202
    with desk.line() as another:
        another.say(b"/in/plain", ALARM)
        assert another.hear()[0] == 202
    assert desk.heads.known_again == 5, (
        "the first of that length was read, and another line knows what one knows"
    )
    assert {alarm.key for alarm in store.alarms} == {"disk", *(f"k{number:02}" for number in range(5))}


def test_a_known_head_says_the_same_to_the_octet(desk: Desk, known: Line) -> None:
    for number, body in enumerate((ALARM, b"{" + b" " * (len(ALARM) - 1))):
        read = desk.ask(b"/in/plain", body, b"X-Other: %d" % number)
        known.say(b"/in/plain", body)
        again = known.hear()
        assert {**again[1], b"date": b""} == {**read[1], b"date": b""}
        assert (again[0], again[2]) == (read[0], read[2])
    assert desk.heads.known_again == 2


def test_what_looks_like_a_request_in_a_body_is_none(desk: Desk, store: GatedStore, known: Line) -> None:
    inside = request(b"/in/plain", orjson.dumps(RAISE | {"key": "evil"}))
    for path in (b"/in/plain", b"/in/plain?long=way"):
        known.send(b"POST %b HTTP/1.1\r\nHost: desk\r\nContent-Length: %d\r\n\r\n" % (path, len(inside)))
        threading.Event().wait(0.05)  # so that it comes by itself
        known.send(inside)
        assert known.hear()[0] == 400
    known.say(b"/in/plain", ALARM)
    assert known.hear()[0] == 202
    assert {alarm.key for alarm in store.alarms} == {"disk"}


def test_nor_is_what_looks_like_one_in_a_head(desk: Desk, known: Line) -> None:
    known.send(b"POST /in/plain HTTP/1.1\r\nX-Inside: ")
    threading.Event().wait(0.05)
    known.send(request(b"/in/plain", ALARM))
    assert known.hear()[0] == 202
    known.say(b"/in/nobody", ALARM)
    assert known.hear()[0] == 401, "the one before was over"
    assert desk.heads.known_again == 0


def test_a_known_request_waits_for_the_answer_before_it(desk: Desk, known: Line) -> None:
    known.say(b"/slow", b"")
    _until(lambda: "/slow" in desk.long)
    known.say(b"/in/plain", ALARM)
    threading.Timer(0.1, desk.slow.set).start()
    assert [known.hear()[0] for _ in range(2)] == [200, 202]


def test_known_requests_at_once_are_answered_in_their_order(
    desk: Desk, store: GatedStore, known: Line
) -> None:
    known.send(request(b"/in/plain", ALARM) * 3 + request(b"/in/nobody", ALARM))
    assert [known.hear()[0] for _ in range(4)] == [202, 202, 202, 401]
    store.gate.clear()
    store.arrived.clear()
    known.say(b"/in/plain", ALARM)
    assert store.arrived.wait(WITHIN_S)
    known.say(b"/in/plain", b"{" + b" " * (len(ALARM) - 1))
    store.gate.set()
    assert [known.hear()[0] for _ in range(2)] == [202, 400]


def test_a_known_head_with_half_a_body_waits_for_the_rest(store: GatedStore, known: Line) -> None:
    whole = request(b"/in/plain", orjson.dumps(RAISE | {"key": "half"}))
    known.send(whole[:-5])
    known.send(whole[-5:])
    assert known.hear()[0] == 202
    assert store.alarm("half") is not None


def test_a_known_head_opens_nothing_that_was_closed(desk: Desk, store: GatedStore, known: Line) -> None:
    del store.known[digest("plain")]
    desk.lane._book._read_at = float("-inf")
    known.say(b"/in/plain", ALARM)
    assert known.hear()[0] == 401


def test_a_known_head_names_its_sender(desk: Desk, store: GatedStore) -> None:
    for sender in (b"203.0.113.9", b"203.0.113.8", b"203.0.113.9"):
        assert desk.ask(b"/in/plain", b"{", b"X-Forwarded-For: " + sender)[0] == 400
    assert [refused.remote for refused in store.refusals] == ["203.0.113.9", "203.0.113.8", "203.0.113.9"]
    assert desk.heads.known_again == 1


def test_so_many_heads_are_remembered_and_no_long_ones() -> None:
    heads, head = Heads(), Head(Plain({}, ""), 0, b"")
    told = [b"POST /in/%d HTTP/1.1\r\n\r\n" % number for number in range(REMEMBERED + 1)]
    for octets in told[:-1]:
        heads.remember(octets, head)
    assert all(heads.within(octets) for octets in told[:-1])
    heads.remember(told[-1], head)
    assert [octets for octets in told if heads.within(octets)] == [told[-1]], "it began anew"
    long = b"POST /in/plain HTTP/1.1\r\nX: %b\r\n\r\n" % (b"x" * LONGEST_HEAD)
    heads.remember(long, head)
    assert heads.within(long) is None
    odd = b"POST /in/odd HTTP/1.1\n\n\r\n\r\n"
    heads.remember(odd, Head(Plain({}, ""), len(b"\r\n\r\n"), b""))
    assert heads.within(odd + b"more") is None, "its head does not end where heads end"


def _until(so: Callable[[], bool]) -> None:
    async def wait() -> None:
        while not so():
            await asyncio.sleep(0.02)

    asyncio.run(asyncio.wait_for(wait(), WITHIN_S))
