"""Which service a ticket is about can be said later; a critical one makes it more urgent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.cast import Cast
from tierdesk.directory.services.models import Component, Service
from tierdesk.tickets.lifecycle import StaleTicket, UnableTo
from tierdesk.tickets.models import Ticket

type Doing = Callable[..., Any]


@pytest.fixture
def critical(cast: Cast) -> Service:
    return Service.objects.create(client=cast.acme, key="till", name="Tills", criticality=1)


@pytest.fixture
def usual(cast: Cast) -> Service:
    return Service.objects.create(client=None, key="print", name="Printing")


@pytest.fixture
def ticket(cast: Cast, doing: Doing) -> Ticket:
    with doing(cast.lena):
        return cast.ticket(subject="Something is broken", text="All of it.", impact=2, urgency=2)


def entries(ticket: Ticket) -> list[tuple[str, dict[str, Any]]]:
    kinds = ("service_named", "reprioritised")
    return [(entry.kind, entry.details) for entry in ticket.entries.filter(kind__in=kinds).order_by("id")]


def test_the_timeline_says_what_it_is_about(cast: Cast, doing: Doing, ticket: Ticket, usual: Service) -> None:
    version, priority = ticket.version, ticket.priority
    with doing(cast.tom):
        ticket.name_service(usual)
    ticket.refresh_from_db()
    assert (ticket.service, ticket.version, ticket.priority) == (usual, version + 1, priority)
    [(kind, said)] = entries(ticket)
    assert (kind, said) == ("service_named", {"service": usual.pk, "after": "Printing", "before": ""})


def test_a_critical_one_raises_the_priority_and_another_takes_that_back(
    cast: Cast, doing: Doing, ticket: Ticket, usual: Service, critical: Service
) -> None:
    before = ticket.priority
    with doing(cast.lena):
        ticket.name_service(critical)
    assert ticket.priority == ticket.computed_priority == before - 1
    with doing(cast.lena):
        ticket.name_service(usual)
    ticket.refresh_from_db()
    assert (ticket.priority, ticket.urgency) == (before, 2), "what was told of it stays"
    raised, lowered = (said for kind, said in entries(ticket) if kind == "reprioritised")
    assert (raised["before"], raised["after"], raised["urgency"]) == (before, before - 1, 1)
    assert (lowered["after"], lowered["reason"]) == (before, "it is about Printing now")


def test_the_clocks_follow(cast: Cast, doing: Doing, ticket: Ticket, critical: Service) -> None:
    before = ticket.clocks.get(metric="resolve", party="SLA").due_at
    with doing(cast.lena):
        ticket.name_service(critical)
    assert ticket.clocks.get(metric="resolve", party="SLA").due_at < before


def test_a_priority_that_somebody_overrode_stays(
    cast: Cast, doing: Doing, ticket: Ticket, critical: Service
) -> None:
    with doing(cast.lou):
        ticket.override_priority(4, reason="it is a drill")
    with doing(cast.lena):
        ticket.name_service(critical)
    assert ticket.priority == 4
    assert [kind for kind, _ in entries(ticket)] == ["reprioritised", "service_named"]


def test_a_component_of_another_service_is_forgotten(
    cast: Cast, doing: Doing, ticket: Ticket, usual: Service, critical: Service
) -> None:
    part = Component.objects.create(client=cast.acme, service=critical, name="till-7")
    Ticket.objects.filter(pk=ticket.pk).update(service=None, component=part)
    ticket.refresh_from_db()
    with doing(cast.lena):
        ticket.name_service(critical)
    assert ticket.component == part
    with doing(cast.lena):
        ticket.name_service(usual)
    ticket.refresh_from_db()
    assert ticket.component is None


def test_the_same_again_is_no_news(cast: Cast, doing: Doing, ticket: Ticket, usual: Service) -> None:
    for _ in range(2):
        with doing(cast.lena):
            ticket.name_service(usual)
    assert len(entries(ticket)) == 1


def test_another_clients_service_changes_nothing(cast: Cast, doing: Doing, ticket: Ticket) -> None:
    theirs = Service.objects.create(client=cast.borealis, key="vpn", name="Tunnel")
    with pytest.raises(UnableTo, match="not a service of"), doing(cast.lena):
        ticket.name_service(theirs)
    ticket.refresh_from_db()
    assert (ticket.service, entries(ticket)) == (None, [])


def test_what_is_solved_is_history(cast: Cast, doing: Doing, ticket: Ticket, usual: Service) -> None:
    with doing(cast.lena):
        ticket.resolve(code="fixed", text="Done.")
    with pytest.raises(UnableTo, match="history"), doing(cast.lena):
        ticket.name_service(usual)


def test_the_slower_of_two_is_told(
    cast: Cast, doing: Doing, ticket: Ticket, usual: Service, critical: Service, at: datetime
) -> None:
    stale = Ticket.objects.get(pk=ticket.pk)
    with doing(cast.lena):
        ticket.name_service(usual)
    with pytest.raises(StaleTicket), doing(cast.tom):
        stale.name_service(critical)
    ticket.refresh_from_db()
    assert ticket.service == usual
