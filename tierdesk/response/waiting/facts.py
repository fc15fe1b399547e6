"""What a wait announces. None of it moves a clock: the ticket's own verbs do."""

from __future__ import annotations

from dataclasses import dataclass

from tierdesk.tickets.facts import TicketFact


@dataclass(frozen=True, kw_only=True, eq=False)
class Reminded(TicketFact):
    """Whom the ticket waits for is reminded, for the `number`th time `of` so many; `reason` is what it waits for.

    `whom`: contact, vendor or team; workers: whoever works the ticket, because nobody else can be reached (`why`).
    """

    wait: int
    reason: str
    whom: str
    number: int
    of: int
    team: int | None = None
    why: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class SilenceWarned(TicketFact):
    """The contact is warned for the last time: without an answer it is solved at `resolves_at` (ISO 8601)."""

    wait: int
    reason: str
    resolves_at: str


@dataclass(frozen=True, kw_only=True, eq=False)
class WaitReturned(TicketFact):
    """Nobody answered so many `chasers`: the ticket goes back to work where it waited."""

    wait: int
    reason: str
    chasers: int
    why: str = ""
