"""`tierdesk doctor` is quiet about a desk in order and names what is not."""

from __future__ import annotations

import argparse
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tierdesk.channels.email.models import Collection, Mailbox
from tierdesk.channels.models import Inbound, InboundState
from tierdesk.core import clock
from tierdesk.core.roles import owner
from tierdesk.ops import doctor

pytestmark = pytest.mark.django_db


def wrong() -> dict[str, doctor.Finding]:
    return {finding.about: finding for finding in doctor.examine() if finding.advice}


def test_a_desk_in_order_gets_no_advice(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.run(argparse.Namespace()) == 0
    said = capsys.readouterr().out
    assert "WRONG" not in said
    assert "the desk works as tierdesk_app" in said


def test_words_that_nobody_understood_say_that_the_worker_is_away(
    capsys: pytest.CaptureFixture[str],
) -> None:
    late = clock.now() - timedelta(minutes=2)
    arrive("new", state=InboundState.NEW, received_at=late, wake_at=late)
    assert doctor.run(argparse.Namespace()) == 1
    said = capsys.readouterr().out
    assert "Inbound is due since" in said
    assert "tierdesk worker" in said


def test_parked_words_wait_a_day_before_they_count() -> None:
    arrive("fresh", state=InboundState.PARKED)
    assert not wrong()
    arrive("old", state=InboundState.PARKED, received_at=clock.now() - timedelta(days=2))
    assert "the 1 parked" in wrong()["inbound"].advice


def test_a_table_without_its_lock_is_named() -> None:
    with owner(), connection.cursor() as cursor:
        cursor.execute("DROP POLICY clients_only ON tickets_ticket")
    assert "tickets_ticket" in wrong()["policies"].seen


def test_a_desk_that_works_as_the_owner_is_not_bound() -> None:
    with owner():
        assert "row-level security" in wrong()


def test_a_server_that_is_away_ends_the_examination(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "reach", lambda: {"host": "/nowhere", "dbname": "none"})
    assert list(wrong()) == ["database"]


def test_the_secret_is_nobody_elses(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TIERDESK_SECRET_KEY")
    settings.HOME = tmp_path
    (tmp_path / "secret.key").write_text("a secret")
    (tmp_path / "secret.key").chmod(0o644)
    assert wrong()["secret"].advice.startswith("chmod 600")


def test_plain_http_is_for_the_own_machine(settings: Any) -> None:
    settings.BASE_URL = "http://desk.example"
    assert "https" in wrong()["address"].advice


def test_a_mailbox_that_is_not_fetched_is_named_with_the_reason() -> None:
    mailbox = Mailbox.objects.create(address="support@desk.example", imap_host="mail.example")
    Collection.objects.create(mailbox=mailbox, looked_at=clock.now())
    assert "mailboxes" not in wrong()
    Collection.objects.update(error="The server does not let support in: no")
    assert "support@desk.example (The server does not let support in: no)" in wrong()["mailboxes"].seen
    Mailbox.objects.update(is_active=False)
    assert "mailboxes" not in wrong()


def arrive(key: str, **columns: object) -> Inbound:
    given: dict[str, object] = {"received_at": clock.now(), "raw": b"mail", "size": 4, "sha256": ""} | columns
    return Inbound.objects.create(channel="email", ext_key=key, **given)
