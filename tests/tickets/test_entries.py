"""A line of the timeline is of a ticket that exists: looked up by the statement that writes it, whoever writes it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.cast import Cast
from tierdesk.core.roles import owner
from tierdesk.tickets.models import Entry, Ticket

Doing = Callable[..., AbstractContextManager[Any]]

COPIED = """
    INSERT INTO tickets_entry (client_id, ticket_id, at, kind, by_kind, by_name, details, state, pending_reason, tier,
        priority)
    SELECT client_id, ticket_id + %s, at, kind, by_kind, by_name, details, state, pending_reason, tier, priority
    FROM tickets_entry WHERE ticket_id = %s
"""


@pytest.fixture
def ticket(cast: Cast, doing: Doing) -> Ticket:
    with doing(cast.lena):
        return cast.ticket()


def sql(statement: str, *values: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_an_entry_of_no_ticket_is_refused(ticket: Ticket) -> None:
    before = Entry.objects.count()
    sql(COPIED, 0, ticket.pk)
    assert Entry.objects.count() == 2 * before
    with pytest.raises(IntegrityError, match="of a ticket that does not exist"):
        sql(COPIED, 1_000_000, ticket.pk)
    with pytest.raises(IntegrityError, match="of a ticket that does not exist"):
        sql("UPDATE tickets_entry SET ticket_id = ticket_id + 1000000 WHERE ticket_id = %s", ticket.pk)
    assert Entry.objects.count() == 2 * before


def test_tickets_are_looked_up_by_key_whatever_the_planner_takes_them_for(ticket: Ticket) -> None:
    """Of a table as small as this one it would read all, and keep doing so when it has grown."""
    before = _read_through("tickets_ticket")
    sql(COPIED, 0, ticket.pk)
    assert _read_through("tickets_ticket") == before


def _read_through(table: str) -> int:
    """How often this transaction read all of a table."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_get_xact_numscans(%s::regclass)", [table])
        return int(cursor.fetchone()[0])


def test_a_ticket_goes_after_its_entries(ticket: Ticket) -> None:
    for table in ("sla_clock", "tickets_message", "notifications_notice"):
        with owner():
            sql(f"DELETE FROM {table} WHERE ticket_id = %s", ticket.pk)
    with pytest.raises(IntegrityError, match="has entries"), owner():
        sql("DELETE FROM tickets_ticket WHERE id = %s", ticket.pk)
    assert Ticket.objects.filter(pk=ticket.pk).exists()
    ticket.delete()
    assert not Entry.objects.filter(ticket_id=ticket.pk).exists()


def test_what_entries_do_not_tell_is_read_for_all_at_once(cast: Cast, doing: Doing) -> None:
    with doing(cast.lena):
        for _ in range(5):
            cast.ticket()
    tickets = list(Ticket.objects.as_told())
    with CaptureQueriesContext(connection) as queries:
        told = [(one.client_id, one.subject, one.state, one.tier, one.priority) for one in tickets]
    assert (len(told), len(queries)) == (5, 0)
    with CaptureQueriesContext(connection) as queries:
        assert {one.description for one in tickets} == {Ticket.objects.first().description}
    assert len(queries) == 2, "one for all of them, and the one that it is compared with"
