"""How the tests of the shapes speak: a body, and what was heard of it."""

from __future__ import annotations

from typing import Any

import orjson

from tierdesk.channels.alarms import shapes
from tierdesk.channels.alarms.normal import AlarmEvent
from tierdesk.channels.alarms.request import Request


def read(shape: str, body: Any, **request: Any) -> list[AlarmEvent]:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return shapes.read(shape, Request(raw, **request))


def heard(shape: str, body: Any, **request: Any) -> tuple[str, str, int]:
    """Action, key and severity of the one event in `body`."""
    [event] = read(shape, body, **request)
    return event.action.value, event.key, event.severity
