"""The rules of a book: `out < max_lag`, `alarm.class == "DiskFull" and not ok`. Own grammar, no `eval`.

    rule       = both { "or" both }
    both       = negated { "and" negated }
    negated    = "not" negated | comparison
    comparison = value [ ("==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not in") value | "matches" text ]
    value      = number | text | "true" | "false" | name | "[" value { "," value } "]" | "(" rule ")"

Truth has three values. A fact that is absent, a text that is no number beside a number, or an output too
long for `matches` makes a comparison *unknown*; unknown stays unknown under `not`, and a rule holds only
when it is true. So a garbled output can never satisfy a rule by accident: it falls through to `else`.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from tierdesk.response.runbooks.pattern import TEXT_CHARACTERS, PatternError, compile_pattern

RULE_CHARACTERS: Final = 500
NESTING: Final = 20

type Value = str | int | float | Decimal | bool | tuple[Value, ...] | None
type Facts = Mapping[str, Value]
type _Term = Callable[[Facts], Value]


class ExpressionError(ValueError):
    """A rule that cannot be read, in words for the person who wrote it."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A rule ready for use; equal to another when it is written the same."""

    text: str
    names: frozenset[str]
    """Every fact the rule asks for."""
    truths: frozenset[str]
    """The facts that stand alone as a yes or no, such as `ok` in `not ok`."""
    term: _Term = field(compare=False, repr=False)

    def truth(self, facts: Facts) -> bool | None:
        """True, False, or None for unknown. Never raises."""
        return _truth(self.term(facts))

    def holds(self, facts: Facts) -> bool:
        """Whether the rule is true; unknown is not enough."""
        return self.truth(facts) is True


def parse_expression(text: str) -> Expression:
    """Reads a rule. Raises ExpressionError."""
    if len(text) > RULE_CHARACTERS:
        raise ExpressionError(f"a rule has at most {RULE_CHARACTERS} characters")
    reader = _Reader(text)
    term = reader.whole()
    return Expression(text, frozenset(reader.names), frozenset(reader.truths), term)


# ---- what the words mean -----------------------------------------------------------------------------------


def _truth(value: Value) -> bool | None:
    return value if isinstance(value, bool) else None


def _not(value: Value) -> bool | None:
    truth = _truth(value)
    return None if truth is None else not truth


def _both(left: Value, right: Value) -> bool | None:
    truths = (_truth(left), _truth(right))
    return False if False in truths else None if None in truths else True


def _either(left: Value, right: Value) -> bool | None:
    return _not(_both(_not(left), _not(right)))


def _number(value: Value) -> Decimal | None:
    if value is None or isinstance(value, bool | tuple):
        return None
    text = str(value).strip()
    return Decimal(text) if re.fullmatch(r"[+-]?\d+(\.\d+)?", text, re.ASCII) else None


def _same(left: Value, right: Value) -> bool | None:
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    if isinstance(left, bool) and isinstance(right, bool):
        return left is right
    return _ordered(operator.eq)(left, right)


def _ordered(compare: Callable[[Decimal, Decimal], bool]) -> Callable[[Value, Value], bool | None]:
    def of_numbers(left: Value, right: Value) -> bool | None:
        a, b = _number(left), _number(right)
        return None if a is None or b is None else compare(a, b)

    return of_numbers


def _within(item: Value, whole: Value) -> bool | None:
    if isinstance(whole, tuple):
        found: bool | None = False
        for member in whole:
            found = _either(found, _same(item, member))
        return found
    return item in whole if isinstance(item, str) and isinstance(whole, str) else None


COMPARISONS: Final[Mapping[str, Callable[[Value, Value], bool | None]]] = {
    "==": _same,
    "!=": lambda left, right: _not(_same(left, right)),
    "<": _ordered(operator.lt),
    "<=": _ordered(operator.le),
    ">": _ordered(operator.gt),
    ">=": _ordered(operator.ge),
    "in": _within,
    "not in": lambda item, whole: _not(_within(item, whole)),
}

# ---- how they are read -------------------------------------------------------------------------------------

WORDS: Final = frozenset({"and", "or", "not", "in", "matches", "true", "false"})
TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>-?\d+(?:\.\d+)?)(?![\w.])|(?P<text>\"[^\"]*\"|'[^']*')"
    r"|(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_][\w-]*)*)|(?P<sign>[=!<>]=|[<>()\[\],]))",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    """number, text, name, sign (also the reserved words) or end."""
    text: str

    def __str__(self) -> str:
        return f"“{self.text}”" if self.text else "the end"


def _tokens(text: str) -> list[_Token]:
    tokens, at = [], 0
    while text[at:].strip():
        found = TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise ExpressionError(
                f"“{text[at:].strip()[:20]}” cannot be read; a rule has names, numbers, texts in quotes, "
                "== != < <= > >= in matches and or not"
            )
        word = found[found.lastgroup]
        tokens.append(_Token("sign" if word in WORDS else found.lastgroup, word))
        at = found.end()
    return [*tokens, _Token("end", "")]


@dataclass(frozen=True, slots=True)
class _Operand:
    """A term with the one thing its neighbours must know: whether it can be a yes or no."""

    term: _Term
    name: str = ""
    """The fact, when the operand is nothing but a fact's name."""
    plain: bool = False
    """A number, a text or a list: never a yes or no."""


class _Reader:
    """Reads a rule by recursive descent; one method per line of the grammar."""

    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.names: set[str] = set()
        self.truths: set[str] = set()
        self.depth = 0

    def whole(self) -> _Term:
        rule = self._yes_or_no(self._rule())
        if self._next().kind != "end":
            raise ExpressionError(f"{self._next()} stands where “and”, “or” or the end should be")
        return rule

    def _rule(self) -> _Operand:
        return self._joined("or", self._both, _either)

    def _both(self) -> _Operand:
        return self._joined("and", self._negated, _both)

    def _joined(
        self, word: str, part: Callable[[], _Operand], join: Callable[[Value, Value], bool | None]
    ) -> _Operand:
        operand = part()
        while self._took(word):
            operand = _Operand(_applied(join, self._yes_or_no(operand), self._yes_or_no(part())))
        return operand

    def _negated(self) -> _Operand:
        if not self._took("not"):
            return self._comparison()
        self._deeper()
        inner = self._yes_or_no(self._negated())
        self.depth -= 1
        return _Operand(lambda facts: _not(inner(facts)))

    def _comparison(self) -> _Operand:
        left = self._value()
        if self._took("matches"):
            return self._matching(left)
        sign = self._comparison_sign()
        if sign is None:
            return left
        return _Operand(_applied(COMPARISONS[sign], left.term, self._value().term))

    def _matching(self, left: _Operand) -> _Operand:
        token = self._take()
        if token.kind != "text":
            raise ExpressionError(f"after “matches” stands a pattern in quotes, not {token}")
        try:
            pattern = compile_pattern(token.text[1:-1])
        except PatternError as fault:
            raise ExpressionError(f"the pattern {token} cannot be used: {fault}") from fault

        def found(facts: Facts) -> bool | None:
            value = left.term(facts)
            if value is None or isinstance(value, bool | tuple) or len(str(value)) > TEXT_CHARACTERS:
                return None
            return pattern.found_in(str(value))

        return _Operand(found)

    def _comparison_sign(self) -> str | None:
        if self._took("not"):
            if not self._took("in"):
                raise ExpressionError(f"{self._next()} stands where “in” should follow “not”")
            return "not in"
        return self._take().text if self._next().text in COMPARISONS else None

    def _value(self) -> _Operand:
        token = self._take()
        match token.kind, token.text:
            case "number", digits:
                return _constant(Decimal(digits))
            case "text", quoted:
                return _constant(quoted[1:-1])
            case "sign", ("true" | "false") as word:
                return _Operand(lambda _: word == "true")
            case "sign", "[":
                return self._list()
            case "sign", "(":
                return self._group()
            case "name", name:
                self.names.add(name)
                return _Operand(lambda facts: facts.get(name), name=name)
        raise ExpressionError(f"{token} stands where a name, a number or a “text” should be")

    def _list(self) -> _Operand:
        self._deeper()
        members = [self._value().term]
        while self._took(","):
            members.append(self._value().term)
        self._expect("]")
        self.depth -= 1
        return _Operand(lambda facts: tuple(member(facts) for member in members), plain=True)

    def _group(self) -> _Operand:
        self._deeper()
        operand = self._rule()
        self._expect(")")
        self.depth -= 1
        return operand

    def _yes_or_no(self, operand: _Operand) -> _Term:
        if operand.plain:
            raise ExpressionError("a number, a text or a list is no yes or no: compare it with something")
        if operand.name:
            self.truths.add(operand.name)
        return operand.term

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > NESTING:
            raise ExpressionError(f"a rule is nested at most {NESTING} deep")

    def _next(self) -> _Token:
        return self.tokens[0]

    def _take(self) -> _Token:
        token = self.tokens[0]
        if token.kind != "end":
            del self.tokens[0]
        return token

    def _took(self, word: str) -> bool:
        if self._next() != _Token("sign", word):
            return False
        self._take()
        return True

    def _expect(self, word: str) -> None:
        if not self._took(word):
            raise ExpressionError(f"{self._next()} stands where “{word}” should be")


def _constant(value: Value) -> _Operand:
    return _Operand(lambda _: value, plain=True)


def _applied(compare: Callable[[Value, Value], bool | None], left: _Term, right: _Term) -> _Term:
    return lambda facts: compare(left(facts), right(facts))
