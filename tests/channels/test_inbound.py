"""What arrives is kept first: once, as it came, and out of sight of whom it does not concern."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.db import DatabaseError, transaction

from tests.cast import Cast
from tests.channels.conftest import Pigeons
from tierdesk.channels.models import Inbound
from tierdesk.core.scope import only, seeing
from tierdesk.tickets.lifecycle import UnableTo


def parked(cast: Cast, at: datetime) -> Inbound:
    pk, _ = Inbound.store("email", b"who am I?", at=at)
    Inbound.objects.filter(pk=pk).update(state="parked", reason="nobody we know", wake_at=None)
    return Inbound.objects.get(pk=pk)


def test_the_bytes_are_kept_as_they_came(cast: Cast, at: datetime) -> None:
    raw = b"\x00\xff not text \r\n at all"
    pk, is_new = Inbound.store("email", raw, remote="192.0.2.1", meta={"recipients": ["a@b"]}, at=at)
    kept = Inbound.objects.get(pk=pk)
    assert is_new
    assert (bytes(kept.raw), kept.size, kept.received_at, kept.state) == (raw, len(raw), at, "new")
    assert kept.wake_at == at
    assert kept.meta == {"recipients": ["a@b"]}


def test_what_comes_twice_counts_once(cast: Cast, at: datetime) -> None:
    first = Inbound.store("email", b"the same", at=at)
    again = Inbound.store("email", b"the same", at=at)
    elsewhere = Inbound.store("web_form", b"the same", at=at)
    assert first[1] and not again[1] and elsewhere[1]
    assert first[0] == again[0] != elsewhere[0]


def test_the_key_of_the_channel_decides_what_is_the_same(cast: Cast, at: datetime) -> None:
    one, _ = Inbound.store("email", b"words", ext_key="k1", at=at)
    assert Inbound.store("email", b"words", ext_key="k2", at=at) != (one, False)
    assert Inbound.store("email", b"other words", ext_key="k1", at=at) == (one, False)


@pytest.mark.django_db(transaction=True)
def test_storing_inside_another_transaction_is_refused_because_it_would_promise_too_much(
    transactional_db: None, cast: Cast, at: datetime
) -> None:
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        Inbound.store("email", b"words", at=at)


def test_what_belongs_to_nobody_yet_is_seen_only_by_those_who_see_every_client(
    cast: Cast, at: datetime
) -> None:
    stray = parked(cast, at)
    assert stray in Inbound.objects.visible_to(cast.lena.user)
    assert stray not in Inbound.objects.visible_to(cast.olga.user)
    with seeing(only([cast.borealis.pk])):
        assert not Inbound.objects.exists()


def test_what_belongs_to_a_client_is_seen_by_its_agents_and_by_no_contact(cast: Cast, at: datetime) -> None:
    pk, _ = Inbound.store("web_form", b"{}", client=cast.borealis.pk, at=at)
    theirs = Inbound.objects.get(pk=pk)
    assert theirs in Inbound.objects.visible_to(cast.olga.user)
    assert theirs not in Inbound.objects.visible_to(cast.bob.user)
    with seeing(only([cast.acme.pk])):
        assert not Inbound.objects.exists()


def test_under_a_clients_lock_only_that_clients_deliveries_are_stored(cast: Cast, at: datetime) -> None:
    with seeing(only([cast.borealis.pk])):
        assert Inbound.store("web_form", b"1", client=cast.borealis.pk, at=at)[1]
        for stray in (None, cast.acme.pk):
            with pytest.raises(DatabaseError, match="row-level security"):
                Inbound.store("web_form", b"2", client=stray, at=at)


def test_a_parked_delivery_is_discarded_with_a_reason_and_keeps_its_bytes(cast: Cast, at: datetime) -> None:
    stray = parked(cast, at)
    with pytest.raises(UnableTo, match="Say why"):
        stray.discard(" ")
    stray.discard("Lena Lang: an advertisement")
    assert (stray.state, stray.reason) == ("discarded", "Lena Lang: an advertisement")
    assert bytes(stray.raw) == b"who am I?"


def test_of_two_who_decide_the_second_is_told(cast: Cast, at: datetime) -> None:
    stray = parked(cast, at)
    as_tom_sees_it = Inbound.objects.get(pk=stray.pk)
    stray.replay(at, client=cast.acme)
    with pytest.raises(UnableTo, match="faster"):
        as_tom_sees_it.discard("Tom Tran: spam")
    stray.refresh_from_db()
    assert (stray.state, stray.wake_at, stray.meta["client"]) == ("new", at, "ACME")


def test_what_was_discarded_by_mistake_can_be_tried_again(cast: Cast, at: datetime) -> None:
    stray = parked(cast, at)
    stray.discard("Lena Lang: spam")
    stray.replay(at)
    assert (stray.state, stray.reason, stray.tries) == ("new", "", 0)


def test_what_was_taken_in_cannot_be_taken_in_again(at: datetime, pigeons: Pigeons) -> None:
    pigeon = pigeons.arrive(at, "coo")
    Inbound.objects.filter(pk=pigeon.pk).update(state="done")
    with pytest.raises(UnableTo):
        pigeon.replay(at)
