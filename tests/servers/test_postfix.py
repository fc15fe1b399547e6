"""A house that has a mail server: Postfix hands the desk's mail over by LMTP and relays what the desk writes."""

from __future__ import annotations

import re
import smtplib
import socket
from collections.abc import Iterator
from contextlib import closing
from email.message import EmailMessage

import pytest

from tests.servers.desk import Desk, until
from tests.servers.families import WORKER, kill
from tests.servers.post import DESK, Relay, letter, relay_running
from tests.servers.postfix import Postfix, why_not
from tierdesk.channels.email.limits import MESSAGE_BYTES

pytestmark = pytest.mark.server

TICKET = "SELECT id, state FROM tickets_ticket WHERE subject = %s"

SAYING = "SELECT meta->'recipients' AS recipients FROM channels_inbound WHERE position(%s::bytea in raw) > 0"


@pytest.fixture(scope="module")
def world() -> Iterator[Relay]:
    """Everybody else's mail server."""
    with relay_running() as relay:
        yield relay


@pytest.fixture(scope="module")
def house(world: Relay) -> Iterator[tuple[Desk, Postfix]]:
    if reason := why_not():
        pytest.skip(reason)
    desk = Desk()
    postfix = Postfix(inward=f"lmtp:[127.0.0.1]:{desk.lmtp_port}", outward=f"[127.0.0.1]:{world.port}")
    desk.relay_port = postfix.port
    with postfix, desk:
        yield desk, postfix


@pytest.fixture
def desk(house: tuple[Desk, Postfix]) -> Desk:
    return house[0]


@pytest.fixture
def postfix(house: tuple[Desk, Postfix]) -> Postfix:
    return house[1]


def send(postfix: Postfix, message: EmailMessage, *to: str) -> None:
    with smtplib.SMTP("127.0.0.1", postfix.port, timeout=20) as server:
        server.sendmail("ann@acme.example", [*to] or [DESK], message.as_bytes())


def test_a_mail_goes_through_the_houses_server_and_so_does_its_receipt(
    desk: Desk, postfix: Postfix, world: Relay
) -> None:
    send(postfix, letter("The tunnel is down", "Since nine."))
    ticket = desk.row_soon(TICKET, "The tunnel is down")
    receipt = world.mail_soon("ann@acme.example", about=f"TD-{ticket['id']}")
    assert receipt["Auto-Submitted"] == "auto-replied"
    send(postfix, letter("Unrelated", "Now it is up."), address_in(receipt))
    heard = "SELECT text FROM tickets_message WHERE ticket_id = %s AND text LIKE 'Now it%%'"
    assert desk.row_soon(heard, ticket["id"]) == {"text": "Now it is up."}
    assert until(postfix.is_empty)


def test_one_mail_to_two_of_our_addresses_is_delivered_once_and_acknowledged_for_both(
    desk: Desk, postfix: Postfix
) -> None:
    send(postfix, letter("Twice addressed", "Hello."), DESK, "sales@desk.example")
    desk.row_soon(TICKET, "Twice addressed")
    assert until(postfix.is_empty)
    kept = desk.rows(SAYING, b"Subject: Twice addressed")
    assert [sorted(row["recipients"]) for row in kept] == [["sales@desk.example", DESK]]


def test_while_the_desk_is_away_the_houses_server_keeps_the_mail(desk: Desk, postfix: Postfix) -> None:
    assert kill(desk.pid, WORKER)
    send(postfix, letter("Nobody at home", "Hello?"))
    desk.row_soon(TICKET, "Nobody at home", within_s=40)
    assert until(postfix.is_empty)


def test_a_reply_to_somebody_who_is_not_there_comes_back_and_is_put_to_its_ticket(
    desk: Desk, postfix: Postfix, world: Relay
) -> None:
    """M21, with a bounce that a real server wrote: to our signed return path, with our Message-ID in it."""
    send(postfix, letter("Who am I?", "I leave tomorrow.", sender="Arne Voss <arne@acme.example>"))
    ticket = desk.row_soon(TICKET, "Who am I?")["id"]
    world.unknown = {"arne@acme.example"}
    with closing(desk.signed_in("lena@desk.example")) as lena:
        token = lena.cookies["csrftoken"]
        said = {"text": "Good luck.", "kind": "reply", "csrfmiddlewaretoken": token}
        assert lena.post(f"/tickets/{ticket}/words/", data=said).status_code == 302
    desk.row_soon(
        "SELECT state FROM notifications_notice WHERE ticket_id = %s AND kind = 'reply' AND state = 'bounced'",
        ticket,
        within_s=40,
    )
    contact = desk.rows("SELECT undeliverable_since FROM clients_contact WHERE email = 'arne@acme.example'")
    assert contact[0]["undeliverable_since"] is not None
    world.unknown = set()


def test_a_mail_that_is_too_large_goes_back_to_its_author(desk: Desk, postfix: Postfix, world: Relay) -> None:
    large = letter("Everything I have", "See the file.")
    large.add_attachment(b"x" * MESSAGE_BYTES, maintype="application", subtype="zip", filename="all.zip")
    send(postfix, large)
    assert until(lambda: world.mails_to("ann@acme.example", about="Undelivered"), within_s=40), postfix.log[
        -3000:
    ]
    assert not desk.rows(TICKET, "Everything I have")


def test_the_desks_mail_to_itself_comes_back_by_both_ways(desk: Desk, postfix: Postfix) -> None:
    """The canary leaves by the house's relay as all mail does, and its server hands it over again."""
    desk.obey("apply", f"mailboxes:\n  - {{address: {DESK}, canary_minutes: 5}}\n")
    back = desk.row_soon(
        "SELECT took_s, missed_at FROM email_vigil WHERE back_sent_at = sent_at", within_s=40
    )
    assert back["missed_at"] is None and back["took_s"] < 40
    assert until(postfix.is_empty)
    assert not desk.rows("SELECT id FROM tickets_ticket WHERE subject LIKE 'The desk writes%%'")
    desk.obey("apply", f"mailboxes:\n  - {{address: {DESK}, canary_minutes: 0}}\n")
    assert not desk.rows("SELECT id FROM email_vigil")


def test_lmtp_answers_once_for_each_recipient(desk: Desk) -> None:
    """RFC 2033 §4.2; and who speaks SMTP at this port is told."""
    with socket.create_connection(("127.0.0.1", desk.lmtp_port), timeout=10) as line:
        lines = line.makefile("rb")

        def say(words: str) -> bytes:
            line.sendall(words.encode() + b"\r\n")
            while (answer := lines.readline())[3:4] == b"-":
                pass
            return answer[:3]

        assert lines.readline()[:3] == b"220"
        assert say("EHLO mx.desk.example") == b"500"
        assert say("LHLO mx.desk.example") == b"250"
        assert say("MAIL FROM:<ann@acme.example>") == b"250"
        assert say(f"RCPT TO:<{DESK}>") == b"250"
        assert say("RCPT TO:<sales@desk.example>") == b"250"
        assert say("DATA") == b"354"
        assert say("Subject: by hand\r\n\r\nhi\r\n.") == b"250"
        assert lines.readline()[:3] == b"250"
        assert say("QUIT") == b"221"


def address_in(receipt: EmailMessage) -> str:
    return re.sub(r".*<|>.*", "", str(receipt["Reply-To"]))
