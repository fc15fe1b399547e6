"""Regular expressions that cannot hang, for `matches` in a rule and `pattern` of an input.

The text comes from a machine in trouble, and Python's `re` needs exponential time for patterns as short as
`(a+)+$`. This reader follows all alternatives at once, so a look costs at most PROGRAM_STEPS x
TEXT_CHARACTERS small steps (Thompson 1968; R. Cox, "Regular Expression Matching: the Virtual Machine
Approach").

Offered: characters, `.`, `[a-z]`, `[^a-z]`, `\\d \\w \\s` and their capitals, `\\n`, `\\t`, groups, `|`,
`* + ? {n} {n,m} {n,}`, and `^` `$` at the edges of a line. What is offered means what it means in `re` with
MULTILINE; everything else is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

PATTERN_CHARACTERS: Final = 200
PROGRAM_STEPS: Final = 400
TEXT_CHARACTERS: Final = 10_000
NESTING: Final = 20


class PatternError(ValueError):
    """A pattern that cannot be read, or a text too long to look at, in words."""


type _Accepts = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class _One:
    """Reads one character."""

    accepts: _Accepts


@dataclass(frozen=True, slots=True)
class _Fork:
    """Goes on in two places, counted from here; so a copy of a fragment needs no repair."""

    near: int
    far: int


@dataclass(frozen=True, slots=True)
class _Edge:
    """Goes on only at the first (`^`) or last (`$`) place of a line."""

    first: bool


type _Instruction = _One | _Fork | _Edge
type _Fragment = list[_Instruction]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern ready for use; equal to another when it is written the same."""

    source: str
    program: tuple[_Instruction, ...] = field(compare=False, repr=False)

    def found_in(self, text: str) -> bool:
        """Whether the pattern occurs anywhere in `text`. Raises PatternError above TEXT_CHARACTERS."""
        return self._follow(text, anywhere=True)

    def fits(self, text: str) -> bool:
        """Whether the pattern describes `text` from its first to its last character. Raises as `found_in`."""
        return self._follow(text, anywhere=False)

    def _follow(self, text: str, *, anywhere: bool) -> bool:
        if len(text) > TEXT_CHARACTERS:
            raise PatternError(f"the text has more than {TEXT_CHARACTERS} characters")
        found = len(self.program)
        places: set[int] = {0}
        for at in range(len(text) + 1):
            first = at == 0 or text[at - 1] == "\n"
            last = at == len(text) or text[at] == "\n"
            places = self._open(places | {0} if anywhere else places, first=first, last=last)
            if found in places and (anywhere or at == len(text)):
                return True
            if at < len(text):
                places = self._read(places, text[at])
        return False

    def _open(self, places: Iterable[int], *, first: bool, last: bool) -> set[int]:
        """All places that can be reached from `places` without reading a character."""
        waiting, seen = list(places), set[int]()
        while waiting:
            place = waiting.pop()
            if place in seen:
                continue
            seen.add(place)
            match self.program[place] if place < len(self.program) else None:
                case _Fork(near, far):
                    waiting += (place + near, place + far)
                case _Edge(wants_first) if first if wants_first else last:
                    waiting.append(place + 1)
        return seen

    def _read(self, places: Iterable[int], character: str) -> set[int]:
        following = set[int]()
        for place in places:
            step = self.program[place] if place < len(self.program) else None
            if isinstance(step, _One) and step.accepts(character):
                following.add(place + 1)
        return following


def compile_pattern(source: str) -> Pattern:
    """Reads a pattern. Raises PatternError for what is not offered, too long or too large."""
    if len(source) > PATTERN_CHARACTERS:
        raise PatternError(f"a pattern has at most {PATTERN_CHARACTERS} characters")
    return Pattern(source, tuple(_Reader(source).whole()))


CLASSES: Final[dict[str, _Accepts]] = {
    "d": str.isdecimal,
    "w": lambda c: c.isalnum() or c == "_",
    "s": str.isspace,
    "D": lambda c: not c.isdecimal(),
    "W": lambda c: not (c.isalnum() or c == "_"),
    "S": lambda c: not c.isspace(),
}
CONTROLS: Final = {"n": "\n", "t": "\t"}


class _Reader:
    """Reads a pattern from left to right into instructions."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.depth = 0

    def whole(self) -> _Fragment:
        fragment = self._alternatives()
        if self.at < len(self.source):
            raise PatternError("a “)” closes nothing")
        return fragment

    def _alternatives(self) -> _Fragment:
        fragment = self._sequence()
        while self._took("|"):
            other = self._sequence()
            over = len(other) + 1
            fragment = [_Fork(1, len(fragment) + 2), *fragment, _Fork(over, over), *other]
        return _bounded(fragment)

    def _sequence(self) -> _Fragment:
        fragment: _Fragment = []
        while self._next() not in ("", "|", ")"):
            fragment = _bounded(fragment + self._repeated(self._atom()))
        return fragment

    def _atom(self) -> _Fragment:
        match self._take():
            case "(":
                return self._group()
            case "[":
                return [_One(self._set())]
            case "^":
                return [_Edge(first=True)]
            case "$":
                return [_Edge(first=False)]
            case ".":
                return [_One(lambda c: c != "\n")]
            case "\\":
                return [_One(self._escape())]
            case ("*" | "+" | "?" | "{") as sign:
                raise PatternError(f"“{sign}” repeats nothing; write “\\{sign}” for the sign itself")
            case character:
                return [_One(_exactly(character))]

    def _group(self) -> _Fragment:
        self.depth += 1
        if self.depth > NESTING:
            raise PatternError(f"groups are nested at most {NESTING} deep")
        if self._took("?") and not self._took(":"):
            raise PatternError("“(?” is only offered as “(?:”")
        fragment = self._alternatives()
        if not self._took(")"):
            raise PatternError("a “(” is never closed")
        self.depth -= 1
        return fragment

    def _repeated(self, once: _Fragment) -> _Fragment:
        repeat = self._repeat()
        if repeat is None:
            return once
        if len(once) == 1 and isinstance(once[0], _Edge):
            raise PatternError("an edge of a line cannot be repeated")
        least, most = repeat
        if len(once) * (most or least) > PROGRAM_STEPS:
            raise PatternError("the pattern repeats too much")
        more = _star(once) if most is None else _maybe(once) * (most - least)
        return once * least + more

    def _repeat(self) -> tuple[int, int | None] | None:
        """Least and most times; most is None when there is no limit."""
        if self._took("*"):
            return 0, None
        if self._took("+"):
            return 1, None
        if self._took("?"):
            return 0, 1
        return self._counted() if self._took("{") else None

    def _counted(self) -> tuple[int, int | None]:
        inside, closed, _ = self.source[self.at :].partition("}")
        self.at += len(inside) + 1
        least, comma, most = inside.partition(",")
        if not closed or not _is_count(least) or not (_is_count(most) or not most):
            raise PatternError("write a count as {2}, {2,} or {2,5}; write “\\{” for the sign itself")
        limits = (int(least), (int(most) if most else None) if comma else int(least))
        if limits[1] is not None and limits[1] < limits[0]:
            raise PatternError(f"{{{inside}}} ends before it begins")
        return limits

    def _set(self) -> _Accepts:
        inverted = self._took("^")
        members: list[_Accepts] = []
        while not members or self._next() != "]":
            members.append(self._member())
        self._take()
        return lambda c: any(accepts(c) for accepts in members) is not inverted

    def _member(self) -> _Accepts:
        low = self._set_character()
        if callable(low):
            return low
        if self._next() != "-" or self.source[self.at + 1 : self.at + 2] in ("]", ""):
            return _exactly(low)
        self._take()
        high = self._set_character()
        if callable(high) or high < low:
            raise PatternError(f"no characters lie between “{low}” and what follows “-”")
        return lambda c: low <= c <= high

    def _set_character(self) -> str | _Accepts:
        character = self._take("a “[” is never closed")
        if character == "[":
            raise PatternError("inside “[ ]” write “\\[” for the sign itself")
        if character != "\\":
            return character
        named = self._next()
        if named in CLASSES:
            self._take()
            return CLASSES[named]
        return self._escaped_character()

    def _escape(self) -> _Accepts:
        if self._next() in CLASSES:
            return CLASSES[self._take()]
        return _exactly(self._escaped_character())

    def _escaped_character(self) -> str:
        character = self._take("a “\\” stands at the end")
        if character in CONTROLS:
            return CONTROLS[character]
        if character.isalnum():
            raise PatternError(f"“\\{character}” is not offered")
        return character

    def _next(self) -> str:
        return self.source[self.at : self.at + 1]

    def _take(self, otherwise: str = "the pattern ends too early") -> str:
        character = self._next()
        if not character:
            raise PatternError(otherwise)
        self.at += 1
        return character

    def _took(self, character: str) -> bool:
        if self._next() != character:
            return False
        self.at += 1
        return True


def _exactly(wanted: str) -> _Accepts:
    return lambda c: c == wanted


def _star(once: _Fragment) -> _Fragment:
    return [_Fork(1, len(once) + 2), *once, _Fork(-len(once) - 1, 1)]


def _maybe(once: _Fragment) -> _Fragment:
    return [_Fork(1, len(once) + 1), *once]


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 3


def _bounded(fragment: _Fragment) -> _Fragment:
    if len(fragment) > PROGRAM_STEPS:
        raise PatternError("the pattern is too large")
    return fragment
