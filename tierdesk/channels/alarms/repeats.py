"""Nine of ten things that a storm says were said before, word for word: those are not read again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, wraps
from typing import Any

import orjson

from tierdesk.channels.alarms.normal import AlarmEvent

REMEMBERED = 4096
LONGEST = 4096
"""What is longer, in octets, is not remembered, so that what a process remembers stays within some megabytes."""

type Reading = Callable[[bytes], Sequence[AlarmEvent]]
type Entry = Mapping[str, Any]
type ReadEntry = Callable[[Entry, Entry], AlarmEvent]


class _Words(bytes):
    """What an entry and its body say. `told`: those themselves, for as long as they are read."""

    told: tuple[Entry, Entry]


def read_once(read: ReadEntry) -> ReadEntry:
    """Decorates a reader of one entry of a body, and of what the body says about all of its entries.

    It must depend on nothing else: the last REMEMBERED entries are answered with the event that it made before.
    """

    @lru_cache(maxsize=REMEMBERED)
    def remembered(words: _Words) -> AlarmEvent:
        return read(*words.told)

    @wraps(read)
    def answer(about_all: Entry, entry: Entry) -> AlarmEvent:
        try:
            words = _Words(orjson.dumps([about_all, entry]))
        except orjson.JSONEncodeError:  # orjson reads deeper than it writes
            return read(about_all, entry)
        if len(words) > LONGEST:
            return read(about_all, entry)
        words.told = about_all, entry
        try:
            return remembered(words)
        finally:
            del words.told  # the words are remembered, what they were written of is not

    return answer


def bodies_read_once(read: Reading) -> Reading:
    """Decorates a reader of whole bodies, likewise: what comes one alarm a request is often the same to the octet."""
    remembered = lru_cache(maxsize=REMEMBERED)(read)

    @wraps(read)
    def answer(body: bytes) -> Sequence[AlarmEvent]:
        return remembered(body) if len(body) <= LONGEST else read(body)

    return answer
