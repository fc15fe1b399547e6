"""A cluster with an empty desk in it, kept in .cache for as long as the migrations stay as they are.

Migrating takes longer than most test files. So it is done once, and copied: for the server of a run, whose test
databases are made from TEMPLATE, and for every desk that a test starts with a server of its own. That a desk makes
everything from nothing is tested where it is the point (tests/ops/postgres, tests/ops/test_supervisor.py).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

import psycopg

from tierdesk.ops.postgres import Cluster

ROOT = Path(__file__).parents[1]
KEPT = ROOT / ".cache"
TEMPLATE = "migrated"
THROW_AWAY = {"fsync": "off", "full_page_writes": "off", "max_connections": "200"}


def lay(home: Path) -> None:
    """Put a copy of the migrated cluster where a `Cluster` will look for its own."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    _copy(_kept(), home)


@cache
def _kept() -> Path:
    place = KEPT / f"migrated-{_key()}"
    if not place.exists():
        _make(place)
    return place


def _make(place: Path) -> None:
    """Made elsewhere and moved: who looks meanwhile finds nothing or the whole."""
    KEPT.mkdir(exist_ok=True)
    for outdated in KEPT.glob("migrated-*"):
        shutil.rmtree(outdated, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="making-", dir=KEPT) as folder, _work_place() as home:
        cluster = Cluster(Path(home) / "postgres", settings=THROW_AWAY)
        try:
            url = cluster.start()
            environ = os.environ | {"DATABASE_URL": url, "TIERDESK_DATABASE_POOL": "no"}
            command = [sys.executable, "-m", "tierdesk.ops.command", "migrate"]
            subprocess.run(command, cwd=ROOT, env=environ, check=True, stdout=subprocess.DEVNULL)
            with psycopg.connect(url.replace("@/tierdesk", "@/template1"), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {TEMPLATE} TEMPLATE tierdesk")
        finally:
            cluster.stop()
        made = Path(folder) / "made"
        made.mkdir(mode=0o700)
        _copy(cluster.home.path, made)
        with suppress(OSError):  # somebody else was as far
            made.rename(place)


def _work_place() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="tierdesk-migrating-")


def _copy(here: Path, there: Path) -> None:
    """With owners and modes: a cluster of root's is run by somebody else."""
    subprocess.run(["cp", "-a", f"{here}/.", str(there)], check=True)


def _key() -> str:
    """Of everything that the outcome depends on."""
    digest = hashlib.sha256()
    for file in _sources():
        digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def _sources() -> Iterator[Path]:
    yield from sorted(ROOT.glob("tierdesk/**/migrations/*.py"))
    yield from sorted(ROOT.glob("tierdesk/**/sql.py"))
    yield from sorted(ROOT.glob("tierdesk/core/*.py"))
    yield from sorted(ROOT.glob("tierdesk/ops/postgres/*.py"))
    yield ROOT / "tierdesk/config/settings.py"
    yield ROOT / "requirements.lock"
