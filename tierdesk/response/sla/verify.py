"""Do the clocks still say what the timeline says? Recompute them all; where they differ, say so, and correct them.

A correction is an entry of its own (`ClocksCorrected`), written in the same unit of work that changes the rows: nobody
edits the past silently.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from tierdesk.core.work import record
from tierdesk.response.sla.facts import ClocksCorrected
from tierdesk.response.sla.models import (
    CHANGING,
    IDENTITY,
    Clock,
    ClockState,
    keep,
    project_onto_tickets,
    put_down,
)
from tierdesk.response.sla.replay import ABOUT, lines_of, replay
from tierdesk.response.sla.rungs import lay_rungs
from tierdesk.response.sla.terms import Terms
from tierdesk.tickets.models import Ticket

AT_ONCE = 500
"""Tickets per read."""

VALUES = attrgetter(*IDENTITY, *CHANGING)


@dataclass(frozen=True, slots=True)
class Difference:
    """One clock that is not what its ticket's timeline says.

    `row` is what is stored (None: missing), `told` what it must be (None: it should not exist); `fields` what differs.
    """

    ticket: int
    row: Clock | None
    told: Clock | None
    fields: tuple[str, ...]

    @property
    def clock(self) -> Clock:
        clock = self.row or self.told
        assert clock is not None
        return clock

    def __str__(self) -> str:
        name = f"TD-{self.ticket} {self.clock.party} {self.clock.metric}"
        if self.clock.tier:
            name += f" L{self.clock.tier}"
        if self.row is None:
            return f"{name}: there is no such clock, and the timeline starts one"
        if self.told is None:
            return f"{name}: the timeline starts no such clock"
        said = (
            f"{field} is {_plain(getattr(self.row, field))}, by the timeline {_plain(getattr(self.told, field))}"
            for field in self.fields
        )
        return f"{name}: {'; '.join(said)}"

    def as_details(self) -> dict[str, Any]:
        """For the correcting entry: which clock, and each field as it was and as it is now."""
        return {
            "clock": self.row.pk if self.row else None,
            "metric": self.clock.metric,
            "party": self.clock.party,
            "tier": self.clock.tier,
            "fields": {
                field: [
                    _plain(getattr(self.row, field)) if self.row else None,
                    _plain(getattr(self.told, field)) if self.told else None,
                ]
                for field in self.fields
            },
        }


@dataclass(slots=True)
class Tally:
    """How much was looked at."""

    tickets: int = 0
    clocks: int = 0


def verify(*, first: int = 0, last: int | None = None, tally: Tally | None = None) -> Iterator[Difference]:
    """Recompute the clocks of all tickets, or of those numbered `first` to `last`, and yield what differs."""
    terms, tally = Terms.of_all(), tally or Tally()
    for tickets in _batches(first, last):
        stored, told = _stored([about[0] for about in tickets]), _told(tickets, terms)
        tally.tickets += len(tickets)
        for about in tickets:
            pk = about[0]
            tally.clocks += len(told[pk])
            if stored[pk] != [VALUES(clock) for clock in told[pk]]:
                yield from differences(pk, list(Clock.objects.filter(ticket=pk).order_by("id")), told[pk])


def differences(ticket: int, stored: Sequence[Clock], told: Sequence[Clock]) -> Iterator[Difference]:
    """What differs between the clocks of a ticket as they are stored and as its timeline tells them."""
    missing = defaultdict(list)
    for clock in told:
        missing[_identity(clock)].append(clock)
    for row in stored:
        if not (same := missing[_identity(row)]):
            if row.state != ClockState.CANCELLED:
                yield Difference(ticket, row, None, ("state",))
            continue
        clock = same.pop(0)
        if fields := tuple(name for name in CHANGING if getattr(row, name) != getattr(clock, name)):
            yield Difference(ticket, row, clock, fields)
    for clocks in missing.values():
        for clock in clocks:
            yield Difference(ticket, None, clock, ("state",))


def repair(ticket: Ticket) -> list[Difference]:
    """Set the clocks of a ticket to what its timeline says, and write down what was corrected. Inside a unit of work.

    A clock that the timeline does not know is cancelled, not deleted.
    """
    about = tuple(getattr(ticket, name) for name in ABOUT)
    stored = list(Clock.objects.filter(ticket=ticket).select_for_update().order_by("id"))
    told = _told([about], Terms.of_all())[ticket.pk]
    found = list(differences(ticket.pk, stored, told))
    if not found:
        return []
    record(ClocksCorrected(ticket=ticket, corrections=[one.as_details() for one in found]))
    _write(found)
    lay_rungs([ticket], Terms.of([ticket]))
    return found


def _write(found: Sequence[Difference]) -> None:
    kept = [one.row for one in found if one.row is not None]
    missing = [one.told for one in found if one.row is None and one.told is not None]
    for one in found:
        if one.row is not None and one.told is not None:
            for name in CHANGING:
                setattr(one.row, name, getattr(one.told, name))
        elif one.row is not None:
            one.row.strike()
    put_down(missing)
    keep(kept)
    project_onto_tickets({one.ticket for one in found})


def _batches(first: int, last: int | None) -> Iterator[list[tuple[Any, ...]]]:
    after = first - 1
    while True:
        tickets = Ticket.objects.filter(pk__gt=after).order_by("pk")
        if last is not None:
            tickets = tickets.filter(pk__lte=last)
        batch = list(tickets.values_list(*ABOUT)[:AT_ONCE])
        if not batch:
            return
        yield batch
        after = batch[-1][0]


def _stored(tickets: Sequence[int]) -> defaultdict[int, list[tuple[Any, ...]]]:
    """The values of each ticket's clocks, in the order of VALUES."""
    found: defaultdict[int, list[tuple[Any, ...]]] = defaultdict(list)
    clocks = Clock.objects.filter(ticket_id__in=tickets).order_by("id")
    for pk, *values in clocks.values_list("ticket_id", *IDENTITY, *CHANGING):
        found[pk].append(tuple(values))
    return found


def _told(tickets: Sequence[tuple[Any, ...]], terms: Terms) -> dict[int, list[Clock]]:
    lines = lines_of([about[0] for about in tickets])
    return {about[0]: replay(about, lines[about[0]], terms) for about in tickets}


def _identity(clock: Clock) -> tuple[Any, ...]:
    return tuple(getattr(clock, name) for name in IDENTITY)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
