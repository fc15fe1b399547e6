"""The database of the tests, ready before Django reads its settings.

With DATABASE_URL the tests run on that server (PostgreSQL 15 or newer, a role that may create databases); without it
an embedded cluster starts in a folder of its own, shared by all test processes of this run and removed after it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

_HOME = Path(tempfile.gettempdir()) / f"tierdesk-tests-{os.getuid()}-{os.getpid()}"


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    os.environ.setdefault("TIERDESK_SECRET_KEY", "only-for-tests-" + "x" * 40)
    os.environ.setdefault("TIERDESK_HOME", str(_HOME / "home"))
    os.environ.setdefault("TIERDESK_DATABASE_POOL", "no")
    os.environ.setdefault("TIERDESK_LOG_LEVEL", "WARNING")
    if "DATABASE_URL" not in os.environ:
        os.environ["DATABASE_URL"] = _embedded()


def _embedded() -> str:
    from tierdesk.ops.postgres import Cluster

    global _cluster
    _cluster = Cluster(_HOME / "postgres", settings={"fsync": "off", "max_connections": "200"})
    return _cluster.start()


_cluster: object = None


def pytest_unconfigure() -> None:
    if _cluster is not None:
        _cluster.stop()  # type: ignore[attr-defined]
    shutil.rmtree(_HOME, ignore_errors=True)
