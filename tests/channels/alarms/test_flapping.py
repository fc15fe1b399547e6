"""An alarm that comes and goes stays open and is quiet about it; what is worse than before is never kept quiet."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

import pytest

from tests.cast import Cast
from tests.channels.alarms.conftest import Monitor, minutes
from tierdesk.channels.alarms.models import Alarm
from tierdesk.channels.alarms.normal import Action, AlarmEvent, said
from tierdesk.core.work import Unit
from tierdesk.response.notifications.models import Notice
from tierdesk.tickets.models import Entry, Ticket

Doing = Callable[..., AbstractContextManager[Unit]]
Lives = Callable[[datetime], None]


def kinds() -> list[str]:
    return [entry.kind for entry in Entry.objects.of(Ticket.objects.get().pk)]


def flips(monitor: Monitor, *at_minutes: float) -> None:
    """It is raised at the first of these, cleared at the second, and so on."""
    for n, minute in enumerate(at_minutes):
        (monitor.clears if n % 2 else monitor.raises)(minute, "link")


def link(action: str, minute: float, severity: int = 3) -> AlarmEvent:
    return said(action=Action(action), key="link", at=minutes(minute), severity=severity)


def flaps() -> bool:
    return Alarm.objects.latest("id").flapping_until is not None


class TestFlapping:
    @pytest.mark.parametrize(
        ("at_minutes", "expected"),
        [
            ((0, 1, 2, 3), False),  # raised, and three changes
            ((0, 1, 2, 3, 4), True),  # the fourth
            ((0, 10, 20, 28, 29.9), True),  # the fourth just within half an hour of the first
            ((0, 10, 20, 30, 41), False),  # the first is too long ago
            ((0, 1, 2, 3, 34), False),  # nor do those count when one comes much later
            ((0, 1, 12, 13, 24), True),  # closed in between, and raised again as new alarms
        ],
    )
    def test_four_changes_in_half_an_hour(
        self, at_minutes: tuple[float, ...], expected: bool, monitor: Monitor
    ) -> None:
        flips(monitor, *at_minutes)
        assert flaps() is expected

    def test_repeats_are_no_changes(self, monitor: Monitor) -> None:
        for minute in range(6):
            monitor.raises(minute, "link")
        monitor.clears(6, "link")
        assert not flaps()

    def test_it_stays_open_and_its_ticket_does_not_move(self, monitor: Monitor) -> None:
        flips(monitor, 0, 1, 2, 3, 4)
        before = kinds()
        for n in range(6):
            (monitor.raises if n % 2 else monitor.clears)(5 + n, "link")
        assert before[-1] == "alarm_flaps"
        assert kinds() == before
        assert Ticket.objects.get().state == "open"

    def test_it_is_not_closed_while_it_could_come_back(self, monitor: Monitor, live_until: Lives) -> None:
        flips(monitor, 0, 1, 2, 3, 4, 5)
        live_until(minutes(34.9))
        assert (Alarm.objects.get().state, Ticket.objects.get().state) == ("cleared", "open")

    def test_half_an_hour_of_calm_ends_it_and_what_is_clear_goes_the_usual_way(
        self, monitor: Monitor, live_until: Lives
    ) -> None:
        flips(monitor, 0, 1, 2, 3, 4, 5)
        live_until(minutes(35))
        assert Ticket.objects.get().pending_reason == "evidence"
        assert not flaps()
        live_until(minutes(46))
        assert (Alarm.objects.get().state, Ticket.objects.get().state) == ("closed", "resolved")
        assert "alarm_calmed" in kinds()

    def test_each_change_puts_the_calm_off(self, monitor: Monitor, live_until: Lives) -> None:
        flips(monitor, 0, 1, 2, 3, 4)
        monitor.clears(30, "link")
        live_until(minutes(59))
        assert flaps()
        live_until(minutes(60))
        assert not flaps()

    def test_nobody_looks_at_each_change(self, monitor: Monitor) -> None:
        flips(monitor, 0, 1, 2, 3, 4)
        calm_at = Alarm.objects.get().wake_at
        monitor.is_heard(5, link("clear", 5))
        monitor.is_heard(6, link("raise", 6))
        alarm = Alarm.objects.get()
        assert not Alarm.objects.unseen().exists()
        assert (alarm.state, alarm.turned_at, alarm.wake_at) == ("open", minutes(6), calm_at)

    def test_it_is_looked_at_when_it_gets_worse(self, monitor: Monitor) -> None:
        flips(monitor, 0, 1, 2, 3, 4)
        monitor.is_heard(5, link("raise", 5, severity=1))
        assert Alarm.objects.unseen().exists()

    def test_it_reopens_no_ticket_until_it_stays(
        self, cast: Cast, monitor: Monitor, doing: Doing, live_until: Lives
    ) -> None:
        flips(monitor, 0, 1, 2, 3, 4, 5)
        with doing(cast.tom, minutes(6)):
            Ticket.objects.get().resolve(code="fixed")
        monitor.raises(7, "link")
        assert Ticket.objects.get().state == "resolved"
        live_until(minutes(37))
        assert Ticket.objects.get().state == "open"


class TestWhatPages:
    def told(self) -> int:
        return Notice.objects.filter(kind="worse_alarm").count()

    @pytest.fixture
    def joined(self, cast: Cast, monitor: Monitor, doing: Doing) -> Ticket:
        """Tom works a ticket of severity 3."""
        monitor.raises(0, "one", group="g", severity=3)
        with doing(cast.tom, minutes(1)):
            Ticket.objects.get().take(cast.tom)
        return Ticket.objects.get()

    @pytest.mark.parametrize("severity", [3, 4, 5])
    def test_an_alarm_that_is_no_worse_only_joins(
        self, severity: int, joined: Ticket, monitor: Monitor
    ) -> None:
        priority = joined.priority
        monitor.raises(2, "other", group="g", severity=severity)
        joined.refresh_from_db()
        assert (self.told(), joined.priority, joined.alarms.count()) == (0, priority, 2)

    def test_a_worse_one_is_told_to_who_works_it_and_raises_the_priority(
        self, cast: Cast, joined: Ticket, monitor: Monitor
    ) -> None:
        monitor.raises(2, "other", group="g", severity=1)
        joined.refresh_from_db()
        assert joined.priority == 1
        assert [notice.agent for notice in Notice.objects.filter(kind="worse_alarm")] == [cast.tom]
        monitor.raises(3, "third", group="g", severity=2)
        assert self.told() == 1

    def test_an_alarm_that_gets_worse_itself_is_told_as_well(self, joined: Ticket, monitor: Monitor) -> None:
        monitor.raises(2, "one", group="g", severity=2)
        monitor.raises(3, "one", group="g", severity=2)
        assert self.told() == 1

    def test_a_priority_that_was_set_by_hand_stays(
        self, cast: Cast, joined: Ticket, monitor: Monitor, doing: Doing
    ) -> None:
        with doing(cast.lou, minutes(1)):
            Ticket.objects.get().override_priority(4, reason="a test system")
        monitor.raises(2, "other", group="g", severity=1)
        joined.refresh_from_db()
        assert (joined.priority, self.told()) == (4, 1)

    def test_what_flaps_tells_nobody(self, joined: Ticket, monitor: Monitor) -> None:
        for minute in (2, 4):
            monitor.clears(minute, "one", group="g")
            monitor.raises(minute + 1, "one", group="g", severity=3)
        monitor.raises(6, "one", group="g", severity=1)
        assert self.told() == 0
