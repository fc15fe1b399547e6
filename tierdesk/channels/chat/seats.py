"""Is somebody there to talk? Asked before a chat is offered to a visitor."""

from __future__ import annotations

from datetime import datetime

from tierdesk.channels.chat.models import Conversation, Seat, Widget


def somebody_is_there(widget: Widget, at: datetime) -> bool:
    """Whether a visitor who starts now finds a free agent: inside the hours, and not behind a queue that fills them."""
    if not widget.is_open(at):
        return False
    room = Seat.objects.free(at).serving(widget.client_id).room()
    return room > Conversation.objects.filter(client=widget.client_id).waiting().count()
