"""Fields and sections: how an item of the file is read, and how a row of the database says the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from typing import Any, Final

import yaml
from django.db.models import QuerySet

from tierdesk.ops.desk.lines import BROKEN, Findings, is_nothing, items, line_of, pairs
from tierdesk.ops.desk.shapes import KEPT, Ref, Shape

type Key = tuple[str | None, ...]
type Values = dict[str, Any]


class Required:
    """The default of a field that every item must give."""


REQUIRED: Final = Required()


@dataclass(frozen=True, slots=True)
class Field:
    """One value of an item. By default it is the column `column` (or `name`), as it is.

    `get` reads it from a row where it is no column; `put` writes it once the row is there; neither, and it is up
    to the section's `save`. `is_link`: the column holds the row that the value names. `silent`: a change of it
    alone is no change (the date a version begins at). `derived`: the section's `complete` finds it, nobody writes it.

    `bound_to`: a secret is only for the servers that these fields name. Said again beside a change of them it is
    written anew, although it reads the same.
    """

    name: str
    shape: Shape
    default: Any = REQUIRED
    column: str = ""
    get: Callable[[Any], Any] | None = None
    put: Callable[[World, Any, Any], None] | None = None
    store: Callable[[Any], Any] = lambda value: value
    is_link: bool = False
    silent: bool = False
    derived: bool = False
    bound_to: tuple[str, ...] = ()

    def of(self, row: Any) -> Any:
        """The canonical value in `row`."""
        return self.get(row) if self.get else attrgetter(self.column or self.name)(row)

    @property
    def is_column(self) -> bool:
        return self.get is None or bool(self.column)


def link(name: str, section: str, default: Any = REQUIRED, *, label: str = "key") -> Field:
    """A foreign key, written in the file as the other item's key, which is `label` of the row."""

    def get(row: Any) -> Any:
        other = getattr(row, name)
        return None if other is None else attrgetter(label)(other)

    return Field(name, Ref(section), default, column=name, get=get, is_link=True)


@dataclass(frozen=True, slots=True)
class Item:
    """One item as the file says it; what it leaves out is at its default. `lines` are its fields', `line` its own.

    `broken` are the fields of which it was said already what is wrong with them.
    """

    section: Section
    key: Key
    values: Values
    line: int
    lines: dict[str, int]
    broken: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.section.name} {label_of(self.key)}"

    def line_of(self, name: str) -> int:
        return self.lines.get(name, self.line)

    def over(self, before: Values) -> Values:
        """The item's values once it is applied to a row that says `before`. What is named without a value is kept."""
        kept = {name: before[name] for name in self.lines if name in before}
        return before | self.section.defaults() | kept | self.values


def label_of(key: Key) -> str:
    return " ".join(part for part in key if part)


@dataclass(frozen=True)
class Section:
    """A list of items in the file and the rows they are. `key` names the fields that identify an item.

    `rows` gives all rows; `save` writes an item whose values are complete and returns its row; `complete` derives
    values that an item leaves to others, and `terse` leaves them away again; `judge` finds what is wrong between the
    fields of one item.
    """

    name: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    rows: Callable[[], QuerySet[Any]]
    save: Callable[[World, Section, Any, Values, set[str]], Any]
    complete: Callable[[Values], None] = lambda values: None
    terse: Callable[[Values], Values] = lambda values: values
    judge: Callable[[Item, Findings], None] = lambda item, found: None

    @cached_property
    def by_name(self) -> Mapping[str, Field]:
        return {field.name: field for field in self.fields}

    def key_of(self, row: Any) -> Key:
        return tuple(self.by_name[name].of(row) for name in self.key)

    def values_of(self, row: Any) -> Values:
        """The whole row in canonical values."""
        return {field.name: field.of(row) for field in self.fields}

    def notation_of(self, row: Any) -> Values:
        """The row as the file writes it, without what is at its default or follows from the rest."""
        values = self.terse(self.values_of(row))
        return {
            field.name: field.shape.show(values[field.name])
            for field in self.fields
            if not field.derived and (field.default is REQUIRED or values[field.name] != field.default)
        }

    def defaults(self) -> Values:
        return {field.name: field.default for field in self.fields if field.default is not REQUIRED}

    def read(self, node: yaml.Node, found: Findings) -> Item | None:
        """The item a node says; None where it cannot be told which one it is."""
        first_mention = len(found.mentions)
        values, lines = self._values(node, found)
        broken = frozenset(name for name, value in values.items() if value is BROKEN)
        values = {name: value for name, value in values.items() if name not in broken and value != KEPT}
        self.complete(values)
        for mention in found.mentions[first_mention:]:
            mention.client = values.get("client")
        item = Item(self, self._key(values), values, line_of(node), lines, broken)
        for each in self.fields:
            if each.default is REQUIRED and not each.derived and each.name not in (values | lines):
                found.add(item.line, f"An item of {self.name} needs its “{each.name}”; give it.")
        self.judge(item, found)
        return item if self._is_identified(values) else None

    def _is_identified(self, values: Values) -> bool:
        return all(name in values or self.by_name[name].default is not REQUIRED for name in self.key)

    def _values(self, node: yaml.Node, found: Findings) -> tuple[Values, dict[str, int]]:
        values: Values = {}
        lines: dict[str, int] = {}
        for name, key, value in pairs(node, found, f"an item of {self.name}"):
            lines[name] = line_of(key)
            known = self.by_name.get(name)
            if known is None or known.derived:
                names = ", ".join(field.name for field in self.fields if not field.derived)
                found.add(line_of(key), f"{self.name} have no “{name}”; write one of {names}.")
            elif is_nothing(value):
                values[name] = self._nothing(known, value, found)
            else:
                values[name] = known.shape.read(value, found)
        return values, lines

    def _nothing(self, known: Field, node: yaml.Node, found: Findings) -> Any:
        if known.default is REQUIRED:
            return found.add(line_of(node), f"“{known.name}” is empty; give it a value.")
        return known.default

    def _key(self, values: Values) -> Key:
        return tuple(values.get(name, self.by_name[name].default) for name in self.key)

    def read_all(self, node: yaml.Node, found: Findings) -> list[Item]:
        read = [self.read(part, found) for part in items(node, found, f"“{self.name}”")]
        kept: dict[Key, Item] = {}
        for item in read:
            if item is None:
                continue
            if item.key in kept:
                first = kept[item.key].line
                found.add(item.line, f"{item} is a duplicate of line {first}; keep one of the two.")
            else:
                kept[item.key] = item
        return list(kept.values())


@dataclass(slots=True)
class World:
    """The rows of the desk, by section and key, as they are while the file is applied.

    `password` is what new accounts get, hashed; unusable unless the file is marked as a demo's.
    """

    password: str
    rows: dict[str, dict[Key, Any]] = field(default_factory=dict)

    def load(self, section: Section) -> dict[Key, Any]:
        """Read a section's rows anew."""
        self.rows[section.name] = {section.key_of(row): row for row in section.rows()}
        return self.rows[section.name]

    def row(self, section: str, key: str | None, client: str | None = None) -> Any:
        """The row that an item of `client` means by `key`: the client's own before the one for everybody."""
        if key is None:
            return None
        rows = self.rows[section]
        return next(rows[k] for k in reach(key, client) if k in rows)


def reach(key: str, client: str | None) -> list[Key]:
    """The keys that `key` may stand for in an item of `client`, the nearest first."""
    return [(key,), (client, key), (None, key)]


def save_columns(
    model: Callable[[], Any],
) -> Callable[[World, Section, Any, Values, set[str]], Any]:
    """A `save` that writes columns and links of a plain row (`model()` when it is new), then what `put` writes."""

    def save(world: World, section: Section, row: Any, values: Values, changed: set[str]) -> Any:
        row = model() if row is None else row
        columns = [field for field in section.fields if field.name in changed and field.is_column]
        for each in columns:
            value = values[each.name]
            if each.is_link and isinstance(each.shape, Ref):
                value = world.row(each.shape.section, value, values.get("client"))
            setattr(row, each.column or each.name, each.store(value))
        if row.pk is None:
            row.save()
        elif columns:
            row.save(update_fields=[each.column or each.name for each in columns])
        put_all(world, section, row, values, changed)
        return row

    return save


def put_all(world: World, section: Section, row: Any, values: Values, changed: set[str]) -> None:
    """Write the changed values that live beside the row."""
    for each in section.fields:
        if each.name in changed and each.put:
            each.put(world, row, values[each.name])
