"""One request as its sender made it: all that a shape may read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tierdesk.channels.alarms.usm import UsmUser


@dataclass(slots=True)
class Request:
    """What arrived, and what its source says about reading it. Header names are in lower case.

    `path` is what the door left of the address (doors.py), `remote` the address of the sender. `mapping` is the
    source's own (mapping.py), `severities` its own words, `secret` what its sender signs with. `usm`: as whom it
    sends SNMP of version 3.
    """

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    path: str = ""
    remote: str = ""
    mapping: Mapping[str, Any] = field(default_factory=dict)
    severities: Mapping[str, int] = field(default_factory=dict)
    secret: str = ""
    usm: UsmUser | None = None
