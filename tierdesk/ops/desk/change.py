"""The difference between a file and the desk, and applying it: all of it in one transaction, or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml
from django.contrib.auth.hashers import make_password
from django.db import DataError, IntegrityError, connection, transaction

from tierdesk.core.scope import EVERY_CLIENT, seeing
from tierdesk.ops.desk.checks import check_all
from tierdesk.ops.desk.difference import Statement, statements
from tierdesk.ops.desk.lines import DeskRefused, Findings, compose, line_of, pairs
from tierdesk.ops.desk.resolved import check_resolved
from tierdesk.ops.desk.schema import Item, Key, Values, World, reach
from tierdesk.ops.desk.sections import BY_NAME, SECTIONS
from tierdesk.ops.desk.shapes import SWITCH, TEXT

TURN: Final = 0x7D5C
"""The advisory lock that whoever changes the desk holds: two changes at once are one after the other."""


@dataclass(frozen=True, slots=True)
class DeskFile:
    """A file as it was read: its items, and the password for new accounts if it is a demo's."""

    items: tuple[Item, ...]
    password: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """One item that is created or changed, and what is different about it."""

    item: Item
    is_new: bool
    statements: tuple[Statement, ...]

    def __str__(self) -> str:
        if self.is_new:
            return f"+ {self.item}"
        return "\n".join([f"~ {self.item}", *(f"    {statement}" for statement in self.statements)])


@dataclass(slots=True)
class Difference:
    """What applying a file does, in order."""

    changes: list[Change] = field(default_factory=list)
    unchanged: int = 0
    doubts: list[tuple[int, str]] = field(default_factory=list)
    """What should be looked at, by line."""

    def __str__(self) -> str:
        if not self.changes:
            return f"Nothing to do: {self.unchanged} items are as the file says."
        new = sum(change.is_new for change in self.changes)
        summary = f"{new} created, {len(self.changes) - new} changed, {self.unchanged} unchanged."
        return "\n".join([*map(str, self.changes), summary])


def apply_desk(path: Path, *, dry_run: bool = False) -> Difference:
    """Make the desk as the file says and tell the difference. Raises DeskRefused with every finding."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise DeskRefused(
            [f"{path}: the file cannot be read ({fault}); give the path of a desk file."]
        ) from fault
    found = Findings(path)
    return apply_document(compose(text, found), found, dry_run=dry_run)


def apply_document(top: yaml.MappingNode, found: Findings, *, dry_run: bool = False) -> Difference:
    """Make the desk as the document says and tell the difference; `dry_run` takes everything back at the end.

    A dry run writes, looks and rolls back: what it tells is what would happen. Raises DeskRefused with every
    finding; then nothing has changed.
    """
    with changing_the_desk():
        read = read_document(top, found)
        check_document(read, found)
        difference = _bring_about(read, found)
        difference.doubts = sorted(dict.fromkeys(found.doubts))
        if dry_run:
            transaction.set_rollback(True)
    return difference


@contextmanager
def changing_the_desk() -> Iterator[None]:
    """One transaction that sees every client, while nobody else changes the desk."""
    with seeing(EVERY_CLIENT), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TURN])
        yield


def read_document(top: yaml.MappingNode, found: Findings) -> DeskFile:
    """Read the document's items; what is wrong with them is added to `found`."""
    sections: dict[str, list[Item]] = {}
    marks: Values = {"demo": False, "password": None}
    password_line = 1
    for name, key, value in pairs(top, found, "the file"):
        if name in BY_NAME:
            sections[name] = BY_NAME[name].read_all(value, found)
        elif name in marks:
            marks[name] = (SWITCH if name == "demo" else TEXT).read(value, found)
            password_line = line_of(key) if name == "password" else password_line
        else:
            found.add(line_of(key), f"There is no section “{name}”; write one of {', '.join(BY_NAME)}.")
    if marks["password"] and marks["demo"] is not True:
        found.add(
            password_line, "Passwords do not belong into a desk file; only one with “demo: true” has one."
        )
    items = tuple(item for section in SECTIONS for item in sections.get(section.name, ()))
    return DeskFile(items, marks["password"])


def check_document(read: DeskFile, found: Findings) -> None:
    """Hold the document against itself and the desk as it is. Raises DeskRefused with all findings."""
    present = {s.name: {s.key_of(row): s.values_of(row) for row in s.rows()} for s in SECTIONS}
    outlook: dict[str, dict[Key, Values]] = {name: dict(rows) for name, rows in present.items()}
    for item in read.items:
        outlook[item.section.name][item.key] = item.over(present[item.section.name].get(item.key, {}))
    check_all(read.items, outlook, present, found)
    if not found.wrong:
        check_resolved(read.items, outlook, found)
    found.refuse_if_any()


def _bring_about(read: DeskFile, found: Findings) -> Difference:
    difference = Difference()
    world = World(make_password(read.password))
    for section in SECTIONS:
        world.load(section)
        for item in _in_order(i for i in read.items if i.section is section):
            try:
                change = _bring_about_item(item, world)
            except (IntegrityError, DataError) as fault:
                told = ": ".join(" ".join(line.split()) for line in str(fault).splitlines()[:2])
                found.add(item.line, f"The database refuses {item}: {told} Correct it.")
                found.refuse_if_any()
                raise
            if change is None:
                difference.unchanged += 1
            else:
                difference.changes.append(change)
    return difference


def _in_order(items: Iterable[Item]) -> Iterator[Item]:
    """Services after those that they depend on, everything else as the file has it."""
    waiting = list(items)
    while waiting:
        keys = {item.key for item in waiting}
        ready = [item for item in waiting if not keys & _needed(item)] or waiting
        yield from ready
        done = {item.key for item in ready}
        waiting = [item for item in waiting if item.key not in done]


def _needed(item: Item) -> set[Key]:
    client = item.values.get("client")
    return {key for needed in item.values.get("depends_on", ()) for key in reach(needed, client)}


def _bring_about_item(item: Item, world: World) -> Change | None:
    section = item.section
    row = world.rows[section.name].get(item.key)
    before = section.defaults() if row is None else section.values_of(row)
    values = item.over(before)
    changed = [
        each
        for each in section.fields
        if row is None or (values[each.name] != before[each.name] and not each.silent)
    ]
    if not changed:
        return None
    names = {each.name for each in changed}
    names |= {each.name for each in section.fields if each.name in item.values and names & {*each.bound_to}}
    world.rows[section.name][item.key] = section.save(world, section, row, values, names)
    old, new = section.terse(before), section.terse(values)
    told = (
        statement
        for each in changed
        for statement in statements(each.shape, old.get(each.name), new[each.name], (each.name,))
    )
    return Change(item, row is None, tuple(told))
