"""Trouble is about a service: its words name it, or its category does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cast import Cast
from tierdesk.directory.services.models import Category, Component, Service
from tierdesk.response.triage.decide import Offered, Offers, Recognised, recognise
from tierdesk.tickets.models import Ticket

VPN = Offered(1, own=True, names=("VPN", "gw1"), scopes=("network/vpn",))
ERP = Offered(2, own=True, names=("ERP",), scopes=("application/erp",))
MAIL = Offered(3, own=False, names=("Mail",), scopes=("email/*",))
ARCHIVE = Offered(4, own=False, names=("Mail archive",), scopes=("email/archive",))
OWN_MAIL = Offered(5, own=True, names=("Mail",), scopes=())
HOUSE = (VPN, ERP, MAIL, ARCHIVE)

TABLE: dict[str, tuple[str, str, str, tuple[Offered, ...], tuple[int, str] | None]] = {
    "the subject names it": ("The vpn is down", "", "", HOUSE, (1, "VPN")),
    "the subject names a part of it": ("gw1 does not answer", "", "", HOUSE, (1, "gw1")),
    "the subject before the text, which only wants to use another": (
        "VPN does not connect",
        "I need the ERP today.",
        "",
        HOUSE,
        (1, "VPN"),
    ),
    "the subject before the category": ("ERP slow over there", "", "network/vpn", HOUSE, (2, "ERP")),
    "the category before the text": (
        "It does not print",
        "Please answer by mail.",
        "application/erp",
        HOUSE,
        (2, "its category application/erp"),
    ),
    "the text, where nothing else says it": ("Help!", "The ERP is gone.", "", HOUSE, (2, "ERP")),
    "the closest of two scopes": (
        "Old letters",
        "",
        "email/archive",
        HOUSE,
        (4, "its category email/archive"),
    ),
    "a longer name is not its shorter part": ("Mail archive is empty", "", "", HOUSE, (4, "Mail archive")),
    "a client's own before one for all": ("Mail is slow", "", "", (*HOUSE, OWN_MAIL), (5, "Mail")),
    "two named alike say nothing": ("ERP or VPN?", "", "", HOUSE, None),
    "two named alike leave it to the category": (
        "No ERP and no VPN",
        "",
        "network/vpn",
        HOUSE,
        (1, "its category network/vpn"),
    ),
    "a name inside another word is none": ("The vpnc tool", "", "", HOUSE, None),
    "nothing is said": ("Help!", "It is broken.", "", HOUSE, None),
    "nothing is offered": ("VPN", "VPN", "network/vpn", (), None),
}


@pytest.mark.parametrize(("subject", "text", "category", "services", "expected"), TABLE.values(), ids=TABLE)
def test_what_is_recognised(
    subject: str, text: str, category: str, services: tuple[Offered, ...], expected: tuple[int, str] | None
) -> None:
    found = recognise(subject, text, category, Offers(services))
    assert found == (None if expected is None else Recognised(*expected))


def why(ticket: Ticket) -> str:
    return str(ticket.entries.get(kind="triaged").details["why"])


def test_a_ticket_knows_the_service_that_its_subject_names(cast: Cast, doing: Callable[..., Any]) -> None:
    with doing(cast.lena):
        ticket = cast.ticket(subject="VPN does not connect")
    assert Ticket.objects.get(pk=ticket.pk).service == cast.vpn
    assert "service VPN by: VPN" in why(ticket)


def test_a_critical_service_raises_the_urgency_also_where_it_is_only_recognised(
    cast: Cast, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena):
        plain = cast.ticket(subject="VPN does not connect")
    Service.objects.filter(pk=cast.vpn.pk).update(criticality=1)
    with doing(cast.lena):
        raised = cast.ticket(subject="VPN does not connect")
    assert raised.priority < plain.priority
    assert "urgency raised: critical service" in why(raised)


def test_a_component_that_is_named_means_its_service(cast: Cast, doing: Callable[..., Any]) -> None:
    Component.objects.create(client=cast.acme, service=cast.vpn, name="gw-berlin-1")
    with doing(cast.lena):
        ticket = cast.ticket(subject="gw-berlin-1 is gone", text="")
    assert ticket.service == cast.vpn


def test_a_category_says_which_service_it_is_about(cast: Cast, doing: Callable[..., Any]) -> None:
    Service.objects.filter(pk=cast.mail.pk).update(categories=["email/*"])
    letters = Category.objects.create(path="email/mailbox", name="Mailbox")
    with doing(cast.lena):
        ticket = cast.ticket(subject="It is full", text="", category=letters)
    assert ticket.service == cast.mail


def test_a_service_that_somebody_said_stays(cast: Cast, doing: Callable[..., Any]) -> None:
    with doing(cast.lena):
        ticket = cast.ticket(subject="VPN does not connect", service=cast.mail)
    assert ticket.service == cast.mail


def test_another_clients_service_is_not_meant(cast: Cast, doing: Callable[..., Any]) -> None:
    with doing(cast.lena):
        ticket = cast.ticket(subject="VPN does not connect", client=cast.borealis, contact=cast.bob)
    assert ticket.service is None
