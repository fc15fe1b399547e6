"""At which moment of a promise a rung of the ladder stands: “50 %” of its time, “30 min before” or “1 h after”. Pure.

Minutes are working minutes of the promise's own calendar, like the target itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

FORM = re.compile(r"([0-9]{1,4}) ?%|([0-9]{1,5}) ?(min|h) (before|after)")
UNITS = {"min": 60, "h": 3600}
TOLD_ANYWAY = (75, 100)
"""At these percentages the clocks speak up by themselves, and the procedure's ladder says who is told."""


class NoMark(ValueError):
    """The text is no moment of a promise; it says what to write."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment of a promise: `percent` of its target, or so many seconds `off` its end (negative: before)."""

    percent: int | None = None
    off_s: int = 0

    @classmethod
    def of(cls, text: str) -> Mark:
        """Read it. Raises NoMark."""
        fits = FORM.fullmatch(text.strip())
        if fits is None:
            raise NoMark(f"“{text[:40]}” is no moment; write such as “50 %”, “30 min before” or “1 h after”.")
        if fits[1]:
            return cls._at_percent(int(fits[1]))
        seconds = int(fits[2]) * UNITS[fits[3]]
        if not seconds:
            raise NoMark("The end itself is told anyway; give some minutes before or after it.")
        return cls(off_s=-seconds if fits[4] == "before" else seconds)

    @classmethod
    def _at_percent(cls, percent: int) -> Mark:
        if percent in TOLD_ANYWAY:
            raise NoMark(f"At {percent} % a procedure’s ladder says who is told; write the rung there.")
        if not 1 <= percent <= 1000:
            raise NoMark("A percentage is from 1 to 1000.")
        return cls(percent=percent)

    def __str__(self) -> str:
        if self.percent is not None:
            return f"{self.percent} %"
        seconds, side = abs(self.off_s), "before" if self.off_s < 0 else "after"
        unit = "h" if seconds % 3600 == 0 else "min"
        return f"{seconds // UNITS[unit]} {unit} {side}"

    def used(self, target: timedelta) -> timedelta | None:
        """How much is used at this moment; None where the promise is shorter than that."""
        if self.percent is not None:
            return target * self.percent / 100
        used = target + timedelta(seconds=self.off_s)
        return used if used > timedelta(0) else None
