"""The named world again: made once per process with a hundred statements, from then on copied with one per table."""

from __future__ import annotations

import pickle
from functools import cache

from django.apps import apps
from django.db import connection, transaction

from tests.cast import Cast, settle_in


def settled() -> Cast:
    """The world as `settle_in` makes it, and like it for an empty database that shows every client.

    Its keys are the same in every test; those of other rows never are, since no test turns a sequence back.
    """
    cast, rows = _original()
    with transaction.atomic(), connection.cursor() as cursor:
        for table, kept in rows.items():
            cursor.execute(
                f"INSERT INTO {table} SELECT * FROM json_populate_recordset(NULL::{table}, %s)", [kept]
            )
    return pickle.loads(cast)


@cache
def _original() -> tuple[bytes, dict[str, str]]:
    """The cast before anybody touched it, and its rows as JSON by table. The database is left as it was."""
    with transaction.atomic():
        made = pickle.dumps(settle_in()), _rows()
        transaction.set_rollback(True)
    return made


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
