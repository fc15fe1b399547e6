"""What the tests of assignment share: a first line that pushes, of Lena, Lou and Mia, and a clock that is replayed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tests.replayed import _clocks_are_a_replay
from tierdesk.core.wakeups import fast_forward
from tierdesk.directory.staff.models import Agent, Membership, Team, User
from tierdesk.tickets.models import Ticket

__all__ = ["_clocks_are_a_replay"]


def agent(name: str, *teams: Team, languages: tuple[str, ...] = (), **skills: int) -> Agent:
    user = User.objects.create_user(f"{name.split()[0].lower()}@desk.example", name=name)
    made = Agent.objects.create(user=user, languages=list(languages))
    for team in teams:
        Membership.objects.create(agent=made, team=team)
    for platform, level in skills.items():
        made.skills.create(platform=platform, level=level)
    return made


@pytest.fixture
def mia(cast: Cast) -> Agent:
    return agent("Mia Moll", cast.desk, languages=("de", "en"), vpn=3)


@pytest.fixture
def pushes(cast: Cast) -> Callable[..., None]:
    def let_push(by: str = "least_loaded", *, capacity: int = 8, team: Team | None = None) -> None:
        pushing = team or cast.desk
        pushing.assigning = {"by": by, "capacity": capacity}
        pushing.save(update_fields=["assigning"])

    return let_push


@pytest.fixture
def opened(cast: Cast, doing: Callable[..., Any]) -> Callable[..., list[Ticket]]:
    """So many tickets that came in at once, and what the desk did with them a minute later."""

    def come_in(many: int = 1, *, at: datetime = MONDAY_10, **more: Any) -> list[Ticket]:
        with doing(cast.lou, at):
            tickets = [cast.ticket(**more) for _ in range(many)]
        fast_forward(at + timedelta(minutes=1))
        return now(tickets)

    return come_in


def now(tickets: list[Ticket]) -> list[Ticket]:
    """The tickets as they are by now, in their order."""
    return list(Ticket.objects.filter(pk__in=[ticket.pk for ticket in tickets]).order_by("pk"))
