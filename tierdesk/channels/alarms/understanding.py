"""From what arrived to what it says: read by its shape, or kept with the sentence that says why it cannot be."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tierdesk.channels.alarms import shapes
from tierdesk.channels.alarms.arrival import Arrival, KnownSource
from tierdesk.channels.alarms.normal import AlarmEvent
from tierdesk.channels.alarms.reading import Unreadable
from tierdesk.channels.alarms.request import Request

OUR_FAULT = (
    "The desk failed to read this: its fault, not yours. It is kept and can be tried again after an update."
)

log = logging.getLogger(__name__)


def understood(arrival: Arrival, headers: Mapping[str, str], shape: str = "", path: str = "") -> Arrival:
    """The arrival with its body read into events, or with the sentence that says why it cannot be.

    `shape`: how it speaks, if not as its source does; `path` is what its door left of the address. Raises Unreadable.
    """
    source = arrival.source
    spoken = shapes.named(shape or source.shape)
    request = Request(
        arrival.raw,
        headers,
        path,
        arrival.remote,
        source.mapping,
        source.severities,
        source.secret,
        source.usm,
    )
    try:
        events = _written(shapes.read(spoken.name, request), source)
    except shapes.MalformedAlarm as error:
        reason, status = str(error), error.status
    except Unreadable:
        raise
    except Exception:
        log.exception("reading a body of alarm source %d failed; it is kept", source.id)
        reason, status = OUR_FAULT, 400
    else:
        # Said out: `replace` costs three times as much, and this is done for every alarm there is.
        return Arrival(
            source=source,
            received_at=arrival.received_at,
            raw=arrival.raw,
            remote=arrival.remote,
            events=events,
        )
    own = "" if spoken.name == source.shape else spoken.name
    kept = spoken.kept(headers)
    return replace(arrival, refusal=reason, status=status, shape=own, path=path, headers=kept)


def _written(events: Sequence[AlarmEvent], source: KnownSource) -> Sequence[AlarmEvent]:
    """As their source weighs them, and written down here, not in the one thread that stores what all have read."""
    if source.severities:
        events = [event.weighed(source.severities) for event in events]
    for event in events:
        _ = event.written
    return events
