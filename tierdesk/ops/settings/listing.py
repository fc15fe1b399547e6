"""Things as lines of a list: what each is called, where its page is, what a list shows of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.urls import reverse

from tierdesk.ops.desk.schema import Key, Section
from tierdesk.ops.desk.sections import BY_NAME
from tierdesk.ops.desk.shapes import SWITCH, TIER
from tierdesk.ops.settings.offers import Offers, name_of, rows_of
from tierdesk.ops.settings.telling import worded
from tierdesk.ops.settings.words import WORDS


@dataclass(frozen=True, slots=True)
class Cell:
    """What a list shows of one field. `tier` is set where it is one; `sign` where it is yes or no."""

    label: str
    text: str
    tier: int | None = None
    sign: bool | None = None


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    address: str
    cells: tuple[Cell, ...]

    def has(self, query: str) -> bool:
        """Whether every word of `query` is somewhere in the line or its address."""
        text = " ".join([self.name, self.address, *(cell.text for cell in self.cells)]).casefold()
        return all(word in text for word in query.casefold().split())


def lines_of(section: Section, query: str = "") -> list[Line]:
    """The section's things with the words of `query`, by name."""
    offers = EveryOffer()
    lines = (_line(section, key, row, offers) for key, row in rows_of(section.name).items())
    return sorted((line for line in lines if line.has(query)), key=lambda line: line.name.casefold())


def found_in_all(query: str) -> Iterator[tuple[str, list[Line]]]:
    """Every section that has things with the words of `query`, with them."""
    for name, section in BY_NAME.items():
        if lines := lines_of(section, query):
            yield name, lines


def slug_of(key: Key) -> str:
    """A key as one part of an address: `HALDEN~ann@acme.example`. Two keys never have the same."""
    return "~".join(quote(part or "", safe="@*:+").replace("~", "%7E") for part in key)


def address_of(section: str, key: Key) -> str:
    return reverse("settings:thing", args=[section, slug_of(key)])


def called(section: str, key: Key) -> str:
    """What the thing is called, with what it is."""
    row = rows_of(section)[key]
    return f"{name_of(BY_NAME[section], row)}, {WORDS[section].one}"


class EveryOffer(Offers):
    """The names of all things, whoever’s they are: a list shows those of every client."""

    def _reaches(self, section: str, key: Key) -> bool:
        return True


def _line(section: Section, key: Key, row: Any, offers: Offers) -> Line:
    cells = tuple(_cell(section, name, row, offers) for name in WORDS[section.name].columns)
    return Line(name_of(section, row), address_of(section.name, key), cells)


def _cell(section: Section, name: str, row: Any, offers: Offers) -> Cell:
    field, asked = section.by_name[name], WORDS[section.name].asked(name)
    value = field.of(row)
    if field.shape is SWITCH:
        return Cell(asked.label, asked.label if value else "", sign=bool(value))
    if field.shape is TIER and value:
        return Cell(asked.label, f"L{value}", tier=value)
    text = worded(field.shape, value, offers)
    return Cell(asked.label, text or (asked.empty if value is None else ""))
