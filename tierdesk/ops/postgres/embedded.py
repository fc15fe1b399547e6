"""A PostgreSQL that starts with the desk, survives what happens to it, and never outlives the desk."""

from __future__ import annotations

import atexit
import os
import signal
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from tierdesk.ops.postgres.binaries import Binaries, find_binaries
from tierdesk.ops.postgres.home import LOCK, PORT, Home, Lock, UnableToStart
from tierdesk.ops.postgres.postmaster import NAME, ORPHANS_REMAIN, Postmaster, Sign, create_cluster

GLANCE = 0.02
"""Seconds between two looks while something is about to happen; a look reads one small file."""

WATCH = 0.25
"""Seconds between two looks of a follower at a cluster that is up."""

LONGEST_PAUSE = 1.0
"""Seconds at most between two attempts to bring a fallen postmaster up again."""


class Cluster:
    """The PostgreSQL of one home directory, shared by every process that starts a `Cluster` on it.

    The first process to hold the home's lock owns the postmaster and restarts it when it falls. The others
    follow: they connect, and the first of them takes over when the owner goes. Connections are cut at that
    moment, so what starts a cluster should be what runs longest.
    """

    def __init__(
        self, home: Path, *, settings: Mapping[str, str] | None = None, binaries: Binaries | None = None
    ) -> None:
        """`settings` are server parameters beyond those of a desk, such as `{"fsync": "off"}` for tests.

        `binaries` are those of another PostgreSQL than the one that `find_binaries` finds.
        """
        self._binaries = binaries or find_binaries()
        self.home = Home(home.resolve(), self._binaries.major)
        self._settings = settings or {}
        self._leaving = threading.Event()
        self._changed = threading.Condition()
        self._up = False
        self._was_up = False
        self._failure: UnableToStart | None = None
        self._keeper: threading.Thread | None = None
        self._postmaster: Postmaster | None = None

    @property
    def url(self) -> str:
        """A libpq URL. The socket's directory is a parameter: host names lose their capitals on the way."""
        host = quote(str(self.home.socket_directory()), safe="")
        return f"postgresql://{NAME}@/{NAME}?host={host}&port={PORT}"

    @property
    def running(self) -> bool:
        """Whether it accepted connections when last looked at."""
        return self._up

    def start(self) -> str:
        """Wait until the cluster accepts connections, however long its recovery takes, and return its URL.

        Raises `UnableToStart` when it cannot come up.
        """
        if self._keeper is None:
            self._leaving.clear()
            self._was_up, self._failure = False, None
            self._keeper = threading.Thread(target=self._keep, name=f"postgres {self.home.path}", daemon=True)
            self._keeper.start()
            atexit.register(self.stop)
        with self._changed:
            self._changed.wait_for(lambda: self._up or self._failure)
            failure = self._failure
        if failure:
            self.stop()
            raise failure
        return self.url

    def stop(self, *, patience: float = 60.0) -> None:
        """Shut down if we own the postmaster; a follower only stops following.

        After `patience` seconds the shutdown is an immediate one, and the next start recovers from the log.
        """
        if self._keeper is None:
            return
        self._leaving.set()
        deadline = time.monotonic() + patience
        while self._keeper.is_alive():
            if self._postmaster:
                self._postmaster.leave(at_once=time.monotonic() > deadline)
            self._keeper.join(WATCH)
        self._keeper = None
        atexit.unregister(self.stop)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # Everything below runs in the keeper's thread, which starts every child: PostgreSQL is told to leave when
    # the thread that started it ends.

    def _keep(self) -> None:
        failure = UnableToStart("The cluster is no longer kept.")
        try:
            self.home.furnish()
            lock = Lock(self.home.path / LOCK)
            try:
                while not self._leaving.is_set():
                    if lock.take():
                        self._own()
                    else:
                        self._follow()
            finally:
                lock.close()
        except UnableToStart as trouble:
            failure = trouble
        except OSError as trouble:
            failure = UnableToStart(f"The embedded PostgreSQL cannot start: {trouble}")
        finally:
            self._say(up=False, failure=failure)

    def _follow(self) -> None:
        sign = Sign.read(self.home.data)
        up = sign is not None and sign.is_ready
        self._say(up=up)
        self._leaving.wait(WATCH if up else GLANCE)

    def _own(self) -> None:
        pause = GLANCE
        while not self._leaving.is_set():
            try:
                self._postmaster = self._bring_up()
            except (UnableToStart, OSError) as trouble:
                if not self._was_up and ORPHANS_REMAIN not in str(trouble):
                    raise
                self._leaving.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            pause = GLANCE
            self._say(up=True)
            self._postmaster.wait()
            self._say(up=False)

    def _bring_up(self) -> Postmaster:
        """A postmaster that is ready, or was told to leave meanwhile."""
        self._see_the_predecessor_off()
        if not self.home.data.exists():
            create_cluster(self.home, self._binaries)
        postmaster = Postmaster(self.home, self._binaries, self._settings)
        while not postmaster.is_ready:
            if postmaster.has_ended:
                raise UnableToStart(f"PostgreSQL ended while it started.\n{postmaster.last_words()}")
            if self._leaving.wait(GLANCE):
                postmaster.leave()
                break
        return postmaster

    def _see_the_predecessor_off(self) -> None:
        """Wait for the postmaster of an owner that was killed while it writes its last pages."""
        while (sign := Sign.read(self.home.data)) and not self._leaving.is_set():
            with suppress(ProcessLookupError):  # it went since we looked
                os.kill(sign.pid, signal.SIGINT)
            self._leaving.wait(GLANCE)

    def _say(self, *, up: bool, failure: UnableToStart | None = None) -> None:
        with self._changed:
            self._up, self._was_up, self._failure = up, self._was_up or up, failure
            self._changed.notify_all()
