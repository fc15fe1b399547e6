"""Which books are offered for a ticket, and in which order."""

from __future__ import annotations

import pytest

from tests.response.runbooks.library import DEMO_BOOKS, SMALL, spoiled
from tierdesk.response.runbooks.book import Book
from tierdesk.response.runbooks.expression import Facts
from tierdesk.response.runbooks.match import applies, is_fact, suggest
from tierdesk.response.runbooks.parse import parse_book

DEMO = [parse_book(path.read_text(encoding="utf-8")) for path in DEMO_BOOKS]


def book(name: str, *, match: str, tier: str = "L1", risk: str = "medium") -> Book:
    text = SMALL.replace("id: small", f"id: {name}").replace("tier: L1", f"tier: {tier}")
    return parse_book(text.replace('category == "test"', match).replace("risk: medium", f"risk: {risk}"))


@pytest.mark.parametrize(
    ("facts", "offered", "reason"),
    [
        ({"category": "access/password"}, ["password-reset"], "the category is enough"),
        ({"category": "network/vpn"}, ["vpn-not-connecting"], "without a service the tunnel is not meant"),
        (
            {"category": "network/vpn", "service.kind": "vpn"},
            ["vpn-not-connecting", "vpn-gateway-tunnel"],
            "with it L1 sees both, and its own book first",
        ),
        ({"alarm.class": "DiskFull"}, ["disk-space-alarm", "disk-cleanup"], "one alarm, two tiers"),
        ({"alarm.class": "ReplicationLag"}, [], "the kind of service is unknown, so nothing applies"),
        (
            {"alarm.class": "ReplicationLag", "service.kind": "postgres"},
            ["database-replica-lag"],
            "both facts are known",
        ),
        ({"ticket.title": "Mailbox is full again"}, ["mailbox-full"], "the title speaks for itself"),
        ({"category": "other"}, [], "no book is for everything"),
        ({}, [], "nothing is known"),
    ],
)
def test_books_are_offered_by_the_facts(facts: Facts, offered: list[str], reason: str) -> None:
    assert [one.book.id for one in suggest(DEMO, facts, tier=1)] == offered, reason


def test_a_tier_sees_its_own_book_first_and_what_it_may_not_run_last() -> None:
    facts: Facts = {"alarm.class": "DiskFull"}
    at_l1 = [(one.book.id, one.within_reach) for one in suggest(DEMO, facts, tier=1)]
    at_l2 = [(one.book.id, one.within_reach) for one in suggest(DEMO, facts, tier=2)]
    assert at_l1 == [("disk-space-alarm", True), ("disk-cleanup", False)]
    assert at_l2 == [("disk-cleanup", True), ("disk-space-alarm", True)]


def test_the_more_particular_book_comes_first_then_the_less_risky() -> None:
    books = [
        book("general-risky", match='category == "test"', risk="high"),
        book("general", match='category == "test"'),
        book("particular", match='category == "test" and service.kind == "postgres"'),
    ]
    offered = suggest(books, {"category": "test", "service.kind": "postgres"}, tier=1)
    assert [one.book.id for one in offered] == ["particular", "general", "general-risky"]


def test_an_offer_says_which_facts_it_rests_on() -> None:
    books = [book("either", match='category == "test" or alarm.class == "DiskFull"')]
    (offer,) = suggest(books, {"category": "test", "ticket.title": "not asked for"}, tier=1)
    assert offer.because == (("category", "test"),)


def test_a_book_without_match_is_found_by_hand_only() -> None:
    silent = parse_book(spoiled('match: category == "test"\n', ""))
    assert not applies(silent, {"category": "test"})


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("alarm.class", True),
        ("alarm.labels.mount", True),
        ("category", True),
        ("alarm.labels.", False),
        ("alarm", False),
        ("ticket.clas", False),
    ],
)
def test_a_fact_is_known_by_its_full_name(name: str, known: bool) -> None:
    assert is_fact(name) is known
