"""Whether a book that can be read is a book that can be trusted.

A refusal keeps it from being saved: somebody would be led nowhere, round in circles, or into a change that
cannot be taken back. A warning is for its author and reviewer. Each check is one function from a book to its
findings; CHECKS lists them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from tierdesk.response.runbooks.book import (
    Again,
    Book,
    Choose,
    Command,
    Done,
    Effect,
    Else,
    Escalate,
    Goto,
    If,
    InputError,
    InputType,
    Language,
    Outcome,
    Risk,
    Step,
)
from tierdesk.response.runbooks.expression import Expression
from tierdesk.response.runbooks.match import is_fact

SHORT_BOOK: Final = 9
LONG_COMMAND: Final = timedelta(minutes=30)
PRINTED: Final = frozenset({"out", "code", "ok"})
NEEDS_A_PLACE: Final = frozenset({Language.SH, Language.SQL, Language.ANSIBLE})


class Severity(StrEnum):
    REFUSAL = "refusal"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    line: int
    severity: Severity
    sentence: str


def check(book: Book) -> list[Finding]:
    """Everything there is to say about a book, from its first line to its last."""
    findings = {finding for one_check in CHECKS for finding in one_check(book)}
    return sorted(findings, key=lambda finding: (finding.line, finding.severity, finding.sentence))


def refusals(findings: Iterable[Finding]) -> list[Finding]:
    """Those that keep a book from being saved."""
    return [finding for finding in findings if finding.severity is Severity.REFUSAL]


# ---- the way through ---------------------------------------------------------------------------------------


def targets_exist(book: Book) -> Iterator[Finding]:
    for step in book.steps:
        for outcome in step.outcomes:
            if isinstance(outcome.target, Goto) and book.step(outcome.target.step) is None:
                yield _refused(outcome.line, f"there is no step “{outcome.target.step}”")


def steps_are_reached(book: Book) -> Iterator[Finding]:
    reached = _closure({book.steps[0].id}, {step.id: _following(step) for step in book.steps})
    for step in book.steps:
        if step.id not in reached:
            yield _refused(step.line, f"no way leads to “{step.id}”")


def steps_have_a_way_out(book: Book) -> Iterator[Finding]:
    ahead = {step.id: _following(step) for step in book.steps}
    behind = {name: {other for other in ahead if name in ahead[other]} for name in ahead}
    out = _closure({step.id for step in book.steps if _ends_here(step)}, behind)
    for step in book.steps:
        if not step.outcomes:
            yield _refused(step.line, f"“{step.id}” does not say what follows")
        elif step.id not in out:
            yield _refused(step.line, f"from “{step.id}” no way leads to done or escalate")
        elif not step.command and not step.choices and not step.otherwise:
            yield _refused(step.line, f"“{step.id}” needs an else: perhaps none of its outcomes holds")


def circles_are_counted(book: Book) -> Iterator[Finding]:
    """What is left when the steps that nothing leads to, and those that lead nowhere, are taken away."""
    ahead = {step.id: _following(step, counted=False) for step in book.steps}
    while loose := {name for name in ahead if not ahead[name] & ahead.keys() or not _led_to(name, ahead)}:
        ahead = {name: following for name, following in ahead.items() if name not in loose}
    circle = [step for step in book.steps if step.id in ahead]
    if circle:
        names = ", ".join(f"“{step.id}”" for step in circle)
        remedy = "lead back with “again N every T → #step”"
        yield _refused(circle[0].line, f"{names} can go round for ever: {remedy}")


def somebody_can_be_asked(book: Book) -> Iterator[Finding]:
    if not any(isinstance(outcome.target, Escalate) for step in book.steps for outcome in step.outcomes):
        yield _refused(book.steps[-1].line, "a book has at least one “escalate” exit")


def answers_differ(book: Book) -> Iterator[Finding]:
    for step in book.steps:
        seen = set[str]()
        for outcome in step.outcomes:
            if isinstance(outcome.condition, Choose):
                if outcome.condition.answer in seen:
                    yield _refused(outcome.line, f"“{outcome.condition.answer}” is offered twice")
                seen.add(outcome.condition.answer)


# ---- what is run -------------------------------------------------------------------------------------------


def commands_are_bounded(book: Book) -> Iterator[Finding]:
    for step, command in _commands(book):
        if command.timeout is None:
            yield _refused(command.line, "a fence to run has a timeout: timeout=20s")
        elif command.timeout > LONG_COMMAND:
            yield _warned(command.line, "a command that runs longer than 30 minutes blocks its run")
        if len(command.effects) != 1:
            yield _refused(command.line, "a fence to run says either read or write")
        if not step.otherwise:
            yield _refused(step.line, f"“{step.id}” runs a command, so it needs an else")


def commands_have_a_place(book: Book) -> Iterator[Finding]:
    hosts = {given.name for given in book.inputs if given.type is InputType.HOST}
    for step, command in _commands(book):
        for fence in filter(None, (command, step.undo)):
            if fence.on is not None and fence.on not in hosts:
                yield _refused(fence.line, f"“on={fence.on}” names no input of type host")
        if command.on is None and command.language in NEEDS_A_PLACE:
            yield _refused(command.line, "the fence does not say where it runs: on=<an input of type host>")


def changes_can_be_undone(book: Book) -> Iterator[Finding]:
    for step in book.steps:
        if step.undo and not _changes_something(step):
            yield _refused(step.undo.line, f"“{step.id}” changes nothing, so there is nothing to undo")
    for step, command in _changes(book):
        if step.undo is None and not command.undo_none:
            yield _refused(command.line, "a write has an undo fence, or says undo=none")
        if step.undo and command.undo_none:
            yield _refused(command.line, "a write that says undo=none has no undo fence")


def destruction_has_a_second_approver(book: Book) -> Iterator[Finding]:
    for step, command in _commands(book):
        if command.destructive and not _changes_something(step):
            yield _refused(command.line, "only a write can be destructive")
        if command.destructive and command.approve in (None, "self"):
            yield _refused(command.line, "what destroys needs a second person: approve=L2")


def undo_fences_are_bare(book: Book) -> Iterator[Finding]:
    for undo in (step.undo for step in book.steps if step.undo):
        if undo.effects or undo.approve or undo.undo_none or undo.destructive or undo.dry:
            yield _refused(undo.line, "an undo fence takes only on= and timeout=; its write says the rest")


# ---- what is asked -----------------------------------------------------------------------------------------


def rules_ask_for_what_is_known(book: Book) -> Iterator[Finding]:
    given = {one.name for one in book.inputs}
    truths = {"ok"} | {one.name for one in book.inputs if one.type is InputType.BOOL}
    for step in book.steps:
        known = given | PRINTED if step.command else given
        for outcome, rule in _rules(step):
            for name in sorted(rule.names - known):
                why = "this step runs nothing" if name in PRINTED else "it is no input of this book"
                yield _refused(outcome.line, f"“{name}” is not known here: {why}")
            for name in sorted(rule.truths & known - truths):
                yield _refused(outcome.line, f"“{name}” is no yes or no: compare it with something")


def facts_are_known(book: Book) -> Iterator[Finding]:
    for name in sorted(book.match.names if book.match else ()):
        if not is_fact(name):
            yield _refused(book.line_of("match"), f"“{name}” is no fact, so the book would never be offered")
    for name in sorted(book.match.truths if book.match else ()):
        yield _refused(book.line_of("match"), f"“{name}” is no yes or no: compare it with something")
    for given in book.inputs:
        if given.source and not is_fact(given.source):
            yield _refused(given.line, f"“{given.source}” is no fact to take “{given.name}” from")


def inputs_fit_themselves(book: Book) -> Iterator[Finding]:
    for given in book.inputs:
        for text in filter(None, (given.default, *given.values)):
            try:
                given.read(text)
            except InputError as fault:
                yield _refused(given.line, f"“{given.name}” does not take its own value: {fault}")


# ---- what a good book does ---------------------------------------------------------------------------------


def says_when_and_whose(book: Book) -> Iterator[Finding]:
    if not book.preamble:
        sentence = "the book does not say when it applies: write a paragraph above the first step"
        yield _warned(book.line_of("title"), sentence)
    if book.match is None:
        yield _warned(book.line_of("id"), "without “match” the book is never offered for a ticket")
    if book.review is None:
        yield _warned(book.line_of("id"), "without “review” nobody will ask whether the book is still true")
    if len(book.steps) > SHORT_BOOK:
        yield _warned(book.steps[SHORT_BOOK].line, f"a book of more than {SHORT_BOOK} steps is two books")


def inputs_come_from_the_ticket(book: Book) -> Iterator[Finding]:
    for given in book.inputs:
        if given.source is None and given.default is None:
            yield _warned(given.line, f"“{given.name}” must be typed in: take it “from” the alarm or ticket")


def steps_say_what_to_do(book: Book) -> Iterator[Finding]:
    for step in book.steps:
        if not step.command and not step.prose:
            yield _warned(step.line, f"“{step.id}” does not say what to do")
        if step.command and not step.choices and not list(_rules(step)):
            yield _warned(step.line, f"“{step.id}” does not say what it expects: write it as a rule")
        for line in step.shown_fences:
            yield _warned(line, "this fence has no attributes, so it is shown and not run")


def outcomes_are_in_order(book: Book) -> Iterator[Finding]:
    for step in book.steps:
        decided = False
        for outcome in step.outcomes:
            if decided:
                yield _warned(outcome.line, "this outcome is never tried: it stands below else")
            decided = decided or isinstance(outcome.condition, Else)


def exits_say_why(book: Book) -> Iterator[Finding]:
    for step in book.steps:
        for outcome in step.outcomes:
            if isinstance(outcome.target, Done | Escalate) and not outcome.target.words:
                yield _warned(outcome.line, "the exit does not say why, in quotes")
            if isinstance(outcome.target, Escalate) and outcome.target.tier <= book.tier:
                sentence = f"an L{book.tier} book does not escalate to L{outcome.target.tier}"
                yield _warned(outcome.line, sentence)


def changes_are_verified_and_weighed(book: Book) -> Iterator[Finding]:
    for step, command in _changes(book):
        if command.approve is None:
            yield _warned(command.line, "nobody agrees to this change: approve=L2, or approve=self")
        if book.risk is Risk.LOW:
            yield _warned(book.line_of("risk"), "a book that changes something is not of low risk")
        for outcome in step.outcomes:
            if isinstance(outcome.target, Done):
                yield _warned(outcome.line, "the book ends on a change: look whether it helped first")


CHECKS: Final[tuple[Callable[[Book], Iterator[Finding]], ...]] = (
    targets_exist,
    steps_are_reached,
    steps_have_a_way_out,
    circles_are_counted,
    somebody_can_be_asked,
    answers_differ,
    commands_are_bounded,
    commands_have_a_place,
    changes_can_be_undone,
    destruction_has_a_second_approver,
    undo_fences_are_bare,
    rules_ask_for_what_is_known,
    facts_are_known,
    inputs_fit_themselves,
    says_when_and_whose,
    inputs_come_from_the_ticket,
    steps_say_what_to_do,
    outcomes_are_in_order,
    exits_say_why,
    changes_are_verified_and_weighed,
)

# ---- the map of a book -------------------------------------------------------------------------------------


def _following(step: Step, *, counted: bool = True) -> set[str]:
    """The steps that `step` can lead to; without `counted`, not those that only `again` leads to."""
    return {
        outcome.target.step
        for outcome in step.outcomes
        if isinstance(outcome.target, Goto) and (counted or not isinstance(outcome.condition, Again))
    }


def _ends_here(step: Step) -> bool:
    return any(isinstance(outcome.target, Done | Escalate) for outcome in step.outcomes)


def _led_to(name: str, ahead: dict[str, set[str]]) -> bool:
    return any(name in following for following in ahead.values())


def _closure(begin: set[str], edges: dict[str, set[str]]) -> set[str]:
    waiting, seen = list(begin), set[str]()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += edges.get(name, set())
    return seen


def _commands(book: Book) -> Iterator[tuple[Step, Command]]:
    return ((step, step.command) for step in book.steps if step.command)


def _changes(book: Book) -> Iterator[tuple[Step, Command]]:
    return ((step, command) for step, command in _commands(book) if _changes_something(step))


def _changes_something(step: Step) -> bool:
    return step.command is not None and Effect.WRITE in step.command.effects


def _rules(step: Step) -> Iterator[tuple[Outcome, Expression]]:
    return ((one, one.condition.rule) for one in step.outcomes if isinstance(one.condition, If))


def _refused(line: int, sentence: str) -> Finding:
    return Finding(line, Severity.REFUSAL, sentence)


def _warned(line: int, sentence: str) -> Finding:
    return Finding(line, Severity.WARNING, sentence)
