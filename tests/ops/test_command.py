"""What people do with a desk before it is served for the first time finds its tables, or makes them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.db import connection

from tierdesk.ops import command
from tierdesk.ops.postgres.home import LOCK, Lock

pytestmark = pytest.mark.django_db


@pytest.fixture
def migrations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the Django commands that were called."""
    called: list[str] = []
    monkeypatch.setattr("django.core.management.call_command", lambda name, **_: called.append(name))
    return called


def test_an_empty_database_gets_its_tables(monkeypatch: pytest.MonkeyPatch, migrations: list[str]) -> None:
    monkeypatch.setattr(connection.introspection, "table_names", list)
    command._make_tables()
    assert migrations == ["migrate"]


def test_one_that_has_tables_is_left_as_it_is(migrations: list[str]) -> None:
    command._make_tables()
    assert migrations == []


def test_a_demo_does_not_follow_another_one_in_its_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would lose its connections when the other one has stopped."""
    (tmp_path / "postgres").mkdir()
    other = Lock(tmp_path / "postgres" / LOCK)
    assert other.take()
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("TIERDESK_HOME", str(tmp_path))
    monkeypatch.setattr(command, "ALONE_WITHIN", 0)
    assert command.main(["demo", "--days", "1"]) == command.TRY_AGAIN
    other.close()
    assert f"tierdesk: process {os.getpid()} has still not left" in capsys.readouterr().err
