"""The secrets that senders show. We keep only their digest: who reads the database cannot send alarms."""

from __future__ import annotations

import hashlib
import secrets


def new_token() -> str:
    """A fresh token, 192 bits, safe in an address."""
    return secrets.token_urlsafe(24)


def digest(token: str) -> str:
    """What is stored of a token and looked up: its SHA-256 in hexadecimal. One costs as much as any other."""
    return hashlib.sha256(token.encode(errors="surrogateescape")).hexdigest()
