"""Many rows in one statement: what lets a list of five hundred facts cost little more than one.

Row-level security forbids COPY, so the rows travel as one array for each column; one round trip, one plan. An array is
written here as PostgreSQL reads it: the driver adapts each value at ten times the cost, and of JSON the server makes
rows at three times.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import orjson
from django.db import connection
from django.db.models import (
    CharField,
    DateTimeField,
    Field,
    FloatField,
    ForeignKey,
    IntegerField,
    JSONField,
    Model,
    TextField,
)

MANY = 20
PLAIN = (str, int, float, datetime, type(None))
"""What says the same where it is equal; within a list or a table, true equals one and is told otherwise."""

APART = "E'\\x1e'"
"""Between the documents of an array: JSON never says it raw."""

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
    """What stands after FROM, and its values: an array for each column, and once what is the same in all rows."""
    by_column = dict(zip(columns, zip(*rows, strict=True), strict=True))
    alike = _alike(by_column) if len(rows) >= MANY else {}
    other = [column for column in columns if column not in alike]
    arrays = [_array(_field(model, column), by_column[column]) for column in other]
    names = ", ".join(f'"{column}"' for column in other)
    told = f"unnest({', '.join(sql for sql, _ in arrays)}) AS each_one({names})"
    values = [text for _, text in arrays]
    if alike:
        told += f", json_to_record(%s::json) AS all_of_them({_typed(model, list(alike))})"
        values.append(_json(alike))
    return told, values


def _array(field: Field[Any, Any], values: Sequence[Any]) -> tuple[str, str]:
    """An expression that makes an array of these values, and the text that it is made of.

    Words are an array of text: cast to the type of their column here, what is too long would be cut off silently.
    """
    of = field.target_field if isinstance(field, ForeignKey) else field
    if isinstance(of, JSONField):
        return f"string_to_array(%s, {APART}, 'null')::jsonb[]", "\x1e".join(map(_json, values))
    write: Callable[[Any], str] = _in_quotes
    if isinstance(of, IntegerField | FloatField):
        write = str
    elif isinstance(of, DateTimeField):
        write = datetime.isoformat
    told = ",".join(["NULL" if value is None else write(value) for value in values])
    kind = "text" if isinstance(of, CharField | TextField) else _sql_type(field)
    return f"%s::{kind}[]", f"{{{told}}}"


def _in_quotes(value: object) -> str:
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _alike(by_column: dict[str, tuple[Any, ...]]) -> dict[str, Any]:
    """The values that many rows share: to write and read them a thousand times costs as much as what differs."""
    shared = {}
    for column, values in by_column.items():
        first = values[0]
        if isinstance(first, PLAIN) and values.count(first) == len(values):
            shared[column] = first
    return shared if len(shared) <= len(by_column) - 2 else {}


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
