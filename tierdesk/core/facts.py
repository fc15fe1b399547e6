"""Facts: what happened, in the past tense.

A verb records a fact; the unit of work stamps it with who, when and why, and lets the reactions of
`tierdesk/flow.py` answer it. Facts are frozen: nobody edits the past.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, NamedTuple

KINDS: dict[str, type[Fact]] = {}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it. `kind` is agent, contact, vendor, channel or engine; `id` is that noun's key, if it has one."""

    kind: str
    name: str
    id: int | None = None


ENGINE = Actor("engine", "Tierdesk")


class Stamp(NamedTuple):
    """What the unit of work adds when a fact is journaled: its entry's id, its cause's id, who and when."""

    id: int
    by: Actor
    at: datetime
    cause_id: int | None


class Unstamped(LookupError):
    """A fact was asked who or when before its unit of work had journaled it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Fact:
    """Something that happened to one subject. Subclasses add what a reader must know, as plain values."""

    kind: ClassVar[str] = ""
    stamp: Stamp | None = field(default=None, init=False, repr=False)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.kind = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        other = KINDS.setdefault(cls.kind, cls)
        if other.__module__ != cls.__module__:
            raise TypeError(f"two facts are called {cls.kind}: in {other.__module__} and {cls.__module__}")
        KINDS[cls.kind] = cls

    @property
    def subject(self) -> object:
        """What the fact is about; a fact recorded in a reaction is caused by the fact about the same subject."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it is about")

    @property
    def stamped(self) -> Stamp:
        if self.stamp is None:
            raise Unstamped(f"{self.kind} is not journaled yet")
        return self.stamp

    @property
    def id(self) -> int:
        return self.stamped.id

    @property
    def by(self) -> Actor:
        return self.stamped.by

    @property
    def at(self) -> datetime:
        return self.stamped.at

    def put_stamp(self, stamp: Stamp) -> None:
        object.__setattr__(self, "stamp", stamp)

    def details(self) -> dict[str, Any]:
        """The plain values of the fact, for the timeline: everything but the subject and the stamp."""
        told = vars(self).copy()
        del told["stamp"]
        told.pop("ticket", None)
        return told
