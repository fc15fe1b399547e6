"""The unit of work: one transaction in which verbs record facts and reactions answer them in batches.

    with work(by=agent, at=now) as unit:
        ticket.resolve(...)

Before commit the unit settles: the facts of a round are journaled, then each reaction that `tierdesk/flow.py`
lists for their kind gets all of them at once, as a list. Facts that reactions record form the next round.
An exception anywhere rolls everything back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from tierdesk.core.facts import Actor, Fact

MAX_ROUNDS = 12

Reaction = Callable[[Any], None]

Opening = Callable[[Any, Any], None]
"""Sets on a list of subjects what is decided about them; beside it comes a list of what was known of each."""


@dataclass(frozen=True, slots=True)
class Reactions:
    """`now`: true at commit, in this order. `later`: queued in the same commit, retried one by one."""

    now: Sequence[Reaction] = ()
    later: Sequence[Reaction] = ()


class Journal(Protocol):
    """Writes facts down (stamping each) and, at the end, announces what changed to whoever listens."""

    def write(self, facts: Sequence[tuple[Fact, int | None]], *, by: Actor, at: datetime) -> None: ...

    def announce(self, facts: Sequence[Fact]) -> None: ...


class Later(Protocol):
    """Queues a reaction to already journaled facts, in the same transaction."""

    def __call__(self, reaction: Reaction, facts: Sequence[Fact]) -> None: ...


@dataclass(frozen=True)
class Wiring:
    """What `tierdesk/flow.py` provides: reactions per fact, the journal, and the queue for later ones.

    `opening` sets what the desk decides about subjects that are only about to exist, so that they are written once.
    """

    reactions: dict[type[Fact], Reactions]
    journal: Journal
    later: Later
    opening: Opening


class NoUnitOfWork(RuntimeError):
    """A verb was called outside `with work(by=…, at=…)`."""


class UnitAlreadyOpen(RuntimeError):
    """Units of work do not nest: a verb that needs another verb calls it inside the same unit."""


class Unsettled(RuntimeError):
    """Reactions kept recording facts for more than MAX_ROUNDS rounds: a loop in the flow."""


@dataclass
class Unit:
    """One open unit of work. Use `work`, `record` and `current`; this object is what they share."""

    by: Actor
    at: datetime
    wiring: Wiring
    because: int | None = None
    facts: list[Fact] = field(default_factory=list)
    at_last: list[Callable[[], None]] = field(default_factory=list)
    """What is done right before the commit, in this order, when all has settled: to write what others wait for, say."""

    _round: list[tuple[Fact, int | None]] = field(default_factory=list)
    _causes: dict[object, int] = field(default_factory=dict)

    def record(self, fact: Fact, because: int | None = None) -> None:
        """`because`: the entry that led to it; else the last fact about the same subject that is being answered."""
        self._round.append((fact, because or self._causes.get(fact.subject, self.because)))

    def settle(self) -> None:
        """Journal and answer round after round until no reaction records anything new.

        The unit settles by itself before it commits; a caller that needs the reactions' work for its next verb
        (triage, before somebody takes the ticket) settles in between.
        """
        for _ in range(MAX_ROUNDS):
            if not self._round:
                break
            self._answer(self._take_round())
        if self._round:
            raise Unsettled(f"still new facts after {MAX_ROUNDS} rounds: {[f.kind for f, _ in self._round]}")

    def _take_round(self) -> list[Fact]:
        recorded, self._round = self._round, []
        self.wiring.journal.write(recorded, by=self.by, at=self.at)
        facts = [fact for fact, _ in recorded]
        self.facts.extend(facts)
        return facts

    def _answer(self, facts: list[Fact]) -> None:
        batches: dict[type[Fact], list[Fact]] = defaultdict(list)
        for fact in facts:
            batches[type(fact)].append(fact)
        for kind, batch in batches.items():
            reactions = self.wiring.reactions.get(kind)
            if reactions is None:
                continue
            self._causes = {fact.subject: fact.id for fact in batch}
            for reaction in reactions.now:
                reaction(batch)
            for reaction in reactions.later:
                self.wiring.later(reaction, batch)
        self._causes = {}


_current: ContextVar[Unit | None] = ContextVar("unit_of_work", default=None)


def current() -> Unit:
    """The open unit of work; raises NoUnitOfWork outside one."""
    unit = _current.get()
    if unit is None:
        raise NoUnitOfWork("verbs run inside `with work(by=…, at=…)`")
    return unit


def record(fact: Fact, *, because: int | None = None) -> None:
    """Record a fact in the open unit of work. Raises NoUnitOfWork outside one.

    `because`: the id of the entry that led to it, where a reaction that got several facts about one subject knows.
    """
    current().record(fact, because)


@contextmanager
def work(
    *, by: Actor, at: datetime, because: int | None = None, wiring: Wiring | None = None
) -> Iterator[Unit]:
    """Open a unit of work: one transaction, settled before it commits.

    `by` is who acts, `at` when (aware), `because` the id of the timeline entry that led to it, if one did. `wiring` is
    the house's (settings.WIRING), unless what happened is told as history.
    """
    if _current.get() is not None:
        raise UnitAlreadyOpen("a unit of work is already open here")
    unit = Unit(by=by, at=at, wiring=wiring or _wiring(), because=because)
    with transaction.atomic():
        token = _current.set(unit)
        try:
            yield unit
            unit.settle()
            if unit.facts:
                unit.wiring.journal.announce(unit.facts)
            for write in unit.at_last:
                write()
            if unit._round:
                raise Unsettled("what is written at last records no facts: nobody would answer them")
        finally:
            _current.reset(token)


def _wiring() -> Wiring:
    wiring: Wiring = import_string(settings.WIRING)
    return wiring
