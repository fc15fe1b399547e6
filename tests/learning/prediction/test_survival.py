"""The survival estimate against chances that are known: from the law the tickets were made by."""

from __future__ import annotations

import math
import random

import pytest

from tierdesk.learning.prediction.survival import EDGES, ENOUGH, Experience, History

H = 3600.0


def gone(hours: float, *traits: str, resolved: bool = True) -> History:
    return History([(0.0, traits)], hours * H, resolved)


def tickets(half_life: float, *traits: str, many: int = 4000, seed: int = 1) -> list[History]:
    """Tickets that are resolved at a constant rate."""
    chance = random.Random(seed)
    return [gone(chance.expovariate(math.log(2) / half_life), *traits) for _ in range(many)]


@pytest.mark.parametrize("used", [0.0, 3.0, 20.0])
@pytest.mark.parametrize("more", [2.0, 10.0, 24.0])
def test_at_a_constant_rate_the_chance_is_the_law_s_however_much_was_used(used: float, more: float) -> None:
    estimate = Experience(tickets(10.0, "P3")).ask(("P3",), used * H, (used + more) * H)
    assert estimate is not None
    assert estimate.chance == pytest.approx(1 - 0.5 ** (more / 10.0), abs=0.06)


def test_what_is_open_yet_counts_for_as_long_as_it_lived() -> None:
    """Without them the chance would be told far too high: who is done soon is seen first."""
    chance = random.Random(2)
    seen = []
    for one in tickets(10.0, "P3"):
        until = chance.uniform(0, 20) * H
        seen.append(one if one.used_s <= until else gone(until / H, "P3", resolved=False))
    honest = Experience(seen).ask(("P3",), 0.0, 10 * H)
    assert honest is not None
    assert honest.chance == pytest.approx(0.5, abs=0.05)
    only_done = Experience([one for one in seen if one.resolved]).ask(("P3",), 0.0, 10 * H)
    assert only_done is not None
    assert only_done.chance > 0.6


def test_kinds_differ_and_a_rare_one_is_drawn_to_those_around_it() -> None:
    experience = Experience([*tickets(2.0, "P3", "L1"), *tickets(40.0, "P3", "L2", seed=3)])
    first, second = (experience.ask(("P3", tier), 0.0, 8 * H) for tier in ("L1", "L2"))
    assert first is not None
    assert second is not None
    assert first.chance > 0.85
    assert second.chance < 0.3
    for _ in range(3):
        experience.add(gone(0.1, "P3", "L3"))
    rare = experience.ask(("P3", "L3"), 0.0, 8 * H)
    assert rare is not None
    assert second.chance < rare.chance < first.chance
    assert (rare.depth, rare.alike) == (1, 8003)


def test_it_is_asked_of_tickets_that_were_alike_at_that_age() -> None:
    """Whoever came to the second tier after six hours is no proof of what happens there before."""
    late = [History([(0.0, ("L1",)), (6 * H, ("L2",))], 7 * H, True) for _ in range(ENOUGH)]
    experience = Experience(late)
    early = experience.ask(("L2",), 0.0, 8 * H)
    assert early is not None
    assert early.depth == 0
    there = experience.ask(("L2",), EDGES[12], 30 * H)
    assert there is None  # none of them lived as long
    assert EDGES[11] < 7 * H < EDGES[12]
    now = experience.ask(("L1",), EDGES[7], 30 * H)
    assert now is not None
    assert now.depth == 1


def test_too_few_say_nothing_and_what_is_forgotten_is_gone() -> None:
    experience = Experience([gone(1.0, "P1") for _ in range(ENOUGH - 1)])
    assert experience.ask(("P1",), 0.0, 4 * H) is None
    experience.add(gone(1.0, "P1"))
    assert experience.ask(("P1",), 0.0, 4 * H) is not None
    experience.add(gone(1.0, "P1"), times=-1)
    assert experience.ask(("P1",), 0.0, 4 * H) is None


def test_once_the_target_is_used_there_is_no_chance_left() -> None:
    estimate = Experience(tickets(10.0, "P3")).ask(("P3",), 5 * H, 5 * H)
    assert estimate is not None
    assert estimate.chance == 0.0
