"""Following a book: guided steps with choices and recorded results, and the ordinary exit “not enough”."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cast import Cast
from tierdesk.response.runbooks import walk
from tierdesk.response.runbooks.models import Book, BookRefused, Gap, Revision, Run, matching
from tierdesk.tickets.lifecycle import StaleTicket, UnableTo
from tierdesk.tickets.models import Entry, Ticket

BOOKS = Path(__file__).parents[3] / "tierdesk" / "ops" / "demo" / "books"


@pytest.fixture
def vpn_book(cast: Cast) -> Revision:
    return Book.publish((BOOKS / "vpn-not-connecting.md").read_text())


@pytest.fixture
def ticket(cast: Cast, doing: Callable[..., Any]) -> Ticket:
    with doing(cast.lena):
        return cast.ticket()


def test_every_demo_book_can_be_published(cast: Cast) -> None:
    for path in BOOKS.glob("*.md"):
        assert Book.publish(path.read_text()).number >= 1


def test_the_same_words_make_no_new_revision(vpn_book: Revision) -> None:
    assert Book.publish(vpn_book.source) == vpn_book
    assert Book.publish(vpn_book.source + "\n").number == vpn_book.number + 1


def test_a_bad_book_is_refused_with_its_lines(cast: Cast) -> None:
    with pytest.raises(BookRefused, match="line"):
        Book.publish('---\nid: x\ntitle: X\ntier: L1\n---\n## One {#one}\n\n- choose "a" → #nowhere\n')


def test_the_matching_book_is_suggested_with_its_reason(vpn_book: Revision, ticket: Ticket) -> None:
    [(revision, because)] = matching(ticket, tier=1)
    assert (revision, because) == (vpn_book, ["category is network/vpn"])


def test_a_run_leads_step_by_step_to_done(
    cast: Cast, vpn_book: Revision, ticket: Ticket, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena):
        run = Run.start(ticket, vpn_book, cast.lena)
        run.answer("scope", answer="One person")
        run.answer("internet", answer="Nothing opens")
    assert (run.state, run.words[:11]) == ("done", "no internet")
    told = [e.kind for e in Entry.objects.of(ticket.pk) if e.kind.startswith(("run", "step"))]
    assert told == ["run_started", "step_done", "step_done", "run_ended"]


def test_a_run_that_hands_up_says_why(
    cast: Cast, vpn_book: Revision, ticket: Ticket, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena):
        run = Run.start(ticket, vpn_book, cast.lena)
        after = run.answer("scope", answer="A whole site")
    assert isinstance(after, walk.HandUp)
    assert (run.state, run.reason, run.to_tier) == ("escalate", "skill", 2)


def test_the_book_was_not_enough_is_an_ordinary_exit(
    cast: Cast, vpn_book: Revision, ticket: Ticket, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena):
        run = Run.start(ticket, vpn_book, cast.lena)
        run.answer("scope", gap="outdated", remark="the board moved")
        gap = Gap.open_for(ticket, kind=run.reason, owner_id=cast.ops.pk)
    assert (run.state, run.reason) == ("escalate", "book_insufficient")
    assert (gap.revision, gap.step, gap.note) == (vpn_book, "scope", "the board moved")


def test_two_people_who_answer_the_same_step_do_not_both_win(
    cast: Cast, vpn_book: Revision, ticket: Ticket, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena):
        run = Run.start(ticket, vpn_book, cast.lena)
    slower = Run.objects.get(pk=run.pk)
    with doing(cast.lena):
        run.answer("scope", answer="One person")
    with pytest.raises(StaleTicket), doing(cast.lou):
        slower.answer("scope", answer="A whole site")


def test_an_answer_that_nobody_offered_is_refused(
    cast: Cast, vpn_book: Revision, ticket: Ticket, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena):
        run = Run.start(ticket, vpn_book, cast.lena)
    with pytest.raises(UnableTo), doing(cast.lena):
        run.answer("scope", answer="Perhaps")


def test_a_run_keeps_the_revision_it_began_with(
    cast: Cast, vpn_book: Revision, ticket: Ticket, at: datetime, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena):
        run = Run.start(ticket, vpn_book, cast.lena)
    Book.publish(vpn_book.source.replace("One person", "A single person"))
    with doing(cast.lena, at + timedelta(minutes=1)):
        Run.objects.get(pk=run.pk).answer("scope", answer="One person")


def test_a_book_of_a_higher_tier_is_out_of_reach(
    cast: Cast, ticket: Ticket, doing: Callable[..., Any]
) -> None:
    book = Book.publish((BOOKS / "disk-cleanup.md").read_text())
    with pytest.raises(UnableTo, match="L2 book"), doing(cast.lena):
        Run.start(ticket, book, cast.lena)
