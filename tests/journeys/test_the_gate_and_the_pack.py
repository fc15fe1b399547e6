"""Pressing Escalate: the gate names what is missing, the pack is pre-filled, a weak book becomes a task."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.cast import Cast
from tests.journeys.conftest import M, escalate
from tierdesk.response.runbooks.models import Gap, Revision, Run
from tierdesk.response.tiers.models import Escalation
from tierdesk.response.tiers.pack import Pack
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Ticket
from tierdesk.web.workspace.ladder import prefilled, run_records

BERLIN = ZoneInfo("Europe/Berlin")


def test_the_gate_names_what_is_missing_and_changes_nothing(
    cast: Cast, at: datetime, ticket: Ticket, doing: Callable[..., Any]
) -> None:
    with pytest.raises(UnableTo, match="What exactly do you ask"), doing(cast.lena, at + M):
        escalate(ticket, cast, pack=Pack(symptom="x", scope="y", steps_tried="z"))
    ticket.refresh_from_db()
    assert (ticket.team, Escalation.objects.count()) == (cast.desk, 0)


def test_the_pack_is_filled_from_the_ticket_and_the_books_that_were_followed(
    cast: Cast, at: datetime, ticket: Ticket, vpn_book: Revision, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena, at + M):
        run = Run.start(ticket, vpn_book, cast.lena)
        run.answer("scope", gap="outdated", remark="the board moved")
    pack = prefilled(ticket, run_records(ticket), BERLIN)
    assert pack.symptom == "VPN does not connect"
    assert "the board moved" in pack.steps_tried
    assert "809" in pack.error_text
    assert run_records(ticket)[0].reason == "book_insufficient"


def test_what_was_tried_is_told_while_the_book_is_still_followed(
    cast: Cast, at: datetime, ticket: Ticket, vpn_book: Revision, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena, at + M):
        run = Run.start(ticket, vpn_book, cast.lena)
        assert run_records(ticket) == []
        before = run.next.step
        run.answer(before.id, answer=before.choices[0])
    [told] = run_records(ticket)
    assert told.outcome == "running"
    assert before.title in prefilled(ticket, [told], BERLIN).steps_tried


def find_outdated(ticket: Ticket, book: Revision, cast: Cast) -> None:
    Run.start(ticket, book, cast.lena).answer("scope", gap="outdated", remark="the board moved")


def test_a_hand_over_that_came_back_is_sent_again_with_what_it_said(
    cast: Cast, at: datetime, ticket: Ticket, vpn_book: Revision, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena, at + M):
        find_outdated(ticket, vpn_book, cast)
    with doing(cast.lena, at + 2 * M):
        sent = escalate(ticket, cast, reason="book_insufficient")
    with doing(cast.olga, at + 3 * M):
        sent.send_back(cast.olga, reason="missing_info", note="Which computer?")
    ticket.refresh_from_db()
    assert prefilled(ticket, run_records(ticket), BERLIN).exact_ask == sent.contents.exact_ask != ""
    with doing(cast.lena, at + 4 * M):
        escalate(ticket, cast, reason="book_insufficient")
    assert Gap.objects.count() == 1, "the same team is asked for the same thing once"


def test_the_book_was_not_enough_opens_a_task_to_improve_it(
    cast: Cast, at: datetime, ticket: Ticket, vpn_book: Revision, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena, at + M):
        find_outdated(ticket, vpn_book, cast)
    with doing(cast.lena, at + 2 * M):
        escalate(ticket, cast, reason="book_insufficient")
    gap = Gap.objects.get()
    assert (gap.revision, gap.owner, gap.closed_at) == (vpn_book, cast.ops, None)
