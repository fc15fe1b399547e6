"""Header blocks: unfolding, encoded words, limits."""

from __future__ import annotations

import pytest

from tierdesk.channels.email.headers import decode_words, read_headers
from tierdesk.channels.email.limits import Unreadable


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"plain words", "plain words"),
        (b"=?utf-8?q?Dr=C3=BCcker_kaputt?=", "Drücker kaputt"),
        (b"=?UTF-8?B?RHLDvGNrZXI=?=", "Drücker"),
        (b"=?iso-8859-1?Q?te?= =?iso-8859-1?Q?st?=", "test"),
        (b"Re: =?utf-8?q?a?= and =?utf-8?q?b?=", "Re: a and b"),
        (b"=?utf-8?B?w7w=?==?utf-8?B?w7w=?=", "üü"),
        (b"=?utf-8?q?=C3?= =?utf-8?q?=BC?=", "ü"),
        (b"=?gb18030?B?suLK1A===?=", "测试"),
        (b"=?utf-8*de?q?hallo?=", "hallo"),
        (b"=?iso-2022-jp?B?GyRCJUYlOSVIGyhC?=", "テスト"),
        (b"=?utf-9?q?half_known?=", "half known"),
        (b"=?utf-8?q?with blanks inside?=", "with blanks inside"),
        ("Drücker".encode("cp1252"), "Drücker"),
        ("Drücker".encode(), "Drücker"),
        (b"=?utf-8?q?line=0D=0ABcc:_x?=", "line Bcc: x"),
        (b"a\x00b", "a\ufffdb"),
        (b"=?utf-7?q?+2AA-?=", "\ufffd"),
    ],
)
def test_a_header_is_read_as_one_storable_line(value: bytes, text: str) -> None:
    assert decode_words(value).startswith(text)
    assert "\n" not in decode_words(value)


def test_folded_values_are_unfolded_and_names_fold_their_case() -> None:
    raw = b"SUBJECT: one\r\n two\r\n\tthree\r\nX-Old : blank before the colon\r\n\r\nbody"
    headers, body_at = read_headers(raw, 0, len(raw))
    assert headers.text("subject") == "one two three"
    assert headers.text("x-old") == "blank before the colon"
    assert raw[body_at:] == b"body"


def test_a_line_that_is_no_header_begins_the_text() -> None:
    raw = b"Subject: x\nThis is text already.\nSubject: y\n"
    headers, body_at = read_headers(raw, 0, len(raw))
    assert headers.every_raw("subject") == (b"x",)
    assert raw[body_at:].startswith(b"This is text")


def test_the_mark_of_an_mbox_file_is_skipped() -> None:
    raw = b"From MAILER-DAEMON Mon Jan  1 2015\nSubject: x\n\n"
    assert read_headers(raw, 0, len(raw))[0].text("subject") == "x"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"X-A: b\r\n" * 40_000, "header block is longer than 256 KB"),
        (b"Subject: " + b"w" * 65_537, "header subject is longer than 64 KB"),
        (b"Subject: " + b"w\r\n " * 20_000, "header subject is longer than 64 KB"),
        (b"Subject:" + b" =?utf-8?q?a?=" * 201, "header subject has more than 200 encoded words"),
    ],
)
def test_a_header_over_a_limit_is_not_read(raw: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        read_headers(raw, 0, len(raw))


def test_a_header_at_the_limit_is_read() -> None:
    raw = b"Subject:" + b" =?utf-8?q?a?=" * 200 + b"\r\n\r\n"
    assert read_headers(raw, 0, len(raw))[0].text("subject") == "a" * 200
