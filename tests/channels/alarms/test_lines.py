"""The alarms on the page of their ticket: one line for each kind, read with one question."""

from __future__ import annotations

from typing import Any

from django.test import Client as Browser

from tests.cast import Cast
from tests.channels.alarms.conftest import Monitor, minutes
from tierdesk.channels.alarms.lines import BINS, MOST_LINES, Line, lines_of
from tierdesk.channels.alarms.normal import Action, AlarmEvent, said
from tierdesk.core import clock
from tierdesk.tickets.models import Ticket


def of_class(name: str, *at_minutes: float, severity: int = 3) -> list[AlarmEvent]:
    return [
        said(
            action=Action.RAISE,
            key=f"{name}{n}",
            class_=name,
            group="g",
            summary=f"{name} on host {n}",
            severity=severity,
            at=minutes(minute),
        )
        for n, minute in enumerate(at_minutes)
    ]


def lines(cast: Cast) -> dict[str, Line]:
    return {line.name: line for line in lines_of(Ticket.objects.get(), cast.lena.user).lines}


def test_each_kind_has_a_line_the_worst_that_stands_first(cast: Cast, monitor: Monitor) -> None:
    monitor.says(
        60, *of_class("Disk", 0, 1, 2), *of_class("Down", 3, severity=1), *of_class("Load", 4, 5, severity=2)
    )
    monitor.clears(61, "Down0", "Disk1", group="g")
    found = lines(cast)
    assert list(found) == ["Load", "Disk", "Down"]
    assert [(line.alarms, line.standing) for line in found.values()] == [(2, 2), (3, 2), (1, 0)]
    assert (found["Disk"].first_at, found["Disk"].last_at) == (minutes(0), minutes(61))


def test_the_trend_says_when_they_began(cast: Cast, monitor: Monitor) -> None:
    monitor.says(BINS, *of_class("Disk", 0, 5.1, 5.5, 5.9, BINS))
    disk = lines(cast)["Disk"]
    assert (disk.trend[0], disk.trend[5], disk.trend[-1], sum(disk.trend)) == (1, 3, 1, 5)
    assert (disk.peak, disk.peak_at) == (3, minutes(5))


def test_repeats_are_counted_apart(cast: Cast, monitor: Monitor) -> None:
    for minute in range(3):
        monitor.says(minute, *of_class("Disk", minute))
    assert (lines(cast)["Disk"].alarms, lines(cast)["Disk"].raises) == (1, 3)


def test_alarms_without_a_class_are_of_one_kind_if_they_say_the_same(cast: Cast, monitor: Monitor) -> None:
    monitor.raises(0, "a", "b", group="g", summary="No answer")
    monitor.raises(1, "c", group="g", summary="Too hot")
    assert {line.name: line.alarms for line in lines(cast).values()} == {"No answer": 2, "Too hot": 1}


def test_many_kinds_and_alarms_stay_a_short_list(
    cast: Cast, monitor: Monitor, django_assert_num_queries: Any
) -> None:
    monitor.says(1, *(event for n in range(MOST_LINES + 3) for event in of_class(f"C{n}", *[0] * 20)))
    ticket = Ticket.objects.get()
    lena = cast.lena.user
    lines_of(ticket, lena)
    with django_assert_num_queries(1):
        found = lines_of(ticket, lena)
    assert (len(found.lines), found.others, found.is_all) == (MOST_LINES, 3, True)


def test_an_outsider_reads_none(cast: Cast, monitor: Monitor) -> None:
    monitor.raises(0, "a")
    assert lines_of(Ticket.objects.get(), cast.olga.user).lines == []


def test_the_page_shows_them_and_says_what_the_picture_shows(
    cast: Cast, monitor: Monitor, client: Browser
) -> None:
    monitor.says(60, *of_class("Disk", 0, 1, 2))
    client.force_login(cast.lena.user)
    with clock.frozen(minutes(61)):
        page = client.get(f"/tickets/{Ticket.objects.get().pk}/").content.decode()
    assert "When they began" in page and "severity 3" in page
    assert "<svg viewBox" in page and 'aria-hidden="true"' in page and "most: 3" in page
