"""What alarms do when something happens to their tickets."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from tierdesk.channels.alarms.models import Alarm
from tierdesk.core.work import current
from tierdesk.tickets.facts import Absorbed, ClientChanged
from tierdesk.tickets.lifecycle import UnableTo


def follow_merges(facts: Sequence[Absorbed]) -> None:
    """The alarms of a duplicate belong to the ticket on which the matter goes on: what clears them must find it.

    They are written at last: intake waits for whoever holds them.
    """
    current().at_last.extend(partial(_move_alarms, fact) for fact in facts)


def _move_alarms(fact: Absorbed) -> None:
    Alarm.objects.filter(ticket=fact.other).update(ticket=fact.ticket)


def keep_alarms_with_their_clients(facts: Sequence[ClientChanged]) -> None:
    """A source belongs to a client, and so do its alarms and their ticket. Raises UnableTo."""
    if Alarm.objects.filter(ticket__in=[fact.ticket.pk for fact in facts]).exists():
        raise UnableTo("Alarms of its client’s monitoring hang on it, so it stays with that client.")
