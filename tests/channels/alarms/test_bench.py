"""The bench measures every path and leaves nothing behind."""

from __future__ import annotations

from dataclasses import astuple

from tests.cast import Cast
from tests.channels.alarms.conftest import test_dsn
from tierdesk.channels.alarms.bench import measure
from tierdesk.channels.alarms.models import Alarm, Event, Source


def test_every_path_is_measured_and_nothing_is_left(world: Cast) -> None:
    figures = measure(test_dsn(), rounds=1, events=1_000)
    assert all(rate > 0 for rate in astuple(figures))
    assert len(list(figures.lines())) == 4
    assert not (Source.objects.exists() or Alarm.objects.exists() or Event.objects.exists())
