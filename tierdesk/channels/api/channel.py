"""How a request of a program is understood."""

from __future__ import annotations

import json
from typing import Any

from tierdesk.channels.models import Inbound
from tierdesk.channels.registry import Channel, NewTicket, Refused, Understood
from tierdesk.directory.clients.models import Client, Contact, Domain
from tierdesk.directory.services.models import Category, Service
from tierdesk.directory.staff.models import User
from tierdesk.tickets.models import Draft


def understand(inbound: Inbound) -> Understood:
    """Trouble that a program reports for somebody who may see the client; the rights are looked at again here."""
    words = json.loads(bytes(inbound.raw))
    user = User.objects.filter(pk=words["user"], is_active=True).first()
    client = Client.objects.visible_to(user).filter(pk=words["client"]).first() if user else None
    if user is None or client is None:
        return Refused("It came from somebody who may not, or no longer, open tickets of this client.")
    contact = Contact.objects.filter(client=client, email__iexact=words["contact"]).exclude(email="").first()
    if contact is not None and not contact.is_active:
        return Refused(f"{contact.email} is no longer a contact of {client.name}.", client)
    if words["contact"] and contact is None and not _is_at(client, words["contact"]):
        return Refused(f"{words['contact']} is nobody we know at {client.name}.", client)
    newcomer = (words["contact"].partition("@")[0], words["contact"]) if words["contact"] else None
    draft = _draft(words, client, contact)
    return NewTicket(draft, by=user.actor(), new_contact=None if contact else newcomer)


def _draft(words: dict[str, Any], client: Client, contact: Contact | None) -> Draft:
    return Draft(
        client=client,
        contact=contact,
        subject=words["subject"],
        text=words["text"],
        channel="api",
        service=Service.objects.of_client(client.pk).filter(pk=words["service"]).first(),
        category=Category.objects.filter(pk=words["category"]).first(),
        type=words.get("type", ""),
        impact=words["impact"],
        urgency=words["urgency"],
    )


def _is_at(client: Client, address: str) -> bool:
    return Domain.objects.filter(client=client, name__iexact=address.rpartition("@")[2]).exists()


CHANNEL = Channel("api", "API", understand)
