"""What the tests of waiting share: a contract of Acme's that says what a wait leads to, and a ticket that waits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tests.replayed import _clocks_are_a_replay
from tests.response.vendors.conftest import nordvik
from tierdesk.tickets.models import Ticket

__all__ = ["_clocks_are_a_replay", "nordvik"]

DAY = 8 * 3600

AGREED: dict[str, dict[str, Any]] = {
    "requester_info": {"every": DAY, "chasers": 2, "then": "resolve", "after": 2 * DAY},
    "requester_confirm": {"every": DAY, "chasers": 1, "then": "return"},
    "vendor": {"every": DAY, "chasers": 1, "then": "return"},
    "dependency_group": {"every": DAY, "chasers": 2},
}


@pytest.fixture
def agreed(cast: Cast) -> None:
    """Office hours are Monday to Friday, 9 to 17 in Berlin, so a working day is eight hours."""
    cast.acme_contract.pending = AGREED
    cast.acme_contract.save(update_fields=["pending"])


@pytest.fixture
def waits(cast: Cast, agreed: None, doing: Callable[..., Any]) -> Callable[..., Ticket]:
    def let_wait(reason: str = "requester_info", *, at: datetime = MONDAY_10, **more: Any) -> Ticket:
        with doing(cast.lena, at):
            ticket = cast.ticket()
            ticket.take(cast.lena)
        with doing(cast.lena, at):
            ticket = Ticket.objects.get(pk=ticket.pk)
            if reason == "requester_info":
                ticket.ask("Which room is it?\nAnd which device?", **more)
            else:
                ticket.pend(reason, **more)
        return ticket

    return let_wait
