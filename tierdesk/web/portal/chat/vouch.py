"""Our portal's word for who a visitor is: signed, for one widget's client, good for half a day."""

from __future__ import annotations

from datetime import timedelta

from django.core.signing import BadSignature, TimestampSigner

from tierdesk.directory.clients.models import Contact

GOOD_FOR = timedelta(hours=12)
_SALT = "tierdesk.portal.chat"


def vouch_for(contact: Contact) -> str:
    return TimestampSigner(salt=_SALT).sign(str(contact.pk))


def contact_behind(vouch: str, client_id: int) -> Contact | None:
    """The active contact of this client whom the portal vouched for; None for anything else."""
    try:
        pk = TimestampSigner(salt=_SALT).unsign(vouch, max_age=GOOD_FOR)
    except BadSignature:
        return None
    return Contact.objects.filter(pk=int(pk), client=client_id, is_active=True).first()
