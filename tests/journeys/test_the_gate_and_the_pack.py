"""Pressing Escalate: the gate names what is missing, the pack is pre-filled, a weak book becomes a task."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.cast import Cast
from tests.journeys.conftest import M, escalate
from tierdesk.response.runbooks.models import Gap, Revision, Run
from tierdesk.response.tiers.models import Escalation
from tierdesk.response.tiers.pack import Pack
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Ticket
from tierdesk.web.workspace.ladder import prefilled, run_records


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
    pack = prefilled(ticket, run_records(ticket))
    assert pack.symptom == "VPN does not connect"
    assert "the board moved" in pack.steps_tried
    assert "809" in pack.error_text
    assert run_records(ticket)[0].reason == "book_insufficient"


def test_the_book_was_not_enough_opens_a_task_to_improve_it(
    cast: Cast, at: datetime, ticket: Ticket, vpn_book: Revision, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena, at + M):
        Run.start(ticket, vpn_book, cast.lena).answer("scope", gap="outdated", remark="the board moved")
    with doing(cast.lena, at + 2 * M):
        escalate(ticket, cast, reason="book_insufficient")
    gap = Gap.objects.get()
    assert (gap.revision, gap.owner, gap.closed_at) == (vpn_book, cast.ops, None)
