"""A caller's number: hidden, E.164, or only what the exchange said. Pure but for the numbering plan."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import phonenumbers

from tierdesk.directory.clients.identify import NotANumber, to_e164

HIDDEN = frozenset(
    {"", "anonymous", "unknown", "<unknown>", "private", "restricted", "unavailable", "withheld", "blocked"}
    # What Twilio dials these words as on a telephone's keys.
    | {"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"}
)

SHORTEST = 9
"""A plus and eight digits: what is shorter, and in no numbering plan, is an extension in somebody's house."""


def is_hidden(told: str) -> bool:
    return told.strip().lower() in HIDDEN


def readings(told: str, region: str) -> Iterator[str]:
    """What `told` may mean in E.164, the likeliest first: with its plus, as dialled in `region`, without its plus."""
    if is_hidden(told):
        return
    spellings = [(told, region)]
    if (digits := "".join(filter(str.isdigit, told))) and not told.lstrip(" (").startswith(("+", "0")):
        spellings.append((f"+{digits}", region))
    read: list[str] = []
    for raw, where in spellings:
        with suppress(NotANumber):
            read.append(to_e164(raw, where))
    likely = sorted(dict.fromkeys(read), key=lambda e164: not _is_assigned(e164))
    yield from (e164 for e164 in likely if _is_assigned(e164) or len(e164) >= SHORTEST)


def _is_assigned(e164: str) -> bool:
    return bool(phonenumbers.is_valid_number(phonenumbers.parse(e164)))
