"""How the mailboxes do: whether their mail comes, and whether it will go on coming."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from tierdesk.channels.email.models import Mailbox
from tierdesk.channels.email.vigil import hours_counted, silence
from tierdesk.channels.email.watch import ending
from tierdesk.channels.health import Part
from tierdesk.directory.calendars.hours import Hours
from tierdesk.directory.clients.visibility import visible_clients
from tierdesk.directory.staff.models import User


def parts(user: User, at: datetime) -> Sequence[Part]:
    """Each mailbox; those of the whole house are everybody's."""
    mailboxes = Mailbox.objects.select_related("client", "collection", "grant", "vigil")
    if (ids := visible_clients(user)) is not None:
        mailboxes = mailboxes.filter(Q(client=None) | Q(client__in=ids))
    hours = hours_counted(mailboxes)
    return [_part(mailbox, at, hours) for mailbox in mailboxes]


def _part(mailbox: Mailbox, at: datetime, hours: Mapping[int, Hours]) -> Part:
    collection = getattr(mailbox, "collection", None) if mailbox.is_fetched else None
    vigil = getattr(mailbox, "vigil", None)
    return Part(
        name=mailbox.address,
        client=mailbox.client.name if mailbox.client else "",
        is_on=mailbox.is_active,
        heard_at=collection.fetched_at if collection else vigil.heard_at if vigil else None,
        waiting=collection.waiting if collection else 0,
        trouble=trouble_of(mailbox, at, hours),
        since=collection.failing_since if collection else None,
    )


def trouble_of(mailbox: Mailbox, at: datetime, hours: Mapping[int, Hours]) -> str:
    """Why its mail does not come, or may not; empty for one in order. `hours`: see vigil.hours_counted."""
    vigil = getattr(mailbox, "vigil", None)
    return _trouble_of_fetching(mailbox, at) or (silence(vigil, at, hours) if vigil else "")


def _trouble_of_fetching(mailbox: Mailbox, at: datetime) -> str:
    if not mailbox.is_fetched:
        return ""
    collection, grant = getattr(mailbox, "collection", None), getattr(mailbox, "grant", None)
    why: str = (collection.trouble(at) if collection else "") or (ending(grant, at) if grant else "")
    if why:
        return why
    if collection and collection.skipped:
        return _("Mails that its server does not give: %(count)d.") % {"count": len(collection.skipped)}
    return ""
