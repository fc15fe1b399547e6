"""Address lists (RFC 5322 §3.4), read suspiciously: what is not plainly one address is no address.

The standard library glues `a1@ac` and `me.com` of a folded line into `a1@acme.com` and finds an address in
`a1@acme.com@evil.example` (CVE-2023-27043). Here such text yields an empty address, and never somebody
else's.
"""

import re
from dataclasses import dataclass

from tierdesk.channels.email import charsets, limits
from tierdesk.channels.email.headers import decode_words
from tierdesk.channels.email.limits import Unreadable

_PLAIN = re.compile(r'[^\s@"(),:;<>\[\]\\]{1,256}@(?:[\w-]+(?:\.[\w-]+)*\.?|\[[0-9A-Za-z.:]+\])')
_QUOTED_LOCAL = re.compile(r'"([\w.!#$%&*+/=?^`{|}~-]+)"@(.+)')

# Only ASCII letters fold: str.lower() turns the Kelvin sign into "k" and a stranger into a client.
_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox: `address` in lower case, empty when the text holds none; `name` as shown by its owner."""

    address: str
    name: str = ""

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2].removesuffix(".")


def read_addresses(value: bytes) -> tuple[Address, ...]:
    """Every mailbox of a header value, in order. Raises Unreadable over 500."""
    text = charsets.decode(value)
    found = _Scanner(quotes=True).scan(text)
    if found is None:  # a quotation mark that never closes is only a character
        found = _Scanner(quotes=False).scan(text) or []
    return tuple(found)


def plain_address(text: str) -> str:
    """The address in lower case if `text` is exactly one address, else empty."""
    text = text.strip()
    if quoted := _QUOTED_LOCAL.fullmatch(text):
        text = f"{quoted[1]}@{quoted[2]}"
    if len(text) > 320 or not text.isprintable() or not _PLAIN.fullmatch(text):
        return ""
    return text.translate(_ASCII_LOWER)


class _Scanner:
    """One pass over the characters, so that no input takes more than linear time."""

    def __init__(self, *, quotes: bool) -> None:
        self.honours_quotes = quotes
        self.found: list[Address] = []
        self._next_mailbox()

    def _next_mailbox(self) -> None:
        self.words: list[str] = []
        self.spec: list[str] = []
        self.comment: list[str] = []
        self.angle: list[str] = []
        self.angles = 0

    def scan(self, text: str) -> list[Address] | None:
        """The mailboxes, or None if a quoted string never ends."""
        in_quotes = in_angle = escaped = False
        comments = 0
        for char in text:
            if escaped:
                escaped = False
                self._add(char, comments, in_angle)
            elif char == "\\" and (in_quotes or comments):
                escaped = True
            elif char == '"' and self.honours_quotes and not comments:
                in_quotes = not in_quotes
                (self.angle if in_angle else self.spec).append(char)
            elif in_quotes:
                self._add(char, comments, in_angle)
            elif char == "(":
                comments += 1
            elif comments:
                comments -= char == ")"
                self.comment.append(char if comments else " ")
            elif char == "<":
                in_angle, self.angles = True, self.angles + 1
            elif char == ">":
                in_angle = False
            elif char in ",;" and not in_angle:
                self._finish()
            elif char == ":" and not in_angle:
                self._next_mailbox()  # the name of a group, RFC 5322 §3.4
            else:
                self._add(char, comments, in_angle)
        self._finish()
        return None if in_quotes else self.found

    def _add(self, char: str, comments: int, in_angle: bool) -> None:
        if comments:
            self.comment.append(char)
        elif in_angle:
            self.angle.append(char)
        else:
            self.spec.append(char)
            self.words.append(char)

    def _finish(self) -> None:
        name = _name("".join(self.words)) if self.angles else _name("".join(self.comment))
        spec = "".join(self.angle) if self.angles else "".join(self.spec)
        if spec.strip() or name:
            address = plain_address(spec) if self.angles <= 1 else ""
            self.found.append(Address(address, name or ("" if address else _name(spec))))
        if len(self.found) > limits.ADDRESSES:
            raise Unreadable(f"A header names more than {limits.ADDRESSES} addresses.")
        self._next_mailbox()


def _name(text: str) -> str:
    return decode_words(text.encode("utf-8", "replace"))
