"""Which procedure applies: the most specific scope wins, whatever the order in which they were written."""

from __future__ import annotations

from itertools import permutations

import pytest

from tierdesk.directory.services.models import Category
from tierdesk.response.tiers.choose import Matter, Scope, choose

ACME, BOREALIS = 1, 2
VPN = Matter(client=ACME, tier=1, category=Category(path="network/vpn"), service="vpn", priority=2)


@pytest.mark.parametrize(
    ("narrower", "wider", "because"),
    [
        (Scope(client=ACME), Scope(), "the client's own before the general"),
        (
            Scope(client=ACME),
            Scope(category="network/vpn", services=("vpn",)),
            "however narrow the general is",
        ),
        (Scope(category="network/vpn"), Scope(category="network/*"), "a category before its family"),
        (Scope(category="network/*"), Scope(), "a family before everything"),
        (Scope(category="network/*"), Scope(services=("vpn",)), "a category before a service"),
        (Scope(services=("vpn",)), Scope(priorities=(1, 2)), "a service before a priority"),
        (Scope(priorities=(1, 2)), Scope(tier=1), "a priority before a tier"),
        (Scope(tier=1), Scope(), "a tier before everything"),
    ],
)
def test_the_narrower_scope_wins(narrower: Scope, wider: Scope, because: str) -> None:
    for order in permutations([("a", wider, "wider"), ("b", narrower, "narrower")]):
        assert choose(order, VPN, default="house").chosen == "narrower", because


@pytest.mark.parametrize(
    ("scope", "because"),
    [
        (Scope(client=BOREALIS), "it is another client's"),
        (Scope(tier=2), "it leads out of another tier"),
        (Scope(category="hardware/*"), "it is for other trouble"),
        (Scope(category="network/vpn/split"), "it is for a part of it only"),
        (Scope(services=("mail",)), "it is for another service"),
        (Scope(priorities=(1,)), "it is for more urgent tickets"),
    ],
)
def test_a_scope_that_does_not_cover_the_ticket_is_left_out(scope: Scope, because: str) -> None:
    assert choose([("a", scope, "wrong")], VPN, default="house").chosen == "house", because


def test_a_ticket_without_category_or_service_is_covered_by_the_open_scopes_only() -> None:
    bare = Matter(client=ACME, tier=1)
    assert Scope(client=ACME, tier=1).covers(bare)
    assert not Scope(category="network/*").covers(bare)
    assert not Scope(services=("vpn",)).covers(bare)


def test_equally_narrow_ones_are_told_apart_by_their_key_not_by_the_order_of_rows() -> None:
    twins = [("zeta", Scope(tier=1), "zeta"), ("alpha", Scope(tier=1), "alpha")]
    assert choose(twins, VPN, default="").chosen == choose(twins[::-1], VPN, default="").chosen == "alpha"


def test_the_choice_says_why() -> None:
    candidates = [
        ("a", Scope(), "wide"),
        ("b", Scope(client=ACME, category="network/*", priorities=(1, 2)), "narrow"),
    ]
    assert choose(candidates, VPN, default="").because == (
        "the client’s own, for network/*, for P1 and P2; narrower than 1 more"
    )
    assert "house rule" in choose([], VPN, default="").because
