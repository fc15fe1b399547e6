"""A coming gap is told once, and once more when it is near; what is filled and opens again is told anew."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import pytest

from tests.cast import Cast
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, only, set_scope
from tierdesk.directory.oncall.ahead import AHEAD, EVERY, Gap, next_look, seen, weighed
from tierdesk.directory.oncall.models import Layer, Override, Schedule, Turn
from tierdesk.directory.staff.models import Agent, Membership, User
from tierdesk.response.notifications.models import Notice

MONDAY = datetime(2026, 6, 8, 8, tzinfo=UTC)
DAY = timedelta(days=1)
type Live = Callable[[datetime], None]


def gap(begins: float, ends: float | None, told: float | None = None, near: float | None = None) -> Gap:
    """In days from Monday."""
    instants = [None if one is None else MONDAY + DAY * one for one in (begins, ends, told, near)]
    return Gap(instants[0] or MONDAY, *instants[1:])


WEIGHED = [
    # (now, what is there, what was told, what is news and whether it is near, why)
    (0, [gap(5, 7)], [], [(5, False)], "a new one"),
    (0, [gap(0.5, 2)], [], [(0.5, True)], "a new one that is near is told once, not twice"),
    (1, [gap(5, 7)], [gap(5, 7, 0)], [], "it was told"),
    (4, [gap(5, 7)], [gap(5, 7, 0)], [(5, True)], "a day away"),
    (4.5, [gap(5, 7)], [gap(5, 7, 0, 4)], [], "told twice is enough"),
    (6, [gap(6, 7)], [gap(5, 7, 0, 4)], [], "it goes on"),
    (6.9, [gap(6.9, 7)], [gap(5, 7, 0, 4)], [], "long after it began"),
    (1, [gap(5, 6)], [gap(5, 7, 0)], [], "it shrank"),
    (1, [gap(5, 8)], [gap(5, 7, 0)], [(5, False)], "it grew"),
    (1, [gap(5, None)], [gap(5, 7, 0)], [(5, False)], "it has no end any more"),
    (1, [gap(5, 9)], [gap(5, None, 0)], [], "its end came into sight"),
    (5, [gap(6, 7), gap(9, 10)], [gap(6, 10, 0, 5)], [], "in two pieces, both within what was told"),
    (
        8,
        [gap(9, 10)],
        [gap(6, 10, 0, 5)],
        [(9, True)],
        "the later piece is near now, the earlier one was then",
    ),
    (
        8,
        [gap(9, 10)],
        [gap(9, 10, 0, 5)],
        [(9, True)],
        "as it is kept: that telling was about an earlier piece",
    ),
]


@pytest.mark.parametrize("now, there, told, news, why", WEIGHED, ids=[row[-1] for row in WEIGHED])
def test_what_is_news(
    now: float, there: list[Gap], told: list[Gap], news: list[tuple[float, bool]], why: str
) -> None:
    at = MONDAY + DAY * now
    fresh = weighed(there, told, at)[1]
    assert [((one.from_at - MONDAY) / DAY, one.near_at == at) for one in fresh] == news, why
    assert weighed(there, weighed(there, told, at)[0], at)[1] == [], (
        "looked at twice at once, it is told once"
    )


def test_a_gap_is_looked_at_when_it_comes_near() -> None:
    assert next_look([gap(1.1, 2, 0)], MONDAY) == MONDAY + DAY * 0.1
    assert next_look([gap(1, 2, 0, 0), gap(9, 10, 0)], MONDAY) == MONDAY + EVERY


def test_a_gap_that_begins_later_is_not_seen_and_one_without_end_has_none() -> None:
    spans = [(MONDAY + DAY * a, MONDAY + DAY * b) for a, b in ((1, 2), (13, 15), (14, 15))]
    assert seen(spans, MONDAY) == [gap(1, 2), gap(13, 15)]
    assert seen([(MONDAY, MONDAY + AHEAD * 2)], MONDAY) == [gap(0, None)]


# -- with rows


@pytest.fixture
def night(cast: Cast) -> Schedule:
    """Lena has the first line's duty from Monday to Monday, turn after turn; Lou leads it."""
    with clock.frozen(MONDAY):
        schedule = Schedule.objects.create(
            key="night", name="Night duty", team=cast.desk, timezone="Europe/Berlin"
        )
    layer = Layer.objects.create(
        schedule=schedule, order=0, name="Weeks", starts_date=date(2026, 6, 1), handover=time(9)
    )
    Turn.objects.create(layer=layer, agent=cast.lena, order=0)
    return schedule


def hole(schedule: Schedule, begins: float, ends: float) -> Layer:
    """Somebody whose account is closed has a layer of their own then: a gap."""
    layer = schedule.layers.get()
    layer.delete()
    made = Layer.objects.create(
        schedule=schedule, order=0, name="Weeks", starts_date=MONDAY.date() + DAY * ends, handover=time(10)
    )
    Turn.objects.create(layer=made, agent=Agent.objects.get(user__email="lena@desk.example"), order=0)
    Override.objects.create(
        schedule=schedule,
        agent=Agent.objects.get(user__email="lena@desk.example"),
        from_at=MONDAY,
        to_at=MONDAY + DAY * begins,
    )
    return made


def told(kind: str = "mail") -> list[tuple[float, str, str]]:
    """(days from Monday, to whom, what), in order."""
    found = Notice.objects.filter(kind="duty_gap", channel=kind).order_by("id")
    return [
        (
            (one.created_at - MONDAY) / DAY,
            one.address if kind == "mail" else one.agent.name if one.agent else "",
            one.text.splitlines()[0],
        )
        for one in found
    ]


def test_the_lead_is_told_once_and_again_a_day_before(cast: Cast, night: Schedule, live_until: Live) -> None:
    hole(night, 5, 7)
    live_until(MONDAY + DAY * 10)
    words = "Sat 13 Jun, 10:00 – Mon 15 Jun, 10:00 (Europe/Berlin). Let somebody of Service Desk stand in."
    assert told() == [(0, "lou@desk.example", words), (4, "lou@desk.example", words)]
    assert told("desk") == [(0, "Lou Lead", words), (4, "Lou Lead", words)]
    assert not night.told_gaps.exists(), "what is over is forgotten"


def test_nobody_is_told_where_nobody_is_missing(night: Schedule, live_until: Live) -> None:
    live_until(MONDAY + DAY * 20)
    assert told() == []


def test_what_is_filled_in_time_is_told_once_and_anew_when_it_opens_again(
    cast: Cast, night: Schedule, live_until: Live
) -> None:
    hole(night, 5, 7)
    live_until(MONDAY + DAY)
    with clock.frozen(MONDAY + DAY):
        fresh = Schedule.objects.get()
        made = fresh.stand_in(
            cast.lou,
            MONDAY + DAY * 5,
            MONDAY + DAY * 7,
            reason="ill",
            by=cast.lou.user,
            at=MONDAY + DAY,
        )
    live_until(MONDAY + DAY * 6)
    assert [when for when, *_ in told()] == [0]
    made.withdraw(by=cast.lou.user, at=MONDAY + DAY * 6)
    live_until(MONDAY + DAY * 6)
    assert [(when, text.partition("–")[0]) for when, _who, text in told()][1:] == [(6, "now ")], (
        "at once, not at the next look"
    )


def test_outside_of_the_hours_in_which_somebody_is_needed_nobody_is_missed(
    cast: Cast, night: Schedule, live_until: Live
) -> None:
    hole(night, 4.5, 6)  # Friday evening to Sunday morning
    Schedule.objects.update(needed_in=cast.office.calendar)
    live_until(MONDAY + DAY * 10)
    assert told() == []


def test_of_a_gap_the_part_is_told_in_which_somebody_is_needed(
    cast: Cast, night: Schedule, live_until: Live
) -> None:
    hole(night, 4, 6)
    Schedule.objects.update(needed_in=cast.office.calendar)
    live_until(MONDAY)
    assert [text for *_, text in told()] == [
        "Fri 12 Jun, 10:00 – 17:00 (Europe/Berlin). Let somebody of Service Desk stand in."
    ]


@pytest.mark.parametrize(
    "away, whom, why",
    [
        ((), ["lou@desk.example"], "who leads the team"),
        (("lou",), ["kira@desk.example"], "a manager who is there, where no lead is"),
        (("lou", "kira"), ["root@desk.example"], "the administrators, where nobody else is left"),
    ],
)
def test_who_is_told(
    cast: Cast, night: Schedule, live_until: Live, away: tuple[str, ...], whom: list[str], why: str
) -> None:
    User.objects.create_user("root@desk.example", name="Root", is_admin=True)
    Agent.objects.filter(pk=cast.kira.pk).update(is_manager=True)
    for name in away:
        getattr(cast, name).go_away()
    hole(night, 5, 7)
    live_until(MONDAY)
    assert [address for _, address, _ in told()] == whom, why


def test_a_lead_who_serves_one_client_reads_it_on_the_desk_and_nobody_else_does(
    cast: Cast, night: Schedule, live_until: Live
) -> None:
    Membership.objects.filter(agent=cast.olga).update(is_lead=True)
    Schedule.objects.update(team=cast.northern)
    hole(night, 5, 7)
    live_until(MONDAY)
    set_scope(only([cast.borealis.pk]))
    mine = Notice.objects.visible_to(cast.olga.user).on_the_desk_of(cast.olga)
    assert [one.path for one in mine] == ["/on-call/schedules/night/"]
    assert not Notice.objects.visible_to(cast.tom.user).on_the_desk_of(cast.tom).exists()
    set_scope(EVERY_CLIENT)
