"""What pages: a ticket's first alarm, and then only one that is worse than all that were told of. Others just join."""

from __future__ import annotations

from collections.abc import Iterable

from tierdesk.channels.alarms.facts import AlarmsWorsened
from tierdesk.channels.alarms.models import Alarm
from tierdesk.channels.alarms.normal import CRITICAL
from tierdesk.core.work import record
from tierdesk.tickets.models import Ticket

IMPACT_AND_URGENCY = {1: (1, 1), 2: (2, 1), 3: (2, 2), 4: (3, 2), 5: (3, 3)}
"""What an alarm's severity means for a ticket, until somebody says otherwise."""


def tell_what_worsened(alarms: Iterable[Alarm]) -> None:
    """For each ticket that has a worse alarm than before: raise its priority, and have whoever works it told."""
    worst: dict[int, Alarm] = {}
    for alarm in alarms:
        if alarm.ticket is None or not alarm.ticket.is_unresolved():
            continue
        if alarm.severity < worst.get(alarm.ticket.pk, alarm).severity or alarm.ticket.pk not in worst:
            worst[alarm.ticket.pk] = alarm
    for alarm in worst.values():
        assert alarm.ticket is not None
        told = alarm.ticket.traits.get("alarm.severity", CRITICAL)
        if alarm.severity < told:
            _worsen(alarm.ticket, alarm, told)


def _worsen(ticket: Ticket, alarm: Alarm, told: int) -> None:
    ticket.change(traits=ticket.traits | {"alarm.severity": alarm.severity})
    record(
        AlarmsWorsened(
            ticket=ticket, before=told, after=alarm.severity, alarm=str(alarm), resource=alarm.resource
        )
    )
    impact, urgency = IMPACT_AND_URGENCY[alarm.severity]
    by_hand = ticket.priority != ticket.computed_priority
    if not by_hand and (impact < ticket.impact or urgency < ticket.urgency):
        ticket.assess(
            impact=min(impact, ticket.impact),
            urgency=min(urgency, ticket.urgency),
            reason=f"an alarm of severity {alarm.severity}: {alarm}",
        )
