"""A mapping says where in a sender's own JSON the parts of an alarm stand; people make it by pointing at a sample.

It is data of the source: for each field the places that it is taken from, as JSON pointers (RFC 6901), and the words
that clear or acknowledge:

    {"summary": ["/check/name", "/check/output"], "resource": ["/host"], "action": ["/state"],
     "clears": ["ok"], "acknowledges": []}

`"each": "/alerts"` makes an alarm of every entry of that list; a pointer into the entry then has `*` for its number
(`/alerts/*/labels/host`), and pointers beside the list hold for all of them. All functions here are pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tierdesk.channels.alarms.normal import Action, AlarmEvent, key_of, said, template
from tierdesk.channels.alarms.reading import MalformedAlarm, moment, plain

FIELDS = ("summary", "key", "action", "severity", "resource", "time", "class", "service", "group", "text")
JOINED = {"summary": " ", "key": "/", "text": "\n"}
"""Fields that may be made of several values, and what stands between these; of the others the last place holds."""

CLEARS = "ok okay up resolved resolve closed close cleared clear recovered recovery normal inactive success".split()
ACKNOWLEDGES = "acknowledged acknowledge acked ack".split()

USUAL = {
    "summary": ("summary", "title", "subject", "message", "description", "msg", "output", "name"),
    "key": ("dedup_key", "fingerprint", "alert_id", "incident_id", "event_id", "id", "uid"),
    "action": ("action", "status", "state", "current_state"),
    "severity": ("severity", "level", "priority", "urgency"),
    "resource": ("resource", "host", "hostname", "instance", "node", "device", "server", "source"),
    "time": ("timestamp", "time", "starts_at", "startsat", "date", "when"),
    "service": ("service", "service_name", "application", "app"),
}
"""How senders like to call the parts of an alarm, the most telling first."""

LISTS = ("", "alerts", "alarms", "events", "incidents", "problems")
"""How they like to call a list of alarms; the empty name is a body that is a list itself."""

ENTRY = "*"
MOST_PLACES = 8
MOST_VALUES = 300
DEEPEST = 20
LONGEST_POINTER = 500


class NoMapping(ValueError):
    """It is no mapping, or not one that makes an alarm. The message says what to change."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a sample, by the pointer that binds it. What holds others has no `text` but its `size`."""

    pointer: str
    name: str
    depth: int
    text: str | None = None
    size: int = 0
    is_list: bool = False


def mapped(mapping: Mapping[str, Any], root: Any) -> list[AlarmEvent]:
    """The alarms in `root`. Raises MalformedAlarm that names the place where something should be."""
    return [_event(mapping, root, number) for number in _entries(mapping, root)]


def bind(mapping: Mapping[str, Any], field: str, pointer: str) -> dict[str, Any]:
    """The mapping with `field` taken from `pointer` (too, where a field may be made of several values)."""
    before = [place for place in mapping.get(field, ()) if field in JOINED and place != pointer]
    return checked({**mapping, field: [*before, _from_entry(mapping, pointer)]})


def guessed(sample: Any) -> dict[str, Any]:
    """The mapping that the names in the sample suggest, to begin with."""
    lists = (value for value in values_of(sample, {}) if value.is_list and value.name.lower() in LISTS)
    entries = next(
        (value for value in lists if isinstance(_found(sample, f"{value.pointer}/0", None), dict)), None
    )
    found = each({}, entries.pointer) if entries else {}
    named = [
        (value.name.lower(), value.pointer)
        for value in values_of(sample, found)
        if value.text and not any(token.isdecimal() for token in value.pointer.split("/"))
    ]
    for field, names in USUAL.items():
        pointer = next((pointer for usual in names for name, pointer in named if name == usual), None)
        if pointer is not None:
            found = bind(found, field, pointer)
    return found


def each(mapping: Mapping[str, Any], pointer: str | None) -> dict[str, Any]:
    """The mapping with an alarm for every entry of the list at `pointer`; None: one alarm for the whole body."""
    rest = {name: value for name, value in mapping.items() if name != "each"}
    pointed = rest if pointer is None else {**rest, "each": pointer}
    moved = {
        field: [_moved(mapping, pointed, place) for place in rest[field]] for field in FIELDS if field in rest
    }
    return {**pointed, **moved}


def checked(mapping: Any) -> dict[str, Any]:
    """The mapping, if it is one. Raises NoMapping."""
    if not isinstance(mapping, dict):
        raise NoMapping("A mapping is a table: field → where it stands.")
    for name, value in mapping.items():
        if name == "each":
            _demand_pointers([value], name)
        elif name in ("clears", "acknowledges"):
            if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
                raise NoMapping(f"“{name}” is a list of words.")
        elif name in FIELDS:
            _demand_pointers(value, name)
        else:
            known = ", ".join((*FIELDS, "each", "clears", "acknowledges"))
            raise NoMapping(f"A mapping has no “{name}”; there are {known}.")
    return mapping


def values_of(sample: Any, mapping: Mapping[str, Any]) -> list[Value]:
    """What a person can point at, in order, MOST_VALUES at most; of the list that `each` names, one entry for all."""
    found: list[Value] = []
    for value in _walk(sample, "", "", 0, mapping.get("each")):
        if len(found) == MOST_VALUES:
            break
        found.append(value)
    return found


def _event(mapping: Mapping[str, Any], root: Any, number: int | None) -> AlarmEvent:
    told = {field: _told(mapping, field, root, number) for field in FIELDS}
    if not told["summary"]:
        places = " and ".join(f"“{place}”" for place in mapping.get("summary", ())) or "nowhere"
        raise MalformedAlarm(f"The source's mapping takes the summary from {places}: nothing stands there.")
    name = told["class"] or template(told["summary"])
    return said(
        action=_action(mapping, told["action"]),
        key=told["key"] or key_of(resource=told["resource"], name=name, labels={}),
        severity=told["severity"],
        resource=told["resource"],
        summary=told["summary"],
        service=told["service"],
        group=told["group"],
        class_=told["class"],
        text=told["text"],
        labels=_labels(mapping, root, number),
        at=moment(told["time"]),
        repeats=True,
    )


def _told(mapping: Mapping[str, Any], field: str, root: Any, number: int | None) -> str:
    found = (plain(_found(root, place, number)).strip() for place in mapping.get(field, ()))
    return JOINED.get(field, " ").join(filter(None, found))


def _action(mapping: Mapping[str, Any], word: str) -> Action:
    """A word that nobody knows raises: too many alarms are seen, a lost one is not."""
    word = word.strip().lower()
    if word in mapping.get("clears", CLEARS):
        return Action.CLEAR
    return Action.ACK if word in mapping.get("acknowledges", ACKNOWLEDGES) else Action.RAISE


def _labels(mapping: Mapping[str, Any], root: Any, number: int | None) -> dict[str, str]:
    """Every value of the entry, or of the body: nothing that a sender said is lost to who reads the alarm."""
    start = _found(root, f"{mapping['each']}/{ENTRY}", number) if "each" in mapping else root
    leaves = (value for value in _walk(start, "", "", 0, None) if value.text)
    return {value.pointer.strip("/").replace("/", ".") or "value": value.text or "" for value in leaves}


def _entries(mapping: Mapping[str, Any], root: Any) -> Sequence[int | None]:
    if "each" not in mapping:
        return [None]
    found = _found(root, mapping["each"], None)
    if not isinstance(found, list) or not found:
        raise MalformedAlarm(
            f"The source's mapping makes an alarm of each entry of “{mapping['each'] or '/'}”: no list stands there."
        )
    return range(len(found))


def _found(value: Any, pointer: str, number: int | None) -> Any:
    """What stands at the pointer; None if nothing does."""
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        place = str(number) if token == ENTRY and number is not None else name
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and place.isdecimal() and int(place) < len(value):
            value = value[int(place)]
        else:
            return None
    return value


def _walk(value: Any, pointer: str, name: str, depth: int, entries_of: str | None) -> Iterator[Value]:
    if not isinstance(value, dict | list) or depth == DEEPEST:
        yield Value(pointer, name, depth, plain(value))
        return
    yield Value(pointer, name, depth, size=len(value), is_list=isinstance(value, list))
    numbered = ((str(number), entry) for number, entry in enumerate(value))
    inner: Iterable[tuple[str, Any]] = value.items() if isinstance(value, dict) else numbered
    if isinstance(value, list) and pointer == entries_of:
        inner = [(ENTRY, entry) for entry in value[:1]]
    for key, entry in inner:
        token = key.replace("~", "~0").replace("/", "~1")
        yield from _walk(entry, f"{pointer}/{token}", key, depth + 1, entries_of)


def _from_entry(mapping: Mapping[str, Any], pointer: str) -> str:
    """The pointer, with `*` where it goes into an entry of the list that `each` names."""
    start = f"{mapping['each']}/" if "each" in mapping else None
    if start is None or not pointer.startswith(start):
        return pointer
    number, _, rest = pointer[len(start) :].partition("/")
    return f"{start}{ENTRY}/{rest}" if number.isdecimal() and rest else pointer


def _moved(before: Mapping[str, Any], after: Mapping[str, Any], pointer: str) -> str:
    start = f"{before['each']}/{ENTRY}" if "each" in before else None
    if start is not None and (pointer == start or pointer.startswith(f"{start}/")):
        pointer = f"{before['each']}/0{pointer[len(start) :]}"
    return _from_entry(after, pointer)


def _demand_pointers(value: Any, name: str) -> None:
    places = value if isinstance(value, list) else None
    if not places or len(places) > MOST_PLACES:
        raise NoMapping(f"“{name}” is a list of 1 to {MOST_PLACES} places, such as /check/name.")
    for place in places:
        if (
            not isinstance(place, str)
            or len(place) > LONGEST_POINTER
            or (place and not place.startswith("/"))
        ):
            raise NoMapping(f"“{name}” stands at a place such as /check/name, not at {plain(place)[:80]}.")
