"""How a line of a chat is understood."""

from __future__ import annotations

import json

from tierdesk.channels.chat import bridged
from tierdesk.channels.chat.models import ChatState, Conversation
from tierdesk.channels.models import Inbound
from tierdesk.channels.registry import Channel, NewTicket, Refused, Reply, Understood
from tierdesk.directory.clients.identify import by_address
from tierdesk.directory.clients.models import Contact
from tierdesk.tickets.lifecycle import State
from tierdesk.tickets.models import Draft, Ticket
from tierdesk.tickets.relations import RelationKind

SUBJECT = 80
SHOWN_THERE = "the chat itself says that it has arrived"


def understand(inbound: Inbound) -> Understood:
    """The first line opens the conversation's ticket, the others go onto it; after its end, onto one that follows it.

    The conversation is locked meanwhile: two lines that arrive together must not open two tickets.
    """
    if "bridge" in inbound.meta:
        return bridged.understand(inbound)
    line = json.loads(bytes(inbound.raw))
    conversations = Conversation.objects.select_for_update(of=("self",)).select_related(
        "client", "contact__client"
    )
    conversation = conversations.filter(pk=line["conversation"]).first()
    if conversation is None:
        return Refused("The conversation that this line belongs to no longer exists.")
    text, before = line["text"], conversation.ticket
    if before is None:
        return _new_ticket(conversation, text)
    if before.state in (State.CLOSED, State.CANCELLED):
        return _new_ticket(conversation, text, before)
    return Reply(
        before,
        text,
        by=conversation.actor(),
        why="",
        trust=conversation.trust,
        live=conversation.state != ChatState.ENDED,
    )


def _new_ticket(conversation: Conversation, text: str, before: Ticket | None = None) -> NewTicket:
    contact = conversation.contact or _claimed_contact(conversation)
    traits: dict[str, object] = {"chat.conversation": conversation.pk}
    if conversation.state != ChatState.ENDED:
        traits["mail.no_receipt"] = SHOWN_THERE
    draft = Draft(
        client=conversation.client,
        contact=contact,
        subject=_subject(text),
        text=text,
        channel="chat",
        trust=conversation.trust,
        traits=traits,
    )
    address = conversation.address
    return NewTicket(
        draft,
        by=conversation.actor(),
        related=before,
        relation=RelationKind.FOLLOW_UP.value,
        proposed=(address,) if address and contact is None else (),
    )


def _claimed_contact(conversation: Conversation) -> Contact | None:
    """Whose address the visitor gave, if that is a contact of this client: a claim, so the trust stays as it is."""
    contact = by_address(conversation.email).contact if conversation.email else None
    return contact if contact is not None and contact.client_id == conversation.client_id else None


def _subject(text: str) -> str:
    line = next((line.strip() for line in text.splitlines() if line.strip()), text)
    return line if len(line) <= SUBJECT else f"{line[: SUBJECT - 1].rstrip()}…"


CHANNEL = Channel("chat", "Chat", understand)
