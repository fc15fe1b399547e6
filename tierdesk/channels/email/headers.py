"""A header block: bytes to named fields, within limits, in one pass (RFC 5322 §2.2, RFC 2047)."""

import binascii
import re
from dataclasses import dataclass

from tierdesk.channels.email import charsets, limits
from tierdesk.channels.email.limits import Unreadable

# Printable ASCII without the colon; some old programs put blanks before the colon.
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:")
_ENCODED_WORD = re.compile(rb"=\?([!->@-~]{1,64})\?([bBqQ])\?([^?\r\n]*)\?=")
_FOLD = re.compile(rb"\r?\n[ \t]*")
_CONTROLS = re.compile("[\x00-\x20\x7f\x85\u2028\u2029]+")
_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")


@dataclass(frozen=True, slots=True)
class Headers:
    """The fields of one block in their order: the name in lower case, the unfolded value as it was sent."""

    fields: tuple[tuple[str, bytes], ...] = ()

    def raw(self, name: str) -> bytes:
        """The first value of this name, undecoded; empty when there is none."""
        return next(iter(self.every_raw(name)), b"")

    def every_raw(self, name: str) -> tuple[bytes, ...]:
        return tuple(value for field, value in self.fields if field == name)

    def text(self, name: str) -> str:
        """The first value of this name as one line of text."""
        return decode_words(self.raw(name))


def read_headers(raw: bytes, start: int, end: int) -> tuple[Headers, int]:
    """The header block that begins at `start`, and where the body begins. Raises Unreadable over a limit.

    The block ends at the first empty line, or at the first line that can be no header: then that line is
    text.
    """
    extents: list[tuple[str, int, int]] = []  # name, and where its folded value begins and ends
    at = start
    while at < end:
        if at - start > limits.HEADER_BLOCK_BYTES:
            raise Unreadable(f"The header block is longer than {limits.HEADER_BLOCK_BYTES // 1024} KB.")
        after = raw.find(b"\n", at, end) + 1 or end
        if raw[at:after].isspace() and raw[at : at + 1] in b"\r\n":
            return _unfold(raw, extents), after
        if raw[at] in b" \t" and extents:
            name, value_at, _ = extents[-1]
            extents[-1] = (name, value_at, after)
        elif field := _FIELD.match(raw, at, after):
            extents.append((field[1].decode("ascii").lower(), field.end(), after))
        elif at != start or not raw.startswith((b"From ", b">From "), at):  # the mark of an mbox file
            return _unfold(raw, extents), at
        at = after
    return _unfold(raw, extents), end


def _unfold(raw: bytes, extents: list[tuple[str, int, int]]) -> Headers:
    fields: list[tuple[str, bytes]] = []
    for name, start, end in extents:
        if end - start > limits.HEADER_BYTES:
            raise Unreadable(f"The header {name} is longer than {limits.HEADER_BYTES // 1024} KB.")
        value = _FOLD.sub(b" ", raw[start:end]).strip()
        if value.count(b"=?") > limits.ENCODED_WORDS and _count_words(value) > limits.ENCODED_WORDS:
            raise Unreadable(f"The header {name} has more than {limits.ENCODED_WORDS} encoded words.")
        fields.append((name, value))
    return Headers(tuple(fields))


def _count_words(value: bytes) -> int:
    return sum(1 for _ in _ENCODED_WORD.finditer(value))


def decode_words(value: bytes) -> str:
    """One line of text: encoded words decoded, raw 8-bit bytes guessed, control characters made blanks."""
    if b"=?" not in value:
        return _one_line(charsets.decode(value))
    pieces: list[
        tuple[bytes, str]
    ] = []  # content and charset; neighbours of one charset are decoded together
    at = 0
    for word in _ENCODED_WORD.finditer(value):
        between = value[at : word.start()]
        follows_a_word = at > 0
        if between.strip() or not follows_a_word:
            pieces.append((between, ""))
        content = _word_content(word)
        charset = word[1].decode("ascii").partition("*")[0].lower()  # RFC 2231 §5: charset*language
        if content is None:
            pieces.append((word[0], ""))
        elif pieces and pieces[-1][1] == charset:
            pieces[-1] = (pieces[-1][0] + content, charset)  # RFC 2047 forbids splitting a character; many do
        else:
            pieces.append((content, charset))
        at = word.end()
    pieces.append((value[at:], ""))
    return _one_line("".join(charsets.decode(content, charset) for content, charset in pieces))


def _word_content(word: re.Match[bytes]) -> bytes | None:
    if word[2] in b"qQ":
        return binascii.a2b_qp(word[3], header=True)
    return decode_base64(word[3])


def decode_base64(content: bytes) -> bytes | None:
    """What these characters encode, forgiving missing padding and stray characters; None for nonsense."""
    try:
        return binascii.a2b_base64(content)
    except binascii.Error:
        sound = _BASE64.sub(b"", content)
        sound = sound[: len(sound) - 1] if len(sound) % 4 == 1 else sound
        return binascii.a2b_base64(sound + b"=" * (-len(sound) % 4)) if sound else None


def _one_line(text: str) -> str:
    return _CONTROLS.sub(" ", text).strip()
