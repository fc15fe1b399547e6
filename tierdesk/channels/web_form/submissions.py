"""What somebody sends by a form of the portal."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

from tierdesk.channels.intake import take_in
from tierdesk.channels.models import Inbound
from tierdesk.channels.registry import File
from tierdesk.directory.clients.models import Contact
from tierdesk.tickets.models import Ticket


def submit(
    contact: Contact,
    *,
    subject: str,
    text: str,
    key: str,
    service: int | None = None,
    urgency: int | None = None,
    files: Sequence[File] = (),
) -> Ticket | None:
    """Keep what was sent, then make it a ticket, so that the receipt shows its number.

    `key` is the form's own: sent twice, it is one ticket. None: it was parked, and somebody will look at it.
    """
    words = {
        "contact": contact.pk,
        "subject": subject,
        "text": text,
        "service": service,
        "urgency": urgency,
        "files": [[f.name, f.content_type, base64.b64encode(f.content).decode()] for f in files],
    }
    raw = json.dumps(words).encode()
    pk, _ = Inbound.store("web_form", raw, ext_key=f"{contact.pk}:{key}", client=contact.client_id)
    return take_in(pk)
