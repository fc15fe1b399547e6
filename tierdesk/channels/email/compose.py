"""Plain values to the bytes of one outgoing mail for one recipient (RFC 5322, 2045, 3834, 8058).

One envelope per recipient: so a bounce names the ticket and the person, and the reply address in it is only
theirs. The header block is written here and not by the standard library, which folds long Message-IDs in
`References` into encoded words that no other program recognises.
"""

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address as Mailbox
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP
from email.utils import format_datetime
from enum import StrEnum

from tierdesk.channels.email.addresses import plain_address
from tierdesk.channels.email.automatic import LOOP_HEADER
from tierdesk.channels.email.message import Attachment
from tierdesk.channels.email.token import Purpose, mint_address, mint_message_id

_LINE = 78
_WORD_BYTES = 39  # 52 characters of base64: an encoded word and a field name fit on one line
_REFERENCES = 20
_BODY_POLICY = SMTP.clone(cte_type="7bit")
_PREFIXES = re.compile(
    r"(?:\s*(?:re|aw|antw|antwort|sv|vs|rif|odp)\s*(?:\[\d+\])?\s*[:：])+\s*", re.IGNORECASE
)
_CONTROLS = re.compile(r"[\x00-\x20\x7f\x85\u2028\u2029]+")
_ONE_ID = re.compile(r"<[^<>\s]{1,990}>")


class UnableToCompose(ValueError):
    """This mail cannot be written, for example because an address is none."""


class Origin(StrEnum):
    """Who wrote it, said so that other programs do not answer programs (RFC 3834 §5)."""

    PERSON = "no"
    AUTOMATIC_REPLY = "auto-replied"
    NOTIFICATION = "auto-generated"


@dataclass(frozen=True, slots=True)
class Letter:
    """What is to be said, in plain values; the same for every recipient.

    `mailbox` is the desk's address: From and, with a token, Reply-To. `serial` tells this mail from every
    other one of ours and stays the same when it is sent again. `references` is the chain so far, oldest
    first. `hops` is that of the mail being answered, 0 if none. `unsubscribe_url` is for watch lists and
    broadcasts, not for a dialogue.
    """

    ticket: int
    serial: str
    mailbox: str
    from_name: str
    subject: str
    text: str
    at: datetime
    origin: Origin = Origin.PERSON
    html: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    hops: int = 0
    attachments: tuple[Attachment, ...] = field(default=(), repr=False)
    unsubscribe_url: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What goes to the mail server. An empty `mail_from` is the null return path `<>`."""

    mail_from: str
    rcpt_to: str
    message_id: str
    data: bytes = field(repr=False)
    needs_smtputf8: bool = False


def compose(letter: Letter, *, recipient: str, secret: bytes) -> Envelope:
    """The letter for one recipient. Raises UnableToCompose if an address is not plainly one.

    To and Cc name everyone the letter names, so that the conversation looks the same to all; only the
    envelope, the Message-ID and the reply address differ. A program's mail has the null return path, a
    person's a signed one.
    """
    addressed = [_checked(address) for address in (letter.mailbox, recipient, *letter.to, *letter.cc)]
    mailbox, rcpt_to = addressed[:2]
    domain = mailbox.rpartition("@")[2]
    message_id = mint_message_id(domain, ticket=letter.ticket, serial=letter.serial, secret=secret)
    mail_from = ""
    if letter.origin is Origin.PERSON:
        mail_from = mint_address(
            mailbox, ticket=letter.ticket, recipient=rcpt_to, secret=secret, purpose=Purpose.RETURN_PATH
        )
    reply_to = mint_address(mailbox, ticket=letter.ticket, recipient=rcpt_to, secret=secret)
    fields = "".join(_fold(*pair) for pair in _fields(letter, rcpt_to, message_id, reply_to))
    return Envelope(
        mail_from=mail_from,
        rcpt_to=rcpt_to,
        message_id=message_id,
        data=fields.encode() + _body(letter).as_bytes(policy=_BODY_POLICY),
        needs_smtputf8=not all(address.isascii() for address in addressed),
    )


def reply_subject(subject: str) -> str:
    """`Re:` exactly once; what else the subject holds stays, also the number another desk put there."""
    return f"Re: {_PREFIXES.sub('', _one_line(subject), count=1)}".strip()


def trim_references(references: Sequence[str], in_reply_to: str = "") -> tuple[str, ...]:
    """The chain ending in `in_reply_to`, at most 20 long: the first stays, and the newest."""
    chain = [ref for ref in dict.fromkeys((*references, in_reply_to)) if _ONE_ID.fullmatch(ref)]
    if in_reply_to in chain:
        chain.remove(in_reply_to)
        chain.append(in_reply_to)
    return tuple(chain if len(chain) <= _REFERENCES else [chain[0], *chain[1 - _REFERENCES :]])


def _fields(letter: Letter, rcpt_to: str, message_id: str, reply_to: str) -> Iterator[tuple[str, str]]:
    """The header fields in order, each value as words that may stand on lines of their own."""
    yield "Date", format_datetime(letter.at.astimezone(UTC))
    yield "From", _mailbox(letter.mailbox, letter.from_name)
    yield "To", ", ".join(_mailbox(address) for address in letter.to or (rcpt_to,))
    if letter.cc:
        yield "Cc", ", ".join(_mailbox(address) for address in letter.cc)
    yield "Reply-To", _mailbox(reply_to, letter.from_name)
    yield "Subject", _encoded(letter.subject)
    yield "Message-ID", message_id
    if _ONE_ID.fullmatch(letter.in_reply_to):
        yield "In-Reply-To", letter.in_reply_to
    if chain := trim_references(letter.references, letter.in_reply_to):
        yield "References", " ".join(chain)
    if letter.origin is not Origin.PERSON:
        yield "Auto-Submitted", letter.origin.value
        yield "X-Auto-Response-Suppress", "OOF, AutoReply"
    yield LOOP_HEADER, f"{letter.mailbox.rpartition('@')[2]}; hops={letter.hops + 1}"
    if letter.unsubscribe_url:
        yield "List-Unsubscribe", f"<{_CONTROLS.sub('', letter.unsubscribe_url)}>"
        yield "List-Unsubscribe-Post", "List-Unsubscribe=One-Click"


def _body(letter: Letter) -> EmailMessage:
    body = EmailMessage(policy=_BODY_POLICY)
    body.set_content(letter.text)
    if letter.html:
        body.add_alternative(letter.html, subtype="html")
        _relate(body, [part for part in letter.attachments if part.content_id])
    for part in letter.attachments:
        if not (letter.html and part.content_id):
            main, _, sub = _safe_type(part.content_type).partition("/")
            body.add_attachment(
                part.content, maintype=main, subtype=sub, filename=_one_line(part.name) or "file"
            )
    return body


def _relate(body: EmailMessage, pictures: Sequence[Attachment]) -> None:
    """Pictures that the HTML shows go beside it, not into the list of files."""
    shown = body.get_body(("html",))
    assert isinstance(shown, MIMEPart)
    for picture in pictures:
        main, _, sub = _safe_type(picture.content_type).partition("/")
        cid = f"<{_CONTROLS.sub('', picture.content_id).strip('<>')}>"
        shown.add_related(
            picture.content,
            maintype=main,
            subtype=sub,
            cid=cid,
            disposition="inline",
            filename=_one_line(picture.name),
        )


def _safe_type(content_type: str) -> str:
    """The declared type if it is well-formed and not one that mail treats as structure."""
    if re.fullmatch(r"(?!multipart/|message/)[a-z0-9-]{1,40}/[a-z0-9.+-]{1,100}", content_type):
        return content_type
    return "application/octet-stream"


def _checked(address: str) -> str:
    plain = plain_address(address)
    if not plain:
        raise UnableToCompose(f"{address!r} is no address")
    return plain


def _mailbox(address: str, name: str = "") -> str:
    """`Name <address>`, the name quoted or encoded as needed, so that no name can add an address."""
    name = _one_line(name)
    if not _is_plain(name):
        return f"{_encoded(name)} <{address}>"
    local, _, domain = _checked(address).rpartition("@")
    return str(Mailbox(display_name=name, username=local, domain=domain)) if name else address


def _encoded(text: str) -> str:
    """ASCII as it is; all else as base64 words that split no character (RFC 2047 §2)."""
    text = _one_line(text)
    if _is_plain(text):
        return text
    words: list[str] = []
    piece = b""
    for char in text:
        if len(piece) + len(char.encode()) > _WORD_BYTES:
            words.append(_word(piece))
            piece = b""
        piece += char.encode()
    return " ".join([*words, _word(piece)])


def _is_plain(text: str) -> bool:
    """Whether it can stand in a header as it is: ASCII, no encoded word, no word too long to fold."""
    return text.isascii() and "=?" not in text and max(map(len, text.split(" "))) < 500


def _word(piece: bytes) -> str:
    return f"=?utf-8?B?{base64.b64encode(piece).decode('ascii')}?="


def _one_line(text: str) -> str:
    """No value can end its line: this is what keeps a subject from becoming a header."""
    return _CONTROLS.sub(" ", text).strip()


def _fold(name: str, value: str) -> str:
    """One field, its lines broken at blanks near 78 characters (RFC 5322 §2.1.1)."""
    lines = [f"{name}:"]
    for word in value.split(" "):
        if len(lines[-1]) + 1 + len(word) > _LINE and len(lines[-1]) > len(name) + 1:
            lines.append(f" {word}")
        else:
            lines[-1] += f" {word}"
    return "\r\n".join(lines) + "\r\n"
