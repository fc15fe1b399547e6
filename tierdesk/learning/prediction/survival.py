"""How long such tickets go on, from how they went before: the chance that one is resolved within its target.

A survival estimate in steps of used time (each a half longer than the one before). It is asked from where a ticket is
now: of the tickets that had used as much without being resolved, and were like it *then*, how many were resolved by the
target? "Like it" goes from general to special (priority; and tier; and category …). A special group of few is no proof:
its hazards are drawn towards those of the group around it, as if that group had lent it `LENT` tickets. Tickets that
are still open count up to where they are, and no further (they are censored, Kaplan and Meier 1958).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

type Traits = tuple[str, ...]
"""What a ticket is like, from general to special."""

STEP_S = 300.0
LONGER = 1.5
STEPS = 27
EDGES: tuple[float, ...] = (0.0, *(STEP_S * LONGER**n for n in range(STEPS - 1)))
"""Where the steps of used time begin, in seconds; the last one, from 87 days on, has no end."""

LENT = 20.0
ENOUGH = 30


def step_of(used_s: float) -> int:
    """The step that this much used time lies in."""
    return max(bisect_right(EDGES, used_s) - 1, 0)


@dataclass(frozen=True, slots=True)
class History:
    """How one ticket went. `turns`: (used seconds, what it was like from then on), the first at 0.

    `used_s`: what it had used when it was resolved, or has used by now if it was not.
    """

    turns: Sequence[tuple[float, Traits]]
    used_s: float
    resolved: bool

    def marks(self) -> Iterator[tuple[int, Traits]]:
        """Each step it lived into, with what it was like when the step began."""
        turn = 0
        for step in range(step_of(self.used_s) + 1):
            while turn + 1 < len(self.turns) and self.turns[turn + 1][0] <= EDGES[step]:
                turn += 1
            yield step, self.turns[turn][1]


@dataclass(frozen=True, slots=True)
class Estimate:
    """The chance, 0 to 1, to be resolved within the target, and the `alike` tickets that most of it rests on.

    `depth`: how many of the traits these have in common.
    """

    chance: float
    alike: int
    depth: int


class Experience:
    """What is known of tickets that went before. Plain counts: adding costs a few additions, asking some dozens."""

    def __init__(self, histories: Iterable[History] = ()) -> None:
        self._ends: defaultdict[tuple[int, Traits], dict[int, list[int]]] = defaultdict(dict)
        for history in histories:
            self.add(history)

    def add(self, history: History, *, times: int = 1) -> None:
        """Learn from one ticket; with `times=-1` forget it again."""
        last = step_of(history.used_s)
        for step, traits in history.marks():
            for depth in range(len(traits) + 1):
                ends = self._ends[step, traits[:depth]].setdefault(last, [0, 0])
                ends[history.resolved] += times

    def ask(self, traits: Traits, used_s: float, target_s: float) -> Estimate | None:
        """The chance of a ticket like this, which has used so much, to be resolved before it has used its target.

        None where fewer than ENOUGH ever came so far: no number is better than a made-up one.
        """
        first, last = step_of(used_s), step_of(target_s)
        alike = [self._alike(first, traits[:depth]) for depth in range(len(traits) + 1)]
        known = [depth for depth, many in enumerate(alike) if many >= ENOUGH]
        if not known:
            return None
        hazards = self._hazards(first, traits)
        goes_on = 1.0
        for step in range(first, last + 1):
            lived = max(min(_end(step), target_s) - max(EDGES[step], used_s), 0.0)
            goes_on *= (1.0 - hazards[step]) ** (lived / (_end(step) - EDGES[step]))
        return Estimate(1.0 - goes_on, alike[known[-1]], known[-1])

    def _hazards(self, first: int, traits: Traits) -> list[float]:
        """For each step from `first` on, the share of those who enter it that are resolved in it."""
        found = [0.0] * STEPS
        for depth in range(len(traits) + 1):
            ends = self._ends.get((first, traits[:depth]), {})
            lent = LENT if depth else 0.0
            entering = 0
            for step in range(STEPS - 1, first - 1, -1):
                still_open, resolved = ends.get(step, (0, 0))
                entering += still_open + resolved
                # Who is still open in this step has lived through half of it, as far as anybody knows.
                exposed = entering - still_open / 2 + lent
                found[step] = (resolved + lent * found[step]) / exposed if exposed else 0.0
        return found

    def _alike(self, step: int, traits: Traits) -> int:
        return sum(map(sum, self._ends.get((step, traits), {}).values()))


def _end(step: int) -> float:
    return EDGES[step + 1] if step + 1 < STEPS else EDGES[step] * LONGER
