"""What alarms announce about tickets."""

from __future__ import annotations

from dataclasses import dataclass

from tierdesk.tickets.facts import TicketFact


@dataclass(frozen=True, kw_only=True, eq=False)
class AlarmsJoined(TicketFact):
    """More alarms are on the ticket now: how many, `why` (as `Alarm.joined_by`), what that is called, and the first.

    An alarm that opened the ticket, or came back to it, is told by that. `summary`: what a storm is made of by now.
    """

    alarms: int
    why: str
    to: str
    first: str
    summary: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class AlarmsWorsened(TicketFact):
    """An alarm of the ticket is worse than all before it: the severities (1 critical to 5), and which alarm it is."""

    before: int
    after: int
    alarm: str
    resource: str


@dataclass(frozen=True, kw_only=True, eq=False)
class AlarmFlaps(TicketFact):
    """An alarm of the ticket comes and goes; until it is calm again it stays open and nobody is told."""

    alarm: str


@dataclass(frozen=True, kw_only=True, eq=False)
class AlarmCalmed(TicketFact):
    """An alarm that flapped did not change for long enough."""

    alarm: str
