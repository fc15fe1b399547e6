"""Event logs in XES (IEEE 1849), as process miners publish them and other desks export them: read trace by trace."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from io import BufferedIOBase
from pathlib import Path
from xml.etree import ElementTree


class UnreadableLog(ValueError):
    """The file is no event log; the text says where it stops being one."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a trace: when (aware), and what is said of it by the log's own names."""

    at: datetime
    said: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Trace:
    """One case: its name in the other system, and its events in the order of their times."""

    name: str
    events: tuple[Event, ...]


def read(path: Path) -> Iterator[Trace]:
    """The traces of a log, gzipped or not, one at a time. Raises UnreadableLog, OSError."""
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    with gzip.open(path) if zipped else path.open("rb") as log:
        try:
            yield from _traces(log)
        except (ElementTree.ParseError, EOFError, gzip.BadGzipFile) as broken:
            raise UnreadableLog(f"{path.name} is no XES log: {broken}.") from broken


def _traces(file: BufferedIOBase) -> Iterator[Trace]:
    parser = ElementTree.iterparse(file, events=("start", "end"))  # noqa: S314 - an administrator's own file
    log: ElementTree.Element | None = None
    for what, element in parser:
        if log is None:
            log = element
            if _tag(element) != "log":
                raise UnreadableLog(f"This is no XES log: it begins with <{_tag(element)}>.")
        elif what == "end" and _tag(element) == "trace":
            yield _trace(element)
            log.clear()


def _trace(element: ElementTree.Element) -> Trace:
    name = _attributes(element).get("concept:name", "")
    events = [_event(name, child) for child in element if _tag(child) == "event"]
    return Trace(name, tuple(sorted(events, key=lambda event: event.at)))


def _event(trace: str, element: ElementTree.Element) -> Event:
    said = _attributes(element)
    try:
        at = datetime.fromisoformat(said["time:timestamp"])
    except (KeyError, ValueError) as missing:
        raise UnreadableLog(
            f"An event of {trace or 'a trace'} has no time:timestamp that can be read."
        ) from missing
    if at.tzinfo is None:
        raise UnreadableLog(f"An event of {trace} has a time without a zone: {said['time:timestamp']}.")
    return Event(at, said)


def _attributes(element: ElementTree.Element) -> dict[str, str]:
    return {
        child.attrib["key"]: child.attrib.get("value", "")
        for child in element
        if "key" in child.attrib and _tag(child) not in {"event", "trace"}
    }


def _tag(element: ElementTree.Element) -> str:
    """Without its namespace."""
    return str(element.tag).rpartition("}")[2]
