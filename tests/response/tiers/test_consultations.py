"""Asking a higher tier without moving the ticket: timed, with its answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tierdesk.core.scope import only, seeing
from tierdesk.response.notifications.models import Notice
from tierdesk.response.tiers.consultations import Consultation
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Entry, Ticket

Doing = Callable[..., Any]


@pytest.fixture
def asked(cast: Cast, ticket: Ticket, doing: Doing) -> Consultation:
    with doing(cast.lena):
        return Consultation.ask(ticket, cast.experts, by=cast.lena, question=" Is the gateway known? ")


def test_a_question_moves_nothing(cast: Cast, ticket: Ticket, asked: Consultation) -> None:
    now = Ticket.objects.get(pk=ticket.pk)
    assert (now.tier, now.team, now.assignee) == (1, cast.desk, cast.lena)
    assert asked.question == "Is the gateway known?"


def test_the_advice_is_kept_with_who_when_and_how_long_it_took(
    cast: Cast, ticket: Ticket, asked: Consultation, doing: Doing, at: datetime
) -> None:
    later = at + timedelta(minutes=20)
    with doing(cast.kira, later):
        asked.reply(cast.kira, "Restart the IKE service.", minutes=5)
    kept = Consultation.objects.get(pk=asked.pk)
    assert (kept.answered_by, kept.answered_at, kept.minutes) == (cast.kira, later, 5)
    told = [entry.kind for entry in Entry.objects.of(ticket.pk)]
    assert told[-2:] == ["consulted", "consultation_answered"]


def test_the_first_answer_counts(cast: Cast, asked: Consultation, doing: Doing) -> None:
    slower = Consultation.objects.get(pk=asked.pk)
    with doing(cast.kira):
        asked.reply(cast.kira, "Restart it.")
    with pytest.raises(UnableTo, match="answered already"), doing(cast.tom):
        slower.reply(cast.tom, "Replace it.")
    assert Consultation.objects.get(pk=asked.pk).answer == "Restart it."


def test_advice_is_expected_in_the_hours_of_the_contract(
    cast: Cast, ticket: Ticket, doing: Doing, at: datetime
) -> None:
    """Monday, a quarter of an hour before the office closes: half an hour of work ends on Tuesday morning."""
    with doing(cast.lena, at.replace(hour=14, minute=45)):
        asked = Consultation.ask(ticket, cast.experts, by=cast.lena, question="Why?")
    assert asked.due_at == at.replace(day=9, hour=7, minute=15)
    assert not asked.is_late(at.replace(hour=23))
    assert asked.is_late(at.replace(day=9, hour=8))


def test_late_advice_is_told_once_to_whoever_asked_and_to_the_team_s_leads(
    cast: Cast, ticket: Ticket, asked: Consultation, live_until: Callable[[datetime], None], at: datetime
) -> None:
    cast.kira.memberships.filter(team=cast.experts).update(is_lead=True)
    live_until(at + timedelta(minutes=29))
    assert not Notice.objects.filter(kind="advice_late").exists()
    live_until(at + timedelta(hours=4))
    told = Notice.objects.filter(kind="advice_late").values_list("agent", flat=True)
    assert sorted(told) == sorted([cast.lena.pk, cast.kira.pk])
    [entry] = Entry.objects.of(ticket.pk).filter(kind="advice_late")
    assert (entry.at, entry.by_kind) == (at + timedelta(minutes=30), "engine")


def test_advice_that_came_is_not_late(
    cast: Cast, asked: Consultation, doing: Doing, live_until: Callable[[datetime], None], at: datetime
) -> None:
    with doing(cast.kira, at + timedelta(minutes=5)):
        asked.reply(cast.kira, "Restart it.")
    live_until(at + timedelta(hours=4))
    assert not Notice.objects.filter(kind="advice_late").exists()


def test_nobody_waits_for_advice_on_what_is_solved(
    cast: Cast,
    ticket: Ticket,
    asked: Consultation,
    doing: Doing,
    live_until: Callable[[datetime], None],
    at: datetime,
) -> None:
    with doing(cast.lena, at + timedelta(minutes=5)):
        ticket.resolve(code="fixed")
    live_until(at + timedelta(hours=4))
    assert not Notice.objects.filter(kind="advice_late").exists()


@pytest.mark.parametrize("minutes", [-1, 0, 10_001])
def test_advice_is_wanted_in_a_sensible_time(cast: Cast, ticket: Ticket, doing: Doing, minutes: int) -> None:
    with pytest.raises(UnableTo, match="within 1 to"), doing(cast.lena):
        Consultation.ask(
            ticket, cast.experts, by=cast.lena, question="Why?", within=timedelta(minutes=minutes)
        )


def test_advice_does_not_take_for_ever(cast: Cast, asked: Consultation, doing: Doing) -> None:
    with pytest.raises(UnableTo, match="in minutes"), doing(cast.kira):
        asked.reply(cast.kira, "Restart it.", minutes=99_999)


def test_silence_is_no_advice(cast: Cast, asked: Consultation, doing: Doing) -> None:
    with pytest.raises(UnableTo, match="Write the advice"), doing(cast.kira):
        asked.reply(cast.kira, " ")


def test_without_a_question_nobody_is_asked(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    with pytest.raises(UnableTo, match="Write the question"), doing(cast.lena):
        Consultation.ask(ticket, cast.experts, by=cast.lena, question=" ")


def test_a_team_does_not_consult_itself(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    with pytest.raises(UnableTo, match="ask another team"), doing(cast.lena):
        Consultation.ask(ticket, cast.desk, by=cast.lena, question="Any idea?")


def test_nobody_is_asked_about_a_ticket_that_is_solved(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    with doing(cast.lena):
        ticket.resolve(code="fixed")
    with pytest.raises(UnableTo, match="is resolved"), doing(cast.lena):
        Consultation.ask(ticket, cast.experts, by=cast.lena, question="Why?")


def test_outsiders_see_no_consultation(cast: Cast, asked: Consultation) -> None:
    assert set(Consultation.objects.visible_to(cast.kira.user)) == {asked}
    assert not Consultation.objects.visible_to(cast.olga.user).exists()
    assert not Consultation.objects.visible_to(cast.ann.user).exists()
    with seeing(only([cast.borealis.pk])):
        assert not Consultation.objects.exists()
