"""The addresses that senders knock at by themselves, because their maker built them in.

A shape brings its doors along when it registers; `shapes.doors()` are all of them, routing.py finds the one for a path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

TokenOf = Callable[[Mapping[str, str], bytes], str]


def authorization(scheme: str) -> TokenOf:
    """The token is what follows `scheme` in the Authorization header."""

    def token(headers: Mapping[str, str], body: bytes) -> str:
        given, _, rest = headers.get("authorization", "").partition(" ")
        return rest.strip() if given.lower() == scheme.lower() else ""

    return token


def body_field(name: str) -> TokenOf:
    """The token is the field `name` of the JSON body."""

    def token(headers: Mapping[str, str], body: bytes) -> str:
        try:
            found = orjson.loads(body)
        except orjson.JSONDecodeError:
            return ""
        value = found.get(name) if isinstance(found, dict) else ""
        return value if isinstance(value, str) else ""

    return token


@dataclass(frozen=True, slots=True)
class Door:
    """One address. `pattern` matches the whole path; its group `rest`, if it has one, is what the reader gets.

    `token` finds what the sender shows; `body_first`: it stands in the body, which is then read before anybody is
    known. `is_beat`: a knock says only that the sender lives. `tells`: a question about `rest`, answered and not
    stored.
    """

    pattern: re.Pattern[str]
    token: TokenOf
    methods: frozenset[str] = frozenset({"POST"})
    body_first: bool = False
    is_beat: bool = False
    tells: Callable[[str], dict[str, Any]] | None = None


def door(pattern: str, token: TokenOf, *methods: str, **rest: Any) -> Door:
    """A door for `methods` (POST if none is named)."""
    return Door(re.compile(pattern), token, frozenset(methods or ("POST",)), **rest)
