"""What chats do when something happens to their tickets."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from tierdesk.channels.chat.models import ChatState, Conversation
from tierdesk.response.notifications.models import Notice
from tierdesk.tickets.facts import Cancelled, ClientChanged, Closed, Opened, Resolved
from tierdesk.tickets.lifecycle import UnableTo

REGISTERED = _("Registered as %(number)s. What is written in this thread is kept there.")


def bind_conversations(facts: Sequence[Opened]) -> None:
    """A ticket that a chat opened is that chat's from the same commit on."""
    for fact in facts:
        traits = fact.ticket.traits
        if fact.channel == "chat" and (conversation := traits.get("chat.conversation")):
            Conversation.objects.filter(pk=conversation).update(ticket=fact.ticket)
        elif fact.channel == "chat" and "chat.thread" in traits:
            _bind_thread(fact)


def _bind_thread(fact: Opened) -> None:
    """A thread on a platform: nobody waits at a screen, so nobody is called; the thread is told the number."""
    ticket = fact.ticket
    Conversation.objects.update_or_create(
        bridge_id=ticket.traits["chat.bridge"],
        thread=ticket.traits["chat.thread"],
        defaults={
            "client_id": ticket.client_id,
            "ticket": ticket,
            "contact": ticket.contact,
            "name": fact.by.name[:200],
            "trust": "verified",
            "state": ChatState.ENDED,
            "started_at": fact.at,
        },
    )
    Notice.objects.create(
        client_id=ticket.client_id,
        ticket=ticket,
        channel="chat",
        kind="receipt",
        subject=ticket.reference,
        text=str(REGISTERED) % {"number": ticket.reference},
        automatic=True,
        created_at=fact.at,
        wake_at=fact.at,
    )


def end_conversations(facts: Sequence[Resolved] | Sequence[Closed] | Sequence[Cancelled]) -> None:
    """Nobody goes on talking about a ticket that is done."""
    chatted = {fact.ticket.pk: fact.ticket for fact in facts if fact.ticket.channel == "chat"}
    going = Conversation.objects.filter(ticket__in=chatted).exclude(state=ChatState.ENDED)
    for conversation in going:
        conversation.ticket = chatted[conversation.ticket_id or 0]
        conversation.end(f"{conversation.ticket.reference} is {conversation.ticket.state}")


def keep_chats_with_their_clients(facts: Sequence[ClientChanged]) -> None:
    """A chat is held where its visitor wrote, on a page or platform of that client's. Raises UnableTo."""
    if Conversation.objects.filter(ticket__in=[fact.ticket.pk for fact in facts]).exists():
        raise UnableTo("It is a chat on a page of its client’s, so it stays with that client.")
