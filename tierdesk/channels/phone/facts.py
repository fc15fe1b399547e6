"""What a call does to a ticket."""

from __future__ import annotations

from dataclasses import dataclass

from tierdesk.tickets.facts import TicketFact


@dataclass(frozen=True, kw_only=True, eq=False)
class CallTied(TicketFact):
    """A call is about this ticket: the one that opened it, one that was missed (again), or one of ours."""

    call: int
    direction: str
    state: str
    number: str
