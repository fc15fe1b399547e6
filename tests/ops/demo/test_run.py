"""A demo that was stopped while it was filled says so, instead of showing people who stand still."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tierdesk.ops.demo import run as demo

OPTIONS = Namespace(host="127.0.0.1", port=8000, days=1, fill_only=True)


@pytest.fixture(autouse=True)
def _home(db: None, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.HOME = tmp_path / "home"
    monkeypatch.setattr(demo, "call_command", lambda *_, **__: None)


def test_a_broken_fill_is_not_shown_as_a_desk(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def stopped(days: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "fill", stopped)
    with pytest.raises(KeyboardInterrupt):
        demo.run(OPTIONS)
    monkeypatch.setattr(demo, "fill", lambda days: None)
    assert demo.run(OPTIONS) == 1
    assert f"remove {tmp_path / 'home'} " in capsys.readouterr().err
    (tmp_path / "home" / demo.BROKEN_OFF).unlink()
    assert demo.run(OPTIONS) == 0


def test_it_says_where_mail_is_really_taken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TIERDESK_SMTP_LISTEN_PORT", "2599")
    monkeypatch.setattr(demo, "fill", lambda days: None)
    assert demo.run(OPTIONS) == 0
    assert "curl smtp://127.0.0.1:2599 " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("relay", "told"), [("", "{home}/outbox"), ("mail.example", "by the mail server mail.example, port 2600")]
)
def test_it_says_where_mail_really_goes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], settings: Any, relay: str, told: str
) -> None:
    settings.SMTP_RELAY_HOST, settings.SMTP_RELAY_PORT = relay, 2600
    monkeypatch.setattr(demo, "fill", lambda days: None)
    assert demo.run(OPTIONS) == 0
    assert f"Mail from the desk: {told.format(home=settings.HOME)}\n" in capsys.readouterr().out


def test_it_says_where_it_is_only_when_it_answers_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def serves(*, welcome: Callable[[], None], **_: Any) -> int:
        assert "Tierdesk is at" not in capsys.readouterr().out
        welcome()
        assert "Tierdesk is at http://127.0.0.1:8000/" in capsys.readouterr().out
        return 0

    monkeypatch.setattr(demo, "fill", lambda days: None)
    monkeypatch.setattr(demo, "serve_tree", serves)
    assert demo.run(Namespace(**vars(OPTIONS) | {"fill_only": False})) == 0
