"""Rows that are read by the thousand are what Django would have made of them."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tierdesk.core.read import ReadByTheThousand
from tierdesk.tickets.models import Ticket


@pytest.fixture
def one_ticket(cast: Cast, doing: Callable[..., Any]) -> None:
    with doing(cast.lena):
        cast.ticket()


@pytest.fixture
def two(one_ticket: None, cast: Cast, doing: Callable[..., Any]) -> None:
    with doing(cast.lena):
        cast.ticket()


def test_a_row_is_as_django_makes_it(one_ticket: None) -> None:
    [row] = Ticket.objects.all()
    values = [getattr(row, field.attname) for field in Ticket._meta.concrete_fields]
    made = super(ReadByTheThousand, Ticket).from_db("default", [], values)
    told = {name: value for name, value in row.__dict__.items() if name != "_state"}
    assert told == {name: value for name, value in made.__dict__.items() if name != "_state"}
    assert (row._state.db, row._state.adding) == (made._state.db, made._state.adding) == ("default", False)
    assert row == made and hash(row) == hash(made)
    assert pickle.loads(pickle.dumps(row)) == row


def test_it_is_changed_saved_and_read_again(one_ticket: None) -> None:
    [row] = Ticket.objects.all()
    row.subject = "Something else"
    row.save(update_fields=["subject"])
    assert Ticket.objects.get().subject == "Something else"
    row.team = None
    assert row.team_id is None
    row.refresh_from_db()
    assert row.team_id is not None and row.team is not None


def test_rows_share_nothing_of_what_they_refer_to(two: None) -> None:
    one, other = Ticket.objects.select_related("client").order_by("pk")
    assert one.client == other.client and one._state is not other._state
    with CaptureQueriesContext(connection) as queries:
        assert one.client.name and other.client.name
    assert not queries
    later = Ticket.objects.first()
    assert later is not None
    with CaptureQueriesContext(connection) as queries:
        assert later.client.name and later.client.name
    assert len(queries) == 1


def test_what_is_read_in_part_is_fetched_when_it_is_asked_for(one_ticket: None) -> None:
    for part in (Ticket.objects.only("subject"), Ticket.objects.defer("description")):
        [row] = part
        assert "description" in row.get_deferred_fields()
        assert row.description == Ticket.objects.get().description


def test_what_is_made_is_what_the_constructor_makes(cast: Cast) -> None:
    """What is not given has its default, nothing is shared between two, and what it refers to is at hand."""
    given = {"client": cast.acme, "contact": cast.ann, "service": None}
    values = {"id": 7, "subject": "VPN", "created_at": MONDAY_10, "touched_at": MONDAY_10}
    row, other = Ticket.made(given, **values), Ticket.made(given, **values)
    constructed = Ticket(**given, **values)
    names = [field.attname for field in Ticket._meta.concrete_fields]
    assert [getattr(row, name) for name in names] == [getattr(constructed, name) for name in names]
    assert row._state.adding and constructed._state.adding
    row.traits["mail.no_receipt"] = "of one"
    assert other.traits == {}
    with CaptureQueriesContext(connection) as queries:
        assert (row.client, row.contact, row.service) == (cast.acme, cast.ann, None)
    assert not queries
