"""`tierdesk token`: a secret on standard output, and nothing else there."""

from __future__ import annotations

import argparse

import pytest

from tests.cast import Cast
from tierdesk.ops import token
from tierdesk.ops.command import _parser
from tierdesk.web.api.models import Token, digest


def ask(email: str) -> argparse.Namespace:
    return _parser().parse_args(["token", email, "--name", "probe"])


def test_an_agent_gets_a_secret(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    assert token.run(ask("Lena@desk.example")) == 0
    secret = capsys.readouterr().out.strip()
    kept = Token.objects.get(name="probe")
    assert (kept.sha256, kept.user) == (digest(secret), cast.lena.user)


@pytest.mark.parametrize("email", ["ann@acme.example", "nobody@desk.example"])
def test_a_contact_or_nobody_gets_none(cast: Cast, capsys: pytest.CaptureFixture[str], email: str) -> None:
    assert token.run(ask(email)) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert email in said.err
    assert not Token.objects.exists()
