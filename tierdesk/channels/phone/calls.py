"""Calls: who is it, and what they said, in under twenty seconds."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from tierdesk.channels.intake import take_in
from tierdesk.channels.models import Inbound
from tierdesk.directory.clients.identify import NotANumber, to_e164
from tierdesk.directory.clients.models import Contact, Number
from tierdesk.directory.staff.models import Agent, User
from tierdesk.tickets.models import Ticket

SHOWN = 8


@dataclass(frozen=True, slots=True)
class Call:
    """What an agent wrote down. `key` makes a form that is sent twice one ticket."""

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


def look_up(typed: str, user: User) -> QuerySet[Contact]:
    """The contacts that a number, a name or an address may belong to, of the clients that `user` may see."""
    words = typed.strip()
    contacts = Contact.objects.visible_to(user).filter(is_active=True).select_related("client")
    if not words:
        return contacts.none()
    try:
        e164 = to_e164(words, "DE")
    except NotANumber:
        return contacts.filter(Q(name__icontains=words) | Q(email__icontains=words)).order_by("name")[:SHOWN]
    numbers = Number.objects.visible_to(user).filter(e164=e164)
    switchboards = numbers.filter(contact=None).values("client")
    return (
        contacts.filter(Q(numbers__in=numbers) | Q(client__in=switchboards))
        .distinct()
        .order_by("name")[:SHOWN]
    )


def log_call(call: Call, agent: Agent) -> Ticket | None:
    """Keep the call, then make it a ticket of the agent who took it; None if it was parked (see the parked box)."""
    words: dict[str, Any] = {name: getattr(call, name) for name in call.__dataclass_fields__} | {
        "agent": agent.pk
    }
    pk, _ = Inbound.store("phone", json.dumps(words).encode(), ext_key=call.key or uuid.uuid4().hex)
    return take_in(pk)
