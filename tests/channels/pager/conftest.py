"""What the tests of the ways out share: a policy that pages Lena by all her ways, and tickets under it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tierdesk.response.paging.models import Policy
from tierdesk.response.paging.pages import Page
from tierdesk.tickets.models import Ticket

type Burning = Callable[..., Ticket]
STEPS = [{"after": 0, "page": ["user:lena@desk.example"]}]


@pytest.fixture
def burning(cast: Cast, settings: Any, tmp_path: Any, doing: Callable[..., Any]) -> Burning:
    settings.HOME = tmp_path

    def a_ticket(
        urgency: int = 1,
        subject: str = "VPN does not connect",
        at: datetime = MONDAY_10,
        **said: Any,
    ) -> Ticket:
        spec = {"teams": ["desk"], "priorities": [1, 2], "steps": STEPS} | said
        Policy.publish("p1", name="P1", said=spec)
        with doing(cast.ann.user, at):
            return cast.ticket(impact=1, urgency=urgency, subject=subject)

    return a_ticket


def after(seconds: float) -> datetime:
    return MONDAY_10 + timedelta(seconds=seconds)


def states(ticket: Ticket) -> dict[str, str]:
    return dict(Page.objects.filter(paging__ticket=ticket).values_list("channel", "state"))
