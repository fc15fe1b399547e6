"""What alarms announce about tickets."""

from __future__ import annotations

from dataclasses import dataclass

from tierdesk.tickets.facts import TicketFact


@dataclass(frozen=True, kw_only=True, eq=False)
class AlarmsJoined(TicketFact):
    """More alarms are on the ticket now: how many, `why` (as `Alarm.joined_by`), what that is called, and the first.

    An alarm that opened the ticket, or came back to it, is told by that.
    """

    alarms: int
    why: str
    to: str
    first: str
