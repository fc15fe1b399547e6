"""What concerns the house and no ticket: its administrators are told on the desk and by mail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings

from tierdesk.directory.staff.models import User
from tierdesk.response.notifications import words
from tierdesk.response.notifications.models import Notice, NoticeState


def tell_administrators(kind: str, values: Mapping[str, object], at: datetime) -> None:
    """Those who are agents read it on the desk, too; `kind` names the words."""
    subject, text = words.desk_notice(kind, values)
    mail = words.fill(words.HOUSE, {"text": text, "url": settings.BASE_URL})
    told = {"kind": kind, "subject": subject, "created_at": at}
    notices = []
    for admin in User.objects.filter(is_admin=True, is_active=True).select_related("agent"):
        agent = getattr(admin, "agent", None)
        if agent is not None:
            notices.append(Notice(**told, channel="desk", agent=agent, text=text, state=NoticeState.SENT))
        notices.append(
            Notice(**told, channel="mail", address=admin.email, text=mail, automatic=True, wake_at=at)
        )
    Notice.objects.bulk_create(notices)
