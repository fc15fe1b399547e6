"""What we send: read back with our own reader, and with the standard library's."""

from __future__ import annotations

import email
from dataclasses import replace
from datetime import UTC, datetime
from email.policy import default

import pytest

from tierdesk.channels.email.automatic import AutoReply, hops
from tierdesk.channels.email.compose import (
    Letter,
    Origin,
    UnableToCompose,
    compose,
    reply_subject,
    trim_references,
)
from tierdesk.channels.email.message import Attachment, Mail, parse
from tierdesk.channels.email.token import Purpose, verify_address, verify_message_id

SECRET = b"a secret of this desk"
LETTER = Letter(
    ticket=1234,
    serial="n55",
    mailbox="support@desk.example",
    from_name="Desk, Inc.",
    subject="Re: Printer [#ACME-1234]",
    text="Hello Anna,\n\nplease restart it.\n",
    at=datetime(2026, 6, 8, 8, 0, tzinfo=UTC),
    in_reply_to="<m1@acme.example>",
    references=("<m0@acme.example>",),
)


def sent(letter: Letter, recipient: str = "a1@acme.example") -> Mail:
    return parse(compose(letter, recipient=recipient, secret=SECRET).data)


def test_a_letter_arrives_as_it_was_meant() -> None:
    mail = sent(LETTER)
    assert (mail.from_address, mail.from_name) == ("support@desk.example", "Desk, Inc.")
    assert [to.address for to in mail.to] == ["a1@acme.example"]
    assert mail.subject == "Re: Printer [#ACME-1234]"
    assert mail.date == LETTER.at
    assert mail.text.rstrip() == LETTER.text.rstrip()
    assert (mail.in_reply_to, mail.references) == (
        ("<m1@acme.example>",),
        ("<m0@acme.example>", "<m1@acme.example>"),
    )
    assert mail.automatic is None


def test_a_reply_to_it_finds_the_ticket_by_either_token() -> None:
    mail = sent(LETTER)
    token = verify_address(mail.reply_to[0].address, secret=SECRET)
    assert token is not None and token.ticket == 1234
    assert token.is_for("a1@acme.example", secret=SECRET)
    assert verify_message_id(mail.message_id, secret=SECRET) == 1234


def test_each_recipient_gets_an_envelope_of_their_own() -> None:
    letter = replace(LETTER, to=("a1@acme.example",), cc=("a2@acme.example",))
    first, second = (
        compose(letter, recipient=to, secret=SECRET) for to in ("a1@acme.example", "a2@acme.example")
    )
    assert (first.rcpt_to, second.rcpt_to) == ("a1@acme.example", "a2@acme.example")
    assert first.mail_from != second.mail_from
    assert parse(first.data).to == parse(second.data).to
    assert parse(first.data).cc == parse(second.data).cc
    assert parse(first.data).reply_to != parse(second.data).reply_to


def test_a_persons_mail_bounces_to_a_signed_address() -> None:
    envelope = compose(LETTER, recipient="a1@acme.example", secret=SECRET)
    token = verify_address(envelope.mail_from, secret=SECRET)
    assert token is not None
    assert (token.purpose, token.ticket) == (Purpose.RETURN_PATH, 1234)


@pytest.mark.parametrize("origin", [Origin.AUTOMATIC_REPLY, Origin.NOTIFICATION])
def test_a_programs_mail_says_so_and_cannot_bounce(origin: Origin) -> None:
    envelope = compose(replace(LETTER, origin=origin, hops=1), recipient="a1@acme.example", secret=SECRET)
    mail = parse(envelope.data)
    assert envelope.mail_from == ""
    assert mail.header("Auto-Submitted") == origin.value
    assert mail.header("X-Auto-Response-Suppress") == "OOF, AutoReply"
    assert isinstance(mail.automatic, AutoReply)
    assert hops(mail) == 2


def test_sending_again_sends_the_same_message_id() -> None:
    once, again = (compose(LETTER, recipient="a1@acme.example", secret=SECRET) for _ in range(2))
    assert once.message_id == again.message_id


@pytest.mark.parametrize(
    "hostile",
    [
        "x\r\nBcc: evil@x.example",
        "x\nBcc: evil@x.example",
        "x\rBcc: evil@x.example",
        "x\u2028Bcc: evil@x.example",
        "x\0y",
    ],
)
def test_no_value_adds_a_header(hostile: str) -> None:
    letter = replace(
        LETTER,
        subject=hostile,
        from_name=hostile,
        in_reply_to=hostile,
        references=(hostile,),
        unsubscribe_url=hostile,
    )
    mail = sent(letter)
    assert mail.header("Bcc") == ""
    assert mail.from_address == "support@desk.example"
    assert mail.text.rstrip() == LETTER.text.rstrip()


@pytest.mark.parametrize(
    "bad", ["", "nobody", "a@x.example, b@x.example", "a@x.example\r\nBcc: b@x.example", "<a@x.example>"]
)
def test_what_is_no_address_is_not_written_to(bad: str) -> None:
    with pytest.raises(UnableToCompose):
        compose(LETTER, recipient=bad, secret=SECRET)
    with pytest.raises(UnableToCompose):
        compose(replace(LETTER, cc=(bad,)), recipient="a1@acme.example", secret=SECRET)


@pytest.mark.parametrize(
    "text",
    [
        "Drücker kaputt",
        "プリンターが壊れました" * 10,
        "x" * 900,
        "=?utf-8?q?fake?=",
        "a  b",
        "word " * 60,
        'say "hi", <now>',
    ],
)
def test_any_subject_and_name_survive_the_way(text: str) -> None:
    envelope = compose(
        replace(LETTER, subject=text, from_name=text), recipient="a1@acme.example", secret=SECRET
    )
    mail, other = parse(envelope.data), email.message_from_bytes(envelope.data, policy=default)
    assert mail.subject == other["Subject"].strip() == " ".join(text.split())
    assert mail.from_name == " ".join(text.split())
    assert mail.from_address == "support@desk.example"


def test_lines_are_short_crlf_and_ascii() -> None:
    letter = replace(
        LETTER,
        text="ü" * 3000 + "\n" + "x" * 3000,
        subject="ü" * 300,
        references=tuple(f"<{'r' * 200}{n}@x.example>" for n in range(50)),
    )
    data = compose(letter, recipient="a1@acme.example", secret=SECRET).data
    assert data.isascii()
    assert data.count(b"\n") == data.count(b"\r\n")
    assert max(map(len, data.split(b"\r\n"))) <= 998
    assert sent(letter).text.rstrip() == letter.text


def test_long_references_are_neither_encoded_nor_lost() -> None:
    long = f"<{'m' * 180}@x.example>"
    data = compose(replace(LETTER, references=(long,)), recipient="a1@acme.example", secret=SECRET).data
    assert long.encode() in data
    assert parse(data).references[0] == long


def test_the_chain_keeps_its_first_and_its_newest() -> None:
    chain = tuple(f"<{n}@x>" for n in range(50))
    kept = trim_references(chain, "<answered@x>")
    assert len(kept) == 20
    assert (kept[0], kept[-1], kept[-2]) == ("<0@x>", "<answered@x>", "<49@x>")
    assert trim_references(("<a@x>", "<b@x>", "junk", "<a@x>"), "<a@x>") == ("<b@x>", "<a@x>")
    assert trim_references((), "") == ()


@pytest.mark.parametrize(
    ("subject", "answer"),
    [
        ("Printer", "Re: Printer"),
        ("Re: Printer", "Re: Printer"),
        ("RE: AW: Re[2]: Printer", "Re: Printer"),
        ("Re: [VENDOR-77] Printer [#ACME-1]", "Re: [VENDOR-77] Printer [#ACME-1]"),
        ("Fwd: Printer", "Re: Fwd: Printer"),
        ("Regarding: x", "Re: Regarding: x"),
        ("x\r\nBcc: y", "Re: x Bcc: y"),
        ("", "Re:"),
    ],
)
def test_re_stands_once(subject: str, answer: str) -> None:
    assert reply_subject(subject) == answer


def test_html_pictures_and_files_find_their_places() -> None:
    letter = replace(
        LETTER,
        html='<p>See <img src="cid:pic1"></p>',
        attachments=(
            Attachment("a.png", "image/png", b"\x89PNG", content_id="pic1"),
            Attachment("Übersicht.txt", "text/plain", "für Anna".encode()),
            Attachment("odd.bin", "multipart/mixed", b"\x00"),
        ),
    )
    mail = sent(letter)
    assert mail.text.rstrip() == LETTER.text.rstrip()
    assert "cid:pic1" in mail.html
    assert [(file.name, file.content_type, file.content_id, file.content) for file in mail.attachments] == [
        ("a.png", "image/png", "pic1", b"\x89PNG"),
        ("Übersicht.txt", "text/plain", "", "für Anna".encode()),
        ("odd.bin", "application/octet-stream", "", b"\x00"),
    ]


def test_a_watch_list_mail_can_be_left_with_one_click() -> None:
    mail = sent(replace(LETTER, origin=Origin.NOTIFICATION, unsubscribe_url="https://desk.example/u/1"))
    assert mail.header("List-Unsubscribe") == "<https://desk.example/u/1>"
    assert mail.header("List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"


def test_an_address_beyond_ascii_asks_for_smtputf8() -> None:
    assert compose(LETTER, recipient="jörg@exämple.example", secret=SECRET).needs_smtputf8
    assert not compose(LETTER, recipient="a1@acme.example", secret=SECRET).needs_smtputf8
