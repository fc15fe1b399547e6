"""Whether mail is still being fetched, asked by the wake-up engine: a thread that hangs cannot say so itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from tierdesk.channels.email.models import SILENT_AFTER, Collection
from tierdesk.response.notifications.house import tell_administrators

LOOK_AGAIN = timedelta(minutes=1)
REMIND_AFTER = timedelta(days=1)


def watch_mailboxes(collections: Sequence[Collection], at: datetime) -> None:
    """Tell the administrators of each mailbox that has failed for two minutes, once a day while it does."""
    for state in collections:
        trouble = state.trouble(at) if state.mailbox.is_fetched else ""
        lasts = at - (state.failing_since or state.looked_at or at) >= SILENT_AFTER
        if not trouble:
            state.told_at = None
        elif lasts and (state.told_at is None or at - state.told_at >= REMIND_AFTER):
            tell_administrators("mailbox", {"address": state.mailbox.address, "why": trouble}, at)
            state.told_at = at
        state.wake_at = at + LOOK_AGAIN if state.mailbox.is_fetched else None
        state.save(update_fields=["told_at", "wake_at"])
