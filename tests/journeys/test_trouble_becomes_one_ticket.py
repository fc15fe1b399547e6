"""Trouble arrives five ways, and each becomes one ticket: recognised, sorted, routed, with its clocks running."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tests.cast import Cast
from tests.journeys.conftest import Monitoring, Post
from tierdesk.channels.models import Inbound
from tierdesk.channels.phone.calls import CallSheet, log_call
from tierdesk.channels.web_form.submissions import submit
from tierdesk.core import clock
from tierdesk.tickets.models import Entry, Ticket

H = timedelta(hours=1)


def test_a_mail_becomes_a_ticket_and_the_sender_gets_its_number(cast: Cast, at: datetime, post: Post) -> None:
    inbound = post.arrive(
        at, "Ann Albers <ann@acme.example>", "VPN does not connect", "The VPN has been down since 9."
    )
    ticket = Ticket.objects.get()
    assert (inbound.state, inbound.ticket) == ("done", ticket)
    assert (ticket.client, ticket.contact, ticket.category) == (cast.acme, cast.ann, cast.vpn_category)
    assert (ticket.priority, ticket.team, ticket.tier) == (3, cast.desk, 1)
    assert {c.metric for c in ticket.clocks.filter(party="SLA")} == {"acknowledge", "respond", "resolve"}
    receipt = post.read()
    assert receipt["To"] == "ann@acme.example"
    assert ticket.reference in receipt["Subject"]
    assert receipt["Auto-Submitted"] == "auto-replied"
    assert "14:00" in receipt.get_content()  # acknowledge within four hours of 10:00 in Berlin


def test_a_receipt_is_no_response(cast: Cast, at: datetime, post: Post) -> None:
    post.arrive(at, "ann@acme.example", "VPN down", "Help.")
    assert Ticket.objects.get().clocks.get(metric="respond").state == "running"


def test_the_same_mail_twice_is_one_ticket(cast: Cast, at: datetime, post: Post) -> None:
    post.arrive(at, "ann@acme.example", "VPN down", "Help.")
    first = Inbound.objects.get()
    again, is_new = Inbound.store("email", bytes(first.raw), at=at)
    assert (again, is_new) == (first.pk, False)
    assert Ticket.objects.count() == 1


def test_somebody_of_a_known_domain_becomes_a_contact(cast: Cast, at: datetime, post: Post) -> None:
    post.arrive(at, "New Person <new@acme.example>", "Printer", "The printer is jammed.")
    ticket = Ticket.objects.get()
    assert (ticket.client, ticket.contact.name) == (cast.acme, "New Person")


def test_a_stranger_is_parked_with_the_reason_and_loses_nothing(cast: Cast, at: datetime, post: Post) -> None:
    inbound = post.arrive(at, "x@nowhere.example", "Hello", "Who are you?")
    assert inbound.state == "parked"
    assert "nobody we know" in inbound.reason
    assert b"Who are you?" in bytes(inbound.raw)
    assert not Ticket.objects.exists()
    assert post.sent == []


def test_a_parked_mail_can_be_given_to_a_client_and_tried_again(
    cast: Cast, at: datetime, post: Post, live_until: Callable[[datetime], None]
) -> None:
    inbound = post.arrive(at, "x@nowhere.example", "Hello", "I work for Acme now.")
    inbound.replay(at + H, client=cast.acme)
    live_until(at + H)
    assert Ticket.objects.get().client == cast.acme


def test_a_channel_that_was_not_agreed_is_kept_and_not_lost(cast: Cast, at: datetime, post: Post) -> None:
    cast.acme_contract.channels = ["phone"]
    cast.acme_contract.save()
    inbound = post.arrive(at, "ann@acme.example", "VPN down", "Help.")
    assert (inbound.state, inbound.client) == ("parked", cast.acme)
    assert "not an agreed channel" in inbound.reason


def test_a_form_becomes_a_ticket_and_sent_twice_stays_one(cast: Cast, at: datetime) -> None:
    with clock.frozen(at):
        first = submit(
            cast.ann, subject="Mail is slow", text="It takes minutes.", key="k1", service=cast.mail.pk
        )
        second = submit(
            cast.ann, subject="Mail is slow", text="It takes minutes.", key="k1", service=cast.mail.pk
        )
    assert first is not None
    assert first == second
    assert (first.channel, first.service, first.contact) == ("web_form", cast.mail, cast.ann)


def test_a_call_becomes_a_ticket_of_the_agent_who_took_it(cast: Cast, at: datetime) -> None:
    with clock.frozen(at):
        call = CallSheet(
            client=cast.acme.pk, contact=cast.ann.pk, subject="Printer jams", text="Third time today."
        )
        ticket = log_call(call, cast.lena)
    assert ticket is not None
    ticket.refresh_from_db()
    assert (ticket.assignee, ticket.state) == (cast.lena, "open")
    assert ticket.clocks.get(metric="respond").state == "met"
    assert [e.kind for e in Entry.objects.of(ticket.pk)][:2] == ["opened", "triaged"]


def test_an_alarm_becomes_a_ticket_with_its_book_at_hand(
    cast: Cast, at: datetime, monitoring: Monitoring
) -> None:
    monitoring.says(at, "firing")
    ticket = Ticket.objects.get()
    assert (ticket.channel, ticket.client, ticket.priority) == ("alarms", cast.acme, 1)
    assert ticket.traits["alarm.class"] == "DiskFull"
    assert ticket.contact is None


def test_a_repeated_alarm_is_the_same_ticket_and_a_clear_resolves_it(
    cast: Cast, at: datetime, monitoring: Monitoring, live_until: Callable[[datetime], None]
) -> None:
    monitoring.says(at, "firing")
    monitoring.says(at + timedelta(minutes=1), "firing")
    ticket = Ticket.objects.get()
    assert ticket.alarms.get().count == 2
    monitoring.says(at + timedelta(minutes=5), "resolved")
    ticket.refresh_from_db()
    assert (ticket.state, ticket.pending_reason) == ("pending", "evidence")
    live_until(at + H)
    ticket.refresh_from_db()
    assert (ticket.state, ticket.resolution_code) == ("resolved", "cleared")


def test_an_alarm_that_comes_back_goes_on_with_its_ticket(
    cast: Cast, at: datetime, monitoring: Monitoring
) -> None:
    monitoring.says(at, "firing")
    monitoring.says(at + timedelta(minutes=5), "resolved")
    monitoring.says(at + timedelta(minutes=8), "firing")
    ticket = Ticket.objects.get()
    assert ticket.state == "open"


def test_one_round_of_facts_tells_why_each_followed(
    cast: Cast, at: datetime, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena):
        ticket = cast.ticket()
    opened, triaged = Entry.objects.of(ticket.pk)
    assert triaged.cause == opened
    assert "category network/vpn by: vpn" in triaged.details["why"]
