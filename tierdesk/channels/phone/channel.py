"""How a logged call is understood."""

from __future__ import annotations

import json

from tierdesk.channels.models import Inbound
from tierdesk.channels.registry import Channel, NewTicket, Refused, Understood
from tierdesk.directory.clients.models import Client, Contact
from tierdesk.directory.services.models import Category, Service
from tierdesk.directory.staff.models import Agent
from tierdesk.tickets.models import Draft


def understand(inbound: Inbound) -> Understood:
    """A call that an agent wrote down: the agent opened it, so a human has responded."""
    call = json.loads(bytes(inbound.raw))
    client = Client.objects.filter(pk=call["client"]).first()
    agent = Agent.objects.select_related("user").filter(pk=call["agent"]).first()
    if client is None or agent is None:
        return Refused("The call names no client, or nobody who took it.")
    contact = Contact.objects.select_related("client").filter(pk=call["contact"], client=client).first()
    draft = Draft(
        client=client,
        contact=contact,
        subject=call["subject"],
        text=call["text"],
        channel="phone",
        category=Category.objects.filter(path=call["category"]).first(),
        service=Service.objects.of_client(client.pk).filter(pk=call["service"]).first(),
        type=call.get("type", ""),
        impact=call["impact"],
        urgency=call["urgency"],
        traits={"call.number": call["number"]} if call["number"] else {},
    )
    return NewTicket(draft, by=agent.actor(), taken_by=agent)


CHANNEL = Channel("phone", "Phone", understand)
