"""What fits on one line of a book: rules, durations, the attributes of a fence, outcomes."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from tierdesk.response.runbooks.book import (
    Again,
    BookError,
    Choose,
    Command,
    Condition,
    Done,
    Effect,
    Else,
    Escalate,
    Goto,
    If,
    Language,
    Outcome,
    Target,
)
from tierdesk.response.runbooks.expression import Expression, ExpressionError, parse_expression
from tierdesk.response.runbooks.pattern import Pattern, PatternError, compile_pattern

LINE_CHARACTERS: Final = 1_000
ROUNDS: Final = 100
DURATION: Final = re.compile(r"(?P<count>[0-9]{1,5})(?P<unit>[smhd])")
UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
FENCE: Final = re.compile(r"(?P<language>[\w+-]+)\s*\{(?P<attributes>[^{}]*)\}\s*", re.ASCII)
FLAGS: Final = ("read", "write", "dry", "undo", "destructive")
SHAPES: Final = {
    "on": re.compile(r"[a-z][a-z0-9_]*"),
    "timeout": DURATION,
    "approve": re.compile(r"L[1-4]|self"),
    "undo": re.compile(r"none"),
}
OUTCOME: Final = re.compile(
    r"""
    (?: if \s+ (?P<tick>`?) (?P<rule>.+?) (?P=tick)
      | choose \s+ "(?P<answer>[^"]+)"
      | again \s+ (?P<times>\d+) \s+ every \s+ (?P<every>\w+)
      | else
    )
    \s* (?: → | -> ) \s*
    (?: \#(?P<step>[\w-]+)
      | (?: done | escalate \s+ L(?P<tier>[1-4]) ) (?: \s+ "(?P<words>.*)" )?
    )
    """,
    re.ASCII | re.VERBOSE,
)
LIKE_AN_OUTCOME: Final = re.compile(
    r"\s*(?:if|choose|again|else)\b.*(?:→|->)|.*(?:→|->)\s*(?:#|done\b|escalate\b)", re.DOTALL
)


def read_rule(text: str, line: int) -> Expression:
    """Raises BookError, as all of these do."""
    try:
        return parse_expression(text)
    except ExpressionError as fault:
        raise BookError(line, f"the rule “{text[:60]}” cannot be read: {fault}") from fault


def read_pattern(text: str, line: int) -> Pattern:
    try:
        return compile_pattern(text)
    except PatternError as fault:
        raise BookError(line, f"the pattern “{text[:60]}” cannot be read: {fault}") from fault


def read_duration(text: str, line: int) -> timedelta:
    found = DURATION.fullmatch(text)
    if found is None or int(found["count"]) == 0:
        raise BookError(line, f"“{text[:20]}” is no duration; write 20s, 5m, 2h or 180d")
    return timedelta(**{UNITS[found["unit"]]: int(found["count"])})


def read_fence(info: str, text: str, line: int) -> tuple[Command, bool]:
    """The command of a fence that opens with `info`, and whether it is the undo of the step's other fence."""
    found = FENCE.fullmatch(info) if len(info) <= LINE_CHARACTERS else None
    if found is None or found["language"] not in tuple(Language):
        languages = ", ".join(Language)
        raise BookError(line, f"a fence to run opens with {languages}, and its attributes in “{{ }}”")
    if not text.strip():
        raise BookError(line, "the fence is empty")
    given = _attributes(found["attributes"].split(), line)
    command = Command(
        line=line,
        language=Language(found["language"]),
        text=text,
        on=given.get("on"),
        timeout=read_duration(given["timeout"], line) if "timeout" in given else None,
        effects=frozenset(effect for effect in Effect if effect in given),
        approve=given.get("approve"),
        dry="dry" in given,
        undo_none=given.get("undo") == "none",
        destructive="destructive" in given,
    )
    return command, given.get("undo") == ""


def _attributes(words: list[str], line: int) -> dict[str, str]:
    """Flags have an empty value."""
    given: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        known = name in SHAPES and SHAPES[name].fullmatch(value) if equals else name in FLAGS
        if not known:
            raise BookError(line, f"a fence has no attribute “{word[:40]}”")
        if name in given:
            raise BookError(line, f"“{name}” is given twice")
        given[name] = value
    return given


def is_like_an_outcome(text: str) -> bool:
    """Whether a line is meant to be an outcome, well written or not."""
    return LIKE_AN_OUTCOME.match(text[:LINE_CHARACTERS]) is not None


def read_outcome(content: str, line: int) -> Outcome:
    text = " ".join(content.split())
    found = OUTCOME.fullmatch(text) if len(text) <= LINE_CHARACTERS else None
    if found is None:
        forms = (
            'if `rule` → #step, choose "answer" → #step, again 3 every 5m → #step, else → escalate L2 "why"'
        )
        raise BookError(line, f"“{text[:60]}” is no outcome; write {forms}")
    return Outcome(line, _condition(found, line), _target(found))


def _condition(found: re.Match[str], line: int) -> Condition:
    if found["rule"]:
        return If(read_rule(found["rule"], line))
    if found["answer"]:
        return Choose(found["answer"].strip())
    if not found["times"]:
        return Else()
    if len(found["times"]) > 3 or not 1 <= int(found["times"]) <= ROUNDS:
        raise BookError(line, f"again is given 1 to {ROUNDS} times")
    return Again(int(found["times"]), read_duration(found["every"], line))


def _target(found: re.Match[str]) -> Target:
    if found["step"]:
        return Goto(found["step"])
    words = (found["words"] or "").strip()
    return Escalate(int(found["tier"]), words) if found["tier"] else Done(words)
