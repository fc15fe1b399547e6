"""The directory that belongs to one embedded cluster: who owns it, and what lies where."""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

LOCK = "lock"
PORT = 5432
SOCKET = f".s.PGSQL.{PORT}"
LONGEST_SOCKET_PATH = 103
"""Bytes of `sun_path` before the closing NUL on the strictest system we meet (macOS; Linux has 107)."""


BETWEEN_LOOKS = 0.1
"""Seconds between two looks whether a home is free."""


class UnableToStart(RuntimeError):
    """The embedded PostgreSQL cannot come up; the text says why and what to do."""


@dataclass(frozen=True)
class Home:
    path: Path
    major: int
    """Version of PostgreSQL; the cluster's directory carries it, since no major reads another's files."""

    @property
    def data(self) -> Path:
        return self.path / f"pg{self.major}"

    @property
    def log(self) -> Path:
        return self.path / "log"

    def furnish(self) -> Path:
        """Make the directories that must exist and return the private one of the socket.

        Raises `UnableToStart` when the home is someone else's or holds a cluster of another major version.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._refuse_a_strangers_home()
        self._refuse_another_major()
        self.log.mkdir(mode=0o700, exist_ok=True)
        return _private(self.socket_directory())

    def socket_directory(self) -> Path:
        """`run` in the home; a short name elsewhere when the home lies too deep for the address of a socket.

        The same for every process of this user, whatever its environment: owner and followers must agree.
        """
        inside = self.path / "run"
        if len(os.fsencode(inside / SOCKET)) <= LONGEST_SOCKET_PATH:
            return inside
        name = f"tierdesk-{os.geteuid()}-{hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]}"
        return Path("/tmp") / name  # noqa: S108 - private and checked by `_private`

    def _refuse_a_strangers_home(self) -> None:
        owner = self.path.stat().st_uid
        if owner != os.geteuid():
            raise UnableToStart(
                f"{self.path} belongs to user id {owner}, and this is user id {os.geteuid()}: "
                "run Tierdesk as its owner."
            )

    def _refuse_another_major(self) -> None:
        others = [found for found in self.path.glob("pg[0-9]*") if found.name.removeprefix("pg").isdecimal()]
        if others and not self.data.exists():
            raise UnableToStart(
                f"{others[0]} was written by another PostgreSQL than the {self.major} that is installed. "
                "Dump it with the old version and restore it into a new home."
            )


def wait_until_free(home: Path, *, patience: float, say: Callable[[str], None]) -> None:
    """Return when no process owns the cluster of `home`; `say` is told once who does, if one does.

    For whoever must not follow another process, whose end would cut the connections. Raises `UnableToStart` when
    `patience` seconds were not enough.
    """
    deadline = time.monotonic() + patience
    waited = False
    while holder := _holder(home / LOCK):
        if time.monotonic() > deadline:
            raise UnableToStart(
                f"{holder} has still not left {home}: it is at work there, or takes its time to stop. "
                "Stop it, or start this one in another home (TIERDESK_HOME)."
            )
        if not waited:
            say(f"{holder} has {home}; waiting up to {patience:g} s until it has stopped …")
            waited = True
        time.sleep(BETWEEN_LOOKS)


def _holder(lock: Path) -> str:
    """Who holds it, in words; empty if nobody does."""
    if not lock.exists():
        return ""
    probe = Lock(lock)
    try:
        if probe.take():
            return ""
    finally:
        probe.close()
    said = lock.read_text().strip()
    return f"process {said}" if said.isdecimal() else "another process"


class Lock:
    """The right to own a home: one open `Lock` of all processes holds it; the kernel gives it back.

    Whoever has it wrote its process number into it, for people who ask.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take(self) -> bool:
        """Whether it is ours now; never waits."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)
        return True

    def close(self) -> None:
        os.close(self._descriptor)


def _private(directory: Path) -> Path:
    """`directory`, made 0700; in a place that all may write to a stranger could have made it before us."""
    directory.mkdir(mode=0o700, exist_ok=True)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise UnableToStart(f"{directory} is not a directory of user id {os.geteuid()}: remove it.")
    directory.chmod(0o700)
    return directory
