"""Working time against the clockmaker's model of wall.py, where the clocks of the world change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.directory.calendars.wall import TURNS, counted
from tierdesk.directory.calendars.hours import (
    Hours,
    Interval,
    Pause,
    Segment,
    due,
    elapsed,
    segmented_due,
    segmented_elapsed,
)

MINUTE, DAY, NOTHING = timedelta(minutes=1), timedelta(days=1), timedelta(0)

ONE_O_CLOCK = [
    "00:00",
    "00:30",
    "01:00",
    "01:30",
    "01:45",
    "02:00",
    "02:30",
    "02:45",
    "03:00",
    "03:15",
    "03:30",
]
OPENINGS = [*ONE_O_CLOCK, "06:00", "09:00", "12:00", "13:00", "17:00", "22:00", "23:00", "23:30", "23:59"]

intervals: st.SearchStrategy[Interval] = st.tuples(
    st.sampled_from(OPENINGS), st.sampled_from([*OPENINGS, "24:00"])
)


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Hours, datetime, datetime]:
    """Some hours, and a span of up to four days around a day on which the clocks of their zone may change."""
    tz = draw(st.sampled_from(sorted(TURNS)))
    turn = date.fromisoformat(draw(st.sampled_from(TURNS[tz])))
    near = st.integers(-2, 3).map(lambda days: turn + DAY * days)
    noon = datetime(turn.year, turn.month, turn.day, 12, tzinfo=UTC)
    start, stop = sorted(draw(st.tuples(*[st.integers(-2880, 2880).map(lambda m: noon + MINUTE * m)] * 2)))
    wall = datetime(turn.year, turn.month, turn.day)
    cut = st.tuples(st.integers(-48, 48), st.integers(1, 24)).map(
        lambda halves: (wall + 30 * MINUTE * halves[0], wall + 30 * MINUTE * sum(halves))
    )
    hours = Hours(
        tz=tz,
        week=draw(st.dictionaries(st.integers(0, 6), st.lists(intervals, max_size=3).map(tuple))),
        closed=draw(st.frozensets(near, max_size=1)),
        partial=draw(st.dictionaries(near, st.lists(intervals, max_size=2).map(tuple), max_size=2)),
        closed_intervals=tuple(draw(st.lists(cut, max_size=2))),
    )
    return hours, start, stop


@st.composite
def pauses_in(draw: st.DrawFn, start: datetime, stop: datetime) -> list[Pause]:
    minutes = int((stop - start) / MINUTE)
    some = st.tuples(st.integers(-60, minutes), st.integers(0, 600))
    return [
        (start + MINUTE * begin, start + MINUTE * (begin + length))
        for begin, length in draw(st.lists(some, max_size=4))
    ]


amounts = st.integers(0, 4000).map(lambda minutes: MINUTE * minutes)


@settings(max_examples=60, deadline=None)
@given(scenes())
def test_a_span_holds_as_many_working_minutes_as_one_can_count(
    scene: tuple[Hours, datetime, datetime],
) -> None:
    hours, start, stop = scene
    assert hours.between(start, stop) == MINUTE * len(counted(hours, start, stop))


@settings(max_examples=60, deadline=None)
@given(scenes(), st.data())
def test_pauses_take_off_the_minutes_that_they_cover(
    scene: tuple[Hours, datetime, datetime], data: st.DataObject
) -> None:
    hours, start, stop = scene
    pauses = data.draw(pauses_in(start, stop))
    counting = [at for at in counted(hours, start, stop) if not covered(at, pauses)]
    assert elapsed(hours, start, stop, pauses) == MINUTE * len(counting)


@settings(max_examples=60, deadline=None)
@given(scenes(), st.integers(1, 2000), st.data())
def test_a_target_is_used_up_after_the_last_minute_that_it_needs(
    scene: tuple[Hours, datetime, datetime], minutes: int, data: st.DataObject
) -> None:
    hours, start, stop = scene
    pauses = data.draw(pauses_in(start, stop))
    counting = [at for at in counted(hours, start, stop) if not covered(at, pauses)]
    at = due(hours, start, MINUTE * minutes, pauses)
    if minutes <= len(counting):
        assert at == counting[minutes - 1] + MINUTE
    else:
        assert at is None or at > stop


@settings(max_examples=60, deadline=None)
@given(scenes())
def test_the_windows_are_the_minutes_in_which_it_is_open(scene: tuple[Hours, datetime, datetime]) -> None:
    hours, start, stop = scene
    windows = list(hours.windows(start, stop))
    inside = [at for opens, closes in windows for at in minutes(opens, closes)]
    assert inside == counted(hours, start, stop)
    assert all(before[1] < after[0] for before, after in pairwise(windows))
    assert all(hours.is_open(opens) and hours.next_opening(opens) == opens for opens, _ in windows)
    assert all(hours.previous_closing(closes) == closes for _, closes in windows)


@settings(max_examples=60, deadline=None)
@given(scenes())
def test_the_next_opening_is_the_first_open_minute(scene: tuple[Hours, datetime, datetime]) -> None:
    hours, start, stop = scene
    opening, seen = hours.next_opening(start), counted(hours, start, stop)
    if seen:
        assert opening == seen[0]
    else:
        assert opening is None or opening >= stop


@settings(max_examples=60, deadline=None)
@given(scenes(), amounts)
@example(
    (Hours.always("Europe/Berlin"), datetime(2026, 10, 25, tzinfo=UTC), datetime(2026, 10, 26, tzinfo=UTC)),
    NOTHING,
)
def test_what_is_added_is_what_lies_between(
    scene: tuple[Hours, datetime, datetime], amount: timedelta
) -> None:
    """And no earlier instant has it; and taking it off again leads back to the last instant that has it too."""
    hours, start, _ = scene
    at = hours.add(start, amount)
    assume(at is not None)
    assert at is not None
    assert hours.between(start, at) == amount
    if amount:
        assert hours.between(start, at - timedelta(microseconds=1)) < amount
        back = hours.subtract(at, amount)
        assert back is not None
        assert back >= start
        assert hours.between(back, at) == amount
        assert hours.between(back + timedelta(microseconds=1), at) < amount


@settings(max_examples=60, deadline=None)
@given(scenes(), st.floats(0, 1))
def test_a_span_is_the_sum_of_its_parts(scene: tuple[Hours, datetime, datetime], where: float) -> None:
    hours, start, stop = scene
    middle = start + (stop - start) * where
    assert hours.between(start, stop) == hours.between(start, middle) + hours.between(middle, stop)


@settings(max_examples=60, deadline=None)
@given(scenes(), amounts, amounts)
def test_more_work_is_never_due_earlier_and_a_later_start_never_either(
    scene: tuple[Hours, datetime, datetime], less: timedelta, more: timedelta
) -> None:
    hours, start, stop = scene
    less, more = sorted((less, more))
    first, second, later = hours.add(start, less), hours.add(start, more), hours.add(stop, less)
    assert second is None or (first is not None and first <= second)
    assert later is None or (first is not None and first <= later)


@settings(max_examples=60, deadline=None)
@given(scenes(), scenes(), st.floats(0, 1), amounts, st.data())
def test_hours_that_change_on_the_way_count_each_for_its_part(
    scene: tuple[Hours, datetime, datetime],
    other: tuple[Hours, datetime, datetime],
    where: float,
    target: timedelta,
    data: st.DataObject,
) -> None:
    (before, start, stop), (after, _, _) = scene, other
    change, pauses = start + (stop - start) * where, data.draw(pauses_in(start, stop))
    segments: list[Segment] = [(before, start, change), (after, change, None)]
    parts = elapsed(before, start, change, pauses) + elapsed(after, change, stop, pauses)
    assert segmented_elapsed(segments, stop, pauses) == parts
    at = segmented_due(segments, target, pauses)
    if at is not None:
        assert segmented_elapsed(segments, at, pauses) == target
    if target:
        assert (at is not None and at <= stop) == (parts >= target)


@settings(max_examples=60, deadline=None)
@given(scenes())
def test_a_spec_reads_back_as_the_same_hours(scene: tuple[Hours, datetime, datetime]) -> None:
    hours, _, _ = scene
    assert Hours.from_spec(hours.to_spec()) == hours


def test_the_model_walks_through_many_zones() -> None:
    assert len(TURNS) >= 30


def minutes(start: datetime, stop: datetime) -> list[datetime]:
    return [start + MINUTE * n for n in range(max(0, int((stop - start) / MINUTE)))]


def covered(at: datetime, pauses: list[Pause]) -> bool:
    return any(begin <= at and (end is None or at < end) for begin, end in pauses)
