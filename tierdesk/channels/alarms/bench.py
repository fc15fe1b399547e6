"""How fast alarms are taken in, beside what the database does in the same run with the same events.

    python -m tierdesk.channels.alarms.bench postgresql://…

The plain write is the floor: append the events and upsert their alarms, coalesced, in one statement, with none
of our rules. The function is what the lane calls, with everything prepared. The lane is measured with one alarm
per request and with many, in alternating rounds. All of it happens in a source of its own, which is removed.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import psycopg

from tierdesk.channels.alarms import tokens
from tierdesk.channels.alarms.arrival import Arrival, KnownSource
from tierdesk.channels.alarms.committer import WRITERS_BESIDE
from tierdesk.channels.alarms.lane import Lane
from tierdesk.channels.alarms.store import INTAKE, PostgresStore, intake_arguments
from tierdesk.channels.alarms.understanding import understood
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, SETTING

KEYS = 20_000
BATCH = 500
WARM_UP = 8
"""Requests."""

SENDERS_OF_SINGLES, SENDERS_OF_BATCHES = 500, 8

PLAIN_WRITE = """
WITH told AS MATERIALIZED (
    SELECT t.*, t.body ->> 'key' AS key
    FROM jsonb_to_recordset(%(told)s::jsonb)
        AS t(source bigint, received_at timestamptz, source_time timestamptz, body jsonb)
), appended AS (
    INSERT INTO alarms_event (client_id, source_id, received_at, source_time, action, event_id, batch_seq, body)
    SELECT %(client)s::bigint, source, received_at, source_time, 'raise', '', 0, body FROM told
)
INSERT INTO alarms_alarm AS a (
    client_id, source_id, key, state, severity, resource, class_name, "group", summary, count, last_at,
    changed_seq, seen_seq
)
SELECT %(client)s::bigint, source, key, 'open', 3, '', '', '', '', count(*), max(received_at), 1, 0
FROM told GROUP BY source, key ORDER BY source, key
ON CONFLICT (source_id, key) WHERE closed_at IS NULL
DO UPDATE SET count = a.count + excluded.count, last_at = excluded.last_at
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """Events per second that the database takes, however they come to it: median of the rounds."""

    plain_write: float
    function: float


@dataclass(frozen=True, slots=True)
class Figures(Limits):
    """Events per second: median of the rounds, by path."""

    lane_single: float
    lane_batch: float

    def lines(self) -> Iterator[str]:
        for name in ("plain_write", "function", "lane_single", "lane_batch"):
            rate = getattr(self, name)
            yield (
                f"{name:<12} {rate:>9,.0f}/s  {rate / self.function:>5.0%} of the function"
                f"  {rate / self.plain_write:>5.0%} of the plain write"
            )


def measure(dsn: str, *, rounds: int = 5, events: int = 20_000) -> Figures:
    """Take in `events` events per path and round over KEYS keys. `dsn` names a migrated database with a client."""
    with _source(dsn) as (source, token), _connected(dsn) as connection:
        paths = _limits(connection, source, events) | {
            "lane_single": lambda: asyncio.run(
                _lane(dsn, token, events, at_once=1, senders=SENDERS_OF_SINGLES)
            ),
            "lane_batch": lambda: asyncio.run(
                _lane(dsn, token, events, at_once=BATCH, senders=SENDERS_OF_BATCHES)
            ),
        }
        return Figures(**_medians(paths, rounds))


def measure_limits(dsn: str, *, rounds: int = 5, events: int = 20_000) -> Limits:
    """What `measure` measures of the database alone."""
    with _source(dsn) as (source, _), _connected(dsn) as connection:
        return Limits(**_medians(_limits(connection, source, events), rounds))


def _medians(paths: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The paths take turns; the first turn of each does not count."""
    for path in paths.values():
        path()
    measured = [{name: path() for name, path in paths.items()} for _ in range(rounds)]
    return {name: statistics.median(rates[name] for rates in measured) for name in paths}


def _limits(
    connection: psycopg.Connection[Any], source: KnownSource, events: int
) -> dict[str, Callable[[], float]]:
    return {
        "plain_write": lambda: _plain_write(connection, source, events),
        "function": lambda: _function(connection, source, events),
    }


@contextmanager
def _connected(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SELECT set_config(%s, %s, false)", [SETTING, EVERY_CLIENT])
        yield connection


def _plain_write(connection: psycopg.Connection[Any], source: KnownSource, events: int) -> float:
    batches = [
        {"told": intake_arguments([arrival])[0], "client": source.client_id}
        for arrival in _arrivals(source, events)
    ]
    return _rate(events, lambda: [connection.execute(PLAIN_WRITE, batch, prepare=True) for batch in batches])


def _function(connection: psycopg.Connection[Any], source: KnownSource, events: int) -> float:
    batches = [intake_arguments([arrival]) for arrival in _arrivals(source, events)]
    return _rate(events, lambda: [connection.execute(INTAKE, batch, prepare=True) for batch in batches])


def _arrivals(source: KnownSource, events: int) -> list[Arrival]:
    bodies = _bodies(events, at_once=BATCH)
    return [understood(Arrival(source=source, received_at=clock.now(), raw=body), {}) for body in bodies]


async def _lane(dsn: str, token: str, events: int, *, at_once: int, senders: int) -> float:
    """The ASGI application, called as a server calls it by so many senders at once; no HTTP is parsed."""
    lane = Lane(PostgresStore(dsn), beside=[PostgresStore(dsn) for _ in range(WRITERS_BESIDE)])
    await lane.start()
    refused: list[int] = []

    async def sender(bodies: Iterator[bytes]) -> None:
        for body in bodies:
            status = await _post(lane, token, body)
            if status != 202:
                refused.append(status)

    async def send(bodies: Sequence[bytes]) -> None:
        shared = iter(bodies)
        await asyncio.gather(*(sender(shared) for _ in range(senders)))

    # As with the function, the connections stand and have planned their statement before it counts.
    await send(_bodies(WARM_UP * at_once, at_once=at_once))
    bodies = _bodies(events, at_once=at_once)
    started = time.perf_counter()
    await send(bodies)
    seconds = time.perf_counter() - started
    await lane.stop()
    if refused:
        raise RuntimeError(f"{len(refused)} requests were not stored, the first with {refused[0]}")
    return events / seconds


async def _post(lane: Lane, token: str, body: bytes) -> int:
    status = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    await lane({"type": "http", "method": "POST", "path": f"/in/{token}", "headers": []}, receive, send)
    return status


def _bodies(events: int, *, at_once: int) -> list[bytes]:
    alerts = [_alert(number) for number in range(events)]
    return [orjson.dumps({"alerts": alerts[n : n + at_once]}) for n in range(0, events, at_once)]


def _alert(number: int) -> dict[str, Any]:
    host = random.randrange(KEYS)  # noqa: S311
    return {
        "status": "firing",
        "fingerprint": f"{host:016x}",
        "labels": {
            "alertname": "DiskFull",
            "instance": f"host{host}:9100",
            "job": "node",
            "severity": "critical",
        },
        "annotations": {
            "summary": f"/var {number % 100} % on host{host}",
            "runbook_url": "https://desk/rb/disk",
        },
        "startsAt": clock.now().isoformat(),
        "generatorURL": "http://prometheus:9090/graph?g0.expr=disk",
    }


def _rate(events: int, write: Callable[[], Sequence[object]]) -> float:
    started = time.perf_counter()
    write()
    return events / (time.perf_counter() - started)


@contextmanager
def _source(dsn: str) -> Iterator[tuple[KnownSource, str]]:
    token = tokens.new_token()
    with _connected(dsn) as connection:
        row = connection.execute(
            "INSERT INTO alarms_source (client_id, key, name, shape, severities, token_sha256, settle_s, enabled,"
            " received_count, shed_count) SELECT id, 'bench', 'Bench', 'alertmanager', '{}', %s, 0, true, 0, 0"
            " FROM clients_client ORDER BY id LIMIT 1 RETURNING id, client_id",
            [tokens.digest(token)],
        ).fetchone()
        if row is None:
            raise LookupError("the database has no client to measure with")
        try:
            yield KnownSource(row[0], row[1], "alertmanager"), token
        finally:
            for table in ("alarms_event", "alarms_alarm", "alarms_refusal"):
                connection.execute(f"DELETE FROM {table} WHERE source_id = %s", [row[0]])
            connection.execute("DELETE FROM alarms_source WHERE id = %s", [row[0]])


if __name__ == "__main__":
    for line in measure(sys.argv[1]).lines():
        sys.stdout.write(line + "\n")
