"""Two at once: engines that give tickets away, and agents who ask for the next best one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection, transaction

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tests.response.assignment.test_push import give_due_away
from tests.settled import settled
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.directory.staff.models import Agent, Team
from tierdesk.response.assignment.models import A_MOMENT, Offer
from tierdesk.response.assignment.pull import take_next_best
from tierdesk.tickets.models import Entry, Ticket


@pytest.fixture
def cast(transactional_db: None) -> Iterator[Cast]:
    """The named world, seen by other connections too."""
    yield settled()


def at_once(*acts: Callable[[], Any]) -> None:
    """Each on a thread and a connection of its own, beginning together; what fails in one fails the test."""
    ready, faults = Barrier(len(acts)), list[BaseException]()

    def run(act: Callable[[], Any]) -> None:
        try:
            set_scope(EVERY_CLIENT)
            ready.wait()
            act()
        except BaseException as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_two_engines_give_each_ticket_once_and_in_turn(
    cast: Cast, pushes: Callable[..., None], doing: Callable[..., Any]
) -> None:
    pushes("round_robin", capacity=1000)
    for _ in range(4):
        with doing(cast.lou):
            Ticket.open_many([cast.draft() for _ in range(5)])
    Offer.objects.update(wake_at=MONDAY_10)

    def engine() -> None:
        """What another one is looking at comes a moment later."""
        for moment in range(60):
            while give_due_away(MONDAY_10 + moment * A_MOMENT, batch=3):
                pass

    at_once(engine, engine)
    assert not Offer.objects.exists()
    given = Counter(Ticket.objects.values_list("assignee", flat=True))
    assert given == {cast.lena.pk: 10, cast.lou.pk: 10}
    assert Entry.objects.filter(kind="assigned").count() == 20


def test_two_agents_who_ask_at_once_get_two_tickets(cast: Cast, doing: Callable[..., Any]) -> None:
    with doing(cast.lou):
        Ticket.open_many([cast.draft() for _ in range(6)])

    def three_times(agent: Agent) -> Callable[[], None]:
        def asks() -> None:
            for _ in range(3):
                with doing(agent):
                    assert take_next_best(Agent.objects.get(pk=agent.pk), at=MONDAY_10) is not None

        return asks

    at_once(three_times(cast.lena), three_times(cast.lou))
    taken = Counter(Ticket.objects.values_list("assignee", flat=True))
    assert taken == {cast.lena.pk: 3, cast.lou.pk: 3}


def test_a_ticket_that_somebody_is_changing_is_given_a_moment_later(
    cast: Cast, pushes: Callable[..., None], doing: Callable[..., Any]
) -> None:
    pushes()
    with doing(cast.lou):
        busy, free = cast.ticket(), cast.ticket()

    def engine() -> None:
        assert give_due_away(MONDAY_10) == 2

    with transaction.atomic():
        Ticket.objects.select_for_update().get(pk=busy.pk)
        at_once(engine)
    assert Ticket.objects.get(pk=free.pk).assignee is not None
    assert Ticket.objects.get(pk=busy.pk).assignee is None
    assert give_due_away(MONDAY_10) == 0
    assert give_due_away(MONDAY_10 + A_MOMENT) == 1
    assert Ticket.objects.get(pk=busy.pk).assignee is not None


def test_a_team_that_somebody_else_looks_at_is_looked_at_a_moment_later(
    cast: Cast, pushes: Callable[..., None], doing: Callable[..., Any]
) -> None:
    """Neither waits for the other, so neither can wait for ever."""
    pushes()
    with doing(cast.lou):
        ticket = cast.ticket()
    with transaction.atomic():
        Team.objects.select_for_update(no_key=True).get(pk=cast.desk.pk)
        at_once(lambda: give_due_away(MONDAY_10))
    assert Ticket.objects.get(pk=ticket.pk).assignee is None
    assert give_due_away(MONDAY_10 + A_MOMENT) == 1
    assert Ticket.objects.get(pk=ticket.pk).assignee is not None
