"""How a call goes on: pure. Exchanges repeat themselves, leave events out and send them in any order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.db import models


class CallState(models.TextChoices):
    RINGING = "ringing", "Ringing"
    ANSWERED = "answered", "On the line"
    ENDED = "ended", "Ended"
    MISSED = "missed", "Missed"

    @classmethod
    def going(cls) -> tuple[CallState, CallState]:
        return cls.RINGING, cls.ANSWERED


class Happening(StrEnum):
    """What an exchange can say of a call."""

    RINGS = "rings"
    ANSWERED = "answered"
    ENDED = "ended"
    RECORDED = "recorded"


ESTABLISHED = frozenset({"normalClearing", "completed"})
"""Causes that only a call has which somebody took: some exchanges never send `answer`."""

ELSEWHERE = frozenset({"forwarded"})
"""The call went to somebody else: nobody here missed it."""

RINGS_AT_MOST = timedelta(minutes=15)
SPEAKS_AT_MOST = timedelta(hours=8)
"""After so long without news the exchange has lost the end of the call."""

SETTLES = timedelta(seconds=3)
"""A missed call is followed up after this: an `answer` may still be on its way, overtaken by its own `hangup`."""

NO_NEWS = "no news"


@dataclass(frozen=True, slots=True)
class CallEvent:
    """One thing that an exchange said. `agents`: names, addresses or extensions, as it calls them."""

    call_id: str
    what: Happening
    incoming: bool = True
    number: str = ""
    our_number: str = ""
    agents: tuple[str, ...] = ()
    cause: str = ""
    recording: str = ""


def state_after(state: CallState | None, event: CallEvent) -> CallState:
    """Where a call stands after an event; `state` is None for a call that nobody has told of yet. Never backwards."""
    if event.what is Happening.RECORDED:
        return state or CallState.ENDED
    if event.what is Happening.RINGS:
        return state or CallState.RINGING
    if event.what is Happening.ANSWERED:
        return CallState.ENDED if state in (CallState.ENDED, CallState.MISSED) else CallState.ANSWERED
    if state in (CallState.ENDED, CallState.MISSED):
        return state
    spoke = state is CallState.ANSWERED or event.cause in ESTABLISHED | ELSEWHERE
    return CallState.ENDED if spoke else CallState.MISSED


def wakes_after(state: CallState) -> timedelta | None:
    """How long after an event the desk looks at the call again by itself."""
    return {
        CallState.RINGING: RINGS_AT_MOST,
        CallState.ANSWERED: SPEAKS_AT_MOST,
        CallState.MISSED: SETTLES,
        CallState.ENDED: None,
    }[state]
