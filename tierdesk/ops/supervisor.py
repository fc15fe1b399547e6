"""The process tree of `tierdesk serve`: the database, the web and the worker, started and stopped as one."""

from __future__ import annotations

import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import NoReturn, Self

from tierdesk.ops.leash import leashed
from tierdesk.ops.postgres import Cluster, UnableToStart

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
"""Seconds between a child's fall and its next start: doubled at each fall, up to this."""

STEADY_AFTER = 60.0
"""Seconds a child must live for its earlier falls to be forgotten."""

LAST_ANSWERS = 5
"""Seconds the web gets to finish what it is answering; live pages never finish by themselves."""

BETWEEN_KNOCKS = 0.2
"""Seconds between two tries whether the web answers already."""

Say = Callable[[str], None]


def say(line: str) -> None:
    print(f"tierdesk: {line}", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Child:
    """A program that is to run for as long as its supervisor."""

    name: str
    command: Sequence[str]
    grace: float = 10.0
    """Seconds from the request to leave (SIGTERM) to the kill."""


def serve_tree(
    *, home: Path, host: str, port: int, environ: Mapping[str, str], welcome: Callable[[], None] | None = None
) -> int:
    """Serve the desk at `host` and `port` until SIGTERM or SIGINT; the result is an exit status.

    `welcome` is called once, when the desk answers there. Without `DATABASE_URL` in `environ` the database is the
    embedded cluster of `home`, and the children get its URL. Call it from the main thread.
    """
    try:
        _refuse_a_taken_port(host, port)
    except OSError as taken:
        say(f"cannot listen on {host} port {port}: {taken.strerror}")
        return 1
    return run_tree(
        home=home,
        environ=environ,
        first=[sys.executable, "-m", "tierdesk.ops.command", "migrate"],
        children=[web(host, port), Child("worker", [sys.executable, "-m", "tierdesk.ops.command", "worker"])],
        door=Door(host, port, welcome) if welcome else None,
    )


def web(host: str, port: int) -> Child:
    server = [sys.executable, "-m", "tierdesk.config.server", "--host", host, "--port", str(port)]
    return Child("web", [*server, "--last-answers", str(LAST_ANSWERS)], grace=LAST_ANSWERS * 2)


def run_tree(
    *,
    home: Path,
    environ: Mapping[str, str],
    first: Sequence[str],
    children: Sequence[Child],
    door: Door | None = None,
) -> int:
    """Start the database, run `first` to its end, then keep `children` until told to leave; stop in reverse.

    The result is an exit status: that of `first` when it fails, 1 when the database cannot start, else 0.
    """
    with _leaving_when_told():
        try:
            with _database(home, environ) as environ_with_database:
                leash = leashed(first, on_death=signal.SIGTERM)
                failed = subprocess.run(leash, env=environ_with_database, check=False).returncode
                return failed or supervise(children, environ=environ_with_database, door=door)
        except UnableToStart as trouble:
            say(str(trouble))
            return 1


def supervise(
    children: Sequence[Child], *, environ: Mapping[str, str], say: Say = say, door: Door | None = None
) -> int:
    """Keep every child running until SIGTERM or SIGINT, then stop one after the other in the order given.

    A child that ends is started again, later each time it falls. A second signal ends the patience with those
    that take their time. Children are killed when the supervisor is. Call it from the main thread.
    """
    tended = [Tended(child, environ, say) for child in children]
    watched: list[Tended | Door] = [*tended, door] if door else [*tended]
    with Bell() as bell:
        while not bell.rung:
            now = time.monotonic()
            bell.wait(min((one.look(now) for one in watched), default=None))
        for one in tended:
            one.see_off(bell)
    return 0


def pause_after(falls: int) -> float:
    """Seconds to wait after that many falls in a row (1 or more)."""
    return min(FIRST_PAUSE * 2.0 ** min(falls - 1, 30), LONGEST_PAUSE)


@dataclass
class Tended:
    """One child under the eyes of its supervisor: the process it has at the moment, and its falls."""

    child: Child
    environ: Mapping[str, str]
    say: Say
    process: subprocess.Popen[bytes] | None = None
    falls: int = 0
    started: float = field(default=0.0, init=False)
    due: float = field(default=0.0, init=False)

    def look(self, now: float) -> float:
        """Take note of a fall and start what is due; the result is when to look again, in seconds."""
        if self.process and self.process.poll() is not None:
            self._note_fall(self.process.returncode, now)
        if not self.process and now >= self.due:
            self._start(now)
        return LONGEST_PAUSE if self.process else self.due - now

    def see_off(self, bell: Bell) -> None:
        """Ask the child to leave and wait until it has; kill it when its grace ends or the bell rings."""
        if not self.process:
            return
        rings = bell.rung
        deadline = time.monotonic() + self.child.grace
        self.process.terminate()
        while self.process.poll() is None:
            left = deadline - time.monotonic()
            if left <= 0 or bell.rung > rings:
                self.say(f"{self.child.name} does not leave: killed")
                self.process.kill()
                self.process.wait()
                return
            bell.wait(left)
        self.say(f"{self.child.name} has left")

    def _start(self, now: float) -> None:
        self.started = now
        try:
            self.process = subprocess.Popen(
                leashed(self.child.command, on_death=signal.SIGKILL),
                env=self.environ,
                start_new_session=True,  # Ctrl-C in a terminal is for us, and we stop them in order
            )
        except OSError as refusal:
            self._note_fall(refusal.strerror, now)
        else:
            self.say(f"{self.child.name} runs (process {self.process.pid})")

    def _note_fall(self, how: object, now: float) -> None:
        self.process = None
        self.falls = 1 if now - self.started >= STEADY_AFTER else self.falls + 1
        self.due = now + pause_after(self.falls)
        self.say(f"{self.child.name} ended ({how}); next start in {self.due - now:g} s")


@dataclass
class Door:
    """Where the desk is to answer: `welcome` is called as soon as somebody could come in."""

    host: str
    port: int
    welcome: Callable[[], None]
    is_open: bool = field(default=False, init=False)

    def look(self, now: float) -> float:
        """Try the handle until it opens; the result is when to look again, in seconds."""
        if not self.is_open and self._opens():
            self.is_open = True
            self.welcome()
        return LONGEST_PAUSE if self.is_open else BETWEEN_KNOCKS

    def _opens(self) -> bool:
        try:
            socket.create_connection((self.host, self.port), timeout=BETWEEN_KNOCKS).close()
        except OSError:
            return False
        return True


class Bell:
    """Waiting that ends at once when a signal arrives: SIGTERM and SIGINT ring, SIGCHLD only wakes.

    Signals reach it through a socket (signal.set_wakeup_fd), so that none is lost between a look and a wait.
    """

    RINGING = (signal.SIGTERM, signal.SIGINT)

    def __init__(self) -> None:
        self.rung = 0

    def __enter__(self) -> Self:
        self._ear, self._mouth = socket.socketpair()
        self._ear.setblocking(False)
        self._mouth.setblocking(False)
        self._wakeup_before = signal.set_wakeup_fd(self._mouth.fileno(), warn_on_full_buffer=False)
        heard = (*self.RINGING, signal.SIGCHLD)
        self._before = {number: signal.signal(number, _only_wake) for number in heard}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, action in self._before.items():
            signal.signal(number, action)
        signal.set_wakeup_fd(self._wakeup_before)
        self._ear.close()
        self._mouth.close()

    def wait(self, seconds: float | None) -> None:
        """Return after so many seconds, or earlier at any signal."""
        if select.select([self._ear], [], [], seconds)[0]:
            self.rung += sum(number in self.RINGING for number in self._ear.recv(4096))


def _only_wake(number: int, frame: FrameType | None) -> None:
    """The wake-up socket has heard it; a handler must exist for the signal's default not to end us."""


@contextmanager
def _leaving_when_told() -> Iterator[None]:
    """Turn SIGTERM and SIGINT into SystemExit: what was begun is undone before `supervise` listens, too."""

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in Bell.RINGING}
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)


@contextmanager
def _database(home: Path, environ: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """`environ` with a `DATABASE_URL`: its own, or that of the embedded cluster, which runs meanwhile."""
    if environ.get("DATABASE_URL"):
        yield environ
        return
    with Cluster(home) as cluster:
        yield {**environ, "DATABASE_URL": cluster.url}


def _refuse_a_taken_port(host: str, port: int) -> None:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
