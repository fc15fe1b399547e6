"""Time as rows: whatever must happen later has a `wake_at` column, and one engine claims what is due.

Nothing lives in a timer or in memory. A claim locks its rows with SKIP LOCKED inside the unit of work that acts on
them, so a killed process loses nothing and two engines never act twice. Cost grows with what is due, not with what
is stored: every `wake_at` has a partial index.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.db.models import Min, Model, QuerySet, Value
from django.utils.module_loading import import_string

from tierdesk.core import clock
from tierdesk.core.facts import ENGINE
from tierdesk.core.scope import EVERY_CLIENT, seeing, set_scope
from tierdesk.core.work import work

BATCH = 500
POLL_SECONDS = 0.2
LONGEST_REST_S = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wakeup:
    """Rows of `model` whose `wake_at` has come, and the verb that acts on a claimed list of them.

    `act(rows, at)` must move or clear each row's `wake_at`; it runs inside a unit of work by the engine.
    `values`: claim only these columns, as tuples, where model instances would cost too much.

    `beside`: a second engine, in a process of its own, acts on them as well: a backlog of them needs more than one
    interpreter. What they do must not lock rows besides the claimed ones in an order of its own.
    """

    model: type[Model]
    act: Callable[[list[Any], datetime], None]
    values: Sequence[str] = ()
    batch: int = BATCH
    beside: bool = False
    apart = False

    def run(self, at: datetime) -> int:
        """Claim one batch of what is due at `at`, act on it in one unit of work, and say how many rows there were."""
        with work(by=ENGINE, at=at):
            rows = self.claim(at)
            if rows:
                self.act(rows, at)
        return len(rows)

    def due(self, at: datetime) -> QuerySet[Model]:
        return self.model._base_manager.filter(wake_at__lte=at).order_by("wake_at")

    def claim(self, at: datetime) -> list[Any]:
        rows = self.due(at).select_for_update(skip_locked=True, of=("self",))
        return list(rows.values_list(*self.values)[: self.batch] if self.values else rows[: self.batch])

    def next_at(self) -> datetime | None:
        earliest: datetime | None = self.model._base_manager.aggregate(at=Min("wake_at"))["at"]
        return earliest


@dataclass(frozen=True)
class Errand:
    """Due rows of `model` that each need transactions of their own: words to understand, mail to send.

    `run(at)` acts on some of what is due, moves each `wake_at`, and says how many rows there were.
    """

    model: type[Model]
    run: Callable[[datetime], int]
    waits_since: Callable[[], datetime | None] | None = None
    """For what is due by another sign than `wake_at`: since when the oldest of it waits."""

    batch: int = 1
    """So many rows at once say that there may be more."""

    beside = False

    apart: bool = False
    """It waits for others, for a mail server or a parser, or thinks long: an engine of its own runs it, and it holds no
    clock up."""

    waiting: Callable[[datetime], QuerySet[Any]] | None = None
    """For what is due by another sign than `wake_at`: the rows that are due, in an order that an index has."""

    def due(self, at: datetime) -> QuerySet[Any]:
        if self.waiting is not None:
            return self.waiting(at)
        return self.model._base_manager.filter(wake_at__lte=at).order_by("wake_at")

    def next_at(self) -> datetime | None:
        if self.waits_since is not None:
            return self.waits_since()
        earliest: datetime | None = self.model._base_manager.aggregate(at=Min("wake_at"))["at"]
        return earliest


def wakeups() -> Sequence[Wakeup | Errand]:
    """All wake-ups of the house, from `tierdesk/flow.py`."""
    listed: Sequence[Wakeup | Errand] = import_string(settings.WAKEUPS)
    return listed


def run_due(at: datetime) -> int:
    """Act on everything that is due at `at`, in their order; returns how many rows were acted on."""
    look, acted, place = _look_at_all(), 0, 0
    while (due := look.first(at, place)) is not None:
        place, wakeup = due
        while count := wakeup.run(at):
            acted += count
        place += 1
    return acted


def fast_forward(until: datetime, *, since: datetime | None = None) -> None:
    """Live through the time up to `until`: wake everything at its own instant, in order. For demo and journeys.

    Time never runs backwards: what turns out to have been due earlier is acted on at the instant reached. `since`: what
    was lived through before.
    """
    reached, look = since, _look_at_all()
    with seeing(EVERY_CLIENT):
        while (due := look.next_at()) is not None and due <= until:
            reached = max(due, reached or due)
            with clock.frozen(reached):
                if not run_due(reached):
                    raise RuntimeError(f"something is due at {due} but nothing acted on it")


def run_forever(stopping: Callable[[], bool], *, among: Callable[[Wakeup | Errand], bool]) -> None:
    """An engine for some of the wake-ups: look, act, rest. One that fails is logged and tried again; the others go on.

    An engine rests for as long as it worked, unless there may be more: what trickles in without end is taken up in
    larger pieces, and leaves half of a processor to people.
    """
    look = Look([wakeup for wakeup in wakeups() if among(wakeup)])
    while not stopping():
        more, began = False, time.monotonic()
        try:
            set_scope(EVERY_CLIENT)
            for wakeup in look.at(clock.now()):
                more |= _guarded(wakeup) >= wakeup.batch
        except (OperationalError, InterfaceError):
            log.exception("the database is away; trying again")
            connection.close()
            time.sleep(1)
        finally:
            close_old_connections()
        if not more:
            time.sleep(min(max(time.monotonic() - began, POLL_SECONDS), LONGEST_REST_S))


class Look:
    """One statement that finds which wake-ups have something due, however many there are; written once.

    Each part keeps its order: a first row in no order is looked for in the whole table.
    """

    SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC)

    def __init__(self, all_of_them: Sequence[Wakeup | Errand]) -> None:
        self._wakeups = all_of_them
        first, *others = (
            wakeup.due(self.SOME_TIME).values_list(Value(number))[:1]
            for number, wakeup in enumerate(all_of_them)
        )
        looks = first.union(*others, all=True).order_by() if others else first
        self._sql, self._values = looks.query.sql_with_params()
        tables = {wakeup.model._meta.db_table for wakeup in all_of_them if not _has_another_sign(wakeup)}
        earliest = ", ".join(f'(SELECT min(wake_at) FROM "{table}")' for table in sorted(tables))
        self._earliest = f"SELECT least({earliest})"
        self._by_another_sign = [wakeup for wakeup in all_of_them if _has_another_sign(wakeup)]

    def at(self, instant: datetime) -> list[Wakeup | Errand]:
        """Those for which a row is due at this instant, in their order."""
        return [self._wakeups[number] for number in self._numbers(instant)]

    def first(self, instant: datetime, place: int) -> tuple[int, Wakeup | Errand] | None:
        """The first of those from that place on, and its own place."""
        number = next((number for number in self._numbers(instant) if number >= place), None)
        return None if number is None else (number, self._wakeups[number])

    def next_at(self) -> datetime | None:
        """When the earliest of all is due."""
        with connection.cursor() as cursor:
            cursor.execute(self._earliest)
            earliest = [cursor.fetchone()[0], *(wakeup.next_at() for wakeup in self._by_another_sign)]
        return min((at for at in earliest if at is not None), default=None)

    def _numbers(self, instant: datetime) -> list[int]:
        values = [instant if value == self.SOME_TIME else value for value in self._values]
        with connection.cursor() as cursor:
            cursor.execute(self._sql, values)
            return sorted(number for (number,) in cursor.fetchall())


def _has_another_sign(wakeup: Wakeup | Errand) -> bool:
    return isinstance(wakeup, Errand) and wakeup.waits_since is not None


@cache
def _look_at_all() -> Look:
    return Look(wakeups())


def _guarded(wakeup: Wakeup | Errand) -> int:
    try:
        return wakeup.run(clock.now())
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("a wake-up of %s failed; its rows stay due", wakeup.model.__name__)
        time.sleep(1)
        return 0
