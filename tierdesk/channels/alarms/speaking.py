"""What the desk itself says in the name of a source: that it fell silent, that an alarm of its own is over.

It goes the way of everything that sources say (sql.py), in the unit of work that found it out. It is no delivery:
nothing is counted as received. The caller holds the rows of the sources, as intake would.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from tierdesk.channels.alarms.arrival import Arrival, KnownSource
from tierdesk.channels.alarms.models import Source
from tierdesk.channels.alarms.normal import AlarmEvent
from tierdesk.channels.alarms.store import INTAKE, intake_arguments

NOTHING_COUNTED = "[]"


def speak_for(told: Sequence[tuple[Source, AlarmEvent]], at: datetime) -> None:
    """Take in these events as said at `at`."""
    take_in(
        [
            Arrival(
                source=KnownSource(source.pk, source.client_id, source.shape), received_at=at, events=[event]
            )
            for source, event in told
        ]
    )


def take_in(arrivals: Sequence[Arrival]) -> None:
    """Take in their events, in the caller's transaction."""
    if not arrivals:
        return
    events, refused, _ = intake_arguments(arrivals)
    with connection.cursor() as cursor:
        cursor.execute(INTAKE, [events, refused, NOTHING_COUNTED])
