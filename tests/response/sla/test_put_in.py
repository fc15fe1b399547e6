"""A pause put in afterwards never counts time twice, and who may put one in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from hypothesis import given
from hypothesis import strategies as st

from tests.cast import Cast
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.learning.analytics.attainment import attainment
from tierdesk.response.sla.models import Clock
from tierdesk.response.sla.reading import Pause, uncovered
from tierdesk.tickets.models import Entry, Ticket

MIDNIGHT, MINUTE, DAY = datetime(2026, 6, 8, tzinfo=UTC), timedelta(minutes=1), timedelta(days=1)


def minute(number: int) -> datetime:
    return MIDNIGHT + number * MINUTE


spans = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted)
pauses = st.lists(
    st.tuples(st.integers(0, 60), st.none() | st.integers(0, 60)).map(
        lambda pair: (minute(pair[0]), None if pair[1] is None else minute(max(pair)))
    ),
    max_size=5,
)


@given(spans, pauses)
def test_the_uncovered_parts_are_the_minutes_in_no_pause(span: list[int], paused: list[Pause]) -> None:
    begins, ends = map(minute, span)
    parts = list(uncovered(begins, ends, paused))
    found = [minute(n) for n in range(60) if any(start <= minute(n) < end for start, end in parts)]
    assert found == [
        minute(n)
        for n in range(60)
        if begins <= minute(n) < ends
        and not any(start <= minute(n) and (end is None or minute(n) < end) for start, end in paused)
    ]
    assert all(start < end for start, end in parts)
    assert parts == sorted(parts)


@pytest.fixture
def ticket(cast: Cast, doing: Any, at: datetime) -> Ticket:
    """Opened on a Monday at 10:00; it is noon now."""
    with doing(cast.lena, at):
        return cast.ticket()


SAID = {
    "reason": "requester_info",
    "begins": "2026-06-08T10:30",
    "ends": "2026-06-08T11:00",
    "evidence": "a mail",
}


def test_a_lead_puts_it_in_on_the_page_of_a_deadline(cast: Cast, client: Browser, ticket: Ticket) -> None:
    one = Clock.objects.get(ticket=ticket, metric="resolve", party="SLA")
    client.force_login(cast.lou.user)
    assert "Put the wait in" in client.get(f"/tickets/{ticket.pk}/clocks/{one.pk}/").content.decode()
    client.post(f"/tickets/{ticket.pk}/waits/", SAID)
    set_scope(EVERY_CLIENT)
    assert Clock.objects.get(pk=one.pk).pauses == [
        ["2026-06-08T08:30:00+00:00", "2026-06-08T09:00:00+00:00", "requester_info"]
    ]
    page = client.get(f"/tickets/{ticket.pk}/clocks/{one.pk}/").content.decode()
    assert "a pause is put in afterwards" in page
    assert "put in afterwards that it had waited" in client.get(f"/tickets/{ticket.pk}/").content.decode()
    set_scope(EVERY_CLIENT)
    at = Entry.objects.get(kind="wait_put_in").at
    [adjusted] = attainment(cast.lou.user, at - DAY, at + DAY, at).adjustments
    assert (adjusted.ticket, adjusted.by, adjusted.evidence) == (ticket, "Lou Lead", "a mail")
    assert attainment(cast.olga.user, at - DAY, at + DAY, at).adjustments == []


def test_somebody_who_does_not_answer_for_it_is_refused(cast: Cast, client: Browser, ticket: Ticket) -> None:
    one = Clock.objects.get(ticket=ticket, metric="resolve", party="SLA")
    client.force_login(cast.lena.user)
    assert "Put the wait in" not in client.get(f"/tickets/{ticket.pk}/clocks/{one.pk}/").content.decode()
    told = client.post(f"/tickets/{ticket.pk}/waits/", SAID, follow=True).content.decode()
    assert "Only a lead of the ticket’s team, or a manager" in told
    set_scope(EVERY_CLIENT)
    assert not Entry.objects.filter(kind="wait_put_in").exists()


@pytest.mark.parametrize("missing", ["begins", "ends", "evidence"])
def test_what_is_left_out_is_said(cast: Cast, client: Browser, ticket: Ticket, missing: str) -> None:
    client.force_login(cast.lou.user)
    told = client.post(f"/tickets/{ticket.pk}/waits/", SAID | {missing: ""}, follow=True).content.decode()
    assert "Say " in told
    set_scope(EVERY_CLIENT)
    assert not Entry.objects.filter(kind="wait_put_in").exists()


def test_a_stranger_finds_no_such_ticket(cast: Cast, client: Browser, ticket: Ticket) -> None:
    client.force_login(cast.olga.user)
    assert client.post(f"/tickets/{ticket.pk}/waits/", SAID).status_code == 404
