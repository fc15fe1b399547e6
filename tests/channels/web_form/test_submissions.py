"""A form of the portal: one ticket however often it is sent, with its number at once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.cast import Cast
from tierdesk.channels.models import Inbound
from tierdesk.channels.registry import File
from tierdesk.channels.web_form.submissions import submit
from tierdesk.core import clock
from tierdesk.core.scope import only, seeing
from tierdesk.directory.clients.models import Contact
from tierdesk.tickets.models import Ticket


def send(contact: Contact, at: datetime, key: str = "form-1", **values: Any) -> Ticket | None:
    """The form as a signed-in contact sends it: under the lock of the own client."""
    with clock.frozen(at), seeing(only([contact.client_id])):
        return submit(contact, subject="Mail is slow", text="It takes minutes.", key=key, **values)


def test_a_form_is_a_ticket_of_the_contact_at_once(cast: Cast, at: datetime) -> None:
    ticket = send(cast.ann, at, service=cast.vpn.pk, urgency=1)
    assert ticket is not None
    assert (ticket.channel, ticket.contact, ticket.service, ticket.urgency) == (
        "web_form",
        cast.ann,
        cast.vpn,
        1,
    )
    assert ticket.messages.get().trust == "verified"
    assert Inbound.objects.get().ticket == ticket


def test_a_double_click_and_the_back_button_are_one_ticket(cast: Cast, at: datetime) -> None:
    """LM-16."""
    assert send(cast.ann, at) == send(cast.ann, at)
    assert Ticket.objects.count() == 1


def test_another_form_and_another_contact_are_other_tickets(cast: Cast, at: datetime) -> None:
    assert len({send(cast.ann, at), send(cast.ann, at, key="form-2"), send(cast.arne, at)}) == 3


def test_files_come_along(cast: Cast, at: datetime) -> None:
    ticket = send(cast.ann, at, files=[File("log.txt", "text/plain", b"\x00\xff")])
    assert ticket is not None
    assert bytes(ticket.messages.get().attachments.get().content) == b"\x00\xff"


def test_a_service_of_another_client_is_not_put_on_the_ticket(cast: Cast, at: datetime) -> None:
    ticket = send(cast.bob, at, service=cast.vpn.pk)
    assert ticket is not None and ticket.service != cast.vpn


def test_a_contact_who_left_in_the_meantime_opens_nothing_and_nothing_is_lost(
    cast: Cast, at: datetime
) -> None:
    Contact.objects.filter(pk=cast.ann.pk).update(is_active=False)
    assert send(cast.ann, at) is None
    kept = Inbound.objects.get()
    assert (kept.state, kept.client) == ("parked", cast.acme)
    assert b"It takes minutes." in bytes(kept.raw)
