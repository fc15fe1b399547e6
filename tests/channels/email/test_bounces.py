"""Delivery status: which mail did not arrive, for whom, why (M21, M22, M26)."""

from __future__ import annotations

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


# What mail systems write that follow no RFC, each with the mail that came back below.
WORDS = [
    ("MAILER-DAEMON@mx.example", "failure notice",
     "Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your message to the "
     "following addresses.\nThis is a permanent error; I've given up.\n\n<a1@acme.example>:\nRemote host said: 550 "
     "User unknown\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <support@desk.example>",
     Outcome.FAILED, Cause.ADDRESS_UNKNOWN),
    ("System Administrator <postmaster@acme.example>", "Undeliverable: Printer",
     "Your message\n\n  Subject: Printer\n\ndid not reach the following recipient(s):\n\na1@acme.example on Mon, 8 Jun "
     "2026\n    The recipient name is not recognized\n    MSEXCH:IMS 0 (000C05A6) Unknown Recipient",
     Outcome.FAILED, Cause.ADDRESS_UNKNOWN),
    ("Postmaster@acme.example", "DELIVERY FAILURE: User a1 not listed",
     "Your message\n\n  Subject: Printer\n\nwas not delivered to:\n\n  a1@acme.example\n\nbecause:\n\n  User a1 "
     "(a1@acme.example) not listed in Domino Directory",
     Outcome.FAILED, Cause.ADDRESS_UNKNOWN),
    ("Mail Delivery Subsystem <mailer-daemon@mx.example>", "Address problem",
     "** Address not found **\n\nYour message wasn't delivered to a1@acme.example because the address couldn't be "
     "found, or is unable to receive mail.",
     Outcome.FAILED, Cause.ADDRESS_UNKNOWN),
    ('"Courier mail server at mx" <@acme.example>', "NOTICE: mail delivery status.",
     "UNDELIVERABLE MAIL\n\nYour message to the following recipients cannot be delivered:\n\n<a1@acme.example>:\n"
     "    <<< 550 5.1.1 <a1@acme.example>... User Unknown",
     Outcome.FAILED, Cause.ADDRESS_UNKNOWN),
    ("MDaemon@acme.example", "Permanent Failure",
     "The attached message had PERMANENT fatal delivery errors!\n\nFailed address: a1@acme.example\n <-- 552 Mailbox "
     "full",
     Outcome.FAILED, Cause.MAILBOX_FULL),
    ("Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@acme.example>", "Unzustellbar: Drucker",
     "Fehler bei der Zustellung an folgende Empfänger:\n\na1@acme.example\n550 5.1.1 User unknown",
     Outcome.FAILED, Cause.ADDRESS_UNKNOWN),
    ("MAILER-DAEMON@mx.example", "メールが配信できませんでした",
     "宛先 a1@acme.example 550 5.1.1 User unknown", Outcome.FAILED, Cause.ADDRESS_UNKNOWN),
    ("MAILER-DAEMON@mx.example", "Warning: could not send message for past 4 hours",
     "    ** THIS IS A WARNING MESSAGE ONLY **\n\n----- The following addresses had transient non-fatal errors -----\n"
     "<a1@acme.example>\n    Deferred: Connection timed out",
     Outcome.DELAYED, Cause.UNREACHABLE),
]  # fmt: skip


@pytest.mark.parametrize(("sender", "subject", "words", "outcome", "cause"), WORDS)
def test_what_mail_systems_write_for_people_is_understood(
    sender: str, subject: str, words: str, outcome: Outcome, cause: Cause
) -> None:
    body = f"{words}\n\n--- Original message ---\n\nMessage-ID: <t7.n1.abc@desk.example>\n"
    bounce = bounce_of(parse(raw_mail(body, **{"from": sender, "subject": subject})))
    told = bounce.reports[0]
    assert (told.recipient, told.outcome, told.cause) == ("a1@acme.example", outcome, cause)


def test_what_a_mail_system_writes_to_its_postmaster_is_no_bounce_and_no_persons_mail() -> None:
    mail = parse(
        raw_mail(
            "Transcript of session follows.\n\n In:  DATA\n Out: 451 4.3.0 Error: queue file write error\n",
            subject="Postfix SMTP server: errors from unknown[192.0.2.2]",
            **{"from": "MAILER-DAEMON@mx.example (Mail Delivery System)"},
        )
    )
    assert isinstance(mail.automatic, AutoReply)


def test_a_postmaster_who_is_a_person_opens_a_ticket() -> None:
    mail = parse(raw_mail("Our relay is slow since nine.", **{"from": "postmaster@acme.example"}))
    assert mail.automatic is None
