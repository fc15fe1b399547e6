"""Raw bytes of a mail to `Mail`: what a person wrote, what came with it, and what a program must know of it.

Pure and deterministic: the same bytes give the same `Mail`. It raises `Unreadable` and nothing else. Run it
through `sandbox.parse`, which also survives what no limit foresaw.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tierdesk.channels.email import limits, quoting
from tierdesk.channels.email.addresses import Address, plain_address, read_addresses
from tierdesk.channels.email.automatic import Automatic, classify, name_as_written
from tierdesk.channels.email.charsets import decode
from tierdesk.channels.email.headers import Headers, decode_words, read_headers
from tierdesk.channels.email.limits import Unreadable
from tierdesk.channels.email.parts import Part, safe_name, split, take_uuencoded
from tierdesk.channels.email.plain import html_to_text

_MESSAGE_ID = re.compile(r"<([^<>\s]{1,990})>")
_REPLY_PREFIX = re.compile(
    r"\s*(?:re|aw|antw|antwort|sv|vs|rif|ref|res|odp|atb|回复|答复|返信)\s*(?:\[\d+\])?\s*[:：]",
    re.IGNORECASE,
)
_FORWARD_PREFIX = re.compile(r"\s*(?:fw|fwd|wg|tr|rv|doorst|enc|vb|vl|转发|転送)\s*[:：]", re.IGNORECASE)
_TRACE_RECIPIENTS = (
    "delivered-to",
    "x-original-to",
    "envelope-to",
    "x-envelope-to",
    "x-real-to",
    "x-delivered-to",
)

# Endings for parts that came without a name, so that a desktop can open them.
_ENDINGS = {
    "message/rfc822": ".eml", "text/html": ".html", "text/plain": ".txt", "text/calendar": ".ics",
    "application/pgp-signature": ".asc", "application/pgp-encrypted": ".asc",
    "application/pkcs7-mime": ".p7m", "application/x-pkcs7-mime": ".p7m",
    "application/pkcs7-signature": ".p7s", "application/ms-tnef": ".dat", "image/jpeg": ".jpg",
    "image/png": ".png", "image/gif": ".gif", "application/pdf": ".pdf", "message/delivery-status": ".txt",
    "text/rfc822-headers": ".txt",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came along. `content_id` is what `cid:` links name; `inline` as the sender says."""

    name: str
    content_type: str
    content: bytes = field(repr=False)
    content_id: str = ""
    inline: bool = False

    @property
    def size(self) -> int:
        """In bytes, after decoding."""
        return len(self.content)


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail, understood. Nothing in it proves who sent it; see `authentication`.

    `from_address` is empty unless exactly one plain address is named; `senders` holds all that were claimed.
    `text` is the whole message as plain text, `new_text` without quotes and signature if it is a reply.
    `html` is raw and hostile: sanitise before showing. `return_path` is None when unknown, "" for `<>`.
    `delivered_to` lists the envelope recipients that servers on the way wrote down.
    """

    message_id: str
    subject: str
    date: datetime | None
    from_address: str
    from_name: str
    senders: tuple[Address, ...]
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    delivered_to: tuple[str, ...]
    return_path: str | None
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    text: str
    new_text: str
    html: str
    answers_inline: bool
    attachments: tuple[Attachment, ...]
    automatic: Automatic | None
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    size: int = 0

    def header(self, name: str) -> str:
        """The first header of this name as text, empty when there is none."""
        return next(iter(self.every_header(name)), "")

    def every_header(self, name: str) -> tuple[str, ...]:
        wanted = name_as_written(name.lower())
        return tuple(value for field_name, value in self.headers if field_name == wanted)

    @property
    def is_reply(self) -> bool:
        return _is_reply(self.subject, (*self.in_reply_to, *self.references))


def parse(raw: bytes) -> Mail:
    """Understands a mail. Raises Unreadable, with the reason for a person, when limits forbid to try."""
    if len(raw) > limits.MESSAGE_BYTES:
        raise Unreadable(f"The message is larger than {limits.MESSAGE_BYTES // 2**20} MB.")
    if not raw.strip():
        raise Unreadable("The message is empty.")
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")
    headers, body_at = read_headers(raw, len(raw) - len(raw.lstrip(b"\r\n")), len(raw))
    parts = split(raw, headers, body_at)
    text, html, files = _body(parts)
    return_path = _return_path(headers)
    senders = _addresses(headers, "from")
    single = senders[0] if len(senders) == 1 else Address("", decode_words(headers.raw("from")))
    subject = headers.text("subject")
    ids = _ids(headers, "in-reply-to"), _ids(headers, "references")
    reply = _new_words(subject, ids, text)
    return Mail(
        message_id=_message_id(headers, raw),
        subject=subject,
        date=_date(headers.text("date")),
        from_address=single.address,
        from_name=single.name,
        senders=senders,
        reply_to=_addresses(headers, "reply-to"),
        to=_addresses(headers, "to"),
        cc=_addresses(headers, "cc"),
        delivered_to=_delivered_to(headers),
        return_path=return_path,
        in_reply_to=ids[0],
        references=ids[1],
        text=text,
        new_text=reply.new,
        html=html,
        answers_inline=reply.answers_inline,
        attachments=tuple(_attachments(parts, files)),
        automatic=classify(headers, parts, text, return_path=return_path),
        headers=tuple((name_as_written(name), decode_words(value)) for name, value in headers.fields),
        size=len(raw),
    )


def _body(parts: Sequence[Part]) -> tuple[str, str, list[Attachment]]:
    """The text, the HTML, and the files that lay within them.

    In an alternative with plain words the HTML says the same again; everywhere else it is text of its own.
    """
    spoken = [part for part in parts if part.is_text and not part.carried]
    files: list[Attachment] = []
    words = _words(spoken, files)
    told_plainly = {
        part.alternative
        for part, said in zip(spoken, words, strict=True)
        if part.content_type == "text/plain" and said.strip()
    } - {0}
    texts: list[str] = []
    htmls: list[str] = []
    for part, said in zip(spoken, words, strict=True):
        if part.content_type == "text/plain":
            texts.append(said)
            continue
        htmls.append(said)
        if part.alternative not in told_plainly:
            texts.append(html_to_text(said))
    filled = (text.strip("\n") for text in texts if text.strip())
    return "\n\n".join(filled), "\n".join(htmls), files


def _words(spoken: Sequence[Part], files: list[Attachment]) -> list[str]:
    """What each part says, in all no more than the limit; the whole of a part cut short becomes a file.

    So do uuencoded files within plain text.
    """
    words: list[str] = []
    left = limits.TEXT_BYTES
    for part in spoken:
        content = part.content()
        if part.content_type == "text/plain":
            content, unpacked = take_uuencoded(content)
            files.extend(Attachment(name, "application/octet-stream", file) for name, file in unpacked)
        if len(content) > left:
            files.append(Attachment(_invented_name(part), part.content_type, content))
        words.append(decode(content[:left], part.charset))
        left = max(0, left - len(content))
    return words


def _attachments(parts: Iterable[Part], within_text: list[Attachment]) -> Iterable[Attachment]:
    for part in parts:
        if not part.is_text and not part.carried:
            name = part.name or _invented_name(part)
            yield Attachment(name, part.content_type, part.content(), part.content_id, part.is_inline)
    yield from within_text


def _invented_name(part: Part) -> str:
    ending = _ENDINGS.get(part.content_type, "")
    if part.content_type == "message/rfc822":
        carried, _ = read_headers(part.raw, part.start, part.end)
        return safe_name((carried.text("subject").replace("/", "-") or "message")[:80] + ending)
    return part.content_type.replace("/", "-") + ending


def _new_words(subject: str, ids: tuple[tuple[str, ...], tuple[str, ...]], text: str) -> quoting.Reply:
    """Only a reply quotes what we know already; and never may all words of a mail vanish."""
    if not _is_reply(subject, (*ids[0], *ids[1])):
        return quoting.Reply(text)
    reply = quoting.split(text)
    return reply if reply.new.strip() else quoting.Reply(text)


def _is_reply(subject: str, ids: tuple[str, ...]) -> bool:
    if _FORWARD_PREFIX.match(subject):
        return False
    return bool(ids) or _REPLY_PREFIX.match(subject) is not None


def _addresses(headers: Headers, name: str) -> tuple[Address, ...]:
    found = tuple(address for value in headers.every_raw(name) for address in read_addresses(value))
    if len(found) > limits.ADDRESSES:
        raise Unreadable(f"The headers {name} name more than {limits.ADDRESSES} addresses.")
    return found


def _ids(headers: Headers, name: str) -> tuple[str, ...]:
    values = " ".join(decode(value) for value in headers.every_raw(name))
    return tuple(dict.fromkeys(f"<{found}>" for found in _MESSAGE_ID.findall(values)))


def _message_id(headers: Headers, raw: bytes) -> str:
    """As sent; a mail without one gets one made from its content, the same at every replay."""
    value = headers.text("message-id")
    if found := _MESSAGE_ID.search(value):
        return found[0]
    bare = value.strip("<>")
    if bare and not re.search(r"[<>\s]", bare):
        return f"<{bare[:990]}>"
    return f"<{hashlib.sha256(raw).hexdigest()[:40]}@missing-message-id.invalid>"


def _return_path(headers: Headers) -> str | None:
    values = headers.every_raw("return-path")
    if not values:
        return None
    value = decode(values[0]).strip()
    if value == "<>" or not value:
        return ""
    return plain_address(value.strip("<> ")) or value.strip("<> ")[:320]


def _delivered_to(headers: Headers) -> tuple[str, ...]:
    values = (value for name, value in headers.fields if name in _TRACE_RECIPIENTS)
    found = (address.address for value in values for address in read_addresses(value))
    return tuple(dict.fromkeys(address for address in found if address))


def _date(value: str) -> datetime | None:
    """What the sender's clock said, in UTC. Clocks lie: never count a promise from it."""
    try:
        said = parsedate_to_datetime(value)
        return said.astimezone(UTC) if said.tzinfo else said.replace(tzinfo=UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
