"""The desk agrees with the paper whatever happens, and does not when a bug is sown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.cast import Cast
from tests.whatever_happens.bugs import BUGS, Bug
from tests.whatever_happens.machine import Desk

QUICK = settings(
    max_examples=12,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],  # to make a failure smaller takes minutes
)


@pytest.fixture
def desk(cast: Cast) -> Iterator[Desk]:
    Desk.cast = cast
    one = Desk()
    yield one
    one.undo()


def test_the_desk_agrees_with_the_paper(cast: Cast) -> None:
    Desk.cast = cast
    run_state_machine_as_test(Desk, settings=QUICK)


@pytest.mark.parametrize("bug", BUGS.values(), ids=BUGS)
def test_a_bug_is_seen(bug: Bug, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    bug.sow(monkeypatch)
    with pytest.raises(AssertionError):
        _go(desk, bug.way)


@pytest.mark.parametrize("way", [bug.way for bug in BUGS.values()], ids=BUGS)
def test_without_it_there_is_nothing_to_see(way: Sequence[Callable[[Desk], object]], desk: Desk) -> None:
    _go(desk, way)


def _go(desk: Desk, way: Sequence[Callable[[Desk], object]]) -> None:
    for step in way:
        step(desk)
        desk.look()
    desk.compare_with_the_timeline()
