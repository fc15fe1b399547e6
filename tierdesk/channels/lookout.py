"""Looking after floods and silences, every half minute, in the worker.

Each channel's folder may have a `watched.py` that says what there is to watch: `streams(since, at)`, what nobody wants
much of, and `rhythms(at)`, what promises not to be silent for too long.
"""

from __future__ import annotations

import logging
import pkgutil
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from threading import Event
from typing import Any

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection, transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from tierdesk import channels
from tierdesk.channels.models import Inbound, InboundState
from tierdesk.channels.quiet import Quiet
from tierdesk.channels.registry import registered
from tierdesk.channels.watches import Rhythm, Stream, Watch
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, seeing
from tierdesk.directory.calendars.models import newest_hours

LOOK_EVERY = timedelta(seconds=30)
LOCK = 7_262_026
"""Of the database, so that of many workers one looks."""

KEPT = ["client", "name", "why", "level", "counted", "looked_at", "since_at", "told_at"]
"""What a look may change of a watch; all of them are written in one statement, however many sources there are."""

log = logging.getLogger(__name__)


def keep_looking(stopping: Event) -> None:
    """Look every half minute until told to stop; any number of workers may do so."""
    while not stopping.wait(LOOK_EVERY.total_seconds()):
        try:
            with seeing(EVERY_CLIENT):
                look_out(clock.now())
        except DatabaseError:
            log.exception("floods and silences cannot be looked for now; trying again")
        finally:
            close_old_connections()


def look_out(at: datetime) -> int:
    """Look at everything that is watched, unless another worker does or just did; how many things there were."""
    with transaction.atomic():
        if not _is_ours():
            return 0
        watches = {watch.key: watch for watch in Watch.objects.all()}
        looked = max((watch.looked_at for watch in watches.values()), default=at - LOOK_EVERY)
        if at - looked < LOOK_EVERY:
            return 0
        seen = _look(watches, looked, at)
        Watch.objects.exclude(key__in=[watch.key for watch in seen]).delete()
        Watch.objects.bulk_create(seen, update_conflicts=True, unique_fields=["key"], update_fields=KEPT)
    return len(seen)


def _is_ours() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])


def _look(watches: dict[str, Watch], since: datetime, at: datetime) -> list[Watch]:
    seen = []
    rhythms = list(_rhythms(at))
    counted = newest_hours(one.calendar for one in rhythms)
    found: list[Stream | Rhythm] = [*_streams(since, at), *rhythms]
    for one in found:
        watch = watches.get(one.key) or Watch(
            key=one.key, began_at=at, looked_at=at, counted=(one.total or 0) if isinstance(one, Stream) else 0
        )
        watch.name, watch.client_id = one.name, one.client
        if isinstance(one, Stream):
            watch.see_stream(one, at)
        else:
            within = counted[one.calendar] if one.calendar is not None else None
            watch.see_rhythm(one, Quiet(one.hours, within), at)
        watch.looked_at = at
        seen.append(watch)
    return seen


def _streams(since: datetime, at: datetime) -> Iterator[Stream]:
    yield from _unclaimed(since, at)
    for module in _watched():
        yield from getattr(module, "streams", _nothing)(since, at)


def _rhythms(at: datetime) -> Iterator[Rhythm]:
    for module in _watched():
        yield from getattr(module, "rhythms", _nothing)(at)


def _nothing(*_at: datetime) -> Sequence[Any]:
    return ()


def _unclaimed(since: datetime, at: datetime) -> Iterable[Stream]:
    """By channel: what came and belongs to nobody, or waits to be understood because so much came."""
    came = Inbound.objects.filter(received_at__gt=since, received_at__lte=at)
    left = came.filter(state__in=(InboundState.NEW, InboundState.PARKED)).order_by()
    counted = dict(left.values_list("channel").annotate(many=Count("pk")))
    return [
        Stream(
            key=f"unclaimed:{key}",
            name=channel.name,
            what=_("Deliveries that are nobody’s or wait to be understood"),
            most=settings.FLOOD_AFTER,
            many=counted.get(key, 0),
        )
        for key, channel in registered().items()
    ]


@cache
def _watched() -> Sequence[Any]:
    """What each channel's folder says there is to watch."""
    folders = pkgutil.iter_modules(channels.__path__, f"{channels.__name__}.")
    named = [f"{folder.name}.watched" for folder in folders if folder.ispkg]
    return [import_module(name) for name in named if find_spec(name) is not None]
