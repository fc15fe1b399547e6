"""What the books announce."""

from __future__ import annotations

from dataclasses import dataclass

from tierdesk.tickets.facts import TicketFact


@dataclass(frozen=True, kw_only=True, eq=False)
class RunStarted(TicketFact):
    """Somebody follows a book: `book` is its title with the revision."""

    run: int
    book: str


@dataclass(frozen=True, kw_only=True, eq=False)
class StepDone(TicketFact):
    """A step has a result, in words; `gap` is set where the book was not enough."""

    run: int
    step: str
    result: str
    gap: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class RunEnded(TicketFact):
    """A run came to its end: `outcome` done, escalate or left; `reason` codes an escalation."""

    run: int
    book: str
    outcome: str
    words: str
    reason: str = ""
    tier: int | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class GapOpened(TicketFact):
    """A book was not enough: somebody shall improve it, or write it."""

    gap: int
    book: str
    kind_of_gap: str


@dataclass(frozen=True, kw_only=True, eq=False)
class GapClosed(TicketFact):
    """The book was improved, or it was decided that it cannot be; `outcome` says which."""

    gap: int
    outcome: str
