"""`tierdesk simulate`: who is called, and when, as text and as JSON; nonsense is refused in words."""

from __future__ import annotations

import json

import pytest

from tests.cast import Cast
from tests.response.paging.conftest import on_call, publish
from tierdesk.ops.command import _parser
from tierdesk.ops.simulate import run
from tierdesk.tickets.models import Ticket

__all__ = ["on_call"]

CHRISTMAS = ["--client", "acme", "--at", "2026-12-25T03:10"]


def simulate(*words: str) -> int:
    return run(_parser().parse_args(["simulate", *words]))


def test_it_says_who_is_called_and_when(
    cast: Cast, on_call: None, capsys: pytest.CaptureFixture[str]
) -> None:
    publish()
    assert simulate(*CHRISTMAS) == 0
    told = capsys.readouterr().out
    assert told.startswith("Friday 25 December 2026, 03:10 (Europe/Berlin): a P1 of Acme GmbH by email\n")
    for line in (
        "Fri 25 Dec, 03:10         pages Lena Lang (on call: L1) by mail",
        "Fri 25 Dec, 03:20         pages Tom Tran (on call: L2) by mail",
        "Fri 25 Dec, 07:10         broken: resolve (promise to the client)",
        "respond (promise to the client): 30 min of Around the clock, due Fri 25 Dec, 03:40",
        "Lena Lang, Lou Lead, Tom Tran are called by mail alone",
    ):
        assert f"  {line}" in told
    assert not Ticket.objects.exists()


def test_a_local_time_may_be_another_zone_s(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate(*CHRISTMAS, "--zone", "America/New_York") == 0
    assert "Friday 25 December 2026, 03:10 (America/New_York)" in capsys.readouterr().out


def test_a_time_that_does_not_exist_is_said(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate("--client", "ACME", "--at", "2026-03-29T02:30") == 0
    told = capsys.readouterr().out
    assert "Sunday 29 March 2026, 03:30" in told and "skip 02:30: it is read as 03:30" in told


def test_programs_read_json(cast: Cast, on_call: None, capsys: pytest.CaptureFixture[str]) -> None:
    publish()
    assert simulate(*CHRISTMAS, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["client"], told["at"], told["priority"]) == ("ACME", "2026-12-25T02:10:00+00:00", 1)
    assert {"at": "2026-12-25T02:20:00+00:00", "kind": "page", "people": ["Tom Tran"]}.items() <= next(
        event for event in told["events"] if event["people"] == ["Tom Tran"]
    ).items()


def test_nonsense_is_refused_field_by_field(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate("--client", "ACME", "--at", "soon", "--channel", "pigeon") == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "--at: Say when, such as 2026-12-25T03:10." in told.err
    assert "--channel: Choose a channel" in told.err
