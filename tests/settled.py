"""The named world again: made once per process with a hundred statements, from then on copied in one go."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from functools import cache

from django.apps import apps
from django.db import connection, transaction
from psycopg.sql import Literal

from tests.cast import Cast, settle_in


def settled() -> Cast:
    """The world as `settle_in` makes it, and like it for an empty database that shows every client.

    Its keys are the same in every test; those of other rows never are, since no test turns a sequence back.
    """
    cast, inserts = _original()
    with transaction.atomic():
        connection.connection.execute(inserts)
    return pickle.loads(cast)


@cache
def _original() -> tuple[bytes, str]:
    """The cast before anybody touched it, and what inserts its rows. The database is left as it was."""
    with transaction.atomic():
        made = pickle.dumps(settle_in()), ";".join(_inserts(_rows()))
        transaction.set_rollback(True)
    return made


def _inserts(rows: dict[str, str]) -> Iterator[str]:
    for table, kept in rows.items():
        quoted = Literal(kept).as_string(connection.connection)
        yield f"INSERT INTO {table} SELECT * FROM json_populate_recordset(NULL::{table}, {quoted})"


def _rows() -> dict[str, str]:
    tables = [model._meta.db_table for model in apps.get_models() if model.__module__.startswith("tierdesk.")]
    rows: dict[str, str] = {}
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT json_agg(made)::text FROM {table} AS made")
            [kept] = cursor.fetchone()
            if kept:
                rows[table] = kept
    return rows
