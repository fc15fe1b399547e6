"""First line takes a ticket, follows the cookbook, asks, waits, and solves it in its own voice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.cast import Cast
from tests.journeys.conftest import H, M, Post
from tierdesk.core.wakeups import fast_forward
from tierdesk.response.runbooks.models import Revision, Run
from tierdesk.tickets.models import Ticket


def test_first_line_follows_the_book_asks_and_solves(
    cast: Cast, at: datetime, ticket: Ticket, post: Post, vpn_book: Revision, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena, at + 5 * M):
        ticket.take(cast.lena)
        run = Run.start(ticket, vpn_book, cast.lena)
        run.answer("scope", answer="One person")
        ticket.ask("Does a public page open in your browser?")
    assert ticket.clocks.get(metric="resolve", party="SLA").state == "paused"
    post.sent.clear()
    fast_forward(at + 6 * M)
    question = post.read()
    assert "public page" in question.get_content()
    post.arrive(
        at + H,
        "Ann Albers <ann@acme.example>",
        f"Re: {ticket.subject}",
        "No, nothing opens.\n\n> Does a",
        answers=question,
    )
    ticket.refresh_from_db()
    assert ticket.state == "open"
    assert ticket.messages.latest("id").text.startswith("No, nothing opens.")
    assert ticket.messages.latest("id").why == "signed reply address"
    with doing(cast.lena, at + H + 5 * M):
        Run.objects.get().answer("internet", answer="Nothing opens")
        ticket.resolve(code="information", text="Please restart your router.")
    fast_forward(at + H + 6 * M)
    assert "router" in post.read().get_content()
    assert "Service Desk" in post.read()["From"]
