"""Why whoever works a ticket is the one: what the desk said when it chose them, and who else was considered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tierdesk.tickets.models import Entry, Ticket


@dataclass(frozen=True, slots=True)
class Chosen:
    """`why` this one, or nobody; `others`: each who was considered, with why not."""

    why: str
    others: Sequence[tuple[str, str]]


def chosen_of(ticket: Ticket, entries: Sequence[Entry]) -> Chosen | None:
    """What the desk said when it chose whoever works the ticket now, or could choose nobody; None if people chose.

    Whoever was chosen may have accepted the ticket since, or taken it: they still are the one for that reason.
    """
    if not ticket.is_unresolved():
        return None
    for entry in reversed(entries):
        if entry.kind == "nobody_chosen" and ticket.assignee_id is None:
            return _said(entry)
        if entry.kind not in ("assigned", "handed_over"):
            continue
        if entry.kind == "handed_over" or entry.details["agent"] != ticket.assignee_id:
            return None
        if entry.details.get("why"):
            return _said(entry)
    return None


def _said(entry: Entry) -> Chosen:
    return Chosen(entry.details["why"], [(name, why) for name, why in entry.details.get("others", [])])
