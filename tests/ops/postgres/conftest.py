"""Homes for embedded clusters, and desks (processes of their own) that use them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tierdesk.ops.postgres import Cluster, find_binaries
from tierdesk.ops.postgres.home import Home
from tierdesk.ops.postgres.postmaster import Sign, create_cluster

REPOSITORY = Path(__file__).parents[3]

DESK = """
import sys, time
from pathlib import Path
from tierdesk.ops.postgres import Cluster
print(Cluster(Path(sys.argv[1])).start(), flush=True)
time.sleep(600)
"""


@dataclass
class Desk:
    """A process that started the cluster of a home and does nothing more."""

    process: subprocess.Popen[str]

    def url(self) -> str:
        assert self.process.stdout
        url = self.process.stdout.readline().strip()
        assert url, "the desk ended before its database was up"
        return url


OpenDesk = Callable[..., Desk]


@pytest.fixture
def open_desk() -> Iterator[OpenDesk]:
    desks: list[Desk] = []

    def open_desk(home: Path, *before: str) -> Desk:
        command = [*before, sys.executable, "-c", DESK, str(home)]
        environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        desks.append(Desk(subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)))
        return desks[-1]

    yield open_desk
    for desk in desks:
        desk.process.kill()
        desk.process.communicate()


@pytest.fixture
def empty_home() -> Iterator[Home]:
    """A home that no cluster has been in; a short path, since pytest's are too long for a socket."""
    with tempfile.TemporaryDirectory(prefix="desk-", ignore_cleanup_errors=True) as directory:
        home = Home(Path(directory).resolve(), find_binaries().major)
        yield home
        assert until(lambda: Sign.read(home.data) is None), "a postmaster outlived its test"


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = Home(tmp_path_factory.mktemp("made"), find_binaries().major)
    create_cluster(home, find_binaries())
    return home.data


@pytest.fixture
def home(empty_home: Home, made_once: Path) -> Home:
    """A home with a cluster that was shut down cleanly."""
    shutil.copytree(made_once, empty_home.data)
    empty_home.data.chmod(0o700)
    return empty_home


@pytest.fixture
def cluster(home: Home) -> Iterator[Cluster]:
    cluster = Cluster(home.path)
    yield cluster
    cluster.stop()


def until(truth: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Whether it became true in time."""
    deadline = time.monotonic() + seconds
    while not truth():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
