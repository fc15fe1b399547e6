"""The page of an alarm source: how it does, what was not understood, how it is pointed here; for its agents alone."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tests.channels.alarms.shapes.traps import link
from tierdesk.channels.alarms.models import MaintenanceWindow, Refusal, Source, Stranger
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, set_scope


@pytest.fixture
def source(cast: Cast) -> Source:
    one = Source(client=cast.acme, key="zabbix", name="Zabbix at Acme", shape="zabbix")
    one.take_new_token()
    one.save()
    return one


def address(source: Source) -> str:
    return f"/channels/alarms/{source.pk}/"


def test_the_page_says_how_the_source_is_pointed_here(cast: Cast, client: Browser, source: Source) -> None:
    client.force_login(cast.lena.user)
    page = client.get(address(source)).content.decode()
    assert "Zabbix at Acme" in page and "/in/TOKEN" in page
    assert 'href="/channels/senders/zabbix_media_type.yaml/"' in page
    assert "Nothing waits: everything that it sent was understood" in page


RAW = b'<script>alert(1)</script>\x00{"event_id": '


@pytest.fixture
def refusal(cast: Cast, source: Source, at: datetime) -> Refusal:
    told = {"client": cast.acme, "received_at": at, "reason": "The body is not JSON.", "remote": "10.0.0.9"}
    one: Refusal = Refusal.objects.create(source=source, raw=RAW, **told)
    return one


def test_what_was_not_understood_is_told_of(
    cast: Cast, client: Browser, source: Source, refusal: Refusal, at: datetime
) -> None:
    client.force_login(cast.lena.user)
    with clock.frozen(at):
        page = client.get(address(source)).content.decode()
    assert "Not understood within a day: 1." in page
    assert "The body is not JSON." in page and "10.0.0.9" in page
    assert f'href="{address(source)}refusals/{refusal.pk}/"' in page


def test_it_is_shown_as_it_came(cast: Cast, client: Browser, source: Source, refusal: Refusal) -> None:
    client.force_login(cast.lena.user)
    page = client.get(f"{address(source)}refusals/{refusal.pk}/").content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page and "<script>alert" not in page
    assert "Try again" in page and "Discard" in page


def test_it_is_tried_again_or_discarded_there(
    cast: Cast, client: Browser, source: Source, refusal: Refusal
) -> None:
    client.force_login(cast.lena.user)
    page = f"{address(source)}refusals/{refusal.pk}/"
    assert "The body is not JSON" in client.post(page, follow=True).content.decode()
    assert "Say why it is discarded." in client.post(page, {"discard": "1"}, follow=True).content.decode()
    done = client.post(page, {"discard": "1", "why": "A test <b>of</b> theirs"}, follow=True).content.decode()
    assert "Discarded; the bytes are kept." in done and "A test &lt;b&gt;of&lt;/b&gt; theirs" in done
    assert "Nothing waits" in done
    assert "Try again" not in client.get(page).content.decode()


def test_all_that_waits_is_tried_again_at_once(
    cast: Cast, client: Browser, source: Source, refusal: Refusal, at: datetime
) -> None:
    told = {"client": cast.acme, "received_at": at, "reason": "It was another shape then."}
    raw = b'{"key": "k", "summary": "s"}'
    Refusal.objects.create(source=source, raw=raw, **told)
    Source.objects.filter(pk=source.pk).update(shape="plain")
    client.force_login(cast.lena.user)
    page = client.post(f"{address(source)}again/", follow=True).content.decode()
    assert "Understood now: 1." in page and "Still not understood: 1." in page
    set_scope(EVERY_CLIENT)
    assert list(Refusal.objects.waiting()) == [refusal]


def test_an_agent_of_other_clients_decides_nothing(
    cast: Cast, client: Browser, source: Source, refusal: Refusal
) -> None:
    client.force_login(cast.olga.user)
    page = f"{address(source)}refusals/{refusal.pk}/"
    assert client.get(page).status_code == 404
    assert client.post(page, {"discard": "1", "why": "mine now"}).status_code == 404
    assert client.post(f"{address(source)}again/").status_code == 404
    set_scope(EVERY_CLIENT)
    assert Refusal.objects.waiting().count() == 1


def test_who_is_turned_away_from_syslog_over_tls_is_named_with_the_reason(
    cast: Cast, client: Browser, at: datetime
) -> None:
    times = {"first_at": at, "last_at": at}
    Stranger.objects.create(
        shape="syslog_tls", remote="192.0.2.44", last_raw=b"It shows no certificate.", **times
    )
    client.force_login(cast.lena.user)
    page = client.get("/channels/").content.decode()
    assert re.search(r"192\.0\.2\.44</th><td>Syslog over TLS</td>.*It shows no certificate\.", page)


def test_a_stranger_s_last_words_are_shown_without_its_community(
    cast: Cast, client: Browser, at: datetime
) -> None:
    told = {"count": 3, "first_at": at, "last_at": at}
    Stranger.objects.create(
        shape="snmp_trap", remote="192.0.2.1", last_raw=link("down", 2, community="hush"), **told
    )
    Stranger.objects.create(
        shape="syslog", remote="192.0.2.2", last_raw=b"<14>1 - db1 app - - - fine", **told
    )
    client.force_login(cast.lena.user)
    page = client.get("/channels/").content.decode()
    assert "linkDown Gi0/2 at 192.0.2.1" in page and "hush" not in page
    assert "192.0.2.2" in page
    client.force_login(cast.olga.user)
    assert "192.0.2.1" not in client.get("/channels/").content.decode()


def test_maintenance_is_shown_with_when_it_ends_or_begins(
    cast: Cast, client: Browser, source: Source, at: datetime
) -> None:
    window = {"client": cast.acme, "resource": "db*"}
    MaintenanceWindow.objects.create(key="a", name="Somebody patches", source=source, **window)
    MaintenanceWindow.objects.create(key="b", name="Tonight", begins_at=at + timedelta(hours=9), **window)
    MaintenanceWindow.objects.create(key="c", name="Long over", ends_at=at, **window)
    for page in (address(source), "/channels/"):
        client.force_login(cast.lena.user)
        with clock.frozen(at):
            shown = client.get(page).content.decode()
        assert "Somebody patches" in shown and "until somebody ends it" in shown
        assert "Tonight" in shown and "Long over" not in shown
    client.force_login(cast.olga.user)
    assert "Somebody patches" not in client.get("/channels/").content.decode()


def test_a_window_is_ended_now_with_a_reason(
    cast: Cast, client: Browser, source: Source, at: datetime
) -> None:
    one = MaintenanceWindow.objects.create(
        client=cast.acme, key="a", name="Patches", ends_at=at + timedelta(hours=2)
    )
    end = f"/channels/maintenance/{one.pk}/end/"
    client.force_login(cast.olga.user)
    assert client.post(end, {"why": "mine"}).status_code == 404
    client.force_login(cast.ann.user)
    assert client.post(end, {"why": "mine"}).headers["Location"] == "/portal/"
    client.force_login(cast.lena.user)
    with clock.frozen(at + timedelta(hours=1)):
        client.post(end, {"why": ""})
        assert "Say why it ends early" in client.get("/channels/").content.decode()
        client.post(end, {"why": "the patch is in"})
        page = client.get("/channels/").content.decode()
    assert "ended early by Lena Lang: the patch is in" in page
    assert "End now" not in page
    set_scope(EVERY_CLIENT)
    one.refresh_from_db()
    assert one.ends_at == at + timedelta(hours=1)


def test_an_agent_of_other_clients_finds_no_such_page(cast: Cast, client: Browser, source: Source) -> None:
    client.force_login(cast.olga.user)
    assert client.get(address(source)).status_code == 404


def test_what_is_installed_at_the_monitoring_can_be_fetched(cast: Cast, client: Browser) -> None:
    client.force_login(cast.lena.user)
    answer = client.get("/channels/senders/tierdesk-notify/")
    assert answer.status_code == 200
    assert answer.content.startswith(b"#!/usr/bin/env python3")
    assert 'filename="tierdesk-notify"' in answer.headers["Content-Disposition"]


@pytest.mark.parametrize("name", ["..", "guide.py", "%2e%2e%2fguide.py"])
def test_nothing_else_can(cast: Cast, client: Browser, name: str) -> None:
    client.force_login(cast.lena.user)
    assert client.get(f"/channels/senders/{name}/").status_code == 404


@pytest.mark.parametrize("page", ["alarms/1/", "alarms/1/refusals/1/", "senders/tierdesk-notify/"])
def test_strangers_and_contacts_are_sent_away(cast: Cast, client: Browser, page: str) -> None:
    assert client.get(f"/channels/{page}").headers["Location"].startswith("/sign-in/")
    client.force_login(cast.ann.user)
    assert client.get(f"/channels/{page}").headers["Location"].startswith("/portal/")
