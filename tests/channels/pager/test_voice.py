"""Pages by a call, through a provider that really answers: read out, acknowledged or passed on by a key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tests.channels.pager.conftest import Burning, after, states
from tests.channels.pager.provider import Provider, connect, running, say
from tests.conftest import MONDAY_10
from tierdesk.channels.pager import voice
from tierdesk.channels.pager.out import send_code
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.response.paging.models import Paging
from tierdesk.response.paging.pages import Page
from tierdesk.response.paging.ways import Way
from tierdesk.tickets.models import Entry, Ticket

LENA = "+49301234509"
Live = Callable[..., None]


@pytest.fixture
def provider(settings: Any, cast: Cast) -> Iterator[Provider]:
    with running() as one:
        connect(settings, one)
        way, code = Way.propose(cast.lena, "voice", LENA, is_urgent=True, at=MONDAY_10)
        send_code(way, code)
        [call] = one.called
        assert ", ".join(code) in call["Twiml"]
        way.verify(code, at=MONDAY_10)
        one.called.clear()
        yield one


class Telephone:
    """Lena's: what the provider does with the call to her."""

    def __init__(self, browser: Browser, provider: Provider) -> None:
        self.browser, self.provider = browser, provider

    def post(self, url: str, **fields: str) -> Any:
        with clock.frozen(after(20)):
            answer = say(self.browser, url, {"CallSid": "CA1", "To": LENA} | fields)
        set_scope(EVERY_CLIENT)
        return answer

    def taken(self) -> Xml.Element:
        return Xml.fromstring(self.post(self.provider.called[-1]["Url"]).content)

    def presses(self, key: str) -> str:
        gather = self.taken().find("Gather")
        assert gather is not None
        return spoken(Xml.fromstring(self.post(gather.attrib["action"], Digits=key).content))

    def ends(self, status: str) -> None:
        assert self.post(self.provider.called[-1]["StatusCallback"], CallStatus=status).status_code == 204


def spoken(said: Xml.Element) -> str:
    return " ".join(one.text or "" for one in said.iter("Say"))


@pytest.fixture
def telephone(client: Browser, provider: Provider) -> Telephone:
    return Telephone(client, provider)


@pytest.fixture
def ringing(burning: Burning, provider: Provider, live_until: Live) -> Ticket:
    ticket = burning(steps=TWO)
    live_until(after(1))
    assert len(provider.called) == 1
    return ticket


TWO = [
    {"after": 0, "page": ["user:lena@desk.example"], "via": "urgent"},
    {"after": 300, "page": ["user:lou@desk.example"]},
]


def test_the_provider_is_told_whom_to_call_and_where_to_ask(ringing: Ticket, provider: Provider) -> None:
    [call] = provider.called
    assert (call["To"], call["From"]) == (LENA, "+4930998")
    assert call["Url"].endswith("/voice/") and call["StatusCallback"] == f"{call['Url']}end/"
    assert states(ringing) == {"voice": "sent"}


def test_the_call_reads_the_page_out_and_waits_for_a_key(ringing: Ticket, telephone: Telephone) -> None:
    said = telephone.taken()
    assert "Acme GmbH, priority 1: VPN does not connect" in spoken(said)
    assert "Press 1 to acknowledge, 2 to pass it on." in spoken(said)
    assert Paging.objects.get(ticket=ringing).state == "calling"


def test_one_acknowledges(cast: Cast, ringing: Ticket, telephone: Telephone) -> None:
    assert telephone.presses("1") == f"You acknowledged {ringing.reference}."
    paging = Paging.objects.get(ticket=ringing)
    assert (paging.state, paging.acked_by) == ("acknowledged", cast.lena)
    assert "Nobody needs to look any more" in spoken(telephone.taken())


def test_two_calls_the_next_one_at_once(
    cast: Cast, ringing: Ticket, telephone: Telephone, live_until: Live
) -> None:
    assert telephone.presses("2") == f"You passed on {ringing.reference}."
    live_until(after(21))
    assert Page.objects.get(paging__ticket=ringing, agent=cast.lou).sent_at == after(20)
    assert Paging.objects.get(ticket=ringing).state == "calling"
    [passed] = Entry.objects.of(ringing.pk).filter(kind="page_passed_on")
    assert passed.details["agent_name"] == "Lena Lang"


def test_another_key_does_nothing(ringing: Ticket, telephone: Telephone) -> None:
    assert telephone.presses("7").startswith("This key does nothing here.")
    assert Paging.objects.get(ticket=ringing).state == "calling"


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed", "canceled"])
def test_a_call_that_nobody_took_is_told_once_and_mail_is_written(
    status: str, ringing: Ticket, telephone: Telephone, live_until: Live
) -> None:
    telephone.ends(status)
    telephone.ends(status)
    live_until(after(60))
    assert states(ringing) == {"voice": "failed", "mail": "sent"}
    assert Entry.objects.of(ringing.pk).filter(kind="page_failed").count() == 1


def test_a_call_that_was_taken_and_ended_is_a_page_like_any_other(
    ringing: Ticket, telephone: Telephone
) -> None:
    telephone.ends("completed")
    assert states(ringing) == {"voice": "sent"}


def test_what_the_account_has_not_signed_is_turned_away(
    client: Browser, ringing: Ticket, provider: Provider
) -> None:
    url = provider.called[-1]["Url"]
    for place in (url, f"{url}key/", f"{url}end/"):
        assert say(client, place, {"Digits": "1"}, token="another").status_code == 401
    assert Paging.objects.get(ticket=ringing).state == "calling"


def test_a_provider_that_takes_no_calls_gives_way_to_mail(
    burning: Burning, provider: Provider, live_until: Live
) -> None:
    provider.answers = [400]
    ticket = burning(steps=TWO)
    live_until(after(1))
    assert states(ticket) == {"voice": "failed", "mail": "sent"}


def test_a_call_comes_after_its_time_unless_somebody_acknowledged(
    cast: Cast, burning: Burning, provider: Provider, live_until: Live, doing: Callable[..., Any]
) -> None:
    Way.let_wait(cast.lena, "voice", "2")
    first = burning()
    live_until(after(119))
    assert (provider.called, states(first)) == ([], {"mail": "sent", "voice": "pending"})
    live_until(after(121))
    assert len(provider.called) == 1
    second = burning(subject="Again", at=after(600))
    live_until(after(601))
    with doing(cast.lena, after(660)):
        Ticket.objects.get(pk=second.pk).take(cast.lena)
    live_until(MONDAY_10 + timedelta(hours=1))
    assert (len(provider.called), states(second)) == (1, {"mail": "sent", "voice": "dropped"})


@pytest.mark.parametrize("many", [1, 2])
def test_a_call_that_ends_before_it_is_written_down_is_told_as_missed_all_the_same(
    burning: Burning,
    provider: Provider,
    client: Browser,
    live_until: Live,
    monkeypatch: pytest.MonkeyPatch,
    many: int,
) -> None:
    """The provider says that nobody took it before the sender has noted that it was made."""
    phone = Telephone(client, provider)
    hand_over = voice.provider.hand_over

    def and_ends(*said: Any) -> None:
        hand_over(*said)
        phone.ends("no-answer")

    monkeypatch.setattr(voice.provider, "hand_over", and_ends)
    tickets = [burning(steps=TWO, subject=f"Number {n}") for n in range(many)]
    live_until(after(1))
    for ticket in tickets:
        assert (
            Page.objects.get(
                paging__ticket=ticket, agent__user__email="lena@desk.example", channel="voice"
            ).state
            == "failed"
        )
        [failed] = Entry.objects.of(ticket.pk).filter(kind="page_failed")
        assert failed.details["why"] == "nobody took the call"
    assert Paging.objects.filter(state="calling").count() == many
