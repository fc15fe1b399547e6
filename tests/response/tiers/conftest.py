"""What the tests of the ladder share: a ticket of Ann's on the first line, and a pack that passes the house rule."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

import pytest

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tierdesk.directory.staff.models import Agent, Team
from tierdesk.response.tiers.models import Escalation
from tierdesk.response.tiers.pack import Pack
from tierdesk.tickets.models import Ticket

PACK = Pack(
    symptom="The tunnel does not come up",
    scope="One site; the others work",
    steps_tried="– Restart the client: it failed",
    exact_ask="Look at the gateway",
)


class Send(Protocol):
    """Hand a ticket up to a team, with a complete pack unless the test says otherwise."""

    def __call__(
        self, ticket: Ticket, to: Team, *, by: Agent | None = None, at: datetime = MONDAY_10, **more: Any
    ) -> Escalation: ...


@pytest.fixture
def ticket(cast: Cast, doing: Callable[..., Any]) -> Ticket:
    """Ann's VPN does not connect; Lena of the first line has taken it."""
    with doing(cast.lena):
        ticket = cast.ticket()
        ticket.take(cast.lena)
    return ticket


@pytest.fixture
def send(cast: Cast, doing: Callable[..., Any]) -> Send:
    def send_up(
        ticket: Ticket, to: Team, *, by: Agent | None = None, at: datetime = MONDAY_10, **more: Any
    ) -> Escalation:
        by = by or cast.lena
        with doing(by, at):
            return Escalation.send(ticket, to, by=by, **({"reason": "skill", "pack": PACK} | more))

    return send_up
