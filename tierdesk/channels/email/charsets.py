"""Bytes to text, best effort: mail lies about its charset, and a lie must not lose the message."""

import codecs
import re

# As browsers do: senders who say the left mean the right (WHATWG Encoding Standard, labels).
_MEANT: dict[str, str] = {
    "iso-8859-1": "cp1252", "iso8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252",
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "hz-gb-2312": "hz",
    "ks_c_5601-1987": "cp949", "euc-kr": "cp949", "shift_jis": "cp932", "x-sjis": "cp932", "sjis": "cp932",
    "iso-2022-jp": "iso2022_jp_ext", "iso-8859-8-i": "iso8859-8", "iso-8859-9": "cp1254",
    "unicode-1-1-utf-7": "utf-7", "x-unicode-2-0-utf-7": "utf-7", "utf8mb4": "utf-8", "us-ascii": "ascii",
}  # fmt: skip

# Codecs of Python that are no charsets of mail; "punycode" and "idna" also take quadratic time.
_NO_CHARSETS = {"punycode", "idna", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"}

_CHARSET_NAME = re.compile(r"[A-Za-z0-9_.:+-]{1,40}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LINE_ENDS = re.compile("\r\n?")


def decode(content: bytes, charset: str = "") -> str:
    """The text of `content`, declared to be in `charset` (may be empty, unknown or wrong). Never raises."""
    declared = _codec(charset)
    for codec in (declared, "utf-8"):
        if codec:
            try:
                return _storable(content.decode(codec))
            except UnicodeError:
                continue
    return _storable(_least_damaged(content, declared))


def _codec(charset: str) -> str:
    name = charset.strip().strip("\"'").lower()
    name = _MEANT.get(name, name)
    if not _CHARSET_NAME.fullmatch(name):
        return ""
    try:
        codec = codecs.lookup(name).name
        "".encode(codec)  # raises LookupError for codecs such as "zip" that do not make text
    except (LookupError, UnicodeError):
        return ""
    return "" if codec.replace("-", "_") in _NO_CHARSETS else codec


def _least_damaged(content: bytes, declared: str) -> str:
    """Wrong in part: keep the declared charset; wrong throughout: what a western desktop would have meant."""
    if declared and declared != "ascii":
        text = content.decode(declared, "replace")
        foreign = sum(byte > 127 for byte in content[:10_000])
        if text[:10_000].count("\ufffd") * 2 <= foreign:
            return text
    return content.decode("cp1252", "replace")


def _storable(text: str) -> str:
    """PostgreSQL text refuses NUL, UTF-8 refuses lone surrogates (utf-7 can write them)."""
    if "\r" in text:
        text = _LINE_ENDS.sub("\n", text)
    return _UNSTORABLE.sub("\ufffd", text).removeprefix("\ufeff")
