"""The file as YAML nodes that know their line, and the list of everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

NODES: Final = 100_000
"""More nodes than any desk has: an alias that unfolds into more (a “billion laughs”) is refused."""

NULL: Final = "tag:yaml.org,2002:null"


class Broken:
    """What a value is read as when it is wrong; the reason is among the findings."""


BROKEN: Final = Broken()


class DeskRefused(ValueError):
    """A file that cannot be applied. `findings` are sentences, each with file and line, in order."""

    def __init__(self, findings: list[str]) -> None:
        super().__init__("\n".join(findings))
        self.findings = findings


@dataclass(slots=True)
class Mention:
    """A place that names something of another section; `client` is the client of the item it stands in."""

    section: str
    key: str
    line: int
    client: str | None = None


@dataclass(slots=True)
class Findings:
    """What is wrong, and what was mentioned, while a file is read. `path` is the file; paths in it start there."""

    path: Path
    wrong: list[tuple[int, str]] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)

    def add(self, line: int, sentence: str) -> Broken:
        self.wrong.append((line, sentence))
        return BROKEN

    def mention(self, section: str, key: str, node: yaml.Node) -> None:
        self.mentions.append(Mention(section, key, line_of(node)))

    def refuse_if_any(self) -> None:
        """Raise DeskRefused with everything found so far, if anything was."""
        if self.wrong:
            ordered = sorted(dict.fromkeys(self.wrong))
            raise DeskRefused([f"{self.path.name}:{line}: {sentence}" for line, sentence in ordered])


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
