"""Group commit: many requests, one transaction, and nobody is answered before it is durable."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from tierdesk.channels.alarms.arrival import Arrival, KnownSource, Store, StoreIsAway, UnableToStore
from tierdesk.core import clock

GROUP = 500
ENOUGH = 100
"""So many events are worth a call of the database; fewer wait a moment for more."""

GATHER_S, GLANCE_S = 0.05, 0.001
TURN_S = 0.0005
"""For so long a thread may keep the interpreter while another waits for it. With Python's own five milliseconds the one
that writes alarms down waits longer for its turn than for the database."""

CAPACITY = 20_000
COUNT_S = 1.0
"""After so long what was turned away is counted, though nothing else is to be stored."""

CAPACITY_BYTES = 64 * 1024 * 1024

log = logging.getLogger(__name__)


class Full(Exception):
    """More waits to be stored than may wait."""


type Told = Callable[[Exception | None], None]
"""Is called on the loop with what became of an arrival: None once it is durable, StoreIsAway or UnableToStore."""


@dataclass(slots=True)
class Waiting:
    """An arrival whose sender waits to be told. It weighs as much as its events."""

    arrival: Arrival
    told: Told
    weight: int


class Committer:
    """One thread that stores what waits, in order, up to `group` events in one transaction.

    At most `capacity` events and `capacity_bytes` of bodies wait. The methods are for the event loop that
    called `start`; only the store is used from the thread.
    """

    def __init__(
        self,
        store: Store,
        *,
        group: int = GROUP,
        capacity: int = CAPACITY,
        capacity_bytes: int = CAPACITY_BYTES,
    ) -> None:
        self._store = store
        self._group = group
        self._capacity = capacity
        self._capacity_bytes = capacity_bytes
        self._waiting: deque[Waiting] = deque()
        self._events = 0
        self._bytes = 0
        self._shed: dict[int, Arrival] = {}
        self._changed = threading.Condition()
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="alarm committer", daemon=True)

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def stop(self) -> None:
        """Take nothing more, store and answer what waits, and close the store."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        await asyncio.to_thread(self._thread.join)
        self._store.close()

    def has_room(self) -> bool:
        return not self._stopping and not self._is_full()

    def demand_room(self, source: KnownSource) -> None:
        """Raises Full, counted for the source, when no more may wait; StoreIsAway when stopping."""
        with self._changed:
            if self._stopping:
                raise StoreIsAway("stopping")
            if self._is_full():
                self._note_shed(source, 1)
                raise Full

    def turn_away(self, source: KnownSource) -> None:
        """Count a request that is not taken, for whatever reason."""
        with self._changed:
            self._note_shed(source, 1)
            self._changed.notify()

    async def stored(self, arrival: Arrival) -> None:
        """Return once `arrival` is durable. Raises Full, StoreIsAway or UnableToStore."""
        stored = asyncio.get_running_loop().create_future()
        self.store(arrival, partial(_tell, stored))
        await stored

    def store(self, arrival: Arrival, told: Told) -> None:
        """Have it stored, and `told`. Raises Full, or StoreIsAway when stopping."""
        if not self.has_room():
            self.demand_room(arrival.source)
        waiting = Waiting(arrival, told, max(1, len(arrival.events)))
        with self._changed:
            self._waiting.append(waiting)
            self._events += waiting.weight
            self._bytes += len(arrival.raw)
            self._changed.notify()

    def _is_full(self) -> bool:
        return self._events >= self._capacity or self._bytes >= self._capacity_bytes

    def _run(self) -> None:
        while (batch := self._next()) is not None:
            if batch:
                self._commit(batch)
            self._store_shed()
            if not batch:
                self._count_the_rest()
        self._store_shed()
        self._count_the_rest()

    def _commit(self, batch: Sequence[Waiting]) -> None:
        try:
            outcomes = self._store_all(batch)
        except Exception as error:
            log.exception("a batch of %d alarm requests was not stored", len(batch))
            outcomes = [error] * len(batch)
        assert self._loop is not None
        self._loop.call_soon_threadsafe(_answer, batch, outcomes)

    def _next(self) -> list[Waiting] | None:
        """What waits, up to a group, as soon as something does; None once we stop and all is stored.

        Nothing, when for a while there was only something to count.
        """
        with self._changed:
            while not self._waiting and not self._stopping:
                if not self._changed.wait(COUNT_S if self._shed or self._store.owes_counts else None):
                    return []
            if not self._waiting:
                return None
        self._gather()
        with self._changed:
            batch: list[Waiting] = []
            weight = 0
            while self._waiting and (not batch or weight + self._waiting[0].weight <= self._group):
                batch.append(self._waiting.popleft())
                weight += batch[-1].weight
            self._events -= weight
            self._bytes -= sum(len(waiting.arrival.raw) for waiting in batch)
            return batch

    def _gather(self) -> None:
        """Wait while more keep coming: a call of the database costs as much as twenty events in it.

        A lone one waits for nobody, and nobody waits long: senders that all wait for their answers send no more.
        """
        until = time.monotonic() + GATHER_S
        waiting = 1
        while waiting < self._events < ENOUGH and time.monotonic() < until and not self._stopping:
            waiting = self._events
            time.sleep(GLANCE_S)

    def _store_all(self, batch: Sequence[Waiting]) -> list[Exception | None]:
        """Store the batch; per arrival, what became of it. One that cannot be stored takes no other down."""
        try:
            self._store.commit([waiting.arrival for waiting in batch])
        except StoreIsAway as error:
            return [error] * len(batch)
        except UnableToStore as error:
            if len(batch) == 1:
                return [self._refuse(batch[0].arrival, error)]
            half = len(batch) // 2
            return self._store_all(batch[:half]) + self._store_all(batch[half:])
        return [None] * len(batch)

    def _store_shed(self) -> None:
        """Count what was turned away, apart from the batch, so that the count can fail without it."""
        with self._changed:
            shed, self._shed = self._shed, {}
        if not shed:
            return
        try:
            self._store.commit(list(shed.values()))
        except StoreIsAway:
            with self._changed:
                for arrival in shed.values():
                    self._note_shed(arrival.source, arrival.shed)
        except UnableToStore:
            log.exception("%d requests that were turned away are not counted", len(shed))

    def _count_the_rest(self) -> None:
        """Nothing else is to be stored: what waits to be counted waits no longer."""
        if not self._store.owes_counts:
            return
        try:
            self._store.commit([])
        except StoreIsAway as away:
            log.info("what alarm sources are to count waits for the store: %s", away)
        except UnableToStore:
            log.exception("what alarm sources are to count cannot be stored")

    def _note_shed(self, source: KnownSource, count: int) -> None:
        noted = self._shed.get(source.id) or Arrival(source=source, received_at=clock.now())
        self._shed[source.id] = replace(noted, shed=noted.shed + count)

    def _refuse(self, arrival: Arrival, error: UnableToStore) -> UnableToStore:
        """Keep the body of what cannot be stored as understood, where people see it."""
        log.warning("alarms of source %d cannot be stored: %s", arrival.source.id, error)
        try:
            self._store.commit([replace(arrival, events=(), refusal=f"This cannot be stored: {error}")])
        except (StoreIsAway, UnableToStore):
            log.exception("nor can their body")
        return error


def _answer(batch: Sequence[Waiting], outcomes: Sequence[Exception | None]) -> None:
    for waiting, outcome in zip(batch, outcomes, strict=True):
        waiting.told(outcome)


def _tell(stored: asyncio.Future[None], outcome: Exception | None) -> None:
    if stored.done():
        return  # the sender went away
    if outcome is None:
        stored.set_result(None)
    else:
        stored.set_exception(outcome)
