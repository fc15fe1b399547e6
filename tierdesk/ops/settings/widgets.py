"""How a shape of the file is asked for in a form, and how what was typed becomes a part of the file again.

Every shape has one widget. It draws a node of the file as controls, and reads the node back from what was posted: the
text as it was typed, so that nothing is lost, and nothing judged. Names in the form are places in the file, such as
`promises.P1.resolve`; the rows of a list are numbered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import singledispatch
from itertools import groupby
from typing import Any, Final, Protocol

import yaml
from django.http import QueryDict

from tierdesk.directory.calendars.hours import WEEKDAYS
from tierdesk.ops.desk.lines import line_of, mapping, node_of, scalar, sequence
from tierdesk.ops.desk.shapes import (
    DAYS,
    UNREADABLE,
    Free,
    ListOf,
    Matrix,
    Record,
    Ref,
    Scalar,
    Spans,
    Table,
    Week,
    days_of,
)
from tierdesk.ops.settings.offers import Names, Offers
from tierdesk.ops.settings.words import Asked, Words

SPANS_OF_A_DAY: Final = 2
"""So many stretches of work a day has room for at least."""


@dataclass(slots=True)
class Control:
    """A part of a form as the templates draw it.

    `kind` is line, text, switch, choice, fixed, checks, group, rows or grid. The parts of `rows` are controls, or
    pairs of them; the parts of a `grid` are rows of cells under `columns`, each a heading and what stands over it
    and its neighbours.
    """

    kind: str
    name: str
    label: str
    hint: str = ""
    value: str = ""
    type: str = "text"
    options: Sequence[tuple[str, str]] = ()
    chosen: Sequence[str] = ()
    parts: list[Control] = field(default_factory=list)
    columns: Sequence[tuple[str, str]] = ()
    errors: list[str] = field(default_factory=list)
    is_required: bool = False
    is_code: bool = False
    is_wide: bool = False
    is_movable: bool = False
    blank: Control | None = None

    @property
    def over(self) -> list[tuple[str, int]]:
        """What stands over the columns, and over how many of them; nothing where nothing does."""
        runs = [(words, len(list(run))) for words, run in groupby(over for _, over in self.columns)]
        return runs if any(words for words, _ in runs) else []

    def all(self) -> Iterator[Control]:
        yield self
        for part in self.parts:
            yield from part.all()


@dataclass(frozen=True, slots=True)
class Question:
    """What a widget is asked for: where in the form, in which words, with which offers; `errors` by line.

    `usual`: the one of a choice that holds where nothing is said, so that none cannot be chosen.
    """

    name: str
    path: str
    words: Words
    offers: Offers
    errors: Mapping[int, list[str]]
    label: str = ""
    is_required: bool = False
    usual: str = ""

    @property
    def asked(self) -> Asked:
        return self.words.asked(self.path)

    def about(self, name: str, path: str, label: str = "") -> Question:
        """The question for a part."""
        return replace(self, name=f"{self.name}.{name}", path=path, label=label, is_required=False, usual="")

    def control(self, kind: str, node: yaml.Node | None, **more: Any) -> Control:
        """A control for `node`, with what is wrong with the node itself."""
        asked = self.asked
        made = Control(
            kind,
            self.name,
            self.label or asked.label,
            asked.hint,
            is_required=self.is_required,
            is_code=asked.is_code,
            is_wide=asked.is_wide,
            errors=self.wrong_with(node),
        )
        return replace(made, **more)

    def wrong_with(self, node: yaml.Node | None) -> list[str]:
        if node is None or node.start_mark is None:
            return []
        return list(self.errors.get(line_of(node), ()))


class Widget(Protocol):
    def control(self, node: yaml.Node | None, question: Question) -> Control:
        """How `node` is asked for; None where nothing is said."""

    def said(self, name: str, posted: QueryDict) -> yaml.Node | None:
        """The node that was typed under `name`; None where nothing was."""


@singledispatch
def widget_of(shape: Any) -> Widget:
    """The widget that asks for a shape."""
    raise TypeError(f"no widget asks for {shape!r}")


def entries(node: yaml.Node | None) -> list[tuple[yaml.Node, yaml.Node]]:
    return list(node.value) if isinstance(node, yaml.MappingNode) else []


def entry(node: yaml.Node | None, name: str) -> yaml.Node | None:
    """The value under `name` in a mapping."""
    return next((value for key, value in entries(node) if key.value == name), None)


def elements(node: yaml.Node | None) -> list[yaml.Node]:
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def text_of(node: yaml.Node | None) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


# -- one value


@dataclass(frozen=True)
class Line:
    """One value in a field of its own."""

    shape: Scalar

    def control(self, node: yaml.Node | None, question: Question) -> Control:
        kind = "text" if self.shape.kind == "long_text" else "line"
        return question.control(kind, node, value=text_of(node), type=self.shape.kind)

    def said(self, name: str, posted: QueryDict) -> yaml.Node | None:
        text = posted.get(name, "").replace("\r\n", "\n").replace("\0", "")
        if self.shape.kind != "long_text":
            text = text.strip()
        return scalar(text) if text.strip() else None


@dataclass(frozen=True)
class Secret(Line):
    """A token or a secret: what is kept is never shown; nothing typed keeps it."""

    def control(self, node: yaml.Node | None, question: Question) -> Control:
        text = text_of(node)
        return question.control("line", node, value="" if text == "kept" else text, is_required=False)

    def said(self, name: str, posted: QueryDict) -> yaml.Node | None:
        return super().said(name, posted) or scalar("kept")


@dataclass(frozen=True)
class Switch:
    """Yes or no."""

    def control(self, node: yaml.Node | None, question: Question) -> Control:
        return question.control("switch", node, value=text_of(node))

    def said(self, name: str, posted: QueryDict) -> yaml.Node | None:
        return scalar("true" if name in posted else "false")


@dataclass(frozen=True)
class Choice:
    """One of what there is. What was said and is not offered any more is still shown."""

    shape: Scalar | Ref

    def control(self, node: yaml.Node | None, question: Question) -> Control:
        text = text_of(node) or question.usual
        offered = options_of(self.shape, question.offers)
        options = list(offered.items())
        if text and text not in offered:
            options.append((text, text))
        if not (text and (question.is_required or question.usual)):
            options.insert(0, ("", "Choose …" if question.is_required else question.asked.empty))
        kind = self.shape.kind if isinstance(self.shape, Scalar) else ""
        return question.control("choice", node, value=text, options=options, type=kind)

    def said(self, name: str, posted: QueryDict) -> yaml.Node | None:
        text = posted.get(name, "")
        return scalar(text) if text else None


def options_of(shape: Any, offers: Offers) -> Names:
    """What can be chosen; nothing where a value is free."""
    if isinstance(shape, Ref):
        return offers.to(shape)
    return shape.meanings() if isinstance(shape, Scalar) else {}


@widget_of.register
def _(shape: Scalar) -> Widget:
    if shape.choices:
        return Choice(shape)
    if shape.kind == "switch":
        return Switch()
    return Secret(shape) if shape.kind in ("token", "secret") else Line(shape)


@widget_of.register
def _(shape: Ref) -> Widget:
    return Choice(shape)


@dataclass(frozen=True)
class Hours:
    """The hours of a day in one field, such as `08:00-12:00, 13:00-16:00`."""

    def control(self, node: yaml.Node | None, question: Question) -> Control:
        spans = elements(node) or ([] if node is None else [node])
        made = question.control("line", node, value=", ".join(filter(None, map(text_of, spans))))
        made.errors += [error for span in elements(node) for error in question.wrong_with(span)]
        return made

    def said(self, name: str, posted: QueryDict) -> yaml.Node | None:
        spans = [span.strip() for span in posted.get(name, "").split(",") if span.strip()]
        return sequence(map(scalar, spans)) if spans else None


@widget_of.register
def _(shape: Spans) -> Widget:
    return Hours()


@dataclass(frozen=True)
class Code:
    """A value of any shape, as YAML."""

    def control(self, node: yaml.Node | None, question: Question) -> Control:
        return question.control("text", node, value=yaml_of(node), is_code=True)

    def said(self, name: str, posted: QueryDict) -> yaml.Node | None:
        text = posted.get(name, "").replace("\r\n", "\n").replace("\0", "")
        if not text.strip():
            return None
        try:
            has_alias = any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader))
            node = None if has_alias else yaml.compose(text, yaml.SafeLoader)
        except yaml.YAMLError:
            node = None
        return node or yaml.ScalarNode(UNREADABLE, text)


def yaml_of(node: yaml.Node | None) -> str:
    """The node as people write it; words that are no YAML as they were typed."""
    if node is None or (isinstance(node, yaml.ScalarNode) and (node.tag == UNREADABLE or not node.value)):
        return text_of(node)
    return yaml.serialize(node, Dumper=yaml.SafeDumper, allow_unicode=True, width=100).removesuffix("...\n")


@widget_of.register
def _(shape: Free) -> Widget:
    return Code()


# -- several values


@dataclass(frozen=True)
class Checks:
    """Some of what there is, ticked. What was ticked stays in its order."""

    shape: ListOf

    def control(self, node: yaml.Node | None, question: Question) -> Control:
        chosen = [text_of(part) for part in elements(node)]
        offered = options_of(self.shape.of, question.offers)
        options = [*offered.items(), *((text, text) for text in chosen if text not in offered)]
        made = question.control("checks", node, options=options, chosen=chosen)
        made.errors += [error for part in elements(node) for error in question.wrong_with(part)]
        return made

    def said(self, name: str, posted: QueryDict) -> yaml.Node | None:
        return sequence(scalar(text) for text in posted.getlist(name) if text)


@dataclass(frozen=True)
class Rows:
    """Any number of values, one in each row; an empty row is none."""

    shape: ListOf

    def control(self, node: yaml.Node | None, question: Question) -> Control:
        widget = widget_of(self.shape.of)
        parts = [
            widget.control(
                part, question.about(str(i), f"{question.path}", f"{question.asked.label} {i + 1}")
            )
            for i, part in enumerate([*elements(node), None])
        ]
        blank = widget.control(None, question.about("__n__", question.path, question.asked.label))
        return question.control(
            "rows",
            node,
            parts=parts,
            blank=blank,
            is_movable=self.shape.ordered and not isinstance(widget, Line),
        )

    def said(self, name: str, posted: QueryDict) -> yaml.Node | None:
        widget = widget_of(self.shape.of)
        parts = (widget.said(f"{name}.{i}", posted) for i in rows_in(name, posted))
        return sequence(part for part in parts if part is not None and not is_blank(part))


@widget_of.register
def _(shape: ListOf) -> Widget:
    can_be_listed = isinstance(shape.of, Ref) or (isinstance(shape.of, Scalar) and shape.of.choices)
    return Checks(shape) if can_be_listed and not shape.ordered else Rows(shape)


def rows_in(name: str, posted: QueryDict) -> list[int]:
    """The numbers of the rows that were posted under `name`, in order."""
    rest = (key.removeprefix(f"{name}.").partition(".")[0] for key in posted if key.startswith(f"{name}."))
    return sorted({int(number) for number in rest if number.isdecimal()})


@dataclass(frozen=True)
class Pairs:
    """A table whose keys are free: each row asks for a key and its value."""

    shape: Table

    def control(self, node: yaml.Node | None, question: Question) -> Control:
        parts = [
            self._row(key, value, question, str(i))
            for i, (key, value) in enumerate([*entries(node), (None, None)])
        ]
        return question.control("rows", node, parts=parts, blank=self._row(None, None, question, "__n__"))

    def _row(
        self, key: yaml.Node | None, value: yaml.Node | None, question: Question, number: str
    ) -> Control:
        row = question.about(number, question.path, f"{question.asked.label} {number}")
        parts = [
            widget_of(shape).control(node, row.about(name, f"{question.path}.{name}"))
            for name, shape, node in (("key", self.shape.key, key), ("value", self.shape.of, value))
        ]
        return Control("pair", row.name, row.label, parts=parts)

    def said(self, name: str, posted: QueryDict) -> yaml.Node | None:
        rows = []
        for i in rows_in(name, posted):
            key = widget_of(self.shape.key).said(f"{name}.{i}.key", posted)
            value = widget_of(self.shape.of).said(f"{name}.{i}.value", posted)
            if key is not None or value is not None:
                rows.append((key or scalar(""), value or scalar("")))
        return yaml.MappingNode("tag:yaml.org,2002:map", rows)


@dataclass(frozen=True)
class Group:
    """Values with names, one under the other; what is not said is shown as it usually is."""

    shape: Record

    def control(self, node: yaml.Node | None, question: Question) -> Control:
        parts = []
        for name, shape in self.shape.fields.items():
            part = entry(node, name)
            if part is None and name in self.shape.usual:
                part = node_of(shape.show(self.shape.usual[name]))
            parts.append(widget_of(shape).control(part, question.about(name, f"{question.path}.{name}")))
        return question.control("group", node, parts=parts)

    def said(self, name: str, posted: QueryDict) -> yaml.Node | None:
        parts = (
            (part, widget_of(shape).said(f"{name}.{part}", posted))
            for part, shape in self.shape.fields.items()
        )
        return mapping((part, node) for part, node in parts if node is not None)


def is_blank(node: yaml.Node) -> bool:
    """Whether a row of a form says nothing: no text, nothing ticked."""
    if isinstance(node, yaml.MappingNode):
        return all(is_blank(value) for _, value in node.value)
    return not node.value or node.value == "false"


@widget_of.register
def _(shape: Record) -> Widget:
    return Group(shape)


# -- grids


@dataclass(frozen=True)
class Cell:
    """A place in a grid: its column, its name under the row, its shape, and the path of its words."""

    heading: str
    name: str
    shape: Any
    path: str
    group: str = ""


@dataclass(frozen=True)
class Grid:
    """A table with known keys: a line for each, a column for each value; a line without values is none."""

    shape: Table

    def control(self, node: yaml.Node | None, question: Question) -> Control:
        lines = [self._line(key, entry(node, key), question) for key in self._keys()]
        columns = [(cell.heading, cell.group) for cell in self._cells(question)]
        return question.control("grid", node, parts=lines, columns=columns)

    def _line(self, key: str, node: yaml.Node | None, question: Question) -> Control:
        line = question.about(key, question.path, self._keys()[key])
        parts = [
            widget_of(cell.shape).control(
                _follow(node, cell.name),
                replace(
                    line,
                    name=f"{line.name}{cell.name}",
                    path=cell.path,
                    label=f"{key} {cell.heading}".strip(),
                ),
            )
            for cell in self._cells(question)
        ]
        errors = line.wrong_with(node) if isinstance(self.shape.of, Record) else []
        return Control("row", line.name, line.label, parts=parts, errors=errors)

    def _keys(self) -> Names:
        assert isinstance(self.shape.key, Scalar)
        return self.shape.key.meanings()

    def _cells(self, question: Question) -> list[Cell]:
        if not isinstance(self.shape.of, Record):
            return [Cell("", "", self.shape.of, question.path)]
        return list(_cells_of(self.shape.of, question))

    def said(self, name: str, posted: QueryDict) -> yaml.Node | None:
        widget = widget_of(self.shape.of)
        lines = ((key, widget.said(f"{name}.{key}", posted)) for key in self._keys())
        return mapping((key, line) for key, line in lines if line is not None and not is_blank(line))


def _cells_of(record: Record, question: Question) -> Iterator[Cell]:
    """The columns of a record; a table inside it takes a column for each of its keys."""
    for name, shape in record.fields.items():
        path = f"{question.path}.{name}"
        label = question.words.asked(path).label
        if isinstance(shape, Table):
            assert isinstance(shape.key, Scalar)
            for key, words in shape.key.meanings().items():
                yield Cell(words, f".{name}.{key}", shape.of, path, group=label)
        else:
            yield Cell(label, f".{name}", shape, path)


def _follow(node: yaml.Node | None, name: str) -> yaml.Node | None:
    for part in filter(None, name.split(".")):
        node = entry(node, part)
    return node


@widget_of.register
def _(shape: Table) -> Widget:
    has_known_keys = isinstance(shape.key, Scalar) and shape.key.choices
    return Grid(shape) if has_known_keys else Pairs(shape)


@dataclass(frozen=True)
class MatrixGrid:
    """Impact × urgency → priority: a line for each impact, a column for each urgency."""

    shape: Matrix

    def control(self, node: yaml.Node | None, question: Question) -> Control:
        lines = []
        for impact, words in self.shape.impact.meanings().items():
            row = entry(node, impact)
            parts = [
                widget_of(self.shape.of).control(
                    next(iter(elements(row)[i : i + 1]), None),
                    question.about(f"{impact}.{i}", question.path, f"{words}, {urgency}"),
                )
                for i, urgency in enumerate(self.shape.urgency.meanings().values())
            ]
            wrong = question.wrong_with(row)
            lines.append(Control("row", f"{question.name}.{impact}", words, parts=parts, errors=wrong))
        columns = [(words, "Urgency") for words in self.shape.urgency.meanings().values()]
        return question.control("grid", node, parts=lines, columns=columns, value="Impact")

    def said(self, name: str, posted: QueryDict) -> yaml.Node | None:
        rows = {
            impact: [posted.get(f"{name}.{impact}.{i}", "") for i in range(3)]
            for impact in self.shape.impact.meanings()
        }
        return mapping((impact, sequence(map(scalar, row))) for impact, row in rows.items())


@widget_of.register
def _(shape: Matrix) -> Widget:
    return MatrixGrid(shape)


@dataclass(frozen=True)
class WeekGrid:
    """The hours of a week: a line for each day, and room for some stretches of work in it."""

    def control(self, node: yaml.Node | None, question: Question) -> Control:
        days = self._days(node)
        room = max(SPANS_OF_A_DAY, *(len(spans) for spans in days))
        lines = [self._line(day, spans, room, question) for day, spans in enumerate(days)]
        columns = [(name, "") for _ in range(room) for name in ("from", "to")]
        return question.control("grid", node, parts=lines, columns=columns)

    def _days(self, node: yaml.Node | None) -> list[list[yaml.Node]]:
        days: list[list[yaml.Node]] = [[] for _ in DAYS]
        for key, value in entries(node):
            for day in days_of(text_of(key)):
                days[day] = elements(value) or [value]
        return days

    def _line(self, day: int, spans: list[yaml.Node], room: int, question: Question) -> Control:
        line = question.about(DAYS[day], question.path, WEEKDAYS[day])
        parts = []
        for i in range(room):
            span = spans[i] if i < len(spans) else None
            opens, _, closes = text_of(span).partition("-")
            wrong = line.wrong_with(span)
            for name, text in (("from", opens), ("to", closes)):
                label = f"{WEEKDAYS[day]} {name}, {i + 1}"
                place = f"{line.name}.{i}.{name}"
                parts.append(Control("line", place, label, value=text, type="hours", errors=wrong))
                wrong = []
        return Control("row", line.name, WEEKDAYS[day], parts=parts)

    def said(self, name: str, posted: QueryDict) -> yaml.Node | None:
        days = ((day, list(self._spans(f"{name}.{day}", posted))) for day in DAYS)
        return mapping((day, sequence(map(scalar, spans))) for day, spans in days if spans)

    def _spans(self, name: str, posted: QueryDict) -> Iterator[str]:
        for i in rows_in(name, posted):
            opens, closes = (posted.get(f"{name}.{i}.{end}", "").strip() for end in ("from", "to"))
            if opens or closes:
                yield f"{opens}-{closes}"


@widget_of.register
def _(shape: Week) -> Widget:
    return WeekGrid()
