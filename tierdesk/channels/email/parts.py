"""A mail taken apart into its MIME parts (RFC 2045–2046), iteratively and within limits.

The standard library's parser recurses once per nesting level and keeps every line as an object: a thousand
levels in 56 KB end in RecursionError, 100,000 empty parts take seven seconds. Here a part is a pair of
offsets into the raw bytes, limits are checked while the structure is found, and nothing is decoded before it
is asked for.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from email.policy import compat32
from functools import cached_property

from tierdesk.channels.email import charsets, limits
from tierdesk.channels.email.headers import Headers, decode_base64, decode_words, read_headers
from tierdesk.channels.email.limits import Unreadable

# Reading parameters is quadratic in the standard library; no honest Content-Type is longer.
_PARAMETER_BYTES = 4 * 1024

_TYPE = re.compile(r"[a-z0-9][\w!#$&^.+-]{0,126}/[a-z0-9][\w!#$&^.+-]{0,126}", re.ASCII)
_UU_BEGIN = re.compile(rb"^begin [0-7]{3,4} ([^\r\n]{1,255})\r?\n", re.MULTILINE)
_UU_LINE = re.compile(rb"([ -`])([ -`]*)\r?\n")
_UU_END = re.compile(rb"(?:`?\s*\r?\n)?end[ \t]*(?:\r?\n|$)")
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


@dataclass(frozen=True)
class Part:
    """One leaf of the tree. `alternative` numbers the nearest multipart/alternative around it, 0 for none.

    `carried` is true for what lies inside an attached mail: it is counted, not shown as text of this one.
    """

    raw: bytes = field(repr=False)
    headers: Headers
    start: int
    end: int
    alternative: int = 0
    carried: bool = False

    @cached_property
    def _content_headers(self) -> Message:
        return _content_headers(self.headers)

    @cached_property
    def content_type(self) -> str:
        """As declared, in lower case; what is no type at all is "application/octet-stream"."""
        declared = self._content_headers.get_content_type()
        return declared if _TYPE.fullmatch(declared) else "application/octet-stream"

    @property
    def is_text(self) -> bool:
        """Words of the message itself: inline, unnamed, plain or HTML."""
        if self.content_type not in ("text/plain", "text/html") or self.name:
            return False
        return self._content_headers.get_content_disposition() != "attachment"

    @property
    def is_inline(self) -> bool:
        return self._content_headers.get_content_disposition() == "inline" or bool(self.content_id)

    @cached_property
    def name(self) -> str:
        """The file name, made harmless: no path, no invisible or direction-changing characters, 255 bytes."""
        return safe_name(
            decode_words((self._content_headers.get_filename() or "").encode("utf-8", "replace"))
        )

    @property
    def content_id(self) -> str:
        return self.headers.text("content-id").strip("<> ")

    def content(self) -> bytes:
        """The bytes after the transfer encoding is taken off."""
        body = self.raw[self.start : self.end]
        encoding = self.headers.text("content-transfer-encoding").lower()
        if encoding == "base64":
            return decode_base64(body) or b""
        if encoding == "quoted-printable":
            return binascii.a2b_qp(body)
        if encoding in ("x-uuencode", "uuencode", "uue", "x-uue"):
            return b"".join(content for _, content in take_uuencoded(body)[1]) or body
        return body

    def text(self) -> str:
        return charsets.decode(self.content(), self.charset)

    @property
    def charset(self) -> str:
        return self._content_headers.get_content_charset("")


def split(raw: bytes, headers: Headers, body_at: int) -> list[Part]:
    """Every leaf of the message whose `headers` were read and whose body begins at `body_at`, in order.

    Raises Unreadable over a limit. A multipart without its delimiters is read as one plain text.
    """
    leaves: list[Part] = []
    waiting = [_Entity(headers, body_at, len(raw))]
    seen = alternatives = 0
    while waiting:
        entity = waiting.pop()
        seen += 1
        content_headers = _content_headers(entity.headers)
        kind, inside = content_headers.get_content_type(), list[_Entity]()
        if kind.startswith("multipart/"):
            alternatives += kind == "multipart/alternative"
            alternative = alternatives if kind == "multipart/alternative" else entity.alternative
            room = limits.PARTS - seen - len(waiting)
            default = "message/rfc822" if kind == "multipart/digest" else "text/plain"
            for start, end in _delimited(raw, entity, _boundary(content_headers), room):
                inside.append(_entity_at(raw, start, end, entity, alternative, default))
            if not inside:
                leaves.append(entity.leaf(raw, content_type="text/plain"))
        else:
            leaves.append(entity.leaf(raw))
            if kind == "message/rfc822" and not entity.headers.raw(
                "content-transfer-encoding"
            ).lower().startswith((b"base64", b"quoted")):
                inside.append(
                    _entity_at(raw, entity.start, entity.end, entity, 0, "text/plain", carried=True)
                )
        if inside and inside[0].depth > limits.DEPTH:
            raise Unreadable(f"The parts are nested more than {limits.DEPTH} deep.")
        waiting.extend(reversed(inside))
    return leaves


@dataclass(frozen=True, slots=True)
class _Entity:
    headers: Headers
    start: int
    end: int
    depth: int = 0
    alternative: int = 0
    carried: bool = False

    def leaf(self, raw: bytes, content_type: str = "") -> Part:
        headers = self.headers
        if content_type:
            kept = tuple(pair for pair in headers.fields if pair[0] != "content-type")
            headers = Headers((*kept, ("content-type", content_type.encode())))
        return Part(raw, headers, self.start, self.end, self.alternative, self.carried)


def _entity_at(
    raw: bytes,
    start: int,
    end: int,
    parent: _Entity,
    alternative: int,
    default: str,
    *,
    carried: bool = False,
) -> _Entity:
    headers, body_at = read_headers(raw, start, end)
    if not headers.raw("content-type") and default != "text/plain":
        headers = Headers((*headers.fields, ("content-type", default.encode())))
    return _Entity(headers, body_at, end, parent.depth + 1, alternative, parent.carried or carried)


def _content_headers(headers: Headers) -> Message:
    """The standard library's reading of parameters: RFC 2231 continuations, quoting, odd forms."""
    message = Message(policy=compat32)
    for name in ("content-type", "content-disposition"):
        if value := headers.raw(name)[:_PARAMETER_BYTES]:
            message[name] = value.decode("utf-8", "replace")
    return message


def _boundary(headers: Message) -> bytes:
    boundary = headers.get_boundary() or ""
    return boundary.encode("utf-8", "replace") if len(boundary) <= 256 else b""


def _delimited(raw: bytes, entity: _Entity, boundary: bytes, room: int) -> Iterator[tuple[int, int]]:
    """Where the parts between delimiter lines begin and end; at most `room` of them."""
    if not boundary:
        return
    begun = 0
    for line_at, after, closes in _delimiters(raw, entity.start, entity.end, b"--" + boundary):
        if begun:
            room -= 1
            if room < 0:
                raise Unreadable(f"There are more than {limits.PARTS} parts.")
            yield begun, _without_line_end(raw, begun, line_at)
        if closes:
            return
        begun = after
    if begun:
        yield begun, entity.end


def _delimiters(raw: bytes, start: int, end: int, dashed: bytes) -> Iterator[tuple[int, int, bool]]:
    """Each delimiter line: where it begins and ends, and whether it closes the multipart."""
    at = start if raw.startswith(dashed, start) else raw.find(b"\n" + dashed, start, end) + 1
    while at:
        tail = at + len(dashed)
        after = raw.find(b"\n", tail, end) + 1 or end
        closes = raw.startswith(b"--", tail)
        if closes or not raw[tail : min(after, tail + 100)].strip():
            yield at, after, closes
        at = raw.find(b"\n" + dashed, after - 1, end) + 1


def _without_line_end(raw: bytes, start: int, end: int) -> int:
    """The line break before a delimiter belongs to the delimiter (RFC 2046 §5.1.1)."""
    if end > start and raw[end - 1 : end] == b"\n":
        end -= 1
    if end > start and raw[end - 1 : end] == b"\r":
        end -= 1
    return end


def take_uuencoded(body: bytes) -> tuple[bytes, list[tuple[str, bytes]]]:
    """`body` without its uuencoded files, and the files as (name, content). A broken file stays text."""
    kept: list[bytes] = []
    files: list[tuple[str, bytes]] = []
    at = 0
    for begin in _UU_BEGIN.finditer(body):
        if begin.start() < at:
            continue
        decoded = _uudecode(body, begin.end())
        if decoded is None:
            continue
        content, after = decoded
        kept.append(body[at : begin.start()])
        files.append((safe_name(charsets.decode(begin[1])), content))
        at = after
    kept.append(body[at:])
    return b"".join(kept), files


def _uudecode(body: bytes, at: int) -> tuple[bytes, int] | None:
    content: list[bytes] = []
    while line := _UU_LINE.match(body, at):
        length = (line[1][0] - 32) & 63
        if length == 0:
            break
        wanted = (length * 4 + 2) // 3  # some encoders fill up the last line with garbage
        try:
            content.append(binascii.a2b_uu(line[1] + line[2][:wanted].ljust(wanted)))
        except binascii.Error:
            return None
        at = line.end()
    end = _UU_END.match(body, at)
    return (b"".join(content), end.end()) if end and content else None


def safe_name(name: str) -> str:
    """A file name that is only a name: the last path component, visible characters, at most 255 bytes."""
    name = _NOT_IN_NAMES.sub("", name.replace("\\", "/").rpartition("/")[2]).strip(" .")
    if len(name.encode()) <= limits.FILE_NAME_BYTES:
        return name
    stem, dot, ending = name.rpartition(".")
    ending = dot + ending if stem and len(ending) <= 10 else ""
    room = limits.FILE_NAME_BYTES - len(ending.encode())
    return (stem if ending else name).encode()[:room].decode("utf-8", "ignore") + ending
