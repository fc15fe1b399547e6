"""The file as YAML nodes that know their line, and the list of everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

NODES: Final = 100_000
"""More nodes than any desk has: an alias that unfolds into more (a “billion laughs”) is refused."""

NULL: Final = "tag:yaml.org,2002:null"
TEXT: Final = "tag:yaml.org,2002:str"


class Broken:
    """What a value is read as when it is wrong; the reason is among the findings."""


BROKEN: Final = Broken()


class DeskRefused(ValueError):
    """A desk that cannot be made so. `findings` are sentences, each with file and line; `wrong` the same in parts."""

    def __init__(self, findings: list[str], wrong: Sequence[tuple[int, str]] = ()) -> None:
        super().__init__("\n".join(findings))
        self.findings = findings
        self.wrong = wrong


@dataclass(slots=True)
class Mention:
    """A place that names something of another section; `client` is the client of the item it stands in."""

    section: str
    key: str
    line: int
    is_scope: bool
    client: str | None = None


@dataclass(slots=True)
class Findings:
    """What is wrong, and what was mentioned, while a desk is read.

    `path` is its file, and paths in it start there; None where it comes from a browser, beside which no files lie.
    `doubts` are sentences about what is applied all the same, and should be looked at.
    """

    path: Path | None = None
    wrong: list[tuple[int, str]] = field(default_factory=list)
    doubts: list[tuple[int, str]] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)

    def add(self, line: int, sentence: str) -> Broken:
        self.wrong.append((line, sentence))
        return BROKEN

    def doubt(self, line: int, sentence: str) -> None:
        self.doubts.append((line, sentence))

    def mention(self, section: str, key: str, node: yaml.Node, *, is_scope: bool = False) -> None:
        self.mentions.append(Mention(section, key, line_of(node), is_scope))

    def refuse_if_any(self) -> None:
        """Raise DeskRefused with everything found so far, if anything was."""
        if self.wrong:
            ordered = sorted(dict.fromkeys(self.wrong))
            name = self.path.name if self.path else "desk.yaml"
            raise DeskRefused([f"{name}:{line}: {sentence}" for line, sentence in ordered], ordered)


def line_of(node: yaml.Node) -> int:
    """The line a node begins at; the first line is 1."""
    return int(node.start_mark.line) + 1


def compose(text: str, found: Findings) -> yaml.MappingNode:
    """The file's top node. Raises DeskRefused where the text is no YAML, or far too much of it."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        found.add(mark.line + 1 if mark else 1, f"This is no YAML: {fault.problem}. Mend the line.")
    except (yaml.YAMLError, RecursionError) as fault:
        found.add(1, f"This is no YAML: {str(fault).splitlines()[0]}.")
    else:
        if isinstance(node, yaml.MappingNode):
            _count(node, found)
        else:
            found.add(1, "Write sections, such as “teams:”, each with a list of items.")
    found.refuse_if_any()
    assert isinstance(node, yaml.MappingNode)
    return node


def _count(top: yaml.Node, found: Findings) -> None:
    waiting, seen = [top], 0
    while waiting and seen <= NODES:
        node = waiting.pop()
        seen += 1
        if isinstance(node, yaml.MappingNode):
            waiting += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value
    if seen > NODES:
        found.add(1, f"The file unfolds to more than {NODES} values; write fewer “*” references.")


def pairs(node: yaml.Node, found: Findings, what: str) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
    """The entries of a mapping as (key, the key's node, the value's node); a key given twice is found wrong."""
    if not isinstance(node, yaml.MappingNode):
        found.add(line_of(node), f"Write {what} as “name: value”.")
        return
    seen: set[str] = set()
    for key, value in node.value:
        name = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
        if not name:
            found.add(line_of(key), f"A name in {what} is one word.")
        elif name in seen:
            found.add(line_of(key), f"“{name}” is given twice in {what}; keep one.")
        else:
            seen.add(name)
            yield name, key, value


def items(node: yaml.Node, found: Findings, what: str) -> list[yaml.Node]:
    """The entries of a list."""
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    if not is_nothing(node):
        found.add(line_of(node), f"Write {what} as a list.")
    return []


def is_nothing(node: yaml.Node) -> bool:
    """Whether a node says null, or the empty text."""
    return isinstance(node, yaml.ScalarNode) and (node.tag == NULL or not node.value)


def scalar(text: str) -> yaml.ScalarNode:
    return yaml.ScalarNode(TEXT if text else NULL, text)


def mapping(entries: Iterable[tuple[str, yaml.Node]]) -> yaml.MappingNode:
    return yaml.MappingNode("tag:yaml.org,2002:map", [(scalar(name), node) for name, node in entries])


def sequence(nodes: Iterable[yaml.Node]) -> yaml.SequenceNode:
    return yaml.SequenceNode("tag:yaml.org,2002:seq", list(nodes))


def node_of(value: Any) -> yaml.Node:
    """The node that a value in the file's notation would be read as. It stands on no line yet."""
    if isinstance(value, Mapping):
        return mapping((str(name), node_of(part)) for name, part in value.items())
    if isinstance(value, list | tuple):
        return sequence(map(node_of, value))
    if isinstance(value, bool):
        return yaml.ScalarNode("tag:yaml.org,2002:bool", "true" if value else "false")
    if isinstance(value, int | float):
        return yaml.ScalarNode(f"tag:yaml.org,2002:{type(value).__name__}", str(value))
    return scalar("") if value is None else yaml.ScalarNode(TEXT, str(value))


def parts_of(node: yaml.Node) -> Iterator[yaml.Node]:
    """The node and everything in it, in the order of the text."""
    yield node
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from (*parts_of(key), *parts_of(value))
    elif isinstance(node, yaml.SequenceNode):
        for part in node.value:
            yield from parts_of(part)


def put_on_line(node: yaml.Node, line: int) -> None:
    """Say that a node which comes from no text begins on `line`."""
    node.start_mark = node.end_mark = yaml.Mark("desk", 0, line - 1, 0, None, 0)
