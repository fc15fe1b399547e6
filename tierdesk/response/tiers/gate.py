"""The gate of an escalation procedure: pure. What is missing before a ticket may climb."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tierdesk.response.tiers.pack import QUESTIONS, REQUIRED, Pack, RunRecord
from tierdesk.response.tiers.reasons import Reason

WHO: Mapping[str, str] = {
    "assignee": "whoever works the ticket",
    "lead": "a lead of its team",
    "manager": "a manager",
}
"""Who a procedure may leave a hand-over to."""

FINISHED = frozenset({"done", "escalate"})
"""How a run ends that followed its book: at its end, or at the step that hands up; not one that was left."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a procedure asks of a hand-over between two tiers. `accept_min`: working minutes to accept it.

    `max_returns`: how often a ticket may come back before somebody must be named who takes it. `who_may`: of WHO, who
    hands it up; empty: everybody.
    """

    name: str
    required: tuple[str, ...] = REQUIRED
    reasons: tuple[str, ...] = ()
    needs_book: bool = False
    may_skip: bool = False
    accept_min: int = 30
    max_returns: int = 2
    who_may: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, spec: Mapping[str, Any]) -> Rules:
        """The rules that a procedure's specification holds (spec.py gives its shape)."""
        return cls(
            name=name,
            required=tuple(spec.get("required", REQUIRED)),
            reasons=tuple(spec.get("reasons", ())),
            needs_book=bool(spec.get("needs_book", False)),
            may_skip=bool(spec.get("may_skip", False)),
            accept_min=int(spec.get("accept_min", 30)),
            max_returns=int(spec.get("max_returns", 2)),
            who_may=tuple(spec.get("who_may", ())),
        )


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody wants to do: from tier to tier, why, with which pack, after which runs.

    `who`: what of WHO they are; None: the desk itself, which a paging policy lets hand it up.
    """

    from_tier: int
    to_tier: int
    reason: str
    pack: Pack
    runs: Sequence[RunRecord] = ()
    books_exist: bool = False
    bypass: str = ""
    returns_so_far: int = 0
    named_owner: bool = False
    who: Collection[str] | None = ()

    @property
    def has_followed_a_book(self) -> bool:
        return any(run.outcome in FINISHED for run in self.runs)


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that keeps the gate shut: the form's field that mends it, and a sentence about it."""

    field: str
    sentence: str

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True, slots=True)
class GateResult:
    """Whether the gate is open, what is missing, and what only a stated reason (`bypass`) has waived."""

    missing: tuple[Missing, ...]
    bypassed: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        return not self.missing

    @property
    def words(self) -> str:
        return " ".join(missing.sentence for missing in self.missing)


def check(rules: Rules, attempt: Attempt) -> GateResult:
    """Hold an attempt against the procedure. Each missing thing is a sentence for the one who escalates."""
    missing = [*_of_person(rules, attempt.who)]
    missing += [*_unanswered(rules, attempt.pack), *_of_reason(rules, attempt.reason)]
    if attempt.to_tier <= attempt.from_tier:
        missing.append(Missing("team", "An escalation goes to a higher tier."))
    if attempt.returns_so_far > rules.max_returns and not attempt.named_owner:
        missing.append(Missing("named", "It came back too often: call them, and name the one who takes it."))
    waivable = [*_skipped(rules, attempt), *_without_book(rules, attempt)]
    if attempt.bypass.strip():
        return GateResult(tuple(missing), tuple(waived.sentence for waived in waivable))
    return GateResult((*missing, *waivable))


def _of_person(rules: Rules, who: Collection[str] | None) -> list[Missing]:
    """No stated reason lets anybody else through: they ask one who may."""
    if not rules.who_may or who is None or set(rules.who_may) & set(who):
        return []
    allowed = " or ".join(WHO[one] for one in rules.who_may)
    return [Missing("team", f"By the procedure “{rules.name}”, {allowed} hands this up: ask them.")]


def _unanswered(rules: Rules, pack: Pack) -> list[Missing]:
    return [Missing(name, f"Answer: {QUESTIONS[name]}") for name in pack.missing(rules.required)]


def _of_reason(rules: Rules, reason: str) -> list[Missing]:
    if not reason:
        return [Missing("reason", "Choose a reason.")]
    if reason not in Reason.values:
        return [Missing("reason", f"“{reason}” is not a reason to escalate; choose one of the list.")]
    if rules.reasons and reason not in rules.reasons:
        return [Missing("reason", f"The procedure “{rules.name}” does not allow this reason.")]
    return []


def _skipped(rules: Rules, attempt: Attempt) -> list[Missing]:
    if attempt.to_tier > attempt.from_tier + 1 and not rules.may_skip:
        return [Missing("bypass", "A tier is skipped: say why.")]
    return []


def _without_book(rules: Rules, attempt: Attempt) -> list[Missing]:
    if rules.needs_book and attempt.books_exist and not attempt.has_followed_a_book:
        return [Missing("bypass", "Follow the matching book to its end first, or say why not.")]
    return []
