"""Advice in figures: how much, how fast, in time or not, and what began as a hand-over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tests.response.tiers.conftest import PACK
from tierdesk.learning.analytics.advice import Advice, advice
from tierdesk.response.tiers.consultations import Consultation
from tierdesk.response.tiers.models import Escalation
from tierdesk.tickets.models import Ticket

Doing = Callable[..., Any]
MIN = timedelta(minutes=1)


@pytest.fixture
def ticket(cast: Cast, doing: Doing) -> Ticket:
    with doing(cast.lena):
        ticket = cast.ticket()
        ticket.take(cast.lena)
    return ticket


def test_advice_is_counted_by_the_team_that_gave_it(
    cast: Cast, ticket: Ticket, doing: Doing, at: datetime
) -> None:
    for minutes, said in ((12, 5), (48, None), (None, None)):
        with doing(cast.lena, at):
            asked = Consultation.ask(ticket, cast.experts, by=cast.lena, question="Is it known?")
        if minutes is not None:
            with doing(cast.kira, at + minutes * MIN):
                asked.reply(cast.kira, "Yes.", minutes=said)
    [line] = advice(cast.lou.user, at, at + timedelta(days=1))
    assert line == Advice("Platform Experts", 3, 2, 1, 0, 0.5, 5)


def test_a_hand_over_that_was_solved_together_is_coaching(
    cast: Cast, ticket: Ticket, doing: Doing, at: datetime
) -> None:
    with doing(cast.lena, at):
        sent = Escalation.send(ticket, cast.ops, by=cast.lena, reason="skill", pack=PACK)
    with doing(cast.tom, at + MIN):
        sent.coach(cast.tom, advice="Together.")
    [line] = advice(cast.lou.user, at, at + timedelta(days=1))
    assert (line.team, line.asked, line.answered, line.coached, line.hours) == ("Operations", 1, 0, 1, None)


def test_only_the_period_and_the_reader_s_clients_count(
    cast: Cast, ticket: Ticket, doing: Doing, at: datetime
) -> None:
    with doing(cast.lena, at):
        Consultation.ask(ticket, cast.experts, by=cast.lena, question="Is it known?")
    day = timedelta(days=1)
    assert advice(cast.lou.user, at - day, at) == []
    assert advice(cast.lou.user, at, at + day, client=cast.borealis) == []
    assert advice(cast.olga.user, at, at + day) == []
