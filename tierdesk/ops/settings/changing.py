"""The desk as it is with one thing said anew, applied like any file: read, checked and done in the same way."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import yaml

from tierdesk.ops.desk.change import (
    Difference,
    apply_document,
    changing_the_desk,
    check_document,
    read_document,
)
from tierdesk.ops.desk.lines import (
    DeskRefused,
    Findings,
    mapping,
    node_of,
    parts_of,
    put_on_line,
    sequence,
)
from tierdesk.ops.desk.schema import Key, Section
from tierdesk.ops.desk.sections import SECTIONS
from tierdesk.ops.settings.widgets import entry, text_of

type Place = tuple[str, Key]
"""A thing of the desk, by its section's name and its key."""


class ThingRefused(ValueError):
    """A thing that cannot be so. `wrong`: sentences by the line of the node that they speak of (`number` gave the
    lines); `elsewhere`: things that would not hang together with it any more, each with the reason.
    """

    def __init__(self, wrong: Mapping[int, list[str]], elsewhere: Collection[tuple[Place, str]]) -> None:
        sentences = [sentence for told in wrong.values() for sentence in told]
        super().__init__("\n".join([*sentences, *(sentence for _, sentence in elsewhere)]))
        self.wrong = wrong
        self.elsewhere = elsewhere


@dataclass(frozen=True, slots=True)
class Thing:
    """What is said of one thing: its section, the key it had (None: it is new), and the node that says it."""

    section: Section
    key: Key | None
    node: yaml.MappingNode


def number(node: yaml.Node) -> int:
    """Give the node and everything in it a line of its own, in order; the last of them."""
    line = 0
    for line, part in enumerate(parts_of(node), 1):
        put_on_line(part, line)
    return line


def change(thing: Thing, *, dry_run: bool = False) -> Difference:
    """Make the desk as it is, but for this thing, and tell the difference. Raises ThingRefused; then nothing changed.

    The doubts are those about this thing.

    What did not hang together before stays as it is and is no reason to refuse: it can be mended thing by thing.
    """
    with changing_the_desk():
        try:
            return _apply(thing, dry_run=dry_run)
        except ThingRefused as refusal:
            faulty = [place for place, _ in faults()]
            if not refusal.elsewhere or not faulty:
                raise
        return _apply(thing, dry_run=dry_run, leaving_out=faulty)


def faults() -> list[tuple[Place, str]]:
    """What does not hang together in the desk as it is, thing by thing."""
    wrong, _doubts = look_over()
    return wrong


def look_over() -> tuple[list[tuple[Place, str]], list[tuple[Place, str]]]:
    """What does not hang together in the desk as it is, and what should be looked at, thing by thing.

    Doubts are told once everything hangs together.
    """
    top, places = _document(None)
    found = Findings()
    try:
        check_document(read_document(top, found), found)
    except DeskRefused as refusal:
        return [(places[line], sentence) for line, sentence in refusal.wrong], []
    return [], [(places[line], sentence) for line, sentence in sorted(dict.fromkeys(found.doubts))]


def _apply(thing: Thing, *, dry_run: bool, leaving_out: Collection[Place] = ()) -> Difference:
    top, places = _document(thing, leaving_out=leaving_out)
    try:
        difference = apply_document(top, Findings(), dry_run=dry_run)
    except DeskRefused as refusal:
        wrong: dict[int, list[str]] = {}
        elsewhere = []
        for line, sentence in refusal.wrong:
            if line in places:
                elsewhere.append((places[line], sentence))
            else:
                wrong.setdefault(line, []).append(sentence)
        raise ThingRefused(wrong, elsewhere) from refusal
    difference.doubts = [(line, doubt) for line, doubt in difference.doubts if line not in places]
    return difference


def _document(
    thing: Thing | None, *, leaving_out: Collection[Place] = ()
) -> tuple[yaml.MappingNode, dict[int, Place]]:
    """The desk's file with the thing said anew, and whose line each line behind the thing's own is."""
    line = number(thing.node) if thing else 0
    said = {thing.section.name: [thing.node]} if thing else {}
    begins = _begins(thing)
    places: dict[int, Place] = {}
    written: list[tuple[str, yaml.Node]] = []
    for section in SECTIONS:
        nodes: list[yaml.Node] = []
        for row in section.rows():
            key = section.key_of(row)
            place = (section.name, key)
            if place in leaving_out or (thing and place == (thing.section.name, thing.key)):
                continue
            line += 1
            places[line] = place
            nodes.append(node_of(_dated(section.notation_of(row), begins)))
            for part in parts_of(nodes[-1]):
                put_on_line(part, line)
        written.append((section.name, sequence([*nodes, *said.get(section.name, [])])))
    top = mapping(written)
    for key_node, node in top.value:
        put_on_line(key_node, 1)
        put_on_line(node, 1)
    return top, places


def _begins(thing: Thing | None) -> date | None:
    """When the change begins, if the thing says so."""
    try:
        return date.fromisoformat(text_of(entry(thing.node, "effective_from"))) if thing else None
    except ValueError:
        return None


def _dated(notation: dict[str, Any], begins: date | None) -> dict[str, Any]:
    """What a change draws along begins with it, not when its own last version did."""
    if notation.get("effective_from"):
        last = notation.pop("effective_from")
        if begins:
            notation["effective_from"] = max(begins, last)
    return notation
