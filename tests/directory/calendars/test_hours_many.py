"""Working time against the clockmaker's model (wall.py), in many cases made at random over more than thirty zones.

What is green stays green: the seed is fixed. `bin/test --hypothesis-profile=whole tests/directory/calendars` tries all
100,000 cases, and `--hypothesis-profile=searching` another seed each time, which it prints.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random, SystemRandom

from hypothesis import settings

from tests.directory.calendars.wall import DAY, MINUTE, TURNS, Wall
from tierdesk.directory.calendars.hours import Hours, Interval, Pause, due, elapsed

SEED = 20260608
FEW, ALL = 1_000, 100_000

ROUND_TIMES = [f"{hour:02}:{minute:02}" for hour in range(24) for minute in (0, 30)]


def test_working_time_is_what_one_can_count_by_the_minute() -> None:
    profile = settings.get_current_profile_name()
    seed = SystemRandom().randrange(10**9) if profile == "searching" else SEED
    random, zones = Random(seed), set()
    print(f"seed {seed}")
    for number in range(ALL if profile == "whole" else FEW):
        case = Case(random)
        zones.add(case.hours.tz)
        assert case.answers() == case.counts(), f"case {number} of seed {seed}: {case}"
    assert len(zones) >= 30


class Case:
    """Some hours near a change of the clocks, a span of up to four days, pauses, and a target of some minutes."""

    def __init__(self, random: Random) -> None:
        tz = random.choice(sorted(TURNS))
        self.turn = date.fromisoformat(random.choice(TURNS[tz]))
        noon = datetime(self.turn.year, self.turn.month, self.turn.day, 12, tzinfo=UTC)
        self.start, self.stop = sorted(noon + MINUTE * random.randint(-2880, 2880) for _ in range(2))
        self.target = random.randint(1, 2000)
        span = int((self.stop - self.start) / MINUTE)
        self.pauses: list[Pause] = []
        for _ in range(random.choice((0, 0, 1, 3))):
            begin = self.start + MINUTE * random.randint(-60, max(0, span))
            self.pauses.append((begin, begin + MINUTE * random.randint(0, 600)))
        self.hours = Hours(
            tz=tz,
            week={day: _intervals(random) for day in range(7) if random.random() < 0.7},
            closed=frozenset({self._near(random)} if random.random() < 0.3 else ()),
            partial={self._near(random): _intervals(random)} if random.random() < 0.3 else {},
            closed_intervals=tuple(self._cuts(random)),
        )

    def __repr__(self) -> str:
        return f"{self.hours}, {self.start} to {self.stop}, {self.target} minutes, pauses {self.pauses}"

    def answers(self) -> tuple[timedelta, datetime | None]:
        """What our arithmetic says: the working time of the span, and the due time if it lies inside."""
        at = due(self.hours, self.start, MINUTE * self.target, self.pauses)
        return (
            elapsed(self.hours, self.start, self.stop, self.pauses),
            at if at is not None and at <= self.stop else None,
        )

    def counts(self) -> tuple[timedelta, datetime | None]:
        """What somebody says who steps through the span minute by minute."""
        wall = Wall.around(self.hours.tz, self.turn - 6 * DAY, self.turn + 7 * DAY)
        runs = wall.opened(self.hours)
        for begin, end in self.pauses:
            assert end is not None
            for n in range(wall.minute(begin), wall.minute(end)):
                runs[n] = 0
        counted, used_up = 0, None
        for n in range(wall.minute(self.start), wall.minute(self.stop)):
            if runs[n]:
                counted += 1
                if counted == self.target:
                    used_up = wall.begins + MINUTE * (n + 1)
        return MINUTE * counted, used_up

    def _near(self, random: Random) -> date:
        return self.turn + DAY * random.randint(-2, 3)

    def _cuts(self, random: Random) -> Iterator[tuple[datetime, datetime]]:
        wall = datetime(self.turn.year, self.turn.month, self.turn.day)
        for _ in range(random.choice((0, 0, 0, 1, 2))):
            begin = wall + 30 * MINUTE * random.randint(-48, 48)
            yield begin, begin + 30 * MINUTE * random.randint(1, 24)


def _intervals(random: Random) -> tuple[Interval, ...]:
    return tuple(
        (random.choice(ROUND_TIMES), random.choice([*ROUND_TIMES, "24:00"]))
        for _ in range(random.choice((1, 1, 2, 3)))
    )
