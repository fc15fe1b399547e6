"""How the telephone systems do that tell of calls."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db.models import OuterRef, Q, Subquery
from django.utils.translation import gettext as _

from tierdesk.channels.health import Part
from tierdesk.channels.phone.models import Call, Exchange, ExchangeKind
from tierdesk.directory.clients.visibility import visible_clients
from tierdesk.directory.staff.models import User


def parts(user: User, at: datetime) -> Sequence[Part]:
    """Each exchange; those of the whole house are everybody's."""
    del at
    newest = Call.objects.filter(exchange=OuterRef("pk")).order_by("-id").values("started_at")[:1]
    exchanges = Exchange.objects.select_related("client").annotate(heard_at=Subquery(newest))
    if (ids := visible_clients(user)) is not None:
        exchanges = exchanges.filter(Q(client=None) | Q(client__in=ids))
    return [
        Part(
            name=exchange.name,
            client=exchange.client.name if exchange.client else "",
            is_on=exchange.enabled,
            heard_at=exchange.heard_at,
            trouble=_trouble(exchange),
        )
        for exchange in exchanges
    ]


def _trouble(exchange: Exchange) -> str:
    if exchange.kind == ExchangeKind.TWILIO and not settings.TWILIO_AUTH_TOKEN:
        return _(
            "TIERDESK_TWILIO_AUTH_TOKEN is not set, so its signatures cannot be checked and nothing is taken in."
        )
    return ""
