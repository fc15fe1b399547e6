"""Those we know are read before strangers who came earlier, but not for ever."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.cast import Cast
from tierdesk.channels import intake
from tierdesk.channels.email import listener
from tierdesk.channels.email.listener import TAKEN, keep
from tierdesk.channels.email.turn import HEAD_START, claimed_sender, head_start
from tierdesk.channels.models import Inbound
from tierdesk.core import clock

TO = ["support@desk.localhost"]


@pytest.mark.parametrize(
    ("sender", "knows"),
    [
        ("ann@acme.example", True),
        ("Somebody.New@ACME.example", True),
        ("x@stranger.example", False),
        ("", False),
        ("MAILER-DAEMON", False),
        ("ann@acmé.example", False),
    ],
)
def test_contacts_and_their_domains_have_a_head_start(cast: Cast, sender: str, knows: bool) -> None:
    assert head_start(sender) == (HEAD_START if knows else timedelta())


def test_a_flood_of_strangers_does_not_stand_before_a_contact(
    cast: Cast, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "close_old_connections", lambda: None)
    monkeypatch.setattr(intake, "AT_ONCE", 1)
    senders = ["x@a.example", "x@b.example", "x@c.example", "ann@acme.example"]
    for number, sender in enumerate(senders):
        monkeypatch.setattr(clock, "now", lambda number=number: at + timedelta(seconds=number))
        assert keep(f"From: {sender}\r\n\r\nhi".encode(), TO, sender, "test") == TAKEN
    intake.understand_due(at + timedelta(minutes=1))
    read = Inbound.objects.exclude(state="new")
    assert [one.meta["mail_from"] for one in read] == ["ann@acme.example"]


def test_a_stranger_who_has_waited_longer_than_that_is_next(
    cast: Cast, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "close_old_connections", lambda: None)
    monkeypatch.setattr(intake, "AT_ONCE", 1)
    for sender, minutes in (("x@stranger.example", 0), ("ann@acme.example", 11)):
        monkeypatch.setattr(clock, "now", lambda minutes=minutes: at + timedelta(minutes=minutes))
        assert keep(f"From: {sender}\r\n\r\nhi".encode(), TO, sender, "test") == TAKEN
    intake.understand_due(at + timedelta(minutes=12))
    read = Inbound.objects.exclude(state="new")
    assert [one.meta["mail_from"] for one in read] == ["x@stranger.example"]


@pytest.mark.parametrize(
    ("head", "sender"),
    [
        (b"To: x@y.example\r\nFrom: Ann <ann@acme.example>\r\n", "ann@acme.example"),
        (b"from:ann@acme.example\r\n", "ann@acme.example"),
        (b'FROM: "Ann (a, b)" <ann@acme.example>\r\n', "ann@acme.example"),
        (b"X-From: ann@acme.example\r\n", ""),
        (b"From: nobody\r\nTo: ann@acme.example\r\n", ""),
        (b"", ""),
    ],
)
def test_the_claimed_sender_is_found_without_reading_the_mail(head: bytes, sender: str) -> None:
    assert claimed_sender(head) == sender
