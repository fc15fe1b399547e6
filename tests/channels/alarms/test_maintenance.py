"""Maintenance windows: what falls into one is kept and makes no ticket; what still stands at its end does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.cast import Cast
from tests.channels.alarms.conftest import Monitor, minutes, source_of
from tierdesk.channels.alarms.maintenance import covers
from tierdesk.channels.alarms.models import Alarm, MaintenanceWindow
from tierdesk.response.notifications.models import Notice
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Ticket

Lives = Callable[[datetime], None]


def window(monitor: Monitor, **rest: Any) -> MaintenanceWindow:
    return MaintenanceWindow.objects.create(
        **{"client": monitor.source.client, "key": "patches", "name": "Patches"} | rest
    )


# It is Monday; ten o'clock in Berlin is minute 0.
@pytest.mark.parametrize(
    ("rest", "is_open", "until", "opens_at"),
    [
        ({}, True, None, 0),  # from now on, until somebody ends it
        ({"begins_at": minutes(1)}, False, None, 1),
        ({"begins_at": minutes(0), "ends_at": minutes(60)}, True, 60, 0),  # it begins now
        ({"ends_at": minutes(0)}, False, 0, None),  # it ends now
        ({"week": {"0": [["09:30", "10:30"]]}}, True, 30, 0),
        (
            {"week": {"0": [["09:30", "10:30"]]}, "ends_at": minutes(10)},
            True,
            10,
            0,
        ),  # the last time is cut short
        ({"week": {"0": [["09:30", "10:00"]]}}, False, None, 7 * 24 * 60 - 30),  # just over: next week again
        ({"week": {"0": [["22:00", "02:00"]]}}, False, 16 * 60, 12 * 60),  # over night
        ({"week": {"6": [["22:00", "11:00"]]}}, True, 60, 0),  # last night's still goes on
        (
            {"week": {"0": [["22:00", "02:00"]]}, "ends_at": minutes(60)},
            False,
            60,
            None,
        ),  # over before it opens
    ],
)
def test_when_a_window_is_open(
    rest: dict[str, Any], is_open: bool, until: int | None, opens_at: int | None, monitor: Monitor
) -> None:
    one, at = window(monitor, **rest), minutes(0)
    assert one.is_open(at) is is_open
    if is_open:
        assert one.until(at) == (None if until is None else minutes(until))
    assert one.opens_next(at) == (None if opens_at is None else minutes(opens_at))


def test_what_a_window_leaves_open_is_about_all(cast: Cast, monitor: Monitor) -> None:
    other = source_of(cast.acme, "zabbix")
    alarm = Alarm(client=cast.acme, source=monitor.source, resource="db1:9100", service=cast.vpn)
    rules: list[tuple[dict[str, Any], bool]] = [
        ({}, True),
        ({"client": cast.borealis}, False),
        ({"source": monitor.source}, True),
        ({"source": other}, False),
        ({"service": cast.vpn}, True),
        ({"service": cast.mail}, False),
        ({"resource": "db*"}, True),
        ({"resource": "db1"}, True),  # without the exporter's port
        ({"resource": "DB*"}, False),
        ({"resource": "db*", "service": cast.mail}, False),  # all of it must hold
    ]
    for rest, expected in rules:
        assert covers(MaintenanceWindow(**{"client": cast.acme} | rest), alarm) is expected, rest


def test_an_alarm_inside_is_kept_and_makes_no_ticket(monitor: Monitor) -> None:
    one = window(monitor, ends_at=minutes(60), resource="db*")
    monitor.raises(1, "disk", resource="db1")
    monitor.raises(2, "load", resource="web1")
    assert Alarm.objects.get(key="disk").window == one
    assert [ticket.alarms.get().key for ticket in Ticket.objects.all()] == ["load"]


def test_what_still_stands_at_the_end_is_trouble(monitor: Monitor, live_until: Lives) -> None:
    window(monitor, ends_at=minutes(60))
    monitor.raises(1, "stays", "goes")
    monitor.clears(30, "goes")
    live_until(minutes(59.9))
    assert not Ticket.objects.exists()
    live_until(minutes(60))
    assert Ticket.objects.get().alarms.get().key == "stays"
    assert Alarm.objects.get(key="stays").window is None


def test_a_window_that_recurs_holds_back_each_time(monitor: Monitor, live_until: Lives) -> None:
    window(monitor, week={"0": [["10:00", "11:00"]], "1": [["10:00", "11:00"]]})
    day = 24 * 60
    monitor.raises(day + 5, "disk")
    live_until(minutes(day + 59))
    assert not Ticket.objects.exists()
    live_until(minutes(day + 60))
    assert Ticket.objects.count() == 1


def test_one_without_an_end_holds_back_until_somebody_ends_it(monitor: Monitor, live_until: Lives) -> None:
    one = window(monitor)
    monitor.raises(1, "disk")
    live_until(minutes(24 * 60))
    assert not Ticket.objects.exists()
    one.ends_at = minutes(24 * 60)
    one.save()
    one.release()
    live_until(minutes(24 * 60))
    assert Ticket.objects.count() == 1


def test_somebody_ends_it_early_with_a_reason_that_stays(monitor: Monitor, live_until: Lives) -> None:
    one = window(monitor, ends_at=minutes(60))
    monitor.raises(1, "disk")
    one.end(by="Lena Lang", why=" the patch is in ", at=minutes(10))
    live_until(minutes(10))
    assert Ticket.objects.get().alarms.get().key == "disk"
    one.refresh_from_db()
    assert (one.ended_at, one.ends_at) == (minutes(10), minutes(10))
    assert (one.ended_by, one.end_reason) == ("Lena Lang", "the patch is in")


def test_one_that_recurs_opens_again_the_next_time(monitor: Monitor, live_until: Lives) -> None:
    one = window(monitor, week={"0": [["10:00", "11:00"]], "1": [["10:00", "11:00"]]})
    monitor.raises(1, "disk")
    one.end(by="Lena Lang", why="done", at=minutes(10))
    live_until(minutes(10))
    assert Ticket.objects.count() == 1
    day = 24 * 60
    assert [one.is_open(minutes(n)) for n in (9, 10, 59, 60, day - 1, day, day + 59)] == [
        *[False] * 5,
        True,
        True,
    ]
    assert one.opens_next(minutes(11)) == minutes(day)


def test_only_an_open_one_ends_and_only_with_a_reason_and_once(monitor: Monitor) -> None:
    one = window(monitor, begins_at=minutes(5), ends_at=minutes(60))
    with pytest.raises(UnableTo, match="is not open"):
        one.end(by="Lena Lang", why="done", at=minutes(4))
    with pytest.raises(UnableTo, match="Say why"):
        one.end(by="Lena Lang", why=" ", at=minutes(6))
    slower = MaintenanceWindow.objects.get()
    one.end(by="Lena Lang", why="done", at=minutes(6))
    with pytest.raises(UnableTo, match="Somebody was faster"):
        slower.end(by="Lou Lead", why="done", at=minutes(7))


def test_changed_while_it_lasts_it_still_holds_back(monitor: Monitor, live_until: Lives) -> None:
    one = window(monitor, ends_at=minutes(60))
    monitor.raises(1, "disk")
    one.ends_at = minutes(90)
    one.save()
    one.release()
    live_until(minutes(89))
    assert not Ticket.objects.exists()
    live_until(minutes(90))
    assert Ticket.objects.count() == 1


def test_a_ticket_there_is_does_not_move_and_nobody_is_told(monitor: Monitor, live_until: Lives) -> None:
    monitor.raises(0, "disk", severity=3)
    monitor.clears(1, "disk")
    window(monitor, ends_at=minutes(60))
    monitor.raises(2, "disk", severity=1)
    assert (Ticket.objects.get().state, Notice.objects.filter(kind="worse_alarm").count()) == ("pending", 0)
    live_until(minutes(60))
    assert Ticket.objects.get().state == "open"
    assert Notice.objects.filter(kind="worse_alarm").exists()


def test_a_service_in_maintenance_is_known_by_its_component_or_by_what_its_source_says(
    cast: Cast, monitor: Monitor
) -> None:
    window(monitor, service=cast.vpn, ends_at=minutes(60))
    monitor.raises(1, "tunnel", service="vpn")
    assert (Ticket.objects.count(), Alarm.objects.get().service) == (0, cast.vpn)
