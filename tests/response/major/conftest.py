"""What the tests of major incidents share: Lou, who leads the first line, declares; Bob of Borealis is hit as well."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tests.replayed import _clocks_are_a_replay
from tierdesk.response.major.models import MajorIncident
from tierdesk.tickets.models import Ticket

__all__ = ["_clocks_are_a_replay"]

Opens = Callable[..., Ticket]
Declares = Callable[..., MajorIncident]


@pytest.fixture
def opens(cast: Cast, doing: Callable[..., Any]) -> Opens:
    def open_one(at: datetime = MONDAY_10, **overrides: Any) -> Ticket:
        with doing(cast.ann, at):
            ticket = cast.ticket(**overrides)
        return now(ticket)

    return open_one


@pytest.fixture
def of_bob(cast: Cast, opens: Opens) -> Opens:
    def open_one(**overrides: Any) -> Ticket:
        return opens(client=cast.borealis, contact=cast.bob, **overrides)

    return open_one


@pytest.fixture
def declares(cast: Cast, opens: Opens, doing: Callable[..., Any]) -> Declares:
    """A major incident of Acme's, led by Tom, with an update due every 30 minutes."""

    def declare(
        *children: Ticket, ticket: Ticket | None = None, at: datetime = MONDAY_10, **more: Any
    ) -> MajorIncident:
        parent = ticket or opens(subject="The gateway is down", impact=1, urgency=1)
        told = {"why": "All of Acme is cut off.", "manager": cast.tom, "every_min": 30} | more
        with doing(cast.lou, at):
            incident = MajorIncident.declare(now(parent), by=cast.lou, **told)
        if children:
            with doing(cast.lena, at):
                fresh(incident).link([child.pk for child in children])
        return fresh(incident)

    return declare


def now(ticket: Ticket) -> Ticket:
    """The ticket as it is by now."""
    found: Ticket = Ticket.objects.select_related("client", "contact", "contract_version").get(pk=ticket.pk)
    return found


def fresh(incident: MajorIncident) -> MajorIncident:
    found: MajorIncident = MajorIncident.objects.select_related("ticket__client").get(pk=incident.pk)
    return found
