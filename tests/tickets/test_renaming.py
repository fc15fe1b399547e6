"""A ticket is called by what it is about, once somebody knows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.cast import Cast
from tierdesk.tickets.lifecycle import LONGEST_SUBJECT, StaleTicket, UnableTo
from tierdesk.tickets.models import Ticket
from tierdesk.tickets.search import find

type Doing = Callable[..., Any]


@pytest.fixture
def ticket(cast: Cast, doing: Doing) -> Ticket:
    with doing(cast.lena):
        return cast.ticket(subject="Help!!!")


def test_it_has_another_subject_and_the_timeline_says_which_it_had(
    cast: Cast, doing: Doing, ticket: Ticket
) -> None:
    version = ticket.version
    with doing(cast.tom):
        ticket.rename("  The tunnel to Oslo\n is down ")
    ticket.refresh_from_db()
    assert (ticket.subject, ticket.version) == ("The tunnel to Oslo is down", version + 1)
    entry = ticket.entries.get(kind="renamed")
    assert (entry.by_name, entry.details) == (
        "Tom Tran",
        {"before": "Help!!!", "after": "The tunnel to Oslo is down"},
    )


def test_its_first_subject_is_kept_however_often_it_changes(cast: Cast, doing: Doing, ticket: Ticket) -> None:
    assert ticket.opened_as == ""
    for subject in ("The tunnel is down", "The tunnel to Oslo is down"):
        with doing(cast.lena):
            ticket.rename(subject)
    ticket.refresh_from_db()
    assert ticket.opened_as == "Help!!!"


def test_it_is_found_by_its_new_words(cast: Cast, doing: Doing, ticket: Ticket) -> None:
    assert find("Oslo", cast.lena.user) == []
    with doing(cast.lena):
        ticket.rename("The tunnel to Oslo is down")
    assert find("Oslo", cast.lena.user) == [ticket]


@pytest.mark.parametrize(
    ("subject", "says"),
    [
        ("", "what it is about"),
        (" \n ", "what it is about"),
        ("Help!!!", "called that already"),
        (" Help!!! ", "called that already"),
        ("x" * (LONGEST_SUBJECT + 1), f"has {LONGEST_SUBJECT + 1}"),
    ],
)
def test_what_is_no_subject_changes_nothing(
    cast: Cast, doing: Doing, ticket: Ticket, subject: str, says: str
) -> None:
    with pytest.raises(UnableTo, match=says), doing(cast.lena):
        ticket.rename(subject)
    ticket.refresh_from_db()
    assert (ticket.subject, ticket.opened_as) == ("Help!!!", "")
    assert not ticket.entries.filter(kind="renamed").exists()


def test_the_slower_of_two_is_told(cast: Cast, doing: Doing, ticket: Ticket, at: datetime) -> None:
    stale = Ticket.objects.get(pk=ticket.pk)
    with doing(cast.lena):
        ticket.rename("The tunnel is down")
    with pytest.raises(StaleTicket), doing(cast.tom):
        stale.rename("VPN")
    ticket.refresh_from_db()
    assert ticket.subject == "The tunnel is down"
