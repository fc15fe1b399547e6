"""What is next in a run: a pure decision from the book and the results of its steps so far.

`decide(book, results, inputs)` walks the results from the first step and answers with one of

    Show     a person carries the step out and says which answer fits
    Execute  the machine runs the step's fence (after approval, where the fence wants it)
    Answer   the fence has run; a person says which answer fits what it printed
    Look     nobody knows whether a change took effect; a person looks, and it is never run again silently
    Finish   done "…"
    HandUp   escalate Lx "…", with a coded reason

"This book does not cover it" (a Gap) can be said of every step and ends the run like any other exit. Every
run ends: after MOST_STEPS results it hands up, whatever the book says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from tierdesk.response.runbooks.book import (
    Again,
    Book,
    Choose,
    Command,
    Done,
    Else,
    Escalate,
    Goto,
    If,
    Outcome,
    Step,
)
from tierdesk.response.runbooks.expression import Facts, Value

MOST_STEPS: Final = 100
HIGHEST_TIER: Final = 4
NONE_OF_THESE: Final = ""
"""The answer to a step when none of its choices fits; its `else` follows, or a gap where it has none."""


class UnableToWalk(ValueError):
    """The results do not fit the book: a step out of turn, an answer nobody offered, one after the end."""


class Gap(StrEnum):
    """Why a book was not enough at a step (tiers.md, Documentation gaps)."""

    MISSING = "missing"
    WRONG = "wrong"
    OUTDATED = "outdated"
    AMBIGUOUS = "ambiguous"
    NO_ACCESS = "no_access"
    NOT_APPLICABLE = "not_applicable"
    STEP_FAILED = "step_failed"


class Reason(StrEnum):
    """Why a ticket is escalated, as coded in tiers.md §2."""

    BOOK_MISSING = "book_missing"
    BOOK_INSUFFICIENT = "book_insufficient"
    BOOK_FAILED = "book_failed"
    SKILL = "skill"
    ACCESS = "access"
    PRODUCT_DEFECT = "product_defect"
    TIME = "time"
    CLIENT_REQUEST = "client_request"
    RISK = "risk"
    OTHER = "other"

    @property
    def improves_the_book(self) -> bool:
        """Whether it opens an "improve this book" task."""
        return self.value.startswith("book_")


REASON_OF_GAP: Final[Mapping[Gap, Reason]] = MappingProxyType(
    {
        Gap.MISSING: Reason.BOOK_MISSING,
        Gap.NOT_APPLICABLE: Reason.BOOK_MISSING,
        Gap.WRONG: Reason.BOOK_INSUFFICIENT,
        Gap.OUTDATED: Reason.BOOK_INSUFFICIENT,
        Gap.AMBIGUOUS: Reason.BOOK_INSUFFICIENT,
        Gap.STEP_FAILED: Reason.BOOK_FAILED,
        Gap.NO_ACCESS: Reason.ACCESS,
    }
)


@dataclass(frozen=True, slots=True)
class Result:
    """What one visit of a step came to: the last attempt, when a step was tried more than once."""

    step: str
    out: str = ""
    code: int | None = None
    """The exit status of the fence, or its like; None for a step a person carried out."""
    ok: bool | None = None
    """Whether the fence succeeded; None stands for `code == 0` where there is a code."""
    answer: str | None = None
    gap: Gap | None = None
    remark: str = ""
    unknown: bool = False
    """Nobody knows whether it took effect: the machine stopped between the effect and its record."""
    undone: bool = False

    @property
    def succeeded(self) -> bool | None:
        if self.ok is not None or self.code is None:
            return self.ok
        return self.code == 0


@dataclass(frozen=True, slots=True)
class Show:
    step: Step
    choices: tuple[str, ...]
    """The answers on offer; empty when the step only needs to be carried out."""
    after: timedelta = timedelta(0)
    """How long to wait first, when `again` led here."""


@dataclass(frozen=True, slots=True)
class Execute:
    step: Step
    command: Command
    after: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Answer:
    step: Step
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Look:
    step: Step


@dataclass(frozen=True, slots=True)
class Finish:
    step: Step
    words: str


@dataclass(frozen=True, slots=True)
class HandUp:
    step: Step
    tier: int
    words: str
    reason: Reason
    gap: Gap | None = None


@dataclass(frozen=True, slots=True)
class Undo:
    """A change that can be taken back."""

    step: Step
    command: Command
    certain: bool
    """False when nobody knows whether the change took effect."""


type Next = Show | Execute | Answer | Look | Finish | HandUp
type _Rounds = Counter[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class _Move:
    """On to another step, after a pause."""

    to: Step
    after: timedelta = timedelta(0)


NOTHING_KNOWN: Final[Facts] = MappingProxyType({})


def decide(book: Book, results: Sequence[Result], inputs: Facts = NOTHING_KNOWN) -> Next:
    """What is next after `results`, which begin at the book's first step. Raises UnableToWalk."""
    step, after = book.steps[0], timedelta(0)
    rounds: _Rounds = Counter()
    for number, result in enumerate(results, start=1):
        if result.step != step.id:
            raise UnableToWalk(f"the run stands at “{step.id}”, not at “{result.step}”")
        left = _leave(book, step, result, inputs, rounds)
        if isinstance(left, _Move) and number >= MOST_STEPS:
            left = _not_covered(book, step, Gap.WRONG, f"{MOST_STEPS} steps without an end")
        if not isinstance(left, _Move):
            if number < len(results):
                raise UnableToWalk(f"the run stopped at “{step.id}”; nothing can follow")
            return left
        step, after = left.to, left.after
    return Execute(step, step.command, after) if step.command else Show(step, _on_offer(step), after)


def undo(book: Book, results: Sequence[Result]) -> tuple[Undo, ...]:
    """The changes of a run that can be taken back, the last one first."""
    effective = (one for one in reversed(results) if not one.undone and (one.unknown or one.succeeded))
    visits = ((book.step(result.step), result) for result in effective)
    return tuple(
        Undo(step, step.undoing, certain=not result.unknown)
        for step, result in visits
        if step and step.undoing
    )


def reason_of(step: Step, outcome: Outcome) -> Reason:
    """The coded reason of an escalate exit.

    Its words may begin with the code: `escalate L2 "access: the firewall is out of reach"`. Otherwise the
    way to the exit tells: a rule or an answer that the author foresaw sends on what is beyond the tier
    (skill); `else` says that a command or all rounds of `again` did not help (book_failed), or that no
    answer fitted (book_insufficient).
    """
    reason, _ = _coded(outcome.target.words) if isinstance(outcome.target, Escalate) else (None, "")
    if reason:
        return reason
    if not isinstance(outcome.condition, Else):
        return Reason.SKILL
    if step.command or any(isinstance(other.condition, Again) for other in step.outcomes):
        return Reason.BOOK_FAILED
    return Reason.BOOK_INSUFFICIENT if step.choices else Reason.SKILL


def _on_offer(step: Step) -> tuple[str, ...]:
    """The choices of a step, with NONE_OF_THESE where something follows from it."""
    return (*step.choices, NONE_OF_THESE) if step.choices and step.otherwise else step.choices


def _leave(
    book: Book, step: Step, result: Result, inputs: Facts, rounds: _Rounds
) -> _Move | Answer | Look | Finish | HandUp:
    """Where the result of a step leads, or what is still missing from it."""
    if result.gap:
        return _not_covered(book, step, result.gap, result.remark)
    if result.unknown or (step.command and result.succeeded is None):
        return Look(step)
    if result.answer is not None and result.answer not in _on_offer(step):
        raise UnableToWalk(f"“{result.answer[:60]}” is no answer to “{step.id}”")
    facts = _facts(result, inputs)
    for place, outcome in enumerate(step.outcomes):
        if isinstance(outcome.condition, Choose) and result.answer is None:
            return Answer(step, _on_offer(step))
        if _holds(outcome, result, facts, rounds[step.id, place]):
            rounds[step.id, place] += 1
            return _follow(book, step, outcome)
    return _not_covered(book, step, Gap.MISSING, "the book does not say what follows")


def _holds(outcome: Outcome, result: Result, facts: Facts, taken: int) -> bool:
    match outcome.condition:
        case If(rule):
            return rule.holds(facts)
        case Choose(answer):
            return answer == result.answer
        case Again(times):
            return taken < times
        case Else():
            return True


def _follow(book: Book, step: Step, outcome: Outcome) -> _Move | Finish | HandUp:
    match outcome.target:
        case Done(words):
            return Finish(step, words)
        case Escalate(tier, words):
            return HandUp(step, tier, _coded(words)[1], reason_of(step, outcome))
        case Goto(name):
            following = book.step(name)
            if following is None:
                return _not_covered(book, step, Gap.WRONG, f"the book has no step “{name}”")
            return _Move(following, _pause(outcome))


def _not_covered(book: Book, step: Step, gap: Gap, words: str) -> HandUp:
    """To the tier above the book's own: it owns the gap until it knows better."""
    tier = min(book.tier + 1, HIGHEST_TIER)
    return HandUp(step, tier, words or f"the book does not cover “{step.title}”", REASON_OF_GAP[gap], gap)


def _coded(words: str) -> tuple[Reason | None, str]:
    """The reason that the words of an exit begin with, and the words without it."""
    code, colon, rest = words.partition(":")
    return (Reason(code), rest.strip()) if colon and code in tuple(Reason) else (None, words)


def _pause(outcome: Outcome) -> timedelta:
    return outcome.condition.every if isinstance(outcome.condition, Again) else timedelta(0)


def _facts(result: Result, inputs: Facts) -> Facts:
    """What the rules of a step can ask. A person's step has printed nothing, so `out` is unknown there."""
    printed: dict[str, Value] = {}
    if result.succeeded is not None:
        printed = {"out": result.out.strip(), "code": result.code, "ok": result.succeeded}
    return {**inputs, **printed}
