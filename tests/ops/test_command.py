"""What people do with a desk before it is served for the first time finds its tables, or makes them."""

from __future__ import annotations

import pytest
from django.db import connection

from tierdesk.ops import command

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
