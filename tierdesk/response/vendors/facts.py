"""What vendor cases announce."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tierdesk.tickets.facts import TicketFact


@dataclass(frozen=True, kw_only=True, eq=False)
class CaseDrafted(TicketFact):
    """Somebody prepared a case; the vendor has not heard of it."""

    case: int
    vendor_name: str


@dataclass(frozen=True, kw_only=True, eq=False)
class CaseRewritten(TicketFact):
    """Somebody wrote a draft anew; the vendor still has not heard of it."""

    case: int
    vendor_name: str


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
    """The case went on from one of its states to another (states.py)."""

    case: int
    before: str
    after: str


@dataclass(frozen=True, kw_only=True, eq=False)
class CaseHeard(TicketFact):
    """The vendor wrote. `message` is the CaseMessage's id. `automatic`: a machine's receipt, not an answer."""

    case: int
    message: int
    automatic: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class CaseAnswered(TicketFact):
    """We wrote to the vendor: `to`, `headline` and `text` are what is mailed, below it the `terms` of their help."""

    case: int
    message: int
    to: str
    headline: str
    text: str
    terms: str


@dataclass(frozen=True, kw_only=True, eq=False)
class CaseChased(TicketFact):
    """The agreed day to chase the vendor has come; `driver` is the agent who drives the case."""

    case: int
    driver: int | None
    why: str


@dataclass(frozen=True, kw_only=True, eq=False)
class CaseMissing(TicketFact):
    """The ticket waits for a vendor who was to be chased, and there is no open case with one."""

    why: str


@dataclass(frozen=True, kw_only=True, eq=False)
class CaseNumbered(TicketFact):
    """The vendor's own number is known, or corrected."""

    case: int
    reference: str


@dataclass(frozen=True, kw_only=True, eq=False)
class CasePromised(TicketFact):
    """The vendor said by when (`until`, ISO 8601) it will have something."""

    case: int
    until: str
    words: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class CaseSeverityChanged(TicketFact):
    """The vendor's severity changed; `targets` are the vendor's promises for the new one, as in CaseSubmitted."""

    case: int
    before: int
    after: int
    why: str
    targets: list[dict[str, Any]] = field(default_factory=list)
