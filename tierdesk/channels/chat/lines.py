"""What a visitor says: a conversation begins, and line after line goes through the funnel."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from tierdesk.channels.chat.models import OVER_AFTER, ChatState, Conversation, Widget, digest
from tierdesk.channels.chat.seats import somebody_is_there
from tierdesk.channels.intake import take_in
from tierdesk.channels.models import Inbound
from tierdesk.directory.clients.models import Contact
from tierdesk.tickets.conversation import Direction
from tierdesk.tickets.models import Ticket

LONGEST_LINE = 4000
MOST_LINES = 20
MOST_STARTS = 10
MOST_STARTS_OF_A_WIDGET = 60
MINUTE = timedelta(minutes=1)
TOKEN = re.compile(r"[A-Za-z0-9_-]{43,100}")
LINE_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")


class TooMany(Exception):
    """More than a person says in a minute."""


class Unclear(ValueError):
    """What came is no line of a chat."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """What a visitor's page tells about its reader. `contact` only if our own portal vouches for it."""

    name: str = ""
    email: str = ""
    contact: Contact | None = None
    page: str = ""
    remote: str = ""


def start(widget: Widget, token: str, visitor: Visitor, at: datetime, *, stays: bool = True) -> Conversation:
    """Begin a conversation under the visitor's own token, or find the one that this token has begun.

    Where nobody is there, or the visitor does not stay, it begins as over: a message that is answered by mail.
    Raises TooMany, and Unclear for a token that could be guessed.
    """
    if not TOKEN.fullmatch(token):
        raise Unclear("The token of a conversation has 256 random bits.")
    known = Conversation.objects.filter(widget=widget, token_sha256=digest(token)).first()
    if known is None:
        _demand_patience(widget, visitor.remote, at)
        known, _ = Conversation.objects.get_or_create(
            widget=widget, token_sha256=digest(token), defaults=_fresh(widget, visitor, at, stays)
        )
    return known


def say(conversation: Conversation, text: str, key: str, at: datetime) -> Ticket | None:
    """Keep a line, then put it on the conversation's ticket. Sent twice with the same key, it is one line.

    None: it is kept, and what it becomes is decided later. Raises TooMany and Unclear.
    """
    words = text.strip()
    if not words or len(words) > LONGEST_LINE or "\0" in words or not LINE_KEY.fullmatch(key):
        raise Unclear(f"A line has 1 to {LONGEST_LINE} characters and a key of its own.")
    lately = conversation.lines().filter(direction=Direction.INBOUND, at__gt=at - MINUTE)
    if lately.count() >= MOST_LINES:
        raise TooMany
    raw = json.dumps({"conversation": conversation.pk, "text": words}).encode()
    pk, _ = Inbound.store(
        "chat",
        raw,
        ext_key=f"{conversation.pk}:{key}",
        remote=conversation.remote,
        meta={"conversation": conversation.pk},
        client=conversation.client_id,
        at=at,
    )
    ticket = take_in(pk, at)
    if conversation.state == ChatState.ENDED and conversation.is_there(at):
        _call_again(conversation, at)
    return ticket


def _call_again(conversation: Conversation, at: datetime) -> None:
    """Words in a chat that was over: somebody is wanted again, if somebody is there."""
    if conversation.widget is not None and somebody_is_there(conversation.widget, at):
        conversation.wait_again(at)


def _demand_patience(widget: Widget, remote: str, at: datetime) -> None:
    lately = Conversation.objects.filter(widget=widget, started_at__gt=at - MINUTE)
    mine = lately.filter(remote=remote) if remote else lately.none()
    if mine.count() >= MOST_STARTS or lately.count() >= MOST_STARTS_OF_A_WIDGET:
        raise TooMany


def _fresh(widget: Widget, visitor: Visitor, at: datetime, stays: bool) -> dict[str, object]:
    there = stays and somebody_is_there(widget, at)
    return {
        "client_id": widget.client_id,
        "contact": visitor.contact,
        "trust": "verified" if visitor.contact else "unverified",
        "name": visitor.name[:200],
        "email": visitor.email,
        "page": visitor.page[:500],
        "remote": visitor.remote[:200],
        "state": ChatState.WAITING if there else ChatState.ENDED,
        "started_at": at,
        "ended_at": None if there else at,
        "seen_at": at if stays else None,
        "wake_at": at + OVER_AFTER if there else None,
    }
