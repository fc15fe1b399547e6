"""The ordinary verbs on many tickets at once: the same comes of them, in one statement for all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import Cast
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Entry, Message, Ticket
from tierdesk.tickets.together import together

Doing = Callable[..., Any]


@pytest.fixture
def three(cast: Cast, doing: Doing) -> list[int]:
    with doing(cast.ann):
        return [ticket.pk for ticket in Ticket.open_many([cast.draft() for _ in range(3)])]


def standing(pk: int) -> dict[str, Any]:
    columns = {field.attname for field in Ticket._meta.concrete_fields} - {"id", "search"}
    return Ticket.objects.values(*columns).get(pk=pk)


def said(pk: int) -> list[dict[str, Any]]:
    columns = {field.attname for field in Message._meta.concrete_fields} - {"id", "ticket_id"}
    return list(Message.objects.filter(ticket=pk).order_by("id").values(*columns))


def told(pk: int) -> list[str]:
    return list(Entry.objects.of(pk).values_list("kind", flat=True))


def test_what_comes_of_it_is_what_comes_of_each_by_itself(cast: Cast, three: list[int], doing: Doing) -> None:
    alone, *others = three
    with doing(cast.lena):
        ticket = Ticket.objects.get(pk=alone)
        ticket.reply("We look at it.")
        ticket.assign(cast.lena)
        ticket.resolve(code="fixed", text="Fixed.")
        ticket.reopen("No.")
    with doing(cast.lena), together(Ticket, others) as tickets:
        for ticket in tickets:
            ticket.reply("We look at it.")
            ticket.assign(cast.lena)
            ticket.resolve(code="fixed", text="Fixed.")
            ticket.reopen("No.")
    for other in others:
        assert standing(other) == standing(alone)
        assert said(other) == said(alone)
        assert told(other) == told(alone)


def test_rows_and_words_are_written_in_one_statement_each(cast: Cast, three: list[int], doing: Doing) -> None:
    with doing(cast.lena), CaptureQueriesContext(connection) as asked, together(Ticket, three) as tickets:
        for ticket in tickets:
            ticket.reply("We look at it.")
    writes = [one["sql"].split(" ")[0:3] for one in asked.captured_queries if "FOR UPDATE" not in one["sql"]]
    assert writes.count(["UPDATE", '"tickets_ticket"', "AS"]) == 1
    assert writes.count(["INSERT", "INTO", '"tickets_message"']) == 1


def test_what_is_refused_for_one_is_done_to_none(cast: Cast, three: list[int], doing: Doing) -> None:
    with doing(cast.lena):
        Ticket.objects.get(pk=three[2]).cancel("no incident")
    before = [standing(pk) for pk in three]
    with pytest.raises(UnableTo), doing(cast.lena), together(Ticket, three) as tickets:
        for ticket in tickets:
            ticket.resolve(code="fixed", text="Fixed.")
    assert [standing(pk) for pk in three] == before
    assert not Message.objects.filter(text="Fixed.").exists()


def test_nothing_is_written_of_no_ticket(cast: Cast, doing: Doing) -> None:
    with doing(cast.lena), together(Ticket, []) as tickets:
        assert tickets == []
