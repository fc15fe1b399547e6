"""What differs between two values of a field, statement by statement, so that a person can judge a change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import singledispatch
from typing import Any, Final

import yaml

from tierdesk.ops.desk.shapes import DAYS, SPANS, ListOf, Matrix, Record, Shape, Table, Week

SHOWN: Final = 160
"""Characters of an old or new value that the command line shows."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that was `old` and becomes `new`, both canonical values of `shape`; None is nothing.

    `path` leads to it: the field, then names inside it in the file's notation. In a list `old` went, `new` came.
    """

    path: tuple[str, ...]
    shape: Shape
    old: Any
    new: Any

    def __str__(self) -> str:
        old, new = (shown(self.shape, value) for value in (self.old, self.new))
        return f"{' '.join(self.path)}: {old} → {new if new != old else 'a new one'}"


def shown(shape: Shape, value: Any) -> str:
    """A value in the file's notation, in one line and not too long."""
    if value in (None, "", [], {}):
        return "nothing"
    text = yaml.safe_dump(shape.show(value), default_flow_style=True, allow_unicode=True, width=10_000)
    text = text.removesuffix("\n").removesuffix("...").strip()
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


@singledispatch
def statements(shape: Any, old: Any, new: Any, path: tuple[str, ...]) -> Iterator[Statement]:
    """What differs between the canonical values `old` and `new` of a shape; None is nothing."""
    if old != new:
        yield Statement(path, shape, old, new)


@statements.register
def _(shape: ListOf, old: Any, new: Any, path: tuple[str, ...]) -> Iterator[Statement]:
    before, after = old or [], new or []
    if before == after:
        return
    gone = [item for item in before if item not in after]
    come = [item for item in after if item not in before]
    if isinstance(shape.of, Record) or not (gone or come):
        yield Statement(path, shape, old, new)
        return
    yield from (Statement(path, shape.of, item, None) for item in gone)
    yield from (Statement(path, shape.of, None, item) for item in come)


@statements.register
def _(shape: Table, old: Any, new: Any, path: tuple[str, ...]) -> Iterator[Statement]:
    before, after = old or {}, new or {}
    for key in sorted(before | after):
        yield from statements(shape.of, before.get(key), after.get(key), (*path, str(shape.key.show(key))))


@statements.register
def _(shape: Record, old: Any, new: Any, path: tuple[str, ...]) -> Iterator[Statement]:
    before, after = old or {}, new or {}
    for name, part in shape.fields.items():
        yield from statements(part, before.get(name), after.get(name), (*path, name))


@statements.register
def _(shape: Matrix, old: Any, new: Any, path: tuple[str, ...]) -> Iterator[Statement]:
    for impact in "123":
        for urgency in "123":
            before, after = ((value or {}).get(impact, {}).get(urgency) for value in (old, new))
            yield from statements(shape.of, before, after, (*path, f"impact {impact}", f"urgency {urgency}"))


@statements.register
def _(shape: Week, old: Any, new: Any, path: tuple[str, ...]) -> Iterator[Statement]:
    """Neighbouring days with the same change are told together."""
    days = [((old or {}).get(str(day)), (new or {}).get(str(day))) for day in range(7)]
    first = 0
    for day in range(1, 8):
        if day == 7 or days[day] != days[first]:
            before, after = days[first]
            name = DAYS[first] if day - first == 1 else f"{DAYS[first]}-{DAYS[day - 1]}"
            if (before or []) != (after or []):
                yield Statement((*path, name), SPANS, before, after)
            first = day
