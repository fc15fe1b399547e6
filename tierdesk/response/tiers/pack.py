"""The hand-over pack: what the next tier needs so that it does not inherit a mystery. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Part:
    """One field of the pack: its name, its question, what it is called where it is read, and the usual lines of it."""

    name: str
    question: str
    label: str
    lines: int = 1


PARTS: Sequence[Part] = (
    Part("symptom", "What goes wrong, in one sentence?", "Symptom", 2),
    Part("scope", "Who and what is affected, who is not?", "Affected", 2),
    Part("business_impact", "What can they not do meanwhile?", "They cannot", 2),
    Part("first_occurred", "Since when?", "Since"),
    Part("error_text", "What does it say, word by word?", "It says", 2),
    Part("recent_changes", "What was changed before?", "Changed before", 2),
    Part("steps_tried", "What was tried, with which result?", "Tried", 4),
    Part("evidence", "Where are logs, screenshots, traces?", "Evidence", 2),
    Part("hypothesis", "What do you suspect?", "Suspected", 2),
    Part("client_promise", "What was the contact told, and when do they hear again?", "Contact was told", 2),
    Part("exact_ask", "What exactly do you ask of the next tier?", "Asked of you", 2),
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
        """(label, answer) of everything that was said."""
        return [(part.label, getattr(self, part.name)) for part in PARTS if getattr(self, part.name)]


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A book run in plain words: title, steps and what came of each, last words, coded reason.

    `outcome` is running (then there are no last words yet), done, escalate or left.
    """

    book: str
    steps: Sequence[tuple[str, str]]
    ended: str
    outcome: str
    reason: str = ""

    @property
    def suspicion(self) -> str:
        """What the book says is wrong, where it sends the ticket up; what is wrong with the book is none."""
        sends_up = self.outcome == "escalate" and not self.reason.startswith("book_")
        return self.ended if sends_up else ""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the ticket before anybody fills in the pack.

    `description`: what the contact wrote, all of it. `came_back`: the pack of a hand-over that came back: nobody writes
    twice what the next tier has read already.
    """

    subject: str
    description: str
    component: str = ""
    contact: str = ""
    opened_at: str = ""
    files: Sequence[str] = ()
    runs: Sequence[RunRecord] = field(default_factory=tuple)
    last_promise: str = ""
    came_back: Pack | None = None


def prefill(known: Known) -> Pack:
    """The pack as far as the desk can write it: from the ticket and from the runs of its books."""
    fresh = Pack(
        symptom=known.subject,
        scope=", ".join(part for part in (known.contact, known.component) if part),
        first_occurred=known.opened_at,
        error_text=_quoted(known.description),
        steps_tried="\n".join(_tried(run) for run in known.runs),
        evidence=", ".join(known.files),
        hypothesis=next((run.suspicion for run in known.runs if run.suspicion), ""),
        client_promise=known.last_promise,
    )
    if known.came_back is None:
        return fresh
    written = {name: text for name, text in known.came_back.as_dict().items() if text}
    return replace(
        fresh, **written | {"steps_tried": _and_since(written.get("steps_tried", ""), fresh.steps_tried)}
    )


ENDINGS: Mapping[str, str] = {
    "running": "not followed to its end",
    "done": "followed to its end",
    "escalate": "sends it up",
    "left": "left",
}


def _tried(run: RunRecord) -> str:
    steps = [f"– {step}{'' if step.endswith('?') else ':'} {result}" for step, result in run.steps]
    ending = ": ".join(part for part in (ENDINGS.get(run.outcome, run.outcome), run.ended) if part)
    return "\n".join([f"{run.book} ({ending})", *steps])


def _and_since(before: str, now: str) -> str:
    """What was written down before, and the lines that have come since."""
    known = set(before.splitlines())
    return "\n".join([*before.splitlines(), *(line for line in now.splitlines() if line not in known)])


def _quoted(text: str) -> str:
    """Lines that look like an error message."""
    signs = ("error", "fail", "denied", "timeout", "time-out", "refused", "expired", "0x")
    lines = [line.strip() for line in text.splitlines() if any(sign in line.lower() for sign in signs)]
    return "\n".join(lines[:5])
