"""Every clock is a replay of the timeline: what the clocks of a ticket must be, worked out again from its entries.

Entries are read in the order of their ids, each with what was in force then: priority, contract version and tier as
the entry keeps them. The rules are those that the reactions apply (rules.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import orjson
from django.db import connection

from tierdesk.core.facts import Actor
from tierdesk.response.sla.models import GOING, Clock, Start, projection
from tierdesk.response.sla.rules import RULES, Rule, Track
from tierdesk.response.sla.terms import Terms
from tierdesk.tickets.lifecycle import UNRESOLVED

LINE = [
    "ticket_id",
    "at",
    "kind",
    "by_kind",
    "by_name",
    "by_id",
    "state",
    "tier",
    "priority",
    "contract_version_id",
    "pending_reason",
]
"""What the replay reads of an entry, in this order, and at the end its details."""

NO_END = 2**63 - 1

ABOUT = ["id", "client_id", "created_at", "channel"]
"""What it reads of a ticket: what never changes."""

TELLING = frozenset({"warned", "breached"})
HEARD = frozenset(RULES) | TELLING
"""The kinds of entries that say something to a clock; the others need not be read."""


READ = f"""
    SELECT {", ".join(LINE)}, details::text FROM tickets_entry
    WHERE ticket_id = ANY (%s) AND kind = ANY (%s) AND id < %s ORDER BY ticket_id, id
"""
"""The details as text: the driver's own way to JSON takes three times as long."""


def lines_of(tickets: Sequence[int], *, before: int = NO_END) -> defaultdict[int, list[list[Any]]]:
    """What the timelines of these tickets say to clocks, by ticket: values in the order of LINE, then the details.

    `before`: only entries that were written before this one (its key).
    """
    lines: defaultdict[int, list[list[Any]]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(READ, [list(tickets), sorted(HEARD), before])
        for *line, details in cursor.fetchall():
            lines[line[0]].append([*line, orjson.loads(details)])
    return lines


@dataclass(slots=True)
class Standing:
    """A ticket as it stood when an entry was written."""

    pk: int
    client_id: int
    created_at: datetime
    channel: str
    state: str = "new"
    pending_reason: str = ""
    tier: int = 1
    priority: int = 4
    contract_version_id: int | None = None

    def is_unresolved(self) -> bool:
        return self.state in UNRESOLVED


class Told:
    """A fact as its entry tells it: who, when, its details as attributes, and how the ticket stood."""

    __slots__ = ("__dict__", "at", "by", "ticket")

    def __init__(self, ticket: Standing, at: datetime, by: Actor, details: Mapping[str, Any]) -> None:
        self.ticket, self.at, self.by = ticket, at, by
        self.__dict__.update(details)


def replay(
    about: Sequence[Any],
    lines: Iterable[Sequence[Any]],
    terms: Terms,
    *,
    watch: Callable[[Sequence[Any], Sequence[Clock]], None] | None = None,
) -> list[Clock]:
    """The clocks of one ticket, unsaved, in the order in which they began.

    `about`: the ticket's values in the order of ABOUT. `lines`: its entries' values in the order of LINE and then their
    details, oldest first. `watch` is shown each entry, and the clocks as they are after it.
    """
    ticket = Standing(*about)
    said_at: dict[int, datetime] = {}
    past: list[Sequence[Any]] = []
    track = Track([], terms, said_at, anew=lambda fact: as_if(about, past, terms, fact))
    for line in lines:
        _, at, kind, by_kind, by_name, by_id, state, tier, priority, version, waits_for, details = line
        ticket.state, ticket.pending_reason = state, waits_for
        ticket.tier, ticket.priority, ticket.contract_version_id = tier, priority, version
        if kind in TELLING:
            _tell(track.clocks, kind, details, at)
        else:
            if kind in ("replied", "resolved") and details.get("message"):
                said_at[details["message"]] = at
            _apply(track, RULES.get(kind, ()), Told(ticket, at, Actor(by_kind, by_name, by_id), details))
        past.append(line)
        if watch is not None:
            watch(line, track.clocks)
    return track.clocks


CHANGES_TERMS = frozenset(
    {"reprioritised", "terms_changed", "retyped", "client_changed", "date_promised", "date_taken_back"}
)
AMONG_US = frozenset({"triaged", "acknowledged", "handed_over"})
"""What happens to a ticket whoever its client is; hand-overs of the ladder do, too."""


def as_if(about: Sequence[Any], past: Iterable[Sequence[Any]], terms: Terms, fact: Any) -> list[Clock]:
    """The clocks of a ticket as they would be by now if it had had its contract and priority of `fact` all along.

    `past`: its entries so far, as `replay` takes them. What the engine told of the clocks that it had is left out: it
    tells of these when they are due. What was said to another client is no answer to this one, and no wait.
    """
    ticket, theirs = fact.ticket, getattr(fact, "theirs", True)
    lines = [
        [*line[:8], ticket.priority, ticket.contract_version_id, *line[10:]]
        for line in past
        if line[2] not in TELLING | CHANGES_TERMS and (theirs or _is_among_us(line[2]))
    ]
    return replay(about if theirs else [*about[:3], ""], lines, terms)


def _is_among_us(kind: str) -> bool:
    return kind in AMONG_US or kind.startswith("escalation_")


def _apply(track: Track, rules: Sequence[Rule], fact: Told) -> None:
    for rule in rules:
        rule(track, fact)
        if track.starts:
            track.clocks.extend(cast(Clock, Lap(start)) for start in track.starts)
            track.starts.clear()
        if track.reborn:
            track.clocks.extend(track.reborn)
            track.reborn.clear()


def _tell(clocks: Sequence[Clock], kind: str, details: Mapping[str, Any], at: datetime) -> None:
    """The engine warned of a clock, or told its breach; from then on it does not do so again."""
    clock = _meant(clocks, details)
    if clock is None:
        return
    if kind == "warned":
        clock.warned_at = at
    else:
        clock.breached_at = datetime.fromisoformat(details["crossed_at"])
    clock.project()


def _meant(clocks: Sequence[Clock], details: Mapping[str, Any]) -> Clock | None:
    """The going clock of this metric, party and tier that was due then; several vendors' cases may go at once."""
    those = [
        clock
        for clock in clocks
        if clock.state in GOING
        and (clock.metric, clock.party, clock.tier) == (details["metric"], details["party"], details["tier"])
    ]
    if len(those) < 2:
        return those[0] if those else None
    due = [c for c in those if c.due_at is not None and c.due_at.isoformat() == details["due_at"]]
    return (due or those)[0]


class Lap:
    """A clock in memory: the verbs of `Clock`, without a row behind it.

    A model costs more than all arithmetic on it, and most projections are overtaken before anybody looks; so this is
    plain, and works out `due_at` and `wake_at` when it is asked for them.
    """

    pk = None
    target = Clock.target
    spans = Clock.spans
    course = Clock.course
    has_breached = Clock.has_breached
    pause = Clock.pause
    resume = Clock.resume
    take_back_hand_over = Clock.take_back_hand_over
    put_in_pause = Clock.put_in_pause
    stop = Clock.stop
    take_back_stop = Clock.take_back_stop
    cancel = Clock.cancel
    strike = Clock.strike
    never_counted = Clock.never_counted
    take_back_cancellation = Clock.take_back_cancellation
    end_wait = Clock.end_wait
    reopen = Clock.reopen
    retarget = Clock.retarget
    be_late = Clock.be_late
    move = Clock.move

    def __init__(self, start: Start) -> None:
        self.__dict__.update(start._asdict())
        self.counting_from = start.started_at
        self.carried_s = 0.0
        self.pauses: list[Any] = start.pauses()
        self.state = start.state().value
        self.warned_at: datetime | None = None
        self.breached_at: datetime | None = None
        self.stopped_at: datetime | None = None
        self.elapsed_s: float | None = None
        self._projected: tuple[datetime | None, datetime | None] | None = None

    def project(self) -> None:
        self._projected = None

    def _projection(self) -> tuple[datetime | None, datetime | None]:
        if self._projected is None:
            course = cast(Clock, self).course
            self._projected = projection(course, warned=self.warned_at, breached=self.breached_at)
        return self._projected

    @property
    def due_at(self) -> datetime | None:
        return self._projection()[0]

    @due_at.setter
    def due_at(self, at: datetime | None) -> None:
        self._projected = (at, None if self._projected is None else self._projected[1])

    @property
    def wake_at(self) -> datetime | None:
        return self._projection()[1]

    @wake_at.setter
    def wake_at(self, at: datetime | None) -> None:
        self._projected = (None if self._projected is None else self._projected[0], at)
