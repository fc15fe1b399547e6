"""The gate of an escalation procedure: pure. What is missing before a ticket may climb."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
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

IN_AN_EMERGENCY = ("symptom", "exact_ask")
"""What a hand-over must say even where nobody has the time for a pack."""

SHORT_ACCEPT_MIN = 10
TOLD_AT_ONCE = ("team_lead", "managers")


@dataclass(frozen=True, slots=True)
class When:
    """When a tier may hand up at all; one of these is enough. Where nothing is named it always may.

    `reasons` that are enough by themselves; `book_followed` to its end; so many `runs` of books, followed or left; so
    many percent `used` of the client's promise to resolve.
    """

    reasons: tuple[str, ...] = ()
    book_followed: bool = False
    runs: int = 0
    used: int = 0

    def allows(self, attempt: Attempt) -> bool:
        asked = self.reasons or self.book_followed or self.runs or self.used
        return (
            not asked
            or attempt.reason in self.reasons
            or (self.book_followed and attempt.has_followed_a_book)
            or 0 < self.runs <= attempt.books_tried
            or 0 < self.used <= attempt.used
        )

    @property
    def words(self) -> str:
        """The conditions as a reader says them: “a book was followed to its end, or 40 % of the promise are used”."""
        parts = [
            f"the reason is {' or '.join(f'“{Reason(one).label}”' for one in self.reasons)}"
            if self.reasons
            else "",
            "a book was followed to its end" if self.book_followed else "",
            f"{self.runs} books were tried" if self.runs else "",
            f"{self.used} % of the client’s promise are used" if self.used else "",
        ]
        return ", or ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Emergency:
    """The short way up: for tickets of these priorities and major incidents, past tiers and books, with a short pack.

    `to`, `who_may`: as in Rules; empty: as the procedure says. `tell`: the roles that hear of it at once.
    """

    priorities: tuple[int, ...]
    to: tuple[str, ...] = ()
    who_may: tuple[str, ...] = ()
    required: tuple[str, ...] = IN_AN_EMERGENCY
    accept_min: int = SHORT_ACCEPT_MIN
    tell: tuple[str, ...] = TOLD_AT_ONCE

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Emergency:
        """The short way that a specification holds (spec.py gives its shape)."""
        return cls(
            priorities=tuple(spec["priorities"]),
            to=tuple(spec.get("to", ())),
            who_may=tuple(spec.get("who_may", ())),
            required=tuple(spec.get("required", IN_AN_EMERGENCY)),
            accept_min=int(spec.get("accept_min", SHORT_ACCEPT_MIN)),
            tell=tuple(spec.get("tell", TOLD_AT_ONCE)),
        )

    def is_open_to(self, priority: int, *, is_major: bool) -> bool:
        return is_major or priority in self.priorities

    @property
    def whom(self) -> str:
        """“P1, P2 and major incidents”."""
        return f"{', '.join(f'P{number}' for number in self.priorities)} and major incidents"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a procedure asks of a hand-over between two tiers. `accept_min`: working minutes to accept it.

    `max_returns`: how often a ticket may come back before somebody must be named who takes it. `who_may`: of WHO, who
    hands it up; empty: everybody. `to`: the tiers (`L3`) and teams (`team:network`) it goes to, the proposed one first;
    empty: any above. `when`: what must have happened before. `emergency`: the short way, if there is one.
    """

    name: str
    required: tuple[str, ...] = REQUIRED
    reasons: tuple[str, ...] = ()
    needs_book: bool = False
    may_skip: bool = False
    accept_min: int = 30
    max_returns: int = 2
    who_may: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    when: When = When()
    emergency: Emergency | None = None

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
            to=tuple(spec.get("to", ())),
            when=_when(spec.get("allowed_when", {})),
            emergency=Emergency.of(spec["emergency"]) if spec.get("emergency") else None,
        )

    @property
    def in_emergency(self) -> Rules:
        """These rules on the short way. Raises ValueError where there is none."""
        if self.emergency is None:
            raise ValueError(f"{self.name} has no emergency path")
        return replace(
            self,
            required=self.emergency.required,
            reasons=(),
            needs_book=False,
            may_skip=True,
            accept_min=self.emergency.accept_min,
            who_may=self.emergency.who_may or self.who_may,
            to=self.emergency.to,
            when=When(),
        )

    def hurries_to(self, tier: int, team: str, *, priority: int, is_major: bool) -> bool:
        """Whether such a ticket may take the short way to that team."""
        return (
            self.emergency is not None
            and self.emergency.is_open_to(priority, is_major=is_major)
            and self.in_emergency.leads_to(tier, team)
        )

    def leads_to(self, tier: int, team: str) -> bool:
        """Whether a team, by its key, of that tier is one that it goes to."""
        return not self.to or f"L{tier}" in self.to or f"team:{team}" in self.to


def _when(spec: Mapping[str, Any]) -> When:
    return When(**(dict(spec) | {"reasons": tuple(spec.get("reasons", ()))}))


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody wants to do: from tier to tier, why, with which pack, after which runs.

    `to_team`: the key of the receiving team. `who`: what of WHO they are; None: the desk itself, which a paging policy
    lets hand it up. `used`: percent of the client's promise to resolve. `emergency`: they want the short way.
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
    to_team: str = ""
    priority: int = 4
    is_major: bool = False
    used: int = 0
    emergency: bool = False

    @property
    def books_tried(self) -> int:
        """The runs that came to an end, of whatever kind."""
        return sum(run.outcome != "running" for run in self.runs)

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
    if attempt.emergency:
        return _check_emergency(rules, attempt)
    missing, waivable = _missing(rules, attempt), _waivable(rules, attempt)
    if attempt.bypass.strip():
        return GateResult(tuple(missing), tuple(waived.sentence for waived in waivable))
    return GateResult((*missing, *waivable))


def _check_emergency(rules: Rules, attempt: Attempt) -> GateResult:
    """The short way keeps in mind what the long one would have asked for."""
    if rules.emergency is None:
        return GateResult((Missing("emergency", f"The procedure “{rules.name}” has no emergency path."),))
    if not rules.emergency.is_open_to(attempt.priority, is_major=attempt.is_major):
        sentence = f"The emergency path of “{rules.name}” is for {rules.emergency.whom}."
        return GateResult((Missing("emergency", sentence),))
    short = rules.in_emergency
    missing = [*_missing(short, attempt), *_waivable(short, attempt)]
    kept = {one.sentence for one in missing}
    long = [*_unanswered(rules, attempt.pack), *_waivable(rules, attempt)]
    return GateResult(tuple(missing), tuple(one.sentence for one in long if one.sentence not in kept))


def _missing(rules: Rules, attempt: Attempt) -> list[Missing]:
    """What no stated reason waives."""
    missing = [*_of_person(rules, attempt.who)]
    missing += [*_unanswered(rules, attempt.pack), *_of_reason(rules, attempt.reason)]
    if attempt.to_tier <= attempt.from_tier:
        missing.append(Missing("team", "An escalation goes to a higher tier."))
    if attempt.returns_so_far > rules.max_returns and not attempt.named_owner:
        missing.append(Missing("named", "It came back too often: call them, and name the one who takes it."))
    return missing


def _waivable(rules: Rules, attempt: Attempt) -> list[Missing]:
    return [
        *_elsewhere(rules, attempt),
        *_skipped(rules, attempt),
        *_without_book(rules, attempt),
        *_too_early(rules, attempt),
    ]


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
    led = bool(rules.to) and rules.leads_to(attempt.to_tier, attempt.to_team)
    if attempt.to_tier > attempt.from_tier + 1 and not rules.may_skip and not led:
        return [Missing("bypass", "A tier is skipped: say why.")]
    return []


def _without_book(rules: Rules, attempt: Attempt) -> list[Missing]:
    if rules.needs_book and attempt.books_exist and not attempt.has_followed_a_book:
        return [Missing("bypass", "Follow the matching book to its end first, or say why not.")]
    return []


def _elsewhere(rules: Rules, attempt: Attempt) -> list[Missing]:
    if attempt.to_tier > attempt.from_tier and not rules.leads_to(attempt.to_tier, attempt.to_team):
        where = " or ".join(one.removeprefix("team:") for one in rules.to)
        return [
            Missing("bypass", f"The procedure “{rules.name}” leads to {where}: say why it goes elsewhere.")
        ]
    return []


def _too_early(rules: Rules, attempt: Attempt) -> list[Missing]:
    if rules.when.allows(attempt):
        return []
    return [Missing("bypass", f"This tier hands it up when {rules.when.words}: say why before.")]
