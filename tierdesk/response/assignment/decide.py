"""Who gets a ticket, and why: pure. A choice says in words why this one, and of each other one why not.

Whoever is away, is not at work at this hour, would hold more than they can, or has just put the ticket back is not
asked. Of the others those who have the skill that it takes come first, then those who speak its language, then it goes
by the team's way; what is still equal goes to whoever was not given one for longest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from tierdesk.directory.staff.models import CAPACITY, Assigns

NEVER = datetime.min.replace(tzinfo=UTC)

LANGUAGES: Mapping[str, str] = {
    "da": "Danish",
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fi": "Finnish",
    "fr": "French",
    "it": "Italian",
    "nb": "Norwegian",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "sv": "Swedish",
}
"""What languages are called; one that is missing is told by its code."""


def weight(priority: int) -> int:
    """What a ticket of this priority counts among those that somebody holds."""
    return {1: 3, 2: 2}.get(priority, 1)


@dataclass(frozen=True, slots=True)
class Need:
    """What a ticket takes: a `platform` at a `level` of skill, a `language`, and room for its `weight`."""

    platform: str = ""
    level: int = 1
    language: str = ""
    weight: int = 1

    @property
    def skill(self) -> str:
        return f"{self.platform} {self.level}"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody of the team. `load`: the weights of the open tickets they hold, of at most `capacity`.

    `passed`: they have just put this very ticket back. `is_off`: they are not at work at this hour.
    """

    agent: int
    name: str
    load: int = 0
    capacity: int = CAPACITY
    skills: Mapping[str, int] = field(default_factory=dict)
    speaks: frozenset[str] = frozenset()
    is_away: bool = False
    last_given_at: datetime | None = None
    passed: bool = False
    is_off: bool = False

    def level(self, need: Need) -> int:
        return self.skills.get(need.platform, 0) if need.platform else 0

    def is_able(self, need: Need) -> bool:
        return not need.platform or self.level(need) >= need.level

    def understands(self, need: Need) -> bool:
        return not need.language or need.language in self.speaks

    def has_room(self, need: Need) -> bool:
        """Whoever holds nothing takes anything, else a P1 would never find somebody who can hold but two."""
        return self.load == 0 or self.load + need.weight <= self.capacity

    def given(self, need: Need, at: datetime) -> Candidate:
        """The same one, with one more ticket."""
        return replace(self, load=self.load + need.weight, last_given_at=at)


@dataclass(frozen=True, slots=True)
class Choice:
    """Who was chosen (None: nobody), why, and each other one with why not."""

    chosen: Candidate | None
    because: str
    others: tuple[tuple[str, str], ...] = ()


def choose(way: str, candidates: Sequence[Candidate], need: Need) -> Choice:
    """One of the candidates for a ticket of this need, by the team's way (`Assigns`).

    By `skill` a ticket waits for somebody of the team who can do it, rather than go to somebody who cannot; by the
    other ways it goes to whoever has room, and the reason says so.
    """
    free = [one for one in candidates if not _out(one, need)]
    able = [one for one in free if one.is_able(need)]
    if way == Assigns.SKILL and not able and any(one.is_able(need) for one in candidates):
        waiting = tuple((one.name, _out(one, need) or _lacks(one, need)) for one in _told(candidates))
        return Choice(None, f"nobody with {need.skill} has room", waiting)
    if not free:
        return Choice(
            None, _nobody(candidates), tuple((one.name, _out(one, need)) for one in _told(candidates))
        )
    chosen = min(able or free, key=lambda one: _order(way, one, need))
    others = tuple(
        (one.name, _why_not(way, one, chosen, need)) for one in _told(candidates) if one.agent != chosen.agent
    )
    return Choice(chosen, _because(way, chosen, need, candidates), others)


def _told(candidates: Sequence[Candidate]) -> list[Candidate]:
    return sorted(candidates, key=lambda one: (one.name, one.agent))


def _order(way: str, one: Candidate, need: Need) -> tuple[object, ...]:
    """The smallest is chosen."""
    last = (one.last_given_at or NEVER, one.agent)
    understands = not one.understands(need)
    if way == Assigns.SKILL:
        return understands, -one.level(need), one.load, *last
    if way == Assigns.LEAST_LOADED:
        return understands, one.load, *last
    return understands, *last


def _out(one: Candidate, need: Need) -> str:
    """Why they are not asked at all; empty if they are."""
    if one.is_away:
        return "away"
    if one.is_off:
        return "not at work now"
    if one.passed:
        return "has just put it back"
    if not one.has_room(need):
        return f"no room: {_holds(one)}"
    return ""


def _nobody(candidates: Sequence[Candidate]) -> str:
    if not candidates:
        return "nobody is in the team"
    if all(one.is_away for one in candidates):
        return "everybody is away"
    if all(one.is_away or one.is_off for one in candidates):
        return "nobody is at work now"
    return "nobody has room"


def _because(way: str, one: Candidate, need: Need, candidates: Sequence[Candidate]) -> str:
    """What speaks for them; a language that everybody speaks is no reason."""
    some_do_not = not all(other.understands(need) for other in candidates)
    parts = [
        f"speaks {language_name(need.language)}" if some_do_not and one.understands(need) else "",
        f"{need.platform} {one.level(need)}" if need.platform and one.is_able(need) else "",
        "" if one.is_able(need) else _nobody_able(candidates, need),
        _holds(one),
        "the longest without a new one" if way == Assigns.ROUND_ROBIN else "",
    ]
    return ", ".join(part for part in parts if part)


def _nobody_able(candidates: Sequence[Candidate], need: Need) -> str:
    known = any(one.is_able(need) for one in candidates)
    return f"nobody with {need.skill} has room" if known else f"nobody here has {need.skill}"


def _why_not(way: str, one: Candidate, chosen: Candidate, need: Need) -> str:
    out = _out(one, need)
    if out:
        return out
    if chosen.is_able(need) and not one.is_able(need):
        return _lacks(one, need)
    if chosen.understands(need) and not one.understands(need):
        return f"does not speak {language_name(need.language)}"
    if way == Assigns.SKILL and one.level(need) < chosen.level(need):
        return f"{need.platform} {one.level(need)}"
    if way != Assigns.ROUND_ROBIN and one.load > chosen.load:
        return _holds(one)
    return "was given one later"


def _lacks(one: Candidate, need: Need) -> str:
    return (
        f"{need.platform} {one.level(need)}, it takes {need.level}"
        if one.level(need)
        else f"no {need.platform}"
    )


def _holds(one: Candidate) -> str:
    return f"holds {one.load} of {one.capacity} tickets"


def language_name(code: str) -> str:
    return LANGUAGES.get(code, code)
