"""Mails without a word that anybody could read here: encrypted, or signed so that the text lies within the signature.

Such a mail is not empty, and whoever reads the ticket must not take it for that. What came is kept as a file.
"""

from __future__ import annotations

from collections.abc import Iterable

from tierdesk.channels.email.message import Attachment

# Neither says “mail”: categories and services are suggested by the words of a ticket, and these are not the customer's.
ENCRYPTED = (
    "(What came is encrypted, and the desk has no key to it. "
    "It is kept as {name}: ask for it without encryption.)"
)
SIGNED = "(The text lies within its signature, and the desk does not open those. It is kept as {name}.)"

CMS = {"application/pkcs7-mime", "application/x-pkcs7-mime"}
PGP = "application/pgp-encrypted"
OF_PGP = "application/octet-stream"
SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
"""The object identifier 1.2.840.113549.1.7.2 (RFC 5652 §5), with which such a file begins after its length."""

HEAD = 32
"""Octets in which it stands."""


def sealed(attachments: Iterable[Attachment]) -> str:
    """What is said in the place of words that cannot be read; empty where nothing came that could hold them."""
    files = list(attachments)
    for file in files:
        if file.content_type in CMS or file.name.lower().endswith(".p7m"):
            return (SIGNED if SIGNED_DATA in file.content[:HEAD] else ENCRYPTED).format(name=file.name)
    if any(file.content_type == PGP for file in files):
        # RFC 3156 §4: the first part says the version, the second holds the message.
        held = next((file for file in files if file.content_type == OF_PGP), files[0])
        return ENCRYPTED.format(name=held.name)
    return ""
