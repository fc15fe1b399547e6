"""Whose trouble a ticket is can be said later, and nobody writes to nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cast import Cast
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Participant, Ticket

type Doing = Callable[..., Any]


@pytest.fixture
def ticket(cast: Cast, doing: Doing) -> Ticket:
    with doing(cast.lena):
        return cast.ticket(contact=None, channel="phone", impact=2, urgency=2)


def kinds(ticket: Ticket) -> list[str]:
    told = ticket.entries.filter(kind__in=["contact_named", "reprioritised"])
    return list(told.order_by("id").values_list("kind", flat=True))


def test_the_timeline_says_who_the_contact_is(cast: Cast, doing: Doing, ticket: Ticket) -> None:
    with doing(cast.tom):
        ticket.name_contact(cast.ann)
    ticket.refresh_from_db()
    assert (ticket.contact, kinds(ticket)) == (cast.ann, ["contact_named"])
    said = ticket.entries.get(kind="contact_named")
    assert (said.by_name, said.details) == (
        "Tom Tran",
        {"contact": cast.ann.pk, "contact_name": "Ann Albers"},
    )


def test_a_vip_makes_it_more_urgent_unless_somebody_overrode_it(
    cast: Cast, doing: Doing, ticket: Ticket
) -> None:
    before = ticket.priority
    with doing(cast.tom):
        ticket.name_contact(cast.arne)
    ticket.refresh_from_db()
    assert ticket.priority < before and kinds(ticket) == ["contact_named", "reprioritised"]
    with doing(cast.lena):
        other = cast.ticket(contact=None, channel="phone", impact=2, urgency=2)
        other.override_priority(5, reason="it can wait")
        other.name_contact(cast.arne)
    other.refresh_from_db()
    assert other.priority == 5


def test_somebody_who_is_named_is_not_replaced(cast: Cast, doing: Doing, ticket: Ticket) -> None:
    with doing(cast.tom):
        ticket.name_contact(cast.ann)
        with pytest.raises(UnableTo, match="Ann Albers is the contact"):
            ticket.name_contact(cast.arne)


def test_nobody_of_another_client_and_nobody_who_left_is_named(
    cast: Cast, doing: Doing, ticket: Ticket
) -> None:
    cast.ann.is_active = False
    with doing(cast.tom):
        for other in (cast.bob, cast.ann):
            with pytest.raises(UnableTo, match="nobody of Acme"):
                ticket.name_contact(other)


def test_whose_a_ticket_was_that_is_over_is_history(cast: Cast, doing: Doing, ticket: Ticket) -> None:
    with doing(cast.tom):
        ticket.resolve(code="fixed", text="")
        with pytest.raises(UnableTo, match="history"):
            ticket.name_contact(cast.ann)


def test_a_reply_is_for_somebody(cast: Cast, doing: Doing, ticket: Ticket) -> None:
    assert ticket.why_nobody_hears() == "this ticket has no contact"
    with doing(cast.tom), pytest.raises(UnableTo, match="Nobody would get a reply"):
        ticket.heard()
    Participant.objects.create(client=cast.acme, ticket=ticket, email="kim@acme.example")
    assert ticket.why_nobody_hears(), "whom a mail proposed is written to only once somebody accepts them"
    Participant.objects.update(accepted=True)
    assert ticket.why_nobody_hears() == ""


def test_a_contact_without_an_address_gets_no_reply(cast: Cast, doing: Doing) -> None:
    cast.ann.email = ""
    with doing(cast.lena):
        ticket = cast.ticket()
    assert ticket.why_nobody_hears() == "Ann Albers has no mail address"


def test_words_reach_a_visitor_whom_nobody_knows(cast: Cast, doing: Doing) -> None:
    with doing(cast.lena):
        assert cast.ticket(contact=None, channel="chat").why_nobody_hears() == ""
