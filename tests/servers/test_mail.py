"""Mail through real SMTP: into the listener of a running desk, and out through a real relay."""

from __future__ import annotations

import hashlib
import re
import smtplib
import socket
from contextlib import closing
from pathlib import Path

import pytest

from tests.servers.desk import Desk, until
from tests.servers.post import DESK, Relay, as_carried, letter, post
from tierdesk.channels.email.limits import MESSAGE_BYTES

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("servers")]

TICKET = "SELECT id, client_id, contact_id, channel, state FROM tickets_ticket WHERE subject = %s"
SAYING = "SELECT id, state, raw FROM channels_inbound WHERE position(%s::bytea in raw) > 0"
TO = "SELECT state, reason, raw, size, sha256 FROM channels_inbound WHERE meta->'recipients' = to_jsonb(%s::text[])"


def test_a_mail_becomes_a_ticket_and_its_sender_gets_a_receipt(desk: Desk, relay: Relay) -> None:
    post(desk, letter("The tunnel is down", "Since nine the VPN does not connect."))
    ticket = desk.row_soon(TICKET, "The tunnel is down")
    assert (ticket["channel"], ticket["state"], ticket["client_id"]) == ("email", "new", desk.world["acme"])
    receipt = relay.mail_soon("ann@acme.example", about=f"TD-{ticket['id']}")
    assert receipt["Auto-Submitted"] == "auto-replied"


def test_an_answer_to_the_receipt_comes_back_to_its_ticket(desk: Desk, relay: Relay) -> None:
    post(desk, letter("Badge reader blinks", "It blinks red."))
    ticket = desk.row_soon(TICKET, "Badge reader blinks")
    receipt = relay.mail_soon("ann@acme.example", about=f"TD-{ticket['id']}")
    answer = letter("Something else altogether", "Now it blinks green.")
    post(desk, answer, to=re.sub(r".*<|>.*", "", str(receipt["Reply-To"])))
    heard = desk.row_soon(
        "SELECT text FROM tickets_message WHERE ticket_id = %s AND text LIKE 'Now it%%'", ticket["id"]
    )
    assert heard == {"text": "Now it blinks green."}
    assert not desk.rows(TICKET, "Something else altogether")


def test_each_recipient_gets_an_envelope_of_their_own_with_a_return_path_of_our_domain(
    desk: Desk, relay: Relay
) -> None:
    """So a bounce names the recipient, SPF speaks of our domain, and whoever signs signs each mail for itself."""
    post(desk, letter("Two follow this", "Hello."))
    ticket = desk.row_soon(TICKET, "Two follow this")
    follower = """
        INSERT INTO tickets_participant (ticket_id, client_id, email, accepted)
        VALUES (%s, %s, 'arne@acme.example', true)
    """
    desk.change(follower, ticket["id"], ticket["client_id"])
    with closing(desk.signed_in("lena@desk.example")) as lena:
        said = {"text": "We look.", "kind": "reply", "csrfmiddlewaretoken": lena.cookies["csrftoken"]}
        assert lena.post(f"/tickets/{ticket['id']}/words/", data=said).status_code == 302
    mails = [relay.mail_soon(to, about="Re: Two follow") for to in ("ann@acme.example", "arne@acme.example")]
    assert len({mail["Message-ID"] for mail in mails}) == 2
    envelopes = [one for one in relay.envelopes if f"+b{ticket['id']}." in one[0]]
    assert sorted(to for _, to in envelopes) == [["ann@acme.example"], ["arne@acme.example"]]
    assert len({sender for sender, _ in envelopes}) == 2
    assert {sender.rpartition("@")[2] for sender, _ in envelopes} == {"desk.example"}


def test_a_mail_that_is_sent_twice_counts_once(desk: Desk) -> None:
    """A sender whose connection broke before it read our 250 sends again, perhaps after we have understood."""
    mail = letter("Twice told", "The same words.", sender="Arne Voss <arne@acme.example>")
    post(desk, mail)
    desk.row_soon(TICKET, "Twice told")
    post(desk, mail)
    assert len(desk.rows(SAYING, b"Subject: Twice told")) == 1


@pytest.mark.shared_data
def test_no_byte_of_published_mails_is_lost_and_each_comes_to_an_end(desk: Desk, shared_data: Path) -> None:
    """What SMTP carries is a file with CRLF at the end of every line; from there on not a byte may change."""
    folder = shared_data / "mail"
    files = sorted([*folder.glob("rt/*"), *folder.glob("other/*"), *folder.glob("bounces/*.eml")])
    assert len(files) >= 259
    sent = {f"support+rt{number}@desk.example": file.read_bytes() for number, file in enumerate(files)}
    for address, raw in sent.items():
        post(desk, raw, to=address)
    assert until(lambda: not desk.rows("SELECT id FROM channels_inbound WHERE state = 'new'"), within_s=60)
    for address, raw in sent.items():
        [kept] = desk.rows(TO, [address])
        carried = as_carried(raw)
        assert bytes(kept["raw"]) == carried
        assert (kept["size"], kept["sha256"]) == (len(carried), hashlib.sha256(carried).hexdigest())
        assert kept["state"] in ("done", "parked", "discarded")
        assert "parser failed" not in kept["reason"]
        assert "could not be taken in" not in kept["reason"]
    assert "could not be taken in" not in desk.log()


SMUGGLED = (
    b"MAIL FROM:<eve@evil.example>\r\nRCPT TO:<support@desk.example>\r\nDATA\r\nSubject: smuggled\r\n\r\nhi"
)


@pytest.mark.parametrize(
    "false_end",
    [
        b"\n.\n",
        b"\n.\r\n",
        b"\r\n.\n",
        b"\r.\r",
        b"\r.\r\n",
        b"\r\n.\r",
        b"\n.\r",
        b"\r\n\x00.\r\n",
        b"\r\n.\x00\r\n",
        b"\r\n..\r\n",
        b"\r\r\n.\r\r\n",
    ],
    ids=repr,
)
def test_only_a_dot_between_two_whole_line_ends_ends_a_mail(desk: Desk, false_end: bytes) -> None:
    """SMTP smuggling: a second mail hidden behind what some servers take for the end of the first."""
    marker = hashlib.sha256(false_end).hexdigest()[:12].encode()
    before = desk.rows("SELECT count(*) AS n FROM channels_inbound")[0]["n"]
    head = b"From: eve@acme.example\r\nSubject: carrier %s\r\n\r\nbody" % marker
    answers = said_to(desk, [head + false_end + SMUGGLED])
    assert answers[0][:3] in (b"250", b"550", b"521", b"500")
    assert b"354" not in b"".join(answers)
    arrived = desk.rows("SELECT count(*) AS n FROM channels_inbound")[0]["n"] - before
    assert arrived == (1 if answers[0][:3] == b"250" else 0)
    assert len(desk.rows(SAYING, b"carrier " + marker)) == arrived


def test_a_line_longer_than_the_standard_demands_is_taken_whole(desk: Desk) -> None:
    raw = b"From: eve@acme.example\r\nSubject: one long line\r\n\r\n" + b"x" * 300_000 + b"\r\n"
    post(desk, raw)
    [kept] = desk.rows(SAYING, b"Subject: one long line")
    assert bytes(kept["raw"]) == raw


def test_a_mail_that_says_it_is_too_large_is_refused_before_it_is_sent(desk: Desk) -> None:
    with smtplib.SMTP("127.0.0.1", desk.smtp_port, timeout=15) as server:
        server.ehlo()
        code, _ = server.mail("ann@acme.example", [f"size={MESSAGE_BYTES + 1}"])
    assert code == 552


def test_a_mail_that_turns_out_too_large_is_refused_and_nothing_of_it_stays(desk: Desk) -> None:
    line = b"y" * 8190 + b"\r\n"
    head = b"From: eve@acme.example\r\nSubject: far too large\r\n\r\n"
    answers = said_to(desk, [head, *[line] * (MESSAGE_BYTES // len(line) + 1)])
    assert answers[0][:3] == b"552"
    assert not desk.rows(SAYING, b"far too large")


def said_to(desk: Desk, parts: list[bytes]) -> list[bytes]:
    """What the desk answers, line by line, from the end of a mail's text to the end of the session."""
    with socket.create_connection(("127.0.0.1", desk.smtp_port), timeout=30) as line:
        lines = line.makefile("rb")
        lines.readline()
        for word in (
            b"HELO mail.acme.example",
            b"MAIL FROM:<ann@acme.example>",
            f"RCPT TO:<{DESK}>".encode(),
        ):
            line.sendall(word + b"\r\n")
            assert lines.readline()[:3] == b"250"
        line.sendall(b"DATA\r\n")
        assert lines.readline()[:3] == b"354"
        for part in parts:
            line.sendall(part)
        line.sendall(b"\r\n.\r\nQUIT\r\n")
        return lines.readlines()
