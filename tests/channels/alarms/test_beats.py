"""Heartbeats: silence raises an alarm, a beat clears it; and alarms that nobody ever ends, end when it is quiet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from tests.channels.alarms.conftest import Saying
from tests.channels.alarms.conftest import arrival as arriving
from tests.channels.alarms.test_lane import sending
from tests.conftest import MONDAY_10
from tierdesk.channels.alarms.arrival import Arrival, KnownSource, Store
from tierdesk.channels.alarms.beats import check_beats, next_beat
from tierdesk.channels.alarms.models import Alarm, Event, Source
from tierdesk.channels.alarms.store import PostgresStore
from tierdesk.channels.alarms.tokens import digest
from tierdesk.tickets.models import Ticket

MINUTES_5, MINUTES_2 = 300, 120

Lives = Callable[[datetime], None]


def minutes(n: float) -> datetime:
    return MONDAY_10 + timedelta(minutes=n)


@pytest.fixture
def promised(source: Source) -> Source:
    """The source promises at ten to be heard every five minutes, give or take two."""
    source.promise_beat(every_s=MINUTES_5, grace_s=MINUTES_2, at=MONDAY_10)
    return source


def heard(store: Store, known: KnownSource, at: datetime) -> None:
    store.commit([Arrival(source=known, received_at=at, is_beat=True)])


def state_of(source: Source) -> tuple[datetime | None, datetime | None]:
    source.refresh_from_db()
    return source.silent_since, source.wake_at


class TestHeartbeat:
    def test_a_source_that_is_never_heard_falls_silent(self, promised: Source) -> None:
        assert check_beats(minutes(6.9)) == 0
        assert check_beats(minutes(7)) == 1
        alarm = Alarm.objects.get()
        assert (alarm.state, alarm.severity, alarm.client) == ("open", 2, promised.client)
        assert alarm.summary == "Prometheus of Acme is silent: it promised a beat every 5 min"
        assert "never" in Event.objects.get().body["text"]
        assert state_of(promised) == (minutes(7), None)
        assert check_beats(minutes(60)) == 0, "it is said once"

    def test_a_beat_in_time_puts_it_off(
        self, promised: Source, store: PostgresStore, known: KnownSource
    ) -> None:
        heard(store, known, minutes(4))
        assert check_beats(minutes(7)) == 1
        assert state_of(promised) == (None, minutes(11))
        assert not Alarm.objects.exists()
        check_beats(minutes(11))
        assert Alarm.objects.get().state == "open"

    def test_whatever_is_understood_is_a_beat(
        self, promised: Source, store: PostgresStore, known: KnownSource, saying: Saying
    ) -> None:
        store.commit([arriving(known, saying("raise", 0), received_at=minutes(5))])
        check_beats(minutes(7))
        assert state_of(promised) == (None, minutes(12))

    def test_what_is_not_understood_is_none(
        self, promised: Source, store: PostgresStore, known: KnownSource
    ) -> None:
        store.commit([Arrival(source=known, received_at=minutes(5), raw=b"{", refusal="It is broken.")])
        check_beats(minutes(7))
        assert state_of(promised)[0] == minutes(7)

    def test_the_next_beat_clears_it(
        self, promised: Source, store: PostgresStore, known: KnownSource
    ) -> None:
        check_beats(minutes(7))
        heard(store, known, minutes(20))
        assert next_beat() == minutes(20)
        assert check_beats(minutes(20)) == 1
        assert Alarm.objects.get().state == "cleared"
        assert state_of(promised) == (None, minutes(27))
        assert check_beats(minutes(20)) == 0

    def test_what_the_desk_says_itself_is_not_received(self, promised: Source) -> None:
        check_beats(minutes(7))
        promised.refresh_from_db()
        assert (promised.received_count, promised.last_received_at) == (0, None)

    def test_a_promise_taken_back_ends_the_silence(self, promised: Source) -> None:
        check_beats(minutes(7))
        promised.refresh_from_db()
        promised.promise_beat(every_s=0, grace_s=0, at=minutes(30))
        check_beats(minutes(30))
        assert (state_of(promised), Alarm.objects.get().state) == ((None, None), "cleared")

    def test_another_promise_does_not_end_it(self, promised: Source) -> None:
        check_beats(minutes(7))
        promised.refresh_from_db()
        promised.promise_beat(every_s=3600, grace_s=0, at=minutes(30))
        check_beats(minutes(90))
        assert (state_of(promised), Alarm.objects.get().state) == ((minutes(7), None), "open")

    def test_a_source_that_is_switched_off_is_not_missed_until_it_is_on_again(self, promised: Source) -> None:
        Source.objects.update(enabled=False)
        check_beats(minutes(7))
        assert state_of(promised) == (None, minutes(14))
        Source.objects.update(enabled=True)
        check_beats(minutes(14))
        assert Alarm.objects.get().state == "open"

    def test_without_a_promise_nobody_looks(self, source: Source) -> None:
        assert next_beat() is None
        assert check_beats(minutes(600)) == 0

    def test_a_silent_source_becomes_a_ticket_that_waits_once_it_is_heard(
        self,
        promised: Source,
        store: PostgresStore,
        known: KnownSource,
        live_until: Lives,
    ) -> None:
        live_until(minutes(10))
        ticket = Ticket.objects.get()
        assert ticket.subject.startswith("Prometheus of Acme is silent")
        heard(store, known, minutes(12))
        live_until(minutes(13))
        ticket.refresh_from_db()
        assert (ticket.state, ticket.pending_reason) == ("pending", "evidence")

    def test_a_knock_at_the_lane_is_a_beat(self, promised: Source, store: PostgresStore) -> None:
        token = promised.token  # type: ignore[attr-defined]
        assert promised.token_sha256 == digest(token)
        answer = sending(store, lambda sender: sender.get(f"/in/{token}/beat"))
        assert answer.status_code == 202
        promised.refresh_from_db()
        assert promised.last_received_at is not None
        assert promised.received_count == 0


class TestQuiet:
    @pytest.fixture
    def quiet(self, source: Source) -> Source:
        source.quiet_s = 3600
        source.save(update_fields=["quiet_s"])
        return source

    def test_an_alarm_that_is_not_heard_again_is_over(
        self,
        quiet: Source,
        store: PostgresStore,
        known: KnownSource,
        saying: Saying,
        live_until: Lives,
    ) -> None:
        store.commit([arriving(known, saying("raise"), received_at=MONDAY_10)])
        live_until(minutes(59))
        assert Alarm.objects.get().state == "open"
        live_until(minutes(61))
        assert Alarm.objects.get().state == "cleared"
        assert Ticket.objects.get().pending_reason == "evidence"
        live_until(minutes(75))
        assert Ticket.objects.get().state == "resolved"

    def test_one_that_is_heard_again_goes_on_and_touches_no_ticket(
        self,
        quiet: Source,
        store: PostgresStore,
        known: KnownSource,
        saying: Saying,
        live_until: Lives,
    ) -> None:
        store.commit([arriving(known, saying("raise"), received_at=MONDAY_10)])
        live_until(minutes(30))
        store.commit([arriving(known, saying("raise"), received_at=minutes(30))])
        version = Ticket.objects.get().version
        live_until(minutes(89))
        assert Alarm.objects.get().state == "open"
        assert Ticket.objects.get().version == version
        live_until(minutes(91))
        assert Alarm.objects.get().state == "cleared"

    def test_without_a_quiet_time_it_stands(
        self,
        source: Source,
        store: PostgresStore,
        known: KnownSource,
        saying: Saying,
        live_until: Lives,
    ) -> None:
        store.commit([arriving(known, saying("raise"), received_at=MONDAY_10)])
        live_until(minutes(60 * 24 * 7))
        assert Alarm.objects.get().state == "open"
