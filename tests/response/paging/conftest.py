"""What the tests of paging share: Lena is on call for the desk, Lou after her, Tom for operations; a policy for P1."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from typing import Any

import pytest

from tests.cast import Cast
from tests.replayed import _clocks_are_a_replay
from tierdesk.directory.oncall.models import Layer, Schedule, Turn
from tierdesk.directory.staff.models import Agent, Team
from tierdesk.response.paging.models import Paging, Policy
from tierdesk.tickets.models import Ticket

__all__ = ["_clocks_are_a_replay"]

MIN = 60
STEPS = [
    {"after": 0, "page": ["schedule:l1"]},
    {"after": 5 * MIN, "page": ["schedule:l1", "next:l1"]},
    {"after": 10 * MIN, "page": ["schedule:l2"]},
]


def schedule(key: str, team: Team, *agents: Agent, **layer: Any) -> Schedule:
    made = Schedule.objects.create(key=key, name=key.upper(), team=team, timezone="Europe/Berlin")
    rotation = {"name": "Turns", "starts_date": date(2026, 1, 5), "handover": time(9)} | layer
    first = Layer.objects.create(schedule=made, order=0, **rotation)
    for order, agent in enumerate(agents):
        Turn.objects.create(layer=first, agent=agent, order=order)
    return made


def publish(**said: Any) -> Policy:
    spec = {"teams": ["desk"], "priorities": [1], "steps": STEPS, "repeat": 0} | said
    return Policy.publish("p1", name="Desk P1", said=spec)


@pytest.fixture
def on_call(cast: Cast) -> None:
    # On 8 June 2026 the turn is Lena's: 22 weeks after 5 January.
    schedule("l1", cast.desk, cast.lena, cast.lou)
    schedule("l2", cast.ops, cast.tom)


@pytest.fixture
def burning(cast: Cast, on_call: None, doing: Callable[..., Any]) -> Callable[..., Ticket]:
    """A P1 ticket that nobody has, under a policy with these changes; it has just called for help."""

    def burn(**said: Any) -> Ticket:
        publish(**said)
        with doing(cast.ann.user):
            return cast.ticket(impact=1, urgency=1)

    return burn


def paging_of(ticket: Ticket) -> Paging:
    return Paging.objects.select_related("policy", "ticket").get(ticket=ticket)
