"""Agents who ask for the next best ticket."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tierdesk.directory.staff.models import Agent
from tierdesk.response.assignment.models import Offer
from tierdesk.response.assignment.pull import take_next_best
from tierdesk.tickets.models import Entry, Ticket

HOUR = timedelta(hours=1)


def ask(agent: Agent, doing: Callable[..., Any]) -> Ticket | None:
    with doing(agent, MONDAY_10 + HOUR):
        return take_next_best(Agent.objects.select_related("user").get(pk=agent.pk), at=MONDAY_10 + HOUR)


def test_the_most_urgent_of_ones_teams_is_taken_and_says_why(cast: Cast, doing: Callable[..., Any]) -> None:
    with doing(cast.lou):
        cast.ticket()
        urgent = cast.ticket(impact=1, urgency=1)
    taken = ask(cast.lena, doing)
    assert taken == urgent
    assert taken.assignee == cast.lena
    assert taken.acknowledged_at == MONDAY_10 + HOUR
    [entry] = Entry.objects.filter(ticket=urgent, kind="assigned")
    assert entry.details["why"].startswith("the next best: its deadline has passed, P1")


def test_other_teams_tickets_and_other_clients_are_not_taken(cast: Cast, doing: Callable[..., Any]) -> None:
    with doing(cast.lou):
        cast.ticket()
    assert ask(cast.tom, doing) is None
    assert ask(cast.olga, doing) is None
    assert ask(cast.lena, doing) is not None
    assert ask(cast.lena, doing) is None


def test_what_waits_for_the_contact_is_not_taken(cast: Cast, doing: Callable[..., Any]) -> None:
    with doing(cast.lou):
        ticket = cast.ticket()
    with doing(cast.lou):
        ticket.pend("evidence")
    assert ask(cast.lena, doing) is None


def test_a_ticket_that_takes_a_skill_is_left_to_a_colleague(cast: Cast, doing: Callable[..., Any]) -> None:
    cast.vpn_category.needs = {"platform": "vpn", "level": 2}
    cast.vpn_category.save()
    cast.lou.skills.create(platform="vpn", level=2)
    with doing(cast.lou):
        vpn = cast.ticket(impact=1, urgency=1, category=cast.vpn_category)
        other = cast.ticket(subject="A question", text="How?")
    assert ask(cast.lena, doing) == other
    assert ask(cast.lena, doing) is None
    assert ask(cast.lou, doing) == vpn


def test_what_somebody_takes_is_not_given_to_another(
    cast: Cast, pushes: Callable[..., None], doing: Callable[..., Any]
) -> None:
    pushes()
    with doing(cast.lou):
        cast.ticket()
    assert ask(cast.lena, doing) is not None
    assert not Offer.objects.exists()


def test_the_best_ticket_costs_as_many_statements_among_many_as_among_few(
    cast: Cast, doing: Callable[..., Any]
) -> None:
    counted = []
    for many in (2, 150):
        with doing(cast.lou):
            Ticket.open_many([cast.draft() for _ in range(many)])
        with CaptureQueriesContext(connection) as queries:
            ask(cast.lena, doing)
        counted.append(len(queries))
    assert counted[0] == counted[1]
