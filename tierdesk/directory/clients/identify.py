"""Who is it? From a mail address or a phone number to the client and, if we can, the contact."""

from __future__ import annotations

from dataclasses import dataclass, field

import phonenumbers

from tierdesk.directory.clients.models import Client, Contact, Domain, Number


@dataclass(frozen=True, slots=True)
class Identity:
    """What is known of a sender. `candidates` has several contacts when the agent must ask who it is."""

    client: Client | None = None
    contact: Contact | None = None
    candidates: tuple[Contact, ...] = field(default=())


NOBODY = Identity()


def by_address(email: str) -> Identity:
    """Recognise a mail address: a contact's own address first, then its domain (client known, person not)."""
    address = email.strip().lower()
    contacts = tuple(Contact.objects.filter(email=address, is_active=True).select_related("client")[:5])
    if len(contacts) == 1:
        return Identity(contacts[0].client, contacts[0])
    if contacts:
        return Identity(candidates=contacts)
    domain = Domain.objects.filter(name=address.rpartition("@")[2]).select_related("client").first()
    return Identity(domain.client) if domain else NOBODY


def by_addresses(emails: set[str]) -> dict[str, Identity]:
    """`by_address` for many senders at once, in two queries."""
    wanted = {email.strip().lower() for email in emails}
    found: dict[str, list[Contact]] = {}
    for contact in Contact.objects.filter(email__in=wanted, is_active=True).select_related("client"):
        found.setdefault(contact.email, []).append(contact)
    hosts = {email.rpartition("@")[2] for email in wanted - found.keys()}
    clients = {d.name: d.client for d in Domain.objects.filter(name__in=hosts).select_related("client")}
    identities = {email: Identity(clients.get(email.rpartition("@")[2])) for email in wanted - found.keys()}
    for email, contacts in found.items():
        identities[email] = (
            Identity(contacts[0].client, contacts[0])
            if len(contacts) == 1
            else Identity(candidates=tuple(contacts))
        )
    return identities


class NotANumber(ValueError):
    """The text is not a phone number that can be dialled from the region given."""


def to_e164(raw: str, region: str) -> str:
    """`raw` in E.164, read with `region` (ISO 3166) when it has no country code. Raises NotANumber."""
    try:
        number = phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException as error:
        raise NotANumber(f"“{raw}” is not a phone number: {error}") from error
    if not phonenumbers.is_possible_number(number):
        raise NotANumber(f"“{raw}” has not the length of a phone number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def by_number(raw: str, region: str = "DE") -> Identity:
    """Recognise a caller. A switchboard number tells the client only; a shared one gives several candidates."""
    try:
        e164 = to_e164(raw, region)
    except NotANumber:
        return NOBODY
    matches = list(Number.objects.filter(e164=e164).select_related("client", "contact__client")[:10])
    contacts = tuple(match.contact for match in matches if match.contact is not None)
    clients = {match.client_id: match.client for match in matches}
    client = next(iter(clients.values())) if len(clients) == 1 else None
    if len(contacts) == 1:
        return Identity(contacts[0].client, contacts[0])
    return Identity(client, candidates=contacts)
