"""Secrets that the desk must be able to read again, such as the password of a mailbox: sealed with the desk's own key.

In the database lies only what was sealed; the key (TIERDESK_SECRET_KEY, or `secret.key` in TIERDESK_HOME) does not.
AES-256-GCM binds what is sealed to its purpose: a password for one server cannot be read for another one.
"""

from __future__ import annotations

import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import models

_FORM = b"\x01"
_NONCE_BYTES = 12


class Unsealable(ValueError):
    """Sealed with another key, for another purpose, or damaged."""


class Sealed:
    """A text that lies sealed in the column `<name>_sealed`, for one purpose and the servers that `of` names.

    Reading it raises Unsealable once the row is about other servers: a secret is only for those it was given for.
    """

    def __init__(self, purpose: str, *, of: str) -> None:
        self.purpose, self.of = purpose, of

    def __set_name__(self, owner: type, name: str) -> None:
        self.column = f"{name}_sealed"

    def __get__(self, row: models.Model | None, owner: type) -> str:
        sealed = b"" if row is None else bytes(getattr(row, self.column))
        return unseal(sealed, purpose=self._bound_to(row)) if sealed else ""

    def __set__(self, row: models.Model, text: str) -> None:
        setattr(row, self.column, seal(text, purpose=self._bound_to(row)) if text else b"")

    def _bound_to(self, row: models.Model | None) -> str:
        return f"{self.purpose} {getattr(row, self.of)}"


def seal(text: str, *, purpose: str) -> bytes:
    """`text`, readable again only with the desk's key and for the same purpose."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _FORM + nonce + AESGCM(_key(settings.SECRET_KEY)).encrypt(nonce, text.encode(), purpose.encode())


def unseal(sealed: bytes, *, purpose: str) -> str:
    """What was sealed, with the present key or an earlier one (SECRET_KEY_FALLBACKS). Raises Unsealable."""
    nonce, rest = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    if sealed[:1] == _FORM and len(nonce) == _NONCE_BYTES:
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
            try:
                return AESGCM(_key(secret)).decrypt(nonce, rest, purpose.encode()).decode()
            except InvalidTag:
                continue
    raise Unsealable(
        "It was given for another server, or sealed with another key of the desk: enter it again."
    )


def _key(secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"tierdesk seal 1", "sha256")
