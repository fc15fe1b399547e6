"""Which bridges promised not to be silent for too long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from tierdesk.channels.chat.models import Bridge
from tierdesk.channels.models import Inbound
from tierdesk.channels.watches import Rhythm


def rhythms(at: datetime) -> Iterator[Rhythm]:
    """Bridges with a longest silence."""
    del at
    for bridge in Bridge.objects.filter(quiet_hours__gt=0, is_active=True):
        said = Inbound.objects.filter(channel="chat", meta__bridge=bridge.pk).order_by("-received_at")
        yield Rhythm(
            key=f"bridge:{bridge.pk}",
            name=bridge.name,
            client=bridge.client_id,
            hours=bridge.quiet_hours,
            calendar=bridge.quiet_in_id,
            heard_at=said.values_list("received_at", flat=True).first(),
        )
