"""Whether mail is still being fetched, asked by the wake-up engine: a thread that hangs cannot say so itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from tierdesk.channels.email.models import SILENT_AFTER, Collection, Grant
from tierdesk.response.notifications.house import tell_administrators

LOOK_AGAIN = timedelta(minutes=1)
REMIND_AFTER = timedelta(days=1)
WARN_BEFORE = timedelta(days=7)


def watch_mailboxes(collections: Sequence[Collection], at: datetime) -> None:
    """Tell the administrators of each mailbox that has failed for two minutes or soon will, once a day."""
    mailboxes = [state.mailbox_id for state in collections]
    grants = {grant.mailbox_id: grant for grant in Grant.objects.filter(mailbox__in=mailboxes)}
    for state in collections:
        kind, why = _news(state, grants.get(state.mailbox_id), at) if state.mailbox.is_fetched else ("", "")
        if not why:
            state.told_of = ""
        elif state.told_of != kind or state.told_at is None or at - state.told_at >= REMIND_AFTER:
            tell_administrators(kind, {"address": state.mailbox.address, "why": why}, at)
            state.told_of, state.told_at = kind, at
        state.wake_at = at + LOOK_AGAIN if state.mailbox.is_fetched else None
        state.save(update_fields=["told_of", "told_at", "wake_at"])


def _news(state: Collection, grant: Grant | None, at: datetime) -> tuple[str, str]:
    """(which words, why) if there is something to tell."""
    lasts = at - (state.failing_since or state.looked_at or at) >= SILENT_AFTER
    if lasts and (trouble := state.trouble(at)):
        return "mailbox", trouble
    return "mailbox_ends", ending(grant, at) if grant else ""


def ending(grant: Grant, at: datetime) -> str:
    """That a permission was taken back, or ends within a week; empty if neither."""
    if grant.error and grant.access_expires_at:
        return f"{grant.error} Mail is fetched until {grant.access_expires_at:%d %B, %H:%M} UTC."
    if grant.refresh_expires_at and at >= grant.refresh_expires_at - WARN_BEFORE:
        return f"The permission ends on {grant.refresh_expires_at:%d %B, %H:%M} UTC. Sign in at the provider again."
    if grant.secret_ends_date:
        ends = datetime.combine(grant.secret_ends_date, time(), UTC)
        if at >= ends - 3 * WARN_BEFORE:
            return (
                f"The application’s secret ends on {ends:%d %B}. Make a new one at the provider and enter it."
            )
    return ""
