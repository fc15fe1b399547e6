"""`tierdesk createadmin` makes an administrator, or gives one a new password, or says what is wrong."""

from __future__ import annotations

import io
from argparse import Namespace

import pytest

from tierdesk.directory.staff.models import User
from tierdesk.ops import createadmin

pytestmark = pytest.mark.django_db


def run(
    monkeypatch: pytest.MonkeyPatch, password: str, email: str = "Root@Desk.example", stdin: bool = True
) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
    return createadmin.run(Namespace(email=email, name="Root", password_stdin=stdin))


def test_an_administrator_is_made(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "plain-sailing-77") == 0

    root = User.objects.get(email="root@desk.example")
    assert root.is_admin
    assert root.check_password("plain-sailing-77")
    assert "now an administrator" in capsys.readouterr().out


def test_an_administrator_gets_a_new_password_and_keeps_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    User.objects.create_user("root@desk.example", name="Rita Root", password="old-sailing-77")

    assert run(monkeypatch, "plain-sailing-77") == 0

    root = User.objects.get(email="root@desk.example")
    assert root.name == "Rita Root"
    assert root.check_password("plain-sailing-77")


@pytest.mark.parametrize(
    ("password", "email", "stdin", "reason"),
    [
        ("", "root@desk.example", True, "empty"),
        ("12345678", "root@desk.example", True, "password"),
        ("plain-sailing-77", "root", True, "not a mail address"),
        ("", "root@desk.example", False, "no terminal"),
    ],
)
def test_what_cannot_be_is_said(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    password: str,
    email: str,
    stdin: bool,
    reason: str,
) -> None:
    assert run(monkeypatch, password, email, stdin) == 1

    assert reason in capsys.readouterr().err
    assert not User.objects.exists()
