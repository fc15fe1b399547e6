"""What the alarm tests share: a source, a store for it, and short ways to say what a source says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tests.settled import settled
from tierdesk.channels.alarms.arrival import Arrival, KnownSource
from tierdesk.channels.alarms.memory import MemoryStore
from tierdesk.channels.alarms.models import Source
from tierdesk.channels.alarms.normal import Action, AlarmEvent, said
from tierdesk.channels.alarms.store import INTAKE, PostgresStore, intake_arguments
from tierdesk.core.scope import ROLE
from tierdesk.core.wakeups import fast_forward
from tierdesk.directory.clients.models import Client

Saying = Callable[..., AlarmEvent]


@pytest.fixture
def saying() -> Saying:
    """`saying("raise", minute=3)`: an event of the alarm `disk`, 3 minutes after ten by the source."""

    def event(action: str, minute: float | None = None, key: str = "disk", **rest: object) -> AlarmEvent:
        at = None if minute is None else MONDAY_10 + timedelta(minutes=minute)
        known: dict[str, object] = {"resource": "db1", "summary": f"{key} {action} at {minute}"}
        return said(action=Action(action), key=key, at=at, **known | rest)  # type: ignore[arg-type]

    return event


@pytest.fixture
def memory() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def world(transactional_db: None) -> Cast:
    """The cast, committed, so that the store's own connection sees it."""
    return settled()


@pytest.fixture
def source(world: Cast) -> Source:
    source = Source(client=world.acme, key="prometheus", name="Prometheus of Acme", shape="plain")
    source.token = source.take_new_token()  # type: ignore[attr-defined]
    source.save()
    return source


@pytest.fixture
def known(source: Source) -> KnownSource:
    return KnownSource(source.pk, source.client_id, source.shape)


@pytest.fixture
def store(transactional_db: None) -> Iterator[PostgresStore]:
    """The real store on the test database, in the role that the desk works in."""
    store = PostgresStore(test_dsn(), role=ROLE)
    yield store
    store.close()


def test_dsn() -> str:
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    settings = connection.settings_dict
    return make_conninfo(**{libpq: str(settings[name]) for name, libpq in names.items() if settings[name]})


test_dsn.__test__ = False  # type: ignore[attr-defined]


def arrival(
    source: KnownSource, *events: AlarmEvent, received_at: datetime = MONDAY_10 + timedelta(hours=1)
) -> Arrival:
    """One request; received an hour after ten unless a test says otherwise."""
    return Arrival(source=source, received_at=received_at, events=events)


class Monitor:
    """A source that says things at so many minutes past ten, and the desk that lives up to that minute."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def says(self, minute: float, *events: AlarmEvent) -> None:
        self.is_heard(minute, *events)
        fast_forward(minutes(minute))

    def is_heard(self, minute: float, *events: AlarmEvent) -> None:
        """It says this, and nobody has looked at it yet."""
        at = minutes(minute)
        known = KnownSource(self.source.pk, self.source.client_id, self.source.shape)
        told = Arrival(source=known, received_at=at, events=events)
        with connection.cursor() as cursor:
            cursor.execute(INTAKE, intake_arguments([told]))

    def raises(self, minute: float, *keys: str, **rest: Any) -> None:
        self._each("raise", minute, keys, rest)

    def clears(self, minute: float, *keys: str, **rest: Any) -> None:
        self._each("clear", minute, keys, rest)

    def _each(self, action: str, minute: float, keys: tuple[str, ...], rest: dict[str, Any]) -> None:
        words = {"summary": "It is full"} | rest
        self.says(
            minute, *(said(action=Action(action), key=key, at=minutes(minute), **words) for key in keys)
        )


def minutes(n: float) -> datetime:
    return MONDAY_10 + timedelta(minutes=n)


def source_of(client: Client, key: str = "prometheus", **rest: Any) -> Source:
    source = Source(client=client, key=key, name=key.capitalize(), shape="plain", **rest)
    source.take_new_token()
    source.save()
    return source


@pytest.fixture
def monitor(cast: Cast) -> Monitor:
    """A source of Acme's, told without a connection of its own."""
    return Monitor(source_of(cast.acme))
