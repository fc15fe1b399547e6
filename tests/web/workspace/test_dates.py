"""A date is promised on its page: what it counts as is said first, and bad input is refused in words."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client as Browser

from tests.cast import Cast
from tests.web.workspace.test_actions import post
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.directory.staff.models import User
from tierdesk.response.sla.dates import promise_date
from tierdesk.response.sla.models import Clock
from tierdesk.tickets.models import Entry, Ticket

Doing = Callable[..., AbstractContextManager[Any]]

WEDNESDAY = datetime(2026, 6, 10, 13, 0, tzinfo=UTC)
"""15:00 in Berlin."""


@pytest.fixture
def ticket(cast: Cast, doing: Doing) -> Ticket:
    with doing(cast.lena):
        return cast.ticket()


@pytest.fixture
def lena(cast: Cast, client: Browser) -> Browser:
    client.force_login(cast.lena.user)
    return client


@pytest.fixture
def send(lena: Browser, ticket: Ticket, at: datetime) -> Callable[..., HttpResponse]:
    def send(**form: str) -> HttpResponse:
        with clock.frozen(at):
            return post(
                lena, f"/tickets/{ticket.pk}/date/", {"version": ticket.version, "why": "told Ann", **form}
            )

    return send


def dates(ticket: Ticket) -> list[Clock]:
    return list(Clock.objects.filter(ticket=ticket, metric="date").order_by("id"))


def test_a_date_is_promised_in_the_agent_s_own_time(
    ticket: Ticket, send: Callable[..., HttpResponse]
) -> None:
    answer = send(date="2026-06-10T15:00", shown="on")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/tickets/{ticket.pk}/")
    (one,) = dates(ticket)
    assert one.due_at == WEDNESDAY
    assert Entry.objects.get(ticket=ticket, kind="date_promised").details["shown"]


def test_outside_the_hours_it_is_said_first_what_it_counts_as(
    ticket: Ticket, send: Callable[..., HttpResponse]
) -> None:
    page = send(date="2026-06-10T20:30").content.decode()
    assert "This is outside the hours" in page
    assert 'name="counts_as" value="2026-06-11T07:00:00+00:00"' in page
    assert 'value="2026-06-10T20:30"' in page
    assert dates(ticket) == []
    send(date="2026-06-11T20:30", counts_as="2026-06-11T07:00:00+00:00")
    assert dates(ticket) == [], "the date was changed since"
    send(date="2026-06-10T20:30", counts_as="2026-06-11T07:00:00+00:00")
    assert [one.due_at for one in dates(ticket)] == [datetime(2026, 6, 11, 7, 0, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("date", "refusal"),
    [
        ("", "Say by when"),
        ("2026-06-08T09:59", "over already"),
        ("9999-12-31T23:59", "look at the year"),
        ("0001-01-01T00:00", "is not a date and time"),
        ("tomorrow", "is not a date and time"),
    ],
)
def test_bad_input_is_refused_beside_the_field_and_changes_nothing(
    ticket: Ticket, send: Callable[..., HttpResponse], date: str, refusal: str
) -> None:
    answer = send(date=date)
    assert answer.status_code == 422
    assert refusal in answer.content.decode()
    assert "told Ann" in answer.content.decode()
    assert dates(ticket) == []


def test_a_date_is_moved_and_taken_back(
    cast: Cast, lena: Browser, ticket: Ticket, doing: Doing, at: datetime, send: Callable[..., HttpResponse]
) -> None:
    send(date="2026-06-10T15:00")
    ticket.refresh_from_db()
    with clock.frozen(at):
        page = lena.get(f"/tickets/{ticket.pk}/date/").content.decode()
    set_scope(EVERY_CLIENT)
    assert "Lena Lang promised that it is solved by" in page
    send(date="2026-06-11T15:00", why="the part comes later")
    assert [one.due_at for one in dates(ticket)] == [WEDNESDAY + timedelta(days=1)]
    ticket.refresh_from_db()
    send(take_back="1", why="")
    assert dates(ticket)[0].state == "running"
    send(take_back="1", why="it was another ticket")
    assert dates(ticket)[0].state == "cancelled"


def test_who_has_nothing_to_do_with_it_is_told_so(
    cast: Cast, client: Browser, ticket: Ticket, at: datetime
) -> None:
    client.force_login(cast.kira.user)
    page = client.get(f"/tickets/{ticket.pk}/date/").content.decode()
    assert "Only who works the ticket" in page
    with clock.frozen(at):
        post(client, f"/tickets/{ticket.pk}/date/", {"date": "2026-06-10T15:00", "why": "surely"})
    assert dates(ticket) == []


def test_the_deadline_is_explained_with_who_promised_and_moved_it(
    cast: Cast, lena: Browser, ticket: Ticket, doing: Doing, at: datetime, send: Callable[..., HttpResponse]
) -> None:
    send(date="2026-06-10T15:00")
    ticket.refresh_from_db()
    send(date="2026-06-11T15:00", why="the part comes later")
    page = lena.get(f"/tickets/{ticket.pk}/clocks/{dates(ticket)[0].pk}/").content.decode()
    set_scope(EVERY_CLIENT)
    assert "A date that was promised for this ticket alone" in page
    assert "the part comes later" in page
    assert "Working time that counts" not in page
    stream = lena.get(f"/tickets/{ticket.pk}/").content.decode()
    assert "moved the promised date from 2026-06-10 15:00 to 2026-06-11 15:00: the part comes later" in stream


@pytest.mark.parametrize(
    ("zone", "read"),
    [
        ("America/New_York", "2026-06-10 09:00:"),
        ("UTC", "2026-06-10 13:00 UTC"),
        ("Nowhere/Atall", "13:00 UTC"),
    ],
)
def test_a_timeline_tells_times_by_the_clock_of_whoever_reads(
    lena: Browser, cast: Cast, ticket: Ticket, send: Callable[..., HttpResponse], zone: str, read: str
) -> None:
    send(date="2026-06-10T15:00")
    set_scope(EVERY_CLIENT)
    User.objects.filter(pk=cast.lena.user_id).update(timezone=zone)
    page = lena.get(f"/tickets/{ticket.pk}/").content.decode()
    assert "promised that it is solved by" in page
    assert read in page.partition("promised that it is solved by")[2][:60]


def test_the_page_of_a_ticket_asks_no_more_for_a_date(
    cast: Cast, lena: Browser, ticket: Ticket, doing: Doing, at: datetime, django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    lena.get(f"/tickets/{ticket.pk}/")
    with CaptureQueriesContext(connection) as without:
        lena.get(f"/tickets/{ticket.pk}/")
    set_scope(EVERY_CLIENT)
    with doing(cast.lena, at):
        promise_date(ticket, WEDNESDAY, by=cast.lena, why="told Ann")
    with django_assert_num_queries(len(without)):
        lena.get(f"/tickets/{ticket.pk}/")
