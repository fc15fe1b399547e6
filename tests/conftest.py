"""What every test has: a database under both locks, and the named world of `tests/cast.py`.

Property tests try the same examples on every run, so that what is green stays green; new ones are searched for with
`bin/test --hypothesis-profile=searching`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import TransactionTestCase
from hypothesis import HealthCheck, settings

from tests.cast import Cast
from tests.database import FROM
from tests.emptied import empty
from tests.settled import settled
from tierdesk.core import clock, garbage, jobs
from tierdesk.core.facts import Actor
from tierdesk.core.roles import owner, take_app_role
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.core.wakeups import fast_forward
from tierdesk.core.work import Unit, work
from tierdesk.learning.prediction import outlooks

SHARED = Path(os.environ.get("TIERDESK_SHARED_DATA") or Path(__file__).parents[2] / "shared" / "data")
MONDAY_10 = datetime(2026, 6, 8, 8, 0, tzinfo=UTC)
"""Monday 8 June 2026, 10:00 in Berlin."""

LONGEST_NAME = 1000


def pytest_collection_finish() -> None:
    """Whatever is loaded by now stays, and rows are freed without the collector of garbage, as in a desk."""
    garbage.settle_in()


def pytest_make_parametrize_id(val: object) -> str | None:
    """A test that is given a bomb is not named after all of it: each process escapes, sends and compares the names."""
    if isinstance(val, str | bytes) and len(val) > LONGEST_NAME:
        return f"{val[:20]!a}-and-so-on"
    return None


TransactionTestCase._fixture_teardown = empty  # type: ignore[method-assign]

UNHURRIED = [HealthCheck.too_slow]
"""How fast inputs are made says how busy the machine is, and fails no test."""

settings.register_profile("settled", derandomize=True, database=None, suppress_health_check=UNHURRIED)
settings.register_profile("searching", derandomize=False, print_blob=True, suppress_health_check=UNHURRIED)
settings.register_profile("whole", derandomize=True, database=None, suppress_health_check=UNHURRIED)
settings.load_profile("settled")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_xdist_suffix: None) -> None:
    """One test database per test process."""


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_test_environment: None, django_db_blocker: Any
) -> Iterator[None]:
    """Make the test database as its owner; the tests then work in the app's role."""
    from django.test.utils import setup_databases, teardown_databases

    request.getfixturevalue("django_db_modify_db_settings")
    connection.settings_dict["TEST"]["TEMPLATE"] = os.environ.get(FROM)
    with django_db_blocker.unblock(), owner():
        config = setup_databases(verbosity=0, interactive=False, serialized_aliases=[])
    connection.close()
    yield
    with django_db_blocker.unblock(), owner():
        connection.close()
        teardown_databases(config, verbosity=0)


@pytest.fixture(autouse=True)
def _sees_every_client(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tests see all clients until they narrow their view; a test with commits is cleaned up as the owner."""
    marker = request.node.get_closest_marker("django_db")
    names = request.fixturenames
    if marker is None and not {"db", "transactional_db", "cast"} & set(names):
        yield
        return
    request.getfixturevalue("transactional_db" if "transactional_db" in names else "db")
    take_app_role(connection)
    set_scope(EVERY_CLIENT)
    outlooks.forget()
    with jobs.inline():
        yield
    if (
        connection.connection is not None
        and not connection.connection.closed
        and not connection.needs_rollback
    ):
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")


@pytest.fixture
def cast(db: None) -> Cast:
    """The named world: see tests/cast.py."""
    return settled()


@pytest.fixture
def at() -> datetime:
    return MONDAY_10


@pytest.fixture
def doing() -> Callable[..., AbstractContextManager[Unit]]:
    """`with doing(agent, at):` — a unit of work by somebody of the cast, with the clock held at that instant."""

    from contextlib import contextmanager

    @contextmanager
    def unit(by: Any, at: datetime = MONDAY_10) -> Iterator[Unit]:
        actor = by if isinstance(by, Actor) else by.actor()
        with clock.frozen(at), work(by=actor, at=at) as open_unit:
            yield open_unit

    return unit


@pytest.fixture
def live_until() -> Callable[[datetime], None]:
    """Let time pass up to an instant: everything due on the way happens at its own time."""
    return fast_forward


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not SHARED.is_dir():
        pytest.skip(
            f"needs the public data sets, which are not part of the project: none in {SHARED}; "
            "TIERDESK_SHARED_DATA names another folder"
        )
    return SHARED


def hours(n: float) -> timedelta:
    return timedelta(hours=n)
