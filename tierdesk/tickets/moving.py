"""Words that came to the wrong ticket: moved to another one of the same client, or made a ticket of their own.

A message stands on one ticket at a time, so no reader of the wrong one sees it any longer, and its files go with it.
That it was there, who moved it and why stays on both timelines; mails that answer it follow it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from tierdesk.core.work import current, record
from tierdesk.directory.clients.identify import by_address
from tierdesk.directory.clients.models import Contact
from tierdesk.directory.contracts.models import version_in_force
from tierdesk.tickets.conversation import Direction, Message
from tierdesk.tickets.facts import MatterSplit, MatterTakenOver, WordsMoved, WordsTakenIn
from tierdesk.tickets.lifecycle import StaleTicket, State, UnableTo
from tierdesk.tickets.models import Draft, Entry, Participant, Ticket

STAYS_WITH = {"chat": "Words of a chat stay with their chat.", "phone": "A call stays with its ticket."}
ENDS_A_WAIT = {"replied", "pended", "resumed", "resolved", "reopened", "handed_over"}


@dataclass(frozen=True, slots=True)
class Woken:
    """What words did to the ticket they came to: ended its wait for `reason`, or (without one) reopened it.

    `until`: when it would have woken by itself.
    """

    reason: str = ""
    until: datetime | None = None


def move_words(message: Message, *, to: Ticket, why: str) -> None:
    """Put the contact's words where they belong: `to` hears them as if they had come there, and wakes or reopens.

    A wait that they ended goes on. Raises UnableTo for words that cannot be moved, across clients and into a ticket
    that is over; StaleTicket when somebody moved them first.
    """
    source = message.ticket
    _refuse_unmovable(message, why)
    if to.client_id != source.client_id:
        raise UnableTo("Words never go to a ticket of another client.")
    if to.pk == source.pk:
        raise UnableTo(f"They are on {source.reference} already.")
    if to.state in (State.CLOSED, State.CANCELLED):
        raise UnableTo(f"{to.reference} is {to.state}; make a new ticket of these words instead.")
    source.hold(to)
    _take_off(message, source, to, why)
    to.change()
    record(WordsTakenIn(ticket=to, message=message.pk, origin=source.pk, why=why.strip()))
    _propose(message, to)
    to.heed(message, why=f"moved from {source.reference}")


def split_off(message: Message, *, subject: str, why: str) -> Ticket:
    """Make a new ticket of the contact's words. It counts from when they were received (promises.md I04).

    Raises UnableTo for words that cannot be moved; StaleTicket when somebody moved them first.
    """
    source = message.ticket
    _refuse_unmovable(message, why)
    if not subject.strip():
        raise UnableTo("Give the new ticket a subject.")
    source.hold()
    ticket = Ticket.open(_draft(message, subject))
    _take_off(message, source, ticket, why)
    record(WordsTakenIn(ticket=ticket, message=message.pk, origin=source.pk, why=why.strip()))
    return ticket


def split_matter(message: Message, *, subject: str, text: str, why: str) -> Ticket:
    """One mail, two matters: the second becomes a ticket that counts from when it was received (promises.md I04).

    `text` is what of the words it is about; they stay where they are, with their files. Raises UnableTo for what nobody
    outside wrote, and without a subject, a text or a reason.
    """
    if not can_split(message):
        raise UnableTo("Only what a contact said can hold a second matter.")
    if not subject.strip() or not text.strip():
        raise UnableTo("Give the second matter a subject, and say what of the words it is about.")
    if not why.strip():
        raise UnableTo("Say why it is a matter of its own: both tickets keep the reason.")
    source = message.ticket
    source.change()
    draft = _draft(message, subject)
    ticket = Ticket.open(replace(draft, text=text.strip(), html="", message_id="", said=None))
    record(MatterSplit(ticket=source, message=message.pk, to=ticket.pk, why=why.strip()))
    record(MatterTakenOver(ticket=ticket, message=message.pk, origin=source.pk, why=why.strip()))
    return ticket


def can_split(message: Message) -> bool:
    """Whether these are a contact's words, which may hold a second matter."""
    return message.direction == Direction.INBOUND and message.by_kind == "contact"


def can_move(message: Message) -> bool:
    """Whether these are words that may go to another ticket."""
    return not _why_unmovable(message)


def was_moved(message: Message) -> bool:
    """Whether somebody put these words where they are."""
    taken = Entry.objects.filter(ticket=message.ticket_id, kind=WordsTakenIn.kind)
    return taken.filter(details__message=message.pk).exists()


def woken_by(message: Message) -> Woken | None:
    """What these words did to their ticket, if nothing was done there since."""
    if message.ticket.state != State.OPEN:
        return None
    told = Entry.objects.of(message.ticket_id)
    heard = told.filter(kind="heard", details__message=message.pk).last()
    if heard is None:
        return None
    after = told.filter(pk__gt=heard.pk)
    woke = after.filter(at=heard.at, kind__in=["resumed", "reopened"]).first()
    if woke is None or after.filter(pk__gt=woke.pk, kind__in=ENDS_A_WAIT).exists():
        return None
    if woke.kind == "reopened":
        return Woken()
    pended = told.filter(pk__lt=heard.pk, kind="pended").last()
    until = pended.details.get("until") if pended else None
    return Woken(woke.details["reason"], datetime.fromisoformat(until) if until else None)


def _refuse_unmovable(message: Message, why: str) -> None:
    if refused := _why_unmovable(message):
        raise UnableTo(refused)
    if not why.strip():
        raise UnableTo("Say why these words belong elsewhere: both tickets keep the reason.")


def _why_unmovable(message: Message) -> str:
    if message.direction != Direction.INBOUND:
        return "Only what a contact wrote can be moved."
    if message.channel in STAYS_WITH:
        return STAYS_WITH[message.channel]
    if not message.ticket.messages.filter(pk__lt=message.pk, direction=Direction.INBOUND).exists():
        return f"{message.ticket.reference} was opened by these words; merge it into another ticket instead."
    return ""


def _take_off(message: Message, source: Ticket, to: Ticket, why: str) -> None:
    woken = woken_by(message)
    moved = Message.objects.filter(pk=message.pk, ticket=source)
    if not moved.update(ticket=to, why=f"moved here from {source.reference}"):
        raise StaleTicket(source)
    source.change()
    record(WordsMoved(ticket=source, message=message.pk, to=to.pk, why=why.strip(), attached_by=message.why))
    message.ticket = to
    if woken is not None and woken.reason:
        until = woken.until if woken.until and woken.until > current().at else None
        source.pend(woken.reason, until=until, asked=True)


def _propose(message: Message, ticket: Ticket) -> None:
    """Offer whoever wrote it as a participant, so that their next mail finds its way; they can read nothing yet."""
    speaker = _speaker(message)
    if speaker is not None and speaker.email and not ticket.is_participant(speaker.email):
        Participant.objects.get_or_create(
            ticket=ticket, email=speaker.email, defaults={"client_id": ticket.client_id, "contact": speaker}
        )


def _draft(message: Message, subject: str) -> Draft:
    client, contact = message.ticket.client, _speaker(message)
    doubt = "a machine wrote it" if message.automatic else ""
    if message.trust == "failed":
        doubt = "the mail fails its sender’s check"
    return Draft(
        client=client,
        contact=contact,
        subject=subject,
        text=message.text,
        html=message.html,
        channel=message.channel,
        contract_version=version_in_force(client.pk, message.at.date()),
        message_id=message.message_id,
        trust=message.trust,
        traits={"mail.no_receipt": doubt} if doubt else {},
        at=message.at,
        said=message,
    )


def _speaker(message: Message) -> Contact | None:
    """Whose words they are: a contact of the client by name, or known by the address that they came from."""
    client = message.ticket.client
    if message.by_kind != "contact":
        return None
    if message.by_id is not None:
        return Contact.objects.filter(pk=message.by_id, client=client).first()
    contact = by_address(message.by_name).contact
    return contact if contact is not None and contact.client_id == client.pk else None
