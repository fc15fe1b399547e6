"""What alarms do when something happens to their tickets."""

from __future__ import annotations

from collections.abc import Sequence

from tierdesk.channels.alarms.models import Alarm
from tierdesk.tickets.facts import Absorbed


def follow_merges(facts: Sequence[Absorbed]) -> None:
    """The alarms of a duplicate belong to the ticket on which the matter goes on: what clears them must find it."""
    for fact in facts:
        Alarm.objects.filter(ticket=fact.other).update(ticket=fact.ticket)
