"""What a value may look like: `read` makes the canonical value of a YAML node, `show` the file's notation of it.

The canonical value is what the database would give: seconds, numbers, plain dicts. So two can be compared.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from functools import cache
from ipaddress import ip_network
from typing import Any, Final, Protocol
from zoneinfo import available_timezones

import yaml

from tierdesk.channels.alarms.tokens import digest
from tierdesk.directory.clients.identify import NotANumber, to_e164
from tierdesk.ops.desk.lines import BROKEN, Findings, items, line_of, pairs

KEPT: Final = "kept"
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
UNITS: Final = {"d": 86400, "h": 3600, "min": 60, "s": 1}
LONGEST_S: Final = 366 * 86400


class Shape(Protocol):
    def read(self, node: yaml.Node, found: Findings) -> Any:
        """The canonical value, or BROKEN with the reason among the findings."""

    def show(self, value: Any) -> Any:
        """The value as the file writes it."""


SECRETS: Final = {"secret", "token"}
FROM_A_BROWSER: Final = (
    "The server’s environment is read only for a file that is applied on the server; write the secret itself."
)


def variable_of(text: str) -> str:
    """The variable of the environment that `${NAME}` names; empty for any other text."""
    return text[2:-1] if text.startswith("${") and text.endswith("}") else ""


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value, parsed from its text. `parse` raises ValueError with a sentence that says what to write.

    `kind` is how a form asks for it. `choices` are all values there are, as the file writes them, each with its
    meaning; None where they cannot be listed.
    """

    parse: Callable[[str], Any]
    shown: Callable[[Any], Any] = lambda value: value
    kind: str = "text"
    choices: Callable[[], Mapping[str, str]] | None = None

    def meanings(self) -> Mapping[str, str]:
        """All values there are with their meanings; none where they cannot be listed."""
        return self.choices() if self.choices else {}

    def read(self, node: yaml.Node, found: Findings) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            return found.add(line_of(node), "Write one value here, not a list or a table.")
        if self.kind in SECRETS and found.path is None and variable_of(str(node.value)):
            return found.add(line_of(node), FROM_A_BROWSER)
        try:
            return self.parse(str(node.value))
        except ValueError as fault:
            return found.add(line_of(node), str(fault))

    def show(self, value: Any) -> Any:
        return None if value is None else self.shown(value)


@dataclass(frozen=True, slots=True)
class Ref:
    """The key of an item of another section; whether there is one is checked when all is read.

    `is_scope`: it may also be a pattern that covers some, such as network/* or *.
    """

    section: str
    is_scope: bool = False

    def read(self, node: yaml.Node, found: Findings) -> Any:
        value = TEXT.read(node, found)
        if isinstance(value, str):
            found.mention(self.section, value, node, is_scope=self.is_scope)
        return value

    def show(self, value: Any) -> Any:
        return value


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list. `ordered=False`: the order says nothing, so it is kept sorted, or in the order of its choices."""

    of: Shape
    ordered: bool = False

    def read(self, node: yaml.Node, found: Findings) -> Any:
        read = [self.of.read(item, found) for item in items(node, found, "this")]
        if any(value is BROKEN for value in read):
            return BROKEN
        for i, value in enumerate(read):
            if value in read[:i]:
                return found.add(
                    line_of(node.value[i]), f"“{self.of.show(value)}” is in the list twice; keep one."
                )
        return self.in_order(read)

    def in_order(self, value: Collection[Any]) -> list[Any]:
        """The value as it is compared."""
        if self.ordered:
            return list(value)
        choices = list(self.of.meanings()) if isinstance(self.of, Scalar) else []
        return sorted(value, key=lambda item: (_place(str(self.of.show(item)), choices), item))

    def show(self, value: Any) -> Any:
        return [self.of.show(item) for item in value]


def _place(item: str, choices: list[str]) -> int:
    return choices.index(item) if item in choices else len(choices)


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping whose keys and values each have one shape."""

    key: Scalar | Ref
    of: Shape

    def read(self, node: yaml.Node, found: Findings) -> Any:
        entries = [
            (self.key.read(key, found), self.of.read(value, found))
            for _, key, value in pairs(node, found, "this table")
        ]
        if any(BROKEN in (key, value) for key, value in entries):
            return BROKEN
        return dict(entries)

    def show(self, value: Any) -> Any:
        return {self.key.show(key): self.of.show(item) for key, item in sorted(value.items())}


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping with known names, each with its shape; none is required. `usual` are values that need not be said."""

    fields: Mapping[str, Shape]
    usual: Mapping[str, Any] = field(default_factory=dict)

    def read(self, node: yaml.Node, found: Findings) -> Any:
        values: dict[str, Any] = {}
        for name, key, value in pairs(node, found, "this table"):
            if name in self.fields:
                values[name] = self.fields[name].read(value, found)
            else:
                values[name] = found.add(
                    line_of(key), f"There is no “{name}” here; write one of {', '.join(self.fields)}."
                )
        return BROKEN if BROKEN in values.values() else self.without_usual(values)

    def without_usual(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """The value as it is compared: what is said and differs from the usual."""
        shapes = self.fields
        kept = {
            name: shape.in_order(part) if isinstance(shape := shapes.get(name), ListOf) else part
            for name, part in value.items()
            if name in shapes
        }
        return {
            name: part for name, part in kept.items() if name not in self.usual or part != self.usual[name]
        }

    def show(self, value: Any) -> Any:
        return {name: shape.show(value[name]) for name, shape in self.fields.items() if name in value}


class Week:
    """Weekly hours, `mon-fri: 08:00-16:00`; several of a day as a list. Canonical: {"0": [["08:00", "16:00"]], …}."""

    def read(self, node: yaml.Node, found: Findings) -> Any:
        week: dict[str, Any] = {}
        for name, key, value in pairs(node, found, "the week"):
            spans = SPANS.read(value, found)
            for day in days_of(name):
                if str(day) in week:
                    found.add(line_of(key), f"“{DAYS[day]}” has its hours twice; write each day once.")
                week[str(day)] = spans
            if not days_of(name):
                found.add(line_of(key), f"“{name}” is no day; write mon, tue, …, or days such as mon-fri.")
        return BROKEN if any(spans is BROKEN for spans in week.values()) else week

    def show(self, value: Any) -> Any:
        shown: dict[str, Any] = {}
        first = 0
        for day in range(1, 8):
            if day == 7 or value.get(str(day)) != value.get(str(first)):
                if value.get(str(first)):
                    name = DAYS[first] if day - first == 1 else f"{DAYS[first]}-{DAYS[day - 1]}"
                    shown[name] = SPANS.show(value[str(first)])
                first = day
        return shown


def days_of(name: str) -> list[int]:
    first, _, last = name.strip().lower().partition("-")
    if first not in DAYS or (last or first) not in DAYS:
        return []
    return list(range(DAYS.index(first), DAYS.index(last or first) + 1))


class Spans:
    """Opening hours of one day, `08:00-12:00` or a list of such. Canonical: [["08:00", "12:00"]]."""

    def read(self, node: yaml.Node, found: Findings) -> Any:
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        read = [SPAN.read(part, found) for part in parts]
        return BROKEN if BROKEN in read else read

    def show(self, value: Any) -> Any:
        shown = [f"{opens}-{closes}" for opens, closes in value]
        return shown[0] if len(shown) == 1 else shown


class Matrix:
    """Impact → the priorities of urgency 1, 2, 3. Canonical: {"1": {"1": 1, "2": 2, "3": 3}, …}."""

    @property
    def of(self) -> Scalar:
        return PRIORITY_NUMBER

    @property
    def impact(self) -> Scalar:
        return IMPACT

    @property
    def urgency(self) -> Scalar:
        return URGENCY

    def read(self, node: yaml.Node, found: Findings) -> Any:
        rows = {name: self._row(value, found) for name, _, value in pairs(node, found, "the matrix")}
        if set(rows) != {"1", "2", "3"}:
            return found.add(
                line_of(node), "The matrix is incomplete: give a line for each impact, 1, 2 and 3."
            )
        return BROKEN if BROKEN in rows.values() else rows

    def _row(self, node: yaml.Node, found: Findings) -> Any:
        read = [PRIORITY_NUMBER.read(part, found) for part in items(node, found, "a line of the matrix")]
        if len(read) != 3:
            return found.add(
                line_of(node), "The matrix is incomplete: give three priorities, for urgency 1, 2 and 3."
            )
        return BROKEN if BROKEN in read else {str(i + 1): priority for i, priority in enumerate(read)}

    def show(self, value: Any) -> Any:
        return {int(impact): [row[u] for u in sorted(row)] for impact, row in sorted(value.items())}


UNREADABLE: Final = "!unreadable"
"""The tag of words that a form keeps as they were typed, since they are no YAML."""


class Free:
    """Any plain value: another part of the desk judges it."""

    def read(self, node: yaml.Node, found: Findings) -> Any:
        if node.tag == UNREADABLE:
            return found.add(
                line_of(node), "This is no plain YAML; correct its indents, quotes and brackets."
            )
        try:
            return yaml.constructor.SafeConstructor().construct_document(node)
        except yaml.YAMLError as fault:
            return found.add(line_of(node), f"This value cannot be read: {str(fault).splitlines()[0]}.")

    def show(self, value: Any) -> Any:
        return value


def one_line(text: str) -> str:
    if not text.strip() or "\n" in text or len(text) > 300:
        raise ValueError("Write one line of text, at most 300 characters.")
    return text.strip()


def matching(pattern: str, meaning: str) -> Callable[[str], str]:
    """A parser for texts that fit `pattern` as a whole."""

    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"“{text[:60]}” is not {meaning}.")
        return text

    return parse


def whole(least: int, most: int, meanings: Collection[str] = ()) -> Scalar:
    """A whole number; `meanings` say what each of a few numbers means."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise ValueError(f"“{text[:40]}” does not fit; write a whole number from {least} to {most}.")
        return int(text)

    choices = {str(least + i): meaning for i, meaning in enumerate(meanings)}
    return Scalar(parse, kind="number", choices=(lambda: choices) if choices else None)


def lettered(letter: str, least: int, most: int) -> Scalar:
    """A number with a letter before it: L1 to L4, P1 to P5, S1 to S4."""

    def parse(text: str) -> int:
        if not re.fullmatch(rf"{letter}[{least}-{most}]", text):
            raise ValueError(f"“{text[:40]}” does not fit; write {letter}{least} to {letter}{most}.")
        return int(text[1:])

    choices = {f"{letter}{number}": f"{letter}{number}" for number in range(least, most + 1)}
    return Scalar(parse, lambda value: f"{letter}{value}", choices=lambda: choices)


def one_of(values: Callable[[], Mapping[str, str]]) -> Scalar:
    """One of these words; each is given with its meaning."""

    def parse(text: str) -> str:
        if text not in values():
            raise ValueError(f"“{text[:40]}” is not one of {', '.join(values())}; choose one of them.")
        return text

    return Scalar(parse, choices=values)


def _switch(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"“{text[:40]}” is neither true nor false; write one of the two.")
    return text == "true"


def _network(text: str) -> str:
    """An address or a network, as `ipaddress` writes it."""
    try:
        network = ip_network(text.strip(), strict=False)
    except ValueError:
        raise ValueError(f"“{text[:60]}” is no network; write such as 10.0.0.9 or 10.20.0.0/16.") from None
    return str(network.network_address if network.num_addresses == 1 else network)


def _duration(text: str) -> int:
    fits = re.fullmatch(r"([0-9]{1,8}) ?(s|min|h|d)", text)
    seconds = int(fits[1]) * UNITS[fits[2]] if fits else -1
    if not 0 <= seconds <= LONGEST_S:
        raise ValueError(f"“{text[:40]}” is no duration; write such as “30 min”, “4 h” or “2 d”.")
    return seconds


def _target(text: str) -> int:
    seconds = _duration(text)
    if not seconds:
        raise ValueError("A promise takes time; write such as “30 min”, “4 h” or “2 d”.")
    return seconds


def show_duration(seconds: int) -> str:
    """Seconds in the largest unit that divides them."""
    unit = next(unit for unit, size in UNITS.items() if seconds and seconds % size == 0) if seconds else "s"
    return f"{seconds // UNITS[unit]} {unit}"


@cache
def zones() -> frozenset[str]:
    """All time zones. Looked up once: it walks through a folder of files."""
    return frozenset(available_timezones())


def _zone(text: str) -> str:
    if text not in zones():
        raise ValueError(f"“{text[:40]}” is no time zone; write a name such as Europe/Berlin.")
    return text


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"“{text[:40]}” is no date; write such as 2026-12-24.") from None


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text.removesuffix("UTC").strip())
    except ValueError:
        raise ValueError(f"“{text[:40]}” is no time; write such as 2026-12-24 22:00 UTC.") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _written(moment: datetime) -> str:
    """To the minute, or as finely as it is: a window that somebody ended is read back as it was written."""
    detail = "auto" if moment.second or moment.microsecond else "minutes"
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(' ', detail)} UTC"


def _time(text: str) -> time:
    try:
        return datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 (a time of day has no zone)
    except ValueError:
        raise ValueError(f"“{text[:40]}” is no time of day; write such as 08:00.") from None


def _span(text: str) -> list[str]:
    fits = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-(([01]\d|2[0-3]):([0-5]\d)|24:00)", text)
    opens, _, closes = text.partition("-")
    if not fits or opens == closes:
        raise ValueError(f"“{text[:40]}” are no hours; write such as 08:00-16:00, or 22:00-06:00 over night.")
    return [opens, closes]


def _phone(text: str) -> str:
    if not text.startswith("+"):
        raise ValueError(f"“{text[:40]}” has no country code; write such as +47 22 12 34 56.")
    try:
        return to_e164(text, "DE")
    except NotANumber as fault:
        raise ValueError(f"{fault}; write such as +47 22 12 34 56.") from fault


def _address(text: str) -> str:
    return matching(r"[^@\s]+@[^@\s]+\.[^@\s]+", "a mail address; write such as ann@acme.example")(
        text
    ).lower()


def _secret(text: str) -> str:
    """A secret, or KEPT. `${NAME}` is taken from the environment."""
    name = variable_of(text)
    secret = os.environ.get(name, "") if name else text
    if name and not secret:
        raise ValueError(
            f"The environment has no “{name}”; set it before you apply, or write what it should say."
        )
    return secret


def _token(text: str) -> str:
    """The digest of a token, or KEPT."""
    token = _secret(text)
    if token == KEPT:
        return KEPT
    if len(token) < 16:
        raise ValueError("A token has at least 16 characters; make one with “openssl rand -hex 24”.")
    return digest(token)


TEXT: Final = Scalar(one_line)
LONG_TEXT: Final = Scalar(str, kind="long_text")
SLUG: Final = Scalar(
    matching(r"[a-z0-9][a-z0-9_-]{0,39}", "a key; write small letters, digits and “-”, at most 40")
)
CLIENT_KEY: Final = Scalar(
    matching(r"[A-Z][A-Z0-9]{1,11}", "a client’s key; write 2 to 12 capitals or digits")
)
PATH: Final = Scalar(
    matching(r"[a-z0-9_-]+(/[a-z0-9_-]+){0,4}", "a category; write a path such as network/vpn")
)
DOMAIN: Final = Scalar(
    matching(r"[a-z0-9-]+(\.[a-z0-9-]+)+", "a mail domain; write small letters, such as acme.example")
)
ORIGIN: Final = Scalar(
    matching(
        r"https?://[a-z0-9-]+(\.[a-z0-9-]+)*(:[0-9]{1,5})?",
        "a site as browsers name it; write such as https://www.acme.example, without a slash at its end",
    )
)
NETWORK: Final = Scalar(_network)
REGION: Final = Scalar(matching(r"[A-Z]{2}", "a country; write two capitals, such as DE"))
LANGUAGE_CODE: Final = Scalar(
    matching(r"[a-z]{2,3}(-[A-Za-z]{2,8})?", "a language; write a code such as de or pt-BR")
)
ACCESS: Final = Scalar(
    matching(
        r"[a-z0-9][a-z0-9_-]{0,39}", "a kind of access; write small letters, such as root or domain-admin"
    )
)
SWITCH: Final = Scalar(_switch, kind="switch")
DURATION: Final = Scalar(_duration, show_duration, kind="duration")
TARGET: Final = Scalar(_target, show_duration, kind="duration")
ZONE: Final = Scalar(_zone, kind="zone")
DATE: Final = Scalar(_date, kind="date")
DATE_TEXT: Final = Scalar(lambda text: _date(text).isoformat(), date.fromisoformat, kind="date")
MOMENT: Final = Scalar(_moment, _written)
TIME: Final = Scalar(_time, lambda value: f"{value:%H:%M}", kind="time")
TIME_TEXT: Final = Scalar(lambda text: f"{_time(text):%H:%M}", kind="time")
SPAN: Final = Scalar(_span, lambda value: "-".join(value))
SPANS: Final = Spans()
PHONE: Final = Scalar(_phone, kind="tel")
EMAIL: Final = Scalar(_address, kind="email")
TOKEN: Final = Scalar(_token, lambda _: KEPT, kind="token")
SECRET: Final = Scalar(_secret, lambda _: KEPT, kind="secret")
PORT: Final = whole(1, 65535)
TIER: Final = lettered("L", 1, 4)
PRIORITY: Final = lettered("P", 1, 5)
SEVERITY: Final = lettered("S", 1, 4)
PRIORITY_NUMBER: Final = replace(whole(1, 5, ("P1", "P2", "P3", "P4", "P5")), kind="priority")
ALARM_SEVERITY: Final = whole(
    1, 5, ("1 · critical", "2 · major", "3 · warning", "4 · minor", "5 · information")
)
IMPACT: Final = whole(1, 3, ("1 · many or all", "2 · a group", "3 · one person"))
URGENCY: Final = whole(1, 3, ("1 · work stands still", "2 · work is hindered", "3 · it can wait"))
CRITICALITY: Final = whole(1, 3, ("1 · business stops", "2 · work is hindered", "3 · a nuisance"))
SKILL: Final = whole(1, 3, ("1 · learning", "2 · able", "3 · expert"))


class FileText:
    """The words of a file, by its path from the desk file's folder. Canonical: the words."""

    def read(self, node: yaml.Node, found: Findings) -> Any:
        name = TEXT.read(node, found)
        if name is BROKEN:
            return BROKEN
        if found.path is None:
            return found.add(line_of(node), "Only a file can name other files; write the words themselves.")
        try:
            return (found.path.parent / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as fault:
            return found.add(line_of(node), f"“{name}” cannot be read ({fault}); give a path from this file.")

    def show(self, value: Any) -> Any:
        return value
