"""Who is called, when and in which message agrees with the paper whatever happens, and does not when a bug is sown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.cast import Cast
from tests.whatever_happens.pager import Pager, keep_what_is_sent
from tests.whatever_happens.paging_bugs import BUGS, Bug
from tests.whatever_happens.test_a_ticket import QUICK


@pytest.fixture(autouse=True)
def _ways_out(cast: Cast, settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.HOME = tmp_path
    Pager.cast = cast
    keep_what_is_sent(monkeypatch)


@pytest.fixture
def pager() -> Iterator[Pager]:
    one = Pager()
    yield one
    one.undo()


def test_the_desk_agrees_with_the_paper() -> None:
    run_state_machine_as_test(Pager, settings=QUICK)


@pytest.mark.parametrize("bug", BUGS.values(), ids=BUGS)
def test_a_bug_is_seen(bug: Bug, pager: Pager, monkeypatch: pytest.MonkeyPatch) -> None:
    bug.sow(monkeypatch)
    with pytest.raises(AssertionError):
        _go(pager, bug.way)


@pytest.mark.parametrize("way", [bug.way for bug in BUGS.values()], ids=BUGS)
def test_without_it_there_is_nothing_to_see(way: Sequence[Callable[[Pager], object]], pager: Pager) -> None:
    _go(pager, way)


def _go(pager: Pager, way: Sequence[Callable[[Pager], object]]) -> None:
    for step in way:
        step(pager)
        pager.look()
