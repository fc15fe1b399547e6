"""Who is on call against a model that asks at every minute, where the clocks of the world change.

The model knows nothing of laying out or covering: it asks the clockmaker's wall (calendars/wall.py) when each turn of
each layer was handed over, and at each minute the overrides and layers from the top.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.directory.calendars.test_hours_properties import OPENINGS, intervals
from tests.directory.calendars.wall import TURNS, Wall, counted
from tierdesk.directory.calendars.hours import Hours
from tierdesk.directory.oncall.rota import Layer, Override, Rota, Shift

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Rota, datetime, datetime]:
    """A rota, and a span of up to four days around a day on which the clocks of its zone may change."""
    tz = draw(st.sampled_from(sorted(TURNS)))
    turn = date.fromisoformat(draw(st.sampled_from(TURNS[tz])))
    noon = datetime(turn.year, turn.month, turn.day, 12, tzinfo=UTC)
    near = st.integers(-2880, 2880).map(lambda minutes: noon + MINUTE * minutes)
    week = st.dictionaries(st.integers(0, 6), st.lists(intervals, max_size=2).map(tuple))
    closed = st.frozensets(st.integers(-2, 2).map(lambda days: turn + DAY * days), max_size=1)
    layers = st.builds(
        Layer,
        name=st.sampled_from(["low", "high"]),
        members=st.lists(st.none() | st.integers(1, 4), max_size=4).map(tuple),
        starts=st.integers(-20, 3).map(lambda days: turn + DAY * days),
        turn_days=st.integers(1, 8),
        handover=st.sampled_from(OPENINGS).map(time.fromisoformat),
        hours=st.none() | st.builds(Hours, tz=st.just(tz), week=week, closed=closed),
    )
    overrides = st.builds(
        lambda who, begins, length: Override(who, begins, begins + MINUTE * length, "swap"),
        st.integers(5, 7),
        near,
        st.integers(1, 2000),
    )
    start, stop = sorted((draw(near), draw(near)))
    rota = Rota(
        ZoneInfo(tz),
        tuple(draw(st.lists(layers, max_size=3))),
        tuple(draw(st.lists(overrides, max_size=3))),
    )
    return rota, start, stop


def asked_by_the_minute(rota: Rota, start: datetime, stop: datetime) -> list[int | None]:
    """Who is on call at each minute of the span."""
    wall = Wall.around(str(rota.zone), start.date() - 40 * DAY, stop.date() + 20 * DAY)
    layers = [_holders(layer, wall, start, stop) for layer in reversed(rota.layers)]
    asked: list[int | None] = []
    at = start
    while at < stop:
        standing_in = [o.who for o in reversed(rota.overrides) if o.from_at <= at < o.to_at]
        holders = standing_in + [who for layer in layers if (who := layer[len(asked)])]
        asked.append(holders[0] if holders else None)
        at += MINUTE
    return asked


def _holders(layer: Layer, wall: Wall, start: datetime, stop: datetime) -> list[int | None]:
    """Who holds this layer at each minute of the span."""
    first, last = wall.minute(start), wall.minute(stop)
    open_at = None if layer.hours is None else set(counted(layer.hours, start, stop))
    handed_over = []
    day = datetime.combine(layer.starts, layer.handover)
    while wall.first + 2 * DAY < day.date() < wall.last - 2 * DAY:
        handed_over.append(wall.when(day))
        day += DAY * layer.turn_days
    holders: list[int | None] = []
    for minute in range(first, last):
        turn = bisect_right(handed_over, minute) - 1
        holds = turn >= 0 and layer.members and (open_at is None or wall.begins + MINUTE * minute in open_at)
        holders.append(layer.members[turn % len(layer.members)] if holds else None)
    return holders


def at_each_minute(shifts: list[Shift], start: datetime, stop: datetime) -> list[int | None]:
    minutes = int((stop - start) / MINUTE)
    told: list[int | None] = [None] * minutes
    for shift in shifts:
        first, last = (int((at - start) / MINUTE) for at in (shift.from_at, shift.to_at))
        told[first:last] = [shift.who] * (last - first)
    return told


@settings(max_examples=60, deadline=None)
@given(scenes())
def test_every_minute_is_whose_the_model_says(scene: tuple[Rota, datetime, datetime]) -> None:
    rota, start, stop = scene
    assert at_each_minute(rota.shifts(start, stop), start, stop) == asked_by_the_minute(rota, start, stop)


@settings(max_examples=60, deadline=None)
@given(scenes())
def test_shifts_and_gaps_tile_the_span(scene: tuple[Rota, datetime, datetime]) -> None:
    rota, start, stop = scene
    tiles = sorted([(s.from_at, s.to_at) for s in rota.shifts(start, stop)] + rota.gaps(start, stop))
    assert all(begins < ends for begins, ends in tiles)
    assert all(ends == begins for (_, ends), (begins, _) in pairwise(tiles))
    assert (tiles[0][0], tiles[-1][1]) == (start, stop) if tiles else start == stop


@settings(max_examples=50, deadline=None)
@given(scenes(), st.integers(0, 5760))
def test_a_span_says_what_its_parts_say(scene: tuple[Rota, datetime, datetime], minutes: int) -> None:
    rota, start, stop = scene
    middle = min(stop, start + MINUTE * minutes)
    whole = at_each_minute(rota.shifts(start, stop), start, stop)
    parts = rota.shifts(start, middle) + rota.shifts(middle, stop)
    assert at_each_minute(parts, start, stop) == whole


@settings(max_examples=50, deadline=None)
@given(scenes())
def test_now_and_next_are_what_the_shifts_say(scene: tuple[Rota, datetime, datetime]) -> None:
    rota, start, _ = scene
    ahead = rota.shifts(start, start + timedelta(days=800))
    now, later = rota.on_call(start), rota.next_shift(start)
    assert now == (ahead[0] if ahead and ahead[0].from_at == start else None)
    assert later == next((shift for shift in ahead if shift.from_at > start), None)
