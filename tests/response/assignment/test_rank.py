"""Which ticket comes next for somebody who asks. Each row says what it is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tierdesk.response.assignment.decide import Candidate, Need
from tierdesk.response.assignment.rank import Waiting, rank

TEN = datetime(2026, 6, 8, 8, 0, tzinfo=UTC)
DESK = 1
BIG, SMALL = 7, 8


def waiting(ticket: int, minutes: int | None = 60, **more: Any) -> Waiting:
    due = None if minutes is None else TEN + timedelta(minutes=minutes)
    plain = {"team": DESK, "client": BIG, "priority": 3, "need": Need()}
    return Waiting(**{"ticket": ticket, "due_at": due} | plain | more)


def person(agent: int, **more: Any) -> Candidate:
    return Candidate(**{"agent": agent, "name": f"A{agent}", "speaks": frozenset({"en"})} | more)


LINUX = Need("linux", 2)
TABLE: dict[str, tuple[list[Waiting], Candidate, list[Candidate], dict[int, int], list[int]]] = {
    "what is due first": ([waiting(1, 90), waiting(2, 20)], person(1), [], {}, [2, 1]),
    "what is late before what is not": ([waiting(1, 20), waiting(2, -60)], person(1), [], {}, [2, 1]),
    "without a deadline last": ([waiting(1, None), waiting(2, 5000)], person(1), [], {}, [2, 1]),
    "alike in time: by priority": (
        [waiting(1, 61), waiting(2, 62, priority=1)],
        person(1),
        [],
        {},
        [2, 1],
    ),
    "alike in priority too: what fits better": (
        [waiting(1, 61), waiting(2, 62, need=LINUX)],
        person(1, skills={"linux": 3}),
        [],
        {},
        [2, 1],
    ),
    "alike in all: the older deadline": ([waiting(1, 62), waiting(2, 61)], person(1), [], {}, [2, 1]),
    "a colleague has the skill": (
        [waiting(1, 5, need=LINUX), waiting(2)],
        person(1),
        [person(2, skills={"linux": 2})],
        {},
        [2],
    ),
    "the colleague who has it is away": (
        [waiting(1, 5, need=LINUX)],
        person(1),
        [person(2, skills={"linux": 2}, is_away=True)],
        {},
        [1],
    ),
    "nobody has the skill": ([waiting(1, 5, need=LINUX)], person(1), [person(2)], {}, [1]),
    "a storm waits for others": (
        [waiting(1, 5), waiting(2, 600, client=SMALL)],
        person(1),
        [],
        {BIG: 6, SMALL: 2},
        [2, 1],
    ),
    "half is no storm": (
        [waiting(1, 5), waiting(2, 600, client=SMALL)],
        person(1),
        [],
        {BIG: 6, SMALL: 6},
        [1, 2],
    ),
    "a few are no storm": (
        [waiting(1, 5), waiting(2, 600, client=SMALL)],
        person(1),
        [],
        {BIG: 4},
        [1, 2],
    ),
    "a P1 is never put off": (
        [waiting(1, 5, priority=1), waiting(2, 600, client=SMALL)],
        person(1),
        [],
        {BIG: 60},
        [1, 2],
    ),
    "a storm is worked on where nothing else waits": (
        [waiting(1), waiting(2, 5)],
        person(1),
        [],
        {BIG: 9},
        [2, 1],
    ),
}


@pytest.mark.parametrize(("queue", "agent", "others", "held", "order"), TABLE.values(), ids=TABLE)
def test_the_table(
    queue: list[Waiting], agent: Candidate, others: list[Candidate], held: dict[int, int], order: list[int]
) -> None:
    ranked = rank(queue, agent, colleagues={DESK: others}, held=held, at=TEN)
    assert [one.ticket for one in ranked] == order


def test_the_reason_in_words() -> None:
    queue = [waiting(1, 25, priority=2, need=Need("linux", 2, "en")), waiting(2, 600, client=SMALL)]
    agent = person(1, skills={"linux": 3})
    first, second = rank(queue, agent, colleagues={}, held={}, at=TEN)
    assert first.why == "the next best: due in 25 min, P2, linux 3, speaks English"
    assert second.why == "the next best: due in 10 h, P3"
    first, _ = rank(queue, agent, colleagues={}, held={BIG: 9}, at=TEN)
    assert first.why.endswith("before those of a client that has more than half of the team’s hands")


def queue_of(drawn: list[tuple[int | None, int, int]]) -> list[Waiting]:
    return [waiting(n, m, priority=p, client=c) for n, (m, p, c) in enumerate(drawn)]


a_ticket = st.tuples(st.none() | st.integers(-100, 900), st.integers(1, 5), st.sampled_from([BIG, SMALL]))
tickets = st.lists(a_ticket, max_size=8).map(queue_of)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tickets, st.integers(0, 9), st.integers(0, 9), st.randoms(use_true_random=False))
def test_every_ticket_has_one_place_whatever_the_order_of_rows(
    queue: list[Waiting], big: int, small: int, random: Any
) -> None:
    held = {BIG: big, SMALL: small}
    ranked = rank(queue, person(1), colleagues={}, held=held, at=TEN)
    assert sorted(one.ticket for one in ranked) == [one.ticket for one in queue]
    shuffled = random.sample(queue, len(queue))
    assert rank(shuffled, person(1), colleagues={}, held=held, at=TEN) == ranked
