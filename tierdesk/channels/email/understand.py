"""How mail is understood: who wrote it, to what it belongs, and how sure we are. Acting is the funnel's.

In this order (mail-and-channels.md §1): bounces, our own mail, agents, vendors' answers, signed addresses,
Message-IDs (participants only), a number in the subject (participants only), else a new ticket. Nothing is ever
threaded on a subject alone, and no mail shows a ticket to anybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property

from django.conf import settings

from tierdesk.channels.email import sandbox
from tierdesk.channels.email.addresses import Address
from tierdesk.channels.email.authentication import Trust, judge
from tierdesk.channels.email.automatic import AutoReply, hops, reason_not_to_answer, without_detail
from tierdesk.channels.email.bounces import Bounce, Outcome
from tierdesk.channels.email.limits import Unreadable
from tierdesk.channels.email.message import Mail
from tierdesk.channels.email.models import Mailbox, our_addresses, secret
from tierdesk.channels.email.pages import answered, page_mail
from tierdesk.channels.email.sealed import sealed
from tierdesk.channels.email.thanks import is_only_thanks
from tierdesk.channels.email.token import (
    AddressToken,
    Purpose,
    find_canary,
    verify_address,
    verify_message_id,
)
from tierdesk.channels.email.vigil import hear, take_back
from tierdesk.channels.models import Inbound
from tierdesk.channels.registry import (
    File,
    NewTicket,
    Nothing,
    Refused,
    Reply,
    Told,
    ToTheDesk,
    Undelivered,
    Understood,
    VendorAnswer,
)
from tierdesk.core.facts import Actor
from tierdesk.directory.clients.identify import NOBODY, Identity, by_address
from tierdesk.directory.clients.models import Client, Contact, Domain
from tierdesk.directory.staff.models import User
from tierdesk.response.notifications.models import Notice
from tierdesk.response.vendors.models import Case, find_case, find_vendor, their_reference
from tierdesk.tickets.conversation import Direction
from tierdesk.tickets.lifecycle import State
from tierdesk.tickets.models import Draft, Message, Participant, Ticket
from tierdesk.tickets.moving import was_moved
from tierdesk.tickets.relations import RelationKind
from tierdesk.tickets.resettling import was_of

REFERENCE = re.compile(r"\bTD-(\d{1,15})\b", re.IGNORECASE)
MOST_IDS = 60
MOST_PROPOSED = 20
SOONER_THAN_ANYBODY_READS = timedelta(minutes=2)
NO_TEXT = "(no text)"
NO_SUBJECT = "(no subject)"
TOO_LARGE = (
    "This mail has {megabytes:.0f} MB, too much to take. All of it is still on the mail server, in {address}."
)


def understand(inbound: Inbound) -> Understood:
    """What this mail is. Raises nothing for any bytes (the parser runs in a process that may die).

    It writes down that the mailbox was heard, and nothing else.
    """
    try:
        mail = sandbox.parse(_with_envelope(inbound))
    except Unreadable as unreadable:
        return Refused(f"The mail could not be read: {unreadable.reason}")
    understood = _Reading(inbound, mail).understood()
    return replace(understood, about=_about(mail)) if isinstance(understood, Refused) else understood


def told(inbound: Inbound) -> Told | None:
    """What the mail says, in plain words; None if it cannot be read at all."""
    try:
        mail = sandbox.parse(_with_envelope(inbound))
    except Unreadable:
        return None
    claims = (
        ("From", ", ".join(map(_written, mail.senders)) or mail.from_name),
        ("To", ", ".join(map(_written, (*mail.to, *mail.cc)))),
        ("Subject", mail.subject),
        ("Date", f"{mail.date:%Y-%m-%d %H:%M %Z}" if mail.date else ""),
    )
    files = tuple((one.name, one.size) for one in mail.attachments)
    return Told(mail.text, tuple(claim for claim in claims if claim[1]), files)


def _written(one: Address) -> str:
    return f"{one.name} <{one.address}>" if one.name else one.address


def _about(mail: Mail) -> str:
    """As the list of what is parked shows it: who, and the subject."""
    return f"{mail.from_address or mail.from_name or 'nobody'}: {mail.subject or NO_SUBJECT}"


def _with_envelope(inbound: Inbound) -> bytes:
    """The mail below the return path that its server told us: a null one says that a program sent it."""
    raw = bytes(inbound.raw)
    mail_from = inbound.meta.get("mail_from")
    if mail_from is None:
        return raw
    return f"Return-Path: <{re.sub(r'[^!-~]', '', mail_from)[:320]}>\r\n".encode("ascii") + raw


@dataclass(frozen=True, slots=True)
class _Thread:
    """The ticket that a mail belongs to, how far its sender is trusted there, and why it was attached."""

    ticket: Ticket
    trust: Trust
    why: str


class _Reading:
    """One mail being understood."""

    def __init__(self, inbound: Inbound, mail: Mail) -> None:
        self.inbound, self.mail, self.sender = inbound, mail, mail.from_address
        self.boxes = list(Mailbox.objects.select_related("client"))
        self.trust = self._judged()

    def _judged(self) -> Trust:
        """By what the server wrote on it that took the mail in: the mailbox's own, or that of the house."""
        box = next((one for one in self.boxes if one.pk == self.inbound.meta.get("mailbox")), None)
        if box is None or not box.authserv_id:
            return judge(self.mail, authserv_id=settings.MAIL_AUTHSERV_ID).trust
        return judge(self.mail, authserv_id=box.authserv_id, received_above=box.hops).trust

    def understood(self) -> Understood:
        if canary := find_canary(self.mail.subject, secret=secret()):
            take_back(*canary, at=self.inbound.received_at)
            return Nothing("a mail that the desk wrote to itself, to see whether mail comes")
        hear(self._waited_for(), self.inbound.received_at)
        if isinstance(self.mail.automatic, Bounce):
            return self._bounce(self.mail.automatic)
        if verify_message_id(self.mail.message_id, secret=secret()) is not None:
            return Nothing("our own mail came back")
        if not_for_a_ticket := self._answered_page() or self._refusal():
            return not_for_a_ticket
        if find_vendor(self.sender) is not None and (answer := self._from_vendor()):
            return answer
        thread = self._thread()
        return self._reply(thread) if thread else self._new(related=self._hinted)

    def _waited_for(self) -> list[int]:
        """The mailboxes that promise mail and that it came to: fetched there, or named by envelope or headers."""
        fetched = self.inbound.meta.get("mailbox")
        addressed = {without_detail(address) for address in self._recipients()}
        promising = (box for box in self.boxes if box.promises_mail)
        return [
            box.pk
            for box in promising
            if box.pk == fetched or (not fetched and box.address.lower() in addressed)
        ]

    def _refusal(self) -> Refused | None:
        """Senders that we do not talk with, whatever they write."""
        if not self.sender:
            return Refused("The mail names no single sender.")
        if without_detail(self.sender) in self.ours:
            return Refused("It says that it comes from one of our own addresses, but we did not write it.")
        if self._is_agent:
            return Refused("It says that it comes from an agent. Agents write on the desk, not by mail.")
        return None

    def _answered_page(self) -> ToTheDesk | None:
        """An agent acknowledges by answering the mail of a page; a machine or a forger does not."""
        if not self._is_agent or self.mail.automatic is not None or self.trust is Trust.FAILED:
            return None
        tokens = [one for one in self._tokens(Purpose.REPLY) if one.is_for(self.sender, secret=secret())]
        notice = page_mail(self.sender, ids=self._ids(), tickets=[token.ticket for token in tokens])
        return answered(notice, self._new_words()) if notice else None

    # -- mail about our mail

    def _bounce(self, bounce: Bounce) -> Understood:
        report = bounce.reports[0] if bounce.reports else None
        why = (report.diagnostic[:200] if report else "") or bounce.reason
        notice = self._notice_that_bounced(bounce)
        if notice is None:
            return Nothing(f"a bounce of something that we did not send: {why}")
        failed = bounce.outcome is Outcome.FAILED
        return Undelivered(notice.pk, permanent=failed, dead=bool(report and report.address_is_dead), why=why)

    def _notice_that_bounced(self, bounce: Bounce) -> Notice | None:
        """By the id of our mail, if the bounce names it; else by the return path it was sent to."""
        sent = Notice.objects.mails().exclude(message_id="").order_by("-id")
        found: list[Notice] = list(sent.filter(message_id=bounce.original_message_id)[:1])
        for token in self._tokens(Purpose.RETURN_PATH):
            lately = sent.filter(ticket=token.ticket)[:MOST_IDS]
            found += [notice for notice in lately if token.is_for(notice.address, secret=secret())]
        return found[0] if found else None

    # -- vendors

    def _from_vendor(self) -> Understood | None:
        """A vendor's word on a case; None if it names none and its sender is one of our contacts as well."""
        case = find_case(self.sender, self.mail.subject, self._ids()) or self._case_we_wrote_about()
        if case is None:
            if by_address(self.sender).contact is not None:
                return None
            return Refused("It comes from a vendor, but names no case of ours or theirs.")
        if self.trust is Trust.FAILED:
            return Refused(
                f"It says that it comes from {case.contract.vendor}, but fails its check.", case.client
            )
        return VendorAnswer(
            case,
            self._new_words(),
            Actor("vendor", case.contract.vendor.name),
            reference=their_reference(self.mail.subject),
            message_id=self.mail.message_id,
            automatic=self.mail.automatic is not None,
            files=self._files(),
        )

    def _case_we_wrote_about(self) -> Case | None:
        """The case whose mail this one answers, by our Message-ID or by the signed address that we gave."""
        told = Notice.objects.filter(case_id__isnull=False).order_by("-id")
        cases = list(
            told.exclude(message_id="").filter(message_id__in=self._ids()).values_list("case_id", flat=True)
        )
        for token in self._tokens(Purpose.REPLY):
            written = told.filter(ticket=token.ticket).values_list("address", "case_id")
            cases += [case for address, case in written if token.is_for(address, secret=secret())]
        known = Case.objects.select_related("client", "ticket", "contract__vendor").in_bulk(cases)
        return next(
            (known[c] for c in cases if c in known and known[c].contract.vendor.owns(self.sender)), None
        )

    # -- threads

    def _thread(self) -> _Thread | None:
        moved = self._answers_moved_words()
        if moved is not None and self.trust is not Trust.FAILED and self._may_add_to(moved):
            return _Thread(moved, self.trust, "answers words that were moved to this ticket")
        if token := next(self._tokens(Purpose.REPLY), None):
            ticket = _ticket(token.ticket)
            if ticket is not None and ((thread := self._by_token(ticket)) or self.trust is Trust.FAILED):
                return thread
        if self.trust is Trust.FAILED:
            return None  # only a signed address is stronger than a forged sender
        for ticket in self._tickets_of_ids():
            if self._may_add_to(ticket):
                return _Thread(ticket, self.trust, "answers a mail of this ticket")
        named = self._named_in_subject
        if named is not None and named.is_participant(self.sender):
            return _Thread(named, self.trust, "number in the subject, from a participant")
        return None

    def _by_token(self, ticket: Ticket) -> _Thread | None:
        """A signed address leads to the ticket; in the hands of somebody else it is kept, but wakes nothing.

        Where the ticket turned out to be another client's, whoever is of the former one has a matter of their own.
        """
        if ticket.is_participant(self.sender):
            return _Thread(ticket, self.trust, "signed reply address")
        if (client := by_address(self.sender).client) is not None and was_of(ticket, client):
            return None
        return _Thread(ticket, Trust.FAILED, f"signed reply address, but used by {self.sender}"[:300])

    def _answers_moved_words(self) -> Ticket | None:
        """Where the words stand now that this mail answers, if an agent moved them.

        The nearest mail that we know decides: what it answers in turn still names the ticket they were taken from,
        and so does the address that they were sent to.
        """
        for one in self._ids():
            if verify_message_id(one, secret=secret()) is not None:
                return None
            found = Message.objects.filter(message_id=one).select_related("ticket").order_by("-id").first()
            if found is not None:
                return _ticket(found.ticket_id) if was_moved(found) else None
        return None

    def _tickets_of_ids(self) -> Iterator[Ticket]:
        """Tickets of the mails that this one answers: by our signed ids, then by ids that others gave."""
        ids = self._ids()
        signed = (verify_message_id(one, secret=secret()) for one in ids)
        known = Message.objects.exclude(message_id="").filter(message_id__in=ids).order_by("-id")
        keys = [*(pk for pk in signed if pk), *known.values_list("ticket_id", flat=True)[:MOST_IDS]]
        for pk in dict.fromkeys(keys):
            ticket = _ticket(pk)
            if ticket is not None:
                yield ticket

    def _may_add_to(self, ticket: Ticket) -> bool:
        """Participants, and those whom a mail of the ticket named beside us, if they are the client's (M09)."""
        if ticket.is_participant(self.sender):
            return True
        proposed = Participant.objects.filter(ticket=ticket, email=self.sender)
        return proposed.exists() and by_address(self.sender).client == ticket.client

    def _reply(self, thread: _Thread) -> Understood:
        ticket, automatic = thread.ticket, self.mail.automatic is not None
        if ticket.state in (State.CLOSED, State.CANCELLED):
            if automatic:
                return Nothing(f"an automatic answer on {ticket.reference}, which is {ticket.state}")
            follows = ticket.is_participant(self.sender) and thread.trust is not Trust.FAILED
            return self._new(
                related=ticket, relation=RelationKind.FOLLOW_UP if follows else RelationKind.RELATED
            )
        staying = self._why_it_stays_resolved(ticket) if ticket.state == State.RESOLVED else ""
        return Reply(
            ticket=ticket,
            text=self._new_words(),
            by=self._actor(ticket),
            why=f"{thread.why}; {staying}" if staying else thread.why,
            reopens=not staying,
            html=self.mail.html,
            message_id=self.mail.message_id,
            automatic=automatic,
            trust=thread.trust.value,
            files=self._files(),
            proposed=self._proposed(ticket.client),
        )

    def _why_it_stays_resolved(self, ticket: Ticket) -> str:
        """Thanks, or a machine that says so nowhere: the same words as before, sooner than anybody reads (M25)."""
        if is_only_thanks(self._new_words(), name=self.mail.from_name) and not self._brings_files:
            return "only a thank you, so it stays resolved"
        resolved = ticket.resolved_at
        if resolved is None or self.inbound.received_at - resolved > SOONER_THAN_ANYBODY_READS:
            return ""
        said = ticket.messages.filter(direction=Direction.INBOUND, text=self._new_words(), channel="email")
        return "the same words as before, at once, so it stays resolved" if said.exists() else ""

    @property
    def _brings_files(self) -> bool:
        """Pictures of a signature are none."""
        return any(not one.inline for one in self.mail.attachments)

    def _actor(self, ticket: Ticket) -> Actor:
        """Who speaks: a contact by name; anybody else by address, because a name can be made up."""
        contact = by_address(self.sender).contact
        if contact is not None and contact.client_id == ticket.client_id:
            return contact.actor()
        return Actor("contact", self.sender[:200])

    # -- new trouble

    def _new(self, *, related: Ticket | None, relation: str = RelationKind.RELATED) -> Understood:
        identity = self._identity()
        client, contact = identity.client, identity.contact
        if client is None:
            return self._stranger(identity)
        if isinstance(self.mail.automatic, AutoReply) and not self._reports():
            return Refused(
                f"Written by a machine ({self.mail.automatic.reason}); no ticket was opened.", client
            )
        if contact is None and self.trust is Trust.FAILED:
            return Refused(f"{self.sender} is nobody we know, and the mail fails its sender’s check.", client)
        return NewTicket(
            draft=self._draft(client, contact),
            by=contact.actor() if contact else Actor("contact", self.sender[:200]),
            files=self._files(),
            new_contact=None if contact else (self._name(), self.sender),
            related=related,
            relation=relation,
            proposed=self._proposed(client),
        )

    def _identity(self) -> Identity:
        """Whose mail it is: the sender's own address or domain; else what a person said when it was parked."""
        found = by_address(self.sender) if self.sender.isascii() else NOBODY
        if found.client is not None:
            return found
        by_hand = Client.objects.filter(key=self.inbound.meta.get("client", "")).first()
        told = by_hand or self._client_of_mailbox
        mine = [contact for contact in found.candidates if contact.client == told]
        if mine:
            return Identity(told, mine[0])
        return Identity(by_hand) if by_hand else found

    def _stranger(self, identity: Identity) -> Refused:
        """Parked where those who serve the mailbox's client see it, if it came to a client's own mailbox."""
        who = "several clients know this address" if identity.candidates else "nobody we know"
        reason = f"{self.sender}: {who}. Say whose mail it is, or discard it."
        return Refused(reason, self._client_of_mailbox)

    def _reports(self) -> bool:
        """A program that reports trouble by itself, unlike one that answers a mail (RFC 3834 §5)."""
        return self.mail.header("Auto-Submitted").strip().lower().startswith("auto-generated")

    def _draft(self, client: Client, contact: Contact | None) -> Draft:
        traits = {"mail.no_receipt": self._why_no_receipt(contact), "mail.hops": hops(self.mail)}
        return Draft(
            client=client,
            contact=contact,
            subject=self.mail.subject,
            text=self._told(self.mail.text),
            html=self.mail.html,
            channel="email",
            message_id=self.mail.message_id,
            trust=self.trust.value,
            traits={name: value for name, value in traits.items() if value},
        )

    def _why_no_receipt(self, contact: Contact | None) -> str:
        """Empty if one may go out: to a sender who is known or proven, a person, and wrote to us (security.md §4)."""
        if reason := reason_not_to_answer(self.mail, our_addresses=self.ours):
            return reason.value
        if self.trust is Trust.FAILED:
            return "the mail fails its sender’s check"
        if contact is None and self.trust is not Trust.VERIFIED:
            return "the sender is new and not proven"
        return ""

    def _name(self) -> str:
        """The name of a new contact. One that looks like an address is somebody else's."""
        name = self.mail.from_name.strip()
        return self.sender if not name or "@" in name else name

    # -- what the mail says

    @cached_property
    def _is_agent(self) -> bool:
        return User.objects.filter(email=self.sender, agent__isnull=False).exists()

    @cached_property
    def ours(self) -> set[str]:
        return our_addresses(self.boxes)

    @cached_property
    def _client_of_mailbox(self) -> Client | None:
        addressed = {without_detail(address) for address in self._recipients()}
        return next(
            (box.client for box in self.boxes if box.client and box.address.lower() in addressed), None
        )

    @cached_property
    def _named_in_subject(self) -> Ticket | None:
        found = REFERENCE.search(self.mail.subject)
        return _ticket(int(found[1])) if found else None

    @property
    def _hinted(self) -> Ticket | None:
        """A ticket it may belong to, although its sender may not add to it. The funnel links inside a client only."""
        return self._named_in_subject or next(self._tickets_of_ids(), None)

    def _recipients(self) -> Iterable[str]:
        named = (address.address for address in (*self.mail.to, *self.mail.cc))
        told = (str(address).lower() for address in self.inbound.meta.get("recipients", ()))
        return dict.fromkeys((*told, *self.mail.delivered_to, *named))

    def _tokens(self, purpose: Purpose) -> Iterator[AddressToken]:
        for address in self._recipients():
            token = verify_address(address, secret=secret())
            if token is not None and token.purpose is purpose:
                yield token

    def _ids(self) -> list[str]:
        """The Message-IDs of the mails that this one answers, the nearest first."""
        ids = (*self.mail.in_reply_to, *reversed(self.mail.references))
        return list(dict.fromkeys(ids))[:MOST_IDS]

    def _new_words(self) -> str:
        """What was written now; all of it where the words stand between quoted ones and need them."""
        words = self.mail.text if self.mail.answers_inline else self.mail.new_text or self.mail.text
        return self._told(words)

    def _told(self, words: str) -> str:
        """Words, and what is missing from them: of a mail that was too large to take we have the beginning only."""
        said = words.strip() or sealed(self.mail.attachments) or NO_TEXT
        size = self.inbound.meta.get("whole_size")
        if not size:
            return said
        return f"{said}\n\n[{TOO_LARGE.format(megabytes=size / 2**20, address=self._fetched_from)}]"

    @property
    def _fetched_from(self) -> str:
        return next((box.address for box in self.boxes if box.pk == self.inbound.meta.get("mailbox")), "?")

    def _files(self) -> tuple[File, ...]:
        if self.inbound.meta.get("whole_size"):
            return ()
        return tuple(File(one.name, one.content_type, one.content) for one in self.mail.attachments)

    def _proposed(self, client: Client) -> tuple[str, ...]:
        """Who else was addressed, if they are the client's: offered as participants, never granted anything."""
        named = {a.address for a in (*self.mail.to, *self.mail.cc) if a.address and len(a.address) <= 254}
        others = sorted(one for one in named - {self.sender} if without_detail(one) not in self.ours)
        domains = set(Domain.objects.filter(client=client).values_list("name", flat=True))
        known = set(Contact.objects.filter(client=client, email__in=others).values_list("email", flat=True))
        mine = [one for one in others if one in known or one.rpartition("@")[2] in domains]
        return tuple(mine[:MOST_PROPOSED])


def _ticket(pk: int) -> Ticket | None:
    """The ticket with this number, or the one that it was merged into."""
    related = ("client", "contact__client", "contract_version", "team", "voice_team", "assignee")
    tickets = Ticket.objects.select_related(*related)
    found: Ticket | None = tickets.filter(pk=pk).first()
    if found is not None and found.is_merged:
        found = tickets.filter(pk=found.goes_on_as().pk).first()
    return found
