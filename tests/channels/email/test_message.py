"""From raw bytes to a mail: identity, threading headers, recipients, dates, and no exception but one."""

from __future__ import annotations

import random
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.channels.email.letters import SUPPORT, multipart, raw_mail
from tierdesk.channels.email.addresses import Address
from tierdesk.channels.email.limits import Unreadable
from tierdesk.channels.email.message import parse


def test_an_ordinary_mail_is_understood() -> None:
    mail = parse(raw_mail("It smokes.\n", cc="Bo <b@acme.example>"))
    assert (mail.from_address, mail.from_name) == ("a1@acme.example", "Anna Arens")
    assert mail.to == (Address(SUPPORT),)
    assert mail.cc == (Address("b@acme.example", "Bo"),)
    assert (mail.subject, mail.message_id) == ("Printer", "<m1@acme.example>")
    assert mail.date == datetime(2026, 6, 8, 8, 0, tzinfo=UTC)
    assert mail.text == mail.new_text == "It smokes."
    assert mail.automatic is None
    assert not mail.is_reply


def test_the_chain_of_a_reply_is_read_from_both_headers() -> None:
    mail = parse(raw_mail(in_reply_to="<b@x> (said yesterday)", references="<a@x>\n <b@x>\n <a@x> junk"))
    assert mail.in_reply_to == ("<b@x>",)
    assert mail.references == ("<a@x>", "<b@x>")
    assert mail.is_reply


@pytest.mark.parametrize(
    ("subject", "is_reply"),
    [
        ("Re: x", True),
        ("AW: x", True),
        ("RE[2]: x", True),
        ("Fwd: x", False),
        ("WG: x", False),
        ("Report: x", False),
    ],
)
def test_a_subject_tells_a_reply_when_the_headers_were_stripped(subject: str, is_reply: bool) -> None:
    assert parse(raw_mail(subject=subject)).is_reply is is_reply


def test_a_missing_message_id_is_made_from_the_content() -> None:
    first, again = parse(raw_mail("one", message_id=None)), parse(raw_mail("one", message_id=None))
    other = parse(raw_mail("two", message_id=None))
    assert first.message_id == again.message_id != other.message_id
    assert first.message_id.endswith("@missing-message-id.invalid>")


def test_a_message_id_without_brackets_is_still_one() -> None:
    assert parse(raw_mail(message_id="plain@x")).message_id == "<plain@x>"


def test_envelope_recipients_are_collected_from_the_trace() -> None:
    raw = b"Delivered-To: inbox@desk.example\r\nX-Original-To: support+t1.x@desk.example\r\n" + raw_mail()
    assert parse(raw).delivered_to == ("inbox@desk.example", "support+t1.x@desk.example")


@pytest.mark.parametrize(
    ("value", "return_path"),
    [
        (None, None),
        ("<>", ""),
        ("<a1@acme.example>", "a1@acme.example"),
        ("<MAILER-DAEMON>", "MAILER-DAEMON"),
    ],
)
def test_a_null_return_path_is_told_from_an_unknown_one(value: str | None, return_path: str | None) -> None:
    assert parse(raw_mail(return_path=value)).return_path == return_path


@pytest.mark.parametrize(
    "date", ["", "yesterday", "Mon, 99 Foo 2026 10:00:00", "Sat, 1 Jan 99999 00:00:00 +0000", "1"]
)
def test_a_broken_date_is_no_date(date: str) -> None:
    assert parse(raw_mail(date=date)).date is None


def test_every_header_stays_readable_in_its_order() -> None:
    mail = parse(b"X-Spam: no\r\nX-Spam: really\r\n" + raw_mail(x_desk_client="B"))
    assert mail.every_header("x-SPAM") == ("no", "really")
    assert mail.header("X-Desk-Client") == "B"
    assert mail.header("X-Absent") == ""


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (raw_mail(""), ""),
        (raw_mail("only\nLF", crlf=False), "only\nLF"),
        (raw_mail("only\nCR").replace(b"\r\n", b"\r"), "only\nCR"),
        (b"\r\n\r\n" + raw_mail("late start"), "late start"),
        (b"No header at all, just words.", "No header at all, just words."),
        (raw_mail("nul \0 inside"), "nul \ufffd inside"),
        (raw_mail("Gr\xfc\xdfe".encode("latin-1"), content_type="text/plain; charset=utf-9"), "Grüße"),
        (raw_mail("=C3=BC", content_transfer_encoding="Quoted-Printable"), "ü"),
        (raw_mail("w7w", content_transfer_encoding="base64"), "ü"),
        (raw_mail("ok", content_transfer_encoding="x-unheard-of"), "ok"),
        (raw_mail("ok", content_type="text/plain; charset="), "ok"),
        (raw_mail("ok", content_type="nonsense"), "ok"),
        (multipart("Content-Type: image/png\nContent-Disposition: inline\n\nx"), ""),
    ],
)
def test_a_mail_however_odd_becomes_one_with_its_best_text(raw: bytes, text: str) -> None:
    assert parse(raw).text == text


@pytest.mark.shared_data
def test_another_desks_odd_mails_all_become_mails(shared_data: Path) -> None:
    files = [file for folder in ("rt", "other") for file in sorted((shared_data / "mail" / folder).iterdir())]
    assert len(files) >= 60
    unread = {}
    for file in files:
        try:
            mail = parse(file.read_bytes())
        except Unreadable as refused:
            unread[file.name] = refused.reason
            continue
        assert_storable(mail)
        assert mail.text or mail.attachments or mail.headers, file.name
    assert unread == {}


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("file", "subject", "begins", "names"),
    [
        ("rt/msg1", "test äöüßÄÖÜß€", "test nochmal in anderer Queue", []),
        ("rt/new-ticket-from-gb18030", "测试", "测试", []),
        ("rt/notes-uuencoded", "Test e-mail which exhibits", "I send you this mail", ["Naz_Head.jpg"]),
        ("rt/subject-with-folding-ws", "test", "test", []),
        (
            "rt/rfc2231-attachment-filename-continuations",
            "Client",
            "Some data",
            ["新しいテキスト ドキュメント.txt"],
        ),
        ("rt/7-signed-encrypted-plain.eml", "Test Email ID:7", "", ["smime.p7m"]),
        ("rt/1-signed.eml", "Test Email ID:1", "This is a test email with detached", ["smime.p7s"]),
        ("other/all-special-chars.eml", "Testovácí email", "íářčšáíéřášč", []),
        ("other/blank-body-with-attachment.eml", "Attachment without body", "", ["baf"]),
        (
            "other/forwarded-message.eml",
            "Test with original",
            "This is email body\n\n-----Original Message",
            [],
        ),
    ],
)
def test_what_other_desks_mails_say(
    file: str, subject: str, begins: str, names: list[str], shared_data: Path
) -> None:
    mail = parse((shared_data / "mail" / file).read_bytes())
    assert mail.subject.startswith(subject)
    assert mail.new_text.startswith(begins)
    assert [attachment.name for attachment in mail.attachments] == names


@pytest.mark.parametrize("seed", range(4))
def test_mutilated_mails_raise_nothing_but_unreadable(seed: int) -> None:
    """LM-36: bytes of realistic mails mutated; each result must be storable as it is."""
    dice = random.Random(seed)
    for _ in range(500):
        raw = mutilated(dice.choice(WHOLE), dice)
        try:
            assert_storable(parse(raw))
        except Unreadable as refused:
            assert refused.reason


WHOLE = (
    raw_mail("> quoted\nnew\n-- \nme", subject="=?utf-8?q?Re:_Dr=C3=BCcker?=", in_reply_to="<a@x>"),
    multipart(
        "Content-Type: text/plain; charset=iso-2022-jp\n\nx",
        "Content-Type: text/html\n\n<p>x</p>",
        "Content-Type: message/rfc822\n\nSubject: y\n\nz",
        "Content-Type: a/b; name*0*=utf-8''%C3; name*1=\"x\"\nContent-Transfer-Encoding: base64\n\nAAAA",
    ),
    multipart(
        "\nThe mail system",
        "Content-Type: message/delivery-status\n\nA: b\n\n"
        "Final-Recipient: rfc822; a@x\nAction: failed\nStatus: 5.1.1",
        kind="report",
        **{"from": "MAILER-DAEMON@x.example (Mail System)"},
    ),
    raw_mail("begin 644 a\n#0V%T\n`\nend\n", **{"from": '"x (y" <a@b>, c:d;'}),
)
POISON = (
    b"\0", b"\xff", b"\xed\xa0\x80", b"\r\n\r\n", b"\n--=_b", b'"', b"(", b"<", b";", b"=?utf-8?b?", b"?=",
    b"*0*=", b"boundary=", b"charset=utf-16", b"charset=punycode", b"Content-Type: message/rfc822\n",
    b"begin 644 x\n",
)  # fmt: skip


def mutilated(raw: bytes, dice: random.Random) -> bytes:
    content = bytearray(raw)
    for _ in range(dice.randint(1, 10)):
        at = dice.randrange(len(content) + 1)
        match dice.randrange(4):
            case 0:
                content[at:at] = dice.choice(POISON)
            case 1:
                del content[at : at + dice.randint(1, 60)]
            case 2:
                content[at : at + 1] = bytes([dice.randrange(256)])
            case 3:
                content[at:at] = content[at : at + 200]
    return bytes(content)


def assert_storable(value: object) -> None:
    """Every text inside can be written as UTF-8 and stored by PostgreSQL."""
    if isinstance(value, str):
        value.encode()
        assert "\0" not in value
    elif isinstance(value, tuple):
        for item in value:
            assert_storable(item)
    elif is_dataclass(value):
        for field in fields(value):
            assert_storable(getattr(value, field.name))
