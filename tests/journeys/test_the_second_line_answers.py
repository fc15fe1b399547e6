"""The second line accepts within its time, or returns with a coded reason; one answer counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.cast import Cast
from tests.journeys.conftest import H, M, escalate
from tierdesk.response.notifications.models import Notice
from tierdesk.response.sla.models import Clock
from tierdesk.response.tiers.models import Escalation
from tierdesk.tickets.lifecycle import StaleTicket
from tierdesk.tickets.models import Ticket


def test_the_second_line_accepts_within_its_time(
    cast: Cast, at: datetime, ticket: Ticket, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena, at + M):
        escalation = escalate(ticket, cast)
    ticket.refresh_from_db()
    assert (ticket.tier, ticket.team, ticket.voice_team) == (2, cast.ops, cast.desk)
    accept = Clock.objects.get(ticket=ticket, metric="accept")
    assert (accept.tier, accept.due_at) == (2, at + 31 * M)
    assert Notice.objects.filter(kind="escalated", agent=cast.tom).exists()
    with doing(cast.tom, at + 10 * M):
        escalation.ticket = ticket
        escalation.accept(cast.tom)
    accept.refresh_from_db()
    assert (accept.state, ticket.assignee) == ("met", cast.tom)


def test_h02_a_returned_hand_over_is_charged_to_the_tier_that_sent_it(
    cast: Cast, at: datetime, ticket: Ticket, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena, at + M):
        escalation = escalate(ticket, cast)
    with doing(cast.tom, at + H + M):
        escalation.send_back(cast.tom, reason="missing_info", note="Which gateway?")
    ticket.refresh_from_db()
    assert (ticket.tier, ticket.team, ticket.assignee, ticket.return_count) == (1, cast.desk, cast.lena, 1)
    first = Clock.objects.get(ticket=ticket, party="OLA", metric="resolve", tier=1)
    assert (first.state, first.pauses) == ("running", [])
    assert Clock.objects.get(ticket=ticket, party="OLA", metric="resolve", tier=2).state == "cancelled"
    assert Notice.objects.filter(kind="returned", agent=cast.lena).exists()


def test_two_people_who_answer_a_hand_over_do_not_both_win(
    cast: Cast, at: datetime, ticket: Ticket, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena, at + M):
        escalation = escalate(ticket, cast)
    slower = Escalation.objects.select_related("ticket").get(pk=escalation.pk)
    with doing(cast.tom, at + 2 * M):
        escalation.accept(cast.tom)
    with pytest.raises(StaleTicket), doing(cast.tom, at + 2 * M):
        slower.send_back(cast.tom, reason="other", note="no")
    ticket.refresh_from_db()
    assert ticket.team == cast.ops
