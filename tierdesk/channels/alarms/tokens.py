"""The secrets that senders show, and those that they sign with.

Of a token we keep only its digest: who reads the database cannot send alarms. What is signed must be signed again to be
compared, so a signing secret is kept sealed, with a key that is not in the database.
"""

from __future__ import annotations

import hashlib
import secrets

from django.utils.crypto import salted_hmac

from tierdesk.channels.alarms.usm import NO_PRIVACY, UsmUser
from tierdesk.core.seal import Unsealable, seal, unseal

PURPOSE = "alarm source"


def new_token() -> str:
    """A fresh token, 192 bits, safe in an address."""
    return secrets.token_urlsafe(24)


def digest(token: str) -> str:
    """What is stored of a token and looked up: its SHA-256 in hexadecimal. One costs as much as any other."""
    return hashlib.sha256(token.encode(errors="surrogateescape")).hexdigest()


def sealed(secret: str) -> bytes:
    """What is stored of a signing secret; nothing of none."""
    return seal(secret, purpose=PURPOSE) if secret else b""


def unsealed(stored: bytes) -> str:
    """The signing secret; one that nobody knows where it can no longer be read, so that nothing passes for signed.

    That one is the same each time, so that a form of the source sees that nobody changed it.
    """
    try:
        return unseal(bytes(stored), purpose=PURPOSE) if stored else ""
    except Unsealable:
        return salted_hmac(__name__, stored, algorithm="sha256").hexdigest()


def usm_user(name: str, auth: str, privacy: str, privacy_secret: bytes, *, secret: bytes) -> UsmUser | None:
    """As whom a source sends SNMP of version 3, with its secrets readable; None where it has no user."""
    if not name:
        return None
    if privacy == NO_PRIVACY:
        return UsmUser(name, auth, unsealed(secret))
    return UsmUser(name, auth, unsealed(secret), privacy, unsealed(privacy_secret))
