"""`tierdesk restore FILE`: puts a backup back, all of it or nothing, and counts whether everything is there.

Restore only what you trust as you trust the desk: the hashes find damage, not a forger.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import psycopg
from django.conf import settings

from tierdesk.core.scope import ROLE
from tierdesk.ops.backup import DUMP, FORMAT, MANIFEST, SECRET, UnableToBackUp, call, count_rows, reach

MANIFEST_BYTES = 1024 * 1024

PREPARE = f"""
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') THEN
        CREATE ROLE {ROLE} NOLOGIN NOBYPASSRLS;
    END IF;
    EXECUTE format('GRANT {ROLE} TO %I', current_user);
END $$;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {ROLE};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {ROLE};
"""
"""What belongs to the server or to the owner's name, not to the dump."""

OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename IS NOT NULL
"""


class UnableToRestore(RuntimeError):
    """The backup was not put back; the text says why, and nothing was changed unless it says so."""


def run(options: argparse.Namespace) -> int:
    """Restore; 1 and a sentence if that cannot be."""
    try:
        manifest = restore(options.file, force=options.force)
    except (UnableToRestore, UnableToBackUp, OSError, tarfile.TarError, psycopg.Error) as trouble:
        print(f"Not restored: {trouble}", file=sys.stderr)
        return 1
    rows = manifest["rows"]
    print(f"Restored the backup of {manifest['at']}, made by Tierdesk {manifest['version']}.")
    print(f"All {sum(rows.values())} rows of {len(rows)} tables are there: counted again after the restore.")
    if SECRET not in manifest["sha256"] or os.environ.get("TIERDESK_SECRET_KEY"):
        print("The secret is the one in TIERDESK_SECRET_KEY: reply addresses need the one of the backup.")
    print("Run `tierdesk migrate` if this Tierdesk is newer.")
    return 0


def restore(file: Path, *, force: bool) -> dict[str, Any]:
    """Put the archive back and return its manifest. Raises UnableToRestore."""
    with unpacked(file) as (folder, manifest):
        with psycopg.connect(**reach(), autocommit=True) as owner:
            major = owner.info.server_version // 10_000
            refuse_a_desk_at_work(owner, manifest, force=force)
            owner.execute(PREPARE)
        _load(folder, major)
        if SECRET in manifest["sha256"]:
            put_secret_back(folder / SECRET)
        with psycopg.connect(**reach()) as owner:
            counted = count_rows(owner)
    if wrong := sorted(name for name in manifest["rows"] if counted.get(name) != manifest["rows"][name]):
        raise UnableToRestore(f"the database is in place, but the rows differ in {', '.join(wrong)}.")
    return manifest


@contextmanager
def unpacked(file: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The named members in a private folder, each as the manifest says. Raises UnableToRestore.

    No member is ever written under a name of its own: archives can carry paths that lead elsewhere.
    """
    with tempfile.TemporaryDirectory(prefix="tierdesk-restore-") as name, tarfile.open(file, "r:") as tar:
        folder = Path(name)
        with _member(tar, MANIFEST) as source:
            manifest = read_manifest(source.read(MANIFEST_BYTES))
        for known in (DUMP, SECRET):
            if known not in manifest["sha256"]:
                continue
            with _member(tar, known) as source, (folder / known).open("wb") as target:
                shutil.copyfileobj(source, target, 1024 * 1024)
            with (folder / known).open("rb") as written:
                found = hashlib.file_digest(written, "sha256").hexdigest()
            if found != manifest["sha256"][known]:
                raise UnableToRestore(f"{known} is damaged: it is not what the manifest says.")
        yield folder, manifest


def read_manifest(raw: bytes) -> dict[str, Any]:
    """The manifest, of the shape that we write. Raises UnableToRestore."""
    try:
        manifest: dict[str, Any] = json.loads(raw)
        known = manifest["format"] == FORMAT and DUMP in manifest["sha256"]
        known = known and all(isinstance(count, int) for count in manifest["rows"].values())
        known = known and bool(manifest["at"] and manifest["version"])
    except (ValueError, KeyError, TypeError, AttributeError):
        known = False
    if not known:
        raise UnableToRestore("its manifest is not one that this version reads.")
    return manifest


def refuse_a_desk_at_work(owner: psycopg.Connection, manifest: dict[str, Any], *, force: bool) -> None:
    """Raises UnableToRestore for a desk that runs, has tickets, or has tables that the backup does not know."""
    if _number(owner, OTHERS):
        raise UnableToRestore("something else is connected to the database. Stop the desk first.")
    present = count_rows(owner)
    if present.get("tickets_ticket") and not force:
        raise UnableToRestore(
            f"this desk has {present['tickets_ticket']} tickets. With --force they are replaced."
        )
    if newer := sorted(set(present) - set(manifest["rows"])):
        raise UnableToRestore(
            f"the database has tables that the backup does not know ({', '.join(newer[:3])} …). "
            "Restore into an empty database, then run `tierdesk migrate`."
        )


def put_secret_back(source: Path) -> None:
    """Replace the secret of this installation at once, readable by its owner alone."""
    settings.HOME.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = settings.HOME / f".secret.{os.getpid()}.restored"
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(source.read_bytes())
        os.fsync(file.fileno())
    draft.replace(settings.HOME / SECRET)


def _load(folder: Path, major: int) -> None:
    """All in one transaction. Default privileges are left out: they name the owner that the old database had."""
    dump, contents = folder / DUMP, folder / "contents"
    entries = call("pg_restore", major, "--list", str(dump)).splitlines(keepends=True)
    contents.write_text("".join(entry for entry in entries if " DEFAULT ACL " not in entry))
    chosen = ["--clean", "--if-exists", "--no-owner", "--single-transaction", f"--use-list={contents}"]
    call("pg_restore", major, *chosen, f"--dbname={reach()['dbname']}", str(dump))


@contextmanager
def _member(tar: tarfile.TarFile, name: str) -> Iterator[IO[bytes]]:
    try:
        found = tar.getmember(name)
    except KeyError:
        raise UnableToRestore(f"it holds no {name}.") from None
    source = tar.extractfile(found) if found.isreg() else None
    if source is None:
        raise UnableToRestore(f"its {name} is not a file.")
    with source:
        yield source


def _number(owner: psycopg.Connection, query: str) -> int:
    found = owner.execute(query.encode()).fetchone()
    assert found is not None
    number: int = found[0]
    return number
