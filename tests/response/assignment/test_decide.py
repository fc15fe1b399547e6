"""Who gets a ticket, and why. Each row says what it is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tierdesk.response.assignment.decide import Candidate, Choice, Need, choose, weight

TEN = datetime(2026, 6, 8, 8, 0, tzinfo=UTC)
DE, EN = frozenset({"de"}), frozenset({"en"})


def mara(**more: Any) -> Candidate:
    return Candidate(**{"agent": 1, "name": "Mara", "skills": {"linux": 3}, "speaks": DE | EN} | more)


def ann(**more: Any) -> Candidate:
    return Candidate(**{"agent": 2, "name": "Ann", "skills": {"linux": 1}, "speaks": EN} | more)


def bo(**more: Any) -> Candidate:
    return Candidate(**{"agent": 3, "name": "Bo", "speaks": EN} | more)


TABLE: dict[str, tuple[str, list[Candidate], Need, Choice]] = {
    "the skill, the language and the load are told": (
        "least_loaded",
        [mara(load=2), ann(load=5)],
        Need("linux", 3, "de"),
        Choice(
            mara(load=2), "speaks German, linux 3, holds 2 of 8 tickets", (("Ann", "linux 1, it takes 3"),)
        ),
    ),
    "least loaded": (
        "least_loaded",
        [mara(load=3), ann(load=2)],
        Need(),
        Choice(ann(load=2), "holds 2 of 8 tickets", (("Mara", "holds 3 of 8 tickets"),)),
    ),
    "in turn, whatever they hold": (
        "round_robin",
        [mara(load=1, last_given_at=TEN), ann(load=6)],
        Need(),
        Choice(
            ann(load=6),
            "holds 6 of 8 tickets, the longest without a new one",
            (("Mara", "was given one later"),),
        ),
    ),
    "the language counts before the turn": (
        "round_robin",
        [mara(last_given_at=TEN), bo()],
        Need(language="de"),
        Choice(
            mara(last_given_at=TEN),
            "speaks German, holds 0 of 8 tickets, the longest without a new one",
            (("Bo", "does not speak German"),),
        ),
    ),
    "nobody speaks it: that stops nothing": (
        "least_loaded",
        [ann(load=1), bo()],
        Need(language="fi"),
        Choice(bo(), "holds 0 of 8 tickets", (("Ann", "holds 1 of 8 tickets"),)),
    ),
    "by skill the expert before the able": (
        "skill",
        [mara(load=5), ann()],
        Need("linux", 1),
        Choice(mara(load=5), "linux 3, holds 5 of 8 tickets", (("Ann", "linux 1"),)),
    ),
    "by load the able one with less": (
        "least_loaded",
        [mara(load=5), ann()],
        Need("linux", 1),
        Choice(ann(), "linux 1, holds 0 of 8 tickets", (("Mara", "holds 5 of 8 tickets"),)),
    ),
    "the able one is away, and by load another takes it": (
        "least_loaded",
        [mara(is_away=True), bo()],
        Need("linux", 2),
        Choice(bo(), "nobody with linux 2 has room, holds 0 of 8 tickets", (("Mara", "away"),)),
    ),
    "the able one is away, and by skill it waits": (
        "skill",
        [mara(is_away=True), bo()],
        Need("linux", 2),
        Choice(None, "nobody with linux 2 has room", (("Bo", "no linux"), ("Mara", "away"))),
    ),
    "nobody ever learned it: by skill it does not wait for ever": (
        "skill",
        [ann(load=1), bo()],
        Need("cobol", 1),
        Choice(bo(), "nobody here has cobol 1, holds 0 of 8 tickets", (("Ann", "holds 1 of 8 tickets"),)),
    ),
    "full is full": (
        "least_loaded",
        [mara(load=8), ann(load=7)],
        Need(weight=2),
        Choice(
            None,
            "nobody has room",
            (("Ann", "no room: holds 7 of 8 tickets"), ("Mara", "no room: holds 8 of 8 tickets")),
        ),
    ),
    "who holds nothing takes anything": (
        "least_loaded",
        [ann(capacity=2)],
        Need(weight=3),
        Choice(ann(capacity=2), "holds 0 of 2 tickets", ()),
    ),
    "everybody is away": (
        "round_robin",
        [mara(is_away=True)],
        Need(),
        Choice(None, "everybody is away", (("Mara", "away"),)),
    ),
    "an empty team": ("round_robin", [], Need(), Choice(None, "nobody is in the team")),
    "not to whoever has just put it back": (
        "least_loaded",
        [mara(passed=True), ann(load=5)],
        Need(),
        Choice(ann(load=5), "holds 5 of 8 tickets", (("Mara", "has just put it back"),)),
    ),
}


@pytest.mark.parametrize(("way", "candidates", "need", "choice"), TABLE.values(), ids=TABLE)
def test_the_table(way: str, candidates: list[Candidate], need: Need, choice: Choice) -> None:
    assert choose(way, candidates, need) == choice


def test_what_a_ticket_counts() -> None:
    assert [weight(priority) for priority in (1, 2, 3, 4, 5)] == [3, 2, 1, 1, 1]


one_of_them = st.tuples(
    st.integers(0, 9), st.integers(0, 3), st.sampled_from([DE, EN, DE | EN]), st.booleans(), st.integers(0, 3)
)


def team_of(drawn: list[tuple[int, int, frozenset[str], bool, int]]) -> list[Candidate]:
    return [
        Candidate(
            agent=number,
            name="ABABA"[number],
            load=load,
            skills={"linux": level} if level else {},
            speaks=speaks,
            is_away=away,
            last_given_at=TEN + timedelta(hours=hours) if hours else None,
            passed=hours == 3,
        )
        for number, (load, level, speaks, away, hours) in enumerate(drawn)
    ]


people = st.lists(one_of_them, max_size=5).map(team_of)
needs = st.builds(
    Need,
    platform=st.sampled_from(["", "linux", "vpn"]),
    level=st.integers(1, 3),
    language=st.sampled_from(["", "de", "en"]),
    weight=st.integers(1, 3),
)
tried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""On a busy machine the first numbers of a process take hypothesis seconds."""
ways = st.sampled_from(["round_robin", "least_loaded", "skill"])


@tried
@given(ways, people, needs, st.randoms(use_true_random=False))
def test_the_order_of_rows_decides_nothing(
    way: str, candidates: list[Candidate], need: Need, random: Any
) -> None:
    shuffled = random.sample(candidates, len(candidates))
    assert choose(way, shuffled, need) == choose(way, candidates, need)


@tried
@given(ways, people, needs)
def test_whoever_is_chosen_is_there_has_room_and_everybody_else_is_told_why(
    way: str, candidates: list[Candidate], need: Need
) -> None:
    choice = choose(way, candidates, need)
    one = choice.chosen
    free = [c for c in candidates if not c.is_away and not c.passed and c.has_room(need)]
    if one is None:
        assert not free or (way == "skill" and not any(c.is_able(need) for c in free))
    else:
        assert one in free
        assert one.is_able(need) or not any(c.is_able(need) for c in free)
    assert choice.because
    assert len(choice.others) == len(candidates) - (one is not None)
    assert all(why for _, why in choice.others)


@tried
@given(st.integers(1, 5), st.integers(1, 40))
def test_in_turn_everybody_gets_as_many_as_the_others(people: int, tickets: int) -> None:
    team = {n: Candidate(agent=n, name=f"A{n}", capacity=1000) for n in range(people)}
    counts = dict.fromkeys(team, 0)
    for number in range(tickets):
        chosen = choose("round_robin", list(team.values()), Need()).chosen
        assert chosen is not None
        counts[chosen.agent] += 1
        team[chosen.agent] = chosen.given(Need(), TEN + timedelta(microseconds=number))
    assert max(counts.values()) - min(counts.values()) <= 1
