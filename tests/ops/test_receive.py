"""`tierdesk receive-mail` answers a pipe transport with the statuses of sysexits.h."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from django.db import OperationalError

from tierdesk.channels.email.limits import MESSAGE_BYTES
from tierdesk.channels.models import Inbound
from tierdesk.core.scope import EVERY_CLIENT, seeing
from tierdesk.ops import receive
from tierdesk.ops.command import _parser

MAIL = b"Return-Path: <ann@acme.example>\r\nSubject: VPN\r\n\r\nIt does not connect.\r\n"


def pipe(monkeypatch: pytest.MonkeyPatch, raw: bytes, *recipients: str) -> int:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(raw)))
    return receive.run(_parser().parse_args(["receive-mail", *(recipients or ["support@desk.example"])]))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("sender", [None, "", "ann@acme.example"])
def test_a_mail_is_stored_with_the_sender_that_is_known(
    monkeypatch: pytest.MonkeyPatch, sender: str | None
) -> None:
    monkeypatch.delenv("SENDER", raising=False)
    if sender is not None:
        monkeypatch.setenv("SENDER", sender)

    assert pipe(monkeypatch, MAIL) == 0
    assert pipe(monkeypatch, MAIL) == 0, "a second delivery counts once"

    with seeing(EVERY_CLIENT):
        kept = Inbound.objects.get()
    assert bytes(kept.raw) == MAIL
    assert kept.meta["recipients"] == ["support@desk.example"]
    assert kept.meta.get("mail_from") == sender


@pytest.mark.django_db(transaction=True)
def test_a_mail_to_two_of_our_addresses_is_one_delivery(monkeypatch: pytest.MonkeyPatch) -> None:
    """Postfix says ${recipient} as often as there are, unless it was told to send them apart."""
    assert pipe(monkeypatch, MAIL, "support@desk.example", "sales@desk.example") == 0
    with seeing(EVERY_CLIENT):
        kept = Inbound.objects.get()
    assert kept.meta["recipients"] == ["support@desk.example", "sales@desk.example"]


@pytest.mark.django_db
def test_a_mail_waits_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(scope: str) -> None:
        raise OperationalError("the server is gone")

    monkeypatch.setattr("tierdesk.channels.email.listener.seeing", away)
    assert pipe(monkeypatch, MAIL) == 75


@pytest.mark.django_db
def test_a_mail_that_is_too_large_is_refused_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pipe(monkeypatch, b"x" * (MESSAGE_BYTES + 1)) == 69
    assert "35 MB" in capsys.readouterr().err
