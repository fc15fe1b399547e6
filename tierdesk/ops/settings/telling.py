"""Differences and values in words, for people who need not know the file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from typing import Any, Final

from tierdesk.directory.calendars.hours import WEEKDAYS
from tierdesk.ops.desk.change import Change
from tierdesk.ops.desk.difference import Statement
from tierdesk.ops.desk.lines import node_of
from tierdesk.ops.desk.schema import Section, label_of
from tierdesk.ops.desk.shapes import Free, ListOf, Matrix, Record, Ref, Scalar, Spans, Table, Week, days_of
from tierdesk.ops.settings.offers import Offers
from tierdesk.ops.settings.widgets import yaml_of
from tierdesk.ops.settings.words import WORDS

SHOWN: Final = 200
"""Characters of a text that a line about it shows; longer ones are compared line by line."""


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that was `old` and becomes `new`; empty is nothing. `is_text`: it is compared line by line."""

    label: str
    old: str
    new: str
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class Story:
    """What becomes of one thing."""

    one: str
    name: str
    is_new: bool
    told: tuple[Told, ...]
    versions: str
    section: str


def story_of(change: Change) -> Story:
    """A change in words."""
    section, values = change.item.section, change.item.values
    words = WORDS[section.name]
    offers = Offers(change.item.values.get("client"))
    told = (_told(statement, section, offers) for statement in change.statements)
    return Story(
        words.one,
        str(values.get("name") or label_of(change.item.key)),
        change.is_new,
        tuple(one for one in told if one.old or one.new),
        "" if change.is_new else words.versions,
        section.name,
    )


def _told(statement: Statement, section: Section, offers: Offers) -> Told:
    old, new = (worded(statement.shape, value, offers) for value in (statement.old, statement.new))
    if old == new and old:
        new = f"{new} (a new one)"
    is_text = "\n" in f"{old}{new}" or len(max(old, new, key=len)) > SHOWN
    return Told(_label(statement.path, section), old, new, is_text)


def _label(path: tuple[str, ...], section: Section) -> str:
    """Where the statement belongs, such as “Promises · P1 · Resolve”."""
    fields, known, labels = WORDS[section.name].fields, "", []
    shape: Any = Record({each.name: each.shape for each in section.fields})
    for part in path:
        inner = f"{known}.{part}" if known else part
        asked = fields.get(inner)
        known = inner if asked else known
        labels.append(asked.label if asked else _called(part, shape))
        shape = _inside(shape, part)
    return " · ".join(label for label in labels if label)


def _inside(shape: Any, part: str) -> Any:
    """The shape of what lies at `part` of a value of this shape; None where nobody asks further."""
    if isinstance(shape, Record):
        return shape.fields.get(part)
    return shape.of if isinstance(shape, Table) else None


def _called(part: str, shape: Any) -> str:
    """A line of a table, and the days of a week, by their names; anything else as it is."""
    if isinstance(shape, Table) and isinstance(shape.key, Scalar):
        return shape.key.meanings().get(part, part)
    days = days_of(part)
    if not days:
        return part
    return WEEKDAYS[days[0]] if len(days) == 1 else f"{WEEKDAYS[days[0]]} to {WEEKDAYS[days[-1]]}"


@singledispatch
def worded(shape: Any, value: Any, offers: Offers) -> str:
    """A canonical value as a person reads it; empty for nothing."""
    return "" if value is None else str(shape.show(value))


@worded.register
def _(shape: Scalar, value: Any, offers: Offers) -> str:
    if value is None or value == "":
        return ""
    if shape.kind == "switch":
        return "yes" if value else "no"
    if shape.kind in ("token", "secret"):
        return f"a {shape.kind}"
    text = str(shape.show(value))
    return shape.meanings().get(text, text)


@worded.register
def _(shape: Free, value: Any, offers: Offers) -> str:
    return yaml_of(node_of(value)) if value else ""


@worded.register
def _(shape: Ref, value: Any, offers: Offers) -> str:
    key, _, version = str(value or "").partition("@")
    name = offers.to(shape).get(key, key)
    return f"{name}, version {version}" if version else name


@worded.register
def _(shape: ListOf, value: Any, offers: Offers) -> str:
    return ", ".join(worded(shape.of, item, offers) for item in value or ())


@worded.register
def _(shape: Table, value: Any, offers: Offers) -> str:
    parts = (
        f"{worded(shape.key, key, offers)}: {worded(shape.of, part, offers)}"
        for key, part in sorted((value or {}).items())
    )
    return "; ".join(parts)


@worded.register
def _(shape: Record, value: Any, offers: Offers) -> str:
    said = value or {}
    parts = (
        f"{name.replace('_', ' ')} {worded(part, said[name], offers)}"
        for name, part in shape.fields.items()
        if name in said
    )
    return ", ".join(parts)


@worded.register
def _(shape: Spans, value: Any, offers: Offers) -> str:
    return ", ".join(f"{opens}–{closes}" for opens, closes in value or ())


@worded.register
def _(shape: Week, value: Any, offers: Offers) -> str:
    return ", ".join(f"{days} {_hours(hours)}" for days, hours in shape.show(value or {}).items())


def _hours(shown: Any) -> str:
    return " and ".join(shown) if isinstance(shown, list) else str(shown)


@worded.register
def _(shape: Matrix, value: Any, offers: Offers) -> str:
    return "; ".join(
        f"impact {impact}: {', '.join(f'P{priority}' for priority in row)}"
        for impact, row in shape.show(value or {}).items()
    )
