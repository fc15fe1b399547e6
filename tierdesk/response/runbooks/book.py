"""A book: a Markdown document with a YAML head and steps, read by people and walked by `walk.py`.

Cookbook at L1, run-book at L2 and L3. The page renders on any Git host:

    ---
    id: printer-offline            the head: identity, owner, tier, when it applies (`match`), inputs, names of secrets
    ---
    ## Look at the queue {#queue}  a step: prose for a person,

    ```sh {on=host timeout=20s read}
    lpstat -p                      at most one fence to run, and an `{undo}` fence beside it,
    ```

    - if `out matches "idle"` → done "the printer is ready"
    - else → escalate L2 "the queue cannot be read"      and outcomes, tried in order.

`parse_book` only reads: what it cannot read is a BookError with a line. Whether a book that reads is a *good* book is `lint.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tierdesk.response.runbooks.expression import WORDS, Expression, ExpressionError, Value, parse_expression
from tierdesk.response.runbooks.pattern import Pattern, PatternError, compile_pattern

BOOK_CHARACTERS: Final = 200_000
HEAD_CHARACTERS: Final = 20_000
HEAD_NESTING: Final = 6
LINE_CHARACTERS: Final = 1_000
ROUNDS: Final = 100


class BookError(ValueError):
    """A book that cannot be read: the line (1 is the first of the document) and what is wrong there, in words."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(f"line {line}: {sentence}")
        self.line = line
        self.sentence = sentence


class Risk(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class InputType(StrEnum):
    TEXT = "text"
    HOST = "host"
    INT = "int"
    NUMBER = "number"
    BOOL = "bool"


class InputError(ValueError):
    """A value that an input does not take, in words."""


@dataclass(frozen=True, slots=True)
class Input:
    """Something a run must know before it starts: asked from a person, or taken from the alarm or ticket."""

    name: str
    line: int
    type: InputType
    default: str | None = None
    source: str | None = None
    """The fact it is taken from (`from:` in the head), such as `alarm.resource`."""
    values: tuple[str, ...] = ()
    pattern: Pattern | None = None
    required: bool = True
    unit: str = ""

    def read(self, text: str) -> Value:
        """The value `text` stands for, in the input's type. Raises InputError."""
        shape = SHAPES[self.type]
        if not shape.fullmatch(text):
            raise InputError(f"“{text[:40]}” is not {MEANINGS[self.type]}")
        if self.values and text not in self.values:
            raise InputError(f"“{text[:40]}” is not one of {', '.join(self.values)}")
        if self.pattern and not self.pattern.fits(text):
            raise InputError(f"“{text[:40]}” does not fit {self.pattern.source}")
        return CONVERSIONS[self.type](text)


# No value begins with "-": a command would read it as an option, and quoting does not help (security.md, books).
SHAPES: Final[dict[InputType, re.Pattern[str]]] = {
    InputType.TEXT: re.compile(r"(?!-)[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,1000}"),
    InputType.HOST: re.compile(r"(?!-)[A-Za-z0-9._:@/-]{1,128}"),
    InputType.INT: re.compile(r"-?[0-9]{1,18}"),
    InputType.NUMBER: re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?"),
    InputType.BOOL: re.compile(r"true|false"),
}
MEANINGS: Final = {
    InputType.TEXT: "one line of text that does not begin with “-”",
    InputType.HOST: "the name of a host",
    InputType.INT: "a whole number",
    InputType.NUMBER: "a number",
    InputType.BOOL: "true or false",
}
CONVERSIONS: Final[dict[InputType, Callable[[str], Value]]] = {
    InputType.TEXT: str,
    InputType.HOST: str,
    InputType.INT: int,
    InputType.NUMBER: float,
    InputType.BOOL: lambda text: text == "true",
}


@dataclass(frozen=True, slots=True)
class Goto:
    """Go on at another step."""

    step: str


@dataclass(frozen=True, slots=True)
class Done:
    """The trouble is over."""

    words: str


@dataclass(frozen=True, slots=True)
class Escalate:
    """The book ends here and a higher tier goes on."""

    tier: int
    words: str


type Target = Goto | Done | Escalate


@dataclass(frozen=True, slots=True)
class If:
    rule: Expression


@dataclass(frozen=True, slots=True)
class Choose:
    """A person says so."""

    answer: str


@dataclass(frozen=True, slots=True)
class Again:
    """Taken at most `times` times in one run, each time after a pause."""

    times: int
    every: timedelta


@dataclass(frozen=True, slots=True)
class Else:
    """Always."""


type Condition = If | Choose | Again | Else


@dataclass(frozen=True, slots=True)
class Outcome:
    """One line of the list under a step: on this condition, go there."""

    line: int
    condition: Condition
    target: Target


class Language(StrEnum):
    SH = "sh"
    SQL = "sql"
    HTTP = "http"
    PY = "py"
    ANSIBLE = "ansible"


class Effect(StrEnum):
    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Command:
    """A fence to run. What is missing or contradicts itself is for `lint.py` to refuse."""

    line: int
    language: Language
    text: str
    on: str | None = None
    """The input that names where it runs."""
    timeout: timedelta | None = None
    effects: frozenset[Effect] = frozenset()
    approve: str | None = None
    """`L1` to `L4`: a person of that tier other than the runner agrees first. `self`: the runner confirms."""
    dry: bool = False
    undo_none: bool = False
    destructive: bool = False

    @property
    def writes(self) -> bool:
        """Whether it changes something. What does not say so is taken to."""
        return self.effects != {Effect.READ}


@dataclass(frozen=True, slots=True)
class Step:
    id: str
    title: str
    line: int
    prose: str
    """Markdown, without the fences to run and the outcomes."""
    command: Command | None
    undo: Command | None
    outcomes: tuple[Outcome, ...]
    shown_fences: tuple[int, ...] = ()
    """Lines of fences in a language that could run, but without attributes: shown, never run."""

    @property
    def choices(self) -> tuple[str, ...]:
        """The answers a person can give, in order."""
        return tuple(o.condition.answer for o in self.outcomes if isinstance(o.condition, Choose))

    @property
    def otherwise(self) -> bool:
        """Whether the list ends in something that always holds."""
        return any(isinstance(o.condition, Else) for o in self.outcomes)


@dataclass(frozen=True, slots=True)
class Book:
    id: str
    title: str
    revision: int
    owner: str
    tier: int
    """1 to 3: the lowest tier that may run it."""
    risk: Risk
    match: Expression | None
    review: timedelta | None
    """How long a review is good for."""
    inputs: tuple[Input, ...]
    secrets: tuple[str, ...]
    """Names, never values."""
    preamble: str
    """Markdown above the first step: when the book applies, and what never to do."""
    steps: tuple[Step, ...]
    head_lines: dict[str, int] = field(default_factory=dict, compare=False, repr=False)
    """The line of each field of the head."""

    def step(self, step_id: str) -> Step | None:
        return next((step for step in self.steps if step.id == step_id), None)

    def line_of(self, head_field: str) -> int:
        """The line of a field of the head; 1 when it is not there."""
        return self.head_lines.get(head_field, 1)


def parse_book(source: str) -> Book:
    """Reads a whole book. Raises BookError for the first thing that cannot be read, and nothing else."""
    if len(source) > BOOK_CHARACTERS:
        raise BookError(1, f"a book has at most {BOOK_CHARACTERS} characters")
    text = source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    head_text, body = _divided(text)
    head = _Head(head_text)
    first_line = text.count("\n", 0, len(text) - len(body))
    preamble, steps = _Body(body, lines_before=first_line).read()
    return Book(
        id=head.word("id", IDENTIFIER),
        title=head.text("title"),
        revision=int(head.word("revision", WHOLE)),
        owner=head.text("owner"),
        tier=int(head.word("tier", re.compile("L[1-3]"))[1]),
        risk=Risk(head.word("risk", re.compile("|".join(Risk)))),
        match=head.rule("match"),
        review=head.duration("review"),
        inputs=head.inputs(),
        secrets=head.secrets(),
        preamble=preamble,
        steps=steps,
        head_lines=head.lines(),
    )


def _divided(text: str) -> tuple[str, str]:
    """The YAML between the first two lines of `---`, and everything below."""
    if not text.startswith("---\n"):
        raise BookError(1, "a book begins with a head between two lines of “---”")
    head, closed, body = text[4:].partition("\n---\n")
    if not closed:
        raise BookError(1, "the head is not closed: a line “---” is missing below it")
    return head, body


# ---- the head ------------------------------------------------------------------------------------------------------------

IDENTIFIER: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
WHOLE: Final = re.compile(r"[0-9]{1,9}")
INPUT_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
SECRET_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}(/[A-Za-z0-9_.-]{1,64}){0,3}")
FACT_NAME: Final = re.compile(r"[a-z_]+(\.[A-Za-z_][\w-]*){0,3}", re.ASCII)
HEAD_FIELDS: Final = (
    "id",
    "title",
    "revision",
    "owner",
    "tier",
    "match",
    "risk",
    "review",
    "inputs",
    "secrets",
)
INPUT_FIELDS: Final = ("type", "default", "from", "values", "pattern", "required", "unit")
RESERVED: Final = WORDS | {"out", "code", "ok"}

type _Fields = dict[str, tuple[int, yaml.Node]]


class _Head:
    """The head as YAML nodes, never as constructed objects: every value stays text, and every fault knows its line."""

    LINES_BEFORE: Final = 1

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
        return _rule(self.text(name), self.fields[name][0])

    def duration(self, name: str) -> timedelta | None:
        if name not in self.fields:
            return None
        return _duration(self.text(name), self.fields[name][0])

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
        if not FACT_NAME.fullmatch(given.get("from", "alarm")):
            raise BookError(line, f"“from” of “{name}” names a fact, such as alarm.resource")
        return Input(
            name=name,
            line=line,
            type=InputType(given.get("type", "text")),
            default=given.get("default"),
            source=given.get("from"),
            values=self._texts(*fields["values"], "values") if "values" in fields else (),
            pattern=_pattern(given["pattern"], line) if "pattern" in given else None,
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
            mark = fault.problem_mark or fault.context_mark
            raise BookError(
                self._line(mark.line if mark else 0), f"the head is no YAML: {fault.problem}"
            ) from fault
        except yaml.YAMLError as fault:
            raise BookError(1, f"the head is no YAML: {str(fault).splitlines()[0]}") from fault
        if node is None:
            raise BookError(1, "the head is empty")
        return node

    def _guard(self, text: str) -> None:
        """Refuses what a head has no use for and attackers have: aliases (bombs), tags (objects), deep nesting, a second document."""
        depth = documents = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            line = self._line(event.start_mark.line)
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
        line = self._line(node.start_mark.line)
        if not isinstance(node, yaml.MappingNode):
            raise BookError(line, f"{what} is a list of “name: value”")
        fields: _Fields = {}
        for key, value in node.value:
            line = self._line(key.start_mark.line)
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
        return tuple(self._scalar(self._line(item.start_mark.line), item, name) for item in node.value)

    def _scalar(self, line: int, node: yaml.Node, name: str) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise BookError(line, f"“{name}” is one value")
        text = str(node.value).strip()
        if not text or "\n" in text or len(text) > LINE_CHARACTERS:
            raise BookError(line, f"“{name}” is one line of 1 to {LINE_CHARACTERS} characters")
        return text

    def _line(self, mark_line: int) -> int:
        return mark_line + 1 + self.LINES_BEFORE


# ---- the body ------------------------------------------------------------------------------------------------------------

TITLE: Final = re.compile(r"(?P<title>\S.*?)\s*\{#(?P<id>[a-z0-9][\w-]{0,63})\}", re.ASCII)
FENCE: Final = re.compile(r"(?P<language>[\w+-]*)\s*(?:\{(?P<attributes>[^{}]*)\})?\s*", re.ASCII)
OUTCOME: Final = re.compile(
    r"(?:(?P<if>if)\s+`?(?P<rule>.+?)`?|choose\s+\"(?P<answer>[^\"]+)\"|again\s+(?P<times>\d+)\s+every\s+(?P<every>\w+)|else)"
    r"\s*(?:→|->)\s*(?:#(?P<step>[\w-]+)|(?P<end>done|escalate\s+L(?P<tier>[1-4]))(?:\s+\"(?P<words>.*)\")?)",
    re.ASCII,
)
LIKE_AN_OUTCOME: Final = re.compile(r"(?:if|choose|again|else)\b[^→]*?(?:→|->)")
DURATION: Final = re.compile(r"(?P<count>[0-9]{1,5})(?P<unit>[smhd])")
# Only blocks matter here. Inline parsing is left to the page that shows the prose; it also costs quadratic time on "[[[[[".
# A link's definition stays with the prose it stands in.
BLOCKS: Final = MarkdownIt("commonmark").disable(["inline", "reference"])
UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(slots=True)
class _Draft:
    """A step while it is read."""

    id: str
    title: str
    line: int
    prose: list[str] = field(default_factory=list)
    command: Command | None = None
    undo: Command | None = None
    outcomes: list[Outcome] = field(default_factory=list)
    shown_fences: list[int] = field(default_factory=list)

    def finished(self) -> Step:
        prose = "\n\n".join(self.prose)
        outcomes, shown = tuple(self.outcomes), tuple(self.shown_fences)
        return Step(self.id, self.title, self.line, prose, self.command, self.undo, outcomes, shown)


class _Body:
    """Everything below the head, block by block."""

    def __init__(self, text: str, *, lines_before: int) -> None:
        self.source = text.split("\n")
        self.lines_before = lines_before
        self.tokens = BLOCKS.parse(text)
        self.preamble: list[str] = []
        self.drafts: list[_Draft] = []

    def read(self) -> tuple[str, tuple[Step, ...]]:
        for block in self._blocks():
            self._read_block(block)
        if not self.drafts:
            raise BookError(self.lines_before + 1, "a book has at least one step: “## Title {#id}”")
        return "\n\n".join(self.preamble), tuple(draft.finished() for draft in self.drafts)

    def _blocks(self) -> Iterator[list[Token]]:
        """The top-level blocks, each with all tokens inside it."""
        block: list[Token] = []
        for token in self.tokens:
            block.append(token)
            if token.level == 0 and token.nesting <= 0:
                yield block
                block = []

    def _read_block(self, block: list[Token]) -> None:
        first = block[0]
        if first.type == "heading_open" and first.tag == "h2":
            self._begin_step(block)
        elif first.type == "fence" and self._is_to_run(first):
            self._read_fence(first)
        elif first.type == "bullet_list_open" and self.drafts and self._outcome_lines(block):
            self._read_outcomes(block)
        else:
            self._read_prose(block)

    def _begin_step(self, block: list[Token]) -> None:
        line = self._line(block[0])
        found = TITLE.fullmatch(block[1].content.strip()[:LINE_CHARACTERS])
        if found is None:
            raise BookError(line, "the heading of a step ends with its name: “## Title {#name}”")
        if any(draft.id == found["id"] for draft in self.drafts):
            raise BookError(line, f"two steps are named “{found['id']}”")
        self.drafts.append(_Draft(found["id"], found["title"], line))

    def _read_prose(self, block: list[Token]) -> None:
        for token in block:
            if token.type == "fence" and self._is_to_run(token):
                raise BookError(
                    self._line(token), "a fence to run stands at the left margin, outside of lists and quotes"
                )
        into = self.drafts[-1].prose if self.drafts else self.preamble
        begin, end = block[0].map or (0, 0)
        into.append("\n".join(self.source[begin:end]).strip("\n"))
        if block[0].type == "fence" and self.drafts and block[0].info.strip() in tuple(Language):
            self.drafts[-1].shown_fences.append(self._line(block[0]))

    def _is_to_run(self, token: Token) -> bool:
        return "{" in token.info

    def _read_fence(self, token: Token) -> None:
        line = self._line(token)
        if not self.drafts:
            raise BookError(line, "a fence to run belongs to a step")
        step, (command, is_undo) = self.drafts[-1], self._fence(token, line)
        if not command.text.strip():
            raise BookError(line, "the fence is empty")
        if (step.undo if is_undo else step.command) is not None:
            raise BookError(line, "a step has one fence to run and one undo at most; make it two steps")
        if is_undo:
            step.undo = command
        else:
            step.command = command

    def _fence(self, token: Token, line: int) -> tuple[Command, bool]:
        found = FENCE.fullmatch(token.info[:LINE_CHARACTERS])
        if found is None or found["language"] not in tuple(Language):
            raise BookError(
                line, f"a fence to run opens with {', '.join(Language)} and its attributes in “{{ }}”"
            )
        flags, values = self._attributes(found["attributes"].split(), line)
        approve = values.get("approve")
        if approve is not None and approve not in ("L1", "L2", "L3", "L4", "self"):
            raise BookError(line, "“approve” names a tier, L1 to L4, or self")
        if values.get("undo", "none") != "none":
            raise BookError(line, "“undo” is none, or a fence of its own")
        command = Command(
            line=line,
            language=Language(found["language"]),
            text=token.content,
            on=values.get("on"),
            timeout=_duration(values["timeout"], line) if "timeout" in values else None,
            effects=frozenset(effect for effect in Effect if effect in flags),
            approve=approve,
            dry="dry" in flags,
            undo_none="undo" in values,
            destructive="destructive" in flags,
        )
        return command, "undo" in flags

    def _attributes(self, words: list[str], line: int) -> tuple[set[str], dict[str, str]]:
        flags, values = set[str](), dict[str, str]()
        for word in words:
            name, equals, value = word.partition("=")
            known = (
                ("on", "timeout", "approve", "undo")
                if equals
                else ("read", "write", "dry", "undo", "destructive")
            )
            if name not in known or (equals and not value):
                raise BookError(line, f"a fence has no attribute “{word[:40]}”")
            if name in values or name in flags:
                raise BookError(line, f"“{name}” is given twice")
            if equals:
                values[name] = value
            else:
                flags.add(name)
        return flags, values

    def _outcome_lines(self, block: list[Token]) -> bool:
        """Whether a list is the list of outcomes: one of its lines reads like one."""
        return any(t.type == "inline" and LIKE_AN_OUTCOME.match(t.content) for t in block)

    def _read_outcomes(self, block: list[Token]) -> None:
        for token in block:
            if token.level == 2 and token.nesting >= 0 and token.type != "paragraph_open":
                raise BookError(self._line(token), "an outcome is one line; what stands here is not")
            if token.type == "inline":
                self.drafts[-1].outcomes.append(self._outcome(token.content, self._line(token)))

    def _outcome(self, content: str, line: int) -> Outcome:
        text = " ".join(content.split())
        found = OUTCOME.fullmatch(text) if len(text) <= LINE_CHARACTERS else None
        if found is None:
            raise BookError(
                line,
                f'“{text[:60]}” is no outcome; write: if `rule` → #step, choose "answer" → #step, '
                'again 3 every 5m → #step, else → done "…" or escalate L2 "…"',
            )
        return Outcome(line, self._condition(found, line), self._target(found))

    def _condition(self, found: re.Match[str], line: int) -> Condition:
        if found["if"]:
            return If(_rule(found["rule"], line))
        if found["answer"]:
            return Choose(found["answer"].strip())
        if not found["times"]:
            return Else()
        if len(found["times"]) > 3 or not 1 <= int(found["times"]) <= ROUNDS:
            raise BookError(line, f"again is given 1 to {ROUNDS} times")
        return Again(int(found["times"]), _duration(found["every"], line))

    def _target(self, found: re.Match[str]) -> Target:
        if found["step"]:
            return Goto(found["step"])
        words = (found["words"] or "").strip()
        return Escalate(int(found["tier"]), words) if found["tier"] else Done(words)

    def _line(self, token: Token) -> int:
        return self.lines_before + (token.map[0] if token.map else 0) + 1


def _rule(text: str, line: int) -> Expression:
    try:
        return parse_expression(text)
    except ExpressionError as fault:
        raise BookError(line, f"the rule “{text[:60]}” cannot be read: {fault}") from fault


def _pattern(text: str, line: int) -> Pattern:
    try:
        return compile_pattern(text)
    except PatternError as fault:
        raise BookError(line, f"the pattern “{text[:60]}” cannot be read: {fault}") from fault


def _duration(text: str, line: int) -> timedelta:
    found = DURATION.fullmatch(text)
    if found is None or int(found["count"]) == 0:
        raise BookError(line, f"“{text[:20]}” is no duration; write 20s, 5m, 2h or 180d")
    return timedelta(**{UNITS[found["unit"]]: int(found["count"])})
