"""Storms: one ticket for all that a source raises, but for what is critical elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import Cast
from tests.channels.alarms.conftest import Monitor, minutes, source_of
from tierdesk.channels.alarms.models import Alarm
from tierdesk.channels.alarms.normal import Action, AlarmEvent, said
from tierdesk.core.work import Unit
from tierdesk.tickets.models import Entry, Ticket
from tierdesk.web.workspace.sentences import sentence_of

Doing = Callable[..., AbstractContextManager[Unit]]


@pytest.fixture
def calm(monitor: Monitor) -> Monitor:
    """Five new alarms in ten minutes are no storm yet."""
    monitor.source.storm_alarms = 5
    monitor.source.save(update_fields=["storm_alarms"])
    return monitor


def alarms(count: int, first: int = 0, **rest: object) -> list[AlarmEvent]:
    words: dict[str, object] = {"summary": "It is full", "class_": "DiskFull", "severity": 3} | rest
    return [
        said(action=Action.RAISE, key=f"a{n}", resource=f"host{n}", **words)  # type: ignore[arg-type]
        for n in range(first, first + count)
    ]


def storm() -> Ticket:
    return Ticket.objects.get(traits__has_key="alarm.storm")


def unresolved() -> int:
    return Ticket.objects.unresolved().count()


def test_as_many_as_allowed_are_no_storm(calm: Monitor) -> None:
    calm.says(0, *alarms(5))
    assert unresolved() == 5


def test_one_more_at_once_is_one_ticket(calm: Monitor) -> None:
    calm.says(0, *alarms(6))
    ticket = Ticket.objects.get()
    assert (ticket.subject, ticket.alarms.count(), ticket.channel) == (
        "Alarm storm from Prometheus",
        6,
        "alarms",
    )
    assert set(Alarm.objects.values_list("joined_by", "joined_to")) == {("storm", "Prometheus")}


def test_the_ticket_says_how_it_began_what_it_is_and_what_all_have_in_common(calm: Monitor) -> None:
    calm.says(
        0,
        said(
            action=Action.RAISE,
            key="first",
            resource="rt1",
            summary="The router is gone",
            class_="Down",
            at=minutes(-1),
        ),
        *alarms(5, labels={"site": "Oslo", "rack": "r1"}),
        *alarms(1, first=7, labels={"site": "Oslo", "rack": "r2"}),
    )
    assert storm().description.splitlines() == [
        "More than 5 new alarms in ten minutes. They are all on this ticket.",
        "First: The router is gone · rt1, 2026-06-08 07:59 UTC",
        "Mostly: DiskFull × 6, Down × 1",
        "In common: site=Oslo",
    ]


def test_what_it_had_opened_before_it_was_one_becomes_part_of_it(calm: Monitor) -> None:
    for minute in range(5):
        calm.says(minute, *alarms(1, first=minute))
    assert unresolved() == 5
    calm.says(5, *alarms(1, first=5))
    assert unresolved() == 1
    assert storm().alarms.count() == 6
    before = Ticket.objects.exclude(pk=storm().pk)
    assert {(one.state, one.duplicate_of) for one in before} == {("cancelled", storm())}


def test_what_had_come_and_gone_before_becomes_part_of_it_too(calm: Monitor) -> None:
    """A ticket that waits whether it stays clear, or went on by itself, was looked at by nobody either."""
    calm.raises(0, "a", "b")
    calm.clears(1, "a", "b")
    calm.raises(2, "b")
    assert set(Ticket.objects.values_list("state", flat=True)) == {"pending", "open"}
    calm.says(3, *alarms(5))
    assert unresolved() == 1
    assert storm().alarms.count() == 7


def test_what_somebody_works_on_already_stays_as_it_is(cast: Cast, calm: Monitor, doing: Doing) -> None:
    calm.says(0, *alarms(1))
    with doing(cast.tom, minutes(1)):
        Ticket.objects.get().take(cast.tom)
    calm.says(2, *alarms(5, first=1))
    assert unresolved() == 2
    assert Ticket.objects.get(assignee=cast.tom).alarms.get().key == "a0"


def test_the_storm_goes_on_with_its_ticket_and_ends_when_fewer_come(calm: Monitor) -> None:
    calm.says(0, *alarms(6))
    calm.says(9, *alarms(1, first=6))
    calm.says(9.5, *alarms(6, first=7))
    assert storm().alarms.count() == 13
    calm.says(30, *alarms(1, first=20))
    assert unresolved() == 2
    assert Alarm.objects.get(key="a20").joined_by == "opened"


def test_its_growth_is_told_each_time_it_doubled(calm: Monitor) -> None:
    for n, count in enumerate((6, 1, 1, 1, 7)):  # 6 → 7 → 8 → 9 → 16
        calm.says(n / 10, *alarms(count, first=100 * n))
    entries = Entry.objects.of(storm().pk).filter(kind="alarms_joined")
    assert [sentence_of(entry)[0] for entry in entries] == [
        "a storm of “Prometheus”: 6 alarms so far",
        "a storm of “Prometheus”: 8 alarms so far; Mostly: DiskFull × 8",
        "a storm of “Prometheus”: 16 alarms so far; Mostly: DiskFull × 16",
    ]


def test_its_words_follow_what_it_turns_out_to_be(calm: Monitor) -> None:
    calm.says(0, *alarms(6, labels={"site": "Oslo"}))
    seen = storm().version
    more = [
        said(
            action=Action.RAISE,
            key=f"l{n}",
            resource=f"sw{n}",
            summary="Link down",
            class_="LinkDown",
            at=minutes(1),
        )
        for n in range(30)
    ]
    calm.says(1, *more)
    assert storm().description.splitlines() == [
        "More than 5 new alarms in ten minutes. They are all on this ticket.",
        "First: It is full · host0, 2026-06-08 08:00 UTC",
        "Mostly: LinkDown × 30, DiskFull × 6",
    ]
    assert storm().version == seen, "an agent who works on it is not told that somebody was faster"


def test_another_critical_trouble_is_not_lost_in_it(cast: Cast, calm: Monitor) -> None:
    calm.says(0, *alarms(6, service="mail"))
    calm.says(1, *alarms(1, first=7, service="vpn", severity=1))
    calm.says(
        2, *alarms(1, first=8, service="vpn", severity=2), *alarms(1, first=9, service="mail", severity=1)
    )
    assert (storm().service, storm().alarms.count()) == (cast.mail, 8)
    assert Alarm.objects.get(key="a7").ticket != storm()
    assert Alarm.objects.get(key="a8").ticket == Alarm.objects.get(key="a9").ticket == storm()


def test_a_critical_trouble_of_before_is_not_swept_up(cast: Cast, calm: Monitor) -> None:
    calm.says(0, *alarms(1, service="vpn", severity=1))
    calm.says(1, *alarms(6, first=1, service="mail"))
    assert unresolved() == 2
    assert storm().alarms.count() == 6


def test_an_alarm_that_comes_back_goes_where_it_was(calm: Monitor) -> None:
    calm.raises(0, "old")
    calm.clears(1, "old")
    calm.says(12, *alarms(6))
    calm.raises(13, "old")
    assert Alarm.objects.unclosed().get(key="old").joined_by == "key"
    assert unresolved() == 2


def test_a_storm_that_was_resolved_swallows_nothing(cast: Cast, calm: Monitor, doing: Doing) -> None:
    calm.says(0, *alarms(6))
    first = storm()
    with doing(cast.tom, minutes(1)):
        first.resolve(code="fixed")
    calm.says(2, *alarms(1, first=6))
    assert Alarm.objects.get(key="a6").ticket != first


def test_another_source_has_no_storm(cast: Cast, calm: Monitor) -> None:
    calm.says(0, *alarms(6))
    Monitor(source_of(cast.acme, "zabbix", storm_alarms=5)).says(1, *alarms(1))
    assert unresolved() == 2


def test_a_source_without_a_limit_has_none(calm: Monitor) -> None:
    calm.source.storm_alarms = 0
    calm.source.save(update_fields=["storm_alarms"])
    calm.says(0, *alarms(40))
    assert unresolved() == 40


def test_all_over_the_ticket_waits_and_is_resolved_by_itself(
    calm: Monitor, live_until: Callable[..., None]
) -> None:
    calm.says(0, *alarms(6))
    calm.clears(5, *(f"a{n}" for n in range(6)))
    assert storm().pending_reason == "evidence"
    live_until(minutes(5) + timedelta(minutes=11))
    assert (storm().state, storm().resolution_code) == ("resolved", "cleared")


def test_a_storm_costs_as_many_statements_whatever_its_size(calm: Monitor) -> None:
    calm.says(0, *alarms(10))

    def statements(minute: float, count: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            calm.says(minute, *alarms(count, first=int(minute * 10_000)))
        return len(queries)

    assert statements(1, 10) == statements(2, 400)
