"""Which telephone systems promised not to be silent for too long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from tierdesk.channels.phone.models import Call, Exchange
from tierdesk.channels.watches import Rhythm


def rhythms(at: datetime) -> Iterator[Rhythm]:
    """Exchanges with a longest silence."""
    del at
    for exchange in Exchange.objects.filter(quiet_hours__gt=0, enabled=True):
        calls = Call.objects.filter(exchange=exchange).order_by("-id")
        yield Rhythm(
            key=f"exchange:{exchange.pk}",
            name=exchange.name,
            client=exchange.client_id,
            hours=exchange.quiet_hours,
            calendar=exchange.quiet_in_id,
            heard_at=calls.values_list("started_at", flat=True).first(),
        )
