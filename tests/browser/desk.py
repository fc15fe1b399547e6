"""A desk that really runs: web and worker as processes over a database of their own."""

from __future__ import annotations

import json
import os
import smtplib
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg

from tests.database import FROM, fresh_database
from tests.exchange import TOKEN
from tests.servers.desk import free_port

NAME = "tierdesk_browser"
SECONDS_TO_START = 60
PYTHON = sys.executable


@dataclass(frozen=True)
class Desk:
    """Where the desk is, and what lies on it (tests/browser/scene.py)."""

    address: str
    smtp_port: int
    dsn: str
    emails: dict[str, str]
    tickets: dict[str, int]
    token: str

    def page(self, ticket: str, rest: str = "") -> str:
        """The address of a ticket's page, by the ticket's name in the scene."""
        return f"{self.address}/tickets/{self.tickets[ticket]}/{rest}"

    def alarm(self, key: str, summary: str) -> None:
        """Monitoring raises an alarm, as it would: over HTTP, with the source's token."""
        body = json.dumps({"key": key, "resource": "db1", "summary": summary, "severity": "critical"})
        said = urllib.request.Request(
            f"{self.address}/in/{self.token}",
            data=body.encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(said, timeout=10) as answer:
            assert answer.status < 300

    def telephone(self, event: str, call: str, **fields: str) -> None:
        """The exchange tells of a call, as it would: over HTTP, with its token."""
        told = {"event": event, "callId": call, "direction": "in", "to": "+4930999", **fields}
        said = urllib.request.Request(f"{self.address}/phone/{TOKEN}/", data=urlencode(told).encode())
        with urllib.request.urlopen(said, timeout=10) as answer:
            assert answer.status == 200

    def mail(self, sender: str, subject: str, text: str) -> None:
        """A mail arrives over SMTP."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, "support@desk.localhost", subject
        mail["Message-ID"] = f"<{time.monotonic_ns()}@client.example>"
        mail.set_content(text)
        with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=10) as line:
            line.send_message(mail)

    def look(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        """What the database holds, past the ORM."""
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(question, values).fetchall()

    def write(self, statement: str, *values: object) -> None:
        """What no page can do: put the scene back in order."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(statement, values)


@contextmanager
def running_desk(home: Path, server: str) -> Iterator[Desk]:
    """Fill a fresh database of that server, serve it, and leave nothing behind."""
    web, smtp = free_port(), free_port()
    with (
        fresh_database(server, NAME, template=os.environ.get(FROM, "")) as dsn,
        (home / "desk.log").open("wb") as log,
    ):
        environ = os.environ | {
            "DATABASE_URL": dsn,
            "TIERDESK_HOME": str(home),
            "TIERDESK_URL": f"http://127.0.0.1:{web}",
            "TIERDESK_SMTP_LISTEN_PORT": str(smtp),
            "TIERDESK_DATABASE_POOL": "yes",
        }
        scene = subprocess.run(
            [PYTHON, "-m", "tests.browser.scene"], env=environ, stdout=subprocess.PIPE, check=True
        )
        command = [PYTHON, "-m", "tierdesk.ops.command", "serve", "--port", str(web)]
        tree = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
        try:
            desk = Desk(f"http://127.0.0.1:{web}", smtp, dsn, **json.loads(scene.stdout))
            _wait_until_it_answers(desk, tree, home / "desk.log")
            yield desk
        finally:
            tree.terminate()
            tree.wait(timeout=30)


def _wait_until_it_answers(desk: Desk, tree: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and tree.poll() is None:
        try:
            with urllib.request.urlopen(f"{desk.address}/sign-in/", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the desk does not answer:\n{log.read_text(errors='replace')[-3000:]}")
