"""Two at once: engines that carry, and people who act on one major incident."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tests.response.assignment.test_at_once import at_once
from tests.response.major.conftest import Declares, Opens, fresh, now
from tests.settled import settled
from tierdesk.core.wakeups import run_due
from tierdesk.response.major.carry import carry_due
from tierdesk.response.major.models import Cascade, RoleKind
from tierdesk.tickets.lifecycle import StaleTicket, UnableTo
from tierdesk.tickets.models import Message, Ticket

Doing = Callable[..., Any]


@pytest.fixture
def cast(transactional_db: None) -> Iterator[Cast]:
    """The named world, seen by other connections too."""
    yield settled()


def test_two_engines_carry_each_word_once_and_in_order(
    cast: Cast, declares: Declares, opens: Opens, doing: Doing
) -> None:
    incident = declares(*(opens() for _ in range(10)))
    for word in ("First.", "Second."):
        with doing(cast.tom):
            fresh(incident).broadcast(word, by=cast.tom)
    with doing(cast.tom):
        now(incident.ticket).resolve(code="fixed", text="Works again.")

    def engine() -> None:
        while Cascade.objects.filter(wake_at__isnull=False).exists():
            carry_due(MONDAY_10)

    at_once(engine, engine)
    children = [child.ticket_id for child in incident.children.all()]
    said = Counter(
        Message.objects.filter(ticket__in=children, direction="outbound").values_list("text", flat=True)
    )
    assert said == {"First.": 10, "Second.": 10, "Works again.": 10}
    assert set(Ticket.objects.filter(pk__in=children).values_list("state", flat=True)) == {"resolved"}


def test_no_ticket_is_left_following_what_somebody_solves_at_that_moment(
    cast: Cast, declares: Declares, opens: Opens, doing: Doing
) -> None:
    """Either it is linked first, and solved with it, or it is not linked at all."""
    for _ in range(8):
        incident, child = declares(), opens()

        def link(incident: Any = incident, child: Any = child) -> None:
            try:
                with doing(cast.lena):
                    fresh(incident).link([child.pk])
            except (UnableTo, StaleTicket):
                return

        def solve(incident: Any = incident) -> None:
            try:
                with doing(cast.tom):
                    now(incident.ticket).resolve(code="fixed", text="Works again.")
            except StaleTicket:
                return

        at_once(link, solve)
        run_due(MONDAY_10)
        if now(incident.ticket).state == "resolved":
            assert now(child).state in ("new", "resolved")


def test_of_two_who_hand_a_role_over_at_once_one_is_the_last(
    cast: Cast, declares: Declares, doing: Doing
) -> None:
    incident = declares()

    def hand(agent: Any) -> Callable[[], None]:
        def act() -> None:
            with doing(cast.lou):
                fresh(incident).hand_role(RoleKind.SCRIBE, agent, by=cast.lou)

        return act

    at_once(hand(cast.lena), hand(cast.kira))
    assert incident.roles.filter(kind="scribe").count() == 2
    assert incident.roles.filter(kind="scribe", until_at=None).count() == 1
