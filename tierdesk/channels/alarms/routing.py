"""Which door a path leads to, and where its token stands: the table of all addresses that machines may send to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from tierdesk.channels.alarms import shapes
from tierdesk.channels.alarms.doors import Door, authorization, door

BEAT = "beat"
NO_DOORS: tuple[tuple[Door, str], ...] = ()

bearer = authorization("Bearer")

OWN = door("", bearer, "POST", "PUT", "OPTIONS")
OWN_BEAT = door("", bearer, "GET", "HEAD", "POST", is_beat=True)


@dataclass(frozen=True, slots=True)
class Route:
    """The door that a path leads to. `shape`: how those speak who knock there, if not as their source says."""

    door: Door
    shape: str = ""
    rest: str = ""
    in_path: str = ""

    def token(self, headers: Mapping[str, str], body: bytes = b"") -> str:
        return self.in_path or self.door.token(headers, body)


def find(path: str, prefix: str = "/in") -> Route | None:
    """Ours are `<prefix>/<token>`, `<prefix>` with a bearer token, and either with `/beat`; then come the others'."""
    if path.startswith(f"{prefix}/") or path == prefix:
        return _own(path[len(prefix) + 1 :])
    first = path.split("/", 2)[1] if path.startswith("/") else ""
    for known, shape in _by_first().get(first, NO_DOORS):
        if match := known.pattern.fullmatch(path):
            return Route(known, shape, match.groupdict().get("rest") or "")
    return None


def leads_to_machines(path: str) -> bool:
    """Whether that path is for machines to send to; everything else is a page."""
    return path.startswith("/in/") or find(path) is not None


def _own(rest: str) -> Route | None:
    token, _, more = rest.partition("/")
    if more == BEAT or (token == BEAT and not more):
        return Route(OWN_BEAT, in_path=token if more else "")
    return None if more else Route(OWN, in_path=token)


@cache
def _by_first() -> Mapping[str, tuple[tuple[Door, str], ...]]:
    """The doors of all shapes by the first part of their paths."""
    table: dict[str, tuple[tuple[Door, str], ...]] = {}
    for shape in map(shapes.named, shapes.names()):
        for known in shape.doors:
            first = known.pattern.pattern.split("/", 2)[1]
            table[first] = (*table.get(first, NO_DOORS), (known, shape.name))
    return table
