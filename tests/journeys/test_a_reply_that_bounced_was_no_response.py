"""A response that came back was none: the respond clock counts on as if it had never stopped (promises.md F06)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tests.cast import Cast
from tests.journeys.conftest import Post
from tierdesk.channels.models import Inbound
from tierdesk.core.wakeups import fast_forward
from tierdesk.tickets.models import Ticket

M = timedelta(minutes=1)

BOUNCE = """From: MAILER-DAEMON@mx.acme.example
To: {return_path}
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Auto-Submitted: auto-replied
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

The mail could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.acme.example

Final-Recipient: rfc822; ann@acme.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 user unknown

--b
Content-Type: text/rfc822-headers

Message-ID: {message_id}
Subject: Re: VPN

--b--
"""


def test_f06_the_clock_counts_on_and_the_contact_is_marked(
    cast: Cast, at: datetime, post: Post, doing: Callable[..., Any]
) -> None:
    post.arrive(at, "ann@acme.example", "VPN down", "Help.")
    ticket = Ticket.objects.get()
    with doing(cast.lena, at + 10 * M):
        ticket.take(cast.lena)
        ticket.reply("We are on it.")
    fast_forward(at + 11 * M)
    respond = ticket.clocks.get(metric="respond")
    assert respond.state == "met"
    sent = post.sent[-1]
    bounce = BOUNCE.format(return_path=sent.mail_from, message_id=sent.message_id).replace("\n", "\r\n")
    meta = {"recipients": [sent.mail_from], "mail_from": ""}
    Inbound.store("email", bounce.encode(), meta=meta, at=at + 20 * M)
    fast_forward(at + 20 * M)
    respond.refresh_from_db()
    assert (respond.state, respond.due_at) == ("running", at + 240 * M)
    cast.ann.refresh_from_db()
    assert cast.ann.undeliverable_since is not None


def test_two_replies_in_one_breath_start_one_cadence(
    cast: Cast, at: datetime, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena):
        ticket = cast.ticket()
    with doing(cast.lena, at + M):
        ticket.reply("First.")
        ticket.reply("Second.")
    assert ticket.clocks.filter(metric="update").count() == 1
