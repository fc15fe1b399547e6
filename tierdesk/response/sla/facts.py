"""What the clocks announce."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tierdesk.tickets.facts import TicketFact


@dataclass(frozen=True, kw_only=True, eq=False)
class ClockFact(TicketFact):
    """A fact about one clock. `due_at` is ISO 8601; `tier` is set for OLAs."""

    clock: int
    metric: str
    party: str
    tier: int | None
    due_at: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Warned(ClockFact):
    """Three quarters of a target are used up and nothing has happened yet."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Breached(ClockFact):
    """More than the target is used up. `crossed_at` (ISO 8601) is when, even if the engine was down then."""

    crossed_at: str


@dataclass(frozen=True, kw_only=True, eq=False)
class RungReached(ClockFact):
    """Rungs of the contract's ladder are reached: `marks` as the contract writes them, and the roles to `tell`."""

    marks: list[str]
    tell: list[str]


@dataclass(frozen=True, kw_only=True, eq=False)
class DatePromised(TicketFact):
    """Somebody told the client that it is solved by `promised_at`, which counts as `due_at` by this calendar version.

    `before`: the date that it takes the place of, if one stood. `shown`: the contact can read it. Instants: ISO 8601.
    """

    promised_at: str
    due_at: str
    calendar: int
    why: str
    shown: bool
    before: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class DateTakenBack(TicketFact):
    """The date that was promised, `promised_at` (ISO 8601), no longer stands, and none takes its place."""

    promised_at: str
    why: str


@dataclass(frozen=True, kw_only=True, eq=False)
class ClocksCorrected(TicketFact):
    """Clocks that were not what the timeline says were set right.

    `corrections`: {clock, metric, party, tier, fields: {field: [before, after]}} each.
    """

    corrections: list[dict[str, Any]]
