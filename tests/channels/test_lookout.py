"""Floods and silences are told to somebody, when they begin and when they are over; by one rule for all channels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tierdesk.channels.alarms.models import Source, Stranger
from tierdesk.channels.chat.models import Bridge
from tierdesk.channels.lookout import LOOK_EVERY, look_out
from tierdesk.channels.models import Inbound, InboundState, Watch
from tierdesk.channels.phone.models import Call, Exchange
from tierdesk.channels.web_form.models import Form, Turnstile
from tierdesk.core import clock
from tierdesk.directory.staff.models import User
from tierdesk.response.notifications.models import Notice

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MANY = 20


@pytest.fixture(autouse=True)
def _twenty_are_a_flood(cast: Cast, settings: Any) -> None:
    """And Ada is the administrator who hears of it."""
    settings.FLOOD_AFTER = MANY
    User.objects.create_user("ada@desk.example", name="Ada Admin", is_admin=True)


def look(*instants: datetime) -> None:
    for at in instants:
        with clock.frozen(at):
            look_out(at)


def each_minute(since: datetime, until: datetime) -> Iterator[datetime]:
    while since <= until:
        yield since
        since += MINUTE


def told() -> list[tuple[str, str]]:
    return list(Notice.objects.filter(channel="mail").order_by("id").values_list("kind", "subject"))


def park(count: int, at: datetime, channel: str = "email", **more: Any) -> None:
    Inbound.objects.bulk_create(
        Inbound(
            channel=channel,
            ext_key=f"{at} {number}",
            received_at=at,
            raw=b"",
            size=0,
            sha256="",
            state=InboundState.PARKED,
            **more,
        )
        for number in range(count)
    )


def test_a_flood_of_strangers_is_told_once_and_when_it_is_over(at: datetime) -> None:
    look(at)
    for minute in each_minute(at + MINUTE, at + 30 * MINUTE):
        park(10, minute)
        look(minute)
    assert told() == [("flood", "A flood: E-mail")]
    assert Watch.objects.troubled().get().key == "unclaimed:email"
    look(*each_minute(at + 31 * MINUTE, at + 52 * MINUTE))
    assert told() == [("flood", "A flood: E-mail"), ("over", "Over: E-mail")]
    assert not Watch.objects.troubled().exists()


def test_as_many_in_a_day_are_no_flood(at: datetime) -> None:
    look(at)
    for minute in each_minute(at + MINUTE, at + 300 * MINUTE):
        if minute.minute % 10 == 0:
            park(5, minute)
        look(minute)
    assert told() == []


def test_while_it_lasts_it_is_told_once_a_day(at: datetime) -> None:
    look(at)
    for hour in range(50):
        park(MANY * 3, at + hour * HOUR + MINUTE)
        look(at + hour * HOUR + 2 * MINUTE, at + hour * HOUR + 12 * MINUTE)
        Watch.objects.filter(key="unclaimed:email").update(level=MANY + 5)
    assert [kind for kind, _ in told()].count("flood") == 3, "SEC-008: not once for each mail"


@pytest.mark.parametrize("channel", ["email", "web_form", "chat", "phone", "api"])
def test_each_channel_is_watched_by_the_same_rule(channel: str, at: datetime) -> None:
    look(at)
    park(MANY + 1, at + MINUTE, channel)
    look(at + 2 * MINUTE)
    assert Watch.objects.troubled().get().key == f"unclaimed:{channel}"


def test_what_was_understood_is_no_flood(at: datetime) -> None:
    look(at)
    park(MANY * 3, at + MINUTE)
    Inbound.objects.update(state=InboundState.DONE)
    look(at + 2 * MINUTE)
    assert told() == []


@pytest.mark.parametrize(("shape", "title"), [("syslog", "Syslog"), ("snmp_trap", "SNMP traps")])
def test_strangers_who_flood_a_listener_are_told(shape: str, title: str, at: datetime) -> None:
    stranger = Stranger.objects.create(
        shape=shape, remote="203.0.113.9", count=5_000, first_at=at, last_at=at, last_raw=b""
    )
    look(at)
    assert told() == [], "what was counted before anybody looked is no flood"
    Stranger.objects.filter(pk=stranger.pk).update(count=5_000 + MANY + 1)
    look(at + MINUTE)
    assert told() == [("flood", f"A flood: {title}")]


def test_the_first_request_that_is_turned_away_is_told(cast: Cast, at: datetime) -> None:
    source = Source.objects.create(client=cast.acme, key="prom", name="Prometheus", shape="plain")
    look(at)
    Source.objects.filter(pk=source.pk).update(shed_count=4_000)
    look(at + MINUTE)
    Source.objects.filter(pk=source.pk).update(shed_count=9_000)
    look(at + 2 * MINUTE)
    assert told() == [("flood", "A flood: Prometheus")]
    why = "Requests turned away because more came than the desk takes."
    assert Watch.objects.get(key=f"shed:{source.pk}").why == why
    look(*each_minute(at + 3 * MINUTE, at + 24 * MINUTE))
    assert told()[1:] == [("over", "Over: Prometheus")]


def test_a_flood_on_a_public_form_is_told(cast: Cast, at: datetime) -> None:
    form = Form.objects.create(client=cast.acme, key="help", name="Help", access="public", most_per_hour=3)
    look(at)
    for _ in range(MANY + 4):
        Turnstile.turn(form, f"203.0.113.{_}", at)
    look(at + MINUTE)
    assert told() == [("flood", "A flood: Help")]


def test_two_workers_look_once(at: datetime) -> None:
    assert look_out(at) > 0
    assert look_out(at + LOOK_EVERY / 2) == 0


# -- silence


@pytest.fixture
def exchange(cast: Cast) -> Exchange:
    return Exchange.objects.create(key="house", name="House exchange", client=cast.acme, quiet_hours=2)


def rang(exchange: Exchange, at: datetime) -> None:
    Call.objects.create(
        exchange=exchange,
        client=exchange.client,
        ext_id=str(at),
        state="ended",
        started_at=at,
        ended_at=at,
    )


def test_an_exchange_that_falls_silent_is_told_once_a_day_and_when_it_is_heard(
    exchange: Exchange, at: datetime
) -> None:
    rang(exchange, at)
    look(at, at + 2 * HOUR)
    assert told() == []
    look(at + 2 * HOUR + MINUTE, at + 5 * HOUR)
    assert told() == [("silent", "House exchange is silent")]
    text = Notice.objects.get(kind="silent", channel="mail").text
    assert "Nothing has come since 08 June, 08:00 UTC; 2 hours are the longest it is silent." in text
    look(at + DAY + 3 * HOUR)
    assert len(told()) == 2
    rang(exchange, at + DAY + 4 * HOUR)
    look(at + DAY + 4 * HOUR + MINUTE)
    assert told()[2:] == [("over", "Over: House exchange")]


def test_a_silence_counts_from_when_it_is_watched(exchange: Exchange, at: datetime) -> None:
    look(at, at + HOUR)
    assert told() == []


def test_only_its_hours_count(cast: Cast, exchange: Exchange, at: datetime) -> None:
    """Monday at ten a call; the office closes at five and opens on Tuesday at nine."""
    Exchange.objects.update(quiet_hours=8, quiet_in=cast.office.calendar)
    rang(exchange, at)
    look(at, at + 7 * HOUR, at + 23 * HOUR, at + 24 * HOUR)
    assert told() == [], "seven hours on Monday, one on Tuesday"
    look(at + 24 * HOUR + MINUTE)
    assert told() == [("silent", "House exchange is silent")]
    text = Notice.objects.get(kind="silent", channel="mail").text
    assert "Nothing has come since 08 June, 08:00 UTC; in its hours it is silent for 8 at most." in text


def test_without_a_quiet_time_anything_may_be_silent(exchange: Exchange, at: datetime) -> None:
    Exchange.objects.update(quiet_hours=0)
    look(at, at + 30 * DAY)
    assert told() == []


def test_who_takes_the_quiet_time_away_ends_the_trouble(exchange: Exchange, at: datetime) -> None:
    look(at, at + 3 * HOUR)
    assert Watch.objects.troubled().exists()
    Exchange.objects.update(quiet_hours=0)
    look(at + 4 * HOUR)
    assert not Watch.objects.filter(key__startswith="exchange").exists()


def test_a_bridge_and_a_form_may_fall_silent_as_well(cast: Cast, at: datetime) -> None:
    bridge = Bridge.objects.create(client=cast.acme, key="acme", kind="slack", name="Slack", quiet_hours=2)
    form = Form.objects.create(client=cast.acme, key="help", name="Help", quiet_hours=3)
    look(at)
    for channel, meta in (("chat", {"bridge": bridge.pk}), ("web_form", {"form": form.pk})):
        pk, _ = Inbound.store(
            channel, json.dumps(meta).encode(), meta=meta, client=cast.acme.pk, at=at + HOUR
        )
        Inbound.objects.filter(pk=pk).update(state=InboundState.DONE)
    look(at + 3 * HOUR)
    assert told() == []
    look(at + 3 * HOUR + MINUTE)
    assert told() == [("silent", "Slack is silent")]
    look(at + 4 * HOUR + MINUTE)
    assert told()[1:] == [("silent", "Help is silent")]


# -- who sees it


def test_agents_see_the_troubles_of_the_house_and_of_their_clients(
    cast: Cast, exchange: Exchange, client: Any, at: datetime
) -> None:
    look(at)
    park(MANY + 1, at + 3 * HOUR)
    look(at + 3 * HOUR + MINUTE)
    client.force_login(cast.lena.user)
    page = client.get("/channels/").content.decode()
    assert "Acme GmbH · House exchange" in page
    assert "more than 20 within ten minutes" in page
    client.force_login(cast.olga.user)
    page = client.get("/channels/").content.decode()
    assert "more than 20 within ten minutes" in page
    assert "House exchange" not in page
    assert not Watch.objects.visible_to(cast.ann.user).exists()
