"""The shapes that alarms arrive in: one file per source, each registering its reader.

A new source is a new file here and nothing else:

    @register("gizmo")
    def read(body: bytes, headers: Mapping[str, str]) -> list[AlarmEvent]: ...
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from tierdesk.channels.alarms.normal import AlarmEvent
from tierdesk.channels.alarms.reading import MalformedAlarm

__all__ = ["MalformedAlarm", "Shape", "UnknownShape", "named", "names", "read", "register"]

Reader = Callable[[bytes, Mapping[str, str]], list[AlarmEvent]]
Answer = Callable[[Sequence[AlarmEvent]], dict[str, Any]]


class UnknownShape(LookupError):
    """No file of this folder registers a shape of that name."""


def count(events: Sequence[AlarmEvent]) -> dict[str, Any]:
    """What a sender is told about events that are stored, unless its protocol wants other words."""
    return {"accepted": len(events)}


@dataclass(frozen=True, slots=True)
class Shape:
    """How one kind of sender speaks. `read` takes the body and the headers (lower-case names).

    `busy_status` is the HTTP status that makes this sender try again when we are full: 429, or 503 for
    those that retry only server errors. `answer` is the body of the 202 for stored events.
    """

    name: str
    read: Reader
    busy_status: int
    answer: Answer


_registered: dict[str, Shape] = {}


def register(name: str, *, busy_status: int = 429, answer: Answer = count) -> Callable[[Reader], Reader]:
    """Register the decorated reader as the shape `name`."""

    def remember(reader: Reader) -> Reader:
        _registered[name] = Shape(name, reader, busy_status, answer)
        return reader

    return remember


def read(shape: str, body: bytes, headers: Mapping[str, str]) -> list[AlarmEvent]:
    """The events in `body`. Raises UnknownShape, or MalformedAlarm with a sentence."""
    return named(shape).read(body, headers)


def named(shape: str) -> Shape:
    """The registered shape of that name. Raises UnknownShape."""
    try:
        return _all()[shape]
    except KeyError:
        raise UnknownShape(f"There is no alarm shape “{shape}”; there are {', '.join(names())}.") from None


def names() -> list[str]:
    return sorted(_all())


@cache
def _all() -> dict[str, Shape]:
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return _registered
