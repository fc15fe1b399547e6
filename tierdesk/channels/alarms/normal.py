"""The normal form: what every monitoring system says, in our words.

A shape (see shapes/) reads a sender's body into `AlarmEvent`s; everything behind it knows only these.
`said` is how one is made: it clips, cleans and weighs, so that no odd payload reaches the database
(PostgreSQL stores no NUL).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

import orjson

KEY_LENGTH = 255
SUMMARY_LENGTH = 300
NAME_LENGTH = 255
TEXT_LENGTH = 20_000
LABEL_LENGTH = 2_000
MOST_LABELS = 100
MOST_LINKS = 20


class Action(StrEnum):
    """What an event does to its alarm. The values are what the database function compares with."""

    RAISE = "raise"
    ACK = "ack"
    CLEAR = "clear"
    NOTE = "note"


CRITICAL, MAJOR, WARNING, MINOR, INFO = range(1, 6)

SEVERITIES: dict[str, int] = {
    **dict.fromkeys(
        ("critical", "crit", "fatal", "emergency", "emerg", "alert", "disaster", "down", "p1"), CRITICAL
    ),
    **dict.fromkeys(("error", "err", "high", "major", "p2"), MAJOR),
    **dict.fromkeys(("warning", "warn", "average", "medium", "moderate", "p3"), WARNING),
    **dict.fromkeys(("low", "minor", "notice", "p4"), MINOR),
    **dict.fromkeys(("info", "information", "informational", "debug", "none", "p5"), INFO),
}
"""The words most senders share. A shape may add its own, a source may correct both (`AlarmEvent.weighed`)."""

NOT_IDENTITY = frozenset({"severity", "priority", "level", "value", "values"})
"""Labels that change while the trouble stays the same: a warning that becomes critical is still one alarm."""


class Link(NamedTuple):
    text: str
    href: str


@dataclass(kw_only=True)
class AlarmEvent:
    """One thing a monitoring system said about one alarm. Nobody changes one; to freeze it would double its making.

    `key` (≤ 255 characters) names the alarm within its source, `severity` runs from 1 critical to 5 info,
    `summary` is one line of ≤ 300 characters. `at` is the source's own time of this event and orders the
    events of an alarm; it is None where the source does not tell it for every action, and then arrival
    orders them. `repeats`: the sender says the same raise again while it lasts, so one that is heard long
    after its clear is news, not late.
    """

    action: Action
    key: str
    severity: int
    resource: str
    summary: str
    event_id: str = ""
    group: str = ""
    service: str = ""
    class_: str = ""
    text: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    repeats: bool = False
    severity_word: str = ""
    severity_known: bool = True

    def source_time(self, received_at: datetime) -> datetime:
        """The instant that orders this event: its own, but never later than its arrival."""
        return received_at if self.at is None else min(self.at, received_at)

    def weighed(self, severities: Mapping[str, int]) -> AlarmEvent:
        """The same event, with the severity of a source's own table (lower-case word → 1…5)."""
        severity = severities.get(self.severity_word)
        return self if severity is None else replace(self, severity=severity, severity_known=True)

    def body(self) -> dict[str, Any]:
        """What is kept of the event, as plain JSON values; empty fields are left out."""
        kept: dict[str, Any] = {
            "action": self.action.value,
            "key": self.key,
            "severity": self.severity,
            "resource": self.resource,
            "summary": self.summary,
        }
        for name in ("event_id", "group", "service", "text", "labels", "at", "started_at", "ended_at"):
            if value := getattr(self, name):
                kept[name] = value
        if self.class_:
            kept["class"] = self.class_
        if self.links:
            kept["links"] = [{"text": link.text, "href": link.href} for link in self.links]
        if self.severity_word:
            kept["severity_word"] = self.severity_word
        if not self.severity_known:
            kept["severity_unknown"] = True
        return kept

    @cached_property
    def written(self) -> orjson.Fragment:
        """The body as JSON: one that is said again and again is written once."""
        return orjson.Fragment(orjson.dumps(self.body()))


def said(
    *,
    action: Action,
    key: str = "",
    severity: str | int = "",
    resource: str = "",
    summary: str = "",
    event_id: str = "",
    group: str = "",
    service: str = "",
    class_: str = "",
    text: str = "",
    labels: Mapping[str, str] | None = None,
    links: Iterable[Link] = (),
    at: datetime | None = None,
    started_at: datetime | None = None,
    ended_at: datetime | None = None,
    repeats: bool = False,
    severities: Mapping[str, int] = SEVERITIES,
) -> AlarmEvent:
    """Make an event of what a sender said, whatever its length and characters.

    Without a `key` the key rule makes one (`key_of`). `severity` is the sender's word, weighed with
    `severities`, or 1…5; a word nobody knows counts as 3 and is marked, an absent one is 3.
    """
    clean_labels = _clean_labels(labels or {})
    weight, word, known = weigh(severity, severities)
    resource = clip(resource, NAME_LENGTH)
    class_ = clip(class_, NAME_LENGTH)
    return AlarmEvent(
        action=action,
        key=shorten(key) or key_of(resource=resource, name=class_ or template(summary), labels=clean_labels),
        severity=weight,
        resource=resource,
        summary=one_line(summary or class_ or resource, SUMMARY_LENGTH),
        event_id=shorten(event_id),
        group=shorten(group),
        service=clip(service, NAME_LENGTH),
        class_=class_,
        text=clip(text, TEXT_LENGTH),
        labels=clean_labels,
        links=safe_links(links),
        at=at,
        started_at=started_at,
        ended_at=ended_at,
        repeats=repeats,
        severity_word=word,
        severity_known=known,
    )


def weigh(word: str | int, severities: Mapping[str, int] = SEVERITIES) -> tuple[int, str, bool]:
    """Severity (1…5) of a sender's word, the word in lower case, and whether it was known."""
    if isinstance(word, int):
        return (word, "", True) if CRITICAL <= word <= INFO else (WARNING, str(word), False)
    plain = clip(word.strip().lower(), 40)
    if not plain:
        return WARNING, "", True
    severity = severities.get(plain)
    return (WARNING, plain, False) if severity is None else (severity, plain, True)


def key_of(*, resource: str, name: str, labels: Mapping[str, str]) -> str:
    """The key of an alarm whose source gives none: where it is, what it is, and the labels that identify it.

    Never of text that holds numbers or times: then each new reading would be a new alarm (pass
    `template(text)`).
    """
    identity = sorted((label, value) for label, value in labels.items() if label.lower() not in NOT_IDENTITY)
    return hashlib.sha256(orjson.dumps([resource, name, identity])).hexdigest()[:40]


def template(text: str) -> str:
    """`text` with its numbers and hexadecimal ids masked, so that two readings of one trouble look alike."""
    return re.sub(
        r"\b0x[0-9a-f]+\b|\b(?=\w*\d)[0-9a-f]{6,}\b|\d+(?:[.,:]\d+)*", "#", text, flags=re.IGNORECASE
    )


def shorten(key: str) -> str:
    """`key` if it fits, else its beginning and a digest of the whole: distinct keys stay distinct."""
    if len(key) > KEY_LENGTH:
        return f"{clip(key, KEY_LENGTH - 41)}:{hashlib.sha256(key.encode()).hexdigest()[:40]}"
    return clip(key, KEY_LENGTH)


def clip(text: str, length: int) -> str:
    """`text` cut to `length` characters, with NUL replaced."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    return text if len(text) <= length else text[: length - 1] + "…"


def one_line(text: str, length: int) -> str:
    return clip(" ".join(text.split()), length)


def safe_links(links: Iterable[Link]) -> tuple[Link, ...]:
    """The web links among `links`: a `javascript:` address from a sender must never become one of ours."""
    web = [link for link in links if link.href.startswith(("https://", "http://"))]
    return tuple([Link(one_line(link.text, 80), clip(link.href, LABEL_LENGTH)) for link in web[:MOST_LINKS]])


def _clean_labels(labels: Mapping[str, str]) -> dict[str, str]:
    some = sorted(labels)[:MOST_LABELS] if len(labels) > MOST_LABELS else labels
    return {clip(name, 120): clip(labels[name], LABEL_LENGTH) for name in some}
