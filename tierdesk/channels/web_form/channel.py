"""How a portal form is understood."""

from __future__ import annotations

import base64
import json
from typing import Any

from tierdesk.channels.models import Inbound
from tierdesk.channels.registry import Channel, File, NewTicket, Refused, Told, Understood
from tierdesk.core.facts import Actor
from tierdesk.directory.clients.models import Client, Contact
from tierdesk.directory.services.models import Category, Service
from tierdesk.tickets.models import Draft


def understand(inbound: Inbound) -> Understood:
    """A form of a signed-in contact, whom we know; or a public one, whose sender is who they say they are."""
    words = json.loads(bytes(inbound.raw))
    return _of_stranger(inbound, words) if "sender" in words else _of_contact(words)


def told(inbound: Inbound) -> Told:
    """The form's answers, and who says that they gave them."""
    words = json.loads(bytes(inbound.raw))
    sender = words.get("sender")
    claims = [("Subject", words["subject"])]
    if sender:
        claims.insert(0, ("From", f"{sender['name']} <{sender['email']}>"))
    return Told(words["text"], tuple(claims), tuple((one.name, len(one.content)) for one in _files(words)))


def _of_contact(words: dict[str, Any]) -> Understood:
    contact = Contact.objects.select_related("client").filter(pk=words["contact"], is_active=True).first()
    if contact is None:
        return Refused("The form was sent by a contact who no longer exists.")
    return NewTicket(_draft(words, contact.client, contact), by=contact.actor(), files=_files(words))


def _of_stranger(inbound: Inbound, words: dict[str, Any]) -> Understood:
    """Nobody has proved who they are: the ticket says so, nobody is mailed, and an address opens no door."""
    client = Client.objects.filter(pk=inbound.client_id or 0, is_active=True).first()
    if client is None:
        return Refused("The form belongs to a client who is not served any more.")
    if words["machine"] and not inbound.meta.get("admitted"):
        about = f"{words['sender']['email']}: {words['subject']}"
        return Refused("A field was filled in that only a machine sees.", client, about)
    sender = words["sender"]
    contact = Contact.objects.select_related("client").filter(client=client, email=sender["email"]).first()
    draft = _draft(words, client, contact)
    draft.trust = "unverified"
    draft.text = f"{sender['name']} <{sender['email']}>\n\n{draft.text}"
    draft.traits |= {
        "form.sender": sender["email"],
        "mail.no_receipt": "whoever sent a public form has not proved who they are",
    }
    return NewTicket(
        draft,
        by=Actor("channel", sender["name"][:200] or "Web form"),
        files=_files(words),
        new_contact=(sender["name"], sender["email"]) if sender["becomes_contact"] else None,
    )


def _draft(words: dict[str, Any], client: Client, contact: Contact | None) -> Draft:
    return Draft(
        client=client,
        contact=contact,
        subject=words["subject"],
        text=words["text"],
        channel="web_form",
        service=Service.objects.of_client(client.pk).filter(pk=words["service"]).first(),
        category=Category.objects.filter(pk=words.get("category") or 0).first(),
        urgency=words["urgency"],
        traits=dict(words.get("traits", {})),
    )


def _files(words: dict[str, Any]) -> tuple[File, ...]:
    return tuple(File(name, kind, base64.b64decode(content)) for name, kind, content in words["files"])


CHANNEL = Channel("web_form", "Web form", understand, told)
