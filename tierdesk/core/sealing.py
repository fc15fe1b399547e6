"""Secrets that must be read again, kept so that who reads the database alone cannot.

They are sealed with a key that follows from the desk's own secret (`TIERDESK_SECRET_KEY`, or the file in its home),
which is not in the database. What need never be read again is kept as a digest instead.
"""

from __future__ import annotations

import base64
import hashlib
import secrets

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

PURPOSE = b"tierdesk sealing"


def seal(secret: str) -> str:
    """The secret as it may be stored; empty stays empty."""
    return _box().encrypt(secret.encode()).decode() if secret else ""


def unseal(sealed: str) -> str:
    """The secret. Where the desk's own has changed since it was sealed, one that nobody knows: nothing fits it."""
    try:
        return _box().decrypt(sealed.encode()).decode() if sealed else ""
    except InvalidToken:
        return secrets.token_hex(32)


def _box() -> Fernet:
    key = hashlib.blake2b(settings.SECRET_KEY.encode(), person=PURPOSE, digest_size=32).digest()
    return Fernet(base64.urlsafe_b64encode(key))
