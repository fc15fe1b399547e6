"""How far a sender is proven (SEC-005, RFC 8601)."""

from __future__ import annotations

import pytest

from tests.channels.email.letters import raw_mail
from tierdesk.channels.email.authentication import Trust, judge
from tierdesk.channels.email.message import parse

RECEIVED = b"Received: from out.acme.example by mx.desk.example; Mon, 8 Jun 2026 10:00:00 +0200\r\n"


def result(text: str, writer: str = "mx.desk.example") -> bytes:
    return f"Authentication-Results: {writer}; {text}\r\n".encode()


def trust(raw: bytes, *, authserv_id: str = "mx.desk.example", received_above: int = 1) -> Trust:
    return judge(parse(raw), authserv_id=authserv_id, received_above=received_above).trust


@pytest.mark.parametrize(
    ("text", "expected", "why"),
    [
        ("dkim=pass header.d=acme.example", Trust.VERIFIED, "signed by the domain"),
        ("dkim=pass (2048-bit key; x) header.i=@acme.example", Trust.VERIFIED, "the identity's domain"),
        ("dmarc=pass (p=none) header.from=acme.example", Trust.VERIFIED, "DMARC includes alignment"),
        ("spf=pass smtp.mailfrom=a1@acme.example", Trust.UNVERIFIED, "SPF says who sent, not who wrote"),
        ("dkim=pass header.d=evil.example", Trust.UNVERIFIED, "signed by somebody else"),
        ("dkim=pass header.d=example", Trust.UNVERIFIED, "nobody signs for a top-level domain"),
        ("dkim=pass header.d=notacme.example", Trust.UNVERIFIED, "a longer name is another name"),
        ("dkim=fail header.d=acme.example", Trust.UNVERIFIED, "a broken signature proves nothing"),
        (
            "dmarc=fail header.from=acme.example; dkim=pass header.d=acme.example",
            Trust.FAILED,
            "the owner says no",
        ),
        ('dkim=none; x="dkim=pass header.d=acme.example"', Trust.UNVERIFIED, "a quoted result is none"),
        ("none", Trust.UNVERIFIED, "nothing was checked"),
    ],
)
def test_our_servers_result_decides(text: str, expected: Trust, why: str) -> None:
    assert trust(RECEIVED + result(text) + raw_mail()) is expected, why


PASS = "dkim=pass header.d=acme.example"


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (result(PASS, "mx.evil.example") + raw_mail(), "another server's word"),
        (result(PASS, "mx.desk.example.evil.example") + raw_mail(), "a name that begins like ours"),
        (
            RECEIVED + RECEIVED + result(PASS) + raw_mail(),
            "it lies below our servers' lines: it came with the mail",
        ),
        (RECEIVED + result(PASS) + raw_mail(**{"from": "a1@acme.example, b@x.example"}), "two senders"),
        (raw_mail(), "no result at all"),
    ],
)
def test_anybody_elses_result_is_ignored(raw: bytes, why: str) -> None:
    assert trust(raw) is Trust.UNVERIFIED, why


def test_without_an_authserv_id_nobody_is_trusted() -> None:
    assert trust(result(PASS) + raw_mail(), authserv_id="") is Trust.UNVERIFIED


def test_a_server_that_writes_on_top_of_its_own_line_allows_no_line_above() -> None:
    assert trust(result(PASS) + RECEIVED + raw_mail(), received_above=0) is Trust.VERIFIED
    assert trust(RECEIVED + result(PASS) + raw_mail(), received_above=0) is Trust.UNVERIFIED
