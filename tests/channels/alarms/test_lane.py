"""The fast lane: what a sender is told, and that it is told so only when it is true."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import httpx
import orjson
import psycopg
import pytest

from tests.channels.alarms.conftest import test_dsn
from tierdesk.channels.alarms import committer, shapes
from tierdesk.channels.alarms.arrival import Arrival, KnownSource, Store, StoreIsAway, UnableToStore
from tierdesk.channels.alarms.lane import LARGEST_BODY, Lane, Reply
from tierdesk.channels.alarms.memory import MemoryStore
from tierdesk.channels.alarms.models import Alarm, Refusal, Source
from tierdesk.channels.alarms.store import PostgresStore
from tierdesk.channels.alarms.tokens import digest
from tierdesk.core.scope import ROLE
from tierdesk.web.courtesy import Courtesy

RAISE = {"key": "disk", "resource": "db1", "summary": "/var 96 %"}


class GatedStore(MemoryStore):
    """Stores only while its gate is open; counts who waits at it."""

    def __init__(self) -> None:
        super().__init__(
            known={
                digest(shape): KnownSource(n, 1, shape)
                for n, shape in enumerate(("plain", "alertmanager", "pagerduty"), 1)
            }
        )
        self.gate = threading.Event()
        self.gate.set()
        self.arrived = threading.Event()
        self.sizes: list[int] = []

    def commit(self, batch: Sequence[Arrival]) -> None:
        self.arrived.set()
        assert self.gate.wait(10)
        self.sizes.append(len(batch))
        super().commit(batch)


@asynccontextmanager
async def running(store: Store, **limits: Any) -> AsyncIterator[httpx.AsyncClient]:
    lane = Lane(store, **limits)
    await lane.start()
    try:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=lane), base_url="http://desk"
        ) as sender:
            yield sender
    finally:
        await lane.stop()


def sending(store: Store, story: Callable[[httpx.AsyncClient], Awaitable[Any]], **limits: Any) -> Any:
    """Run `story` with a sender whose requests reach a lane over `store`; then stop the lane."""

    async def run() -> Any:
        async with running(store, **limits) as sender:
            return await story(sender)

    return asyncio.run(run())


def post(store: Store, path: str, body: Any = RAISE, **rest: Any) -> httpx.Response:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    response = sending(store, lambda sender: sender.post(path, content=content, **rest))
    assert isinstance(response, httpx.Response)
    return response


@pytest.fixture
def store() -> GatedStore:
    return GatedStore()


class TestAnswers:
    def test_what_is_stored_is_answered_with_202(self, store: GatedStore) -> None:
        response = post(store, "/in/plain")
        assert (response.status_code, response.json()) == (202, {"accepted": 1})
        alarm = store.alarm("disk")
        assert alarm is not None and alarm.state == "open"

    def test_the_token_may_come_as_a_bearer(self, store: GatedStore) -> None:
        for path in ("/in", "/in/"):
            assert post(store, path, headers={"Authorization": "Bearer plain"}).status_code == 202

    def test_a_pagerduty_sender_hears_the_words_it_looks_for(self, store: GatedStore) -> None:
        response = post(store, "/in/pagerduty", {"event_action": "resolve", "dedup_key": "k"})
        assert response.json() == {"status": "success", "message": "Event processed", "dedup_key": "k"}

    @pytest.mark.parametrize(
        "headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic plain"}]
    )
    def test_an_unknown_token_is_answered_with_401_and_leaves_no_trace(
        self, headers: dict[str, str], store: GatedStore
    ) -> None:
        response = post(store, "/in", headers=headers)
        assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
        assert store.commits == 0

    def test_a_malformed_body_is_kept_first_and_then_answered_with_400_and_the_reason(
        self, store: GatedStore
    ) -> None:
        response = post(store, "/in/plain", b'{"half')
        assert response.status_code == 400
        [refused] = store.refusals
        assert (refused.raw, refused.refusal) == (b'{"half', response.json()["error"])

    def test_a_body_that_our_reader_stumbles_over_is_kept_as_well(
        self, store: GatedStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(shapes, "read", lambda shape, request: 1 / 0)
        response = post(store, "/in/plain", b"{}")
        assert response.status_code == 400 and "not yours" in response.json()["error"]
        [refused] = store.refusals
        assert refused.raw == b"{}"
        assert "ZeroDivisionError" in caplog.text

    @pytest.mark.parametrize(
        ("method", "path", "headers", "status"),
        [
            ("GET", "/in/plain", {}, 405),
            ("POST", "/elsewhere", {}, 404),
            ("POST", "/in/plain/more", {}, 404),
            ("POST", "/inside", {}, 404),
            ("POST", "/in/plain", {"content-encoding": "gzip"}, 415),
        ],
    )
    def test_other_requests_are_turned_away(
        self, method: str, path: str, headers: dict[str, str], status: int, store: GatedStore
    ) -> None:
        response = sending(store, lambda sender: sender.request(method, path, content=b"{}", headers=headers))
        assert response.status_code == status
        assert store.commits == 0

    def test_a_body_may_have_512_kb_and_no_more_with_or_without_a_length(self, store: GatedStore) -> None:
        fits = orjson.dumps(RAISE | {"text": "x" * (LARGEST_BODY - 100)})
        assert len(fits) <= LARGEST_BODY
        assert post(store, "/in/plain", fits).status_code == 202
        assert post(store, "/in/plain", b" " * (LARGEST_BODY + 1)).status_code == 413

        async def endless() -> AsyncIterator[bytes]:
            while True:
                yield b" " * 65536

        response = sending(store, lambda sender: sender.post("/in/plain", content=endless()))
        assert response.status_code == 413

    def test_a_source_s_own_severities_apply(self, store: GatedStore) -> None:
        store.known[digest("odd")] = KnownSource(9, 1, "plain", {"purple": 1})
        post(store, "/in/odd", RAISE | {"severity": "purple"})
        alarm = store.alarm("disk")
        assert alarm is not None and alarm.severity == 1


class TestDurability:
    def test_nobody_is_answered_before_the_commit(self, store: GatedStore) -> None:
        async def story(sender: httpx.AsyncClient) -> None:
            store.gate.clear()
            request = asyncio.create_task(sender.post("/in/plain", json=RAISE))
            await asyncio.to_thread(store.arrived.wait, 5)
            await asyncio.sleep(0.05)
            assert not request.done()
            store.gate.set()
            assert (await request).status_code == 202

        sending(store, story)

    def test_what_comes_while_a_commit_runs_is_stored_together(self, store: GatedStore) -> None:
        async def story(sender: httpx.AsyncClient) -> None:
            store.gate.clear()
            first = asyncio.create_task(sender.post("/in/plain", json=RAISE))
            await asyncio.to_thread(store.arrived.wait, 5)
            others = [asyncio.create_task(sender.post("/in/plain", json=RAISE)) for _ in range(50)]
            await asyncio.sleep(0.3)
            store.gate.set()
            assert {(await request).status_code for request in (first, *others)} == {202}

        sending(store, story)
        assert store.sizes == [1, 50]

    def test_while_more_keep_coming_it_waits_for_them_and_then_stores_them_together(
        self, store: GatedStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each glance finds one more, five times; at the sixth there is none, and that is the end of waiting."""
        glances: list[float] = []

        async def story(sender: httpx.AsyncClient) -> None:
            loop = asyncio.get_running_loop()

            def post() -> asyncio.Task[httpx.Response]:
                return asyncio.create_task(sender.post("/in/plain", json=RAISE))

            async def one_more() -> None:
                requests.append(post())
                await asyncio.sleep(0.1)  # it is in the queue by then

            def glance(seconds: float) -> None:
                glances.append(seconds)
                if len(glances) <= 5:
                    asyncio.run_coroutine_threadsafe(one_more(), loop).result(10)

            patient = SimpleNamespace(sleep=glance, monotonic=lambda: 0.0)
            monkeypatch.setattr(committer, "time", patient)
            store.gate.clear()
            requests = [post()]
            await asyncio.to_thread(store.arrived.wait, 5)
            requests += [post(), post()]
            await asyncio.sleep(0.1)
            store.gate.set()
            async with asyncio.timeout(10):
                while len(requests) < 8:
                    await asyncio.sleep(0.02)
            assert {(await request).status_code for request in requests} == {202}

        sending(store, story)
        assert store.sizes == [1, 7]
        assert len(glances) == 6

    def test_a_lone_request_does_not_wait_for_company(self, store: GatedStore) -> None:
        async def story(sender: httpx.AsyncClient) -> float:
            await sender.post("/in/plain", json=RAISE)
            loop = asyncio.get_running_loop()
            started = loop.time()
            await sender.post("/in/plain", json=RAISE)
            return loop.time() - started

        assert sending(store, story) < 0.05

    def test_stopping_stores_and_answers_what_waits(self, store: GatedStore) -> None:
        async def story() -> list[int]:
            lane = Lane(store)
            await lane.start()
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(app=lane), base_url="http://desk"
            ) as sender:
                store.gate.clear()
                requests = [asyncio.create_task(sender.post("/in/plain", json=RAISE)) for _ in range(20)]
                await asyncio.to_thread(store.arrived.wait, 5)
                await asyncio.sleep(0.1)
                stopping = asyncio.create_task(lane.stop())
                await asyncio.sleep(0.05)
                late = await sender.post("/in/plain", json=RAISE)
                store.gate.set()
                await stopping
                return [*[(await request).status_code for request in requests], late.status_code]

        assert asyncio.run(story()) == [202] * 20 + [503]
        alarm = store.alarm("disk")
        assert alarm is not None and alarm.count == 20

    def test_it_lives_with_its_server(self, store: GatedStore) -> None:
        """Under a plain ASGI server the lane starts and drains by the lifespan protocol."""

        async def story() -> list[str]:
            said: list[str] = []
            told = asyncio.Queue[dict[str, str]]()

            async def send(message: Any) -> None:
                said.append(message["type"])

            server = asyncio.create_task(Lane(store)({"type": "lifespan"}, told.get, send))
            await told.put({"type": "lifespan.startup"})
            await told.put({"type": "lifespan.shutdown"})
            await server
            return said

        assert asyncio.run(story()) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def many(count: int = committer.MANY, key: str = "k") -> dict[str, Any]:
    """One request of so many alarms, as Alertmanager sends them."""
    return {
        "alerts": [
            {
                "status": "firing",
                "fingerprint": f"{key}{n}",
                "labels": {"alertname": "DiskFull", "instance": f"{key}{n}"},
                "startsAt": "2026-03-02T09:00:00Z",
            }
            for n in range(count)
        ]
    }


class TestManyAlarmsInARequest:
    @pytest.fixture
    def beside(self) -> list[GatedStore]:
        return [GatedStore(), GatedStore()]

    def test_it_is_stored_by_itself_and_nobody_waits_for_it(
        self, store: GatedStore, beside: list[GatedStore]
    ) -> None:
        async def story(sender: httpx.AsyncClient) -> None:
            for one in beside:
                one.gate.clear()
            requests = [
                asyncio.create_task(sender.post("/in/alertmanager", json=many(key=key))) for key in "abc"
            ]
            for one in beside:
                assert await asyncio.to_thread(one.arrived.wait, 5), "the second is on its way with the first"
            assert (await sender.post("/in/plain", json=RAISE)).status_code == 202
            assert not any(request.done() for request in requests)
            for one in beside:
                one.gate.set()
            assert {(await request).status_code for request in requests} == {202}

        sending(store, story, beside=beside)
        assert store.sizes == [1]
        assert sorted(size for one in beside for size in one.sizes) == [1, 1, 1], "each for itself"

    def test_fewer_are_gathered_with_the_others(self, store: GatedStore, beside: list[GatedStore]) -> None:
        post_few = many(committer.MANY - 1)
        sending(store, lambda sender: sender.post("/in/alertmanager", json=post_few), beside=beside)
        assert (store.sizes, [one.sizes for one in beside]) == ([1], [[], []])

    def test_where_nobody_writes_beside_it_goes_with_the_others(self, store: GatedStore) -> None:
        assert post(store, "/in/alertmanager", many()).status_code == 202
        assert store.sizes == [1]

    def test_what_waits_beside_fills_the_room_as_well(
        self, store: GatedStore, beside: list[GatedStore]
    ) -> None:
        async def story(sender: httpx.AsyncClient) -> int:
            def send(key: str) -> asyncio.Task[httpx.Response]:
                return asyncio.create_task(sender.post("/in/alertmanager", json=many(key=key)))

            for one in beside:
                one.gate.clear()
            requests = [send("a"), send("b")]
            for one in beside:
                assert await asyncio.to_thread(one.arrived.wait, 5)
            requests += [send("c"), send("d")]
            async with asyncio.timeout(10):
                while (status := (await sender.post("/in/plain", json=RAISE)).status_code) == 202:
                    await asyncio.sleep(0.02)
            for one in beside:
                one.gate.set()
            assert {(await request).status_code for request in requests} == {202}
            return status

        assert sending(store, story, beside=beside, capacity=2 * committer.MANY) == 429

    def test_stopping_stores_and_answers_what_waits_beside(
        self, store: GatedStore, beside: list[GatedStore]
    ) -> None:
        async def story() -> set[int]:
            lane = Lane(store, beside=beside)
            await lane.start()
            transport = httpx.ASGITransport(app=lane)
            async with httpx.AsyncClient(transport=transport, base_url="http://desk") as sender:
                for one in beside:
                    one.gate.clear()
                requests = [
                    asyncio.create_task(sender.post("/in/alertmanager", json=many(key=key)))
                    for key in "abcde"
                ]
                for one in beside:
                    await asyncio.to_thread(one.arrived.wait, 5)
                await asyncio.sleep(0.2)
                stopping = asyncio.create_task(lane.stop())
                await asyncio.sleep(0.05)
                for one in beside:
                    one.gate.set()
                await stopping
                return {(await request).status_code for request in requests}

        assert asyncio.run(story()) == {202}
        assert sum(len(one.sizes) for one in beside) == 5

    def test_what_cannot_be_stored_beside_is_kept_as_it_came(
        self, store: GatedStore, beside: list[GatedStore], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def unable(batch: Sequence[Arrival]) -> None:
            if batch[0].events:
                raise UnableToStore("a number without an end")
            MemoryStore.commit(beside[0], batch)

        monkeypatch.setattr(beside[0], "commit", unable)
        response = sending(
            store, lambda sender: sender.post("/in/alertmanager", json=many()), beside=beside[:1]
        )
        assert response.status_code == 400
        [refused] = beside[0].refusals
        assert "a number without an end" in refused.refusal


class TestWantOfRoom:
    @pytest.mark.parametrize(("sender_kind", "status"), [("plain", 429), ("alertmanager", 503)])
    def test_when_full_the_sender_is_told_to_try_again_in_the_way_it_understands(
        self, sender_kind: str, status: int, store: GatedStore
    ) -> None:
        async def story(sender: httpx.AsyncClient) -> httpx.Response:
            store.gate.clear()
            waiting = [asyncio.create_task(sender.post("/in/plain", json=RAISE))]
            await asyncio.to_thread(store.arrived.wait, 5)
            waiting += [asyncio.create_task(sender.post("/in/plain", json=RAISE)) for _ in range(3)]
            await asyncio.sleep(0.1)
            response = await sender.post(f"/in/{sender_kind}", content=b"never read")
            store.gate.set()
            assert {(await request).status_code for request in waiting} == {202}
            return response

        response = sending(store, story, capacity=3)
        assert response.status_code == status
        assert int(response.headers["retry-after"]) > 0
        assert sum(store.shed.values()) == 1, "and it is counted"


class FailingStore(GatedStore):
    """Refuses batches that hold the key `poison`, or everything while `away`."""

    away = False

    def commit(self, batch: Sequence[Arrival]) -> None:
        if self.away:
            raise StoreIsAway("the database is away")
        if any(event.key == "poison" for arrival in batch for event in arrival.events):
            raise UnableToStore("poison")
        super().commit(batch)

    def sources(self) -> Any:
        if self.away:
            raise StoreIsAway("the database is away")
        return super().sources()


class TestTrouble:
    def test_while_the_store_is_away_senders_are_asked_to_come_again(self) -> None:
        store = FailingStore()

        async def story(sender: httpx.AsyncClient) -> list[int]:
            before = await sender.post("/in/plain", json=RAISE)
            store.away = True
            during = await sender.post("/in/plain", json=RAISE)
            store.away = False
            after = await sender.post("/in/plain", json=RAISE)
            return [before.status_code, during.status_code, after.status_code]

        assert sending(store, story) == [202, 503, 202]

    def test_a_desk_that_has_never_read_its_sources_does_not_call_a_token_wrong(self) -> None:
        store = FailingStore()
        store.away = True
        assert post(store, "/in/plain").status_code == 503

    def test_one_that_cannot_be_stored_takes_no_other_down(self) -> None:
        store = FailingStore()

        async def story(sender: httpx.AsyncClient) -> list[int]:
            store.gate.clear()
            first = asyncio.create_task(sender.post("/in/plain", json=RAISE))
            await asyncio.to_thread(store.arrived.wait, 5)
            keys = ["a", "b", "poison", "c", "d"]
            others = [
                asyncio.create_task(sender.post("/in/plain", json=RAISE | {"key": key})) for key in keys
            ]
            await asyncio.sleep(0.2)
            store.gate.set()
            await first
            return [(await request).status_code for request in others]

        assert sending(store, story) == [202, 202, 400, 202, 202]
        assert {alarm.key for alarm in store.alarms} == {"disk", "a", "b", "c", "d"}
        [refused] = store.refusals
        assert b"poison" in refused.raw

    def test_guessing_tokens_reaches_the_store_at_most_once_a_second(self, store: GatedStore) -> None:
        looked = 0
        real = store.sources

        def counted() -> Any:
            nonlocal looked
            looked += 1
            return real()

        store.sources = counted  # type: ignore[method-assign]

        async def story(sender: httpx.AsyncClient) -> set[int]:
            return {(await sender.post(f"/in/guess{n}", json=RAISE)).status_code for n in range(50)}

        assert sending(store, story) == {401}
        assert 1 <= looked <= 2

    def test_a_sender_that_goes_away_is_no_error(self, store: GatedStore) -> None:
        async def story() -> list[Any]:
            sent: list[Any] = []
            lane = Lane(store)
            await lane.start()

            async def receive() -> dict[str, Any]:
                return {"type": "http.disconnect"}

            async def send(message: Any) -> None:
                sent.append(message)

            await lane({"type": "http", "method": "POST", "path": "/in/plain", "headers": []}, receive, send)
            await lane.stop()
            return sent

        assert asyncio.run(story()) == []


def _received(source: Source) -> int:
    with psycopg.connect(test_dsn()) as connection:
        row = connection.execute(
            "SELECT received_count FROM alarms_source WHERE id = %s", [source.pk]
        ).fetchone()
    return int(row[0]) if row else 0


class TestWithPostgres:
    def test_a_hundred_requests_at_once_are_all_durable_when_answered(self, source: Source) -> None:
        token = source.token  # type: ignore[attr-defined]

        async def story(sender: httpx.AsyncClient) -> set[int]:
            requests = [sender.post(f"/in/{token}", json=RAISE | {"key": f"k{n % 10}"}) for n in range(100)]
            return {response.status_code for response in await asyncio.gather(*requests)}

        assert sending(PostgresStore(test_dsn(), role=ROLE), story) == {202}
        assert set(Alarm.objects.values_list("count", flat=True)) == {10}
        source.refresh_from_db()
        assert source.received_count == 100

    def test_what_waits_to_be_counted_waits_a_second_and_no_longer(self, source: Source) -> None:
        path = f"/in/{source.token}"  # type: ignore[attr-defined]

        async def story(sender: httpx.AsyncClient) -> list[int]:
            counts = []
            for _ in range(2):
                await sender.post(path, json=RAISE)
                counts.append(await asyncio.to_thread(_received, source))
            until = time.monotonic() + 10
            while counts[-1] < 2 and time.monotonic() < until:
                await asyncio.sleep(0.05)
                counts[-1] = await asyncio.to_thread(_received, source)
            return counts

        assert sending(PostgresStore(test_dsn(), role=ROLE), story) == [1, 2]

    def test_many_at_once_beside_others_are_durable_and_counted(self, source: Source) -> None:
        """Of the same source and the same alarms, by three connections: none waits for another for ever."""
        path = f"/in/{source.token}"  # type: ignore[attr-defined]
        alarms = [RAISE | {"key": f"k{n % 50}"} for n in range(committer.MANY)]
        stores = [PostgresStore(test_dsn(), role=ROLE) for _ in range(3)]

        async def story(sender: httpx.AsyncClient) -> set[int]:
            requests = [sender.post(path, json=alarms) for _ in range(20)]
            requests += [sender.post(path, json=RAISE | {"key": f"k{n}"}) for n in range(50)]
            return {response.status_code for response in await asyncio.gather(*requests)}

        assert sending(stores[0], story, beside=stores[1:]) == {202}
        assert set(Alarm.objects.values_list("count", flat=True)) == {20 * committer.MANY // 50 + 1}
        source.refresh_from_db()
        assert source.received_count == 20 * committer.MANY + 50

    def test_characters_that_postgresql_cannot_hold_are_stored_all_the_same(self, source: Source) -> None:
        path = f"/in/{source.token}"  # type: ignore[attr-defined]
        body = (
            rb'{"key": "k", "summary": "a \u0000", "labels": {"a\u0000": "\u0000"}, "text": "\ud83d\ude00"}'
        )
        assert post(PostgresStore(test_dsn()), path, body).status_code == 202
        assert Alarm.objects.get().summary == "a \ufffd"
        assert post(PostgresStore(test_dsn()), path, b"\x00\xff").status_code == 400
        assert bytes(Refusal.objects.get().raw) == b"\x00\xff"


def test_who_waits_for_people_is_stored_and_answered_before_the_lane_stops() -> None:
    store, answers = GatedStore(), list[Reply]()

    async def story() -> None:
        courtesy = Courtesy(at_most_s=0.1)
        lane = Lane(store, precedence=courtesy)
        await lane.start()
        await lane._book.find("plain")
        said = lane.plain("/in/plain", {})
        assert said is not None
        with courtesy.page():
            assert lane.take_at_once(said, orjson.dumps(RAISE), "", answers.append)
            assert (store.commits, answers) == (0, [])
            await lane.stop()
            await asyncio.sleep(0)

    asyncio.run(story())
    assert [answer.status for answer in answers] == [202]
    assert store.alarm("disk") is not None
