"""One's own pages and how one is reached; for agents alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tests.channels.pager.provider import Provider, connect, running
from tests.channels.pager.receiver import listening, receiving
from tests.channels.pager.subscriber import Subscriber
from tests.conftest import MONDAY_10
from tierdesk.channels.chat.models import Bridge
from tierdesk.channels.chat.platforms.fakes import FakeSlack
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.response.paging.models import Policy
from tierdesk.response.paging.pages import Page
from tierdesk.response.paging.ways import Way, ways_of


@pytest.fixture
def provider(settings: Any, tmp_path: Any) -> Iterator[Provider]:
    settings.HOME = tmp_path
    with running() as one:
        connect(settings, one)
        yield one


def test_an_outsider_is_not_shown_it(client: Browser, cast: Cast) -> None:
    assert client.get("/on-call/me/").status_code == 302
    client.force_login(cast.ann.user)
    assert client.get("/on-call/me/")["Location"] == "/portal/"
    assert client.post("/on-call/me/ways/sms/", {"address": "+49301234509"}).status_code == 302


def test_a_number_is_proved_by_the_code_that_was_sent(
    client: Browser, cast: Cast, provider: Provider
) -> None:
    client.force_login(cast.lena.user)
    client.post("/on-call/me/ways/sms/", {"address": "+49 30 1234509", "urgent": "on"})
    [sent] = provider.taken
    assert sent["To"] == "+49301234509"
    [code] = re.findall(r"\b\d{6}\b", sent["Body"])
    assert client.post("/on-call/me/ways/sms/code/", {"code": "none"}).status_code == 422
    client.post("/on-call/me/ways/sms/code/", {"code": code})
    assert "By mail and SMS." in client.get("/on-call/me/").content.decode()
    set_scope(EVERY_CLIENT)
    assert [reach.kind for reach in ways_of(cast.lena, "urgent")] == ["sms"]
    client.post("/on-call/me/ways/sms/removal/")
    set_scope(EVERY_CLIENT)
    assert [reach.kind for reach in ways_of(cast.lena, "urgent")] == ["mail"]


def test_without_a_provider_nobody_is_promised_a_code(client: Browser, cast: Cast, settings: Any) -> None:
    settings.SMS_FROM = ""
    client.force_login(cast.lena.user)
    answer = client.post("/on-call/me/ways/sms/", {"address": "+49 30 1234509"})
    assert answer.status_code == 422
    assert "Nothing is set up that could reach you this way" in answer.content.decode()
    assert "Number for SMS" not in client.get("/on-call/me/").content.decode()


def test_the_secret_of_a_webhook_is_shown_once(client: Browser, cast: Cast, settings: Any) -> None:
    client.force_login(cast.lena.user)
    with receiving() as receiver:
        settings.PRIVATE_HOSTS = [receiver.address]
        url = f"http://{receiver.address}/pages"
        said = client.post("/on-call/me/ways/webhook/", {"address": url, "urgent": "on"}).content.decode()
        [(_, told)] = receiver.heard
    [secret] = re.findall(r"whsec_[\w+/=]+", said)
    set_scope(EVERY_CLIENT)
    assert cast.lena.ways.get(kind="webhook").secret == secret
    assert "whsec_" not in client.get("/on-call/me/").content.decode()
    client.post("/on-call/me/ways/webhook/code/", {"code": told["data"]["code"]})
    assert "By mail and webhook." in client.get("/on-call/me/").content.decode()


def test_a_webhook_into_our_own_network_is_refused_in_words(client: Browser, cast: Cast) -> None:
    """What the name stands for is not told: an agent is no administrator."""
    client.force_login(cast.lena.user)
    answer = client.post("/on-call/me/ways/webhook/", {"address": "https://localhost/pages"})
    assert answer.status_code == 422
    said = answer.content.decode()
    assert "The desk does not call this address" in said and "127.0.0.1" not in said
    assert "Code that came to" not in said, "none was sent"


def test_a_browser_shows_its_code(client: Browser, cast: Cast, settings: Any) -> None:
    client.force_login(cast.lena.user)
    subscriber = Subscriber()
    with listening(subscriber), clock.frozen(MONDAY_10):
        settings.PRIVATE_HOSTS = [subscriber.address]
        said = {"address": f"http://{subscriber.address}/a-long-secret", "urgent": "on"}
        assert client.post("/on-call/me/ways/push/", said).status_code == 422, "without its keys"
        client.post("/on-call/me/ways/push/", said | subscriber.keys)
        [(_, told)] = subscriber.told
        client.post("/on-call/me/ways/push/code/", {"code": told["body"]})
    page = client.get("/on-call/me/").content.decode()
    assert "By mail and push notice." in page
    assert "a-long-secret" not in page


def test_a_number_for_calls_hears_its_code(client: Browser, cast: Cast, provider: Provider) -> None:
    client.force_login(cast.lena.user)
    client.post("/on-call/me/ways/voice/", {"address": "+49 30 1234509"})
    [call] = provider.called
    [spelled] = set(re.findall(r"(?:\d, ){5}\d", call["Twiml"]))
    client.post("/on-call/me/ways/voice/code/", {"code": spelled.replace(", ", "")})
    assert "By mail and voice call." in client.get("/on-call/me/").content.decode()
    set_scope(EVERY_CLIENT)
    assert not cast.lena.ways.get(kind="voice").is_urgent


@pytest.mark.parametrize("kind", ["mail", "pigeon", "chat"])
def test_what_nobody_offers_is_no_way(client: Browser, cast: Cast, kind: str) -> None:
    client.force_login(cast.lena.user)
    answer = client.post(f"/on-call/me/ways/{kind}/", {"address": "ours/C7"})
    assert answer.status_code == 422
    assert not cast.lena.ways.exists()
    assert client.post(f"/on-call/me/ways/{kind}/code/", {"code": "1"}).status_code == 422
    assert client.post(f"/on-call/me/ways/{kind}/removal/").status_code == 302


def test_a_chat_is_offered_where_a_bridge_is_our_own(client: Browser, cast: Cast, settings: Any) -> None:
    client.force_login(cast.lena.user)
    with FakeSlack().running() as slack:
        settings.PRIVATE_HOSTS = [slack.url.removeprefix("http://")]
        bridge = Bridge(client=cast.acme, key="ours", kind="slack", name="Our Slack", url=slack.url)
        bridge.token, bridge.pages_agents = slack.token, True
        bridge.save()
        assert "Our Slack" in client.get("/on-call/me/").content.decode()
        client.post("/on-call/me/ways/chat/", {"bridge": "ours", "address": "C7"})
        [post] = slack.posts
    client.post("/on-call/me/ways/chat/code/", {"code": re.findall(r"\d{6}", post["text"])[0]})
    assert "By mail and chat." in client.get("/on-call/me/").content.decode()


def test_the_order_of_ways_is_changed_as_a_whole_or_not_at_all(client: Browser, cast: Cast) -> None:
    Way.objects.create(agent=cast.lena, kind="sms", address="+49301234509", verified_at=MONDAY_10)
    client.force_login(cast.lena.user)
    assert client.post("/on-call/me/order/", {"mail": "3", "sms": "never"}).status_code == 422
    assert "By mail and SMS." in client.get("/on-call/me/").content.decode()
    client.post("/on-call/me/order/", {"mail": "0", "sms": "2"})
    assert "By mail and SMS after 2 min." in client.get("/on-call/me/").content.decode()


def test_only_pages_that_wait_for_oneself_are_listed(
    client: Browser,
    cast: Cast,
    provider: Provider,
    doing: Callable[..., Any],
    live_until: Callable[..., None],
) -> None:
    steps = [{"after": 0, "page": ["user:lena@desk.example"]}]
    Policy.publish("p1", name="P1", said={"teams": ["desk"], "priorities": [1], "steps": steps})
    with doing(cast.ann.user):
        ticket = cast.ticket(impact=1, urgency=1)
    live_until(MONDAY_10 + timedelta(minutes=1))
    client.force_login(cast.lou.user)
    assert ticket.reference not in client.get("/on-call/me/").content.decode()
    client.force_login(cast.lena.user)
    assert ticket.reference in client.get("/on-call/me/").content.decode()
    set_scope(EVERY_CLIENT)
    with clock.frozen(MONDAY_10 + timedelta(minutes=2)):
        client.post(f"/pages/{Page.objects.get().token}/")
    assert "Nothing calls you" in client.get("/on-call/me/").content.decode()


def test_its_button_acknowledges_one_ticket_also_of_many_that_came_together(
    client: Browser,
    cast: Cast,
    provider: Provider,
    doing: Callable[..., Any],
    live_until: Callable[..., None],
) -> None:
    steps = [{"after": 0, "page": ["user:lena@desk.example"]}]
    Policy.publish("p1", name="P1", said={"teams": ["desk"], "priorities": [1], "steps": steps})
    with doing(cast.ann.user):
        tickets = [cast.ticket(impact=1, urgency=1, subject=f"Number {n}") for n in (1, 2)]
    live_until(MONDAY_10 + timedelta(minutes=1))
    client.force_login(cast.lena.user)
    said = client.get("/on-call/me/").content.decode()
    forms = re.findall(r'action="(/pages/[^"]+)".*?name="page" value="(\d+)"', said, re.DOTALL)
    assert len(forms) == 2
    with clock.frozen(MONDAY_10 + timedelta(minutes=2)):
        client.post(forms[0][0], {"page": forms[0][1]})
    left = client.get("/on-call/me/").content.decode()
    assert [ticket.reference in left for ticket in tickets].count(True) == 1


@pytest.mark.parametrize("minutes", ["9" * 14, "9" * 5000])
def test_a_wait_of_ages_is_refused_in_words(client: Browser, cast: Cast, minutes: str) -> None:
    client.force_login(cast.lena.user)
    answer = client.post("/on-call/me/order/", {"mail": minutes})
    assert (answer.status_code, "from 0 to 60" in answer.content.decode()) == (422, True)


@pytest.mark.parametrize("until", ["9999-12-31T23:59"])
def test_an_absence_until_the_end_of_time_is_refused_in_words(
    client: Browser, cast: Cast, until: str
) -> None:
    type(cast.lena.user).objects.filter(pk=cast.lena.user_id).update(timezone="America/New_York")
    client.force_login(cast.lena.user)
    answer = client.post("/on-call/me/absence/", {"until": until})
    assert (answer.status_code, "is not a date and time" in answer.content.decode()) == (422, True)


@pytest.mark.parametrize(
    "address",
    [
        "https://hooks.example.com:99999/pages",
        "https://hooks.example.com:none/pages",
        "https://hooks.example.com/seiten/für-mich",
        "https://[::1",
    ],
)
def test_an_address_that_cannot_be_called_is_refused_in_words(
    client: Browser, cast: Cast, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tierdesk.core.reach.socket.getaddrinfo", _one_that_answers)
    client.force_login(cast.lena.user)
    answer = client.post("/on-call/me/ways/webhook/", {"address": address})
    assert (answer.status_code, "Write the whole address" in answer.content.decode()) == (422, True)


def _one_that_answers(host: str, port: int, **_more: Any) -> list[Any]:
    return [(2, 1, 6, "", ("127.0.0.1", port))]


def test_who_one_is_in_a_chat_is_said_by_a_code_that_is_shown_once(client: Browser, cast: Cast) -> None:
    client.force_login(cast.lena.user)
    assert client.post("/on-call/me/ways/chat/identity/").status_code == 422
    set_scope(EVERY_CLIENT)
    way = Way.objects.create(agent=cast.lena, kind="chat", address="ours/C7", verified_at=MONDAY_10)
    assert "say once who you are in that chat" in client.get("/on-call/me/").content.decode()
    shown = client.post("/on-call/me/ways/chat/identity/").content.decode()
    [code] = re.findall(r'value="(\d{6})"', shown)
    assert code not in client.get("/on-call/me/").content.decode()
    set_scope(EVERY_CLIENT)
    way.refresh_from_db()
    assert way.recognise(code, "@lena:chat.example", at=clock.now())
    known = client.get("/on-call/me/").content.decode()
    assert "you are known as @lena:chat.example" in known
    client.force_login(cast.tom.user)
    assert client.post("/on-call/me/ways/chat/identity/").status_code == 422, "one’s own alone"
    client.force_login(cast.ann.user)
    assert client.post("/on-call/me/ways/chat/identity/").status_code in (302, 403)
