"""What follows from events for their alarms: the real store, held to the plain rules of the one in memory."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import psycopg
import pytest
from django.db.models import F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cast import Cast
from tests.channels.alarms.conftest import Saying, arrival, test_dsn
from tests.conftest import MONDAY_10
from tierdesk.channels.alarms.arrival import Arrival, KnownSource, Store, StoreIsAway, UnableToStore
from tierdesk.channels.alarms.memory import MemoryStore
from tierdesk.channels.alarms.models import Alarm, Event, Refusal, Source, wake_alarms
from tierdesk.channels.alarms.normal import Action, AlarmEvent, said
from tierdesk.channels.alarms.store import INTAKE, PostgresStore, intake_arguments
from tierdesk.channels.alarms.usm import UsmUser
from tierdesk.core.scope import ROLE

WORDS = ("severity", "summary")
REGISTERS = ("state", "count", "first_at", "raised_at", "cleared_at", "acknowledged_at", "closed_at")


def one_by_one(store: Store, known: KnownSource, events: Iterable[AlarmEvent]) -> None:
    for event in events:
        store.commit([arrival(known, event)])


@pytest.fixture
def other(world: Cast) -> KnownSource:
    """A second source of the same client."""
    source = Source(client=world.acme, key="other", name="Other", shape="plain")
    source.take_new_token()
    source.save()
    return KnownSource(source.pk, source.client_id, source.shape)


def owe_one(store: Store, known: KnownSource, saying: Saying) -> None:
    """Two within a second: the first is counted, the second not yet."""
    for ms in (0, 500):
        at = MONDAY_10 + timedelta(milliseconds=ms)
        store.commit([arrival(known, saying("raise", 0), received_at=at)])


def look() -> None:
    """All that changed is seen, and nothing follows from it."""
    Alarm.objects.update(seen_seq=F("changed_seq"))


def registers(alarm: Any) -> dict[str, Any]:
    """What follows from the events; the words of an alarm that was never raised follow from nothing."""
    names = (
        REGISTERS if alarm.first_at else [name for name in REGISTERS if name not in ("severity", "summary")]
    )
    return {name: getattr(alarm, name) for name in names}


class TestOneAlarm:
    def test_a_raise_opens_an_alarm_that_links_its_event(
        self, store: PostgresStore, known: KnownSource, saying: Saying
    ) -> None:
        store.commit(
            [
                arrival(
                    known, saying("raise", 0, severity="critical", class_="DiskFull", group="g", text="words")
                )
            ]
        )
        alarm = Alarm.objects.get()
        assert (alarm.state, alarm.severity, alarm.count, alarm.resource) == ("open", 1, 1, "db1")
        assert (alarm.class_name, alarm.group, alarm.client_id) == ("DiskFull", "g", known.client_id)
        event = Event.objects.get()
        assert (event.alarm, event.action, event.source_time) == (alarm, "raise", MONDAY_10)
        assert event.body["text"] == "words"
        assert event.batch_seq == alarm.changed_seq

    def test_a_repeat_is_counted_and_changes_nothing_that_others_must_look_at(
        self, store: PostgresStore, known: KnownSource, saying: Saying
    ) -> None:
        store.commit([arrival(known, saying("raise", 0))])
        look()
        store.commit([arrival(known, saying("raise", 0), received_at=MONDAY_10 + timedelta(hours=4))])
        alarm = Alarm.objects.get()
        assert (alarm.count, alarm.last_at) == (2, MONDAY_10 + timedelta(hours=4))
        assert not Alarm.objects.unseen().exists()

    def test_a_repeat_rewrites_the_row_in_place_and_touches_no_index(
        self, known: KnownSource, saying: Saying
    ) -> None:
        with psycopg.connect(test_dsn()) as connection:
            for minute in range(6):
                connection.execute(INTAKE, intake_arguments([arrival(known, saying("raise", minute))]))
            counted = connection.execute(
                "SELECT pg_stat_get_xact_tuples_updated(oid), pg_stat_get_xact_tuples_hot_updated(oid)"
                " FROM pg_class WHERE relname = 'alarms_alarm'"
            ).fetchone()
        assert counted == (5, 5), "all five updates are heap-only"

    @pytest.mark.parametrize(
        "change", [{"action": "clear"}, {"action": "ack"}, {"action": "note"}, {"severity": 1}]
    )
    def test_a_change_is_shown_to_the_later_stages(
        self, change: dict[str, Any], store: PostgresStore, known: KnownSource, saying: Saying
    ) -> None:
        store.commit([arrival(known, saying("raise", 0, severity=3))])
        look()
        store.commit([arrival(known, saying(**{"action": "raise", "minute": 1, "severity": 3} | change))])
        assert Alarm.objects.unseen().count() == 1

    def test_a_note_alone_is_kept_but_makes_no_alarm(
        self, store: PostgresStore, known: KnownSource, saying: Saying
    ) -> None:
        store.commit([arrival(known, saying("note", 0))])
        assert Event.objects.get().alarm is None
        assert not Alarm.objects.exists()

    def test_the_source_counts_what_it_received_and_what_was_shed(
        self, store: PostgresStore, known: KnownSource, source: Source, saying: Saying
    ) -> None:
        store.commit([arrival(known, saying("raise", 0), saying("clear", 1))])
        store.commit([Arrival(source=known, received_at=MONDAY_10, shed=7)])
        source.refresh_from_db()
        assert (source.received_count, source.shed_count) == (2, 7)
        assert source.last_received_at == MONDAY_10 + timedelta(hours=1)

    def test_a_busy_source_counts_once_a_second(
        self, store: PostgresStore, known: KnownSource, source: Source, saying: Saying
    ) -> None:
        def counted() -> tuple[int, Any]:
            source.refresh_from_db()
            return source.received_count, source.last_received_at

        within = [MONDAY_10 + timedelta(milliseconds=ms) for ms in (0, 400, 999, 1000, 1100)]
        store.commit([arrival(known, saying("raise", 0), received_at=within[0])])
        assert counted() == (1, within[0]), "the first at once"
        for at in within[1:3]:
            store.commit([arrival(known, saying("raise", 0), received_at=at)])
        assert counted() == (1, within[0])
        assert store.owes_counts
        assert Event.objects.count() == 3, "only counting waits"
        store.commit([arrival(known, saying("raise", 0), received_at=within[3])])
        assert counted() == (4, within[3])
        assert not store.owes_counts
        store.commit([arrival(known, saying("raise", 0), received_at=within[4])])
        store.commit([])
        assert counted() == (5, within[4]), "and with nothing else to store, what is left"

    def test_who_counts_nothing_this_time_still_waits_for_who_takes_in_the_same(
        self, store: PostgresStore, known: KnownSource, saying: Saying
    ) -> None:
        store.commit([arrival(known, saying("raise", 0))])
        unlike = arrival(known, saying("raise", 0, key="unlike"))
        second = threading.Thread(target=store.commit, args=[[unlike]])
        with psycopg.connect(test_dsn()) as rival:
            rival.execute(INTAKE, intake_arguments([arrival(known, saying("raise", 0))]))
            second.start()
            second.join(0.3)
            assert second.is_alive()
        second.join(10)
        assert (Event.objects.count(), store.owes_counts) == (3, True)

    def test_who_writes_later_has_the_higher_number_however_long_it_waited(
        self, store: PostgresStore, known: KnownSource, saying: Saying
    ) -> None:
        """With the lower one its change would pass for one that was looked at."""
        second = threading.Thread(target=store.commit, args=[[arrival(known, saying("clear", 2))]])
        with psycopg.connect(test_dsn()) as rival:
            rival.execute("SELECT FROM alarms_source WHERE id = %s FOR UPDATE", [known.id])
            second.start()
            second.join(0.3)
            assert second.is_alive()
            rival.execute(INTAKE, intake_arguments([arrival(known, saying("raise", 1))]))
            rival.execute("UPDATE alarms_alarm SET seen_seq = changed_seq")
        second.join(10)
        assert Alarm.objects.unseen().get().state == "cleared"

    def test_what_others_owe_is_counted_with_whoever_comes(
        self, store: PostgresStore, known: KnownSource, other: KnownSource, source: Source, saying: Saying
    ) -> None:
        owe_one(store, known, saying)
        store.commit([arrival(other, saying("raise", 0), received_at=MONDAY_10 + timedelta(seconds=2))])
        source.refresh_from_db()
        assert source.received_count == 2

    def test_a_batch_that_is_not_stored_is_not_counted(
        self, store: PostgresStore, known: KnownSource, source: Source, saying: Saying
    ) -> None:
        store.commit([arrival(known, saying("raise", 0))])
        with pytest.raises(UnableToStore):
            store.commit([arrival(known, replace(saying("raise", 0), severity=9))])
        assert not store.owes_counts
        store.commit([])
        source.refresh_from_db()
        assert source.received_count == 1

    def test_a_source_that_goes_while_it_owes_takes_no_other_down(
        self, store: PostgresStore, known: KnownSource, other: KnownSource, source: Source, saying: Saying
    ) -> None:
        owe_one(store, known, saying)
        source.delete()
        store.commit([arrival(other, saying("raise", 0), received_at=MONDAY_10 + timedelta(seconds=2))])
        assert Source.objects.get(pk=other.id).received_count == 1
        assert not store.owes_counts

    def test_a_refusal_keeps_the_body_as_it_came(self, store: PostgresStore, known: KnownSource) -> None:
        raw = b'{"half": \x00\xff'
        store.commit(
            [Arrival(source=known, received_at=MONDAY_10, raw=raw, refusal="Not JSON.", remote="10.0.0.9")]
        )
        refusal = Refusal.objects.get()
        assert (bytes(refusal.raw), refusal.reason, refusal.remote) == (raw, "Not JSON.", "10.0.0.9")
        assert refusal.client_id == known.client_id


class TestAnyOrder:
    """The state converges to the newest event by source time, whatever the order of arrival."""

    HISTORIES = {
        "raised, cleared, raised again": ("raise", "clear", "raise"),
        "seen and cleared": ("raise", "ack", "raise", "clear"),
        "cleared and back, then seen": ("raise", "clear", "raise", "ack", "raise"),
        "seen, then back after a clear": ("raise", "ack", "clear", "raise", "note"),
        "flapping": ("raise", "clear", "raise", "clear", "raise"),
    }
    ENDS = {
        "raised, cleared, raised again": "open",
        "seen and cleared": "cleared",
        "cleared and back, then seen": "acknowledged",
        "seen, then back after a clear": "open",
        "flapping": "open",
    }

    @pytest.mark.parametrize("history", HISTORIES)
    def test_every_order_of_arrival_ends_alike(
        self, history: str, store: PostgresStore, known: KnownSource, saying: Saying, memory: MemoryStore
    ) -> None:
        """All orders at once, each as an alarm of its own; each event in a transaction of its own place."""
        actions = self.HISTORIES[history]
        orders = list(permutations(range(len(actions))))
        for place in range(len(actions)):
            events = [
                saying(
                    actions[order[place]],
                    minute=order[place],
                    key=f"k{number}",
                    severity=1 + order[place] % 3,
                    summary="s",
                )
                for number, order in enumerate(orders)
            ]
            store.commit([arrival(known, *events)])
            memory.commit([arrival(known, *events)])
        ends = {(alarm.state, alarm.severity, alarm.count, alarm.raised_at) for alarm in Alarm.objects.all()}
        assert len(ends) == 1
        assert ends.pop()[0] == self.ENDS[history]
        assert {alarm.state for alarm in memory.alarms} == {self.ENDS[history]}
        assert Alarm.objects.count() == len(memory.alarms) == len(orders)

    def test_within_one_batch_the_order_does_not_matter_either(
        self, store: PostgresStore, known: KnownSource, saying: Saying
    ) -> None:
        actions = self.HISTORIES["seen, then back after a clear"]
        events = [
            saying(actions[place], minute=place, key=f"k{number}")
            for number, order in enumerate(permutations(range(len(actions))))
            for place in order
        ]
        store.commit([arrival(known, *events)])
        assert set(Alarm.objects.values_list("state", "count")) == {("open", 2)}

    def test_when_source_times_are_equal_the_later_arrival_counts(
        self, store: PostgresStore, known: KnownSource, saying: Saying
    ) -> None:
        one_by_one(store, known, [saying("raise", 0, key="a"), saying("clear", 0, key="a")])
        one_by_one(store, known, [saying("clear", 0, key="b"), saying("raise", 0, key="b")])
        store.commit([arrival(known, saying("clear", 0, key="c"), saying("raise", 0, key="c"))])
        one_by_one(store, known, [saying("ack", 0, key="d")])
        store.commit([arrival(known, saying("clear", 0, key="d"), saying("raise", 0, key="d"))])
        assert dict(Alarm.objects.values_list("key", "state")) == {
            "a": "cleared",
            "b": "open",
            "c": "open",
            "d": "open",
        }

    def test_a_clear_that_overtook_its_raise_is_remembered(
        self, store: PostgresStore, known: KnownSource, saying: Saying
    ) -> None:
        store.commit([arrival(known, saying("clear", 5), received_at=MONDAY_10 + timedelta(minutes=6))])
        born = Alarm.objects.get()
        assert (born.state, born.first_at) == ("cleared", None)
        assert born.wake_at == MONDAY_10 + timedelta(minutes=16)
        store.commit([arrival(known, saying("raise", 4))])
        late = Alarm.objects.get()
        assert (late.state, late.count, late.first_at) == ("cleared", 1, MONDAY_10 + timedelta(minutes=4))

    def test_an_acknowledgement_sticks_to_repeats_but_not_to_what_comes_back(
        self, store: PostgresStore, known: KnownSource, saying: Saying
    ) -> None:
        one_by_one(store, known, [saying("raise", 0), saying("ack", 1), saying("raise", 2)])
        assert Alarm.objects.get().state == "acknowledged"
        one_by_one(store, known, [saying("clear", 3), saying("raise", 4)])
        assert Alarm.objects.get().state == "open"


class TestEventIds:
    def test_an_event_with_an_id_counts_once_in_one_batch_and_over_batches(
        self, store: PostgresStore, known: KnownSource, saying: Saying
    ) -> None:
        event = saying("raise", 0, event_id="e1")
        store.commit([arrival(known, event), arrival(known, event)])
        store.commit([arrival(known, event)])
        assert (Event.objects.count(), Alarm.objects.get().count) == (1, 1)

    def test_five_senders_of_one_event_at_once_make_one_event(
        self, source: Source, known: KnownSource, saying: Saying
    ) -> None:
        start = threading.Barrier(5)
        outcomes: list[str] = []

        def send() -> None:
            store = PostgresStore(test_dsn(), role=ROLE)
            start.wait()
            store.commit([arrival(known, saying("raise", 0, event_id="e1"))])
            store.close()
            outcomes.append("stored")

        threads = [threading.Thread(target=send) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outcomes == ["stored"] * 5
        assert (Event.objects.count(), Alarm.objects.get().count) == (1, 1)

    def test_the_same_id_of_another_source_is_another_event(
        self, store: PostgresStore, known: KnownSource, source: Source, saying: Saying
    ) -> None:
        other = Source.objects.create(
            client=source.client, key="o", name="O", shape="plain", token_sha256="0" * 64
        )
        both = [known, KnownSource(other.pk, other.client_id, "plain")]
        store.commit([arrival(each, saying("raise", 0, event_id="e1")) for each in both])
        assert Event.objects.count() == Alarm.objects.count() == 2


class TestClosing:
    def closed_after(self, store: PostgresStore, known: KnownSource, events: Sequence[AlarmEvent]) -> Alarm:
        one_by_one(store, known, events)
        alarm = Alarm.objects.get()
        assert Alarm.objects.filter(pk=alarm.pk).close(MONDAY_10 + timedelta(hours=2)) == 1
        return alarm

    def test_what_is_raised_again_is_a_new_alarm_that_knows_its_previous(
        self, store: PostgresStore, known: KnownSource, saying: Saying
    ) -> None:
        past = self.closed_after(store, known, [saying("raise", 0), saying("clear", 1)])
        store.commit([arrival(known, saying("raise", 2))])
        alarm = Alarm.objects.unclosed().get()
        assert (alarm.previous, alarm.state, alarm.count) == (past, "open", 1)

    @pytest.mark.parametrize(
        ("action", "minute"), [("raise", 0.5), ("clear", 1), ("clear", 0.5), ("ack", 3), ("note", 3)]
    )
    def test_what_comes_too_late_for_a_closed_alarm_belongs_to_it_and_opens_nothing(
        self, action: str, minute: float, store: PostgresStore, known: KnownSource, saying: Saying
    ) -> None:
        past = self.closed_after(store, known, [saying("raise", 0), saying("clear", 1)])
        store.commit([arrival(known, saying(action, minute))])
        assert not Alarm.objects.unclosed().exists()
        assert past.events.count() == 3

    def test_a_sender_that_repeats_what_lasts_is_believed_long_after_a_clear(
        self, store: PostgresStore, known: KnownSource, saying: Saying
    ) -> None:
        self.closed_after(store, known, [saying("raise", 0), saying("clear", 1)])
        store.commit([arrival(known, saying("raise", 0, repeats=True))])
        assert Alarm.objects.unclosed().get().state == "open"

    def test_an_alarm_that_was_closed_while_it_lasted_opens_anew_when_it_is_heard_again(
        self, store: PostgresStore, known: KnownSource, saying: Saying
    ) -> None:
        past = self.closed_after(store, known, [saying("raise", 0)])
        store.commit([arrival(known, saying("raise", 0))])
        assert Alarm.objects.unclosed().get().previous == past

    def test_a_cleared_alarm_that_stays_quiet_is_closed_and_a_held_one_is_shown_again(
        self, store: PostgresStore, known: KnownSource, saying: Saying
    ) -> None:
        one_by_one(
            store,
            known,
            [saying("raise", 0, key="gone"), saying("clear", 1, key="gone"), saying("raise", 0, key="held")],
        )
        Alarm.objects.filter(key="held").update(wake_at=MONDAY_10 + timedelta(minutes=75))
        look()
        at = MONDAY_10 + timedelta(hours=2)
        wake_alarms(list(Alarm.objects.filter(wake_at__lte=at)), at)
        gone, held = Alarm.objects.order_by("key")
        assert (gone.state, gone.closed_at, gone.wake_at) == ("closed", at, None)
        assert (held.state, held.wake_at) == ("open", None)
        assert list(Alarm.objects.unseen()) == [held]

    def test_coming_back_while_remembered_is_the_same_alarm_and_no_longer_due(
        self, store: PostgresStore, known: KnownSource, saying: Saying
    ) -> None:
        one_by_one(store, known, [saying("raise", 0), saying("clear", 1)])
        assert Alarm.objects.get().wake_at is not None
        store.commit([arrival(known, saying("raise", 2))])
        alarm = Alarm.objects.get()
        assert (alarm.state, alarm.wake_at, alarm.count) == ("open", None, 2)


class TestTogether:
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        told=st.lists(
            st.tuples(
                st.sampled_from(list(Action)),
                st.integers(0, 5),
                st.sampled_from(["a", "b"]),
                st.sampled_from(["", "", "", "e1", "e2"]),
                st.booleans(),
            ),
            max_size=14,
        )
    )
    def test_any_history_in_any_batches_ends_as_the_plain_rules_say(
        self, told: list[tuple[Action, int, str, str, bool]], store: PostgresStore, known: KnownSource
    ) -> None:
        """`commit` tells where a batch ends; the same history is told to both stores."""
        memory = MemoryStore()
        with psycopg.connect(test_dsn()) as connection:
            connection.execute("DELETE FROM alarms_event")
            connection.execute("DELETE FROM alarms_alarm")
        batch: list[Arrival] = []
        for number, (action, minute, key, event_id, commit) in enumerate(told):
            at = MONDAY_10 + timedelta(minutes=minute)
            event = said(
                action=action, key=key, at=at, event_id=event_id, severity=1 + number % 5, summary=f"{number}"
            )
            batch.append(arrival(known, event))
            if commit or number == len(told) - 1:
                store.commit(batch)
                memory.commit(batch)
                batch = []
        stored = {alarm.key: registers(alarm) for alarm in Alarm.objects.all()}
        assert stored == {alarm.key: registers(alarm) for alarm in memory.alarms}
        assert Event.objects.count() == len(memory.events)

    def test_rivals_with_the_same_keys_in_opposite_orders_lose_nothing(
        self, source: Source, known: KnownSource, saying: Saying
    ) -> None:
        """Four writers, two sources: every raise is counted, and nobody waits for ever."""
        other = Source.objects.create(
            client=source.client, key="o", name="O", shape="plain", token_sha256="0" * 64
        )
        sources = [known, KnownSource(other.pk, other.client_id, "plain")]
        keys = [f"k{number}" for number in range(20)]
        failures: list[BaseException] = []

        def write(rounds: int, backwards: bool) -> None:
            store = PostgresStore(test_dsn(), role=ROLE)
            order = keys[::-1] if backwards else keys
            try:
                for minute in range(rounds):
                    events = [saying("raise", minute, key=key) for key in order]
                    store.commit(
                        [arrival(each, *events) for each in (sources[::-1] if backwards else sources)]
                    )
            except BaseException as failure:
                failures.append(failure)
            finally:
                store.close()

        threads = [threading.Thread(target=write, args=(10, number % 2 == 1)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert set(Alarm.objects.values_list("count", flat=True)) == {40}
        assert Alarm.objects.count() == 40
        assert Event.objects.count() == 4 * 10 * 40


class TestTrouble:
    def test_a_store_that_cannot_be_reached_says_so(self, known: KnownSource, saying: Saying) -> None:
        away = PostgresStore("host=/nowhere dbname=none")
        with pytest.raises(StoreIsAway):
            away.commit([arrival(known, saying("raise", 0))])
        with pytest.raises(StoreIsAway):
            away.sources()

    def test_a_connection_that_died_is_replaced(
        self, store: PostgresStore, known: KnownSource, saying: Saying
    ) -> None:
        store.commit([arrival(known, saying("raise", 0))])
        with psycopg.connect(test_dsn(), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'tierdesk alarms' AND datname = current_database()"
            )
        store.commit([arrival(known, saying("raise", 1))])
        assert Alarm.objects.get().count == 2

    def test_a_source_that_is_gone_is_not_silently_ignored(
        self, store: PostgresStore, known: KnownSource, saying: Saying
    ) -> None:
        Source.objects.all().delete()
        with pytest.raises(UnableToStore, match="gone"):
            store.commit([arrival(known, saying("raise", 0))])
        with pytest.raises(UnableToStore, match="gone"):
            store.commit([Arrival(source=known, received_at=MONDAY_10, raw=b"{", refusal="It is broken.")])

    def test_sources_are_those_that_are_enabled(self, store: PostgresStore, source: Source) -> None:
        assert store.sources() == {
            source.token_sha256: KnownSource(source.pk, source.client_id, "plain", senders=[])
        }
        Source.objects.update(enabled=False)
        assert store.sources() == {}


def test_a_source_s_user_of_snmp_3_is_known_and_lies_sealed(world: Cast, store: PostgresStore) -> None:
    source = Source(client=world.acme, key="routers", name="Routers", shape="snmp_trap", usm_user="router")
    source.sign_with("signs-what-it-says")
    source.encrypt_with("hides-what-it-says")
    source.take_new_token()
    source.save()
    known = store.sources()[source.token_sha256]
    assert known.usm == UsmUser("router", "SHA-256", "signs-what-it-says", "AES", "hides-what-it-says")
    kept = Source.objects.get(key="routers")
    assert kept.usm == known.usm
    assert b"what-it-says" not in bytes(kept.secret) + bytes(kept.usm_privacy_secret)
    Source.objects.update(usm_privacy="none")
    assert store.sources()[source.token_sha256].usm == UsmUser("router", "SHA-256", "signs-what-it-says")
