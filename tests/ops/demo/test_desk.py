"""Whoever asks the desk of the demo what happens finds people who are called, and no hole that we left there."""

from __future__ import annotations

import pytest

from tierdesk.channels.email.models import Mailbox, mailbox_for
from tierdesk.directory.clients.models import Client
from tierdesk.ops.apply import apply_file
from tierdesk.ops.demo.run import DESK
from tierdesk.response.simulation.situation import Asked, read
from tierdesk.response.simulation.telling import what_happens

ALARM = {"category": "server/disk", "channel": "alarms"}


@pytest.fixture
def _desk(db: None) -> None:
    apply_file(DESK)


@pytest.mark.usefixtures("_desk")
@pytest.mark.parametrize("told", [{}, ALARM], ids=["a mail", "an alarm"])
@pytest.mark.parametrize("client", ["HALDEN", "BRIGHT"])
def test_at_night_on_christmas_day_a_p1_calls_people(client: str, told: dict[str, str]) -> None:
    """In a demo nobody has proved a number; that they are called by mail alone is said, and true."""
    asked = Asked(**{"client": client, "at": "2026-12-25T03:10", "priority": "1"} | told)
    answer = what_happens(read(asked, clients=Client.objects.all()))
    assert answer.pages
    assert [hole for hole in answer.holes if "by mail alone" not in hole] == []


@pytest.mark.usefixtures("_desk")
def test_whatever_it_says_leaves_from_one_of_its_mailboxes() -> None:
    """What is about no client left from an address that nobody receives at."""
    about = [*Client.objects.all(), None]
    assert {mailbox_for(client).pk for client in about} == set(Mailbox.objects.values_list("pk", flat=True))
