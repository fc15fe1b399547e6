"""Who is named in a header; SEC-006 and SEC-011 of the security page."""

from __future__ import annotations

import pytest

from tests.channels.email.letters import raw_mail
from tierdesk.channels.email.addresses import Address, plain_address, read_addresses
from tierdesk.channels.email.limits import Unreadable
from tierdesk.channels.email.message import parse

VICTIM = "a1@acme.com"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a1@acme.com", [Address("a1@acme.com")]),
        ("<a1@acme.com>", [Address("a1@acme.com")]),
        ("Anna Arens <A1@Acme.COM>", [Address("a1@acme.com", "Anna Arens")]),
        ('"Arens, Anna" <a1@acme.com>', [Address("a1@acme.com", "Arens, Anna")]),
        ('"a \\"quoted\\" name" <a1@acme.com>', [Address("a1@acme.com", 'a "quoted" name')]),
        ("a1@acme.com (Anna)", [Address("a1@acme.com", "Anna")]),
        ("a1@acme.com, Bo <b@x.example>", [Address("a1@acme.com"), Address("b@x.example", "Bo")]),
        ("=?utf-8?q?J=C3=BCrgen=2C_evil=40x?= <j@acme.com>", [Address("j@acme.com", "Jürgen, evil@x")]),
        ("Team: a@x.example, b@x.example;", [Address("a@x.example"), Address("b@x.example")]),
        ("undisclosed-recipients:;", []),
        ('Joe "the man <joe@x.example>', [Address("joe@x.example", 'Joe "the man')]),
        ("taro..yamada.@docomo.example", [Address("taro..yamada.@docomo.example")]),
        ("root@localhost", [Address("root@localhost")]),
        ("me@[192.0.2.1]", [Address("me@[192.0.2.1]")]),
        ("jörg@exämple.de", [Address("jörg@exämple.de")]),
        ("", []),
    ],
)
def test_ordinary_and_odd_address_lists_are_read(value: str, expected: list[Address]) -> None:
    assert list(read_addresses(value.encode())) == expected


@pytest.mark.parametrize(
    ("sender", "true_sender", "why"),
    [
        ('"a1@acme.com" <evil@x.example>', "evil@x.example", "the name is not the address"),
        ("a1@acme.com <evil@x.example>", "evil@x.example", "the name is not the address"),
        ("a1@acme.com@evil.example", "", "two at signs are no address"),
        ("a1@acme.com, evil@x.example", "", "two senders are no sender"),
        ("evil@x.example(a1@acme.com)", "evil@x.example", "a comment is not the address"),
        ("<a1@acme.com> <evil@x.example>", "", "which of them?"),
        ("<a1@acme.com><evil@x.example>", "", "which of them?"),
        ("a1@ac\n me.com", "", "folding inside an address glues nothing together"),
        ("a1@acme.com\n evil@x.example", "", "two words"),
        ('"a1@acme.com"@x.example', "", "a quoted at sign"),
        ("a1@\u0430cme.com", "a1@\u0430cme.com", "a Cyrillic letter stays one"),
        ("<a1@ac> <me.com>", "", "two halves are not glued together"),
        ("a1@acme.com\u200b", "", "an invisible character"),
        ("a1\u200b@acme.com", "", "an invisible character"),
        ("a1@ac\u212ame.com", "a1@ac\u212ame.com", "the Kelvin sign is no k"),
        ("<@relay.example:a1@acme.com>", "", "a source route"),
        ("a1@acme.com\x00@evil.example", "", "a NUL"),
    ],
)
def test_a_forged_sender_is_never_the_victim(sender: str, true_sender: str, why: str) -> None:
    mail = parse(raw_mail(**{"from": sender}))
    assert mail.from_address == true_sender, why
    assert mail.from_address != VICTIM


def test_two_from_headers_name_no_single_sender() -> None:
    raw = b"From: evil@x.example\r\n" + raw_mail(**{"from": "a1@acme.com"})
    mail = parse(raw)
    assert mail.from_address == ""
    assert {sender.address for sender in mail.senders} == {"evil@x.example", "a1@acme.com"}


def test_nested_comments_do_not_break_recursion() -> None:
    mail = parse(raw_mail(**{"from": "(" * 20_000 + "a@x.example" + ")" * 20_000}))
    assert mail.from_address == ""


def test_more_than_five_hundred_addresses_are_not_read() -> None:
    assert len(read_addresses(b", ".join(b"a%d@x.example" % n for n in range(500)))) == 500
    with pytest.raises(Unreadable, match="500 addresses"):
        read_addresses(b", ".join(b"a%d@x.example" % n for n in range(501)))


def test_a_plain_address_is_exactly_one_in_lower_case() -> None:
    assert plain_address(" A1@ACME.com ") == "a1@acme.com"
    assert plain_address("a1@acme.com b@x.example") == ""
    assert plain_address("a1@acme.com\r\nBcc: b@x.example") == ""
    assert plain_address("a" * 400 + "@x.example") == ""
    assert Address("a1@acme.com").domain == "acme.com"
