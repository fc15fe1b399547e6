"""What of the alarms may become a flood: strangers who talk to the listeners, and requests that were turned away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.db.models import Sum
from django.utils.translation import gettext as _

from tierdesk.channels.alarms import shapes
from tierdesk.channels.alarms.listeners import SNMP, SYSLOG
from tierdesk.channels.alarms.models import Source, Stranger
from tierdesk.channels.watches import Stream


def streams(since: datetime, at: datetime) -> Iterator[Stream]:
    """One of strangers for each listener, and one for each source."""
    del since, at
    said = dict(Stranger.objects.order_by().values_list("shape").annotate(many=Sum("count")))
    for shape in (SYSLOG, SNMP):
        yield Stream(
            key=f"strangers:{shape}",
            name=shapes.named(shape).title,
            what=_("Messages from addresses that are nobody’s"),
            most=settings.FLOOD_AFTER,
            total=said.get(shape, 0),
        )
    for pk, name, client, shed in Source.objects.values_list("pk", "name", "client", "shed_count"):
        yield Stream(
            key=f"shed:{pk}",
            name=name,
            client=client,
            what=_("Requests turned away because more came than the desk takes"),
            most=0,
            total=shed,
        )
