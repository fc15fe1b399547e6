"""THE FUNNEL: any Inbound → a new ticket, a reply, a vendor's answer, or a visible refusal. Nothing is dropped.

Understanding reads; acting is one unit of work in which the delivery's own row is claimed and finished, so that a
crash at any point leaves it either untouched or done. What fails three times is parked with its reason.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import DatabaseError, InterfaceError, OperationalError

from tierdesk.channels.models import Inbound, InboundState
from tierdesk.channels.registry import (
    File,
    NewTicket,
    Nothing,
    Refused,
    Reply,
    Undelivered,
    Understood,
    VendorAnswer,
    registered,
)
from tierdesk.core import clock
from tierdesk.core.facts import ENGINE
from tierdesk.core.work import current, work
from tierdesk.directory.clients.models import Contact
from tierdesk.directory.contracts.models import version_in_force
from tierdesk.response.notifications.models import Notice, NoticeState
from tierdesk.tickets.conversation import Attachment
from tierdesk.tickets.lifecycle import State
from tierdesk.tickets.models import Message, Ticket

MOST_TRIES = 3
AT_ONCE = 20
PAUSE = timedelta(seconds=20)

log = logging.getLogger(__name__)


def understand_due(at: datetime) -> int:
    """Understand deliveries that wait, oldest first; one that fails does not hold up the others."""
    waiting = (
        Inbound.objects.filter(wake_at__lte=at)
        .order_by("wake_at", "id")
        .values_list("pk", flat=True)[:AT_ONCE]
    )
    for pk in waiting:
        take_in(pk, at)
    return len(waiting)


def take_in(pk: int, at: datetime | None = None) -> Ticket | None:
    """Understand one delivery and act on it; returns the ticket it led to, if it led to one."""
    at = at or clock.now()
    inbound = Inbound.objects.get(pk=pk)
    if inbound.state != InboundState.NEW:
        return inbound.ticket
    try:
        return _act(inbound, _understood(inbound), at)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        log.exception("delivery %s could not be taken in", pk)
        _put_off(inbound, error, at)
        return None


def _understood(inbound: Inbound) -> Understood:
    channel = registered().get(inbound.channel)
    if channel is None:
        return Refused(f"There is no channel “{inbound.channel}”.")
    return channel.understand(inbound)


def _act(inbound: Inbound, understood: Understood, at: datetime) -> Ticket | None:
    """Do what was understood, in one unit of work with the delivery's own row."""
    with work(by=getattr(understood, "by", ENGINE), at=at):
        if (
            not Inbound.objects.select_for_update(skip_locked=True)
            .filter(pk=inbound.pk, state="new")
            .exists()
        ):
            return None  # another process has it
        ending = ACTIONS[type(understood)](inbound, understood)
        values = {
            "state": ending.state,
            "reason": ending.reason[:500],
            "wake_at": None,
            "tries": inbound.tries + 1,
        }
        client = ending.ticket.client if ending.ticket else ending.client
        Inbound.objects.filter(pk=inbound.pk).update(ticket=ending.ticket, client=client, **values)
    return ending.ticket


class _Ending:
    """How a delivery ended."""

    def __init__(self, state: str, reason: str, ticket: Ticket | None = None, client: object = None) -> None:
        self.state, self.reason, self.ticket, self.client = state, reason, ticket, client


def _open(inbound: Inbound, new: NewTicket) -> _Ending:
    draft = new.draft
    version = version_in_force(draft.client.pk, inbound.received_at.date())
    if version is not None and version.channels and draft.channel not in version.channels:
        return _Ending(
            InboundState.PARKED,
            f"{draft.channel} is not an agreed channel of {draft.client.name}.",
            client=draft.client,
        )
    if new.new_contact is not None and draft.contact is None:
        name, address = new.new_contact
        draft.contact, _ = Contact.objects.get_or_create(
            client=draft.client, email=address.lower()[:254], defaults={"name": name[:200] or address}
        )
    draft.contract_version, draft.at = version, inbound.received_at
    ticket = Ticket.open(draft)
    _keep_files(ticket.messages.get(), new.files)
    if new.related is not None and new.related.client_id == ticket.client_id:
        ticket.relate(new.related, "possibly_related")
    if new.taken_by is not None:
        _settle_then_take(ticket, new)
    return _Ending(InboundState.DONE, "a new ticket", ticket)


def _settle_then_take(ticket: Ticket, new: NewTicket) -> None:
    """Triage first, then the agent who spoke with the caller has the ticket."""
    current().settle()
    assert new.taken_by is not None
    ticket.take(new.taken_by)


def _answer(inbound: Inbound, reply: Reply) -> _Ending:
    if reply.ticket.state in (State.CLOSED, State.CANCELLED):
        if reply.automatic or reply.fallback is None:
            return _Ending(InboundState.DONE, f"{reply.ticket.reference} is closed; kept", reply.ticket)
        reply.fallback.at = inbound.received_at
        follow_up = Ticket.open(reply.fallback)
        _keep_files(follow_up.messages.get(), reply.files)
        follow_up.relate(reply.ticket, "follow_up_of")
        return _Ending(InboundState.DONE, f"a follow-up of {reply.ticket.reference}", follow_up)
    message = reply.ticket.hear(
        reply.text,
        channel=inbound.channel,
        html=reply.html,
        message_id=reply.message_id,
        automatic=reply.automatic,
        trust=reply.trust,
        why=reply.why,
    )
    _keep_files(message, reply.files)
    return _Ending(InboundState.DONE, reply.why, reply.ticket)


def _hear_vendor(inbound: Inbound, answer: VendorAnswer) -> _Ending:
    answer.case.hear(answer.text, reference=answer.reference, message_id=answer.message_id)
    return _Ending(InboundState.DONE, f"the vendor’s answer on {answer.case.number}", answer.case.ticket)


def _bounce(inbound: Inbound, bounce: Undelivered) -> _Ending:
    notice = Notice.objects.filter(message_id=bounce.message_id).exclude(message_id="").first()
    if notice is None:
        return _Ending(InboundState.DONE, f"a bounce of something that we did not send: {bounce.why}")
    if not bounce.permanent:
        return _Ending(InboundState.DONE, f"delayed: {bounce.why}", notice.ticket)
    Notice.objects.filter(pk=notice.pk).update(state=NoticeState.BOUNCED, error=bounce.why[:500])
    Contact.objects.filter(pk=notice.contact_id).update(undeliverable_since=inbound.received_at)
    if notice.ticket is not None:
        notice.ticket.note(f"Our mail to {notice.address} came back: {bounce.why}")
    return _Ending(InboundState.DONE, bounce.why, notice.ticket)


def _rest(inbound: Inbound, nothing: Nothing) -> _Ending:
    return _Ending(InboundState.DONE, nothing.why)


def _park(inbound: Inbound, refused: Refused) -> _Ending:
    return _Ending(InboundState.PARKED, refused.reason, client=refused.client)


ACTIONS: dict[type, Callable[..., _Ending]] = {
    NewTicket: _open,
    Reply: _answer,
    VendorAnswer: _hear_vendor,
    Undelivered: _bounce,
    Nothing: _rest,
    Refused: _park,
}


def _keep_files(message: Message, files: tuple[File, ...]) -> None:
    Attachment.objects.bulk_create(
        Attachment(
            client_id=message.client_id,
            message=message,
            name=file.name[:255] or "file",
            content_type=file.content_type[:127],
            size=len(file.content),
            sha256=hashlib.sha256(file.content).hexdigest(),
            content=file.content,
        )
        for file in files
    )


def _put_off(inbound: Inbound, error: Exception, at: datetime) -> None:
    """Try again later; after MOST_TRIES park it, so that nothing behind it waits and somebody looks at it."""
    tries, said = inbound.tries + 1, f"{type(error).__name__}: {error}"[:400]
    if isinstance(error, DatabaseError):
        said = f"the database refused it ({type(error).__name__})"
    rest = (
        {
            "state": InboundState.PARKED,
            "reason": f"It could not be taken in {tries} times: {said}",
            "wake_at": None,
        }
        if tries >= MOST_TRIES
        else {"reason": said, "wake_at": at + PAUSE * tries}
    )
    Inbound.objects.filter(pk=inbound.pk, state=InboundState.NEW).update(tries=tries, **rest)
