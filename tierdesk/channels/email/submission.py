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
from tierdesk.core import reach
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
        password = mailbox.smtp_password
        server = _Line(mailbox)
    except (reach.OffLimits, Unsealable) as refusal:
        raise NoWayOut(str(refusal)) from refusal
    with server:
        if mailbox.smtp_security == Security.STARTTLS:
            server.starttls(context=ssl.create_default_context())
        if password:
            _sign_in(server, mailbox.smtp_user or mailbox.login, password)
        yield server


def hand_over(server: smtplib.SMTP, envelope: Envelope, *, mail_from: str) -> None:
    """One envelope for one recipient. Raises OSError or SMTPException."""
    options = ["SMTPUTF8"] if envelope.needs_smtputf8 else []
    server.sendmail(mail_from, [envelope.rcpt_to], envelope.data, mail_options=options)


def _sign_in(server: smtplib.SMTP, user: str, password: str) -> None:
    """PLAIN by hand: the standard library can send ASCII only."""
    server.ehlo_or_helo_if_needed()
    try:
        if "PLAIN" in server.esmtp_features.get("auth", "").upper().split():
            answer = server.docmd("AUTH", f"PLAIN {_base64(f'\0{user}\0{password}')}")
            if answer[0] != 235:
                raise smtplib.SMTPAuthenticationError(*answer)
        else:
            server.login(user, password)
    except smtplib.SMTPAuthenticationError as refusal:
        raise NoWayOut(f"The server does not let {user} in: {_words(refusal.smtp_error)}") from refusal
    except (smtplib.SMTPNotSupportedError, UnicodeEncodeError) as trouble:
        raise NoWayOut(f"{user} cannot sign in: {trouble}") from trouble


class _Line(smtplib.SMTP):
    """Calls only where the desk may call, and that address which was looked at."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._tls = ssl.create_default_context() if mailbox.smtp_security == Security.TLS else None
        super().__init__(mailbox.smtp_host, mailbox.smtp_port, timeout=TIMEOUT_S)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        line = reach.call(host, port, ports=PORTS, timeout=timeout)
        return self._tls.wrap_socket(line, server_hostname=host) if self._tls else line


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")


def _words(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return " ".join(text.split())[:200]
