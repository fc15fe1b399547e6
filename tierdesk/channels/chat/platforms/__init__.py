"""Chat platforms that the desk is bridged to: each is a module here with a `PLATFORM`, and no edit elsewhere.

A platform knocks over HTTP. What it says is admitted (signature, time window), stored raw, acknowledged, and read
later; our own words go out through its API, from the outbox.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from typing import Any, Protocol


class Bridge(Protocol):
    """What a platform needs to know of a bridge (channels/chat/models.py)."""

    kind: str
    url: str
    bot: str
    rooms: list[str]

    @property
    def secret(self) -> str: ...

    @property
    def token(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Knock:
    """One request of a platform. Header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Admitted:
    """What came in: deliveries as (key, bytes), each of which counts once; and what the platform is answered."""

    deliveries: tuple[tuple[str, bytes], ...] = ()
    answer: bytes = b"{}"
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Said:
    """A line of somebody in a thread of a room. `message` is the platform's own id of it.

    `user`: by what the platform is asked who that is; `who`: the same person in every thread.
    """

    thread: str
    message: str
    user: str
    text: str
    room: str
    who: str
    in_thread: bool = False
    """Whether it answers a line before it; otherwise it begins a thread."""


@dataclass(frozen=True, slots=True)
class Changed:
    """Somebody changed a line afterwards; `text` None: took it back."""

    message: str
    text: str | None


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class Ourselves:
    """Who we are on a platform: a name for people, and the id by which we know ourselves there, if it tells one."""

    name: str
    id: str = ""


class NotAdmitted(Exception):
    """The request is not the platform's, or is an old one played again; the text is for our own log."""


class Unreachable(Exception):
    """The platform could not be spoken to; later it may be."""


class TooFast(Exception):
    """The platform wants fewer words; `wait_s` says for how long."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"asked to wait {wait_s} s")
        self.wait_s = wait_s


class Rejected(ValueError):
    """The platform understood and will never take it: a wrong room, a missing right."""


@dataclass(frozen=True)
class Platform:
    """`admit` reads no database; `read`, `person` and `greet` only ask; `post` returns the id of what it posted.

    The key of a post is the same at every try, for platforms that drop a double by it. A room alone in place of a
    thread begins a new one.
    """

    name: str
    admit: Callable[[Bridge, Knock, datetime], Admitted]
    read: Callable[[Bridge, Any], Said | Changed | None]
    person: Callable[[Bridge, str], Person]
    post: Callable[[Bridge, str, str, str], str]
    greet: Callable[[Bridge], Ourselves]
    proves_itself: bool = True
    """Whether it shows us the bridge's secret; Teams signs with keys of its own."""


@cache
def platforms() -> Mapping[str, Platform]:
    """All platforms by the name of their module."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        platform = getattr(import_module(f"{__name__}.{module.name}"), "PLATFORM", None)
        if platform is not None:
            found[module.name] = platform
    return found
