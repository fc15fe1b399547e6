"""The decisions of triage: category, service, priority, team. Pure; each says why."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SURE = 0.6
"""From this confidence on a suggested category is set; below it is only shown."""

WORD = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*")
NEW_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Keywords:
    """A category and the words (or phrases) that suggest it."""

    category: int
    path: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A category with a confidence from 0 to 1 and the words that led to it."""

    category: int
    path: str
    confidence: float
    because: tuple[str, ...]


def suggest(subject: str, text: str, keywords: Iterable[Keywords], kind: str = "") -> Suggestion | None:
    """The category whose words a ticket uses most. Words of the subject count three times.

    `kind`: what a machine calls this sort of trouble, such as DiskFull. It counts as the subject does, as the word that
    it is and as those that it is made of.
    Confidence is the winner's share of all hits, damped for a single hit in the text alone; None without any hit.
    """
    head, body = _folded(f"{subject} {kind} {NEW_WORD.sub(' ', kind)}"), _folded(text[:4000])
    scored = [(_score(entry, head, body), entry) for entry in keywords]
    hits = [(score, entry) for score, entry in scored if score > 0]
    if not hits:
        return None
    best, entry = max(hits, key=lambda hit: (hit[0], hit[1].path))
    confidence = best / sum(score for score, _ in hits) * min(1.0, best / 2)
    because = tuple(word for word in entry.words if _has(word, head) or _has(word, body))
    return Suggestion(entry.category, entry.path, round(confidence, 2), because)


def _score(entry: Keywords, head: str, body: str) -> int:
    return sum(3 * _has(word, head) + _has(word, body) for word in entry.words)


def _folded(text: str) -> str:
    return f" {' '.join(WORD.findall(text.casefold()))} "


def _has(word: str, folded: str) -> bool:
    return f" {word.casefold()} " in folded


@dataclass(frozen=True, slots=True)
class Offered:
    """A service: the names that mean it (its own, those of its components), and the categories that are about it.

    `own`: of the client alone; it is meant before one that is offered to all.
    """

    service: int
    own: bool
    names: tuple[str, ...]
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recognised:
    """A service that trouble is about, and what said so."""

    service: int
    because: str


class Offers:
    """What a client may mean, once for many tickets: names are looked up by their first words."""

    def __init__(self, services: Sequence[Offered]) -> None:
        self.services = services
        self._names: dict[str, list[tuple[Offered, str, str]]] = defaultdict(list)
        for one in services:
            for name in one.names:
                for first in _folded(name).split()[:1]:
                    self._names[first].append((one, name, _folded(name)))

    def named(self, folded: str) -> list[tuple[Offered, str]]:
        """Those whose name is there and is not part of a longer one: who writes Mail archive does not mean Mail."""
        said = [
            each
            for first in sorted(self._names.keys() & folded.split())
            for each in self._names[first]
            if each[2] in folded
        ]
        longer = {name for _, _, name in said}
        return [(one, name) for one, name, own in said if not any(own in other for other in longer - {own})]


def recognise(subject: str, text: str, category: str, offers: Offers) -> Recognised | None:
    """The service that the subject names, else that the category is about, else that the text names.

    The text comes last: there a service is often named that works, or that somebody only wants to use again. What two
    are meant by alike says nothing.
    """
    return (
        _only(offers.named(_folded(subject)))
        or _only(_about(offers.services, category))
        or _only(offers.named(_folded(text[:4000])))
    )


def words_of(subject: str, text: str) -> set[str]:
    """The words in which `recognise` finds names, as they are written."""
    return set(WORD.findall(f"{subject} {text[:4000]}"))


def _about(services: Sequence[Offered], category: str) -> list[tuple[Offered, str]]:
    """The services whose scopes cover the category most closely."""
    covering = [
        (one, scope) for one in services for scope in one.scopes if category and within(category, scope)
    ]
    closest = max((len(scope.strip("*")) for _, scope in covering), default=0)
    return [(one, f"its category {category}") for one, scope in covering if len(scope.strip("*")) == closest]


def _only(meant: Sequence[tuple[Offered, str]]) -> Recognised | None:
    """The one that is meant: of the client's own, if there are any."""
    own = [one for one in meant if one[0].own] or meant
    if len({one.service for one, _ in own}) != 1:
        return None
    service, because = own[0]
    return Recognised(service.service, because)


@dataclass(frozen=True, slots=True)
class Rule:
    """A route as plain values; None and "*" and "" mean any."""

    team: int
    client: int | None
    service: int | None
    scope: str
    channel: str

    def covers(self, *, client: int, service: int | None, category: str, channel: str) -> bool:
        return (
            self.client in (None, client)
            and self.service in (None, service)
            and self.channel in ("", channel)
            and within(category, self.scope)
        )

    @property
    def weight(self) -> tuple[bool, bool, int, bool]:
        """How specific the rule is: client before service before category before channel."""
        return (
            self.client is not None,
            self.service is not None,
            len(self.scope.strip("*")),
            bool(self.channel),
        )


def within(path: str, scope: str) -> bool:
    """Whether `scope` (`network/vpn`, `network/*` or `*`) covers the category path."""
    return scope in {"*", path} or (scope.endswith("/*") and f"{path}/".startswith(scope[:-1]))


def route(
    rules: Sequence[Rule], *, client: int, service: int | None, category: str, channel: str
) -> Rule | None:
    """The most specific rule that covers a ticket, or None."""
    covering = [
        rule
        for rule in rules
        if rule.covers(client=client, service=service, category=category, channel=channel)
    ]
    return max(covering, key=lambda rule: rule.weight, default=None)


def first_tier(performers: dict[str, str]) -> int:
    """The lowest tier that we perform for this client; a co-managed client may do the first line itself."""
    return next((tier for tier in (1, 2, 3) if performers.get(str(tier), "us") == "us"), 1)
