"""The contact can reopen within the window; it closes by itself; later words open a follow-up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tests.cast import Cast
from tests.journeys.conftest import H, M, Post
from tierdesk.tickets.models import Entry, Ticket


def test_the_contact_can_reopen_within_the_window_and_it_closes_by_itself(
    cast: Cast,
    at: datetime,
    ticket: Ticket,
    post: Post,
    live_until: Callable[[datetime], None],
    doing: Callable[..., Any],
) -> None:
    with doing(cast.lena, at + H):
        ticket.resolve(code="fixed", text="Try again.")
    live_until(at + H + M)
    post.arrive(at + 5 * H, "ann@acme.example", "Re: VPN", "Still broken.", answers=post.read())
    ticket.refresh_from_db()
    assert (ticket.state, ticket.reopen_count) == ("open", 1)
    with doing(cast.lena, at + 6 * H):
        ticket.resolve(code="fixed", text="Now it works.")
    live_until(at + timedelta(days=8))
    ticket.refresh_from_db()
    assert ticket.state == "closed"
    assert Entry.objects.of(ticket.pk).last().kind == "closed"


def test_a_late_answer_opens_a_follow_up(
    cast: Cast,
    at: datetime,
    ticket: Ticket,
    post: Post,
    live_until: Callable[[datetime], None],
    doing: Callable[..., Any],
) -> None:
    with doing(cast.lena, at + H):
        ticket.resolve(code="fixed", text="Try again.")
    live_until(at + timedelta(days=8))
    last = post.read()
    post.arrive(at + timedelta(days=9), "ann@acme.example", "Re: VPN", "It is back.", answers=last)
    follow_up = Ticket.objects.latest("id")
    assert follow_up != ticket
    assert follow_up.relations.get().kind == "follow_up_of"
