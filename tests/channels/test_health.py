"""How the channels do: what was heard, what waits, what is in trouble, and only for whom it concerns."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.cast import Cast
from tests.exchange import Pbx, connect
from tierdesk.channels.alarms.models import Refusal, Source
from tierdesk.channels.chat.models import Bridge, Seat, Widget
from tierdesk.channels.email.models import Collection, Mailbox
from tierdesk.channels.health import Health, healths, way_out
from tierdesk.channels.models import Inbound, InboundState
from tierdesk.directory.staff.models import User
from tierdesk.response.notifications.models import Notice, NoticeState

HOUR = timedelta(hours=1)


def health(user: User, key: str, at: datetime) -> Health:
    return next(one for one in healths(user, at) if one.key == key)


def mail(cast: Cast, at: datetime, words: bytes, state: str = InboundState.DONE) -> None:
    pk, _ = Inbound.store("email", words, client=cast.acme.pk, at=at)
    due = at if state == InboundState.NEW else None
    Inbound.objects.filter(pk=pk).update(state=state, wake_at=due)


def source(cast: Cast, **values: object) -> Source:
    one = Source(client=cast.acme, key="prometheus", name="Prometheus", shape="alertmanager", **values)
    one.take_new_token()
    one.save()
    return one


def test_every_channel_is_told_of_even_if_nothing_ever_came(cast: Cast, at: datetime) -> None:
    found = healths(cast.lena.user, at)
    assert {"Alarms", "Chat", "E-mail", "Phone"} <= {one.name for one in found}
    assert all(one.heard_at is None and not one.lately and not one.waiting for one in found)


def test_a_channel_says_what_came_lately_and_what_waits(cast: Cast, at: datetime) -> None:
    mail(cast, at - 30 * HOUR, b"long ago")
    mail(cast, at - 3 * HOUR, b"parked", InboundState.PARKED)
    mail(cast, at - 2 * HOUR, b"first", InboundState.NEW)
    mail(cast, at - HOUR, b"second", InboundState.NEW)
    email = health(cast.lena.user, "email", at)
    assert (email.heard_at, email.lately) == (at - HOUR, 3)
    assert (email.waiting, email.waits_since, email.parked) == (2, at - 2 * HOUR, 1)


def test_an_agent_of_another_client_is_told_nothing_of_it(cast: Cast, at: datetime) -> None:
    mail(cast, at, b"parked", InboundState.PARKED)
    source(cast)
    assert health(cast.olga.user, "email", at).parked == 0
    assert health(cast.olga.user, "alarms", at).parts == []


def test_a_source_that_broke_its_promise_is_in_trouble(cast: Cast, at: datetime) -> None:
    source(cast, beat_s=300, silent_since=at - HOUR, last_received_at=at - 2 * HOUR)
    alarms = health(cast.lena.user, "alarms", at)
    assert alarms.in_trouble and alarms.heard_at == at - 2 * HOUR and alarms.lately is None
    [part] = alarms.parts
    assert (part.name, part.client, part.since) == ("Prometheus", "Acme GmbH", at - HOUR)
    assert part.trouble == "It promised a beat every 5 min and is silent."


@pytest.mark.parametrize(("hours", "said"), [(1, "Not understood within a day: 1."), (30, "")])
def test_what_was_not_understood_is_trouble_for_a_day(
    cast: Cast, at: datetime, hours: int, said: str
) -> None:
    one = source(cast)
    Refusal.objects.create(
        client=cast.acme, source=one, received_at=at - hours * HOUR, reason="no JSON", raw=b"?"
    )
    assert [part.trouble for part in health(cast.lena.user, "alarms", at).parts] == [said]


def test_what_was_turned_away_is_counted(cast: Cast, at: datetime) -> None:
    source(cast, shed_count=7)
    [part] = health(cast.lena.user, "alarms", at).parts
    assert part.trouble == "Turned away so far, because more came than the desk takes: 7."


def test_an_exchange_says_when_it_last_told_of_a_call(cast: Cast, at: datetime) -> None:
    pbx: Pbx = connect(cast)
    pbx.says("newCall", at)
    [part] = health(cast.lena.user, "phone", at).parts
    assert (part.heard_at, part.trouble) == (at, "")


def test_a_mailbox_that_is_not_fetched_says_why_to_whom_it_concerns(cast: Cast, at: datetime) -> None:
    mailbox = Mailbox.objects.create(address="acme@desk.example", client=cast.acme, imap_host="mail.example")
    state = Collection.objects.create(mailbox=mailbox, looked_at=at, fetched_at=at - HOUR)
    [part] = health(cast.lena.user, "email", at).parts
    assert (part.name, part.client, part.heard_at, part.trouble) == (
        "acme@desk.example",
        "Acme GmbH",
        at - HOUR,
        "",
    )
    state.error, state.failing_since = "Nobody listens at this port.", at - HOUR
    state.save()
    [part] = health(cast.lena.user, "email", at).parts
    assert (part.trouble, part.since) == ("Nobody listens at this port.", at - HOUR)
    assert health(cast.olga.user, "email", at).parts == []
    state.error, state.skipped = "", {"7": [1, "no", "2026-01-01T00:00:00+00:00"]}
    state.save()
    [part] = health(cast.lena.user, "email", at).parts
    assert part.trouble == "Mails that its server does not give: 1."


def test_an_open_chat_that_nobody_takes_is_in_trouble(cast: Cast, at: datetime) -> None:
    Widget.objects.create(client=cast.acme, key="help", name="Help")
    [part] = health(cast.lena.user, "chat", at).parts
    assert part.trouble == "It is open and nobody takes chats: visitors are answered by mail."
    Seat.objects.create(agent=cast.lena, is_open=True, seen_at=at)
    [part] = health(cast.lena.user, "chat", at).parts
    assert part.trouble == ""


def test_a_bridge_without_its_secrets_says_which(cast: Cast, at: datetime) -> None:
    bridge = Bridge(client=cast.acme, key="slack", kind="slack", name="Slack")
    bridge.token = "xoxb"
    bridge.save()
    [part] = health(cast.lena.user, "chat", at).parts
    assert part.trouble == "The secret is not set. Nothing is taken in or sent."
    bridge.secret = "signs"
    bridge.save()
    Bridge.objects.update(url="https://evil.example")
    [part] = health(cast.lena.user, "chat", at).parts
    assert part.trouble == (
        "The token: It was given for another server, or sealed with another key of the desk: enter it again."
    )


def test_teams_proves_itself_with_keys_of_its_own(cast: Cast, at: datetime) -> None:
    bridge = Bridge(client=cast.acme, key="teams", kind="teams", name="Teams")
    bridge.token = "shown"
    bridge.save()
    [part] = health(cast.lena.user, "chat", at).parts
    assert part.trouble == ""


def test_the_way_out_says_what_waits_and_what_failed(cast: Cast, at: datetime) -> None:
    told = {
        "client": cast.acme,
        "kind": "reply",
        "address": "ann@acme.example",
        "subject": "Re:",
        "text": "…",
    }
    Notice.objects.create(**told, created_at=at - HOUR, wake_at=at)
    Notice.objects.create(**told, created_at=at - HOUR, state=NoticeState.FAILED)
    Notice.objects.create(**told, created_at=at - timedelta(days=8), state=NoticeState.FAILED)
    out = way_out(cast.lena.user, at)
    assert (out.waiting, out.waits_since, out.failed) == (1, at - HOUR, 1)
    assert way_out(cast.olga.user, at).waiting == 0
