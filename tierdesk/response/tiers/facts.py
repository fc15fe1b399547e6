"""What the ladder announces."""

from __future__ import annotations

from dataclasses import dataclass, field

from tierdesk.tickets.facts import TicketFact


@dataclass(frozen=True, kw_only=True, eq=False)
class EscalationSent(TicketFact):
    """A ticket climbs: functional, with a coded reason. `accept_s` working seconds to accept, by `accept_calendar`."""

    escalation: int
    from_tier: int
    to_tier: int
    to_team: int
    reason: str
    accept_s: int | None = None
    accept_calendar: int | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class EscalationAccepted(TicketFact):
    escalation: int
    from_tier: int
    to_tier: int


@dataclass(frozen=True, kw_only=True, eq=False)
class EscalationReturned(TicketFact):
    """The receiving tier sent it back, with a coded reason and a word."""

    escalation: int
    from_tier: int
    to_tier: int
    to_team: int
    reason: str
    note: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Consulted(TicketFact):
    """Another tier was asked for advice; the ticket stays where it is."""

    consultation: int
    team: int
    question: str


@dataclass(frozen=True, kw_only=True, eq=False)
class ConsultationAnswered(TicketFact):
    consultation: int
    answer: str


@dataclass(frozen=True, kw_only=True, eq=False)
class HierarchyTold(TicketFact):
    """Leads and managers were told that a promise runs out; the ticket did not move."""

    percent: int
    agents: list[int] = field(default_factory=list)
    why: str = ""
