"""Reading what senders send: doubtful JSON into plain values, or a sentence that says what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import parse_qs

import orjson

EPOCH = re.compile(r"\d{9,14}(\.\d+)?")
FIRST_MILLISECOND = 100_000_000_000
"""As seconds it is the year 5138, as milliseconds 1973."""


class MalformedAlarm(ValueError):
    """A body is not what its shape promises. The message is a sentence for who set the sender up.

    It is kept, and the sender is told so with `status`.
    """

    status = 400


class Forged(MalformedAlarm):
    """The body is not signed as its source says it is, or what is signed is too old to be believed."""

    status = 401


class AsksPeople(MalformedAlarm):
    """Understood, but for a person to answer: it is kept where people look, and the sender hears that all is well."""

    status = 202


class Unreadable(Exception):
    """It cannot be read just now, through no fault of the sender: it is to send it again."""


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


def form_field(body: bytes, headers: Mapping[str, str], name: str) -> bytes:
    """The field `name` where the body is a form, of either kind; else the body itself. Files are not looked for."""
    kind, _, rest = headers.get("content-type", "").partition(";")
    if kind.strip() == "application/x-www-form-urlencoded":
        return parse_qs(body.decode("utf-8", "replace")).get(name, [""])[0].encode()
    boundary = re.search(r'boundary="?([^";]+)', rest)
    if kind.strip() != "multipart/form-data" or boundary is None:
        return body
    for part in body.split(b"--" + boundary[1].encode()):
        head, _, value = part.partition(b"\r\n\r\n")
        if f'name="{name}"'.encode() in head:
            return value.removesuffix(b"\r\n")
    return b""


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
    """`value` as text: JSON for what is neither text nor number, empty for null.

    orjson reads a thousand levels and writes 254: what lies deeper is not worth the words.
    """
    if isinstance(value, str):
        return value
    try:
        return "" if value is None else orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        return "…"


def first(texts: Mapping[str, str], *names: str) -> str:
    """The first of `names` that has a text, or empty."""
    for name in names:
        if text := texts.get(name):
            return text
    return ""


def within(value: Any, path: str) -> Any:
    """What lies at the dotted `path`; None where there is nothing."""
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def words(value: Any, path: str) -> str:
    """What lies at the dotted `path`, as text."""
    return plain(within(value, path)).strip()


def moment(value: Any) -> datetime | None:
    """An instant, aware, from RFC 3339 text, or seconds or milliseconds since 1970; a time without zone is UTC.

    None for what is absent or unreadable, and for the first years of the calendar, which senders in Go use
    for "never".
    """
    try:
        if isinstance(value, bool) or value is None:
            return None
        if isinstance(value, str) and EPOCH.fullmatch(value.strip()):
            value = float(value)
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value / 1000 if value >= FIRST_MILLISECOND else value, UTC)
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
