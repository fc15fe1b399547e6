"""Reading what senders send: doubtful JSON into plain values, or a sentence that says what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

import orjson


class MalformedAlarm(ValueError):
    """A body is not what its shape promises. The message is a sentence for who set the sender up."""


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`. Raises MalformedAlarm."""
    found = json_value(body)
    if not isinstance(found, dict):
        raise MalformedAlarm(f"The body is JSON, but not an object: it is {_kind(found)}.")
    return found


def json_value(body: bytes) -> Any:
    """The JSON in `body`. Raises MalformedAlarm."""
    if not body.strip():
        raise MalformedAlarm("The body is empty.")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedAlarm(f"The body is not JSON: {error}.") from error


def objects(value: Any, *, of: str) -> list[dict[str, Any]]:
    """`value` as a list of at least one object. Raises MalformedAlarm that names the list `of` what."""
    if not isinstance(value, list) or not value:
        raise MalformedAlarm(f"“{of}” should be a list with at least one entry, but is {_kind(value)}.")
    for number, entry in enumerate(value, start=1):
        if not isinstance(entry, dict):
            raise MalformedAlarm(f"Entry {number} of “{of}” should be an object, but is {_kind(entry)}.")
    return cast("list[dict[str, Any]]", value)


def strings(value: Any) -> dict[str, str]:
    """`value` as names and texts, as labels and annotations are; {} when it is no object."""
    if not isinstance(value, dict):
        return {}
    return {name: text if isinstance(text, str) else plain(text) for name, text in value.items()}


def plain(value: Any) -> str:
    """`value` as text: JSON for what is neither text nor number, empty for null."""
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value).decode()


def first(texts: Mapping[str, str], *names: str) -> str:
    """The first of `names` that has a text, or empty."""
    for name in names:
        if text := texts.get(name):
            return text
    return ""


def moment(value: Any) -> datetime | None:
    """An instant, aware, from RFC 3339 text or seconds since 1970; a time without zone is UTC.

    None for what is absent or unreadable, and for the first years of the calendar, which senders in Go use
    for "never".
    """
    try:
        if isinstance(value, bool) or value is None:
            return None
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        found = datetime.fromisoformat(str(value))
        aware = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return aware if aware.year > 1970 else None


def _kind(value: Any) -> str:
    if value is None:
        return "missing"
    if value == []:
        return "an empty list"
    names = {
        dict: "an object",
        list: "a list",
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
    }
    return names.get(type(value), "something else")
