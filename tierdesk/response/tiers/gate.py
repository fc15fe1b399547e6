"""The gate of an escalation procedure: pure. What is missing before a ticket may climb."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tierdesk.response.tiers.pack import REQUIRED, Pack, RunRecord


@dataclass(frozen=True, slots=True)
class Rules:
    """What a procedure asks of a hand-over between two tiers. `accept_min`: working minutes to accept it."""

    name: str
    required: tuple[str, ...] = REQUIRED
    reasons: tuple[str, ...] = ()
    needs_book: bool = False
    may_skip: bool = False
    accept_min: int = 30
    max_returns: int = 2

    @classmethod
    def of(cls, name: str, spec: Mapping[str, Any]) -> Rules:
        """The rules that a procedure's specification holds (docs/howto/desk-as-code.md gives its shape)."""
        return cls(
            name=name,
            required=tuple(spec.get("required", REQUIRED)),
            reasons=tuple(spec.get("reasons", ())),
            needs_book=bool(spec.get("needs_book", False)),
            may_skip=bool(spec.get("may_skip", False)),
            accept_min=int(spec.get("accept_min", 30)),
            max_returns=int(spec.get("max_returns", 2)),
        )


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody wants to do: from tier to tier, why, with which pack, after which runs."""

    from_tier: int
    to_tier: int
    reason: str
    pack: Pack
    runs: Sequence[RunRecord] = ()
    books_exist: bool = False
    bypass: str = ""
    returns_so_far: int = 0
    named_owner: bool = False


@dataclass(frozen=True, slots=True)
class GateResult:
    """Whether the gate is open, and in words what is missing."""

    missing: tuple[str, ...]
    bypassed: str = ""

    @property
    def is_open(self) -> bool:
        return not self.missing


def check(rules: Rules, attempt: Attempt) -> GateResult:
    """Hold an attempt against the procedure. Each missing thing is a sentence for the one who escalates."""
    missing = [f"Answer: {question}" for question in attempt.pack.missing(rules.required)]
    if not attempt.reason:
        missing.append("Choose a reason.")
    elif rules.reasons and attempt.reason not in rules.reasons:
        missing.append(f"The procedure “{rules.name}” does not allow this reason.")
    if attempt.to_tier <= attempt.from_tier:
        missing.append("An escalation goes to a higher tier.")
    if attempt.to_tier > attempt.from_tier + 1 and not rules.may_skip and not attempt.bypass:
        missing.append("A tier is skipped: say why.")
    if rules.needs_book and attempt.books_exist and not attempt.runs and not attempt.bypass:
        missing.append("Follow the matching book first, or say why not.")
    if attempt.returns_so_far > rules.max_returns and not attempt.named_owner:
        missing.append("It came back too often: call them and name the person who takes it.")
    return GateResult(tuple(missing), attempt.bypass)
