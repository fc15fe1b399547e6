"""How mail is understood: who wrote it, to what it belongs, and how sure we are. Acting is the funnel's.

In this order (mail-and-channels.md §1): our own mail, bounces, vendors' answers, signed addresses, signed
Message-IDs (participants only), a number in the subject (participants only), else a new ticket. Nothing is ever
threaded on a subject alone, and no mail shows a ticket to anybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.conf import settings

from tierdesk.channels.email import sandbox
from tierdesk.channels.email.authentication import Trust, judge
from tierdesk.channels.email.automatic import reason_not_to_answer, without_detail
from tierdesk.channels.email.bounces import Bounce, Outcome
from tierdesk.channels.email.limits import Unreadable
from tierdesk.channels.email.message import Mail
from tierdesk.channels.email.models import Mailbox
from tierdesk.channels.email.token import Purpose, verify_address, verify_message_id
from tierdesk.channels.models import Inbound
from tierdesk.channels.registry import (
    Channel,
    File,
    NewTicket,
    Nothing,
    Refused,
    Reply,
    Undelivered,
    Understood,
    VendorAnswer,
)
from tierdesk.core.facts import Actor
from tierdesk.directory.clients.identify import Identity, by_address
from tierdesk.directory.clients.models import Client
from tierdesk.response.vendors.models import find_case, find_vendor, their_reference
from tierdesk.tickets.models import Draft, Ticket

REFERENCE = re.compile(r"\[?TD-(\d{1,15})\]?", re.IGNORECASE)


def secret() -> bytes:
    """The key that our reply addresses and Message-IDs are signed with."""
    return settings.SECRET_KEY.encode()


def understand(inbound: Inbound) -> Understood:
    """What this mail is. Reads only; raises nothing for any bytes (the parser runs in a process that may die)."""
    try:
        mail = sandbox.parse(bytes(inbound.raw))
    except Unreadable as unreadable:
        return Refused(f"The mail could not be read: {unreadable.reason}")
    return _Reading(inbound, mail).understood()


class _Reading:
    """One mail being understood."""

    def __init__(self, inbound: Inbound, mail: Mail) -> None:
        self.inbound, self.mail = inbound, mail
        self.sender = mail.from_address.lower()
        self.ours = {without_detail(box).lower() for box in _our_addresses()}
        verdict = judge(mail, authserv_id=settings.MAIL_AUTHSERV_ID)
        self.trust, self.trust_why = verdict.trust, verdict.reason

    def understood(self) -> Understood:
        mail = self.mail
        if isinstance(mail.automatic, Bounce):
            return self._bounce(mail.automatic)
        if not self.sender:
            return Refused("The mail names no single sender.")
        if without_detail(self.sender) in self.ours:
            return Nothing("our own mail came back")
        if find_vendor(self.sender) is not None:
            return self._from_vendor()
        thread = self._thread()
        return self._reply(*thread) if thread else self._new()

    def _bounce(self, bounce: Bounce) -> Understood:
        permanent = bounce.outcome is Outcome.FAILED
        address = bounce.reports[0].recipient if bounce.reports else ""
        why = bounce.reports[0].diagnostic[:200] if bounce.reports else ""
        return Undelivered(bounce.original_message_id, address, permanent, why or bounce.reason)

    def _from_vendor(self) -> Understood:
        case = find_case(self.sender, self.mail.subject)
        if case is None:
            return Refused("It comes from a vendor, but names no case of ours or theirs.")
        actor = Actor("vendor", self.mail.from_name or self.sender)
        return VendorAnswer(
            case, self._words(), actor, their_reference(self.mail.subject), self.mail.message_id
        )

    def _thread(self) -> tuple[Ticket, str, str] | None:
        """(ticket, trust, why) that this mail belongs to, or None."""
        for address in self._recipients():
            token = verify_address(address, secret=secret())
            ticket = _ticket(token.ticket) if token and token.purpose is Purpose.REPLY else None
            if token and ticket:
                if token.is_for(self.sender, secret=secret()):
                    return ticket, "verified", "signed reply address"
                return ticket, Trust.UNVERIFIED.value, "signed reply address of somebody else"
        for message_id in (*self.mail.in_reply_to, *self.mail.references):
            pk = verify_message_id(f"<{message_id.strip('<>')}>", secret=secret())
            ticket = _ticket(pk) if pk else None
            if ticket and ticket.is_participant(self.sender):
                return ticket, self.trust.value, "answers our mail"
        hinted = REFERENCE.search(self.mail.subject)
        ticket = _ticket(int(hinted[1])) if hinted else None
        if ticket and ticket.is_participant(self.sender):
            return ticket, self.trust.value, "number in the subject, from a participant"
        return None

    def _reply(self, ticket: Ticket, trust: str, why: str) -> Understood:
        draft = self._draft(ticket.client, Identity(ticket.client, ticket.contact))
        return Reply(
            ticket=ticket,
            text=self._words(),
            by=self._actor(ticket),
            why=why,
            html=self.mail.html,
            message_id=self.mail.message_id,
            automatic=self.mail.automatic is not None,
            trust=trust,
            files=self._files(),
            fallback=draft,
        )

    def _new(self) -> Understood:
        identity = by_address(self.sender)
        client = identity.client or self._client_of_mailbox() or self._client_by_hand()
        if client is None:
            who = "several clients know this address" if identity.candidates else "nobody we know"
            return Refused(f"{self.sender}: {who}. Say whose mail it is, or discard it.")
        if self.mail.automatic is not None:
            return Refused(
                f"Written by a machine ({self.mail.automatic.reason}); no ticket was opened.", client
            )
        contact = identity.contact
        hinted = REFERENCE.search(self.mail.subject)
        return NewTicket(
            draft=self._draft(client, identity),
            by=contact.actor() if contact else Actor("contact", self.mail.from_name or self.sender),
            files=self._files(),
            new_contact=None if contact else (self.mail.from_name or self.sender, self.sender),
            related=_ticket(int(hinted[1])) if hinted else None,
        )

    def _draft(self, client: Client, identity: Identity) -> Draft:
        quiet = reason_not_to_answer(self.mail, our_addresses=self.ours)
        return Draft(
            client=client,
            contact=identity.contact,
            subject=self.mail.subject,
            text=self._words(),
            html=self.mail.html,
            channel="email",
            message_id=self.mail.message_id,
            trust=self.trust.value,
            traits={"mail.no_receipt": quiet.value} if quiet else {},
        )

    def _actor(self, ticket: Ticket) -> Actor:
        if ticket.contact and ticket.contact.email == self.sender:
            return ticket.contact.actor()
        return Actor("contact", self.mail.from_name or self.sender)

    def _words(self) -> str:
        return (self.mail.new_text or self.mail.text).strip() or "(no text)"

    def _files(self) -> tuple[File, ...]:
        return tuple(File(one.name, one.content_type, one.content) for one in self.mail.attachments)

    def _recipients(self) -> Iterable[str]:
        named = (address.address for address in (*self.mail.to, *self.mail.cc))
        return (*self.inbound.meta.get("recipients", ()), *self.mail.delivered_to, *named)

    def _client_of_mailbox(self) -> Client | None:
        addresses = {without_detail(address).lower() for address in self._recipients()}
        box = (
            Mailbox.objects.filter(address__in=addresses, client__isnull=False)
            .select_related("client")
            .first()
        )
        return box.client if box else None

    def _client_by_hand(self) -> Client | None:
        return Client.objects.filter(key=self.inbound.meta.get("client", "")).first()


def _our_addresses() -> Iterable[str]:
    return (settings.MAIL_FROM, *Mailbox.objects.values_list("address", flat=True))


def _ticket(pk: int) -> Ticket | None:
    return (
        Ticket.objects.select_related("client", "contact__client", "contract_version").filter(pk=pk).first()
    )


CHANNEL = Channel("email", "E-mail", understand)
