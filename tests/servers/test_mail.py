"""Mail through real SMTP: into the listener of a running desk, and out through a real relay."""

from __future__ import annotations

import hashlib
import re
import smtplib
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.servers.desk import Desk, until
from tests.servers.post import DESK, Relay, letter, post

pytestmark = pytest.mark.server

TICKET = "SELECT id, client_id, contact_id, channel, state FROM tickets_ticket WHERE subject = %s"


def test_a_mail_becomes_a_ticket_and_its_sender_gets_a_receipt(desk: Desk, relay: Relay) -> None:
    post(desk, letter("The tunnel is down", "Since nine the VPN does not connect."))
    ticket = desk.row_soon(TICKET, "The tunnel is down")
    assert (ticket["channel"], ticket["state"], ticket["client_id"]) == ("email", "new", desk.world["acme"])
    receipt = relay.mail_soon("ann@acme.example", about="The tunnel is down")
    assert f"TD-{ticket['id']}" in str(receipt["Subject"])
    assert receipt["Auto-Submitted"] == "auto-replied"


def test_an_answer_to_the_receipt_comes_back_to_its_ticket(desk: Desk, relay: Relay) -> None:
    post(desk, letter("Badge reader blinks", "It blinks red."))
    receipt = relay.mail_soon("ann@acme.example", about="Badge reader blinks")
    reply_to = str(receipt["Reply-To"])
    answer = letter("Something else altogether", "Now it blinks green.")
    post(desk, answer, to=re.sub(r".*<|>.*", "", reply_to))
    ticket = desk.row_soon(TICKET, "Badge reader blinks")
    heard = desk.row_soon(
        "SELECT text, trust FROM tickets_message WHERE ticket_id = %s AND text LIKE 'Now it%%'", ticket["id"]
    )
    assert heard == {"text": "Now it blinks green.", "trust": "verified"}
    assert not desk.rows(TICKET, "Something else altogether")


def test_a_mail_that_is_sent_twice_counts_once(desk: Desk) -> None:
    """A sender whose connection broke before it read our 250 sends again, perhaps after we have understood."""
    mail = letter("Twice told", "The same words.")
    post(desk, mail)
    desk.row_soon(TICKET, "Twice told")
    post(desk, mail)
    assert len(inbounds_saying(desk, "Subject: Twice told")) == 1


def inbounds_saying(desk: Desk, words: str) -> list[dict[str, object]]:
    return desk.rows(
        "SELECT id, state, reason, raw FROM channels_inbound WHERE position(%s::bytea in raw) > 0",
        words.encode(),
    )
