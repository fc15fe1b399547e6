"""What was not understood waits for a person: tried again as its source is read now, or discarded with a reason."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from tests.cast import Cast
from tierdesk.channels.alarms.again import try_again
from tierdesk.channels.alarms.arrival import Arrival, KnownSource
from tierdesk.channels.alarms.models import Alarm, Refusal, Source
from tierdesk.channels.alarms.speaking import take_in
from tierdesk.channels.alarms.understanding import understood
from tierdesk.tickets.lifecycle import UnableTo

HOUR = timedelta(hours=1)
FIRING = {
    "version": "4",
    "status": "firing",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "DiskFull", "instance": "db1"},
            "startsAt": "2026-06-08T07:30:00Z",
            "fingerprint": "f1",
        }
    ],
}


def source(cast: Cast, shape: str, **values: Any) -> Source:
    one = Source(client=cast.acme, key="monitoring", name="Monitoring", shape=shape, **values)
    one.take_new_token()
    one.save()
    return one


def arrives(source: Source, raw: bytes, at: datetime, headers: dict[str, str] | None = None) -> Refusal:
    """What the lane would have kept."""
    secret = "signed" if source.secret else ""
    known = KnownSource(source.pk, source.client_id, source.shape, {}, source.mapping, secret)
    take_in([understood(Arrival(source=known, received_at=at, raw=raw), headers or {})])
    kept = Refusal.objects.latest("pk")
    kept.source = source
    return kept


def test_after_its_source_is_mended_it_counts_as_of_when_it_arrived(cast: Cast, at: datetime) -> None:
    zabbix = source(cast, "zabbix")
    refusal = arrives(zabbix, orjson.dumps(FIRING), at)
    zabbix.shape = "alertmanager"
    zabbix.save()
    assert try_again(refusal, by=cast.lena, at=at + HOUR) == 1
    [alarm] = Alarm.objects.all()
    assert (alarm.resource, alarm.last_at) == ("db1", at)
    refusal.refresh_from_db()
    assert (refusal.state, refusal.decided_by, refusal.decided_at) == (
        Refusal.State.UNDERSTOOD,
        cast.lena.user,
        at + HOUR,
    )
    assert bytes(refusal.raw) == orjson.dumps(FIRING)


def test_nothing_of_it_is_counted_as_received_again(cast: Cast, at: datetime) -> None:
    zabbix = source(cast, "zabbix")
    refusal = arrives(zabbix, orjson.dumps(FIRING), at)
    Source.objects.filter(pk=zabbix.pk).update(shape="alertmanager")
    try_again(Refusal.objects.get(pk=refusal.pk), by=cast.lena, at=at)
    zabbix.refresh_from_db()
    assert (zabbix.received_count, zabbix.last_received_at) == (0, None)


def test_what_is_still_not_understood_says_why_now(cast: Cast, at: datetime) -> None:
    refusal = arrives(source(cast, "alertmanager"), b'{"half', at)
    Source.objects.update(shape="plain")
    Refusal.objects.update(reason="Long ago, for another reason.")
    again = Refusal.objects.get(pk=refusal.pk)
    with pytest.raises(UnableTo, match="not JSON"):
        try_again(again, by=cast.lena, at=at)
    again.refresh_from_db()
    assert again.state == Refusal.State.WAITING and "not JSON" in again.reason


def test_headers_that_reading_needs_are_kept_with_it_and_secrets_are_not(cast: Cast, at: datetime) -> None:
    headers = {
        "content-type": "application/octet-stream",
        "ce-specversion": "1.0",
        "ce-id": "1",
        "ce-source": "/mon/db1",
        "authorization": "Bearer secret",
        "cookie": "secret",
    }
    refusal = arrives(source(cast, "cloudevents"), b"{}", at, headers)
    assert refusal.headers == {
        name: value for name, value in headers.items() if name not in ("authorization", "cookie")
    }


def test_what_was_forged_cannot_be_let_in_by_trying_it_again(cast: Cast, at: datetime) -> None:
    one = source(cast, "plain", secret=b"sealed")
    refusal = arrives(one, orjson.dumps({"key": "k", "summary": "s"}), at)
    assert refusal.status == 401
    with pytest.raises(UnableTo, match="not signed"):
        try_again(refusal, by=cast.lena, at=at)
    assert not Alarm.objects.exists()


def test_it_is_decided_once(cast: Cast, at: datetime) -> None:
    zabbix = source(cast, "zabbix")
    refusal = arrives(zabbix, orjson.dumps(FIRING), at)
    Refusal.objects.get(pk=refusal.pk).discard("a test", by=cast.olga.user, at=at)
    zabbix.shape = "alertmanager"
    zabbix.save()
    with pytest.raises(UnableTo, match="faster"):
        try_again(refusal, by=cast.lena, at=at)
    assert not Alarm.objects.exists()


def test_who_discards_says_why(cast: Cast, at: datetime) -> None:
    refusal = arrives(source(cast, "plain"), b"{}", at)
    with pytest.raises(UnableTo, match="why"):
        refusal.discard("  ", by=cast.lena.user, at=at)
    refusal.discard("a test of the sender", by=cast.lena.user, at=at)
    assert not Refusal.objects.waiting().exists()
