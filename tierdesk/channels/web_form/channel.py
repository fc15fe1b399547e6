"""How a portal form is understood."""

from __future__ import annotations

import base64
import json

from tierdesk.channels.models import Inbound
from tierdesk.channels.registry import Channel, File, NewTicket, Refused, Understood
from tierdesk.directory.clients.models import Contact
from tierdesk.directory.services.models import Service
from tierdesk.tickets.models import Draft


def understand(inbound: Inbound) -> Understood:
    """A form of a signed-in contact: the client and the person are known."""
    words = json.loads(bytes(inbound.raw))
    contact = Contact.objects.select_related("client").filter(pk=words["contact"], is_active=True).first()
    if contact is None:
        return Refused("The form was sent by a contact who no longer exists.")
    draft = Draft(
        client=contact.client,
        contact=contact,
        subject=words["subject"],
        text=words["text"],
        channel="web_form",
        service=Service.objects.of_client(contact.client_id).filter(pk=words["service"]).first(),
        urgency=words["urgency"],
    )
    files = tuple(File(name, kind, base64.b64decode(content)) for name, kind, content in words["files"])
    return NewTicket(draft, by=contact.actor(), files=files)


CHANNEL = Channel("web_form", "Web form", understand)
