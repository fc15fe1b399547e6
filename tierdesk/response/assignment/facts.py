"""What the room announces. Whoever was chosen is told by the ticket's own `Assigned`, with the reason."""

from __future__ import annotations

from dataclasses import dataclass, field

from tierdesk.tickets.facts import TicketFact


@dataclass(frozen=True, kw_only=True, eq=False)
class NobodyChosen(TicketFact):
    """The desk would have given the ticket to somebody of the team, and could not: it stays in the queue.

    `others`: each of the team with why not.
    """

    team: int
    why: str
    others: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, eq=False)
class NobodyFound(TicketFact):
    """It has waited for somebody for so long that those who answer for the team hear of it, once."""

    team: int
    why: str
