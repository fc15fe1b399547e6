"""What the lane hands to a store: a source it knows, and what arrived from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from tierdesk.channels.alarms.normal import AlarmEvent
from tierdesk.channels.alarms.usm import UsmUser


@dataclass(frozen=True, slots=True)
class KnownSource:
    """What intake must know of a source: whose it is, how it speaks, its own table of severities and its mapping.

    `secret` is what it signs with, if it signs. `senders` are the networks that it sends from, if no token tells.
    `usm`: as whom it sends SNMP of version 3, if it does.
    """

    id: int
    client_id: int
    shape: str
    severities: Mapping[str, int] = field(default_factory=dict)
    mapping: Mapping[str, Any] = field(default_factory=dict)
    secret: str = ""
    senders: Sequence[str] = ()
    usm: UsmUser | None = None


@dataclass(slots=True, kw_only=True)
class Arrival:
    """One request of one source, as received: its events, or why there are none (`refusal`, a sentence).

    `shed` counts requests of this source that were turned away since the last arrival; it may come with no
    events. `is_beat`: it said nothing but that the source lives. Nobody changes one; it is not frozen, nor are the
    others that are made for each alarm, since that triples what making them costs.

    Of a refused one, `status` is what its sender is told; `path`, `headers` and `shape` (if not its source's) are what
    reading it again will need.
    """

    source: KnownSource
    received_at: datetime
    raw: bytes = b""
    remote: str = ""
    events: Sequence[AlarmEvent] = ()
    refusal: str = ""
    status: int = 400
    shape: str = ""
    path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    shed: int = 0
    is_beat: bool = False


class StoreIsAway(ConnectionError):
    """The store cannot be reached in time. Nothing of the batch is known to be stored: send it again."""


class UnableToStore(ValueError):
    """The store will never take this batch as it is: something in it is not storable."""


class Store(Protocol):
    """Keeps what arrived. Its methods block; the lane calls them from threads of its own."""

    def sources(self) -> Mapping[str, KnownSource]:
        """The enabled sources by the digest of their token (tokens.py). Raises StoreIsAway."""
        ...

    def commit(self, batch: Sequence[Arrival]) -> None:
        """Store all of `batch`, durably, in one transaction; only counting it may wait.

        Raises StoreIsAway or UnableToStore.
        """
        ...

    @property
    def owes_counts(self) -> bool:
        """Whether something waits to be counted: the next batch will, or an empty one."""
        ...

    def close(self) -> None: ...
