"""The engine goes on at once while there may be more to do, and otherwise rests for as long as it worked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tierdesk.core import wakeups
from tierdesk.core.wakeups import LONGEST_REST_S, POLL_SECONDS, Errand
from tierdesk.tickets.models import Ticket


@pytest.mark.parametrize(
    ("acted", "took_s", "rests"),
    [
        ((0,), 0.01, [POLL_SECONDS]),
        ((3,), 0.01, [POLL_SECONDS]),  # all that there was
        ((3,), 0.5, [0.5]),  # it leaves time to others
        ((3,), 30.0, [LONGEST_REST_S]),
        ((20, 20, 3), 0.5, [0.5]),  # full batches: there may be more
    ],
    ids=["nothing", "a few", "a few that took long", "very long", "full, full, a few"],
)
def test_it_rests_unless_there_may_be_more(
    acted: tuple[int, ...], took_s: float, rests: list[float], monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    clock, rested = [0.0], []
    counts: Iterator[int] = iter(acted)

    def act(at: object) -> int:
        clock[0] += took_s
        return next(counts)

    def rest(seconds: float) -> None:
        rested.append(pytest.approx(seconds))

    monkeypatch.setattr(wakeups, "wakeups", lambda: [Errand(Ticket, act, batch=20)])
    monkeypatch.setattr(wakeups, "close_old_connections", lambda: None)
    monkeypatch.setattr(wakeups.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(wakeups.time, "sleep", rest)
    wakeups.run_forever(lambda: bool(rested))
    assert rested == rests
