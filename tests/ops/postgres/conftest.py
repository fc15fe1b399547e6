"""Homes for embedded clusters, and desks that open on them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ops.postgres.desks import PROGRAM, Desk, OpenDesk, until
from tierdesk.ops.postgres import Cluster, find_binaries
from tierdesk.ops.postgres.home import Home
from tierdesk.ops.postgres.postmaster import Sign, create_cluster

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def open_desk() -> Iterator[OpenDesk]:
    desks: list[Desk] = []

    def open_desk(home: Path, *before: str) -> Desk:
        command = [*before, sys.executable, "-c", PROGRAM, str(home)]
        environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        desks.append(Desk(subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)))
        return desks[-1]

    yield open_desk
    for desk in desks:
        desk.process.kill()
        desk.process.communicate()


@pytest.fixture
def empty_home() -> Iterator[Home]:
    """A home that no cluster has been in."""
    with temporary_home() as home:
        yield home
        assert is_abandoned(home)


@pytest.fixture(scope="module")
def made_once() -> Iterator[Home]:
    with temporary_home() as home:
        create_cluster(home, find_binaries())
        yield home


@pytest.fixture
def home(made_once: Home) -> Iterator[Home]:
    """A home with a cluster that nobody serves; the tests of a module move in one after the other."""
    yield made_once
    assert is_abandoned(made_once)


@pytest.fixture
def cluster(home: Home) -> Iterator[Cluster]:
    cluster = Cluster(home.path)
    yield cluster
    cluster.stop()


@contextmanager
def temporary_home() -> Iterator[Home]:
    """A short path, since those that pytest makes are too long for a socket."""
    with tempfile.TemporaryDirectory(prefix="desk-", ignore_cleanup_errors=True) as directory:
        yield Home(Path(directory).resolve(), find_binaries().major)


def is_abandoned(home: Home) -> bool:
    return until(lambda: Sign.read(home.data) is None)
