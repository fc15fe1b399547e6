"""Who fetches mail: a thread per mailbox in the worker, so that a slow or broken one holds up no other.

Any number of workers may run: each mailbox is looked after by one of them, who says so every few seconds. When it falls
another one takes over; when it was only frozen, what both do is done once (collect.py).
"""

from __future__ import annotations

import logging
import random
import secrets
import socket
import ssl
import threading
from datetime import timedelta
from smtplib import SMTPException

from django.db import InterfaceError, OperationalError, close_old_connections
from django.db.models import Q, Value
from django.db.models.functions import Coalesce
from imapclient.exceptions import IMAPClientError

from tierdesk.channels.email.collect import look
from tierdesk.channels.email.imap import Refused, connected
from tierdesk.channels.email.models import Collection, Mailbox
from tierdesk.channels.email.oauth import GrantLost, access_token
from tierdesk.channels.email.submission import NoWayOut
from tierdesk.channels.outbox import in_words
from tierdesk.core import clock
from tierdesk.core.fetch import NoAnswer
from tierdesk.core.reach import OffLimits
from tierdesk.core.scope import EVERY_CLIENT, seeing
from tierdesk.core.seal import Unsealable

LOOK_EVERY_S = 60
"""Also while the server promises to tell: an IDLE that hangs is found out, and the page says when we last looked."""

ROUND_S = 5
HOLD = timedelta(seconds=30)
FIRST_PAUSE_S, LONGEST_PAUSE_S = 5, 300
REFUSED_PAUSE_S = 60
"""After a refused password: servers lock accounts that knock too often."""

log = logging.getLogger(__name__)


class NotOurs(Exception):
    """Another worker looks after this mailbox now."""


class Collectors:
    """The mailboxes that this process looks after. `run` in a thread of its own."""

    def __init__(self) -> None:
        self.name = f"{socket.gethostname()}:{secrets.token_hex(4)}"
        self._at_work: dict[int, Collector] = {}

    def run(self, stopping: threading.Event) -> None:
        """Until told to stop: hold what is ours, start what nobody looks after, let go of what is no longer wanted."""
        while not stopping.wait(ROUND_S if self._at_work else 1):
            try:
                self._round()
            except (OperationalError, InterfaceError):
                log.warning("mailboxes are looked after again when the database is back")
            except Exception:
                log.exception("the collectors stumbled; they go on")
            finally:
                close_old_connections()
        self._let_go(list(self._at_work))

    def _round(self) -> None:
        with seeing(EVERY_CLIENT):
            wanted = {box.pk: box for box in Mailbox.objects.fetched().select_related("grant")}
            changed = [
                pk for pk, one in self._at_work.items() if not one.is_alive() or one.differs(wanted.get(pk))
            ]
            self._let_go(changed)
            for pk in hold(wanted, self.name):
                if pk not in self._at_work:
                    self._at_work[pk] = Collector(wanted[pk], self.name)
                    self._at_work[pk].start()

    def _let_go(self, pks: list[int]) -> None:
        """Ask all to stop before waiting for any."""
        leaving = [self._at_work.pop(pk) for pk in pks]
        for one in leaving:
            one.stopping.set()
        for one in leaving:
            one.join(timeout=ROUND_S)
        with seeing(EVERY_CLIENT):
            Collection.objects.filter(mailbox__in=pks, held_by=self.name).update(held_by="", held_until=None)


def hold(mailboxes: dict[int, Mailbox], holder: str) -> set[int]:
    """Hold what nobody else holds for a while longer; returns the keys of what is ours."""
    if not mailboxes:
        return set()
    at = clock.now()
    fresh = mailboxes.keys() - set(
        Collection.objects.filter(mailbox__in=mailboxes).values_list("mailbox", flat=True)
    )
    Collection.objects.bulk_create(
        (Collection(mailbox_id=pk, wake_at=at) for pk in fresh), ignore_conflicts=True
    )
    free = Q(held_by=holder) | Q(held_until=None) | Q(held_until__lt=at)
    Collection.objects.filter(free, mailbox__in=mailboxes).update(held_by=holder, held_until=at + HOLD)
    ours = Collection.objects.filter(mailbox__in=mailboxes, held_by=holder)
    return set(ours.values_list("mailbox", flat=True))


class Collector(threading.Thread):
    """Looks after one mailbox: connects, takes in what is new, waits for more; after failures waits longer."""

    def __init__(self, mailbox: Mailbox, holder: str) -> None:
        super().__init__(name=f"mailbox {mailbox}", daemon=True)
        self.mailbox, self.holder = mailbox, holder
        self.stopping = threading.Event()
        self._failures = 0

    def differs(self, now: Mailbox | None) -> bool:
        """Whether it was set up in another way since, or is not to be fetched any more."""
        return now is None or _settings(now) != _settings(self.mailbox)

    def run(self) -> None:
        while not self.stopping.is_set():
            pause: float = FIRST_PAUSE_S
            try:
                self._stay_connected()
            except NotOurs:
                return
            except (OperationalError, InterfaceError):
                log.warning("%s waits for the database", self.mailbox)
            except Exception as error:
                if self.stopping.is_set():  # the mailbox may be somebody else's by now
                    return
                pause = self._note(error)
            finally:
                close_old_connections()
            self.stopping.wait(pause)

    def _stay_connected(self) -> None:
        with connected(self.mailbox) as server:
            while not self.stopping.is_set():
                with seeing(EVERY_CLIENT):
                    look(self.mailbox, server, self._still_ours)
                    access_token(self.mailbox, clock.now())  # so that it is renewed in time
                self._failures = 0
                close_old_connections()
                server.wait(LOOK_EVERY_S, self.stopping)

    def _still_ours(self) -> None:
        if (
            self.stopping.is_set()
            or not Collection.objects.filter(mailbox=self.mailbox, held_by=self.holder).exists()
        ):
            raise NotOurs

    def _note(self, error: Exception) -> float:
        """Write down why, for the page of mailboxes; returns how many seconds to wait."""
        self._failures += 1
        log.warning("%s is not fetched: %s", self.mailbox, said(error))
        with seeing(EVERY_CLIENT):
            state = Collection.objects.filter(mailbox=self.mailbox)
            since = Coalesce("failing_since", Value(clock.now()))
            state.update(error=said(error)[:500], failing_since=since)
        first = REFUSED_PAUSE_S if isinstance(error, Refused | GrantLost) else FIRST_PAUSE_S
        pause: float = min(LONGEST_PAUSE_S, first * 2.0 ** min(self._failures - 1, 10))
        return pause * random.uniform(0.8, 1.2)  # noqa: S311  # so that not all knock at once after an outage


def said(error: Exception) -> str:
    """What went wrong, in words for an administrator."""
    match error:
        case Refused() | GrantLost() | NoAnswer() | NoWayOut() | OffLimits() | Unsealable():
            return str(error)
        case ssl.SSLCertVerificationError():
            return f"The server’s certificate is not trusted: {error.verify_message}."
        case ssl.SSLError():
            return "The server does not speak TLS at this port; STARTTLS may be meant."
        case TimeoutError():
            return "The server does not answer in time."
        case ConnectionRefusedError():
            return "Nobody listens at this port."
        case socket.gaierror():
            return "There is no server of this name."
        case IMAPClientError():
            return f"The conversation with the server broke off: {' '.join(str(error).split())[:200]}"
        case SMTPException():
            return f"The server does not take the mail: {' '.join(in_words(error).split())[:200]}"
        case OSError():
            return f"The server cannot be reached: {error.strerror or error}"
        case _:
            return f"A fault of ours, {type(error).__name__}: {error}"


def _settings(mailbox: Mailbox) -> dict[str, object]:
    """All that makes a connection another one: the columns, and when a provider's permission was given."""
    columns = {field.attname: getattr(mailbox, field.attname) for field in mailbox._meta.concrete_fields}
    plain = {
        name: bytes(value) if isinstance(value, memoryview) else value for name, value in columns.items()
    }
    return plain | {"granted_at": mailbox.grant.granted_at if hasattr(mailbox, "grant") else None}
