"""How the mailboxes do: whether their mail comes, and whether it will go on coming."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils.translation import gettext as _

from tierdesk.channels.email.models import Mailbox
from tierdesk.channels.email.vigil import silence
from tierdesk.channels.email.watch import ending
from tierdesk.channels.health import Part
from tierdesk.channels.models import Inbound, InboundState
from tierdesk.directory.clients.visibility import visible_clients
from tierdesk.directory.staff.models import User

FLOOD = 200
FLOOD_WITHIN = timedelta(hours=1)


def parts(user: User, at: datetime) -> Sequence[Part]:
    """Each mailbox; those of the whole house are everybody's."""
    mailboxes = Mailbox.objects.select_related("client", "collection", "grant", "vigil")
    if (ids := visible_clients(user)) is not None:
        mailboxes = mailboxes.filter(Q(client=None) | Q(client__in=ids))
    return [*(_part(mailbox, at) for mailbox in mailboxes), *_flood(user, at)]


def _flood(user: User, at: datetime) -> Sequence[Part]:
    """So many strangers at once are no strangers: a flood, or a client whose domain nobody wrote down."""
    parked = Inbound.objects.visible_to(user).filter(channel="email", state=InboundState.PARKED, client=None)
    many = parked.filter(received_at__gt=at - FLOOD_WITHIN).count()
    if many < FLOOD:
        return []
    why = _("%(count)d mails of unknown senders were parked within an hour.") % {"count": many}
    return [Part(name=_("Unknown senders"), trouble=why)]


def _part(mailbox: Mailbox, at: datetime) -> Part:
    collection = getattr(mailbox, "collection", None) if mailbox.is_fetched else None
    vigil = getattr(mailbox, "vigil", None)
    return Part(
        name=mailbox.address,
        client=mailbox.client.name if mailbox.client else "",
        is_on=mailbox.is_active,
        heard_at=collection.fetched_at if collection else vigil.heard_at if vigil else None,
        waiting=collection.waiting if collection else 0,
        trouble=trouble_of(mailbox, at),
        since=collection.failing_since if collection else None,
    )


def trouble_of(mailbox: Mailbox, at: datetime) -> str:
    """Why its mail does not come, or may not; empty for one in order."""
    vigil = getattr(mailbox, "vigil", None)
    return _trouble_of_fetching(mailbox, at) or (silence(vigil, at) if vigil else "")


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
