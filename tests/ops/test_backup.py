"""A backup is taken from a real desk and put back into another one, by the command itself."""

from __future__ import annotations

import io
import json
import os
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.database import FROM, fresh_database
from tests.migrated import lay
from tierdesk.ops.postgres import Cluster

pytestmark = pytest.mark.xdist_group("backup")

ROOT = Path(__file__).parents[2]

SETTLE_IN = """
import django; django.setup()
from tests.cast import settle_in
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, seeing
from tierdesk.core.work import work
with seeing(EVERY_CLIENT):
    cast = settle_in()
    at = clock.now()
    with work(by=cast.lena.actor(), at=at):
        for n in range(3):
            cast.ticket(subject=f"Ticket {n}")
"""

SUBJECTS = """
import django; django.setup()
from django.db import connection
from tierdesk.core.scope import EVERY_CLIENT, NO_CLIENT, seeing
from tierdesk.tickets.models import Ticket
for scope in (EVERY_CLIENT, NO_CLIENT):
    with seeing(scope):
        print(sorted(Ticket.objects.values_list("subject", flat=True)))
"""


MIGRATE = """
import django; django.setup()
from django.core.management import call_command
from tierdesk.core.roles import owner
with owner():
    call_command("migrate", verbosity=0)
"""


class Home:
    """One installation: a data folder, with an embedded cluster of its own unless it has a server."""

    def __init__(self, path: Path, database_url: str = "") -> None:
        self.path = path
        self.database_url = database_url

    def tierdesk(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        return self._run("-m", "tierdesk.ops.command", *map(str, words))

    def python(self, program: str) -> str:
        inside = f"from tierdesk.ops.command import database\nwith database():\n    exec({program!r})"
        done = self._run("-c", inside)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def subjects(self) -> list[str]:
        """Of all tickets that lie in its cluster, which must be up."""
        with psycopg.connect(Cluster(self.path / "postgres").url) as connection:
            rows = connection.execute("SELECT subject FROM tickets_ticket ORDER BY subject").fetchall()
        return [subject for (subject,) in rows]

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        foreign = {"DATABASE_URL", "TIERDESK_SECRET_KEY"}
        environment = {name: value for name, value in os.environ.items() if name not in foreign}
        environment |= {
            "TIERDESK_HOME": str(self.path),
            "DJANGO_SETTINGS_MODULE": "tierdesk.config.settings",
            "TIERDESK_LOG_LEVEL": "ERROR",
        }
        if self.database_url:
            environment["DATABASE_URL"] = self.database_url
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="backup-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def desk(folder: Path) -> Iterator[Home]:
    """A desk with three tickets. Its database stays up: each command would start and stop one of its own."""
    home = Home(folder / "desk")
    lay(home.path / "postgres")
    with Cluster(home.path / "postgres", settings={"fsync": "off"}):
        home.python(SETTLE_IN)
        yield home


@pytest.fixture(scope="module")
def archive(desk: Home, folder: Path) -> Path:
    file = folder / "desk.tar"
    written = desk.tierdesk("backup", file)
    assert written.returncode == 0, written.stderr
    return file


def forged(archive: Path, target: Path, name: str, content: bytes) -> Path:
    """The same archive with one member replaced."""
    with tarfile.open(archive) as source, tarfile.open(target, "w") as copy:
        for member in source.getmembers():
            held = source.extractfile(member)
            assert held is not None
            raw = content if member.name == name else held.read()
            member.size = len(raw)
            copy.addfile(member, io.BytesIO(raw))
    return target


def test_a_backup_comes_back_in_an_empty_home(desk: Home, archive: Path, folder: Path) -> None:
    other = Home(folder / "other")

    restored = other.tierdesk("restore", archive)

    assert restored.returncode == 0, restored.stderr
    assert "counted again" in restored.stdout
    with Cluster(other.path / "postgres", settings={"fsync": "off"}):
        everything, nothing = other.python(SUBJECTS).splitlines()
        plan = other.tierdesk("migrate", "--plan").stdout
    assert "No planned migration operations" in plan
    assert everything == "['Ticket 0', 'Ticket 1', 'Ticket 2']"
    assert nothing == "[]", "row-level security came back as well"
    secret = other.path / "secret.key"
    assert secret.read_text() == (desk.path / "secret.key").read_text()
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600


def test_a_backup_moves_from_database_to_database_of_a_server_of_ones_own(
    database_url: str, folder: Path
) -> None:
    migrated = os.environ.get(FROM, "")
    with (
        fresh_database(database_url, "backup_from", template=migrated) as here,
        fresh_database(database_url, "backup_to") as there,
    ):
        desk, other = Home(folder / "here", here), Home(folder / "there", there)
        desk.python(SETTLE_IN if migrated else MIGRATE + SETTLE_IN)

        written = desk.tierdesk("backup", folder / "server.tar")
        restored = other.tierdesk("restore", folder / "server.tar")

        assert (written.returncode, written.stderr) == (0, "")
        assert (restored.returncode, restored.stderr) == (0, "")
        assert other.python(SUBJECTS).splitlines() == ["['Ticket 0', 'Ticket 1', 'Ticket 2']", "[]"]
        assert not (other.path / "postgres").exists()


def test_a_backup_is_private_and_never_overwrites(desk: Home, archive: Path) -> None:
    before = archive.read_bytes()
    with tarfile.open(archive) as tar:
        assert tar.getnames() == ["manifest.json", "database.dump", "secret.key"]
        held = tar.extractfile("manifest.json")
        assert held is not None
        assert json.load(held)["rows"]["tickets_ticket"] == 3
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600

    again = desk.tierdesk("backup", archive)

    assert again.returncode == 1
    assert "exists already" in again.stderr
    assert archive.read_bytes() == before
    assert not list(archive.parent.glob(".backup-*"))


def test_a_desk_with_tickets_is_replaced_only_by_force(desk: Home, archive: Path) -> None:
    desk.python(SETTLE_IN.replace("cast = settle_in()", AGAIN).replace("Ticket {n}", "Later {n}"))

    refused = desk.tierdesk("restore", archive)
    assert refused.returncode == 1
    assert "has 6 tickets" in refused.stderr
    assert "Later 0" in desk.subjects()

    forced = desk.tierdesk("restore", archive, "--force")
    assert forced.returncode == 0, forced.stderr
    assert "Later 0" not in desk.subjects()


AGAIN = """
    from types import SimpleNamespace
    from tierdesk.directory.clients.models import Client
    from tierdesk.directory.staff.models import Agent
    from tierdesk.tickets.models import Draft, Ticket
    acme = Client.objects.get(key="ACME")
    def ticket(subject):
        Ticket.open(Draft(client=acme, contact=None, subject=subject, text="More.", channel="phone"))
    cast = SimpleNamespace(lena=Agent.objects.get(user__email="lena@desk.example"), ticket=ticket)
""".strip()


@pytest.mark.parametrize(
    ("member", "content", "reason"),
    [
        ("database.dump", b"PGDMP and nothing else", "damaged"),
        ("secret.key", b"another secret", "damaged"),
        ("manifest.json", b'{"format": 99}', "manifest"),
        ("manifest.json", b"[1]", "manifest"),
    ],
)
def test_what_was_tampered_with_is_refused_before_anything_is_touched(
    desk: Home, archive: Path, folder: Path, member: str, content: bytes, reason: str
) -> None:
    secret = (desk.path / "secret.key").read_text()
    broken = forged(archive, folder / "broken.tar", member, content)

    refused = desk.tierdesk("restore", broken, "--force")

    assert refused.returncode == 1
    assert reason in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "Ticket 0" in desk.subjects()
    assert (desk.path / "secret.key").read_text() == secret


def test_a_desk_that_runs_is_not_restored_into(desk: Home, archive: Path) -> None:
    program = (
        "import subprocess, sys, django; django.setup()\n"
        "from django.db import connection; connection.ensure_connection()\n"
        "command = [sys.executable, '-m', 'tierdesk.ops.command', 'restore', '--force', sys.argv[1]]\n"
    )
    said = desk.python(
        program.replace("sys.argv[1]", repr(str(archive)))
        + "print(subprocess.run(command, capture_output=True, text=True).stderr)"
    )
    assert "Stop the desk first" in said
