"""Intake goes on while alarms are looked at: what comes meanwhile counts as if it came before it or after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection, transaction

from tests.channels.alarms.conftest import arrival, minutes, test_dsn
from tests.settled import settled
from tierdesk.channels.alarms import ticketing
from tierdesk.channels.alarms.arrival import KnownSource
from tierdesk.channels.alarms.models import Alarm, MaintenanceWindow, Source
from tierdesk.channels.alarms.normal import Action, AlarmEvent, said
from tierdesk.channels.alarms.store import INTAKE, intake_arguments
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, SETTING
from tierdesk.core.wakeups import fast_forward
from tierdesk.tickets.models import Ticket

type Say = Callable[[float], list[AlarmEvent]]
SOON_S = 3
AFTER_ALL = minutes(75)


def event(action: Action, minute: float, key: str = "disk", **rest: object) -> AlarmEvent:
    known: dict[str, object] = {"resource": "db1", "summary": "It is full", "severity": "error"}
    return said(action=action, key=key, at=minutes(minute), **known | rest)  # type: ignore[arg-type]


SAID: dict[str, Say] = {
    "the same again": lambda minute: [event(Action.RAISE, minute)],
    "it is over": lambda minute: [event(Action.CLEAR, minute)],
    "it is over and back": lambda minute: [event(Action.CLEAR, minute), event(Action.RAISE, minute + 0.1)],
    "it is worse": lambda minute: [event(Action.RAISE, minute, severity="critical")],
    "somebody knows": lambda minute: [event(Action.ACK, minute)],
    "a note": lambda minute: [event(Action.NOTE, minute)],
    "another trouble": lambda minute: [event(Action.RAISE, minute, key="net", resource="rt1")],
    "it comes and goes": lambda minute: [
        event(action, minute + number / 10)
        for number, action in enumerate([Action.CLEAR, Action.RAISE] * 3 + [Action.CLEAR])
    ],
}
SOURCES: dict[str, dict[str, int]] = {
    "plain": {},
    "settles": {"settle_s": 300},
    "falls quiet": {"quiet_s": 1200},
}


def take_in(source: Source, minute: float, events: list[AlarmEvent]) -> None:
    known = KnownSource(source.pk, source.client_id, source.shape)
    with connection.cursor() as cursor:
        cursor.execute(INTAKE, intake_arguments([arrival(known, *events, received_at=minutes(minute))]))


def look(minute: float) -> int:
    with clock.frozen(minutes(minute)):
        return ticketing.follow_up(minutes(minute))


@contextmanager
def while_looking(happens: Callable[[], None]) -> Iterator[None]:
    """What happens in the middle of the next look, when it has read what it looks at."""
    looked, left = ticketing.components_of, [happens]

    def interrupted(alarms: list[Alarm]) -> object:
        if left:
            left.pop()()
        return looked(alarms)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ticketing, "components_of", interrupted)
        yield
    assert not left, "nobody looked"


def fresh_source(**rest: int) -> Source:
    source = Source(client=settled().acme, key="prometheus", name="Prometheus", shape="plain", **rest)
    source.take_new_token()
    source.save()
    return source


def outcome() -> list[object]:
    """What alarms and tickets came to, without the names of rows and without what is only bookkeeping."""
    alarms = Alarm.objects.order_by("key", "id").values_list(
        "key",
        "state",
        "severity",
        "count",
        "joined_by",
        "ticket__subject",
        "wake_at",
        "flapping_until",
        "window",
    )
    tickets = Ticket.objects.order_by("pk").values_list(
        "subject", "state", "pending_reason", "priority", "impact"
    )
    return [list(alarms), list(tickets)]


def lived(source: Source, say: Say, *, comes: str, before: bool) -> list[object]:
    """What it came to when all was looked at, and at the end of all."""
    if before:
        take_in(source, 0, [event(Action.RAISE, 0)])
        look(0)
        take_in(source, 1, [event(Action.CLEAR, 1)])
    else:
        take_in(source, 1, [event(Action.RAISE, 1)])
    match comes:
        case "before":
            take_in(source, 2, say(2))
        case "after":
            look(2)
            take_in(source, 2, say(2))
        case "meanwhile":
            with while_looking(lambda: take_in(source, 2, say(2))):
                look(2)
    while look(2):
        pass
    soon = outcome()
    fast_forward(AFTER_ALL)
    return [soon, outcome()]


@pytest.mark.parametrize("before", [False, True], ids=["new", "known"])
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("say", SAID)
def test_what_is_said_meanwhile_counts_as_if_it_was_said_before_or_after_that(
    say: str, source: str, before: bool, db: None
) -> None:
    def outcomes_of(comes: str) -> list[object]:
        with transaction.atomic():
            came_to = lived(fresh_source(**SOURCES[source]), SAID[say], comes=comes, before=before)
            transaction.set_rollback(True)
        return came_to

    meanwhile = outcomes_of("meanwhile")
    assert any(meanwhile == outcomes_of(comes) for comes in ("after", "before"))


def test_a_window_that_ends_meanwhile_holds_nothing_back(db: None) -> None:
    source = fresh_source()
    planned = {"key": "work", "name": "Work", "begins_at": minutes(-60), "ends_at": minutes(600)}
    window = MaintenanceWindow.objects.create(client=source.client, **planned)
    take_in(source, 0, [event(Action.RAISE, 0)])
    look(0)
    assert Alarm.objects.get().window == window
    take_in(source, 1, [event(Action.RAISE, 1, severity="critical")])
    with while_looking(lambda: window.end(by="Lou", why="It was quick", at=minutes(1))):
        look(2)
    while look(2):
        pass
    assert Alarm.objects.get().window is None
    assert Ticket.objects.count() == 1


def test_intake_does_not_wait_for_a_look(transactional_db: None) -> None:
    source = fresh_source()
    take_in(source, 0, [event(Action.RAISE, 0)])
    look(0)
    take_in(source, 1, [event(Action.CLEAR, 1)])
    told = arrival(KnownSource(source.pk, source.client_id, source.shape), event(Action.RAISE, 2))

    def take_in_beside() -> None:
        with psycopg.connect(test_dsn(), autocommit=True) as intake:
            intake.execute(f"SET statement_timeout = '{SOON_S}s'")
            intake.execute("SELECT set_config(%s, %s, false)", [SETTING, EVERY_CLIENT])
            intake.execute(INTAKE, intake_arguments([told]))

    with while_looking(take_in_beside):
        look(2)
    assert Alarm.objects.get().state == Alarm.State.OPEN
    assert look(2) == 1, "what changed meanwhile is looked at again"
