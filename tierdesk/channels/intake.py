"""THE FUNNEL: any Inbound → a new ticket, a reply, a vendor's answer, or a visible refusal. Nothing is dropped.

A delivery is understood and acted on in one transaction that holds its row, so that a crash at any point leaves it
either untouched or done, and whoever else wants it waits and finds the result. What fails three times is parked.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Min
from django.db.models.functions import Greatest

from tierdesk.channels.models import Inbound, InboundState
from tierdesk.channels.registry import (
    Amended,
    File,
    NewTicket,
    Nothing,
    Refused,
    Reply,
    ToTheDesk,
    Undelivered,
    Understood,
    VendorAnswer,
    registered,
)
from tierdesk.core import clock
from tierdesk.core.facts import ENGINE
from tierdesk.core.work import current, work
from tierdesk.directory.clients.models import Client, Contact
from tierdesk.directory.contracts.models import version_in_force
from tierdesk.response.notifications.models import Notice
from tierdesk.tickets.conversation import Attachment, Direction
from tierdesk.tickets.models import Draft, Message, Participant, Ticket

MOST_TRIES = 3
ABOUT = 200
AT_ONCE = 20
PAUSE = timedelta(seconds=20)
LEASE = timedelta(seconds=15)
SAME_WITHIN = timedelta(hours=24)
"""Equal words with an equal Message-ID are one mail within this time; later, a device that repeats itself."""

log = logging.getLogger(__name__)


def understand_due(at: datetime) -> int:
    """Understand deliveries that wait, oldest first; one that fails does not hold up the others."""
    leased = _lease(at)
    for pk in leased:
        take_in(pk, at)
    return len(leased)


def next_due() -> datetime | None:
    """When the next delivery is to be understood. A head start lets none be older than it is."""
    waiting = Inbound.objects.filter(wake_at__isnull=False)
    found: datetime | None = waiting.aggregate(at=Min(Greatest("wake_at", "received_at")))["at"]
    return found


def take_in(pk: int, at: datetime | None = None) -> Ticket | None:
    """Understand one delivery and act on it; returns the ticket it led to, if it led to one.

    Waits while another process is at it, and returns what that one found. None: parked, or put off for a while.
    """
    at = at or clock.now()
    tries = _count_try(pk)
    try:
        with transaction.atomic():
            inbound: Inbound = Inbound.objects.select_for_update(of=("self",)).get(pk=pk)
            if inbound.state != InboundState.NEW:
                return inbound.ticket
            if tries > MOST_TRIES:
                return _act(inbound, Refused(f"Whoever tried to read it died of it, {tries - 1} times."), at)
            return _act(inbound, _understood(inbound), at)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        log.exception("delivery %s could not be taken in", pk)
        _put_off(pk, error, at, tries)
        return None


def _lease(at: datetime) -> list[int]:
    """Claim due deliveries for a few seconds, so that other engines look at other ones."""
    with transaction.atomic():
        due = Inbound.objects.filter(wake_at__lte=at).order_by("wake_at", "id")
        leased = list(due.select_for_update(skip_locked=True).values_list("pk", flat=True)[:AT_ONCE])
        Inbound.objects.filter(pk__in=leased).update(wake_at=at + LEASE)
    return leased


def _count_try(pk: int) -> int:
    """Committed before the try, so that even a try that ends this process is counted."""
    Inbound.objects.filter(pk=pk, state=InboundState.NEW).update(tries=F("tries") + 1)
    return Inbound.objects.values_list("tries", flat=True).get(pk=pk)


def _understood(inbound: Inbound) -> Understood:
    channel = registered().get(inbound.channel)
    if channel is None:
        return Refused(f"There is no channel “{inbound.channel}”.")
    return channel.understand(inbound)


def _act(inbound: Inbound, understood: Understood, at: datetime) -> Ticket | None:
    """Do what was understood, in one unit of work with the delivery's own row."""
    with work(by=getattr(understood, "by", ENGINE), at=_instant(inbound, understood, at)):
        ending = ACTIONS[type(understood)](inbound, understood)
        Inbound.objects.filter(pk=inbound.pk).update(
            state=ending.state,
            reason=ending.reason[:500],
            ticket=ending.ticket,
            client=ending.ticket.client if ending.ticket else ending.client or inbound.client,
            meta=inbound.meta,
            wake_at=None,
        )
    return ending.ticket


def _instant(inbound: Inbound, understood: Understood, at: datetime) -> datetime:
    """An answer counts from when it was received, but never before what was done on its ticket since (J08)."""
    if isinstance(understood, Reply):
        return min(at, max(inbound.received_at, understood.ticket.touched_at))
    return at


@dataclass(frozen=True)
class _Ending:
    """How a delivery ended."""

    state: str
    reason: str
    ticket: Ticket | None = None
    client: Client | None = None


def _open(inbound: Inbound, new: NewTicket) -> _Ending:
    draft = new.draft
    if twin := _twin(inbound, draft.client.pk, draft.message_id, draft.text):
        return _same_mail(twin)
    version = version_in_force(draft.client.pk, inbound.received_at.date())
    agreed = version is None or not version.channels or draft.channel in version.channels
    if not agreed and not inbound.meta.get("admitted"):
        inbound.meta["not_agreed"] = True
        inbound.meta["about"] = _about(draft)
        why = f"{draft.channel} is not an agreed channel of {draft.client.name}. Try it again to let it in."
        return _Ending(InboundState.PARKED, why, client=draft.client)
    if new.new_contact is not None and draft.contact is None:
        name, address = new.new_contact
        draft.contact, _ = Contact.objects.get_or_create(
            client=draft.client, email=address.lower()[:254], defaults={"name": name[:200] or address}
        )
    draft.contract_version, draft.at = version, inbound.received_at
    ticket = Ticket.open(draft)
    _keep_files(ticket.messages.get(), new.files)
    _propose(ticket, new.proposed)
    if new.related is not None and new.related.client_id == ticket.client_id:
        ticket.relate(new.related, new.relation)
    if new.taken_by is not None:
        _settle_then_take(ticket, new)
    return _Ending(InboundState.DONE, "a new ticket", ticket)


def _about(draft: Draft) -> str:
    who = f"{draft.contact.name}: " if draft.contact else ""
    return f"{who}{draft.subject}"[:ABOUT]


def _settle_then_take(ticket: Ticket, new: NewTicket) -> None:
    """Triage first, then the agent who spoke with the caller has the ticket."""
    current().settle()
    assert new.taken_by is not None
    ticket.take(new.taken_by)


def _answer(inbound: Inbound, reply: Reply) -> _Ending:
    if twin := _twin(inbound, reply.ticket.client_id, reply.message_id, reply.text):
        return _same_mail(twin)
    message = reply.ticket.hear(
        reply.text,
        channel=inbound.channel,
        html=reply.html,
        message_id=reply.message_id,
        automatic=reply.automatic,
        trust=reply.trust,
        why=reply.why,
        live=reply.live,
        reopens=reply.reopens,
    )
    _keep_files(message, reply.files)
    _propose(reply.ticket, reply.proposed)
    return _Ending(InboundState.DONE, reply.why, reply.ticket)


def _amend(inbound: Inbound, amended: Amended) -> _Ending:
    amended.ticket.amend(amended.message, amended.text)
    return _Ending(InboundState.DONE, "changed afterwards", amended.ticket)


def _hear_vendor(inbound: Inbound, answer: VendorAnswer) -> _Ending:
    case = answer.case
    if answer.message_id and case.messages.filter(message_id=answer.message_id, text=answer.text).exists():
        return _Ending(InboundState.DONE, f"the same mail as one on {case.number}", case.ticket)
    case.hear(
        answer.text,
        reference=answer.reference,
        message_id=answer.message_id,
        automatic=answer.automatic,
    )
    if answer.files:
        _keep_files(case.ticket.note(f"Files from {case.contract.vendor} on {case.number}."), answer.files)
    return _Ending(InboundState.DONE, f"the vendor’s answer on {case.number}", case.ticket)


def _bounce(inbound: Inbound, bounce: Undelivered) -> _Ending:
    notice = Notice.objects.select_related("ticket__client").get(pk=bounce.notice)
    if not bounce.permanent:
        return _Ending(InboundState.DONE, f"delayed: {bounce.why}", notice.ticket, notice.client)
    notice.come_back(bounce.why, dead=bounce.dead)
    return _Ending(InboundState.DONE, f"came back: {bounce.why}", notice.ticket, notice.client)


def _obey(inbound: Inbound, order: ToTheDesk) -> _Ending:
    if said := order.act():
        at = current().at
        Notice.objects.create(
            channel=order.channel,
            kind="answer",
            address=order.place,
            sender_name="Service Desk",
            subject=order.subject or order.why,
            text=said,
            automatic=True,
            created_at=at,
            wake_at=at,
        )
    return _Ending(InboundState.DONE, order.why)


def _rest(inbound: Inbound, nothing: Nothing) -> _Ending:
    return _Ending(InboundState.DONE, nothing.why)


def _park(inbound: Inbound, refused: Refused) -> _Ending:
    inbound.meta["about"] = refused.about[:ABOUT]
    return _Ending(InboundState.PARKED, refused.reason, client=refused.client)


ACTIONS: dict[type, Callable[..., _Ending]] = {
    NewTicket: _open,
    Reply: _answer,
    Amended: _amend,
    VendorAnswer: _hear_vendor,
    Undelivered: _bounce,
    ToTheDesk: _obey,
    Nothing: _rest,
    Refused: _park,
}


def _twin(inbound: Inbound, client: int, message_id: str, text: str) -> Message | None:
    """The message that this mail already became: it went to two of our mailboxes, or was fetched twice.

    A Message-ID alone proves nothing: there are senders that give the same to all their mails. The lock lets the
    second of two processes see what the first one wrote.
    """
    if not message_id:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [message_id])
    same = Message.objects.exclude(message_id="").filter(message_id=message_id, client=client, text=text)
    lately = same.filter(direction=Direction.INBOUND, at__gte=inbound.received_at - SAME_WITHIN)
    return lately.select_related("ticket__client").first()


def _same_mail(twin: Message) -> _Ending:
    return _Ending(InboundState.DONE, f"the same mail as one on {twin.ticket.reference}", twin.ticket)


def _propose(ticket: Ticket, addresses: Sequence[str]) -> None:
    """Offer people as participants. Whoever is one already, or is the contact, is not offered again."""
    fresh = [one for one in addresses if not ticket.is_participant(one)]
    known = {c.email: c for c in Contact.objects.filter(client=ticket.client_id, email__in=fresh)}
    Participant.objects.bulk_create(
        (
            Participant(client_id=ticket.client_id, ticket=ticket, email=address, contact=known.get(address))
            for address in fresh
        ),
        ignore_conflicts=True,
    )


def _keep_files(message: Message, files: Sequence[File]) -> None:
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


def _put_off(pk: int, error: Exception, at: datetime, tries: int) -> None:
    """Try again later; after MOST_TRIES park it, so that nothing behind it waits and somebody looks at it."""
    said = f"{type(error).__name__}: {error}"[:400]
    if isinstance(error, DatabaseError):
        said = f"the database refused it ({type(error).__name__})"
    waiting = Inbound.objects.filter(pk=pk, state=InboundState.NEW)
    if tries < MOST_TRIES:
        waiting.update(reason=said, wake_at=at + PAUSE * tries)
        return
    reason = f"It could not be taken in {tries} times: {said}"
    waiting.update(state=InboundState.PARKED, reason=reason, wake_at=None)
