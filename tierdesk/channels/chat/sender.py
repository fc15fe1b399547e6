"""How words reach somebody who chats: on the page they look at; by mail when they have left it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from tierdesk.channels.chat import bridged
from tierdesk.channels.chat.models import GONE_AFTER, Conversation
from tierdesk.channels.outbox import BetterByMail, NotYet
from tierdesk.response.notifications.models import Notice, NoticeState

LOOK_AGAIN = timedelta(seconds=5)
GATHER = timedelta(seconds=60)
"""Whoever left is not written to line by line: one mail, when no new line has come for so long."""

ANSWER = "You wrote to us in our chat. This is our answer:"
"""Whoever has left since, or left a message, would else get a mail out of nowhere."""


def send(notice: Notice, at: datetime) -> str:
    """Sent is what the visitor's page says it has shown; the page itself hears of it as soon as it is committed.

    Raises NotYet while the visitor is there, BetterByMail when they have left, ValueError if nobody knows their
    address.
    """
    conversation = (
        Conversation.objects.select_related("contact", "bridge").filter(ticket=notice.ticket_id).first()
    )
    if conversation is None:
        raise ValueError("the chat that this belongs to no longer exists")
    if conversation.thread:
        return bridged.post(conversation, notice, at)
    if notice.said_id is not None and notice.said_id <= conversation.read_up_to:
        return ""
    if conversation.is_there(at):
        if notice.said_id is None:
            return ""  # no words of its own: the page shows that the chat is over
        raise NotYet(at + LOOK_AGAIN)
    if not conversation.address:
        _wait_for_a_return(conversation, notice, at)
        raise ValueError("the visitor left, and nobody knows an address of theirs")
    with transaction.atomic():
        text = _gathered(notice, at)
    raise BetterByMail(conversation.address, text)


def _wait_for_a_return(conversation: Conversation, notice: Notice, at: datetime) -> None:
    """A page that was closed by mistake comes back soon."""
    if at - max(conversation.seen_at or notice.created_at, notice.created_at) < GATHER:
        raise NotYet(at + GONE_AFTER)


def _gathered(notice: Notice, at: datetime) -> str:
    """The text of one mail that says all that still waits for this visitor; the other notices are done with it.

    Raises NotYet while new lines keep coming.
    """
    waiting = list(
        Notice.objects.select_for_update(of=("self",))
        .filter(ticket=notice.ticket_id, channel="chat", state=NoticeState.PENDING, said__isnull=False)
        .select_related("said")
        .order_by("id")
    )
    newest = max((one.created_at for one in waiting), default=notice.created_at)
    if at - newest < GATHER:
        raise NotYet(newest + GATHER)
    others = [one for one in waiting if one.pk != notice.pk]
    Notice.objects.filter(pk__in=[one.pk for one in others]).update(
        state=NoticeState.WITHHELD, error=f"told in one mail with notice {notice.pk}", wake_at=None
    )
    said = [one.said.text for one in waiting if one.said is not None]
    return notice.text.replace(said[0], "\n\n".join([ANSWER, *said]), 1) if notice.said_id else notice.text
