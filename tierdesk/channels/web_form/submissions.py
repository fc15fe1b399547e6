"""What somebody sends by a form of the portal."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tierdesk.channels.intake import take_in
from tierdesk.channels.models import Inbound
from tierdesk.channels.registry import File
from tierdesk.channels.web_form.fields import Filled
from tierdesk.channels.web_form.models import Form
from tierdesk.directory.clients.models import Contact
from tierdesk.tickets.models import Ticket


@dataclass(frozen=True, slots=True)
class Sender:
    """Who says they send a public form. `was_seen_through`: they filled in what only a machine sees."""

    name: str
    email: str
    remote: str = ""
    was_seen_through: bool = False


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
        "files": _written(files),
    }
    return _keep(words, f"{contact.pk}:{key}", contact.client_id)


def submit_form(form: Form, filled: Filled, by: Contact | Sender, *, key: str) -> Ticket | None:
    """The same for a form of the desk's: its answers stand in the ticket readably, and each by itself (`traits`).

    The subject and the words are made now: whoever changes the form later does not change what was said.
    """
    traits = {
        f"form.{name}": answer if isinstance(answer, str) else ", ".join(answer)
        for name, answer in filled.answers.items()
    }
    words: dict[str, Any] = {
        "subject": form.titled(filled.answers),
        "text": form.told(filled.answers),
        "service": form.service_id,
        "category": form.category_id,
        "urgency": None,
        "traits": {"form": form.key} | traits,
        "files": _written(filled.files),
    }
    meta: dict[str, Any] = {"form": form.pk}
    if isinstance(by, Contact):
        return _keep(words | {"contact": by.pk}, f"{by.pk}:{key}", by.client_id, meta=meta)
    words["sender"] = {"name": by.name, "email": by.email.lower(), "becomes_contact": form.new_contacts}
    words["machine"] = by.was_seen_through
    if by.was_seen_through:
        meta["not_agreed"] = True  # a person may let it in all the same
    assert form.client_id is not None
    return _keep(words, public_key(key), form.client_id, meta=meta, remote=by.remote)


def public_key(key: str) -> str:
    """What a public form's delivery is kept under."""
    return f"public:{key}"


def _keep(words: dict[str, Any], key: str, client: int, **more: Any) -> Ticket | None:
    pk, _ = Inbound.store("web_form", json.dumps(words).encode(), ext_key=key, client=client, **more)
    return take_in(pk)


def _written(files: Sequence[File]) -> list[list[str]]:
    return [[f.name, f.content_type, base64.b64encode(f.content).decode()] for f in files]
