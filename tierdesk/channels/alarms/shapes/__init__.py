"""The shapes that alarms arrive in: one file per kind of sender, each registering its reader.

A new one is a new file here and nothing else (docs/howto/new-alarm-source.md):

    @register("gizmo", title="Gizmo", guide=GUIDE)
    def read(request: Request) -> list[AlarmEvent]: ...
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson

from tierdesk.channels.alarms.doors import Door
from tierdesk.channels.alarms.normal import AlarmEvent
from tierdesk.channels.alarms.reading import MalformedAlarm
from tierdesk.channels.alarms.request import Request

__all__ = ["MalformedAlarm", "Request", "Shape", "UnknownShape", "named", "names", "read", "register"]

Reader = Callable[[Request], Sequence[AlarmEvent]]
Answer = Callable[[Sequence[AlarmEvent]], dict[str, Any]]
Refuse = Callable[[str], dict[str, Any]]
Check = Callable[[Request], None]
Handshake = Callable[[Mapping[str, str]], dict[str, str]]


class UnknownShape(LookupError):
    """No file of this folder registers a shape of that name."""


def count(events: Sequence[AlarmEvent]) -> dict[str, Any]:
    """What a sender is told about events that are stored, unless its protocol wants other words."""
    return {"accepted": len(events)}


def error(sentence: str) -> dict[str, Any]:
    """What a sender is told that is turned away, unless its protocol wants other words."""
    return {"error": sentence}


@dataclass(frozen=True, slots=True)
class Shape:
    """How one kind of sender speaks.

    `title` is its name for people and `guide` the Markdown that sets it up (guide.py). `marks` are what its bodies
    are known by, each some names with spaces between, dotted where they lie deeper: who points it at a source of
    another shape is told which one fits.

    `headers` are those that its reader looks at besides the content type, or how they begin (`ce-`): a refused body is
    kept with them. Nothing secret may be among them.

    `busy_status` is the HTTP status that makes this sender try again when we are full: 429, or 503 for those that
    retry only server errors. `statuses` are those for what is stored, by method, where it is not 202; `answer` and
    `refuse` say it in the sender's words; `doors` are the addresses that it has built in.

    `speaks_by_mapping`: it reads any JSON of its sender's by the source's own mapping (mapping.py).

    `demands_quiet`: it cannot say that trouble is over, so its source says after how long unheard it is.

    `check` holds a request against the source's secret (signatures.py), where it has one. `prepare` fetches what
    reading will need, in a thread, and raises Unreadable; reading itself never waits. `handshake`: the headers that
    answer an OPTIONS request.
    """

    name: str
    read: Reader
    title: str
    guide: str = ""
    marks: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    busy_status: int = 429
    statuses: Mapping[str, int] | None = None
    answer: Answer = count
    refuse: Refuse = error
    doors: tuple[Door, ...] = ()
    speaks_by_mapping: bool = False
    demands_quiet: bool = False
    check: Check | None = None
    prepare: Check | None = None
    handshake: Handshake | None = None

    def kept(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Of these headers, the ones that reading needs."""
        return {
            name: value[:1000]
            for name, value in headers.items()
            if name == "content-type" or any(_begins(name, wanted) for wanted in self.headers)
        }

    def status(self, method: str) -> int:
        """The HTTP status of what is stored."""
        return (self.statuses or {}).get(method, 202)


_registered: dict[str, Shape] = {}


def register(name: str, *, title: str = "", **rest: Any) -> Callable[[Reader], Reader]:
    """Register the decorated reader as the shape `name`; `rest` are the fields of Shape."""

    def remember(reader: Reader) -> Reader:
        _registered[name] = Shape(name, reader, title or name.capitalize(), **rest)
        return reader

    return remember


def read(shape: str, request: Request) -> Sequence[AlarmEvent]:
    """The events of `request`. Raises UnknownShape, or MalformedAlarm with a sentence."""
    known = named(shape)
    if known.check is not None and request.secret:
        known.check(request)
    try:
        return known.read(request)
    except MalformedAlarm as malformed:
        if hint := _hint(known, request.body):
            malformed.args = (f"{malformed} {hint}",)
        raise


def named(shape: str) -> Shape:
    """The registered shape of that name. Raises UnknownShape."""
    try:
        return _all()[shape]
    except KeyError:
        raise UnknownShape(f"There is no alarm shape “{shape}”; there are {', '.join(names())}.") from None


def names() -> list[str]:
    return sorted(_all())


def like(body: bytes) -> Iterator[Shape]:
    """The shapes whose marks the body has, the most telling first."""
    try:
        root = orjson.loads(body)
    except orjson.JSONDecodeError:
        return
    root = root[0] if isinstance(root, list) and root else root
    weighed = ((max(map(len, _marks_of(one, root)), default=0), one) for one in _all().values())
    yield from (one for weight, one in sorted(weighed, key=lambda pair: -pair[0]) if weight)


def _marks_of(shape: Shape, root: Any) -> Iterator[list[str]]:
    """The marks of the shape that a body has, as lists of names."""
    for mark in shape.marks:
        if all(_has(root, name) for name in mark.split()):
            yield mark.split()


def _hint(shape: Shape, body: bytes) -> str:
    other = next(like(body), None)
    if other is None or other.name == shape.name:
        return ""
    return f"It looks like {other.title}: give the source the shape “{other.name}”."


def _begins(name: str, wanted: str) -> bool:
    return name.startswith(wanted) if wanted.endswith("-") else name == wanted


def _has(value: Any, path: str) -> bool:
    for name in path.split("."):
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True


@cache
def _all() -> dict[str, Shape]:
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return _registered
