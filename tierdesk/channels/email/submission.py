"""Sending through the server that a mailbox belongs to (RFC 6409), signed in as the mailbox."""

from __future__ import annotations

import base64
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from tierdesk.channels.email.compose import Envelope
from tierdesk.channels.email.models import Mailbox, Security
from tierdesk.channels.email.oauth import GrantLost, access_token
from tierdesk.core import clock, reach
from tierdesk.core.seal import Unsealable

PORTS = {25, 465, 587}
TIMEOUT_S = 20


class NoWayOut(OSError):
    """Nothing leaves by this server until an administrator does something; that says nothing about any one mail."""


class Submission:
    """A mailbox's own server. Its return path is the mailbox itself: such servers let nobody write as another."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox

    def send(self, envelope: Envelope) -> None:
        with signed_in(self.mailbox) as server:
            hand_over(server, envelope, mail_from=self.mailbox.address)


@contextmanager
def signed_in(mailbox: Mailbox) -> Iterator[smtplib.SMTP]:
    """A session with the mailbox's server. Raises NoWayOut, OSError or SMTPException."""
    try:
        password, token = _keys(mailbox)
        server = _Line(mailbox)
    except (reach.OffLimits, Unsealable, GrantLost) as refusal:
        raise NoWayOut(str(refusal)) from refusal
    with server:
        if mailbox.smtp_security == Security.STARTTLS:
            server.starttls(context=ssl.create_default_context())
        user = mailbox.smtp_user or mailbox.login
        if token:
            _authenticate(server, user, "XOAUTH2", f"user={user}\1auth=Bearer {token}\1\1")
        elif password:
            _sign_in(server, user, password)
        yield server


def _keys(mailbox: Mailbox) -> tuple[str, str]:
    """(password, token) for sending; a user of its own has a password of its own."""
    if mailbox.smtp_user:
        return mailbox.smtp_password, ""
    token = access_token(mailbox, clock.now())
    return ("" if token else mailbox.password), token


def hand_over(server: smtplib.SMTP, envelope: Envelope, *, mail_from: str) -> None:
    """One envelope for one recipient. Raises OSError or SMTPException."""
    options = ["SMTPUTF8"] if envelope.needs_smtputf8 else []
    server.sendmail(mail_from, [envelope.rcpt_to], envelope.data, mail_options=options)


def _sign_in(server: smtplib.SMTP, user: str, password: str) -> None:
    """PLAIN by hand: the standard library can send ASCII only."""
    server.ehlo_or_helo_if_needed()
    if "PLAIN" in server.esmtp_features.get("auth", "").upper().split():
        _authenticate(server, user, "PLAIN", f"\0{user}\0{password}")
        return
    try:
        server.login(user, password)
    except smtplib.SMTPAuthenticationError as refusal:
        raise NoWayOut(f"The server does not let {user} in: {_words(refusal.smtp_error)}") from refusal
    except (smtplib.SMTPNotSupportedError, UnicodeEncodeError) as trouble:
        raise NoWayOut(f"{user} cannot sign in: {trouble}") from trouble


def _authenticate(server: smtplib.SMTP, user: str, mechanism: str, said: str) -> None:
    server.ehlo_or_helo_if_needed()
    code, answer = server.docmd("AUTH", f"{mechanism} {base64.b64encode(said.encode()).decode('ascii')}")
    if code == 334:  # why it was refused; the server waits for an empty line before it says so plainly
        code, answer = server.docmd("")
    if code != 235:
        raise NoWayOut(f"The server does not let {user} in: {_words(answer)}")


class _Line(smtplib.SMTP):
    """Calls only where the desk may call, and that address which was looked at."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._tls = ssl.create_default_context() if mailbox.smtp_security == Security.TLS else None
        self._in_clear = mailbox.smtp_security == Security.PLAIN
        super().__init__(mailbox.smtp_host, mailbox.smtp_port, timeout=TIMEOUT_S)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        line = reach.call(host, port, ports=PORTS, timeout=timeout, in_clear=self._in_clear)
        return self._tls.wrap_socket(line, server_hostname=host) if self._tls else line


def _words(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return " ".join(text.split())[:200]
