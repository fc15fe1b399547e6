"""The agents' side of chats: what each sees and may do, and what an outsider does not find."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client as Browser

from tests.cast import Cast
from tests.channels.chat.conftest import Talk, sit
from tierdesk.channels.chat.models import Bridge, ChatState, Conversation, Seat
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.directory.staff.models import Agent
from tierdesk.tickets.models import Entry, Message

type Enter = Callable[[Agent], Browser]


@pytest.fixture(autouse=True)
def _monday_morning(at: datetime) -> Iterator[None]:
    with clock.frozen(at):
        yield


@pytest.fixture
def enter() -> Enter:
    def of(agent: Agent) -> Browser:
        browser = Browser()
        browser.force_login(agent.user)
        return browser

    return of


@pytest.fixture
def chat(cast: Cast, at: datetime, talk: Talk) -> Conversation:
    """Vera waits; Lena and Lou are there."""
    sit(cast.lena, at)
    sit(cast.lou, at)
    talk.say("My VPN is dead.", at)
    return talk.conversation


def post(browser: Browser, address: str, form: dict[str, Any] | None = None, **headers: str) -> HttpResponse:
    answer = browser.post(address, form or {}, headers=headers)
    set_scope(EVERY_CLIENT)
    return answer


def reads(browser: Browser, address: str, **headers: str) -> str:
    answer = browser.get(address, headers=headers)
    set_scope(EVERY_CLIENT)
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_agent_switches_the_seat_on_and_off(cast: Cast, enter: Enter) -> None:
    lena = enter(cast.lena)
    assert "You take no chats now." in reads(lena, "/chats/")
    post(lena, "/chats/seat/", {"open": "on", "most": "2"})
    assert (Seat.objects.get().is_open, Seat.objects.get().most) == (True, 2)
    post(lena, "/chats/seat/", {"most": "9999999999"})
    assert (Seat.objects.get().is_open, Seat.objects.get().most) == (False, 3)


def test_a_waiting_chat_stands_over_the_queue_and_in_the_navigation(
    cast: Cast, enter: Enter, chat: Conversation
) -> None:
    page = reads(enter(cast.lena), "/queues/mine/")
    assert page.index("Waiting for you") < page.index('id="rows"')
    assert f"/chats/{chat.pk}/acceptance/" in page
    assert '<span class="count" data-tone="danger">1' in reads(enter(cast.lena), "/chats/count/")


def test_it_is_not_shown_to_a_team_that_it_is_not_offered_to(
    cast: Cast, enter: Enter, at: datetime, chat: Conversation
) -> None:
    sit(cast.tom, at)
    assert f"/chats/{chat.pk}/acceptance/" not in reads(enter(cast.tom), "/chats/")
    assert "1 chat waits for somebody else." in reads(enter(cast.tom), "/chats/")


def test_accept_talk_hand_over_and_end(cast: Cast, enter: Enter, chat: Conversation) -> None:
    lena, lou = enter(cast.lena), enter(cast.lou)
    post(lena, f"/chats/{chat.pk}/acceptance/")
    post(lena, f"/chats/{chat.pk}/words/", {"text": "Let me look."})
    assert Message.objects.get(direction="outbound").text == "Let me look."
    assert "Let me look." in reads(lena, f"/chats/{chat.pk}/")
    post(lena, f"/chats/{chat.pk}/hand-over/", {"to": f"agent:{cast.lou.pk}", "why": "knows it"})
    assert Conversation.objects.get().agent == cast.lou
    refused = post(lena, f"/chats/{chat.pk}/words/", {"text": "And another thing"}, **{"HX-Request": "true"})
    assert (refused.status_code, Message.objects.count()) == (422, 2)
    post(lou, f"/chats/{chat.pk}/end/")
    assert Conversation.objects.get().state == ChatState.ENDED
    assert Entry.objects.get(kind="chat_ended").details["why"] == "Lou Lead ended it"


@pytest.mark.parametrize("verb", ["end", "hand-over"])
def test_whoever_does_not_talk_does_not_decide(
    cast: Cast, enter: Enter, chat: Conversation, at: datetime, verb: str
) -> None:
    post(enter(cast.lena), f"/chats/{chat.pk}/acceptance/")
    post(enter(cast.tom), f"/chats/{chat.pk}/{verb}/", {"to": f"team:{cast.ops.pk}"})
    now = Conversation.objects.get()
    assert (now.state, now.agent) == (ChatState.LIVE, cast.lena)


def test_typing_is_shown_for_who_talks_alone(
    cast: Cast, enter: Enter, chat: Conversation, at: datetime
) -> None:
    post(enter(cast.lena), f"/chats/{chat.pk}/acceptance/")
    post(enter(cast.tom), f"/chats/{chat.pk}/typing/", {"typing": "1"})
    assert Conversation.objects.get().agent_typed_at is None
    post(enter(cast.lena), f"/chats/{chat.pk}/typing/", {"typing": "1"})
    assert Conversation.objects.get().agent_typed_at == at


def test_lines_after_the_last_one_shown_come_alone(
    cast: Cast, enter: Enter, chat: Conversation, talk: Talk, at: datetime
) -> None:
    first = Message.objects.get()
    talk.say("Since this morning.", at)
    fresh = reads(enter(cast.lena), f"/chats/{chat.pk}/?after={first.pk}", **{"HX-Request": "true"})
    assert "Since this morning." in fresh and "My VPN is dead." not in fresh


def test_an_agent_of_another_client_finds_no_chat(
    cast: Cast, enter: Enter, chat: Conversation, at: datetime
) -> None:
    sit(cast.olga, at)
    olga = enter(cast.olga)
    for address in (f"/chats/{chat.pk}/", f"/chats/{chat.pk}/?after=0"):
        assert olga.get(address).status_code == 404
    for verb in ("acceptance", "words", "typing", "hand-over", "end"):
        assert olga.post(f"/chats/{chat.pk}/{verb}/", {"text": "x"}).status_code == 404
    assert "Vera" not in reads(olga, "/chats/")
    assert Conversation.objects.get().state == ChatState.WAITING


@pytest.mark.parametrize("page", ["/chats/", "/chats/count/", "/chats/{chat}/"])
def test_strangers_sign_in_and_contacts_go_to_the_portal(
    cast: Cast, chat: Conversation, client: Browser, page: str
) -> None:
    address = page.format(chat=chat.pk)
    assert client.get(address).headers["Location"].startswith("/sign-in/")
    client.force_login(cast.ann.user)
    assert client.get(address).headers["Location"] == "/portal/"


def test_who_answers_in_a_thread_reads_where_it_goes_and_that_it_is_plain(
    cast: Cast, enter: Enter, chat: Conversation
) -> None:
    page = reads(enter(cast.lena), f"/tickets/{chat.ticket_id}/")
    assert "the visitor, in the chat or by mail" in page
    assert "Write plain words…" in page and "Write in Markdown…" not in page
    bridge = Bridge.objects.create(client=cast.acme, key="acme-matrix", kind="matrix", name="Matrix at Acme")
    Conversation.objects.filter(pk=chat.pk).update(bridge=bridge, thread="!room $event")
    assert "the thread at Matrix at Acme" in reads(enter(cast.lena), f"/tickets/{chat.ticket_id}/")
