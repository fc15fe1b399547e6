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
    """From the newest entry about it, while that still is how things stand; None where somebody chose by themselves."""
    about = [entry for entry in entries if entry.kind in ("assigned", "nobody_chosen", "handed_over")]
    if not about or not ticket.is_unresolved():
        return None
    last = about[-1].details
    if last.get("agent") != ticket.assignee_id or not last.get("why") or about[-1].kind == "handed_over":
        return None
    return Chosen(last["why"], [(name, why) for name, why in last.get("others", [])])
