"""The unit of work: one transaction, facts journaled in rounds, reactions in batches, causes kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.cast import Cast
from tierdesk import flow
from tierdesk.core.facts import ENGINE
from tierdesk.core.work import NoUnitOfWork, Reactions, UnitAlreadyOpen, Unsettled, record, work
from tierdesk.tickets.facts import Noted, Opened, Triaged
from tierdesk.tickets.models import Entry, Ticket


def test_a_verb_outside_a_unit_of_work_is_refused(cast: Cast) -> None:
    with pytest.raises(NoUnitOfWork):
        cast.ticket()


def test_units_of_work_do_not_nest(cast: Cast, at: datetime) -> None:
    with work(by=ENGINE, at=at), pytest.raises(UnitAlreadyOpen), work(by=ENGINE, at=at):
        pass


def test_an_exception_in_a_reaction_undoes_the_verb(
    cast: Cast, doing: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(facts: list[Opened]) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(flow.FLOW, Opened, Reactions(now=[fail]))
    with pytest.raises(ZeroDivisionError), doing(cast.lena):
        cast.ticket()
    assert not Ticket.objects.exists()
    assert not Entry.objects.exists()


def test_a_reaction_gets_all_facts_of_its_kind_at_once(
    cast: Cast, doing: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []
    monkeypatch.setitem(flow.FLOW, Opened, Reactions(now=[lambda facts: batches.append(len(facts))]))
    with doing(cast.lena):
        for _ in range(5):
            cast.ticket()
    assert batches == [5]


def test_an_entry_knows_the_entry_that_led_to_it(cast: Cast, doing: Callable[..., Any]) -> None:
    with doing(cast.lena):
        ticket = cast.ticket()
    opened, triaged = Entry.objects.of(ticket.pk)[:2]
    assert (opened.kind, triaged.kind) == ("opened", "triaged")
    assert triaged.cause_id == opened.pk
    assert opened.cause_id is None


def test_facts_that_never_settle_are_stopped(
    cast: Cast, doing: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def again(facts: list[Noted]) -> None:
        for fact in facts:
            record(Noted(ticket=fact.ticket, message=0))

    monkeypatch.setitem(flow.FLOW, Noted, Reactions(now=[again]))
    with doing(cast.lena):
        ticket = cast.ticket()
    with pytest.raises(Unsettled), doing(cast.lena):
        ticket.note("round and round")


def test_what_is_written_at_last_records_no_facts(cast: Cast, doing: Callable[..., Any]) -> None:
    """Nobody would journal or answer them: the unit fails as a whole, instead of losing them."""
    with doing(cast.lena):
        ticket = cast.ticket()
    with pytest.raises(Unsettled), doing(cast.lena) as unit:
        unit.at_last.append(lambda: ticket.take(cast.lena))
    ticket.refresh_from_db()
    assert ticket.assignee is None


def test_a_later_reaction_runs_after_the_commit_with_the_same_facts(
    cast: Cast,
    doing: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    monkeypatch.setitem(flow.FLOW, Triaged, Reactions(later=[_remember]))
    _remembered.clear()
    with django_capture_on_commit_callbacks(execute=True), doing(cast.lena):
        ticket = cast.ticket()
    assert _remembered == [("triaged", ticket.pk)]


_remembered: list[tuple[str, int]] = []


def _remember(facts: list[Triaged]) -> None:
    _remembered.extend((fact.kind, fact.ticket.pk) for fact in facts)
