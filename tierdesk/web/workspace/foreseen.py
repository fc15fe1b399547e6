"""What would happen, as its page shows it: instant by instant, in the zone that was asked in and in the reader's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from django.utils import dateformat
from django.utils.translation import gettext as _

from tierdesk.response.simulation.telling import Answer, Event, Running
from tierdesk.web.ui.wording import duration

LOOKS: Mapping[str, tuple[str, str]] = {
    "triaged": ("inbox", "accent"),
    "page": ("bell", "accent"),
    "desk": ("inbox", "neutral"),
    "hierarchy_told": ("users", "neutral"),
    "handed_over": ("escalate", "accent"),
    "escalation_sent": ("clock", "neutral"),
    "warned": ("triangle", "warning"),
    "nobody_chosen": ("triangle", "warning"),
    "rests": ("pause", "neutral"),
    "nobody_found": ("users", "warning"),
    "rung_reached": ("triangle", "warning"),
    "step_passed_over": ("circle", "neutral"),
    "breached": ("octagon", "danger"),
    "nobody_on_call": ("octagon", "danger"),
    "hand_refused": ("octagon", "danger"),
    "paging_exhausted": ("octagon", "danger"),
}
"""Sign and tone of each kind of event."""

TONES = ("neutral", "accent", "warning", "danger")


@dataclass(frozen=True, slots=True)
class Times:
    """An instant where it was asked for (`here`), for the reader (`there`, empty if the same), and how long `after`."""

    here: str
    there: str
    after: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """Everything that happens at one instant; sign and tone are those of the gravest."""

    times: Times
    icon: str
    tone: str
    events: Sequence[Event]


@dataclass(frozen=True, slots=True)
class ShownClock:
    """A clock in words: how long, of which hours, from when it counts and when it is due."""

    clock: Running
    target: str
    opens: Times | None
    due: Times | None


class Foreseen:
    """An answer, written for a reader."""

    def __init__(self, answer: Answer, reader: ZoneInfo) -> None:
        self.answer = answer
        self.zone = answer.situation.zone
        self.reader = reader

    @property
    def at(self) -> Times:
        return self.times(self.answer.situation.at)

    @property
    def moments(self) -> list[Moment]:
        return [
            self._moment(at, list(events))
            for at, events in groupby(self.answer.events, lambda e: _second(e.at))
        ]

    @property
    def clocks(self) -> list[ShownClock]:
        return [
            ShownClock(
                clock,
                duration(clock.target),
                self.times(clock.opens_at) if clock.waits and clock.opens_at else None,
                self.times(clock.due_at) if clock.due_at else None,
            )
            for clock in self.answer.clocks
        ]

    @property
    def end(self) -> Times | None:
        """From when on nobody looked any further."""
        return self.times(self.answer.cut_at) if self.answer.cut_at else None

    def times(self, at: datetime) -> Times:
        here, there = (_local(at, zone) for zone in (self.zone, self.reader))
        passed = at - self.answer.situation.at
        after = _("after %s") % duration(passed) if passed.total_seconds() >= 1 else ""
        return Times(here, there if there != here else "", after)

    def _moment(self, at: datetime, events: list[Event]) -> Moment:
        looks = [LOOKS.get(event.kind, ("circle", "neutral")) for event in events]
        icon, tone = max(looks, key=lambda look: TONES.index(look[1]))
        return Moment(self.times(at), icon, tone, events)


def _second(at: datetime) -> datetime:
    """A promise is broken a microsecond after its target: the same moment for whoever reads."""
    return at.replace(microsecond=0)


def _local(at: datetime, zone: ZoneInfo) -> str:
    """`Fri 25 Dec, 03:10`, with seconds where there are some."""
    local = at.astimezone(zone)
    return dateformat.format(local, "D j M, H:i:s" if local.second else "D j M, H:i")
