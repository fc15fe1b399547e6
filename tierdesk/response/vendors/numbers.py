"""The numbers in a mail's subject: ours, and what can be the vendor's. Pure."""

from __future__ import annotations

import re
from itertools import pairwise

CASE = re.compile(r"\bVC-(\d{1,15})\b")
OURS = re.compile(r"\b(?:VC|TD)-\d{1,15}\b")
NAMED = re.compile(
    r"(?:\[|#|\b(?:case|ticket|sr|request)[ :#]*)\s*([A-Z]{0,6}-?\d{4,15}(?:[-./]\d{1,15}){0,3})\b",
    re.IGNORECASE,
)
WORD = re.compile(r"[A-Z0-9](?:[A-Z0-9./_-]*[A-Z0-9])?")


def our_cases(subject: str) -> list[int]:
    """The keys of our cases that a subject names, as in `VC-12`."""
    return [int(number) for number in CASE.findall(subject)]


def their_reference(subject: str) -> str:
    """The number that a subject calls a case's, a ticket's or a request's, unless it is ours; empty if none is."""
    named = NAMED.search(OURS.sub("", subject))
    return named[1] if named else ""


def possible_numbers(subject: str) -> set[str]:
    """Everything in a subject that can be a known number, in upper case: words, their parts, two words together."""
    words = WORD.findall(OURS.sub(" ", subject).upper())
    parts = {part for word in words for part in re.split(r"[./_-]", word)}
    pairs = {f"{one} {two}" for one, two in pairwise(words)}
    return {word for word in {*words, *parts, *pairs} if any(letter.isdecimal() for letter in word)}
