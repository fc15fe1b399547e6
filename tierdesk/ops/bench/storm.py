"""An alarm storm through the real server and worker: what is taken in, what people see of it, and that nothing is lost.

Fifty sources with 2,000 keys send repeats (90 %), clears (9 %) and new troubles (1 %); a tenth of the requests come
twice and late, as pairs of Alertmanagers send them. Meanwhile somebody reads a queue, and mails come in.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import orjson
from django.conf import settings
from django.utils.crypto import get_random_string

from tierdesk.channels.alarms.models import Alarm, Source
from tierdesk.channels.models import Inbound, InboundState
from tierdesk.core import clock
from tierdesk.directory.clients.models import Client
from tierdesk.tickets.models import Ticket

SOURCES, KEYS = 50, 2_000
BATCH = 100
SENDERS_OF_BATCHES, SENDERS_OF_SINGLES = 8, 400
SENT_TWICE = 0.1
COMES_UP_WITHIN_S = 60.0
WARM_UP_S = 5.0
CALM_WITHIN_S = 300.0

type Request = tuple[str, bytes]


@dataclass
class Storm:
    """What the senders say, in order. The same seed says the same."""

    tokens: Sequence[str]
    chance: random.Random = field(default_factory=lambda: random.Random(20261128))  # noqa: S311
    _since: dict[int, str] = field(default_factory=dict)

    def requests(self, events: int, *, at_once: int) -> list[Request]:
        """Requests with so many events in all; some of them come again, later, in another order."""
        told = [self._request(at_once) for _ in range(events // at_once)]
        again = self.chance.sample(told, int(len(told) * SENT_TWICE))
        return told + again

    def marked(self, number: int) -> Request:
        """One trouble that is like no other, to be found again."""
        alert = self._alert("firing", f"marked-{number}", clock.now().isoformat(), "Marked")
        return self.tokens[number % SOURCES], orjson.dumps({"alerts": [alert]})

    def _request(self, at_once: int) -> Request:
        source = self.chance.randrange(SOURCES)
        alerts = [self._event(source) for _ in range(at_once)]
        return self.tokens[source], orjson.dumps({"alerts": alerts})

    def _event(self, source: int) -> dict[str, Any]:
        key = source + SOURCES * self.chance.randrange(KEYS // SOURCES)
        kind = self.chance.random()
        if kind < 0.01 or key not in self._since:
            self._since[key] = clock.now().isoformat()
        status = "resolved" if 0.01 <= kind < 0.1 else "firing"
        return self._alert(status, f"{key:016x}", self._since[key], f"Class{key % 7}")

    def _alert(self, status: str, key: str, since: str, name: str) -> dict[str, Any]:
        ended = {"endsAt": clock.now().isoformat()} if status == "resolved" else {}
        labels = {"alertname": name, "instance": f"host{key}", "site": "oslo", "severity": "warning"}
        words = {"summary": f"{name} on host{key}"}
        return {
            "status": status,
            "labels": labels,
            "annotations": words,
            "startsAt": since,
            "fingerprint": key,
        } | ended


@dataclass
class Server:
    """The web process and the worker of a desk, as `tierdesk serve` starts them."""

    port: int
    log: Path
    web: subprocess.Popen[bytes] | None = None
    worker: subprocess.Popen[bytes] | None = None

    def start_web(self) -> None:
        self.web = self._start(["tierdesk.config.server", "--port", str(self.port)])
        until = time.monotonic() + COMES_UP_WITHIN_S
        while not self._answers():
            if time.monotonic() > until or self.web.poll() is not None:
                raise RuntimeError(f"the server does not come up:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.1)

    def start_worker(self) -> None:
        self.worker = self._start(["tierdesk.ops.command", "worker"])

    @contextmanager
    def worker_standing_still(self) -> Iterator[None]:
        assert self.worker is not None
        stopped = [self.worker.pid, *_children(self.worker.pid)]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)

    def megabytes(self) -> dict[str, float]:
        return {
            name: sum(map(_resident, [process.pid, *_children(process.pid)]))
            for name, process in (("web", self.web), ("worker", self.worker))
            if process
        }

    def processor_seconds(self) -> dict[str, float]:
        """What each part used so far, and this benchmark itself, which sends."""
        pidfile = next(Path(os.environ["TIERDESK_HOME"]).glob("postgres/*/postmaster.pid"))
        postmaster = int(pidfile.read_text().split()[0])
        database = sum(map(_seconds, [postmaster, *_children(postmaster)]))
        used = {"database": database, "sending": time.process_time()}
        for name, process in (("web", self.web), ("worker", self.worker)):
            if process is not None:
                used[name] = sum(map(_seconds, [process.pid, *_children(process.pid)]))
        return used

    def stop(self) -> None:
        for process in (self.web, self.worker):
            if process is not None:
                process.terminate()
                process.wait(30)

    def _start(self, module: list[str]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen([sys.executable, "-m", *module], stdout=log, stderr=log)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


@contextmanager
def serving() -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    server = Server(port, Path(os.environ["TIERDESK_HOME"]) / "storm.log")
    try:
        server.start_web()
        server.start_worker()
        time.sleep(WARM_UP_S)
        yield server
    finally:
        server.stop()


def make_sources(clients: Sequence[Client]) -> list[str]:
    """Fifty sources; their tokens."""
    tokens = []
    for number in range(SOURCES):
        source = Source(client=clients[0], key=f"storm{number}", name=f"Storm {number}", shape="alertmanager")
        tokens.append(source.take_new_token())
        source.save()
    return tokens


async def send(port: int, requests: Sequence[Request], *, senders: int) -> list[Request]:
    """Send them all over so many connections, each until it is taken; returns them as they were acknowledged."""
    left, taken = iter(requests), list[Request]()
    lines = [Sender(port, left, taken) for _ in range(senders)]
    for line in lines:
        line.connect()
    await asyncio.gather(*(line.done for line in lines))
    return taken


class Sender(asyncio.Protocol):
    """One connection that sends what is left, one request after the other, and begins anew when it breaks.

    It is a bare protocol, so that the desk has the machine for itself as far as that can be.
    """

    def __init__(self, port: int, left: Iterator[Request], taken: list[Request]) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._port, self._left, self._taken = port, left, taken
        self._line: asyncio.Transport | None = None
        self._request: Request | None = None
        self._answer = b""
        self._known = b""
        self._connecting: asyncio.Task[None] | None = None

    def connect(self) -> None:
        self._connecting = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        while True:
            try:
                await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", self._port)
                return
            except OSError:
                await asyncio.sleep(0.1)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._line = cast("asyncio.Transport", transport)
        self._answer = b""
        if self._request is None:
            self._send_next()
        else:
            self._send()

    def data_received(self, data: bytes) -> None:
        """Answers of one second are alike: only a new one is read."""
        if data == self._known and not self._answer:
            self._taken.append(cast("Request", self._request))
            self._send_next()
            return
        self._answer += data
        head, found, body = self._answer.partition(b"\r\n\r\n")
        if not found or len(body) < int(head.lower().partition(b"content-length:")[2].split(b"\r", 1)[0]):
            return
        status, said, self._answer = int(head.split(b" ", 2)[1]), self._answer, b""
        if status == 202:
            self._known = said
            self._taken.append(cast("Request", self._request))
            self._send_next()
        elif status in (429, 503):
            asyncio.get_running_loop().call_later(0.1, self._send)
        elif not self.done.done():
            self.done.set_exception(RuntimeError(f"an alarm was refused with {status}"))

    def connection_lost(self, why: Exception | None) -> None:
        self._line = None
        if not self.done.done():
            self.connect()

    def _send_next(self) -> None:
        self._request = next(self._left, None)
        if self._request is not None:
            self._send()
            return
        if not self.done.done():
            self.done.set_result(None)
        if self._line is not None:
            self._line.close()

    def _send(self) -> None:
        if self._line is None or self._request is None:
            return
        token, body = self._request
        self._line.write(
            b"POST /in/%b HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            % (token.encode(), len(body), body)
        )


async def read_meanwhile(port: int, cookie: str, stop: asyncio.Event) -> list[float]:
    """How many milliseconds the queue took, asked again and again until `stop`."""
    took = []
    while not stop.is_set():
        began = time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            f"GET /queues/all/ HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n".encode()
        )
        answer = await reader.read(-1)
        writer.close()
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"the queue answered {answer[:80]!r}")
        took.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(0.2)
    return took


def mail_meanwhile(number: int, sender: str) -> float:
    """How many seconds a mail waits until it is understood."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, "support@desk.example", f"In the storm {number}"
    mail["Message-ID"] = f"<storm-{number}@bench.example>"
    mail.set_content("The printer does not print.")
    began = time.perf_counter()
    pk, _ = Inbound.store("email", mail.as_bytes())
    while Inbound.objects.filter(pk=pk, state=InboundState.NEW).exists():
        if time.perf_counter() - began > CALM_WITHIN_S:
            raise RuntimeError("a mail is never understood")
        time.sleep(0.05)
    return time.perf_counter() - began


def ask_meanwhile(port: int, cookie: str, number: int) -> float:
    """How many seconds somebody waits in the portal between sending a request and its receipt, with its number."""
    token = get_random_string(32)
    form = {
        "subject": f"In the storm {number}",
        "text": "The printer does not print.",
        "urgency": "2",
        "service": "",
    }
    headers = {
        "Cookie": f"{cookie}; {settings.CSRF_COOKIE_NAME}={token}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    body = urlencode(form | {"key": str(uuid.uuid4()), "csrfmiddlewaretoken": token})
    began = time.perf_counter()
    line = HTTPConnection("127.0.0.1", port, timeout=60)
    line.request("POST", "/portal/new/", body, headers)
    answer = line.getresponse()
    if answer.status != 302:
        raise RuntimeError(f"the portal answered {answer.status}")
    took = time.perf_counter() - began
    line.close()
    return took


def come_to_rest() -> float:
    """Wait until every alarm was looked at; how many seconds that took."""
    began = time.perf_counter()
    while Alarm.objects.unseen().exists():
        if time.perf_counter() - began > CALM_WITHIN_S:
            raise RuntimeError(f"{Alarm.objects.unseen().count()} alarms are never looked at")
        time.sleep(0.2)
    return time.perf_counter() - began


def lost(marked: int) -> int:
    """Of so many acknowledged troubles that are like no other, how many are not there."""
    return marked - Alarm.objects.filter(key__startswith="marked-").count()


def tickets_to_see() -> int:
    recent = clock.now() - timedelta(days=1)
    return Ticket.objects.unresolved().filter(channel="alarms", created_at__gt=recent).count()


def median(values: Sequence[float]) -> float:
    return statistics.median(values) if values else float("nan")


def _seconds(pid: int) -> float:
    """Processor time of a process and of the children that it waited for."""
    return sum(map(int, _stat(pid)[11:15])) / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[int]:
    processes = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]
    return [process for process in processes if int((_stat(process) or ["", "0"])[1]) == pid]


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat behind the name, which may hold anything; none if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return []


def _resident(pid: int) -> float:
    """What a process shares with others counts in parts: an engine that was forked shares most."""
    shares = Path(f"/proc/{pid}/smaps_rollup").read_text()
    [line] = [line for line in shares.splitlines() if line.startswith("Pss:")]
    return int(line.split()[1]) / 1024
