"""Delivery status: which mail did not arrive, for whom, why (M21, M22, M26)."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from tests.channels.email.letters import multipart, raw_mail
from tierdesk.channels.email.automatic import AutoReply
from tierdesk.channels.email.bounces import Bounce, Cause, Outcome
from tierdesk.channels.email.message import Mail, parse

DAEMON = {
    "from": "Mail Delivery System <MAILER-DAEMON@mx.example>",
    "subject": "Undelivered Mail Returned to Sender",
}


def report(
    *groups: str, original: str = "Message-ID: <t7.n1.abc@desk.example>\nSubject: Re: Printer"
) -> Mail:
    """A bounce as RFC 3464 wants it."""
    status = "Reporting-MTA: dns; mx.example\n\n" + "\n\n".join(groups)
    return parse(
        multipart(
            "Content-Type: text/plain\n\nI'm sorry to have to inform you",
            f"Content-Type: message/delivery-status\n\n{status}\n",
            f"Content-Type: text/rfc822-headers\n\n{original}\n",
            kind="report; report-type=delivery-status",
            return_path="<>",
            auto_submitted="auto-replied",
            **DAEMON,
        )
    )


def bounce_of(mail: Mail) -> Bounce:
    assert isinstance(mail.automatic, Bounce)
    return mail.automatic


def test_a_report_names_our_mail_and_the_recipient() -> None:
    bounce = bounce_of(
        report(
            "Final-Recipient: rfc822; a1@acme.example\nAction: failed\nStatus: 5.1.1\n"
            "Diagnostic-Code: smtp; 550 5.1.1 <a1@acme.example>:\n User unknown"
        )
    )
    assert bounce.original_message_id == "<t7.n1.abc@desk.example>"
    assert bounce.outcome is Outcome.FAILED
    told = bounce.reports[0]
    assert (told.recipient, told.status, told.cause) == ("a1@acme.example", "5.1.1", Cause.ADDRESS_UNKNOWN)
    assert told.address_is_dead


def test_the_address_we_wrote_to_counts_and_not_the_one_it_was_forwarded_to() -> None:
    bounce = bounce_of(
        report(
            "Original-Recipient: rfc822;a1@acme.example\nFinal-Recipient: rfc822; x@other.example\n"
            "Action: failed\n"
            "Status: 5.2.2"
        )
    )
    assert bounce.reports[0].recipient == "a1@acme.example"
    assert bounce.reports[0].cause is Cause.MAILBOX_FULL
    assert not bounce.reports[0].address_is_dead


@pytest.mark.parametrize(
    ("action", "status", "outcome", "why"),
    [
        ("failed", "5.1.1", Outcome.FAILED, "permanent"),
        ("failed", "4.4.7", Outcome.FAILED, "given up after days of trying"),
        ("delayed", "4.4.1", Outcome.DELAYED, "still trying: no failure"),
        ("delivered", "2.1.5", Outcome.DELIVERED, "a success report"),
        ("relayed", "2.0.0", Outcome.DELIVERED, "handed on"),
        ("", "4.2.0", Outcome.DELAYED, "no action: the status decides"),
        ("", "5.0.0", Outcome.FAILED, "no action: the status decides"),
    ],
)
def test_delayed_is_not_failed(action: str, status: str, outcome: Outcome, why: str) -> None:
    fields = f"Final-Recipient: rfc822; a1@acme.example\nAction: {action}\nStatus: {status}"
    assert bounce_of(report(fields)).outcome is outcome, why


def test_the_worst_recipient_decides() -> None:
    fields = "Final-Recipient: rfc822; {}@acme.example\nAction: {}\nStatus: {}"
    bounce = bounce_of(
        report(fields.format("a1", "delivered", "2.0.0"), fields.format("a2", "failed", "5.0.0"))
    )
    assert [told.outcome for told in bounce.reports] == [Outcome.DELIVERED, Outcome.FAILED]
    assert bounce.outcome is Outcome.FAILED


def test_exim_names_the_failed_recipients_in_a_header() -> None:
    body = (
        "A message that you sent could not be delivered.\n\n"
        "  a1@acme.example\n    host mx: 550 5.1.1 User unknown\n\n"
        "------ This is a copy of the message, including all the headers. ------\n\n"
        "Message-Id: <t7.n1.abc@desk.example>\n"
    )
    bounce = bounce_of(parse(raw_mail(body, x_failed_recipients="a1@acme.example", **DAEMON)))
    assert bounce.reports[0].recipient == "a1@acme.example"
    assert bounce.reports[0].address_is_dead
    assert bounce.original_message_id == "<t7.n1.abc@desk.example>"


def test_a_server_that_dislikes_our_own_address_says_nothing_about_the_recipient() -> None:
    bounce = bounce_of(
        report(
            "Final-Recipient: rfc822; a1@acme.example\nAction: failed\nStatus: 5.1.8\n"
            "Diagnostic-Code: smtp; 550 No such domain (in reply to MAIL\n FROM command)"
        )
    )
    assert bounce.reports[0].cause is Cause.REFUSED
    assert not bounce.reports[0].address_is_dead


def test_a_person_who_forwards_a_bounce_has_not_bounced() -> None:
    mail = parse(
        raw_mail("What does this mean? Undelivered Mail Returned to Sender", subject="Fwd: Undelivered Mail")
    )
    assert mail.automatic is None


def test_a_person_who_writes_of_failure_has_not_bounced() -> None:
    mail = parse(
        raw_mail("My mail could not be delivered: 550 5.1.1 user unknown", subject="Delivery failure")
    )
    assert mail.automatic is None


def test_a_reading_receipt_is_no_bounce() -> None:
    mail = parse(
        multipart(
            "\nread",
            "Content-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; a@x.example",
            kind="report; report-type=disposition-notification",
        )
    )
    assert isinstance(mail.automatic, AutoReply)


@pytest.mark.shared_data
def test_most_real_bounces_are_recognised_and_told_rightly(shared_data: Path) -> None:
    """The figures are floors: better is welcome, worse is a defect."""
    folder = shared_data / "mail" / "bounces"
    with (folder / "expected.csv").open() as file:
        rows = list(csv.DictReader(file))
    seen: Counter[str] = Counter()
    for name in sorted({row["file"] for row in rows}):
        expected = [row for row in rows if row["file"] == name]
        automatic = parse((folder / name).read_bytes()).automatic
        if expected[0]["engine"] == "rfc3834":
            seen["auto-replies"] += isinstance(automatic, AutoReply)
            continue
        seen["bounce files"] += 1
        if not isinstance(automatic, Bounce):
            continue
        seen["recognised"] += 1
        seen["names our mail"] += bool(automatic.original_message_id)
        for told, row in zip(automatic.reports, expected, strict=False):
            dead = row["hard_bounce"] == "1"
            seen["reports"] += 1
            seen["names the recipient"] += bool(told.recipient)
            seen["right class"] += (told.status[:1] or "5") == row["status"][:1]
            seen["dead"] += dead
            seen["dead and told"] += dead and told.address_is_dead
    print(dict(seen))
    assert seen["auto-replies"] == 5
    assert seen["recognised"] >= 185, "of 187"
    assert seen["names the recipient"] >= 188, "of 193"
    assert seen["right class"] >= 186, "of 193"
    assert seen["dead and told"] >= 47, "of 48"
    assert seen["names our mail"] >= 170, "of 185"
