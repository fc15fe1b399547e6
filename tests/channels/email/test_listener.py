"""What the desk answers to a mail server: 250 only when the bytes are safe, and never a fault of ours as theirs.

The real listener, with real SMTP, is in tests/servers/test_mail.py.
"""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.db import OperationalError

from tests.cast import Cast
from tierdesk.channels.email import listener
from tierdesk.channels.email.limits import MESSAGE_BYTES
from tierdesk.channels.email.listener import keep, keep_from_pipe
from tierdesk.channels.models import Inbound
from tierdesk.core.scope import NO_CLIENT, set_scope

TO = ["support@desk.localhost"]


@pytest.fixture(autouse=True)
def _connections_stay_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "close_old_connections", lambda: None)


def broken(error: Exception) -> Any:
    def store(*_: object, **__: object) -> None:
        raise error

    return store


def test_a_mail_is_stored_with_its_envelope_and_then_acknowledged(cast: Cast) -> None:
    assert keep(b"Subject: hi\r\n\r\nhello", TO, "ann@acme.example", "192.0.2.7").startswith("250")
    kept = Inbound.objects.get()
    assert (kept.channel, kept.remote, kept.state) == ("email", "192.0.2.7", "new")
    assert kept.meta == {"recipients": TO, "mail_from": "ann@acme.example"}


def test_it_opens_the_second_lock_itself(cast: Cast) -> None:
    """Each delivery comes on a thread whose connection sees nothing yet."""
    set_scope(NO_CLIENT)
    assert keep(b"mail", TO, "", "").startswith("250")


def test_a_delivery_that_is_repeated_counts_once_and_another_recipient_is_another(cast: Cast) -> None:
    for recipients in (TO, TO, ["sales@desk.localhost"]):
        assert keep(b"the same bytes", recipients, "ann@acme.example", "").startswith("250")
    assert Inbound.objects.count() == 2


@pytest.mark.parametrize("error", [OperationalError("away"), ValueError("a bug of ours")], ids=repr)
def test_whatever_goes_wrong_the_sender_keeps_the_mail(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(Inbound, "store", broken(error))
    assert keep(b"mail", TO, "ann@acme.example", "").startswith("451")


def test_a_pipe_gets_the_exit_codes_that_mail_servers_know(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert keep_from_pipe(io.BytesIO(b"mail"), TO, "ann@acme.example") == 0
    assert keep_from_pipe(io.BytesIO(b"x" * (MESSAGE_BYTES + 1)), TO, "ann@acme.example") == 65
    monkeypatch.setattr(Inbound, "store", broken(OperationalError("away")))
    assert keep_from_pipe(io.BytesIO(b"mail"), TO, "ann@acme.example") == 75
