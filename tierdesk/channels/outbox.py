"""THE OUTBOX: pending words → the right sender, with retries, in order per ticket and address.

A notice is leased for a while, sent, and marked. A crash between sending and marking sends it again with the same
Message-ID, so that the receiver can drop the double: at least once, never silently not at all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from smtplib import (
    SMTPConnectError,
    SMTPException,
    SMTPHeloError,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import QuerySet

from tierdesk.core import clock
from tierdesk.core.facts import ENGINE
from tierdesk.core.work import work
from tierdesk.response.notifications.models import Notice, NoticeState
from tierdesk.tickets.models import Message

LEASE = timedelta(minutes=2)
GIVE_UP_AFTER = timedelta(days=5)
AT_ONCE = 20

type Send = Callable[[Notice, datetime], str]
"""Sends a notice and returns its Message-ID; raises OSError or SMTPException if it did not leave, ValueError if it
can never leave."""

log = logging.getLogger(__name__)


type Way = Callable[[Notice], object]
"""Which way out a notice takes: those that take the same are closed together."""


def ways(**by_channel: Send) -> Send:
    """One way out for notices of several channels: each takes its own."""
    return lambda notice, at: by_channel[notice.channel](notice, at)


class NotYet(Exception):
    """It cannot leave before `until`, and that is nobody's failure: it is not counted as a try."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"not before {until}")
        self.until = until


class BetterByMail(Exception):
    """It does not reach its reader on this channel any more: `text` goes to `address` by mail."""

    def __init__(self, address: str, text: str) -> None:
        super().__init__(f"by mail to {address}")
        self.address, self.text = address, text


class Outbox:
    """Sends what is due. `send` is the channel's own way out."""

    def __init__(self, send: Send, way: Way = lambda notice: "") -> None:
        self.send, self.way = send, way

    def send_due(self, at: datetime) -> int:
        """Send a batch of what is due; returns how many notices were looked at.

        When a way out itself is closed, the rest of the batch that would take it is put off untried: a relay that
        does not answer costs one time-out, not twenty.
        """
        leased = lease(at)
        waiting = list(
            Notice.objects.filter(pk__in=leased).select_related("ticket", "client", "said").order_by("id")
        )
        while waiting:
            notice = waiting.pop(0)
            try:
                self._send_one(notice, at)
            except WayOutClosed as closed:
                way = self.way(notice)
                _put_all_off([one for one in waiting if self.way(one) == way], closed, at)
                waiting = [one for one in waiting if self.way(one) != way]
        return len(leased)

    def _send_one(self, notice: Notice, at: datetime) -> None:
        if behind := _one_before(notice):
            until = max(behind.wake_at or at, at + timedelta(seconds=1))
            Notice.objects.filter(pk=notice.pk, state=NoticeState.PENDING).update(wake_at=until)
            return
        mine = Notice.objects.filter(pk=notice.pk, state=NoticeState.PENDING, wake_at=notice.wake_at)
        if not mine.update(wake_at=clock.now() + LEASE):
            return  # this process was frozen, the lease ran out, and another one took it over
        try:
            message_id = self.send(notice, at)
        except (OperationalError, InterfaceError):
            raise
        except NotYet as later:
            _pending(notice).update(wake_at=later.until)
            return
        except BetterByMail as other:
            _pending(notice).update(channel="mail", address=other.address, text=other.text, wake_at=at)
            return
        except Exception as error:
            _put_off(notice, error, at)
            if _is_closed(error):
                raise WayOutClosed(str(error)) from error
            return
        _mark_sent(notice, message_id, at)


def _pending(notice: Notice) -> QuerySet[Notice]:
    return Notice.objects.filter(pk=notice.pk, state=NoticeState.PENDING)


class WayOutClosed(Exception):
    """No mail can leave now, whoever it is for."""


def lease(at: datetime) -> list[int]:
    """Claim due mails for a while, oldest first; what a crash leaves leased is due again when the lease is over."""
    with transaction.atomic():
        due = Notice.objects.filter(wake_at__lte=at, state=NoticeState.PENDING).order_by("wake_at", "id")
        locked = due.select_for_update(skip_locked=True, of=("self",))
        leased = list(locked.values_list("pk", flat=True)[:AT_ONCE])
        Notice.objects.filter(pk__in=leased).update(wake_at=at + LEASE)
    return leased


def _one_before(notice: Notice) -> Notice | None:
    """The older notice of the same conversation that must leave first."""
    if notice.ticket_id is None:
        return None
    older = Notice.objects.filter(
        channel=notice.channel, ticket=notice.ticket_id, address=notice.address, pk__lt=notice.pk
    )
    return older.filter(state=NoticeState.PENDING).order_by("id").first()


def _mark_sent(notice: Notice, message_id: str, at: datetime) -> None:
    with work(by=ENGINE, at=at):
        sent = {
            "state": NoticeState.SENT,
            "sent_at": at,
            "message_id": message_id,
            "wake_at": None,
            "error": "",
        }
        mine = Notice.objects.filter(pk=notice.pk, state=NoticeState.PENDING)
        if mine.update(**sent, tries=notice.tries + 1):
            notice.tell_that_it_left(at)
        if notice.said_id:
            Message.objects.filter(pk=notice.said_id, message_id="").update(message_id=message_id)


def _put_off(notice: Notice, error: Exception, at: datetime) -> None:
    """Later each time, up to an hour; refused for good, or five days old, it has failed and somebody is told."""
    said = in_words(error)
    log.warning("mail %s was not sent: %s", notice.pk, said)
    refused, dead = _is_refused(error)
    if refused or at - notice.created_at > GIVE_UP_AFTER:
        with work(by=ENGINE, at=at):
            notice.come_back(said, dead=dead, state=NoticeState.FAILED)
        return
    wait = min(timedelta(hours=1), timedelta(seconds=15) * 2 ** min(notice.tries, 8))
    mine = Notice.objects.filter(pk=notice.pk, state=NoticeState.PENDING)
    mine.update(error=said, tries=notice.tries + 1, wake_at=at + wait)


def _put_all_off(notices: Sequence[Notice], closed: Exception, at: datetime) -> None:
    """Not tried, so not counted, except that nothing waits for ever: each gives up in its own time."""
    for notice in notices:
        if at - notice.created_at > GIVE_UP_AFTER:
            _put_off(notice, closed, at)
    waiting = Notice.objects.filter(pk__in=[one.pk for one in notices], state=NoticeState.PENDING)
    waiting.update(wake_at=at + timedelta(minutes=1), error=in_words(closed))


def in_words(error: Exception) -> str:
    """Why something was not sent, as the server that was to take it said it."""
    if isinstance(error, SMTPRecipientsRefused):
        return "; ".join(
            f"{code} {text.decode(errors='replace')}" for code, text in error.recipients.values()
        )[:500]
    if isinstance(error, SMTPResponseException):
        text = error.smtp_error
        return f"{error.smtp_code} {text.decode(errors='replace') if isinstance(text, bytes) else text}"[:500]
    return f"{type(error).__name__}: {error}"[:500]


def _is_refused(error: Exception) -> tuple[bool, bool]:
    """(this mail will never be taken, the address does not exist: RFC 5321 §4.2.1, RFC 3463 §3.2)."""
    if isinstance(error, ValueError):
        return True, False
    if isinstance(error, SMTPRecipientsRefused):
        answers = list(error.recipients.values())
        refused = all(code >= 500 for code, _ in answers)
        return refused, refused and all(b"5.1." in text for _, text in answers)
    if _is_closed(error):
        return False, False
    return isinstance(error, SMTPResponseException) and error.smtp_code >= 500, False


def _is_closed(error: Exception) -> bool:
    """Whether the server itself could not be spoken to, which says nothing about this mail."""
    if isinstance(error, SMTPException):
        return isinstance(error, SMTPServerDisconnected | SMTPConnectError | SMTPHeloError)
    return isinstance(error, OSError)
