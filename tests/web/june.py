"""A month with one promise in it: Ann's ticket, opened and solved on the last day of June, and when June is closed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.cast import Cast
from tierdesk.directory.clients.models import Client
from tierdesk.tickets.models import Ticket

BERLIN = ZoneInfo("Europe/Berlin")
LAST_DAY = datetime(2026, 6, 30, 10, tzinfo=BERLIN)
CLOSED = datetime(2026, 7, 4, tzinfo=BERLIN)
HOUR = timedelta(hours=1)


def solved_in_june(cast: Cast, doing: Callable[..., Any]) -> Ticket:
    Client.objects.update(wake_at=LAST_DAY)
    with doing(cast.lena, LAST_DAY):
        ticket = cast.ticket()
    with doing(cast.lena, LAST_DAY + 2 * HOUR):
        ticket.resolve(code="fixed")
    return ticket
