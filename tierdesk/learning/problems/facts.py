"""What problems announce on the tickets of their incidents."""

from __future__ import annotations

from dataclasses import dataclass

from tierdesk.tickets.facts import TicketFact


@dataclass(frozen=True, kw_only=True, eq=False)
class ProblemLinked(TicketFact):
    """The cause of this incident is the problem with this number."""

    problem: int
    title: str
    why: str


@dataclass(frozen=True, kw_only=True, eq=False)
class ProblemUnlinked(TicketFact):
    """It was linked by mistake: the cause of this incident is another one."""

    problem: int
    title: str
    why: str


@dataclass(frozen=True, kw_only=True, eq=False)
class WorkaroundKnown(TicketFact):
    """The problem behind this incident is a known error: this is how it is helped until it is mended."""

    problem: int
    workaround: str


@dataclass(frozen=True, kw_only=True, eq=False)
class WorkaroundWithdrawn(TicketFact):
    """The workaround of the problem behind this incident is no longer the one to use."""

    problem: int
    why: str
