"""A ticket starts at the tier that may act on it: category × access × client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cast import Cast
from tierdesk.directory.contracts.boundary import boundary_of
from tierdesk.directory.contracts.models import ContractVersion
from tierdesk.directory.services.models import Category
from tierdesk.response.triage.models import Route
from tierdesk.tickets.models import Entry, Ticket

TABLE: dict[str, tuple[dict[str, Any], dict[str, int] | None, tuple[int, str]]] = {
    "nothing is said": ({}, {}, (1, "")),
    "the category's own": ({"lowest_tier": 2}, {}, (2, "Disk is for L2 and above")),
    "the access that the contract gives to a tier": (
        {"access": "root"},
        {"root": 3},
        (3, "it needs root, which the contract gives to L3"),
    ),
    "an access that the contract does not speak of": ({"access": "root"}, {"admin": 3}, (1, "")),
    "without a contract": ({"access": "root"}, None, (1, "")),
    "the higher of the two: the category": (
        {"lowest_tier": 3, "access": "root"},
        {"root": 2},
        (3, "Disk is for L3 and above"),
    ),
    "the higher of the two: the contract": (
        {"lowest_tier": 2, "access": "root"},
        {"root": 3},
        (3, "it needs root, which the contract gives to L3"),
    ),
}


@pytest.mark.parametrize(("category", "access", "expected"), TABLE.values(), ids=TABLE)
def test_the_boundary(
    category: dict[str, Any], access: dict[str, int] | None, expected: tuple[int, str]
) -> None:
    version = None if access is None else ContractVersion(access=access)
    found = boundary_of(Category(name="Disk", **category), version)
    assert (found.tier, found.why) == expected


def test_without_a_category_every_tier_may() -> None:
    assert boundary_of(None, None).tier == 1


@pytest.fixture
def root(cast: Cast) -> Category:
    """Acme gives root to L3."""
    cast.acme_contract.access = {"root": 3}
    cast.acme_contract.save()
    return Category.objects.create(path="server/disk", name="Disk", access="root")


def why(ticket: Ticket) -> str:
    [entry] = Entry.objects.filter(ticket=ticket, kind="triaged")
    return str(entry.details["why"])


def test_a_ticket_that_needs_root_starts_at_the_tier_that_may(
    cast: Cast, root: Category, doing: Callable[..., Any]
) -> None:
    with doing(cast.lou):
        ticket = cast.ticket(category=root)
    ticket = Ticket.objects.get(pk=ticket.pk)
    assert (ticket.team, ticket.tier, ticket.voice_team) == (cast.experts, 3, cast.desk)
    assert "to Platform Experts, not to Service Desk: it needs root" in why(ticket)


def test_a_route_does_not_lead_below_the_boundary(
    cast: Cast, root: Category, doing: Callable[..., Any]
) -> None:
    Route.objects.create(category_scope="server/*", team=cast.ops)
    with doing(cast.lou):
        ticket = cast.ticket(category=root)
    assert Ticket.objects.get(pk=ticket.pk).team == cast.experts


def test_where_no_team_of_that_tier_serves_the_client_it_goes_where_it_would_have_gone(
    cast: Cast, root: Category, doing: Callable[..., Any]
) -> None:
    cast.experts.serves_every_client = False
    cast.experts.save()
    with doing(cast.lou):
        ticket = cast.ticket(category=root)
    assert Ticket.objects.get(pk=ticket.pk).team == cast.desk
    assert "but no such team serves this client" in why(ticket)


def test_another_client_has_another_boundary(cast: Cast, root: Category, doing: Callable[..., Any]) -> None:
    with doing(cast.lou):
        ticket = cast.ticket(category=root, client=cast.borealis, contact=cast.bob)
    assert Ticket.objects.get(pk=ticket.pk).team == cast.desk
