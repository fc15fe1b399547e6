"""The funnel: each delivery ends exactly once, whatever breaks on the way, and holds up no other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection

from tests.cast import Cast
from tests.channels.conftest import Pigeons, PowerCut
from tierdesk.channels import intake
from tierdesk.channels.intake import LEASE, MOST_TRIES, PAUSE, take_in, understand_due
from tierdesk.channels.models import Inbound
from tierdesk.channels.registry import NewTicket
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.tickets.models import Ticket

SECOND = timedelta(seconds=1)


def fail(error: BaseException) -> Callable[[Inbound], None]:
    def failing(inbound: Inbound) -> None:
        raise error

    return failing


def test_what_arrives_becomes_one_ticket_at_the_time_it_was_received(at: datetime, pigeons: Pigeons) -> None:
    pigeon = pigeons.arrive(at, "The roof leaks")
    assert understand_due(at + timedelta(hours=2)) == 1
    pigeon.refresh_from_db()
    ticket = Ticket.objects.get()
    assert (pigeon.state, pigeon.ticket, pigeon.client, pigeon.wake_at) == (
        "done",
        ticket,
        ticket.client,
        None,
    )
    assert ticket.created_at == at  # M39: fetched after an outage, the time of receipt counts
    assert understand_due(at + timedelta(hours=3)) == 0


def test_an_unknown_channel_is_parked_and_says_so(at: datetime, pigeons: Pigeons) -> None:
    pk, _ = Inbound.store("smoke", b"puff", at=at)
    assert take_in(pk, at) is None
    assert Inbound.objects.get(pk=pk).reason == "There is no channel “smoke”."


def test_what_fails_is_tried_again_later_each_time_and_then_parked(at: datetime, pigeons: Pigeons) -> None:
    pigeons.before = fail(ValueError("unreadable claw"))
    pigeon = pigeons.arrive(at, "coo")
    now, waits = at, []
    while understand_due(now):
        pigeon.refresh_from_db()
        if pigeon.wake_at is None:
            break
        waits.append(pigeon.wake_at - now)
        now = pigeon.wake_at
    assert waits == [PAUSE, 2 * PAUSE]
    assert (pigeon.state, pigeon.tries) == ("parked", MOST_TRIES)
    assert pigeon.reason == "It could not be taken in 3 times: ValueError: unreadable claw"
    assert not Ticket.objects.exists()


def test_a_poisoned_delivery_at_the_head_holds_up_nobody(at: datetime, pigeons: Pigeons) -> None:
    def before(inbound: Inbound) -> None:
        if bytes(inbound.raw) == b"poison":
            raise RecursionError("too deep")

    pigeons.before = before
    pigeons.arrive(at, "poison")
    for number in range(3):
        pigeons.arrive(at + number * SECOND, f"good {number}")
    understand_due(at + 5 * SECOND)
    assert list(Ticket.objects.order_by("id").values_list("subject", flat=True)) == [
        "good 0",
        "good 1",
        "good 2",
    ]


def test_a_crash_while_reading_leaves_it_untouched_and_it_is_read_again(
    at: datetime, pigeons: Pigeons
) -> None:
    pigeons.before = fail(PowerCut())
    pigeon = pigeons.arrive(at, "coo")
    with pytest.raises(PowerCut):
        understand_due(at)
    pigeon.refresh_from_db()
    assert (pigeon.state, pigeon.tries, pigeon.wake_at) == ("new", 1, at + LEASE)
    pigeons.before = lambda inbound: None
    understand_due(at + LEASE)
    assert Ticket.objects.count() == 1


def test_a_crash_after_the_ticket_was_written_and_before_the_commit_leaves_one_ticket_in_the_end(
    at: datetime, pigeons: Pigeons, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_then_die(inbound: Inbound, new: NewTicket) -> Any:
        intake._open(inbound, new)
        assert Ticket.objects.count() == 1
        raise PowerCut

    pigeons.arrive(at, "coo")
    with monkeypatch.context() as broken, pytest.raises(PowerCut):
        broken.setitem(intake.ACTIONS, NewTicket, open_then_die)
        understand_due(at)
    assert Ticket.objects.count() == 0
    understand_due(at + LEASE)
    assert Ticket.objects.count() == 1


def test_a_crash_after_the_commit_changes_nothing(at: datetime, pigeons: Pigeons) -> None:
    pigeon = pigeons.arrive(at, "coo")
    ticket = take_in(pigeon.pk, at)
    assert take_in(pigeon.pk, at + LEASE) == ticket
    assert understand_due(at + LEASE) == 0
    assert Ticket.objects.count() == 1


def test_what_kills_every_process_that_reads_it_is_parked(at: datetime, pigeons: Pigeons) -> None:
    pigeons.before = fail(PowerCut())
    pigeon = pigeons.arrive(at, "a bomb")
    for crash in range(MOST_TRIES):
        with pytest.raises(PowerCut):
            understand_due(at + crash * LEASE)
    understand_due(at + MOST_TRIES * LEASE)
    pigeon.refresh_from_db()
    assert pigeon.state == "parked"
    assert "died of it, 3 times" in pigeon.reason
    assert len(pigeons.looked_at) == MOST_TRIES


def test_when_the_database_goes_away_the_engine_hears_of_it_and_nothing_is_parked(
    at: datetime, pigeons: Pigeons
) -> None:
    pigeons.before = fail(OperationalError("server closed the connection"))
    pigeon = pigeons.arrive(at, "coo")
    with pytest.raises(OperationalError):
        understand_due(at)
    pigeon.refresh_from_db()
    assert pigeon.state == "new"


def test_trouble_on_a_channel_that_is_not_agreed_is_kept_until_a_person_lets_it_in(
    cast: Cast, at: datetime, pigeons: Pigeons
) -> None:
    cast.acme_contract.channels = ["email"]
    cast.acme_contract.save()
    pigeon = pigeons.arrive(at, "coo")
    assert take_in(pigeon.pk, at) is None
    pigeon.refresh_from_db()
    assert (pigeon.state, pigeon.client) == ("parked", cast.acme)
    assert pigeon.reason.startswith("pigeon is not an agreed channel of Acme GmbH.")
    pigeon.replay(at + SECOND)
    understand_due(at + SECOND)
    assert Ticket.objects.get().created_at == at


@pytest.mark.django_db(transaction=True)
def test_two_engines_take_in_each_delivery_once(
    transactional_db: None, at: datetime, pigeons: Pigeons
) -> None:
    for number in range(30):
        pigeons.arrive(at, f"pigeon {number}")
    start = threading.Barrier(2)

    def work_off() -> None:
        start.wait(10)
        while understand_due(at):
            pass

    in_threads(work_off, work_off)
    subjects = list(Ticket.objects.values_list("subject", flat=True))
    assert sorted(subjects) == sorted(f"pigeon {number}" for number in range(30))
    assert len(pigeons.looked_at) == 30  # and nobody read in vain
    assert set(Inbound.objects.values_list("state", flat=True)) == {"done"}


@pytest.mark.django_db(transaction=True)
def test_whoever_waits_for_a_delivery_gets_the_ticket_that_another_process_made_of_it(
    transactional_db: None, at: datetime, pigeons: Pigeons
) -> None:
    """The engine may be faster than the request that stored the form; its page still shows the number."""
    reading, go_on = threading.Event(), threading.Event()

    def slowly(inbound: Inbound) -> None:
        reading.set()
        assert go_on.wait(10)

    pigeons.before = slowly
    pigeon = pigeons.arrive(at, "coo")
    found: list[Ticket | None] = []

    def ask() -> None:
        assert reading.wait(10)
        threading.Timer(0.3, go_on.set).start()
        found.append(take_in(pigeon.pk, at))

    in_threads(lambda: understand_due(at), ask)
    assert found == [Ticket.objects.get()]


def in_threads(*jobs: Callable[[], object]) -> None:
    """Run each in a thread with a connection of its own, and wait for all of them."""
    failures: list[BaseException] = []

    def run(job: Callable[[], object]) -> None:
        try:
            set_scope(EVERY_CLIENT)
            job()
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
