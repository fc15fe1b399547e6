"""The YAML head of a book."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final, Protocol

import yaml

from tierdesk.response.runbooks.book import BookError, Input, InputType
from tierdesk.response.runbooks.expression import WORDS, Expression
from tierdesk.response.runbooks.grammar import LINE_CHARACTERS, read_duration, read_pattern, read_rule

HEAD_CHARACTERS: Final = 20_000
HEAD_NESTING: Final = 6
IDENTIFIER: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
WHOLE: Final = re.compile(r"[0-9]{1,9}")
INPUT_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
SECRET_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}(/[A-Za-z0-9_.-]{1,64}){0,3}")
HEAD_REQUIRED: Final = ("id", "title", "revision", "owner", "tier", "risk")
HEAD_FIELDS: Final = (*HEAD_REQUIRED, "match", "review", "inputs", "secrets")
INPUT_FIELDS: Final = ("type", "default", "from", "values", "pattern", "required", "unit")
RESERVED: Final = WORDS | {"out", "code", "ok"}

type _Fields = dict[str, tuple[int, yaml.Node]]


class Head:
    """The head as YAML nodes, never as built objects: every value stays text, every fault knows its line."""

    def __init__(self, text: str) -> None:
        self.fields = self._fields(self._composed(text), HEAD_FIELDS, "the head")

    def lines(self) -> dict[str, int]:
        return {name: line for name, (line, _) in self.fields.items()}

    def text(self, name: str) -> str:
        if name not in self.fields:
            raise BookError(1, f"the head has no “{name}”")
        return self._scalar(*self.fields[name], name)

    def word(self, name: str, shape: re.Pattern[str]) -> str:
        text = self.text(name)
        if not shape.fullmatch(text):
            raise BookError(self.fields[name][0], f"“{text[:40]}” cannot be the {name} of a book")
        return text

    def rule(self, name: str) -> Expression | None:
        if name not in self.fields:
            return None
        return read_rule(self.text(name), self.fields[name][0])

    def duration(self, name: str) -> timedelta | None:
        if name not in self.fields:
            return None
        return read_duration(self.text(name), self.fields[name][0])

    def secrets(self) -> tuple[str, ...]:
        if "secrets" not in self.fields:
            return ()
        line, node = self.fields["secrets"]
        names = self._texts(line, node, "secrets")
        for name in names:
            if not SECRET_NAME.fullmatch(name):
                raise BookError(line, "secrets are given by name, such as “ssh/ops”")
        return names

    def inputs(self) -> tuple[Input, ...]:
        if "inputs" not in self.fields:
            return ()
        named = self._fields(self.fields["inputs"][1], None, "inputs")
        return tuple(self._input(name, line, node) for name, (line, node) in named.items())

    def _input(self, name: str, line: int, node: yaml.Node) -> Input:
        if not INPUT_NAME.fullmatch(name) or name in RESERVED:
            raise BookError(line, f"“{name[:40]}” cannot be the name of an input")
        fields = self._fields(node, INPUT_FIELDS, f"the input “{name}”")
        given = {key: self._scalar(*value, key) for key, value in fields.items() if key != "values"}
        if given.get("type", "text") not in tuple(InputType):
            raise BookError(line, f"the type of “{name}” is one of {', '.join(InputType)}")
        if given.get("required", "true") not in ("true", "false"):
            raise BookError(line, f"“required” of “{name}” is true or false")
        return Input(
            name=name,
            line=line,
            type=InputType(given.get("type", "text")),
            default=given.get("default"),
            source=given.get("from"),
            values=self._texts(*fields["values"], "values") if "values" in fields else (),
            pattern=read_pattern(given["pattern"], line) if "pattern" in given else None,
            required=given.get("required", "true") == "true",
            unit=given.get("unit", ""),
        )

    def _composed(self, text: str) -> yaml.Node:
        if len(text) > HEAD_CHARACTERS:
            raise BookError(1, f"a head has at most {HEAD_CHARACTERS} characters")
        try:
            self._guard(text)
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as fault:
            raise BookError(
                _line(fault.problem_mark or fault.context_mark), f"the head is no YAML: {fault.problem}"
            ) from fault
        except yaml.YAMLError as fault:
            raise BookError(1, f"the head is no YAML: {str(fault).splitlines()[0]}") from fault
        if node is None:
            raise BookError(1, "the head is empty")
        return node

    def _guard(self, text: str) -> None:
        """Refuses what only attackers have a use for: aliases (bombs), tags (objects), deep nesting."""
        depth = documents = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            line = _line(event.start_mark)
            documents += isinstance(event, yaml.DocumentStartEvent)
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if documents > 1:
                raise BookError(line, "the head has one part only")
            if depth > HEAD_NESTING:
                raise BookError(line, "the head is nested too deep")
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise BookError(line, "the head has no “&” or “*” references")
            if getattr(event, "tag", None):
                raise BookError(line, "the head has no “!” tags")

    def _fields(self, node: yaml.Node, known: tuple[str, ...] | None, what: str) -> _Fields:
        line = _line(node.start_mark)
        if not isinstance(node, yaml.MappingNode):
            raise BookError(line, f"{what} is a list of “name: value”")
        fields: _Fields = {}
        for key, value in node.value:
            line = _line(key.start_mark)
            name = self._scalar(line, key, what)
            if known is not None and name not in known:
                raise BookError(line, f"{what} has no “{name[:40]}”; it has {', '.join(known)}")
            if name in fields:
                raise BookError(line, f"“{name[:40]}” is given twice")
            fields[name] = (line, value)
        return fields

    def _texts(self, line: int, node: yaml.Node, name: str) -> tuple[str, ...]:
        if not isinstance(node, yaml.SequenceNode):
            raise BookError(line, f"“{name}” is a list: [a, b]")
        return tuple(self._scalar(_line(item.start_mark), item, name) for item in node.value)

    def _scalar(self, line: int, node: yaml.Node, name: str) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise BookError(line, f"“{name}” is one value")
        text = str(node.value).strip()
        if not text or "\n" in text or len(text) > LINE_CHARACTERS:
            raise BookError(line, f"“{name}” is one line of 1 to {LINE_CHARACTERS} characters")
        return text


class _Mark(Protocol):
    line: int


def _line(mark: _Mark | None) -> int:
    """The line of the document: a mark counts from 0, and the head begins below the first “---”."""
    return mark.line + 2 if mark else 1
