"""Shifts are taken over from a calendar: whose they are, what changes, and what stays above and beneath them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from tests.cast import Cast
from tierdesk.directory.oncall import feeds
from tierdesk.directory.oncall.models import Feed, Layer, Override, Schedule, Turn, UnableToStandIn
from tierdesk.directory.oncall.said import Said
from tierdesk.directory.oncall.takeover import Taken, chosen, meant, names, read, take_over
from tierdesk.directory.staff.models import Agent

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)
"""A Tuesday."""

DAY = timedelta(days=1)


@pytest.fixture
def night(cast: Cast) -> Schedule:
    """Lena, always; Lou and Tom are of the team as well."""
    cast.desk.agents.add(cast.tom)
    schedule = Schedule.objects.create(key="night", name="Night duty", team=cast.desk)
    layer = Layer.objects.create(
        schedule=schedule, order=0, name="Weeks", starts_date=date(2026, 3, 2), handover=time(9)
    )
    Turn.objects.create(layer=layer, agent=cast.lena, order=0)
    return schedule


def shift(agent: Agent, day: float, days: float = 1, reason: str = "Night") -> Taken:
    return Taken(agent, NOW + day * DAY, NOW + (day + days) * DAY, reason)


def said(label: str, *mails: str, day: int = 0, days: int = 1) -> Said:
    return Said(label, mails, NOW + day * DAY, NOW + (day + days) * DAY)


def on_call(day: float) -> Agent | None:
    return Schedule.objects.get().on_call(NOW + day * DAY)


def rows() -> list[tuple[int, datetime, datetime]]:
    standing = Override.objects.standing().filter(is_taken_over=True).order_by("from_at")
    return list(standing.values_list("agent_id", "from_at", "to_at"))


def test_it_covers_the_layers_and_whoever_stands_in_covers_it(cast: Cast, night: Schedule) -> None:
    night.stand_in(cast.tom, NOW + 1.5 * DAY, NOW + 1.6 * DAY, reason="swap", by=cast.lou.user, at=NOW)
    take_over(night, [shift(cast.lou, 1)], by=cast.lou.user, at=NOW)
    assert [on_call(day) for day in (0.5, 1, 1.5, 1.7, 2)] == [
        cast.lena, cast.lou, cast.tom, cast.lou, cast.lena,
    ]  # fmt: skip


def test_what_is_said_again_stays_and_what_is_said_no_more_goes(cast: Cast, night: Schedule) -> None:
    take_over(night, [shift(cast.lou, 1), shift(cast.lena, 2)], by=cast.lou.user, at=NOW)
    before = list(Override.objects.values_list("pk", flat=True))
    change = take_over(night, [shift(cast.lou, 1), shift(cast.lou, 3)], by=cast.lena.user, at=NOW)
    assert [len(part) for part in (change.comes, change.stays, change.goes)] == [1, 1, 1]
    assert rows() == [shift(cast.lou, 1).key, shift(cast.lou, 3).key]
    assert Override.objects.get(pk=before[0]).made_by == cast.lou.user, "nobody touched it"
    assert Override.objects.get(pk=before[1]).withdrawn_by == cast.lena.user, "taken back, not deleted"


def test_of_what_is_going_on_the_part_that_is_over_stays(cast: Cast, night: Schedule) -> None:
    take_over(night, [shift(cast.lou, 0)], by=cast.lou.user, at=NOW)
    later = NOW + DAY / 2
    same = Taken(cast.lou, later, NOW + DAY, "Night")
    assert len(take_over(night, [same], by=cast.lou.user, at=later).stays) == 1, (
        "the rest is what the file says"
    )
    change = take_over(night, [Taken(cast.tom, later, NOW + DAY, "Night")], by=cast.lena.user, at=later)
    assert (len(change.comes), len(change.goes)) == (1, 1)
    assert rows() == [(cast.lou.pk, NOW, later), (cast.tom.pk, later, NOW + DAY)]
    assert (on_call(0.4), on_call(0.6)) == (cast.lou, cast.tom)


def test_what_stands_in_by_hand_is_not_the_calendar_s(cast: Cast, night: Schedule) -> None:
    by_hand = night.stand_in(cast.tom, NOW + DAY, NOW + 2 * DAY, reason="ill", by=cast.lou.user, at=NOW)
    take_over(night, [shift(cast.lou, 1)], by=cast.lou.user, at=NOW)
    assert len(take_over(night, [], by=cast.lou.user, at=NOW).goes) == 1
    by_hand.refresh_from_db()
    assert by_hand.withdrawn_at is None
    assert rows() == []


def test_whoever_may_not_be_called_is_not_taken_over(cast: Cast, night: Schedule) -> None:
    cast.lou.user.is_active = False
    with pytest.raises(UnableToStandIn, match="choose somebody who is"):
        take_over(night, [shift(cast.tom, 1), shift(cast.lou, 2)], by=cast.lena.user, at=NOW)
    assert rows() == [], "whole or nothing"


def test_the_gaps_are_looked_at_anew(cast: Cast, night: Schedule) -> None:
    Schedule.objects.update(wake_at=NOW + DAY)
    take_over(night, [shift(cast.lou, 1)], by=cast.lena.user, at=NOW)
    assert Schedule.objects.get().wake_at == NOW


@pytest.mark.parametrize(
    ("label", "mails", "expected"),
    [
        ("Lena Lang", (), "lena"),
        ("On Call - LENA LANG - Night duty", (), "lena"),
        ("Lena Lang · Night duty", (), "lena"),
        ("Night: lena", (), "lena"),
        ("Lenas shift", (), None),
        ("Magdalena", (), None),
        ("Lena Lang and Lou Lead", (), None),
        ("Lena / Lou", (), None),
        ("Somebody", (), None),
        ("On call", ("lena@desk.example",), "lena"),
        ("Lou Lead", ("lena@desk.example",), "lena"),
        ("On call", ("lena@desk.example", "lou@desk.example"), None),
        ("On call", ("boss@elsewhere.example",), None),
        ("night lou@desk.example", (), "lou"),
    ],
)
def test_a_name_means_somebody_if_it_means_one(
    cast: Cast, label: str, mails: tuple[str, ...], expected: str | None
) -> None:
    found = meant(said(label, *mails), [cast.lena, cast.lou])
    assert found == (getattr(cast, expected) if expected else None)


def test_each_name_is_asked_about_once(cast: Cast) -> None:
    found = names([said("Lou", day=3), said("X"), said("Lou")], [cast.lena, cast.lou])
    assert [(one.label, one.shifts, one.agent) for one in found] == [("Lou", 2, cast.lou), ("X", 1, None)]


def test_one_person_s_shifts_end_to_end_are_one(cast: Cast) -> None:
    who = {"Lou": cast.lou, "Lena": cast.lena, "X": None}
    taken = chosen(
        [said("Lou", day=2), said("Lou"), said("Lou", day=1), said("Lena", day=3), said("X", day=1)],
        who,
        words=str,
    )
    assert [one.key for one in taken] == [
        (cast.lou.pk, NOW, NOW + 3 * DAY),
        (cast.lena.pk, NOW + 3 * DAY, NOW + 4 * DAY),
    ]


def test_two_at_once_are_refused_by_name_and_time(cast: Cast) -> None:
    who = {"Lou": cast.lou, "Lena": cast.lena}
    with pytest.raises(UnableToStandIn, match=r"Lou Lead and Lena Lang from 4th to 5th"):
        chosen([said("Lou", days=2), said("Lena", day=1)], who, words=lambda at: f"{at.day}th")


def test_what_our_own_feed_says_is_taken_over_as_it_is(cast: Cast, night: Schedule) -> None:
    """Also across the change of the clocks: a feed is in UTC."""
    layer = night.layers.get()
    Turn.objects.create(layer=layer, agent=cast.lou, order=1)
    other = Schedule.objects.create(key="other", name="Other", team=cast.desk)
    Feed.renew(cast.lena, night, at=NOW)
    text = feeds.calendar(Feed.objects.select_related("owner__user", "schedule").get(), NOW)
    shifts = read(text, other, days_begin=time(9), at=NOW)
    who = {name.label: name.agent for name in names(shifts, [cast.lena, cast.lou])}
    take_over(other, chosen(shifts, who, words=str), by=cast.lena.user, at=NOW)
    span = (NOW, NOW + 100 * DAY)
    expected = [
        (one.who, one.from_at, one.to_at) for one in Schedule.objects.get(key="night").rota.shifts(*span)
    ]
    assert [
        (one.who, one.from_at, one.to_at) for one in Schedule.objects.get(key="other").rota.shifts(*span)
    ] == (expected)
    assert len(expected) > 10
