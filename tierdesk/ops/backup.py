"""`tierdesk backup FILE`: database and secret in one archive, taken from a desk that keeps running.

A plain tar of `manifest.json`, `database.dump` (pg_dump's custom format) and `secret.key`. The rows are counted in the
same snapshot that is dumped, so that a restore can count again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection
from psycopg import sql

from tierdesk.core import clock
from tierdesk.ops.postgres import UnableToStart, find_binaries

DUMP = "database.dump"
SECRET = "secret.key"  # noqa: S105 - the name of a file
MANIFEST = "manifest.json"
FORMAT = 1

TABLES = """
SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY relname
"""

ENVIRONMENT = {
    "dbname": "PGDATABASE",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "host": "PGHOST",
    "port": "PGPORT",
    "sslmode": "PGSSLMODE",
}


class UnableToBackUp(RuntimeError):
    """No archive was written, or none read; the text says why."""


def run(options: argparse.Namespace) -> int:
    """Write the archive; 1 and a sentence if that cannot be."""
    try:
        manifest = back_up(options.file)
    except (UnableToBackUp, OSError, psycopg.Error) as trouble:
        print(f"No backup was written: {trouble}", file=sys.stderr)
        return 1
    rows = manifest["rows"]
    print(f"{options.file}: {sum(rows.values())} rows of {len(rows)} tables.")
    if SECRET not in manifest["sha256"]:
        print("The secret comes from TIERDESK_SECRET_KEY and is not in the archive: keep it yourself.")
    return 0


def back_up(file: Path) -> dict[str, Any]:
    """Write the archive whole or not at all, readable by its owner alone, and return its manifest.

    Raises UnableToBackUp if the file exists or pg_dump fails.
    """
    if file.exists():
        raise UnableToBackUp(f"{file} exists already.")
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=file.absolute().parent) as folder:
        inside = Path(folder)
        rows = dump(inside / DUMP)
        if not os.environ.get("TIERDESK_SECRET_KEY"):
            shutil.copyfile(settings.HOME / SECRET, inside / SECRET)
        members = [name for name in (DUMP, SECRET) if (inside / name).exists()]
        manifest = {
            "format": FORMAT,
            "version": own_version(),
            "at": clock.now().isoformat(),
            "rows": rows,
            "sha256": {name: digest(inside / name) for name in members},
        }
        (inside / MANIFEST).write_text(json.dumps(manifest, indent=2))
        put(_packed(inside, [MANIFEST, *members]), file)
    return manifest


def dump(target: Path) -> dict[str, int]:
    """Dump the database as its owner; returns the rows of each table in that very snapshot."""
    with psycopg.connect(**reach()) as owner:
        owner.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        found = owner.execute("SELECT pg_export_snapshot()").fetchone()
        assert found is not None
        major = owner.info.server_version // 10_000
        call("pg_dump", major, "--format=custom", f"--snapshot={found[0]}", f"--file={target}")
        return count_rows(owner)


def count_rows(owner: psycopg.Connection) -> dict[str, int]:
    """How many rows each table has. Only the owner sees all of them."""
    counts: dict[str, int] = {}
    for (table,) in owner.execute(TABLES).fetchall():
        found = owner.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
        assert found is not None
        counts[table] = found[0]
    return counts


def reach() -> dict[str, Any]:
    """How libpq reaches the desk's database as its owner."""
    known = connection.settings_dict
    told = {"dbname": known["NAME"], "user": known["USER"], "password": known["PASSWORD"]}
    told |= {"host": known["HOST"], "port": known["PORT"], "sslmode": known["OPTIONS"].get("sslmode")}
    return {name: str(value) for name, value in told.items() if value}


def call(program: str, major: int, *arguments: str) -> str:
    """Run a program of PostgreSQL on the desk's database; returns what it printed. Raises UnableToBackUp.

    The password goes by the environment: everybody on a machine may read the arguments of a program.
    """
    environment = os.environ | {ENVIRONMENT[name]: value for name, value in reach().items()}
    command = [find_tool(program, major), "--no-password", *arguments]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if said.returncode:
        raise UnableToBackUp(f"{program} failed. {said.stderr.strip()}")
    return said.stdout


def find_tool(program: str, major: int) -> str:
    """The program in the server's own major version: a newer pg_dump writes what an older server cannot read."""
    with suppress(UnableToStart):
        if (own := find_binaries()).major == major:
            return own.tool(program)
    for path in (f"/usr/lib/postgresql/{major}/bin/{program}", shutil.which(program)):
        if path and Path(path).exists():
            told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
            if (found := re.search(r"\) (\d+)", told)) and int(found[1]) == major:
                return path
    raise UnableToBackUp(f"The server is PostgreSQL {major}; put {program} of version {major} on the PATH.")


def own_version() -> str:
    """The version of this Tierdesk; a checkout that was never installed has none."""
    try:
        return version("tierdesk")
    except PackageNotFoundError:
        return "a checkout"


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def put(source: Path, file: Path) -> None:
    """Let `file` appear whole, on disk and 0600. Raises UnableToBackUp if somebody was faster."""
    with source.open("rb") as written:
        os.fsync(written.fileno())
    try:
        os.link(source, file)
    except FileExistsError:
        raise UnableToBackUp(f"{file} exists already.") from None


def _packed(folder: Path, members: list[str]) -> Path:
    archive = folder / "archive.tar"
    descriptor = os.open(archive, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w") as tar:
        for name in members:
            tar.add(folder / name, arcname=name, recursive=False)
    return archive
