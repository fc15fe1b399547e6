"""Questions that are written once give what the queryset would give, to each reader their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import QuerySet
from pytest_django import DjangoAssertNumQueries

from tests.cast import Cast
from tierdesk.core import written
from tierdesk.core.scope import EVERY_CLIENT, NO_CLIENT, only, seeing
from tierdesk.core.written import Written
from tierdesk.directory.clients.visibility import visible_clients
from tierdesk.tickets.models import Entry, Message, Ticket


@pytest.fixture
def one_each(cast: Cast, doing: Callable[..., Any]) -> tuple[Ticket, Ticket]:
    with doing(cast.lena):
        return cast.ticket(), cast.ticket(client=cast.borealis, contact=cast.bob)


ASKED: dict[str, Callable[[Any], QuerySet[Any]]] = {
    "in an order": lambda ticket: Entry.objects.filter(ticket=ticket).order_by("-id"),
    "cut off": lambda ticket: Entry.objects.filter(ticket=ticket).order_by("-id")[:1],
    "with what belongs to it": lambda ticket: Message.objects.filter(ticket=ticket).select_related(
        "ticket__client"
    ),
    "across a relation, each once": lambda ticket: Ticket.objects.filter(messages__ticket=ticket).distinct(),
    "of which there are none": lambda ticket: Message.objects.filter(
        ticket=ticket, attachments__isnull=False
    ),
    "with values that it brings along": lambda ticket: Entry.objects.filter(ticket=ticket, kind="opened"),
}


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_the_answer_is_that_of_the_queryset(
    one_each: tuple[Ticket, Ticket], asked: Callable[[Any], QuerySet[Any]]
) -> None:
    ask = Written(asked)
    for one in (*one_each, *one_each):
        found, expected = ask(ticket=one), list(asked(one))
        assert found == expected
        assert [row.__dict__.keys() - {"_state"} for row in ask(ticket=one.pk)] == [
            row.__dict__.keys() - {"_state"} for row in asked(one.pk)
        ]


def test_it_is_written_once_and_asks_once(
    one_each: tuple[Ticket, Ticket], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    times: list[object] = []

    def asked(ticket: Any) -> QuerySet[Any]:
        times.append(ticket)
        return Message.objects.filter(ticket=ticket)

    ask = Written(asked)
    for one in (*one_each, *one_each):
        with django_assert_num_queries(1):
            assert {message.ticket.subject for message in ask(ticket=one)} == {one.subject}
    assert len(times) == 1


def test_nothing_is_asked_for_in_other_words(cast: Cast, one_each: tuple[Ticket, Ticket]) -> None:
    ask = Written(lambda assignee: Ticket.objects.filter(assignee=assignee).order_by("id"))
    assert ask(assignee=None) == list(one_each)
    assert ask(assignee=cast.lena) == []
    assert ask(assignee=None) == list(one_each)


def test_each_reader_is_shown_their_own(cast: Cast, one_each: tuple[Ticket, Ticket]) -> None:
    ask = Written(lambda user: Ticket.objects.visible_to(user).order_by("id"), by=visible_clients)
    acme, borealis = one_each
    shown = {cast.lena: [acme, borealis], cast.olga: [borealis]}
    with seeing(EVERY_CLIENT):
        for _ in range(2):
            for agent, expected in shown.items():
                assert ask(agent.user) == expected


def test_the_second_lock_holds(cast: Cast, one_each: tuple[Ticket, Ticket]) -> None:
    ask = Written(lambda: Ticket.objects.order_by("id"))
    for scope, expected in (
        (EVERY_CLIENT, list(one_each)),
        (only([cast.borealis.pk]), [one_each[1]]),
        (NO_CLIENT, []),
    ):
        with seeing(scope):
            assert ask() == expected


def test_what_can_only_be_empty_is_not_asked(
    one_each: tuple[Ticket, Ticket], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ask = Written(lambda clients: Ticket.objects.filter(client_id__in=clients), by=lambda clients: clients)
    with django_assert_num_queries(0):
        assert ask(frozenset()) == []
    assert ask(frozenset({one_each[0].client_id})) == [one_each[0]]


def test_it_never_keeps_too_much(monkeypatch: pytest.MonkeyPatch, one_each: tuple[Ticket, Ticket]) -> None:
    monkeypatch.setattr(written, "KEPT", 2)
    ask = Written(lambda key: Ticket.objects.filter(pk__gte=key), by=lambda key: key)
    for key in (1, 2, 3, 1):
        assert set(ask(key)) == {one for one in one_each if one.pk >= key}
        assert len(ask._texts) <= 2
