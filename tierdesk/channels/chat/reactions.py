"""What chats do when something happens to their tickets."""

from __future__ import annotations

from collections.abc import Sequence

from tierdesk.channels.chat.models import ChatState, Conversation
from tierdesk.tickets.facts import Cancelled, Closed, Opened, Resolved


def bind_conversations(facts: Sequence[Opened]) -> None:
    """A ticket that a chat opened is that chat's from the same commit on."""
    for fact in facts:
        if fact.channel == "chat" and (conversation := fact.ticket.traits.get("chat.conversation")):
            Conversation.objects.filter(pk=conversation).update(ticket=fact.ticket)


def end_conversations(facts: Sequence[Resolved] | Sequence[Closed] | Sequence[Cancelled]) -> None:
    """Nobody goes on talking about a ticket that is done."""
    chatted = {fact.ticket.pk: fact.ticket for fact in facts if fact.ticket.channel == "chat"}
    going = Conversation.objects.filter(ticket__in=chatted).exclude(state=ChatState.ENDED)
    for conversation in going:
        conversation.ticket = chatted[conversation.ticket_id or 0]
        conversation.end(f"{conversation.ticket.reference} is {conversation.ticket.state}")
