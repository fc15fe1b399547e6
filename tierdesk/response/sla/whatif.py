"""What if another contract had applied? Tickets replayed against a draft's targets, calendars and policies. Read only.

Both sides are worked out in the same way, from the timeline without what the engine told of warnings and breaches, so
that only the terms differ. A draft counts as if it had been in force all the time, its matrix too: the timeline keeps
the impact and urgency that a priority came of. What somebody overrode stays. Hand-overs and vendors keep the promises
they were told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tierdesk.directory.contracts.models import ContractVersion, Metric, Party, Promise
from tierdesk.response.sla.models import Clock
from tierdesk.response.sla.policy import Policies
from tierdesk.response.sla.replay import ABOUT, TELLING, lines_of, replay
from tierdesk.response.sla.terms import Standing, Terms
from tierdesk.tickets.models import Ticket

AT_ONCE = 500
"""Tickets per read."""

KIND, TIER, AT, PRIORITY, VERSION, DETAILS = 2, 7, 1, 8, 9, -1
"""Where a line of a timeline has them (replay.LINE)."""


class Draft(Terms):
    """The terms of a draft in the place of every version of the same contract; other contracts stay as they are.

    `stands_for`: the draft's version by the versions that it replaces. It is read at once: the rows may go again.
    """

    def __init__(self, versions: Iterable[int | None], stands_for: Mapping[int, int]) -> None:
        super().__init__({*versions, *stands_for.values()})
        self._stands_for = stands_for
        self.read()

    def read(self) -> None:
        """Read everything now, working hours too: they are kept by `hours_of` once somebody has asked."""
        found: dict[tuple[int | None, int], list[Promise]] = {}
        for promise in Promise.objects.filter(contract_version__in=self._versions).select_related("calendar"):
            found.setdefault((promise.contract_version_id, promise.priority), []).append(promise)
            assert promise.calendar.hours
        versions = ContractVersion.objects.filter(pk__in=self._versions).values_list(
            "pk", "policies", "matrix"
        )
        self._promises, self._policies, self._matrices = found, {}, {}
        for pk, agreed, matrix in versions:
            self._policies[pk], self._matrices[pk] = Policies.of(agreed), matrix

    def prioritised(self, lines: Sequence[Sequence[Any]]) -> tuple[Sequence[Sequence[Any]], bool]:
        """(the lines with the priorities that the draft's matrix gives, whether all that it was asked is known).

        Where it is not known, the priority stays as it was.
        """
        told: list[Sequence[Any]] = []
        asked, is_overridden, is_known = None, False, True
        for line in lines:
            if line[KIND] in ("triaged", "reprioritised"):
                is_overridden = bool(line[DETAILS].get("overridden"))
                asked = asked if is_overridden else asked_of(line[DETAILS])
            elif (
                line[KIND] == "client_changed"
            ):  # its own matrix is asked, whatever the other's people had said
                is_overridden = False
            draft = self._stands_for.get(line[VERSION])
            if draft is None or is_overridden or self._matrices[draft] == self._matrices.get(line[VERSION]):
                told.append(line)
            elif asked is None or _ask(self._matrices[line[VERSION]], asked) != line[PRIORITY]:
                is_known = False
                told.append(line)
            else:
                told.append([*line[:PRIORITY], _ask(self._matrices[draft], asked), *line[PRIORITY + 1 :]])
        return told, is_known

    def promises(self, standing: Standing) -> Sequence[Promise]:
        return super().promises(self._instead(standing))

    def policies(self, standing: Standing) -> Policies:
        return super().policies(self._instead(standing))

    def _instead(self, standing: Standing) -> Standing:
        version = standing.contract_version_id
        return Under(self._stands_for.get(version, version) if version else None, standing.priority)


type Asked = tuple[int, int]
"""Impact and urgency, as the matrix was asked."""

IN_WORDS = re.compile(r"\bimpact (\d) × urgency (\d) = P\d")


def asked_of(details: Mapping[str, Any]) -> Asked | None:
    """What a matrix was asked, as the timeline keeps it: in numbers, or in triage's words; None if it does not."""
    if details.get("impact") and details.get("urgency"):
        return details["impact"], details["urgency"]
    found = IN_WORDS.search(details.get("why") or "")
    return (int(found[1]), int(found[2])) if found else None


def _ask(matrix: Mapping[str, Mapping[str, int]], asked: Asked) -> int:
    return int(matrix[str(asked[0])][str(asked[1])])


@dataclass(frozen=True, slots=True)
class Under:
    """A ticket's standing under another version."""

    contract_version_id: int | None
    priority: int


@dataclass(frozen=True, slots=True, order=True)
class Broken:
    """A promise of a ticket that was broken: whose, at which priority, and on which tier the ticket was then."""

    metric: str
    party: str
    tier: int
    priority: int

    @property
    def words(self) -> str:
        return f"{self.metric} ({self.party}{f' L{self.tier}' if self.party == Party.OLA else ''})"


@dataclass(frozen=True, slots=True)
class Differing:
    """A ticket that would have fared otherwise: promises that only now, or only under the draft, are broken."""

    ticket: int
    client: int
    only_now: tuple[Broken, ...]
    only_draft: tuple[Broken, ...]


@dataclass(slots=True)
class Comparison:
    """Broken promises before and after, as [now, under the draft], by client, tier and priority of each.

    `unasked`: tickets whose priority the draft's matrix was not asked, since nobody knows what it came of.
    """

    tickets: int = 0
    unasked: list[int] = field(default_factory=list)
    cells: dict[tuple[int, int, int], list[int]] = field(default_factory=dict)
    differing: list[Differing] = field(default_factory=list)

    @property
    def total(self) -> tuple[int, int]:
        return sum(now for now, _ in self.cells.values()), sum(then for _, then in self.cells.values())

    def by(self, place: int) -> dict[int, tuple[int, int]]:
        """Summed by client (0), tier (1) or priority (2), in order."""
        found: dict[int, tuple[int, int]] = {}
        for key, (now, then) in sorted(self.cells.items()):
            before = found.get(key[place], (0, 0))
            found[key[place]] = (before[0] + now, before[1] + then)
        return dict(sorted(found.items()))

    def add(self, ticket: int, client: int, now: Sequence[Broken], then: Sequence[Broken]) -> None:
        self.tickets += 1
        for side, broken in enumerate((now, then)):
            for one in broken:
                self.cells.setdefault((client, one.tier, one.priority), [0, 0])[side] += 1
        only_now, only_draft = _without(now, then), _without(then, now)
        if only_now or only_draft:
            self.differing.append(Differing(ticket, client, only_now, only_draft))


def compare(draft: Draft, *, since: datetime, at: datetime, most: int | None = None) -> Comparison:
    """The tickets received from `since` on, at most the newest `most`: as they stand at `at`, and under the draft."""
    comparison, terms = Comparison(), Terms.of_all()
    for tickets in _batches(since, most):
        lines = lines_of([about[0] for about in tickets])
        for about in tickets:
            told = [line for line in lines[about[0]] if line[KIND] not in TELLING]
            under, is_known = draft.prioritised(told)
            now, then = _broken(about, told, terms, at), _broken(about, under, draft, at)
            comparison.add(about[0], about[1], now, then)
            if not is_known:
                comparison.unasked.append(about[0])
    return comparison


def _broken(about: Sequence[Any], lines: Sequence[Sequence[Any]], terms: Terms, at: datetime) -> list[Broken]:
    """The promises to the client, and the tiers' own, that were broken by `at`."""
    clocks = replay(about, lines, terms)
    return sorted(
        Broken(clock.metric, clock.party, _tier(clock, lines, at), clock.priority)
        for clock in clocks
        if clock.party != Party.UC and clock.metric != Metric.ACCEPT and clock.has_breached(at)
    )


def _tier(clock: Clock, lines: Sequence[Sequence[Any]], at: datetime) -> int:
    """Whose it is: a tier's own, else the tier's that had the ticket when it was broken."""
    if clock.tier is not None:
        return clock.tier
    crossed_at = clock.breached_at or clock.course.crossed_at(min(at, clock.stopped_at or at)) or at
    before = [line[TIER] for line in lines if line[AT] <= crossed_at]
    return int(before[-1]) if before else 1


def _without(some: Sequence[Broken], others: Sequence[Broken]) -> tuple[Broken, ...]:
    """Those whose promise is not among the others, whatever tier had the ticket when it was broken."""
    known = [(one.metric, one.party) for one in others]
    left = []
    for one in some:
        if (one.metric, one.party) in known:
            known.remove((one.metric, one.party))
        else:
            left.append(one)
    return tuple(left)


def _batches(since: datetime, most: int | None) -> Iterator[list[tuple[Any, ...]]]:
    """Newest first."""
    before, left = None, most
    while left is None or left > 0:
        tickets = Ticket.objects.filter(created_at__gte=since).order_by("-pk")
        if before is not None:
            tickets = tickets.filter(pk__lt=before)
        batch = list(tickets.values_list(*ABOUT)[: AT_ONCE if left is None else min(left, AT_ONCE)])
        if not batch:
            return
        yield batch
        before, left = batch[-1][0], None if left is None else left - len(batch)
