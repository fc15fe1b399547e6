"""A calendar at an address is asked every hour; what it says is taken over, or the leads hear why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from tests.cast import Cast
from tests.servers.calendars import CalendarServer, calendar_server
from tierdesk.core import clock
from tierdesk.directory.calendars.calendar_file import UnreadableCalendar
from tierdesk.directory.oncall import subscription
from tierdesk.directory.oncall.models import Layer, Override, Schedule, Subscription, Turn
from tierdesk.directory.oncall.subscription import EVERY, PATIENCE, calendar_at, subscribe
from tierdesk.response.notifications.models import Notice

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)

type LiveUntil = Callable[[datetime], None]


def event(name: str, day: int) -> str:
    return (
        f"BEGIN:VEVENT\r\nUID:{name}-{day}\r\nDTSTART:202603{day:02}T080000Z\r\nDTEND:202603{day:02}T200000Z\r\n"
        f"SUMMARY:{name}\r\nEND:VEVENT\r\n"
    )


def file(*events: str) -> str:
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{''.join(events)}END:VCALENDAR\r\n"


@pytest.fixture
def night(cast: Cast) -> Schedule:
    schedule = Schedule.objects.create(key="night", name="Night duty", team=cast.desk)
    layer = Layer.objects.create(
        schedule=schedule, order=0, name="Weeks", starts_date=date(2026, 3, 2), handover=time(9)
    )
    Turn.objects.create(layer=layer, agent=cast.lena, order=0)
    return schedule


@pytest.fixture
def server(settings: Any) -> Iterator[CalendarServer]:
    with calendar_server() as server:
        settings.PRIVATE_HOSTS = [server.host]
        yield server


@pytest.fixture
def asked(cast: Cast, night: Schedule, server: CalendarServer) -> Subscription:
    """Lena gave the address at NOW: what it calls “Boss” is Lou, “Intern” is left out."""
    with clock.frozen(NOW):
        who = {"Boss": cast.lou, "Intern": None}
        subscribe(night, server.address, days_begin=time(9), who=who, by=cast.lena.user, at=NOW)
    return Subscription.objects.get()


def shifts() -> list[tuple[str, int]]:
    standing = Override.objects.standing().select_related("agent__user").order_by("from_at")
    return [(one.agent.name, one.from_at.day) for one in standing]


def test_it_is_asked_every_hour_and_means_whom_somebody_chose(
    asked: Subscription, server: CalendarServer, live_until: LiveUntil, cast: Cast
) -> None:
    server.text = file(event("Boss", 9), event("Intern", 10))
    live_until(NOW + EVERY)
    assert shifts() == [("Lou Lead", 9)]
    server.text = file(event("Boss", 11), event("Intern", 10))
    live_until(NOW + 3 * EVERY)
    assert (shifts(), server.asked) == ([("Lou Lead", 11)], 3)
    assert {one.made_by for one in Override.objects.standing()} == {cast.lena.user}
    asked.refresh_from_db()
    assert (asked.asked_at, asked.trouble) == (NOW + 3 * EVERY, "")


def test_who_is_new_in_it_is_whoever_the_name_plainly_means(
    asked: Subscription, server: CalendarServer, live_until: LiveUntil
) -> None:
    server.text = file(event("Boss", 9), event("Lena Lang", 10))
    live_until(NOW + EVERY)
    assert shifts() == [("Lou Lead", 9), ("Lena Lang", 10)]


@pytest.mark.parametrize(
    ("text", "status", "why"),
    [
        (file(event("Boss", 12), event("Xaver", 13)), 200, "“Xaver”, who is nobody here"),
        (file(), 200, "says no shift"),
        (file(event("Intern", 12)), 200, "no shift of anybody"),
        ("<html>Sign in</html>", 200, "iCalendar"),
        ("", 503, "answers 503"),
        ("", 302, "another address"),
        (file(event("Boss", 12), event("Lena Lang", 12)), 200, "two at once"),
    ],
    ids=["unknown", "empty", "all left out", "page", "down", "moved", "twice"],
)
def test_what_cannot_be_taken_over_changes_nothing_and_the_leads_hear_of_it_once_it_lasts(
    asked: Subscription,
    server: CalendarServer,
    live_until: LiveUntil,
    cast: Cast,
    text: str,
    status: int,
    why: str,
) -> None:
    server.text = file(event("Boss", 9))
    live_until(NOW + EVERY)
    server.text, server.status = text, status
    live_until(NOW + 2 * EVERY)
    asked.refresh_from_db()
    assert why in asked.trouble
    assert asked.trouble_since == NOW + 2 * EVERY
    told = Notice.objects.filter(kind="duty_calendar")
    live_until(NOW + EVERY + PATIENCE)
    assert not told.exists()
    live_until(NOW + 5 * EVERY + PATIENCE)
    assert {why in one.text for one in told} == {True}
    heard = [(one.channel, one.agent, one.address) for one in told.order_by("channel")]
    assert heard == [("desk", cast.lou, ""), ("mail", None, cast.lou.user.email)], "once"
    assert shifts() == [("Lou Lead", 9)]
    server.text, server.status = file(event("Boss", 14)), 200
    live_until(NOW + 6 * EVERY + PATIENCE)
    asked.refresh_from_db()
    assert (asked.trouble, asked.trouble_since, asked.is_told) == ("", None, False)
    assert shifts() == [("Lou Lead", 14)]


def test_another_address_that_was_given_meanwhile_holds(
    asked: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answers(address: str) -> str:
        Subscription.objects.update(address=b"another")
        return file(event("Boss", 9))

    monkeypatch.setattr(subscription, "calendar_at", answers)
    assert subscription.ask_due(_nobody_is_told)(NOW + EVERY) == 1
    assert shifts() == []
    asked.refresh_from_db()
    assert (asked.asked_at, asked.trouble) == (NOW, "")


def test_whoever_dies_over_it_does_not_begin_with_it_again(
    asked: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(address: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(subscription, "calendar_at", dies)
    with pytest.raises(KeyboardInterrupt):
        subscription.ask_due(_nobody_is_told)(NOW + EVERY)
    asked.refresh_from_db()
    assert asked.wake_at == NOW + 2 * EVERY


def test_its_address_lies_sealed(asked: Subscription, server: CalendarServer) -> None:
    assert b"private-4711" not in bytes(asked.address)


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:1/a.ics", "https://10.0.0.1/a.ics", "ftp://example.com/a", "file:///etc/passwd", "x"],
)
def test_only_what_the_desk_may_call_is_asked(db: None, address: str) -> None:
    with pytest.raises(UnreadableCalendar):
        calendar_at(address)


def _nobody_is_told(*args: Any, **kwargs: Any) -> None:
    raise AssertionError("nobody was to be told")
