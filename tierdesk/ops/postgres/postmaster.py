"""One running `postgres`: how it is made, started, recognised and asked to leave."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tierdesk.ops.leash import leashed, needs_another_name
from tierdesk.ops.postgres.binaries import Binaries
from tierdesk.ops.postgres.home import PORT, SOCKET, Home, UnableToStart

NAME = "tierdesk"
"""The database, and the role that owns it."""

FOR_A_DESK: Mapping[str, str] = {
    "shared_buffers": "128MB",
    "max_connections": "100",
    "synchronous_commit": "on",
    "jit": "off",  # plans of milliseconds: compiling them costs more than it saves
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A week of logs that overwrite themselves, so that an untended desk never fills its disk with them.
    "logging_collector": "on",
    "log_filename": "postgres-%a.log",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
}

ORPHANS_REMAIN = "pre-existing shared memory block"
"""What PostgreSQL says while back ends of a killed postmaster still finish; they leave by themselves."""


def create_cluster(home: Home, binaries: Binaries) -> None:
    """Make the cluster with its database. It appears whole or not at all, whatever interrupts this.

    Raises `UnableToStart` with what `initdb` said.
    """
    for debris in home.path.glob("pg*.tmp-*"):
        shutil.rmtree(debris, ignore_errors=True)
    unfinished = home.path / f"{home.data.name}.tmp-{secrets.token_hex(4)}"
    try:
        _run([binaries.tool("initdb"), "--pgdata", str(unfinished), *_initdb_options(binaries.major)])
        alone = ["--single", "-D", str(unfinished), "-c", "exit_on_error=on", "postgres"]
        _run([binaries.tool("postgres"), *alone], said=f"create database {NAME}\n")
        unfinished.replace(home.data)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    _make_durable(home.path)


def _initdb_options(major: int) -> list[str]:
    # Password-less, since only the owner of the home can reach the socket.
    options = ["--username", NAME, "--auth-local=trust", "--auth-host=reject"]
    options += ["--encoding=UTF8", "--locale=C.UTF-8"]
    if major >= 17:
        # PostgreSQL's own C.UTF-8 outlives changes of libc and serves LIKE 'x%' from a plain index.
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return options


def _run(command: list[str], said: str = "") -> None:
    leash = leashed(command, on_death=signal.SIGKILL, as_nobody=needs_another_name())
    ended = subprocess.run(leash, input=said, env=_environ(), capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise UnableToStart(f"{Path(command[0]).name} failed.\n{(ended.stderr or ended.stdout).strip()}")


def _make_durable(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _environ() -> dict[str, str]:
    """What PostgreSQL needs of our environment and no more: it is no reader of the desk's secrets."""
    wanted = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
    return wanted | {"LC_ALL": "C.UTF-8"}


@dataclass(frozen=True)
class Sign:
    """What a postmaster says of itself in `postmaster.pid` (PostgreSQL's miscadmin.h, LOCK_FILE_LINE_*)."""

    pid: int
    status: str

    @classmethod
    def read(cls, data: Path) -> Sign | None:
        """The sign of the process that serves `data` now; None when there is none, or one left behind."""
        try:
            lines = (data / "postmaster.pid").read_text().splitlines()
            sign = cls(pid=int(lines[0]), status=lines[7].strip() if len(lines) > 7 else "")
        except (OSError, ValueError, IndexError):
            return None
        return sign if _serves(sign.pid, data) else None

    @property
    def is_ready(self) -> bool:
        return self.status == "ready"


def _serves(pid: int, data: Path) -> bool:
    """Whether `pid` is a postmaster of `data` and no stranger that got the number later (nor a zombie)."""
    if sys.platform == "linux":
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return words[0].rpartition(b"/")[2] == b"postgres" and os.fsencode(data) in words
    ps = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
    said = subprocess.run(ps, capture_output=True, text=True, check=False).stdout
    return "postgres" in said and str(data) in said


class Postmaster:
    """A postmaster that is our child."""

    def __init__(self, home: Home, binaries: Binaries, settings: Mapping[str, str]) -> None:
        """Start it and return at once. Only for the owner of the home, once the predecessor has gone."""
        self._home = home
        sockets = home.furnish()
        for left_behind in (home.data / "postmaster.pid", sockets / f"{SOCKET}.lock"):
            _adopt(left_behind)
        with self._complaints.open("wb") as complaints:
            self._child = subprocess.Popen(
                leashed(
                    [binaries.tool("postgres"), *_arguments(home, sockets, settings)],
                    on_death=signal.SIGINT,
                    as_nobody=needs_another_name(),
                ),
                stdin=subprocess.DEVNULL,
                stdout=complaints,
                stderr=complaints,
                env=_environ(),
                start_new_session=True,  # Ctrl-C in a terminal is for us; we stop the database last
            )

    @property
    def is_ready(self) -> bool:
        sign = Sign.read(self._home.data)
        return sign is not None and sign.pid == self._child.pid and sign.is_ready

    @property
    def has_ended(self) -> bool:
        return self._child.poll() is not None

    def wait(self) -> None:
        self._child.wait()

    def leave(self, *, at_once: bool = False) -> None:
        """Ask for a fast shutdown, which cuts off clients; `at_once` leaves the rest to recovery."""
        self._child.send_signal(signal.SIGQUIT if at_once else signal.SIGINT)

    def last_words(self) -> str:
        """What it complained about since it was started, for people."""
        since = self._complaints.stat().st_mtime
        logs = [log for log in self._home.log.glob("postgres-*.log") if log.stat().st_mtime >= since]
        said = "".join(log.read_text(errors="replace") for log in (self._complaints, *logs))
        return "\n".join(said.splitlines()[-20:])

    @property
    def _complaints(self) -> Path:
        return self._home.log / "start.log"


def _arguments(home: Home, sockets: Path, settings: Mapping[str, str]) -> list[str]:
    bound = {
        "listen_addresses": "",  # the wheel has no TLS, so never TCP
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
        "log_directory": str(home.log),
    }
    pairs = {**FOR_A_DESK, **settings, **bound}
    return ["-D", str(home.data), "-p", str(PORT), *(f"--{name}={value}" for name, value in pairs.items())]


def _adopt(lock_file: Path) -> None:
    """Write our own pid into a lock file that was left behind.

    PostgreSQL refuses to start while the pid in it lives, and that may be anyone by now. It ignores its own
    parent's (CreateLockFile in miscinit.c); what else the file says it still checks, such as whether a back
    end of the old postmaster is at work in the shared memory named there.
    """
    try:
        _, *rest = lock_file.read_text().split("\n")
    except FileNotFoundError:
        return
    replacement = lock_file.with_name(f"{lock_file.name}.adopted")
    replacement.write_text("\n".join([str(os.getpid()), *rest]))
    replacement.replace(lock_file)
