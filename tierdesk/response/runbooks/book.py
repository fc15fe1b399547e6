"""A book: a Markdown document with a YAML head and steps, read by people and walked by `walk.py`.

Cookbook at L1, run-book at L2 and L3. The page renders on any Git host:

    ---
    id: printer-offline            the head: identity, owner, tier, when it applies (`match`), inputs
    ---
    ## Look at the queue {#queue}  a step: prose for a person,

    ```sh {on=host timeout=20s read}
    lpstat -p                      at most one fence to run, and an `{undo}` fence beside it,
    ```

    - if `out matches "idle"` → done "the printer is ready"
    - else → escalate L2 "the queue cannot be read"      and outcomes, tried in order.

`parse.py` reads it: what it cannot read is a BookError with a line. Whether a book that reads is a *good*
book is for `lint.py` to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from tierdesk.response.runbooks.expression import Expression, Value
from tierdesk.response.runbooks.pattern import Pattern


class BookError(ValueError):
    """A book that cannot be read: the line (the first is 1) and what is wrong there, in words."""

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


# No text begins with "-": a command would read it as an option, and quoting does not help.
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
    InputType.NUMBER: Decimal,
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
    def undoing(self) -> Command | None:
        """The undo, at the place, within the time and with the approval of its write."""
        if self.undo is None or self.command is None:
            return None
        write = self.command
        return replace(
            self.undo,
            on=self.undo.on or write.on,
            timeout=self.undo.timeout or write.timeout,
            effects=write.effects,
            approve=write.approve,
        )

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
