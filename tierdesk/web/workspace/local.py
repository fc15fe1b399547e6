"""Local times: those that people type, as instants, and instants as those who read them say them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tierdesk.directory.staff.models import User
from tierdesk.tickets.lifecycle import UnableTo


def instant_of(raw: str, zone: str) -> datetime | None:
    """A `datetime-local` value of the reader's zone as an instant; None when it is empty. Raises UnableTo."""
    if not raw:
        return None
    try:
        return datetime.fromisoformat(raw).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UnableTo(f"“{raw}” is not a date and time.") from error


def zone_of(user: User) -> ZoneInfo:
    """The user's own; UTC where a zone that was written down does not exist."""
    try:
        return ZoneInfo(user.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def written_out(at: datetime, zone: ZoneInfo) -> str:
    """An instant in a text that people of other zones read, too: `2026-06-08 10:00 (Europe/Berlin)`."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M} ({zone.key})"
