"""Text in a charset that is unknown, missing or a lie (LM-36)."""

from __future__ import annotations

import pytest

from tierdesk.channels.email.charsets import decode


@pytest.mark.parametrize(
    ("content", "charset", "text", "why"),
    [
        ("Drücker".encode(), "utf-8", "Drücker", "as declared"),
        ("Drücker".encode("latin-1"), "ISO-8859-1", "Drücker", "as declared"),
        (b"\x80 5", "iso-8859-1", "€ 5", "latin-1 on paper is cp1252 in practice"),
        ("Drücker".encode(), "utf-9", "Drücker", "an unknown charset"),
        ("Drücker".encode("cp1252"), "utf-9", "Drücker", "an unknown charset"),
        ("Drücker".encode(), "", "Drücker", "no charset"),
        ("Drücker".encode("cp1252"), "utf-8", "Drücker", "wrong throughout"),
        ("测试".encode("gb18030"), "gb2312", "测试", "the superset is meant"),
        ("ü".encode() * 20 + b"\xff", "utf-8", "ü" * 20 + "\ufffd", "wrong in one place"),
        (b"a\x00b", "utf-8", "a\ufffdb", "PostgreSQL refuses NUL"),
        (b"+2AA-x", "utf-7", "\ufffdx", "a lone surrogate cannot be stored"),
        (b"\xef\xbb\xbfhi", "utf-8", "hi", "a byte order mark is no text"),
        (b"a\r\nb\rc", "us-ascii", "a\nb\nc", "one kind of line end"),
        (b"abc", "punycode", "abc", "takes quadratic time and is no charset"),
        (b"abc", "zip", "abc", "no charset"),
        (b"abc", "../../etc/passwd", "abc", "no charset"),
        (b"abc", "unicode_escape", "abc", "no charset"),
        ("テスト".encode("iso-2022-jp"), "iso-2022-jp", "テスト", "as declared"),
        (b"", "utf-8", "", "nothing"),
    ],
)
def test_any_bytes_become_storable_text(content: bytes, charset: str, text: str, why: str) -> None:
    assert decode(content, charset) == text, why
