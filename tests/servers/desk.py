"""A real desk for the tests: the whole tree of `tierdesk serve`, in a home of its own, with the named world in it.

Nothing here reaches into the processes: tests speak SMTP and HTTP to them, and look at the truth with SQL.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, LiteralString, Self

import httpx
import psycopg
from psycopg.rows import dict_row

from tests.migrated import lay
from tests.servers.families import DATABASE, WEB, WORKER, kill, pids_of
from tierdesk.ops.postgres import Cluster

ROOT = Path(__file__).parents[2]
PASSWORD = "a long evening in the machine room"
STARTS_WITHIN_S = 180.0
FIRST_PORT, SHARE, SHARES = 20_000, 1_000, 12

SERVE = "import sys; from tierdesk.ops.command import main; sys.exit(main())"

SERVE_WITHOUT_GRUDGE = f"from tierdesk.ops import supervisor; supervisor.STEADY_AFTER = 0.0; {SERVE}"
"""A child that falls is started again after the first pause, however often it has fallen."""


class Desk:
    """One running desk. Use it as a context manager; `relay_port` is where its mail goes, `more` other settings."""

    def __init__(
        self, *, relay_port: int = 0, program: str = SERVE, more: Mapping[str, str] | None = None
    ) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="desk-"))  # pytest's paths are too long for a socket
        self.port, self.smtp_port, self.lmtp_port = free_port(), free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database_url = Cluster(self.home / "postgres").url
        self.world: dict[str, Any] = {}
        self._program = program
        self.relay_port, self._more = relay_port, more or {}
        self._tree: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            lay(self.home / "postgres")
            self.rise()
            self.world = self.told("tests.servers.world")
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def token(self) -> str:
        """What Acme's Alertmanager shows at `/in/<token>`."""
        token: str = self.world["token"]
        return token

    @property
    def pid(self) -> int:
        assert self._tree is not None
        return self._tree.pid

    def stop(self) -> int | None:
        """Ask the tree to leave; the result is its exit status. The home is removed."""
        status = None
        if self._tree is not None:
            self._tree.send_signal(signal.SIGTERM)
            try:
                status = self._tree.wait(40)
            except subprocess.TimeoutExpired:
                self._tree.kill()
                self._tree.wait()
            self._tree = None
        shutil.rmtree(self.home, ignore_errors=True)
        return status

    def rows(self, query: LiteralString, *values: object) -> list[dict[str, Any]]:
        """What the database holds, as its owner sees it."""
        with psycopg.connect(self.database_url, autocommit=True, row_factory=dict_row) as connection:
            return connection.execute(query, values or None).fetchall()

    def change(self, statement: LiteralString, *values: object) -> None:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute(statement, values or None)

    def row_soon(self, query: LiteralString, *values: object, within_s: float = 20) -> dict[str, Any]:
        """The one row that `query` finds before long."""
        found: list[dict[str, Any]] = []

        def look() -> bool:
            found[:] = self.rows(query, *values)
            return bool(found)

        assert until(look, within_s=within_s), f"nothing in {within_s} s: {query} {values}\n{self.said()}"
        assert len(found) == 1, found
        return found[0]

    def told(self, module: str) -> dict[str, Any]:
        """What a program prints as JSON that runs once beside the desk, with the desk's settings."""
        environ = {**self._environ(), "DATABASE_URL": self.database_url}
        done = subprocess.run(
            [sys.executable, "-m", module], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def beside(self, program: str) -> subprocess.Popen[bytes]:
        """A process of its own beside the tree, with the desk's settings; whoever starts it ends it."""
        environ = {
            **self._environ(),
            "DATABASE_URL": self.database_url,
            "DJANGO_SETTINGS_MODULE": "tierdesk.config.settings",
        }
        return subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, env=environ)

    def obey(self, command: str, file: str) -> None:
        """What an operator does beside the running desk: `tierdesk COMMAND FILE`."""
        path = self.home / "given.yaml"
        path.write_text(file)
        environ = {**self._environ(), "DATABASE_URL": self.database_url}
        words = [sys.executable, "-m", "tierdesk.ops.command", command, str(path)]
        done = subprocess.run(words, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def said(self, lines: int = 40) -> str:
        """The last that the tree wrote to its log."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def signed_in(self, email: str) -> httpx.Client:
        """A browser of somebody who went through the sign-in form."""
        browser = httpx.Client(base_url=self.url, timeout=10, headers={"Origin": self.url})
        assert browser.get("/sign-in/").status_code == 200
        answer = browser.post(
            "/sign-in/",
            data={
                "username": email,
                "password": PASSWORD,
                "csrfmiddlewaretoken": browser.cookies["csrftoken"],
            },
        )
        assert answer.status_code == 302, answer.text
        return browser

    @property
    def _log(self) -> Path:
        return self.home / "tree.log"

    def fall(self, meanwhile: Callable[[], None]) -> None:
        """Kill everything at once, the database last; `meanwhile` is done to it when nobody else lives any more."""
        assert self._tree is not None
        self._tree.send_signal(signal.SIGSTOP)  # so that nothing is brought up again
        for part in (WEB, WORKER):
            assert kill(self.pid, part)
        assert until(lambda: not {WEB, WORKER} & set(pids_of(self.pid)))
        meanwhile()
        assert kill(self.pid, DATABASE)
        self._tree.kill()
        self._tree.wait()

    def rise(self) -> None:
        """Start it, as it lies in its home."""
        with self._log.open("ab") as log:
            self._tree = subprocess.Popen(
                [sys.executable, "-c", self._program, "serve", "--port", str(self.port)],
                cwd=ROOT,
                env=self._environ(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        assert until(self.is_up, within_s=STARTS_WITHIN_S), f"the desk did not come up:\n{self.said()}"

    def is_up(self) -> bool:
        """Whether both doors are open: the web answers, and the mail listener greets."""
        assert self._tree is not None
        assert self._tree.poll() is None, f"the tree ended:\n{self.said()}"
        try:
            with socket.create_connection(("127.0.0.1", self.smtp_port), timeout=2) as mail:
                greeted = mail.recv(3) == b"220"
            return greeted and httpx.get(f"{self.url}/sign-in/", timeout=5, verify=False).status_code == 200
        except (OSError, httpx.HTTPError):
            return False

    def _environ(self) -> Mapping[str, str]:
        """Only what the desk is meant to see: none of the settings of the test's own process."""
        own = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        relay = (
            {"TIERDESK_SMTP_RELAY_HOST": "127.0.0.1", "TIERDESK_SMTP_RELAY_PORT": str(self.relay_port)}
            if self.relay_port
            else {}
        )
        return {
            **own,
            **relay,
            "TIERDESK_HOME": str(self.home),
            "TIERDESK_URL": self.url,
            "TIERDESK_SMTP_LISTEN_PORT": str(self.smtp_port),
            "TIERDESK_LMTP_LISTEN_PORT": str(self.lmtp_port),
            "TIERDESK_MAIL_DOMAIN": "desk.example",
            "PYTHONUNBUFFERED": "1",
            **self._more,
        }


def until(fulfilled: Callable[[], object], *, within_s: float = 20, pause_s: float = 0.1) -> bool:
    """Whether it came true in time."""
    deadline = time.monotonic() + within_s
    while not fulfilled():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause_s)
    return True


def free_port() -> int:
    """A port that was free a moment ago, for TCP and for UDP.

    Of this process's own share, below those that the kernel hands out: so neither another process of the tests nor
    somebody's outgoing line takes it before it is used.
    """
    return next(port for port in _ports() if _is_free(port))


@cache
def _ports() -> Iterator[int]:
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % SHARES
    share = range(FIRST_PORT + number * SHARE, FIRST_PORT + (number + 1) * SHARE)
    begin = os.getpid() % SHARE  # another run on this machine begins elsewhere
    return itertools.cycle([*share[begin:], *share[:begin]])


def _is_free(port: int) -> bool:
    try:
        with socket.create_server(("127.0.0.1", port)), socket.socket(type=socket.SOCK_DGRAM) as wire:
            wire.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True
