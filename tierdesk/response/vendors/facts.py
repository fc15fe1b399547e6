"""What vendor cases announce."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tierdesk.tickets.facts import TicketFact


@dataclass(frozen=True, kw_only=True, eq=False)
class CaseSubmitted(TicketFact):
    """A case was opened with a vendor. `targets`: the vendor's promises, {metric, target_s, calendar} each."""

    case: int
    vendor: int
    vendor_name: str
    severity: int
    targets: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, eq=False)
class CaseMoved(TicketFact):
    case: int
    before: str
    after: str


@dataclass(frozen=True, kw_only=True, eq=False)
class CaseHeard(TicketFact):
    """The vendor wrote. `message` is the CaseMessage's id."""

    case: int
    message: int


@dataclass(frozen=True, kw_only=True, eq=False)
class CaseAnswered(TicketFact):
    """We wrote to the vendor: `to`, `headline` and `text` are what is mailed."""

    case: int
    message: int
    to: str
    headline: str
    text: str


@dataclass(frozen=True, kw_only=True, eq=False)
class CaseChased(TicketFact):
    """The agreed day to chase the vendor has come; `driver` is the agent who drives the case."""

    case: int
    driver: int | None
    why: str
