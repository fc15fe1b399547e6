"""Calls: who is it, and what they said, in under twenty seconds."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass

from django.db.models import Q, QuerySet

from tierdesk.channels.intake import take_in
from tierdesk.channels.models import Inbound
from tierdesk.channels.phone.models import Call
from tierdesk.core import clock
from tierdesk.core.work import work
from tierdesk.directory.clients.identify import NotANumber, to_e164
from tierdesk.directory.clients.models import Client, Contact, Number
from tierdesk.directory.staff.models import Agent, User
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Ticket

SHOWN = 8


@dataclass(frozen=True, slots=True)
class CallSheet:
    """What an agent wrote down. `key` makes a form that is sent twice one ticket; `told`: the exchange's call."""

    client: int
    contact: int | None
    subject: str
    text: str
    category: str = ""
    service: int | None = None
    impact: int | None = None
    urgency: int | None = None
    number: str = ""
    key: str = ""
    told: int | None = None
    type: str = ""


def look_up(typed: str, user: User) -> QuerySet[Contact]:
    """The contacts that a number, a name or an address may belong to, of the clients that `user` may see."""
    words = typed.strip()
    contacts = Contact.objects.visible_to(user).filter(is_active=True).select_related("client")
    if not words:
        return contacts.none()
    spellings = set(_spellings(words, user))
    if not spellings:
        return contacts.filter(Q(name__icontains=words) | Q(email__icontains=words)).order_by("name")[:SHOWN]
    numbers = Number.objects.visible_to(user).filter(e164__in=spellings)
    switchboards = numbers.filter(contact=None).values("client")
    return (
        contacts.filter(Q(numbers__in=numbers) | Q(client__in=switchboards))
        .distinct()
        .order_by("name")[:SHOWN]
    )


def _spellings(typed: str, user: User) -> Iterator[str]:
    """The number in E.164, read as people dial it in each region that we serve; nothing if it is no number."""
    regions = Client.objects.visible_to(user).order_by().values_list("region", flat=True).distinct()
    for region in regions:
        with suppress(NotANumber):
            yield to_e164(typed, region)


def log_call(call: CallSheet, agent: Agent) -> Ticket | None:
    """Keep the call, then make it a ticket of the agent who took it; None if it was parked (see the parked box).

    Raises UnableTo for a client whom the agent does not serve.
    """
    if not Client.objects.visible_to(agent.user).filter(pk=call.client).exists():
        raise UnableTo("Choose a client whom you serve.")
    raw = json.dumps(asdict(call) | {"agent": agent.pk}).encode()
    key = f"{agent.pk}:{call.key or uuid.uuid4().hex}"
    pk, _ = Inbound.store("phone", raw, ext_key=key, client=call.client)
    ticket = take_in(pk)
    if ticket is not None and call.told is not None:
        _tie(call.told, ticket, agent)
    return ticket


def _tie(told: int, ticket: Ticket, agent: Agent) -> None:
    """The call that the exchange told of led to this ticket, and the agent is done with it once they hang up."""
    found = Call.objects.visible_to(agent.user).select_related("exchange", "ticket").filter(pk=told).first()
    if found is None or found.client_id not in (None, ticket.client_id):
        return
    with work(by=agent.actor(), at=clock.now()):
        if found.agent_id is None:
            found.take(agent)
        found.tie(ticket)


def callers_of(call: Call, user: User) -> list[Contact]:
    """Who may be on the line, of the clients that `user` may see; the one that the number names comes first."""
    if call.contact is not None and call.contact.is_active:
        return [call.contact]
    if call.number:
        return list(look_up(call.number, user))
    return []
