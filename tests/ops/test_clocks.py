"""`tierdesk clocks` finds a wrong clock, names it, and sets it right when asked to."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import pytest

from tests.cast import Cast
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.ops import clocks
from tierdesk.response.sla.models import Clock
from tierdesk.tickets.models import Entry


def asked(act: str) -> int:
    return clocks.run(argparse.Namespace(act=act, processes=1))


def test_a_wrong_clock_is_told_and_set_right(
    cast: Cast, doing: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with doing(cast.lena):
        ticket = cast.ticket()
        cast.ticket()
    assert asked("verify") == 0
    assert capsys.readouterr().out.endswith("no differences\n")
    Clock.objects.filter(ticket=ticket, metric="resolve", party="SLA").update(target_s=5)
    assert asked("verify") == 1
    said = capsys.readouterr()
    assert f"{ticket.reference} SLA resolve: target_s is 5, by the timeline 86400" in said.out
    assert "1 differ; `tierdesk clocks repair` sets them right" in said.err
    assert asked("repair") == 0
    assert asked("verify") == 0
    set_scope(EVERY_CLIENT)
    assert Entry.objects.of(ticket.pk).filter(kind="clocks_corrected", by_kind="engine").count() == 1


def test_an_empty_desk_has_nothing_to_say(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked("verify") == 0
    assert (
        capsys.readouterr().out
        == "0 clocks of 0 tickets computed again from their timelines\nno differences\n"
    )
