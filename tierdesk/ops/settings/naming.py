"""Who names a thing: read from what the things say, by the shapes that name others."""

from __future__ import annotations

from collections.abc import Iterator
from functools import singledispatch
from typing import Any

from tierdesk.ops.desk.schema import Key, Section, reach
from tierdesk.ops.desk.sections import SECTIONS
from tierdesk.ops.desk.shapes import ListOf, Record, Ref, Table
from tierdesk.ops.settings.offers import rows_of


def named_by(section: str, key: Key) -> dict[str, list[tuple[Key, Any]]]:
    """The things that name this one, as keys and rows, by section in the order of the file."""
    known = rows_of(section).keys()
    found: dict[str, list[tuple[Key, Any]]] = {}
    for other in SECTIONS:
        for row in other.rows() if _can_name(other, section) else ():
            at = other.key_of(row)
            client = at[0] if other.key[0] == "client" else None
            if any(_meant(name, client, known) == key for name in _names(other, row, section)):
                found.setdefault(other.name, []).append((at, row))
    return found


def _can_name(other: Section, section: str) -> bool:
    return any(one == section for each in other.fields for one in sections_in(each.shape))


def _names(other: Section, row: Any, section: str) -> Iterator[str]:
    for each in other.fields:
        if any(one == section for one in sections_in(each.shape)):
            yield from (name for one, name in mentions(each.shape, each.of(row)) if one == section)


def _meant(name: str, client: str | None, known: Any) -> Key | None:
    """Which thing the name means: the client's own before the one for everybody."""
    return next((one for one in reach(name, client) if one in known), None)


@singledispatch
def sections_in(shape: Any) -> Iterator[str]:
    """The sections whose things a value of this shape may name."""
    yield from ()


@singledispatch
def mentions(shape: Any, value: Any) -> Iterator[tuple[str, str]]:
    """What a canonical value names, as (section, name)."""
    yield from ()


@sections_in.register
def _(shape: Ref) -> Iterator[str]:
    yield shape.section


@mentions.register
def _(shape: Ref, value: Any) -> Iterator[tuple[str, str]]:
    if value is not None:
        yield shape.section, str(value)


@sections_in.register
def _(shape: ListOf) -> Iterator[str]:
    yield from sections_in(shape.of)


@mentions.register
def _(shape: ListOf, value: Any) -> Iterator[tuple[str, str]]:
    for part in value or ():
        yield from mentions(shape.of, part)


@sections_in.register
def _(shape: Table) -> Iterator[str]:
    yield from (*sections_in(shape.key), *sections_in(shape.of))


@mentions.register
def _(shape: Table, value: Any) -> Iterator[tuple[str, str]]:
    for key, part in (value or {}).items():
        yield from (*mentions(shape.key, key), *mentions(shape.of, part))


@sections_in.register
def _(shape: Record) -> Iterator[str]:
    for part in shape.fields.values():
        yield from sections_in(part)


@mentions.register
def _(shape: Record, value: Any) -> Iterator[tuple[str, str]]:
    for name, part in (value or {}).items():
        yield from mentions(shape.fields[name], part)
