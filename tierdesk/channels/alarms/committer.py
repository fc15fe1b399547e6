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

MANY = 200
"""An arrival of so many events is a call of its own, whoever else waits."""

WRITERS_BESIDE = 2
"""As many take those: while the database works on one, the next is there already. A third brought nothing."""

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


class Line:
    """What waits for threads of one kind, in the order in which it came. `changed` is told of what comes."""

    def __init__(self, lock: threading.Lock) -> None:
        self.changed = threading.Condition(lock)
        self.waiting: deque[Waiting] = deque()
        self.events = 0
        self.bytes = 0

    def add(self, one: Waiting) -> None:
        self.waiting.append(one)
        self.events += one.weight
        self.bytes += len(one.arrival.raw)
        self.changed.notify()

    def take(self, events: int) -> list[Waiting]:
        """The first, and those behind it that fit into so many events with it."""
        taken: list[Waiting] = []
        weight = 0
        while self.waiting and (not taken or weight + self.waiting[0].weight <= events):
            taken.append(self.waiting.popleft())
            weight += taken[-1].weight
        self.events -= weight
        self.bytes -= sum(len(one.arrival.raw) for one in taken)
        return taken


class Committer:
    """Threads that store what waits. One takes it in order, up to `group` events in one transaction.

    `beside` are stores of more threads: what has MANY events goes to them, each in a transaction of its own, so that
    the database has the next before it is done with the one before. At most `capacity` events and `capacity_bytes` of
    bodies wait. The methods are for the event loop that called `start`; only the stores are used from the threads.
    """

    def __init__(
        self,
        store: Store,
        *,
        beside: Sequence[Store] = (),
        group: int = GROUP,
        capacity: int = CAPACITY,
        capacity_bytes: int = CAPACITY_BYTES,
    ) -> None:
        self._stores = [store, *beside]
        self._group = group
        self._capacity = capacity
        self._capacity_bytes = capacity_bytes
        self._lock = threading.Lock()
        self._few, self._many = Line(self._lock), Line(self._lock)
        self._shed: dict[int, Arrival] = {}
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None
        lines = [self._few, *(self._many for _ in beside)]
        self._threads = [
            threading.Thread(target=self._run, args=work, name="alarm committer", daemon=True)
            for work in zip(self._stores, lines, strict=True)
        ]

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        for thread in self._threads:
            thread.start()

    async def stop(self) -> None:
        """Take nothing more, store and answer what waits, and close the store."""
        with self._lock:
            self._stopping = True
            self._few.changed.notify_all()
            self._many.changed.notify_all()
        for thread in self._threads:
            await asyncio.to_thread(thread.join)
        for store in self._stores:
            store.close()

    def has_room(self) -> bool:
        return not self._stopping and not self._is_full()

    def demand_room(self, source: KnownSource) -> None:
        """Raises Full, counted for the source, when no more may wait; StoreIsAway when stopping."""
        with self._lock:
            if self._stopping:
                raise StoreIsAway("stopping")
            if self._is_full():
                self._note_shed(source, 1)
                raise Full

    def turn_away(self, source: KnownSource) -> None:
        """Count a request that is not taken, for whatever reason."""
        with self._lock:
            self._note_shed(source, 1)
            self._few.changed.notify()

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
        is_many = waiting.weight >= MANY and len(self._stores) > 1
        with self._lock:
            (self._many if is_many else self._few).add(waiting)

    def _is_full(self) -> bool:
        return (
            self._few.events + self._many.events >= self._capacity
            or self._few.bytes + self._many.bytes >= self._capacity_bytes
        )

    def _run(self, store: Store, line: Line) -> None:
        while (batch := self._next(store, line)) is not None:
            if batch:
                self._commit(store, batch)
            if line is self._few:
                self._store_shed(store)
            if not batch:
                _count_the_rest(store)
        if line is self._few:
            self._store_shed(store)
        _count_the_rest(store)

    def _commit(self, store: Store, batch: Sequence[Waiting]) -> None:
        try:
            outcomes = _store_all(store, batch)
        except Exception as error:
            log.exception("a batch of %d alarm requests was not stored", len(batch))
            outcomes = [error] * len(batch)
        assert self._loop is not None
        self._loop.call_soon_threadsafe(_answer, batch, outcomes)

    def _next(self, store: Store, line: Line) -> list[Waiting] | None:
        """What waits, up to a group, as soon as something does; None once we stop and all is stored.

        Nothing, when for a while there was only something to count.
        """
        with self._lock:
            while not line.waiting and not self._stopping:
                is_to_count = store.owes_counts or (self._shed and line is self._few)
                if not line.changed.wait(COUNT_S if is_to_count else None):
                    return []
            if not line.waiting:
                return None
        if line is self._many:
            with self._lock:
                return line.take(1)
        self._gather()
        with self._lock:
            return line.take(self._group)

    def _gather(self) -> None:
        """Wait while more keep coming: a call of the database costs as much as twenty events in it.

        A lone one waits for nobody, and nobody waits long: senders that all wait for their answers send no more.
        """
        until = time.monotonic() + GATHER_S
        waiting = 1
        while waiting < self._few.events < ENOUGH and time.monotonic() < until and not self._stopping:
            waiting = self._few.events
            time.sleep(GLANCE_S)

    def _store_shed(self, store: Store) -> None:
        """Count what was turned away, apart from the batch, so that the count can fail without it."""
        with self._lock:
            shed, self._shed = self._shed, {}
        if not shed:
            return
        try:
            store.commit(list(shed.values()))
        except StoreIsAway:
            with self._lock:
                for arrival in shed.values():
                    self._note_shed(arrival.source, arrival.shed)
        except UnableToStore:
            log.exception("%d requests that were turned away are not counted", len(shed))

    def _note_shed(self, source: KnownSource, count: int) -> None:
        noted = self._shed.get(source.id) or Arrival(source=source, received_at=clock.now())
        self._shed[source.id] = replace(noted, shed=noted.shed + count)


def _store_all(store: Store, batch: Sequence[Waiting]) -> list[Exception | None]:
    """Store the batch; per arrival, what became of it. One that cannot be stored takes no other down."""
    try:
        store.commit([waiting.arrival for waiting in batch])
    except StoreIsAway as error:
        return [error] * len(batch)
    except UnableToStore as error:
        if len(batch) == 1:
            return [_refuse(store, batch[0].arrival, error)]
        half = len(batch) // 2
        return _store_all(store, batch[:half]) + _store_all(store, batch[half:])
    return [None] * len(batch)


def _refuse(store: Store, arrival: Arrival, error: UnableToStore) -> UnableToStore:
    """Keep the body of what cannot be stored as understood, where people see it."""
    log.warning("alarms of source %d cannot be stored: %s", arrival.source.id, error)
    try:
        store.commit([replace(arrival, events=(), refusal=f"This cannot be stored: {error}")])
    except (StoreIsAway, UnableToStore):
        log.exception("nor can their body")
    return error


def _count_the_rest(store: Store) -> None:
    """Nothing else is to be stored: what waits to be counted waits no longer."""
    if not store.owes_counts:
        return
    try:
        store.commit([])
    except StoreIsAway as away:
        log.info("what alarm sources are to count waits for the store: %s", away)
    except UnableToStore:
        log.exception("what alarm sources are to count cannot be stored")


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
