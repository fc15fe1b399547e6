"""What happens to a chat beside its words: who took it, who has it now, and when it was over."""

from __future__ import annotations

from dataclasses import dataclass

from tierdesk.tickets.facts import TicketFact


@dataclass(frozen=True, kw_only=True, eq=False)
class ChatAccepted(TicketFact):
    """An agent talks with the visitor from now on; `waited_s` is how long the visitor had waited for somebody."""

    agent: int
    agent_name: str
    waited_s: int


@dataclass(frozen=True, kw_only=True, eq=False)
class ChatHandedOver(TicketFact):
    """Somebody else talks with the visitor: the agent `to_agent`, or whoever of the team `to_team` takes it."""

    to: str
    to_agent: int | None = None
    to_team: int | None = None
    why: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class ChatEnded(TicketFact):
    """Nobody talks any more; what was said stays on the ticket. `lines` counts it."""

    why: str
    lines: int
