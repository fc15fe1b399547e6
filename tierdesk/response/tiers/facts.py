"""What the ladder announces."""

from __future__ import annotations

from dataclasses import dataclass, field

from tierdesk.tickets.facts import TicketFact


@dataclass(frozen=True, kw_only=True, eq=False)
class EscalationSent(TicketFact):
    """A ticket climbs, for a coded reason; to be accepted in `accept_s` seconds of `accept_calendar`.

    `tell`: in an emergency, the roles that hear of it at once.
    """

    escalation: int
    from_tier: int
    to_tier: int
    to_team: int
    reason: str
    accept_s: int | None = None
    accept_calendar: int | None = None
    tell: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, eq=False)
class EscalationAccepted(TicketFact):
    """The receiving tier took it; somebody there works the ticket now."""

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
class EscalationCoached(TicketFact):
    """The receiving tier solves it together with the sending one, which has it back: it could be solved there."""

    escalation: int
    from_tier: int
    to_tier: int
    to_team: int
    reason: str
    note: str


@dataclass(frozen=True, kw_only=True, eq=False)
class EscalationWithdrawn(TicketFact):
    """The sending tier took it back before anybody accepted it."""

    escalation: int
    from_tier: int
    to_tier: int
    to_team: int
    why: str


@dataclass(frozen=True, kw_only=True, eq=False)
class EscalationOvertaken(TicketFact):
    """Nobody answered the hand-over, and the ticket went on: climbed further, went elsewhere, or ended."""

    escalation: int


@dataclass(frozen=True, kw_only=True, eq=False)
class HandRefused(TicketFact):
    """A paging policy would have handed the ticket on, and it could not; `why` says why."""

    to: str
    why: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Consulted(TicketFact):
    """Another tier was asked for advice, within so many working seconds; the ticket stays where it is."""

    consultation: int
    team: int
    question: str
    within_s: int | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class ConsultationAnswered(TicketFact):
    """The advice has come, and took its giver so many minutes, if they said."""

    consultation: int
    answer: str
    minutes: int | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class AdviceLate(TicketFact):
    """Advice was expected by now; `agents` are told."""

    consultation: int
    team: int
    question: str
    agents: list[int]


@dataclass(frozen=True, kw_only=True, eq=False)
class Complained(TicketFact):
    """A contact escalated, the `used`th time of `allowed` this month; those in the roles of `tell` hear of it."""

    complaint: int
    contact: int
    contact_name: str
    reason: str
    used: int
    allowed: int
    tell: list[str]


@dataclass(frozen=True, kw_only=True, eq=False)
class HierarchyTold(TicketFact):
    """Whoever stands on a rung of the ladder is told that a promise runs out; the ticket does not move.

    No `agents`: nobody holds the `roles` of that rung, which is worth knowing as well. `rung`: where it stands, if that
    is no percentage at which clocks speak up by themselves.
    """

    percent: int = 0
    rung: str = ""
    roles: list[str] = field(default_factory=list)
    agents: list[int] = field(default_factory=list)
    why: str = ""
