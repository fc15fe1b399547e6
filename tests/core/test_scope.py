"""Two independent locks on every client's data: each is tested with the other one open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from tests.cast import Cast
from tierdesk.core.scope import EVERY_CLIENT, NO_CLIENT, only, seeing
from tierdesk.tickets.models import Entry, Message, Ticket


@pytest.fixture
def one_each(cast: Cast, doing: Callable[..., Any]) -> tuple[Ticket, Ticket]:
    with doing(cast.lena):
        return cast.ticket(), cast.ticket(client=cast.borealis, contact=cast.bob)


def test_the_database_hides_other_clients_rows_even_without_a_filter(
    cast: Cast, one_each: tuple[Ticket, Ticket]
) -> None:
    acme, _ = one_each
    with seeing(only([cast.acme.pk])):
        assert [t.pk for t in Ticket.objects.all()] == [acme.pk]
        assert set(Message.objects.values_list("client_id", flat=True)) == {cast.acme.pk}
        assert set(Entry.objects.values_list("client_id", flat=True)) == {cast.acme.pk}


def test_without_a_scope_the_database_shows_nothing(one_each: tuple[Ticket, Ticket]) -> None:
    with seeing(NO_CLIENT):
        assert not Ticket.objects.exists()


def test_the_database_refuses_to_write_another_clients_row(
    cast: Cast, one_each: tuple[Ticket, Ticket]
) -> None:
    acme, _ = one_each
    with seeing(only([cast.acme.pk])), pytest.raises(DatabaseError), transaction.atomic():
        Ticket.objects.filter(pk=acme.pk).update(client=cast.borealis)


def test_visible_to_filters_even_where_the_database_would_show_all(
    cast: Cast, one_each: tuple[Ticket, Ticket]
) -> None:
    acme, borealis = one_each
    with seeing(EVERY_CLIENT):
        assert {t.pk for t in Ticket.objects.visible_to(cast.olga.user)} == {borealis.pk}
        assert {t.pk for t in Ticket.objects.visible_to(cast.ann.user)} == {acme.pk}
        assert {t.pk for t in Ticket.objects.visible_to(cast.lena.user)} == {acme.pk, borealis.pk}


def test_a_contact_sees_own_tickets_only_unless_allowed_the_whole_client(
    cast: Cast, one_each: tuple[Ticket, Ticket]
) -> None:
    acme, _ = one_each
    assert not Ticket.objects.visible_to(cast.arne.user).exists()
    cast.arne.sees_client = True
    cast.arne.save(update_fields=["sees_client"])
    cast.arne.user.refresh_from_db()
    assert {
        t.pk for t in Ticket.objects.visible_to(type(cast.arne.user).objects.get(pk=cast.arne.user.pk))
    } == {acme.pk}


def test_the_desk_works_as_a_role_that_owns_nothing(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == ("tierdesk_app", False)
