"""Trying again what was not understood: after its source was mended, or the desk was."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from tierdesk.channels.alarms import shapes
from tierdesk.channels.alarms.arrival import Arrival, KnownSource
from tierdesk.channels.alarms.models import Refusal, Source
from tierdesk.channels.alarms.reading import Unreadable
from tierdesk.channels.alarms.request import Request
from tierdesk.channels.alarms.speaking import take_in
from tierdesk.channels.alarms.understanding import understood
from tierdesk.core.work import work
from tierdesk.directory.staff.models import Agent
from tierdesk.tickets.lifecycle import UnableTo


def try_again(refusal: Refusal, *, by: Agent, at: datetime) -> int:
    """Read it as its source is to be read now, as of when it arrived; how many events it held.

    What was not signed as it should be is no word of the source, and is never let in this way. Raises UnableTo; if it
    is still not understood, with the reason of now, which stands on the refusal from then on.
    """
    if not refusal.may_be_tried:
        raise UnableTo(
            "It was not signed as its source signs, or it asks you to do something: it can only be discarded."
        )
    try:
        arrival = _read(refusal)
    except Unreadable as error:
        raise UnableTo(f"It cannot be read just now: {error}") from error
    if arrival.refusal:
        Refusal.objects.waiting().filter(pk=refusal.pk).update(reason=arrival.refusal[:500])
        raise UnableTo(arrival.refusal)
    with work(by=by.actor(), at=at):
        Source.objects.select_for_update(no_key=True).get(pk=refusal.source_id)
        refusal.decide(Refusal.State.UNDERSTOOD, by=by.user, at=at)
        take_in([arrival])
    return len(arrival.events)


def _read(refusal: Refusal) -> Arrival:
    """Its signature was checked when it came, and its time is over: it is not asked for again.

    What came encrypted is decrypted again, and so checked again, too.
    """
    source = refusal.source
    known = KnownSource(
        source.pk, source.client_id, source.shape, source.severities, source.mapping, usm=source.usm
    )
    arrival = Arrival(
        source=known, received_at=refusal.received_at, raw=bytes(refusal.raw), remote=refusal.remote
    )
    shape = shapes.named(refusal.shape or source.shape)
    if shape.prepare is not None:
        shape.prepare(Request(arrival.raw))
    read = understood(arrival, refusal.headers, shape.name, refusal.path)
    return replace(read, raw=b"")
