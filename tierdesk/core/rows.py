"""Many rows in one statement: what lets a list of five hundred facts cost little more than one.

Row-level security forbids COPY, so the rows travel as one JSON document; one round trip, one plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

import orjson
from django.db import connection
from django.db.models import Field, Model

MANY = 20
PLAIN = (str, int, float, datetime, type(None))
"""What says the same where it is equal; within a list or a table, true equals one and is told otherwise."""

RESERVED = """
SELECT nextval(keys.name)
FROM (SELECT pg_get_serial_sequence(%s, 'id')::regclass AS name OFFSET 0) AS keys, generate_series(1, %s::int)
"""
"""OFFSET keeps the planner from asking the catalogue for the sequence again with each key."""


def reserve_ids(model: type[Model], count: int) -> list[int]:
    """Take `count` fresh keys from the model's sequence, so that rows can refer to one another before they exist."""
    with connection.cursor() as cursor:
        cursor.execute(RESERVED, [model._meta.db_table, count])
        return [row[0] for row in cursor.fetchall()]


def insert(model: type[Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert `rows` (values in the order of `columns`, which are column names) in one statement."""
    if not rows:
        return
    names = ", ".join(f'"{column}"' for column in columns)
    told, values = _told(model, columns, rows)
    with connection.cursor() as cursor:
        cursor.execute(f'INSERT INTO "{model._meta.db_table}" ({names}) SELECT {names} FROM {told}', values)


def update(model: type[Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> int:
    """Update rows by key: each row is (id, value, …) in the order of `columns`. Returns how many were found."""
    if not rows:
        return 0
    sets = ", ".join(f'"{column}" = new."{column}"' for column in columns)
    told, values = _told(model, ["id", *columns], rows)
    with connection.cursor() as cursor:
        cursor.execute(
            f'UPDATE "{model._meta.db_table}" AS old SET {sets}'
            f" FROM (SELECT * FROM {told}) AS new WHERE old.id = new.id",
            values,
        )
        return int(cursor.rowcount)


def _told(model: type[Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> tuple[str, list[str]]:
    """What stands after FROM, and its values: the rows as one JSON document, and once what is the same in all of them.

    Written in C, it is a tenth of what adapting each value for the driver costs.
    """
    alike = _alike(columns, rows)
    if not alike:
        lines = [dict(zip(columns, row, strict=True)) for row in rows]
        return f"json_to_recordset(%s::json) AS each_one({_typed(model, columns)})", [_json(lines)]
    other = [place for place, column in enumerate(columns) if column not in alike]
    names, pick = [columns[place] for place in other], itemgetter(*other)
    lines = [dict(zip(names, pick(row), strict=True)) for row in rows]
    return (
        f"json_to_recordset(%s::json) AS each_one({_typed(model, names)}),"
        f" json_to_record(%s::json) AS all_of_them({_typed(model, list(alike))})",
        [_json(lines), _json(alike)],
    )


def _alike(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """The values that many rows share: to write and read them a thousand times costs as much as what differs."""
    if len(rows) < MANY:
        return {}
    shared = {}
    for column, values in zip(columns, zip(*rows, strict=True), strict=True):
        first = values[0]
        if isinstance(first, PLAIN) and values.count(first) == len(values):
            shared[column] = first
    return shared if len(shared) <= len(columns) - 2 else {}


def _json(told: object) -> str:
    return orjson.dumps(told).decode()


def _typed(model: type[Model], columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}" {_sql_type(_field(model, column))}' for column in columns)


def _field(model: type[Model], column: str) -> Field[Any, Any]:
    for field in model._meta.concrete_fields:
        if field.column == column:
            return field
    raise LookupError(f"{model.__name__} has no column {column}")


def _sql_type(field: Field[Any, Any]) -> str:
    return str(field.rel_db_type(connection)) if field.primary_key else str(field.db_type(connection))
