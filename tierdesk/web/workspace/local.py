"""Local times that people type, as instants."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from tierdesk.tickets.lifecycle import UnableTo


def instant_of(raw: str, zone: str) -> datetime | None:
    """A `datetime-local` value of the reader's zone as an instant; None when it is empty. Raises UnableTo."""
    if not raw:
        return None
    try:
        return datetime.fromisoformat(raw).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UnableTo(f"“{raw}” is not a date and time.") from error
