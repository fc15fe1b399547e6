"""Whose mail is read first: those we know go before strangers, so that a flood of strangers holds up nobody else.

It is a head start, not a rank: a stranger who has waited for as long is as near as somebody we know. What the envelope
says can be forged; whoever forges it well is in nobody's way more than before.
"""

from __future__ import annotations

import re
from datetime import timedelta

from tierdesk.directory.clients.identify import by_address

HEAD_START = timedelta(minutes=10)

_FROM = re.compile(
    rb"^From:[^\r\n]{0,400}?([^\s<>\"(),:;]{1,64}@[^\s<>\"(),:;]{1,255})", re.IGNORECASE | re.MULTILINE
)


def head_start(sender: str) -> timedelta:
    """How much earlier a mail of this sender counts as come."""
    identity = by_address(sender) if sender.isascii() and "@" in sender else None
    known = identity is not None and (identity.client is not None or bool(identity.candidates))
    return HEAD_START if known else timedelta()


def claimed_sender(head: bytes) -> str:
    """The address in From, good enough to decide whose turn it is; empty if there is none."""
    found = _FROM.search(head)
    return found[1].decode("ascii", "replace") if found else ""
