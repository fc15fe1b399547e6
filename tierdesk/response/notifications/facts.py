"""What became of the words that we sent."""

from __future__ import annotations

from dataclasses import dataclass

from tierdesk.tickets.facts import TicketFact


@dataclass(frozen=True, kw_only=True, eq=False)
class Undelivered(TicketFact):
    """A mail of ours came back or was refused. `message` is the public reply it carried, if it carried one."""

    notice: int
    notice_kind: str
    address: str
    why: str
    message: int | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class LeftLate(TicketFact):
    """A public reply left so long after it was written that whoever waited for it will have noticed."""

    notice: int
    message: int
    waited_s: int
