"""A ticket's page in one order: messages and timeline entries, each event with its cause."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from tierdesk.core.written import Written
from tierdesk.tickets.conversation import Direction
from tierdesk.tickets.models import Attachment, Entry, Message, Ticket
from tierdesk.tickets.moving import STAYS_WITH, can_split
from tierdesk.web.workspace.sentences import sentence_of

BY_THE_DESK = {
    "triaged",
    "hierarchy_told",
    "gap_opened",
    "cascade_carried",
    "paging_started",
}
"""What the desk itself does in answer to somebody: the cause names them, the line does not."""

OF_THEMSELVES = {
    "action_due",
    "advice_late",
    "alarm_calmed",
    "alarm_flaps",
    "alarms_worsened",
    "breached",
    "case_chased",
    "case_missing",
    "chat_ended",
    "escalation_overtaken",
    "hand_due",
    "hand_refused",
    "left_late",
    "manager_missing",
    "nobody_on_call",
    "page_failed",
    "page_followed",
    "rung_reached",
    "undelivered",
    "update_due",
    "update_missed",
    "wait_returned",
    "warned",
    "workaround_known",
}
"""What comes to pass, whoever was at it: the sentence has a subject of its own."""

WITHOUT_A_NAME = BY_THE_DESK | OF_THEMSELVES

_MESSAGES = Written(lambda ticket: Message.objects.filter(ticket=ticket).order_by("at", "id"))
_FILES = Written(
    lambda ticket: (
        Attachment.objects.filter(message__ticket=ticket)
        .only("id", "name", "size", "message_id")
        .order_by("id")
    )
)

ON_THE_LADDER = {"escalation_sent", "escalation_returned", "escalation_coached", "escalation_withdrawn"}

TOLD_BY_THE_MESSAGE = {"replied", "noted", "heard"}
"""Entries that the message itself shows."""


@dataclass(frozen=True, slots=True)
class Event:
    """A timeline entry as the page shows it. `cause`: (words, address) of the entry that led to it."""

    id: int
    at: datetime
    actor: str
    words: str
    icon: str
    tone: str
    cause: dict[str, str] | None


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the stream: exactly one of `message` and `event` is set. `files`: the message's."""

    at: datetime
    message: Message | None = None
    kind: str = ""
    files: Sequence[Attachment] = ()
    event: Event | None = None


def stream_of(ticket: Ticket, entries: Sequence[Entry], hanging: Collection[str]) -> list[Item]:
    """Everything that was said and done, oldest first, of its `entries` and what it has (`hanging`, hanging.py)."""
    files: dict[int, list[Attachment]] = defaultdict(list)
    for file in _FILES(ticket=ticket.pk) if "files" in hanging else ():
        files[file.message_id].append(file)
    items = [
        Item(message.at, message=message, kind=_kind(message), files=files.get(message.pk, ()))
        for message in _MESSAGES(ticket=ticket)
    ]
    items += [Item(event.at, event=event) for event in events_of(entries)]
    return sorted(items, key=lambda item: (item.at, item.message is None))


def movable_of(stream: Sequence[Item]) -> set[int]:
    """Keys of the messages that may belong elsewhere, as a whole or in part: what contacts said."""
    heard = [item.message for item in stream if item.message and item.message.direction == Direction.INBOUND]
    movable = {message.pk for message in heard[1:] if message.channel not in STAYS_WITH}
    return movable | {message.pk for message in heard if can_split(message)}


def events_of(entries: Sequence[Entry]) -> list[Event]:
    """Entries as a page shows them, each with its cause if that is among them."""
    told = _told_by_the_ladder(entries)
    shown = {entry.pk: told.get(entry.pk, entry) for entry in entries}
    return [
        _event(entry, None if (cause := shown.get(entry.cause_id or 0)) is entry else cause)
        for entry in entries
        if entry.kind not in TOLD_BY_THE_MESSAGE and entry.pk not in told
    ]


def _told_by_the_ladder(entries: Sequence[Entry]) -> dict[int, Entry]:
    """Of entries that a ticket changed hands, the hand-over of the same instant, which says so with its reason."""
    ladder = {entry.at: entry for entry in entries if entry.kind in ON_THE_LADDER}
    return {
        entry.pk: ladder[entry.at] for entry in entries if entry.kind == "handed_over" and entry.at in ladder
    }


def _event(entry: Entry, cause: Entry | None) -> Event:
    words, icon, tone = sentence_of(entry)
    because = {"text": _short(cause), "href": f"#entry-{cause.pk}"} if cause else None
    return Event(entry.pk, entry.at, _doer(entry), words, icon, tone, because)


def _doer(entry: Entry) -> str:
    return "" if entry.kind in WITHOUT_A_NAME else entry.by_name


def _short(entry: Entry) -> str:
    if entry.kind in TOLD_BY_THE_MESSAGE:
        return {"replied": "we replied", "noted": "a note was written", "heard": "the contact wrote"}[
            entry.kind
        ]
    who = "" if entry.by_kind == "engine" else _doer(entry)
    words = f"{who} {sentence_of(entry)[0]}".lstrip()
    return words if len(words) <= 80 else words[:79] + "…"


def _kind(message: Message) -> str:
    if message.direction == Direction.INTERNAL:
        return "note"
    if message.direction == Direction.OUTBOUND:
        return "reply"
    return "system" if message.automatic or message.by_kind in {"channel", "engine"} else "customer"
