"""Which books apply to a ticket: the `match:` rule of a book over what is known about the ticket.

The facts are one flat mapping; a fact that is absent (no alarm, no service) is unknown, so a book that asks
for it does not apply. A book without `match` is found by hand only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tierdesk.response.runbooks.book import Book, Risk
from tierdesk.response.runbooks.expression import Facts, Value

FACTS: Final = frozenset(
    f"{noun}.{attribute}"
    for noun, attributes in {
        "alarm": "class resource severity service source key group summary text",
        "ticket": "number title description type priority impact urgency channel tier",
        "service": "name kind",
        "component": "name kind",
        "client": "name",
        "site": "name",
        "contact": "name email",
    }.items()
    for attribute in attributes.split()
) | {"category"}
LABELS: Final = "alarm.labels."
"""An alarm's own labels are facts too, under any name."""
RISKS: Final = tuple(Risk)


@dataclass(frozen=True, slots=True)
class Suggestion:
    book: Book
    because: tuple[tuple[str, Value], ...]
    """The facts that the book asked for, with their values, by name."""
    within_reach: bool
    """Whether the tier that asks may run it."""


def is_fact(name: str) -> bool:
    """Whether `name` is one that `match:` and `from:` can ask for."""
    return name in FACTS or (name.startswith(LABELS) and len(name) > len(LABELS))


def applies(book: Book, facts: Facts) -> bool:
    """Whether the book says that it is for this."""
    return book.match is not None and book.match.holds(facts)


def suggest(books: Iterable[Book], facts: Facts, *, tier: int) -> list[Suggestion]:
    """The books that apply, best first for somebody of `tier`.

    Books within reach come before those of a higher tier; among them the nearest tier, then the rule that
    asks for more facts (the more particular one), then the lower risk.
    """
    suggestions = [_suggestion(book, facts, tier) for book in books if applies(book, facts)]
    return sorted(suggestions, key=lambda suggestion: _rank(suggestion, tier))


def _suggestion(book: Book, facts: Facts, tier: int) -> Suggestion:
    names = sorted(book.match.names) if book.match else []
    because = tuple((name, facts[name]) for name in names if facts.get(name) is not None)
    return Suggestion(book, because, within_reach=book.tier <= tier)


def _rank(suggestion: Suggestion, tier: int) -> tuple[bool, int, int, int, str]:
    book = suggestion.book
    distance = abs(book.tier - tier)
    return not suggestion.within_reach, distance, -len(suggestion.because), RISKS.index(book.risk), book.id
