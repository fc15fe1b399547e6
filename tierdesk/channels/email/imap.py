"""One connection to a mailbox on its server (IMAP, RFC 3501; IDLE, RFC 2177; MOVE, RFC 6851)."""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError

from tierdesk.channels.email.models import Afterwards, Mailbox, Security
from tierdesk.channels.email.oauth import access_token
from tierdesk.core import clock, reach

PORTS = {143, 993}
TIMEOUT_S = 30
AT_ONCE = 200
"""How many mails are asked about in one command."""

_MESSAGE_ID = re.compile(rb"(?im)^message-id:\s*(<[^<>\s]{1,990}>)")


class Refused(Exception):
    """The server will not have us; the text is for an administrator. Trying again at once only locks accounts."""


class NotGiven(Exception):
    """The server keeps back this one mail."""


class Untidy(Exception):
    """Mails that are stored stay where they were; the text is for an administrator."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which numbering of the folder holds, and the next number in it."""

    uid_validity: int
    uid_next: int


@dataclass(frozen=True, slots=True)
class Listed:
    """What the server says of a mail before it gives it: bytes, and when it took it in."""

    uid: int
    size: int
    taken_at: datetime | None


class Server:
    """A mailbox's folder, open. Raises OSError or IMAPClientError when the connection fails."""

    def __init__(self, client: IMAPClient, mailbox: Mailbox) -> None:
        self._client, self._mailbox = client, mailbox
        self._has_done_folder = False

    def open(self) -> Place:
        """Select the folder. Raises Refused when there is none of that name."""
        try:
            selected = self._client.select_folder(self._mailbox.folder)
        except IMAPClientAbortError:
            raise
        except IMAPClientError as error:
            raise Refused(f"The folder “{self._mailbox.folder}” cannot be opened: {_words(error)}") from error
        uid_next = selected.get(b"UIDNEXT") or max(self.uids_from(1), default=0) + 1
        return Place(int(selected[b"UIDVALIDITY"]), int(uid_next))

    def uids_from(self, first: int) -> list[int]:
        """The numbers from `first` upward. `n:*` always names the last mail, even below n (RFC 3501 §6.4.8)."""
        found = self._client.search(["UID", f"{first}:*"])
        return sorted(uid for uid in found if uid >= first)

    def listed(self, uids: Iterable[int]) -> Iterator[Listed]:
        """What there is to know of mails before they are fetched; those that are gone meanwhile are left out."""
        for some in _batches(sorted(uids)):
            told = self._client.fetch(some, ["RFC822.SIZE", "INTERNALDATE"])
            for uid in some:
                if b"RFC822.SIZE" in told.get(uid, {}):
                    yield Listed(uid, int(told[uid][b"RFC822.SIZE"]), told[uid].get(b"INTERNALDATE"))

    def message_ids(self, uids: Iterable[int]) -> dict[int, str]:
        """The Message-ID of each, empty where there is none."""
        found: dict[int, str] = {}
        for some in _batches(sorted(uids)):
            told = self._client.fetch(some, ["BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]"])
            found |= {uid: message_id_in(_body(told[uid]) or b"") for uid in told}
        return found

    def fetch(self, uid: int, *, first: int | None = None) -> bytes:
        """A mail as it is, or the `first` bytes of it; nothing is marked as read. Raises NotGiven.

        A connection that is cut in the middle raises, so nothing is ever half of what it says.
        """
        part = "BODY.PEEK[]" if first is None else f"BODY.PEEK[]<0.{first}>"
        try:
            told = self._client.fetch([uid], [part])
        except IMAPClientAbortError:
            raise
        except IMAPClientError as error:
            raise NotGiven(_words(error)) from error
        raw = _body(told.get(uid, {}))
        if raw is None:
            raise NotGiven("the server answers without the mail")
        return raw[:first]

    def tidy(self, uids: list[int]) -> None:
        """Do with stored mails what the mailbox says: move them away, or mark them as read. Raises Untidy."""
        try:
            if uids:
                self._tidy(uids)
        except IMAPClientAbortError:
            raise
        except IMAPClientError as error:
            folder = self._mailbox.done_folder
            raise Untidy(f"Stored mails cannot be put away into “{folder}”: {_words(error)}") from error

    def _tidy(self, uids: list[int]) -> None:
        if self._mailbox.afterwards == Afterwards.KEEP:
            self._client.add_flags(uids, [rb"\Seen"], silent=True)
            return
        self._make_done_folder()
        if self._client.has_capability("MOVE"):
            self._client.move(uids, self._mailbox.done_folder)
            return
        self._client.copy(uids, self._mailbox.done_folder)
        self._client.add_flags(uids, [rb"\Deleted"], silent=True)
        if self._client.has_capability("UIDPLUS"):
            self._client.uid_expunge(uids)  # a plain EXPUNGE would take what others marked as deleted

    def _make_done_folder(self) -> None:
        if self._has_done_folder:
            return
        if not self._client.folder_exists(self._mailbox.done_folder):
            self._client.create_folder(self._mailbox.done_folder)
        self._has_done_folder = True

    def wait(self, seconds: int, stopping: threading.Event) -> None:
        """Until something arrives, the time is over, or we are to stop: IDLE where there is such, else sleep."""
        if not self._client.has_capability("IDLE"):
            stopping.wait(seconds)
            return
        self._client.idle()
        for _ in range(seconds):
            if stopping.is_set() or any(_is_news(said) for said in self._client.idle_check(timeout=1)):
                break
        self._client.idle_done()


@contextmanager
def connected(mailbox: Mailbox) -> Iterator[Server]:
    """Signed in to the mailbox's server. Raises Refused, GrantLost, OffLimits, Unsealable, OSError, IMAPClientError."""
    client = _Client(mailbox)
    try:
        if mailbox.imap_security == Security.STARTTLS:
            client.starttls(ssl.create_default_context())
        _sign_in(client, mailbox)
        client.normalise_times = False
        yield Server(client, mailbox)
        with suppress(OSError, IMAPClientError):
            client.logout()
    finally:
        with suppress(OSError):
            client.shutdown()


def message_id_in(raw: bytes) -> str:
    """The Message-ID in a header, as far as this is needed to know a mail again; empty if there is none."""
    found = _MESSAGE_ID.search(raw)
    return found[1].decode("ascii", "replace") if found else ""


def _sign_in(client: IMAPClient, mailbox: Mailbox) -> None:
    """With the provider's permission if there is one. PLAIN carries any password; LOGIN carries ASCII only."""
    token = access_token(mailbox, clock.now())
    try:
        if token:
            client.oauth2_login(mailbox.login, token)
        elif client.has_capability("AUTH=PLAIN"):
            client.plain_login(mailbox.login, mailbox.password)
        else:
            client.login(mailbox.login, mailbox.password)
    except LoginError as error:
        if isinstance(error.__context__, IMAPClientAbortError):
            raise error.__context__ from None
        raise Refused(f"The server does not let {mailbox.login} in: {_words(error)}") from error


class _Client(IMAPClient):  # type: ignore[misc]  # the package has no types
    """A client that calls only where the desk may call, and that address which was looked at."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._tls = ssl.create_default_context() if mailbox.imap_security == Security.TLS else None
        self._in_clear = mailbox.imap_security == Security.PLAIN
        super().__init__(
            mailbox.imap_host,
            mailbox.imap_port,
            ssl=self._tls is not None,
            timeout=SocketTimeout(TIMEOUT_S, TIMEOUT_S),
        )

    def _create_IMAP4(self) -> imaplib.IMAP4:
        return _Line(self.host, self.port, self._tls, in_clear=self._in_clear)


class _Line(imaplib.IMAP4):
    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None, *, in_clear: bool) -> None:
        self._tls, self._in_clear = tls, in_clear
        super().__init__(host, port, timeout=TIMEOUT_S)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        line = reach.call(
            self.host, self.port, ports=PORTS, timeout=timeout or TIMEOUT_S, in_clear=self._in_clear
        )
        return self._tls.wrap_socket(line, server_hostname=self.host) if self._tls else line


def _batches(uids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(uids), AT_ONCE):
        yield uids[start : start + AT_ONCE]


def _body(told: dict[bytes, Any]) -> bytes | None:
    return next((value for name, value in told.items() if name.startswith(b"BODY[")), None)


def _is_news(said: Any) -> bool:
    return len(said) > 1 and said[1] in (b"EXISTS", b"RECENT")


def _words(error: Exception) -> str:
    """What the server said, in one line and not endless."""
    return " ".join(str(error).split())[:200]
