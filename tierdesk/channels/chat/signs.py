"""Signs of life on both sides: the page is open, has shown a line, somebody types. Rows, but no facts."""

from __future__ import annotations

import json
from datetime import datetime

from django.db import connection
from django.db.models import Value
from django.db.models.functions import Greatest

from tierdesk.channels.chat.models import OVER_AFTER, ChatState, Conversation
from tierdesk.tickets.timeline import LIVE_CHANNEL


def see(conversation: Conversation, at: datetime, *, up_to: int = 0) -> None:
    """The visitor's page shows itself, and has shown the lines up to the message `up_to`."""
    mine = Conversation.objects.filter(pk=conversation.pk)
    mine.update(seen_at=at, read_up_to=Greatest("read_up_to", Value(_known(conversation, up_to))))
    if not conversation.is_there(at):
        mine.exclude(state=ChatState.ENDED).update(wake_at=at + OVER_AFTER)
        announce(conversation)
    conversation.seen_at = at


def leave(conversation: Conversation) -> None:
    """The visitor's page closes. It may come back: a reload closes it, too."""
    Conversation.objects.filter(pk=conversation.pk).update(seen_at=None, visitor_typed_at=None)
    announce(conversation)


def visitor_types(conversation: Conversation, at: datetime | None) -> None:
    Conversation.objects.filter(pk=conversation.pk).update(visitor_typed_at=at)
    announce(conversation)


def agent_types(conversation: Conversation, at: datetime | None) -> None:
    Conversation.objects.filter(pk=conversation.pk).update(agent_typed_at=at)
    announce(conversation)


def announce(conversation: Conversation) -> None:
    """Tell the open pages of both sides to look again; ids only, like the timeline's announcements."""
    chat = [[conversation.pk, conversation.client_id]]
    word = {"tickets": [], "chats": chat, "clients": [conversation.client_id]}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [LIVE_CHANNEL, json.dumps(word)])


def _known(conversation: Conversation, up_to: int) -> int:
    """A page cannot have shown what nobody has said yet: what it claims beyond that is not believed."""
    newest = conversation.lines().filter(pk__lte=up_to).order_by("-pk").values_list("pk", flat=True).first()
    return newest or 0
