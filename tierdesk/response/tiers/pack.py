"""The hand-over pack: what the next tier needs so that it does not inherit a mystery. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Part:
    """One field of the pack: its name, its question, and how many lines an answer usually takes."""

    name: str
    question: str
    lines: int = 1


PARTS: Sequence[Part] = (
    Part("symptom", "What goes wrong, in one sentence?", 2),
    Part("scope", "Who and what is affected, who is not?", 2),
    Part("business_impact", "What can they not do meanwhile?", 2),
    Part("first_occurred", "Since when?"),
    Part("error_text", "What does it say, word by word?", 2),
    Part("recent_changes", "What was changed before?", 2),
    Part("steps_tried", "What was tried, with which result?", 4),
    Part("evidence", "Where are logs, screenshots, traces?", 2),
    Part("hypothesis", "What do you suspect?", 2),
    Part("client_promise", "What was the contact told, and when do they hear again?", 2),
    Part("exact_ask", "What exactly do you ask of the next tier?", 2),
)
QUESTIONS: Mapping[str, str] = {part.name: part.question for part in PARTS}
REQUIRED = ("symptom", "scope", "steps_tried", "exact_ask")


@dataclass(frozen=True, slots=True)
class Pack:
    """The parts as text; empty means not said."""

    symptom: str = ""
    scope: str = ""
    business_impact: str = ""
    first_occurred: str = ""
    error_text: str = ""
    recent_changes: str = ""
    steps_tried: str = ""
    evidence: str = ""
    hypothesis: str = ""
    client_promise: str = ""
    exact_ask: str = ""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Pack:
        """The pack that a form or a stored JSON holds; unknown names are left out, texts are capped."""
        return cls(**{f.name: str(values.get(f.name) or "").strip()[:4000] for f in fields(cls)})

    def as_dict(self) -> dict[str, str]:
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def missing(self, required: Sequence[str]) -> list[str]:
        """The names of required parts that have no answer; QUESTIONS has their questions."""
        return [name for name in required if not getattr(self, name)]

    @property
    def answers(self) -> list[tuple[str, str]]:
        """(question, answer) of everything that was said."""
        return [(part.question, getattr(self, part.name)) for part in PARTS if getattr(self, part.name)]


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A book run in plain words: title, steps and what came of each, last words, coded reason.

    `outcome` is running, done, escalate or left.
    """

    book: str
    steps: Sequence[tuple[str, str]]
    ended: str
    outcome: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the ticket before anybody fills in the pack."""

    subject: str
    description: str
    component: str = ""
    contact: str = ""
    opened_at: str = ""
    files: Sequence[str] = ()
    runs: Sequence[RunRecord] = field(default_factory=tuple)
    last_promise: str = ""


def prefill(known: Known) -> Pack:
    """The pack as far as the desk can write it: from the ticket and from the runs of its books."""
    return Pack(
        symptom=known.subject,
        scope=", ".join(part for part in (known.contact, known.component) if part),
        first_occurred=known.opened_at,
        error_text=_quoted(known.description),
        steps_tried="\n".join(_tried(run) for run in known.runs),
        evidence=", ".join(known.files),
        hypothesis=next((run.ended for run in known.runs if run.outcome == "escalate"), ""),
        client_promise=known.last_promise,
    )


def _tried(run: RunRecord) -> str:
    steps = "\n".join(f"– {step}: {result}" for step, result in run.steps)
    return f"{run.book} ({run.outcome}: {run.ended})\n{steps}".strip()


def _quoted(text: str) -> str:
    """Lines that look like an error message."""
    signs = ("error", "fail", "denied", "timeout", "time-out", "refused", "0x")
    lines = [line.strip() for line in text.splitlines() if any(sign in line.lower() for sign in signs)]
    return "\n".join(lines[:5])
