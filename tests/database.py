"""The database of the tests, ready before Django reads its settings.

Without more ado it is the PostgreSQL that comes with the house: a cluster in a folder of its own, shared by all test
processes of this run and removed after it. With DATABASE_URL it is that server (PostgreSQL 15 or newer, a role that may
create databases). With `--on-installed-postgres` it is a cluster of the oldest PostgreSQL that this machine has
installed, reached as a desk reaches a stranger's: by DATABASE_URL, in a role that may create databases and roles and
nothing else.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.migrated import TEMPLATE, THROW_AWAY, lay
from tierdesk.core import garbage
from tierdesk.ops.postgres import Binaries, Cluster

OLDEST = 15
INSTALLED = Path("/usr/lib/postgresql")
NONE_INSTALLED = (
    f"There is no PostgreSQL of {OLDEST} or newer in {INSTALLED}. On Debian install postgresql-{OLDEST} (as root, "
    "bin/setup --tests does); or name a server of yours: DATABASE_URL=postgresql://… bin/test tests"
)

FROM = "TIERDESK_TESTS_FROM"
"""Which database of the run's server is migrated and may be copied, if there is one (tests/migrated.py)."""

HOME = "TIERDESK_TESTS_HOME"
"""The folder of this run, which every process of it is told: no name that another run may have left behind."""

_cluster: Cluster | None = None


def pytest_addoption(parser: pytest.Parser) -> None:
    about = "run what asks a database, on the oldest PostgreSQL that is installed on this machine"
    parser.addoption("--on-installed-postgres", action="store_true", help=about)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    garbage.hold_off()
    os.environ.setdefault("TIERDESK_SECRET_KEY", "only-for-tests-" + "x" * 40)
    os.environ.setdefault("TIERDESK_DATABASE_POOL", "no")
    os.environ.setdefault("TIERDESK_LOG_LEVEL", "WARNING")
    if "PYTEST_XDIST_WORKER" in os.environ:
        return  # it was told the folder and the server of the run by the process that started it
    home = os.environ[HOME] = tempfile.mkdtemp(prefix="tierdesk-tests-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)  # also where pytest refuses its arguments
    os.environ.setdefault("TIERDESK_HOME", f"{home}/home")
    if early_config.known_args_namespace.on_installed_postgres:
        os.environ["DATABASE_URL"] = _as_an_ordinary_role(_started(_oldest_installed()))
    elif "DATABASE_URL" not in os.environ:
        os.environ["DATABASE_URL"] = _started()


def pytest_unconfigure() -> None:
    if _cluster is not None:
        _cluster.stop()


def pytest_report_header() -> str:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        version, role = connection.execute("SELECT version(), current_user").fetchone() or ("", "")
    return f"database: {' '.join(version.split()[:2])}, in the role {role}"


@pytest.fixture(scope="session")
def database_url() -> str:
    """The server of this run, for who makes databases of their own there."""
    return os.environ["DATABASE_URL"]


@contextmanager
def fresh_database(server: str, name: str, *, template: str = "") -> Iterator[str]:
    """An empty database on that server, or a copy of `template`, and how it is reached; it goes with the block."""
    with psycopg.connect(server, autocommit=True) as connection:
        _drop(connection, name)
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template or 'template1'}")
        try:
            yield make_conninfo(server, dbname=name)
        finally:
            _drop(connection, name)


def _drop(connection: psycopg.Connection, name: str) -> None:
    """Away with a database and with whoever of ours is still connected to it. `WITH (FORCE)` would be refused to an
    ordinary role while the server vacuums there; a plain DROP sends the vacuum away by itself.
    """
    connection.execute(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s AND usename = current_user",
        (name,),
    )
    connection.execute(f"DROP DATABASE IF EXISTS {name}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On an installed server only what asks it. The other tests are about pure functions, about the server that comes
    along (tests/ops/postgres, tests/servers, most of tests/ops), about a browser, whose pages have tests of their own
    as well, or about the talk with somebody else's server, which stores by the statements of other tests: there is
    nothing that they could find out there.
    """
    if config.option.on_installed_postgres:
        config.hook.pytest_deselected(items=[item for item in items if not _asks_the_server(item)])
        items[:] = filter(_asks_the_server, items)


def _asks_the_server(item: pytest.Item) -> bool:
    if item.get_closest_marker("browser") is not None or item.get_closest_marker("server") is not None:
        return False
    fixtures = set(getattr(item, "fixturenames", ()))
    if "dovecot" in fixtures:
        return False
    return (
        bool({"db", "transactional_db", "database_url"} & fixtures)
        or item.get_closest_marker("django_db") is not None
    )


def _started(binaries: Binaries | None = None) -> str:
    """A server of this run's own: with a migrated database to copy from, if it is the one that comes along."""
    global _cluster
    home = Path(os.environ[HOME]) / "postgres"
    if binaries is None:
        lay(home)
        os.environ[FROM] = TEMPLATE
    _cluster = Cluster(home, settings=THROW_AWAY, binaries=binaries)
    return _cluster.start()


def _oldest_installed() -> Binaries:
    majors = [int(found.parts[-3]) for found in INSTALLED.glob("*/bin/initdb") if found.parts[-3].isdecimal()]
    if oldest := min((major for major in majors if major >= OLDEST), default=None):
        return Binaries(INSTALLED / f"{oldest}/bin", oldest)
    raise pytest.UsageError(NONE_INSTALLED)


def _as_an_ordinary_role(url: str) -> str:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE ROLE ordinary LOGIN CREATEDB CREATEROLE")
        connection.execute("CREATE DATABASE desk OWNER ordinary")
    return urlsplit(url)._replace(netloc="ordinary@", path="/desk").geturl()
