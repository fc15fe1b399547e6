"""A ticket's timeline: what happened, who did it, and because of what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import BaseModel

from tierdesk.response.major.facts import CascadeCarried, ChildrenLinked
from tierdesk.tickets.models import Entry, Message, Ticket
from tierdesk.web.api.bearer import caller, ticket_of
from tierdesk.web.api.errors import REFUSALS
from tierdesk.web.api.fields import Paging

router = Router(tags=["timeline"])


class Who(BaseModel):
    kind: str
    id: int | None
    name: str


class Said(BaseModel):
    """The words of an entry, if it has any. `direction` is inbound, outbound or internal."""

    direction: str
    text: str


class EntryShown(BaseModel):
    """One line of the timeline, with how things stood then. `cause` is the id of the entry that led to it."""

    id: int
    at: datetime
    kind: str
    by: Who
    cause: int | None
    details: dict[str, Any]
    said: Said | None
    state: str
    pending_reason: str
    tier: int
    priority: int

    @classmethod
    def of(cls, entry: Entry, words: Mapping[int, Message]) -> Self:
        message = words.get(entry.details.get("message") or 0)
        plain = ("id", "at", "kind", "details", "state", "pending_reason", "tier", "priority")
        return cls(
            **{name: getattr(entry, name) for name in plain},
            by=Who(kind=entry.by_kind, id=entry.by_id, name=entry.by_name),
            cause=entry.cause_id,
            said=Said(direction=message.direction, text=message.text) if message else None,
        )


class EntryPage(BaseModel):
    """Oldest first. `next` is the cursor of the next page; null: this was the last."""

    items: list[EntryShown]
    next: int | None


@router.get("/{int:pk}/timeline", response={200: EntryPage, **REFUSALS})
def timeline(request: HttpRequest, pk: int, paging: Query[Paging]) -> EntryPage:
    """Everything that happened to a ticket, oldest first."""
    ticket = ticket_of(request, pk)
    entries, following = paging.oldest_first(Entry.objects.visible_to(caller(request)).filter(ticket=ticket))
    _leave_out_children_of_others(request, entries)
    words = _words_of(request, entries)
    return EntryPage(items=[EntryShown.of(entry, words) for entry in entries], next=following)


def _leave_out_children_of_others(request: HttpRequest, entries: Sequence[Entry]) -> None:
    """A major incident tells which tickets follow it, and how many: the caller learns of those they may see."""
    linked = {
        pk for entry in entries if entry.kind == ChildrenLinked.kind for pk in entry.details["children"]
    }
    if linked:
        mine = Ticket.objects.visible_to(caller(request)).filter(pk__in=linked)
        linked = set(mine.values_list("pk", flat=True))
    for entry in entries:
        if entry.kind == ChildrenLinked.kind:
            entry.details["children"] = [pk for pk in entry.details["children"] if pk in linked]
        elif entry.kind == CascadeCarried.kind:
            del entry.details["children"]


def _words_of(request: HttpRequest, entries: Sequence[Entry]) -> dict[int, Message]:
    ids = [entry.details["message"] for entry in entries if entry.details.get("message")]
    found: dict[int, Message] = Message.objects.visible_to(caller(request)).in_bulk(ids)
    return found
