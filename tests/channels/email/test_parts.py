"""The parts of a mail: structure, names, transfer encodings, limits before parsing."""

from __future__ import annotations

import time

import pytest

from tests.channels.email.letters import multipart, raw_mail
from tierdesk.channels.email.limits import Unreadable
from tierdesk.channels.email.message import parse
from tierdesk.channels.email.parts import safe_name, take_uuencoded

HEAD = b"From: a1@acme.example\r\nTo: support@desk.example\r\n"


def nested(depth: int) -> bytes:
    levels = (b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(depth))
    return HEAD + b"".join(levels) + b"\r\ndeep\r\n"


def test_text_and_files_are_told_apart() -> None:
    mail = parse(
        multipart(
            "Content-Type: text/plain; charset=utf-8\n\nHallo Jürgen",
            'Content-Type: text/plain\nContent-Disposition: attachment; filename="log.txt"\n\nline',
            "Content-Type: image/png\nContent-Id: <pic1>\nContent-Transfer-Encoding: base64\n\niVBORw==",
        )
    )
    assert mail.text == "Hallo Jürgen"
    assert [(file.name, file.content, file.content_id) for file in mail.attachments] == [
        ("log.txt", b"line", ""),
        ("image-png.png", b"\x89PNG", "pic1"),
    ]


def test_an_alternative_says_the_same_twice() -> None:
    mail = parse(
        multipart(
            "Content-Type: text/plain\n\nHello",
            "Content-Type: text/html\n\n<p>Hello</p>",
            kind="alternative",
        )
    )
    assert (mail.text, mail.html) == ("Hello", "<p>Hello</p>")


def test_html_beside_a_plain_footer_is_text_of_its_own() -> None:
    mail = parse(
        multipart("Content-Type: text/html\n\n<p>The question</p>", "Content-Type: text/plain\n\nFooter")
    )
    assert mail.text == "The question\n\nFooter"


def test_an_alternative_with_empty_plain_text_speaks_through_its_html() -> None:
    mail = parse(
        multipart(
            "Content-Type: text/plain\n\n  ", "Content-Type: text/html\n\n<b>Hi</b>", kind="alternative"
        )
    )
    assert mail.text == "Hi"


def test_an_attached_mail_is_a_file_and_none_of_its_words_are_ours() -> None:
    carried = "Subject: Inner words\nContent-Type: text/plain\n\nsecret of another mail"
    mail = parse(multipart("\nSee below", f"Content-Type: message/rfc822\n\n{carried}"))
    assert mail.text == "See below"
    assert [file.name for file in mail.attachments] == ["Inner words.eml"]
    assert b"secret of another mail" in mail.attachments[0].content


@pytest.mark.parametrize(
    "kind", ["application/pkcs7-mime", "application/pgp-encrypted", "application/ms-tnef"]
)
def test_what_we_cannot_open_is_kept(kind: str) -> None:
    mail = parse(raw_mail("AAEC", content_type=kind, content_transfer_encoding="base64"))
    assert mail.text == ""
    assert [(file.content_type, file.content) for file in mail.attachments] == [(kind, b"\x00\x01\x02")]


def test_a_multipart_without_delimiters_is_one_text() -> None:
    mail = parse(raw_mail("All in one.", content_type="multipart/mixed; boundary=never"))
    assert mail.text.strip() == "All in one."


def test_a_multipart_that_never_closes_keeps_its_last_part() -> None:
    mail = parse(raw_mail("--b\n\nfirst\n--b\n\nsecond", content_type="multipart/mixed; boundary=b"))
    assert mail.text == "first\n\nsecond"


def test_uuencoded_files_leave_the_text() -> None:
    text, files = take_uuencoded(b"Hello\nbegin 644 a/b\\cat.txt\n#0V%T\n`\nend\nBye\n")
    assert text == b"Hello\nBye\n"
    assert files == [("cat.txt", b"Cat")]


def test_a_broken_uuencoded_file_stays_text() -> None:
    body = b"begin 644 cat.txt\n#0V%T\nno end here\n"
    assert take_uuencoded(body) == (body, [])


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.doc", "a.doc"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        (".htaccess", "htaccess"),
        (".\u200bhtaccess", "htaccess"),
        ("a\r\nb.txt", "ab.txt"),
        ("新" * 100 + ".txt", "新" * 83 + ".txt"),
        ("x" * 300, "x" * 255),
        ("..", ""),
    ],
)
def test_a_file_name_is_only_a_name(name: str, safe: str) -> None:
    assert safe_name(name) == safe
    assert len(safe_name(name).encode()) <= 255


def test_continued_file_names_are_put_together() -> None:
    disposition = "attachment; filename*0*=utf-8''%C3%9Cber; filename*1*=sicht; filename*2=.txt"
    mail = parse(raw_mail("x", content_disposition=disposition))
    assert mail.attachments[0].name == "Übersicht.txt"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (nested(1000), "nested more than 50 deep"),
        (HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 1000, "nested more than 50 deep"),
        (
            HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 100_000,
            "more than 1000 parts",
        ),
        (HEAD + b"Subject:" + b" =?utf-8?q?a?=" * 8_000 + b"\r\n\r\n", "longer than 64 KB"),
        (HEAD + b"Subject:" + b" word" * 200_000 + b"\r\n\r\n", "header block is longer than 256 KB"),
        (HEAD + b"Cc: " + b"a@x.example," * 20_000 + b"\r\n\r\n", "longer than 64 KB"),
        (HEAD + b"\r\n" + b"x" * (35 * 1024 * 1024), "larger than 35 MB"),
        (b"", "empty"),
        (b"\r\n \r\n", "empty"),
    ],
)
def test_a_bomb_is_refused_before_it_is_parsed(raw: bytes, reason: str) -> None:
    began = time.process_time()
    with pytest.raises(Unreadable, match=reason):
        parse(raw)
    assert time.process_time() - began < 1


def test_a_mail_at_the_limits_is_read() -> None:
    assert parse(nested(50)).text == "deep"
    parts = "".join("--b\n\nx\n" for _ in range(999))
    assert parse(raw_mail(parts, content_type="multipart/mixed; boundary=b")).text.count("x") == 999


def test_the_text_of_an_endless_mail_is_cut_and_kept_whole_as_a_file() -> None:
    mail = parse(raw_mail(b"word\n" * 400_000, crlf=False))
    assert len(mail.text) <= 1024 * 1024
    assert [(file.content_type, file.size) for file in mail.attachments] == [("text/plain", 2_000_000)]
