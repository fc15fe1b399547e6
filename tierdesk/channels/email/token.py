"""Signed references to a ticket that travel in addresses and Message-IDs, so that a reply finds its way home.

A ticket number can be guessed, so it alone never joins a mail to a ticket: `support+t1234.<24 characters>@…`
carries a tag of the recipient it was minted for and an HMAC over both. Base32, because gateways fold case. A
token proves that its bearer saw our mail to that recipient. It proves neither who the bearer is, nor a right
to read.
"""

import base64
import hmac
import re
from dataclasses import dataclass
from enum import StrEnum

_TAG_BYTES = 5
_MAC_BYTES = 10
_TAG_CHARS = 8
_SHORTEST_SECRET = 16

_ADDRESS = re.compile(r"(?:^|[.+=_-])([tb])(\d{1,18})\.([a-z2-7]{24})$")
_CANARY = re.compile(r"\bc(\d{1,18})\.(\d{1,12})\.([a-z2-7]{16})\b")
_MESSAGE_ID = re.compile(r"<t(\d{1,18})\.([a-z0-9-]{1,40})\.([a-z2-7]{16})@[^<>\s@]{1,255}>")


class Purpose(StrEnum):
    """A reply address cannot be used as a return path, nor the other way round."""

    REPLY = "t"
    RETURN_PATH = "b"


@dataclass(frozen=True, slots=True)
class AddressToken:
    """A genuine token found in an address. `tag` names the recipient it was minted for; see `is_for`."""

    ticket: int
    purpose: Purpose
    tag: str

    def is_for(self, recipient: str, *, secret: bytes) -> bool:
        """Whether it was minted for this address; from somebody else it marks untrusted mail."""
        return hmac.compare_digest(self.tag, _tag(recipient, secret))


def mint_address(
    mailbox: str,
    *,
    ticket: int,
    recipient: str,
    secret: bytes,
    purpose: Purpose = Purpose.REPLY,
    separator: str = "+",
) -> str:
    """The address of `mailbox` with a token for this ticket and recipient in its detail part (RFC 5233)."""
    local, at, domain = mailbox.rpartition("@")
    if not (local and at and domain):
        raise ValueError(f"{mailbox!r} is no mailbox address")
    tag = _tag(recipient, secret)
    mac = _mac(secret, "address", purpose.value, str(ticket), tag)
    return f"{local}{separator}{purpose.value}{ticket}.{tag}{mac}@{domain}"


def verify_address(address: str, *, secret: bytes) -> AddressToken | None:
    """The token in this address if we minted it, else None: absent, guessed, cut or altered."""
    found = _ADDRESS.search(address.rpartition("@")[0].lower())
    if found is None:
        return None
    purpose, ticket, characters = found.groups()
    tag, mac = characters[:_TAG_CHARS], characters[_TAG_CHARS:]
    if not hmac.compare_digest(mac, _mac(secret, "address", purpose, ticket, tag)):
        return None
    return AddressToken(int(ticket), Purpose(purpose), tag)


def mint_message_id(domain: str, *, ticket: int, serial: str, secret: bytes) -> str:
    """Our Message-ID for a mail about a ticket. `serial` tells our mails apart; a retry keeps it."""
    if not re.fullmatch(r"[a-z0-9-]{1,40}", serial):
        raise ValueError(f"{serial!r} is no serial: lower-case letters, digits and hyphens, at most 40")
    return f"<t{ticket}.{serial}.{_mac(secret, 'message', str(ticket), serial)}@{domain}>"


def verify_message_id(message_id: str, *, secret: bytes) -> int | None:
    """The ticket of a Message-ID we minted. All who got the mail know it: for participants only."""
    found = _MESSAGE_ID.fullmatch(message_id.strip().lower())
    if found is None or not hmac.compare_digest(found[3], _mac(secret, "message", found[1], found[2])):
        return None
    return int(found[1])


def mint_canary(mailbox: int, *, sent: int, secret: bytes) -> str:
    """What a mail of the desk to one of its mailboxes is known by when it comes back; `sent` in seconds since 1970."""
    return f"c{mailbox}.{sent}.{_mac(secret, 'canary', str(mailbox), str(sent))}"


def find_canary(text: str, *, secret: bytes) -> tuple[int, int] | None:
    """(mailbox, sent) of the canary that is named in this text, if we sent it."""
    found = _CANARY.search(text)
    if found is None or not hmac.compare_digest(found[3], _mac(secret, "canary", found[1], found[2])):
        return None
    return int(found[1]), int(found[2])


def _tag(recipient: str, secret: bytes) -> str:
    return _digest(secret, ("recipient", recipient.strip().lower()), _TAG_BYTES)


def _mac(secret: bytes, *words: str) -> str:
    return _digest(secret, words, _MAC_BYTES)


def _digest(secret: bytes, words: tuple[str, ...], size: int) -> str:
    if len(secret) < _SHORTEST_SECRET:
        raise ValueError(f"a secret has at least {_SHORTEST_SECRET} bytes")
    digest = hmac.digest(secret, "\0".join(("tierdesk mail token", *words)).encode(), "sha256")
    return base64.b32encode(digest[:size]).decode("ascii").lower()
