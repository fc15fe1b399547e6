"""Sending through a mailbox's own server: a real Postfix that lets in whom a real Dovecot knows."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pytest

from tests.channels.email.mailboxes import set_up
from tests.servers.desk import until
from tests.servers.dovecot import Dovecot
from tests.servers.post import Relay, relay_running
from tests.servers.postfix import Postfix, why_not
from tierdesk.channels.email.compose import Envelope, Letter, Origin, compose
from tierdesk.channels.email.models import Mailbox, Security, secret
from tierdesk.channels.email.sender import sender
from tierdesk.channels.email.submission import NoWayOut, Submission
from tierdesk.channels.email.trial import try_sending
from tierdesk.channels.outbox import _is_closed, _is_refused


@pytest.fixture(scope="module")
def world() -> Iterator[Relay]:
    with relay_running() as relay:
        yield relay


@pytest.fixture(scope="module")
def postfix(dovecot: Dovecot, world: Relay) -> Iterator[Postfix]:
    if reason := why_not():
        pytest.skip(reason)
    pair = dovecot.certificates.trusted
    with Postfix(
        outward=f"[127.0.0.1]:{world.port}", sasl=dovecot.sasl, chain=f"{pair.key}, {pair.certificate}"
    ) as server:
        yield server


@pytest.fixture
def mailbox(
    db: None, dovecot: Dovecot, postfix: Postfix, private: list[str], monkeypatch: pytest.MonkeyPatch
) -> Mailbox:
    """A mailbox that sends over STARTTLS, signed in as itself."""
    private.append(f"localhost:{postfix.port}")
    monkeypatch.setenv("SSL_CERT_FILE", str(dovecot.certificates.authority))
    return set_up(dovecot, smtp_host="localhost", smtp_port=postfix.port, smtp_security=Security.STARTTLS)


def letter(mailbox: Mailbox, at: datetime, subject: str, origin: Origin = Origin.PERSON) -> Envelope:
    words = Letter(
        ticket=7,
        serial=f"n{abs(hash(subject)) % 10**6}",
        mailbox=mailbox.address,
        from_name="Desk",
        subject=subject,
        text="We look at it.",
        at=at,
        origin=origin,
    )
    return compose(words, recipient="ann@acme.example", secret=secret())


def test_a_mail_leaves_signed_in_and_encrypted(
    mailbox: Mailbox, at: datetime, postfix: Postfix, world: Relay
) -> None:
    way = sender(mailbox)
    assert isinstance(way, Submission)
    way.send(letter(mailbox, at, "Over STARTTLS"))
    mail = world.mail_soon("ann@acme.example", about="Over STARTTLS")
    assert mail["From"] == f"Desk <{mailbox.address}>"
    assert f"sasl_username={mailbox.login}" in postfix.log
    assert "TLS connection established" in postfix.log or "starttls=1" in postfix.log


@pytest.mark.parametrize("origin", list(Origin))
def test_the_return_path_is_the_mailbox_itself(
    mailbox: Mailbox, at: datetime, postfix: Postfix, world: Relay, origin: Origin
) -> None:
    """Providers let nobody send as somebody else, not even as a detail of oneself; bounces name our Message-ID."""
    sender(mailbox).send(letter(mailbox, at, f"Return path of {origin}", origin))
    world.mail_soon("ann@acme.example", about=f"Return path of {origin}")
    assert until(lambda: f"from=<{mailbox.address}>" in postfix.log)


def test_a_wrong_password_closes_the_way_and_loses_no_mail(mailbox: Mailbox, at: datetime) -> None:
    mailbox.password = "not this one"
    with pytest.raises(NoWayOut, match="does not let") as refusal:
        sender(mailbox).send(letter(mailbox, at, "Never"))
    assert _is_closed(refusal.value)
    assert _is_refused(refusal.value) == (False, False)


def test_a_host_that_may_not_be_called_closes_the_way(
    mailbox: Mailbox, at: datetime, private: list[str]
) -> None:
    private.clear()
    with pytest.raises(NoWayOut, match="is not one of 25, 465, 587"):
        sender(mailbox).send(letter(mailbox, at, "Never"))


def test_sec103_an_untrusted_certificate_is_refused_before_the_password_is_said(
    mailbox: Mailbox, at: datetime, monkeypatch: pytest.MonkeyPatch, postfix: Postfix
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    before = postfix.log.count("sasl_username")
    with pytest.raises(OSError, match="certificate verify failed"):
        sender(mailbox).send(letter(mailbox, at, "Never"))
    assert postfix.log.count("sasl_username") == before


def test_a_recipient_that_the_server_refuses_is_that_mails_own_failure(
    mailbox: Mailbox, at: datetime
) -> None:
    envelope = replace(letter(mailbox, at, "Nobody"), rcpt_to="nobody@acme.example")
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
        sender(mailbox).send(envelope)
    assert not _is_closed(refusal.value)
    assert _is_refused(refusal.value) == (True, True)


def test_another_user_for_sending_has_a_password_of_its_own(
    mailbox: Mailbox, at: datetime, world: Relay, postfix: Postfix
) -> None:
    mailbox.smtp_user = "relay-account@desk.example"
    mailbox.smtp_password = "Straße-und-Zug-9"
    mailbox.password = "only for reading"
    sender(mailbox).send(letter(mailbox, at, "By another account"))
    world.mail_soon("ann@acme.example", about="By another account")
    assert "sasl_username=relay-account@desk.example" in postfix.log


def test_whoever_tries_a_mailbox_out_reads_why_the_server_takes_no_mail(
    mailbox: Mailbox, at: datetime
) -> None:
    tried = try_sending(mailbox, to="nobody@acme.example", at=at)
    assert not tried.well
    assert tried.seen.startswith("Sending: The server does not take the mail: 550 5.1.1 ")
    assert tried.seen.endswith("no such user")
