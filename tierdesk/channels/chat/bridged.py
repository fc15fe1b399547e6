"""Threads on a platform: what comes in, how it is understood, and how our words get there."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime, timedelta
from functools import lru_cache

from django.db import connection

from tierdesk.channels.chat import answers
from tierdesk.channels.chat.models import Bridge, Conversation
from tierdesk.channels.chat.platforms import (
    Admitted,
    Changed,
    Knock,
    NotAdmitted,
    Person,
    Platform,
    Rejected,
    Said,
    TooFast,
    Unreachable,
    platforms,
)
from tierdesk.channels.models import Inbound
from tierdesk.channels.outbox import NotYet
from tierdesk.channels.registry import Amended, NewTicket, Nothing, Refused, Reply, Understood
from tierdesk.core.facts import Actor
from tierdesk.core.seal import Unsealable
from tierdesk.directory.clients.identify import by_address
from tierdesk.directory.clients.models import Contact
from tierdesk.response.notifications.models import Notice
from tierdesk.tickets.lifecycle import State
from tierdesk.tickets.models import Draft, Message, Ticket
from tierdesk.tickets.relations import RelationKind

SUBJECT = 80


def hear(bridge: Bridge, knock: Knock, at: datetime) -> Admitted:
    """Keep what a platform says, before it is acknowledged; the worker understands it. Raises NotAdmitted."""
    try:
        admitted = _platform(bridge).admit(bridge, knock, at)
    except Unsealable as damaged:
        raise NotAdmitted(str(damaged)) from damaged
    for key, raw in admitted.deliveries:
        Inbound.store(
            "chat",
            raw,
            ext_key=f"{bridge.kind}:{bridge.pk}:{key}",
            meta={"bridge": bridge.pk},
            client=bridge.client_id,
            at=at,
        )
    return admitted


def understand(inbound: Inbound) -> Understood:
    """A thread is a ticket; what is changed afterwards is told on it and rewrites nothing."""
    bridge = Bridge.objects.select_related("client").filter(pk=inbound.meta["bridge"]).first()
    if bridge is None or bridge.kind not in platforms():
        return Refused("The bridge that this came over no longer exists.")
    heard = _platform(bridge).read(bridge, json.loads(bytes(inbound.raw)))
    if isinstance(heard, Changed):
        return _changed(bridge, heard)
    if heard is None or not heard.text.strip():
        return Nothing("nothing that anybody said to us")
    if (answered := answers.understood(bridge, heard)) is not None:
        return answered
    if bridge.rooms and heard.room not in bridge.rooms:
        return Nothing("said in a room where we do not listen")
    return _said(bridge, heard)


def post(conversation: Conversation, notice: Notice, at: datetime) -> str:
    """Our words go into the thread; returns the platform's id of them, as messages here carry it.

    Raises NotYet when the platform wants us to wait, Unreachable when it is away, ValueError if it will never be.
    """
    bridge = conversation.bridge
    if bridge is None:
        raise ValueError("the bridge to this thread no longer exists")
    text = notice.said.text if notice.said is not None else notice.text
    try:
        posted = _platform(bridge).post(bridge, conversation.thread, text, f"tierdesk-n{notice.pk}")
    except Unsealable as damaged:
        raise Unreachable(str(damaged)) from damaged
    except TooFast as slow:
        raise NotYet(at + timedelta(seconds=slow.wait_s)) from slow
    return _known_as(bridge, posted)


def say(notice: Notice, at: datetime) -> str:
    """What the desk says to one of its agents in a room or thread; raises as `post` does."""
    key, _slash, place = notice.address.partition("/")
    bridge = Bridge.objects.filter(key=key, pages_agents=True, is_active=True).first()
    if bridge is None:
        raise ValueError("agents are not talked to over this bridge any more")
    try:
        return _known_as(bridge, _platform(bridge).post(bridge, place, notice.text, f"tierdesk-n{notice.pk}"))
    except Unsealable as damaged:
        raise Unreachable(str(damaged)) from damaged
    except TooFast as slow:
        raise NotYet(at + timedelta(seconds=slow.wait_s)) from slow


def _platform(bridge: Bridge) -> Platform:
    return platforms()[bridge.kind]


def _known_as(bridge: Bridge, message: str) -> str:
    return f"{bridge.kind}:{bridge.pk}:{message}"


def _said(bridge: Bridge, said: Said) -> Understood:
    with connection.cursor() as cursor:  # two lines of a new thread that arrive together are one ticket
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{bridge.pk} {said.thread}"]
        )
    known = Conversation.objects.filter(bridge=bridge, thread=said.thread).select_related("ticket__client")
    conversation = known.first()
    before = conversation.ticket if conversation else None
    person = _person(bridge.pk, said.user)
    contact = _contact(bridge, person)
    by = contact.actor() if contact else Actor("contact", person.name)
    if before is None or before.state in (State.CLOSED, State.CANCELLED):
        return _new_ticket(bridge, said, by, contact, before)
    return Reply(before, said.text, by=by, why="", message_id=_known_as(bridge, said.message))


def _new_ticket(
    bridge: Bridge, said: Said, by: Actor, contact: Contact | None, before: Ticket | None
) -> NewTicket:
    first = next(line.strip() for line in said.text.splitlines() if line.strip())
    draft = Draft(
        client=bridge.client,
        contact=contact,
        subject=first if len(first) <= SUBJECT else f"{first[: SUBJECT - 1].rstrip()}…",
        text=said.text,
        channel="chat",
        message_id=_known_as(bridge, said.message),
        traits={
            "chat.bridge": bridge.pk,
            "chat.thread": said.thread,
            "mail.no_receipt": "the thread itself says that it has arrived",
        },
    )
    return NewTicket(draft, by=by, related=before, relation=RelationKind.FOLLOW_UP.value)


def _changed(bridge: Bridge, changed: Changed) -> Understood:
    known = Message.objects.filter(message_id=_known_as(bridge, changed.message), client=bridge.client_id)
    message = known.select_related("ticket__client").first()
    if message is None:
        return Nothing("a change of something that was not said to us")
    by = Actor(message.by_kind, message.by_name, message.by_id)
    return Amended(message.ticket, message, changed.text, by=by)


def _contact(bridge: Bridge, person: Person) -> Contact | None:
    found = by_address(person.email).contact if person.email else None
    return found if found is not None and found.client_id == bridge.client_id else None


@lru_cache(maxsize=2048)
def _known_person(bridge_id: int, user: str) -> Person:
    bridge = Bridge.objects.get(pk=bridge_id)
    return _platform(bridge).person(bridge, user)


def _person(bridge_id: int, user: str) -> Person:
    """Who that is; a platform that does not say it now must not hold up what was said."""
    with suppress(Unreachable, TooFast, Rejected, Unsealable):
        return _known_person(bridge_id, user)
    return Person(user)
