"""A call moves forward only: exchanges repeat themselves, leave events out and send them in any order."""

from __future__ import annotations

from itertools import permutations

import pytest

from tierdesk.channels.phone.progress import CallEvent, CallState, Happening, state_after, wakes_after

R, A, E = Happening.RINGS, Happening.ANSWERED, Happening.ENDED


def event(what: Happening, cause: str = "") -> CallEvent:
    return CallEvent("c1", what, cause=cause)


def after(*said: tuple[Happening, str]) -> CallState:
    state: CallState | None = None
    for what, cause in said:
        state = state_after(state, event(what, cause))
    assert state is not None
    return state


@pytest.mark.parametrize(
    ("said", "state", "why"),
    [
        ([(R, "")], "ringing", "it rings"),
        ([(R, ""), (A, "")], "answered", "somebody took it"),
        ([(R, ""), (A, ""), (E, "normalClearing")], "ended", "the plain story"),
        ([(R, ""), (E, "cancel")], "missed", "the caller gave up"),
        ([(R, ""), (E, "busy")], "missed", "all telephones were taken"),
        ([(R, ""), (E, "noAnswer")], "missed", "nobody came"),
        ([(R, ""), (E, "")], "missed", "an exchange that gives no cause"),
        ([(R, ""), (E, "normalClearing")], "ended", "an exchange that never says `answer`"),
        ([(R, ""), (E, "forwarded")], "ended", "it went to somebody else: nobody here missed it"),
        ([(A, ""), (E, "")], "ended", "`newCall` was lost"),
        ([(E, "cancel")], "missed", "all but the end was lost"),
        ([(R, ""), (E, "cancel"), (A, "")], "ended", "`answer` was overtaken by its `hangup`"),
        ([(R, ""), (E, "cancel"), (R, "")], "missed", "a replayed `newCall` does not make it ring again"),
        ([(R, ""), (A, ""), (E, "cancel"), (A, "")], "ended", "a replayed `answer` does not bring it back"),
    ],
)
def test_where_a_call_stands(said: list[tuple[Happening, str]], state: str, why: str) -> None:
    assert after(*said) == state, why


def test_the_order_of_the_three_events_does_not_matter() -> None:
    story = [(R, ""), (A, ""), (E, "normalClearing")]
    assert {after(*order) for order in permutations(story)} == {CallState.ENDED}


def test_hearing_everything_twice_is_hearing_it_once() -> None:
    for story in ([(R, ""), (A, ""), (E, "")], [(R, ""), (E, "busy")]):
        assert after(*[one for one in story for _ in range(2)]) == after(*story)


def test_a_recording_says_nothing_of_the_call() -> None:
    for state in CallState:
        assert state_after(state, event(Happening.RECORDED)) is state


def test_only_an_ended_call_is_never_looked_at_again() -> None:
    assert [state for state in CallState if wakes_after(state) is None] == [CallState.ENDED]
