"""The store of the intake in PostgreSQL: one call of one function per batch, on a connection of its own."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import psycopg

from tierdesk.channels.alarms.arrival import Arrival, KnownSource, StoreIsAway, UnableToStore
from tierdesk.channels.alarms.counting import Counting, Counts, tallied
from tierdesk.channels.alarms.tokens import unsealed, usm_user
from tierdesk.core.scope import EVERY_CLIENT, SETTING

LOCK_TIMEOUT_MS = 5_000
STATEMENT_TIMEOUT_MS = 20_000

SOURCES = """
SELECT token_sha256, id, client_id, shape, severities, mapping, secret, senders,
    usm_user, usm_auth, usm_privacy, usm_privacy_secret
FROM alarms_source WHERE enabled
"""
INTAKE = "SELECT alarms_intake(%s::jsonb, %s::jsonb, %s::jsonb)"


class PostgresStore:
    """A `Store` over `alarms_intake` (sql.py). `role`: the database role to work as, if not the DSN's.

    Not for two threads at once, except that `sources` may run beside `commit`.
    """

    def __init__(self, dsn: str, *, role: str = "") -> None:
        self._dsn = dsn
        self._role = role
        self._counts = Counts()
        self._writer: psycopg.Connection[Any] | None = None

    def sources(self) -> Mapping[str, KnownSource]:
        try:
            with self._connect() as connection:
                rows = connection.execute(SOURCES).fetchall()
        except psycopg.OperationalError as error:
            raise StoreIsAway(str(error)) from error
        return {
            token: KnownSource(
                pk,
                client_id,
                shape,
                severities,
                mapping,
                unsealed(secret),
                senders,
                usm_user(*usm, secret=secret),
            )
            for token, pk, client_id, shape, severities, mapping, secret, senders, *usm in rows
        }

    def commit(self, batch: Sequence[Arrival]) -> None:
        """Try once more on a fresh connection when the first turns out dead, or another writer won a lock."""
        counting = self._counts.counting(batch)
        arguments = _told(batch), _refused(batch), _counted(counting)
        try:
            self._call(arguments)
        except StoreIsAway:
            self._call(arguments)
        self._counts.settle(counting)

    @property
    def owes_counts(self) -> bool:
        return self._counts.are_owed

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _call(self, arguments: tuple[str, str, str]) -> None:
        try:
            if self._writer is None:
                self._writer = self._connect()
            self._writer.execute(INTAKE, arguments, prepare=True)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            self.close()
            raise StoreIsAway(str(error)) from error
        except psycopg.Error as error:
            raise UnableToStore(str(error)) from error

    def _connect(self) -> psycopg.Connection[Any]:
        connection = psycopg.connect(
            self._dsn,
            autocommit=True,
            connect_timeout=5,
            application_name="tierdesk alarms",
            options=f"-c lock_timeout={LOCK_TIMEOUT_MS} -c statement_timeout={STATEMENT_TIMEOUT_MS}",
        )
        connection.execute("SELECT set_config(%s, %s, false)", [SETTING, EVERY_CLIENT])
        if self._role:
            connection.execute(psycopg.sql.SQL("SET ROLE {}").format(psycopg.sql.Identifier(self._role)))
        return connection


def intake_arguments(batch: Sequence[Arrival]) -> tuple[str, str, str]:
    """What INTAKE is called with, as JSON: the events, the refusals, and what each source is to count."""
    return _told(batch), _refused(batch), _counted(Counting(now=tallied(batch), later={}, at=None))


def _told(batch: Sequence[Arrival]) -> str:
    return orjson.dumps(
        [
            {
                "source": arrival.source.id,
                "received_at": arrival.received_at,
                "source_time": event.source_time(arrival.received_at),
                "repeats": event.repeats,
                "body": event.written,
            }
            for arrival in batch
            for event in arrival.events
        ]
    ).decode()


def _refused(batch: Sequence[Arrival]) -> str:
    return orjson.dumps(
        [
            {
                "source": arrival.source.id,
                "received_at": arrival.received_at,
                "reason": arrival.refusal[:500],
                "raw": base64.b64encode(arrival.raw).decode(),
                "remote": arrival.remote,
                "shape": arrival.shape,
                "path": arrival.path[:500],
                "headers": arrival.headers,
                "status": arrival.status,
            }
            for arrival in batch
            if arrival.refusal
        ]
    ).decode()


def _counted(counting: Counting) -> str:
    """Each source, with what it counts now."""
    now = [
        {"source": source, "received": tally.received, "shed": tally.shed, "at": tally.heard_at}
        for source, tally in counting.now.items()
    ]
    return orjson.dumps(now + [{"source": source} for source in counting.later]).decode()
