"""How good outlooks are: a public log of incidents is lived through again in the order of its arrival.

At each look the estimate knows what had happened by then and nothing later. Beside it stand two plain baselines: the
share of late ones so far of the same priority, and the same among those that had used as much of their target (which is
what a warning at three quarters goes by). `bin/bench prediction --log FILE` prints it.

The log: the ServiceNow incident log of UCI's repository (set 498), CSV, gzipped. It has no calendars and no targets, so
time runs around the clock and TARGETS are ours.
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from tierdesk.learning.prediction.models import LATE_UNTIL
from tierdesk.learning.prediction.survival import Experience, History, Traits

HOUR = timedelta(hours=1)
TARGETS: Mapping[str, timedelta] = {"1": 24 * HOUR, "2": 48 * HOUR, "3": 120 * HOUR, "4": 240 * HOUR}
LOOKS = (0.0, 0.25, 0.5, 0.75)
"""When it is asked, as shares of the target; at 0 it is asked once somebody may have read the ticket."""

READ_AFTER = timedelta(minutes=15)
STEADY_AFTER = timedelta(days=28)
"""What is said earlier does not count: nobody knows anything on the first day."""

FINE = tuple(n / 20 for n in range(1, 20))
DONE = ("Resolved", "Closed")


@dataclass(frozen=True, slots=True)
class Case:
    """One incident of the log. `ended_at`: its solution, or the last word on it if there is none."""

    opened_at: datetime
    ended_at: datetime
    resolved: bool
    priority: str
    turns: Sequence[tuple[float, Traits]]

    @property
    def target(self) -> timedelta:
        return TARGETS[self.priority]

    @property
    def is_late(self) -> bool:
        return self.ended_at - self.opened_at > self.target

    def like(self, used_s: float) -> Traits:
        return next(traits for begins, traits in reversed(self.turns) if begins <= used_s)

    def history(self, until: datetime) -> History:
        """What was known of it at `until`."""
        ends = min(self.ended_at, until)
        used = (ends - self.opened_at).total_seconds()
        turns = [turn for turn in self.turns if turn[0] <= used]
        return History(turns, used, self.resolved and self.ended_at <= until)


@dataclass(frozen=True, slots=True)
class Said:
    """One look at one case: how likely late it was called by each, and whether it was."""

    share: float
    late: bool
    ours: float
    of_priority: float
    of_used: float


@dataclass(slots=True)
class Warned:
    """What was called likely late before it was: how many, how many of them rightly, how far ahead in all (shares)."""

    called: int = 0
    rightly: int = 0
    late: int = 0
    ahead: float = 0.0


def read(path: Path) -> list[Case]:
    """The incidents of the log, by arrival."""
    rows: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    with gzip.open(path, "rt", encoding="utf-8") as log:
        for row in csv.DictReader(log):
            rows[row["number"]].append(row)
    cases = [_case(of_one) for of_one in rows.values()]
    return sorted((case for case in cases if case is not None), key=lambda case: case.opened_at)


def _case(rows: Sequence[Mapping[str, str]]) -> Case | None:
    opened_at, resolved_at = _when(rows[0]["opened_at"]), _when(rows[-1]["resolved_at"])
    if opened_at is None:
        return None
    for row in rows:
        if resolved_at is None and row["incident_state"] in DONE:
            resolved_at = _when(row["sys_updated_at"])
    ended_at = resolved_at or _when(rows[-1]["sys_updated_at"]) or opened_at
    priority = rows[0]["priority"][0]
    turns: list[tuple[float, Traits]] = [(0.0, (f"P{priority}", "?", rows[0]["category"]))]
    for row in rows:
        used = ((_when(row["sys_updated_at"]) or opened_at) - opened_at).total_seconds()
        traits = (f"P{priority}", row["assignment_group"], row["category"])
        if traits != turns[-1][1] and used >= 0 and opened_at + timedelta(seconds=used) < ended_at:
            turns.append((used, traits))
    return Case(opened_at, max(ended_at, opened_at), resolved_at is not None, priority, turns)


def _when(told: str) -> datetime | None:
    return None if told == "?" else datetime.strptime(told, "%d/%m/%Y %H:%M")  # noqa: DTZ007 - the log has no zone


def replay(cases: Sequence[Case]) -> tuple[list[Said], Warned]:
    """Live through the log, and say at each look what was likely then."""
    desk, said, warned = _Desk(), list[Said](), dict[int, Warned]()
    steady = cases[0].opened_at + STEADY_AFTER
    ahead: dict[int, float] = {}
    for at, share, number in _moments(cases):
        case = cases[number]
        desk.live_until(at, cases)
        if share is None:
            desk.learn(case, at)
        elif at >= steady and (case.resolved or case.is_late):
            used = max(share * case.target, READ_AFTER).total_seconds()
            ours = desk.chance_of_being_late(case, used)
            if ours is None:
                continue
            warned.setdefault(number, Warned())
            if 1 - ours <= LATE_UNTIL:
                ahead.setdefault(number, 1 - share)
            if share in LOOKS:
                said.append(
                    Said(
                        share,
                        case.is_late,
                        ours,
                        desk.late_of(case.priority),
                        desk.late_of(case.priority, share),
                    )
                )
    rightly = [number for number in ahead if cases[number].is_late]
    late = sum(cases[number].is_late for number in warned)
    return said, Warned(len(ahead), len(rightly), late, sum(ahead[number] for number in rightly))


def _moments(cases: Sequence[Case]) -> Iterator[tuple[datetime, float | None, int]]:
    """When something ends (None) or is looked at, in order; at one instant, ends come first."""
    moments: list[tuple[datetime, int, float | None, int]] = []
    for number, case in enumerate(cases):
        moments.append((case.ended_at, 0, None, number))
        for share in (0.0, *FINE):
            at = case.opened_at + max(share * case.target, READ_AFTER)
            if at < case.ended_at:
                moments.append((at, 1, share, number))
    moments.sort(key=lambda moment: moment[:2])
    return ((at, share, number) for at, _, share, number in moments)


class _Desk:
    """What is known at an instant: what ended, and once a day how far the open ones are."""

    def __init__(self) -> None:
        self.experience = Experience()
        self._open: dict[int, Case] = {}
        self._counted: dict[int, History] = {}
        self._numbers: dict[int, int] = {}
        self._late: defaultdict[tuple[str, float | None], list[int]] = defaultdict(lambda: [1, 2])
        self._day = datetime.min  # noqa: DTZ901 - the log has no zone
        self._arrived = 0

    def live_until(self, at: datetime, cases: Sequence[Case]) -> None:
        while self._arrived < len(cases) and cases[self._arrived].opened_at <= at:
            self._open[self._arrived] = cases[self._arrived]
            self._arrived += 1
        if at - self._day >= timedelta(days=1):
            self._day = at
            for history in self._counted.values():
                self.experience.add(history, times=-1)
            self._open = {number: case for number, case in self._open.items() if case.ended_at > at}
            self._counted = {number: case.history(at) for number, case in self._open.items()}
            for history in self._counted.values():
                self.experience.add(history)
            self._numbers = {id(case): number for number, case in self._open.items()}

    def learn(self, case: Case, at: datetime) -> None:
        counted = self._counted.pop(self._numbers.get(id(case), -1), None)
        if counted is not None:
            self.experience.add(counted, times=-1)
        self.experience.add(case.history(at))
        for share in (None, *LOOKS):
            if share is None or at - case.opened_at >= share * case.target:
                self._late[case.priority, share][0] += case.is_late
                self._late[case.priority, share][1] += 1

    def chance_of_being_late(self, case: Case, used_s: float) -> float | None:
        estimate = self.experience.ask(case.like(used_s), used_s, case.target.total_seconds())
        return None if estimate is None else 1 - estimate.chance

    def late_of(self, priority: str, share: float | None = None) -> float:
        late, all_of_them = self._late[priority, share]
        return late / all_of_them


def auc(said: Sequence[tuple[float, bool]]) -> float:
    """The chance that of a late and a punctual one the late one is called likelier late; ties count half."""
    ordered = sorted(said)
    late = sum(is_late for _, is_late in ordered)
    ranks, place = 0.0, 0
    while place < len(ordered):
        until = place
        while until < len(ordered) and ordered[until][0] == ordered[place][0]:
            until += 1
        ranks += (place + 1 + until) / 2 * sum(is_late for _, is_late in ordered[place:until])
        place = until
    return (ranks - late * (late + 1) / 2) / (late * (len(ordered) - late))


def miscalibration(said: Sequence[tuple[float, bool]]) -> float:
    """How far what is said is from what comes, in the mean over ten classes of what is said."""
    classes: defaultdict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for chance, is_late in said:
        sums = classes[min(int(10 * chance), 9)]
        sums[0] += chance
        sums[1] += is_late
    return sum(abs(told - came) for told, came in classes.values()) / len(said)


def brier(said: Sequence[tuple[float, bool]]) -> float:
    """The mean square of what is said less what comes."""
    return sum((chance - is_late) ** 2 for chance, is_late in said) / len(said)
