"""THE OUTBOX: pending words → the right sender, with retries, in order per ticket and address.

A notice is leased for a while, sent, and marked. A crash between sending and marking sends it again with the same
Message-ID, so that the receiver can drop the double: at least once, never silently not at all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from smtplib import SMTPException, SMTPResponseException

from django.db import connection, transaction

from tierdesk.response.notifications.models import Notice, NoticeState
from tierdesk.tickets.models import Message

LEASE = timedelta(minutes=2)
GIVE_UP_AFTER = timedelta(days=5)
AT_ONCE = 20

type Send = Callable[[Notice, datetime], str]
"""Sends a notice and returns its Message-ID; raises OSError or SMTPException if it did not leave."""

log = logging.getLogger(__name__)


class Outbox:
    """Sends what is due. `send` is the channel's own way out."""

    def __init__(self, send: Send) -> None:
        self.send = send

    def send_due(self, at: datetime) -> int:
        leased = lease(at)
        for notice in Notice.objects.filter(pk__in=leased).select_related("ticket").order_by("id"):
            self._send_one(notice, at)
        return len(leased)

    def _send_one(self, notice: Notice, at: datetime) -> None:
        try:
            message_id = self.send(notice, at)
        except (OSError, SMTPException, ValueError) as error:
            _put_off(notice, error, at)
            return
        with transaction.atomic():
            Notice.objects.filter(pk=notice.pk).update(
                state=NoticeState.SENT, sent_at=at, message_id=message_id, wake_at=None, error=""
            )
            if notice.said_id:
                Message.objects.filter(pk=notice.said_id, message_id="").update(message_id=message_id)


def lease(at: datetime) -> list[int]:
    """Claim due mails, but none while an older one of the same ticket to the same address is still pending."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE notifications_notice SET wake_at = %(until)s::timestamptz, tries = tries + 1 WHERE id IN (
                SELECT id FROM notifications_notice AS due
                WHERE wake_at <= %(at)s::timestamptz AND NOT EXISTS (
                    SELECT FROM notifications_notice AS older
                    WHERE older.ticket_id = due.ticket_id AND older.address = due.address
                    AND older.state = 'pending' AND older.channel = 'mail' AND older.id < due.id
                )
                ORDER BY wake_at, id LIMIT %(most)s FOR UPDATE SKIP LOCKED
            ) RETURNING id
            """,
            {"at": at, "until": at + LEASE, "most": AT_ONCE},
        )
        return sorted(row[0] for row in cursor.fetchall())


def _put_off(notice: Notice, error: Exception, at: datetime) -> None:
    """Later each time, up to an hour; refused for good, or five days old, it has failed and says so."""
    refused = isinstance(error, SMTPResponseException) and error.smtp_code >= 500
    over = refused or isinstance(error, ValueError) or at - notice.created_at > GIVE_UP_AFTER
    wait = min(timedelta(hours=1), timedelta(seconds=15) * 2 ** min(notice.tries, 8))
    said = f"{type(error).__name__}: {error}"[:500]
    log.warning("mail %s was not sent: %s", notice.pk, said)
    Notice.objects.filter(pk=notice.pk).update(
        error=said,
        state=NoticeState.FAILED if over else NoticeState.PENDING,
        wake_at=None if over else at + wait,
    )
