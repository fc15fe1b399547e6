"""The door of the widget: who may knock, and what each learns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import override_settings

from tests.cast import Cast
from tests.channels.chat.conftest import TOKEN, sit
from tests.web.portal.conftest import Browser
from tierdesk.channels.chat.models import ChatState, Conversation, Widget, digest
from tierdesk.core import clock
from tierdesk.directory.clients.models import Contact
from tierdesk.tickets.models import Message, Ticket

ACMES_PAGE = "https://www.acme.example"
DOOR = "/portal/chat/acme-help/"


@pytest.fixture(autouse=True)
def _monday_morning(at: datetime) -> Iterator[None]:
    with clock.frozen(at):
        yield


def knock(
    browser: Browser,
    path: str,
    words: dict[str, Any] | None = None,
    *,
    token: str = TOKEN,
    origin: str = ACMES_PAGE,
) -> HttpResponse:
    """What the widget's script does on a page of `origin`."""
    headers = {"Authorization": f"Bearer {token}", "Origin": origin}
    if words is None:
        return browser.get(DOOR + path, headers=headers)
    return browser.post(DOOR + path, json.dumps(words), content_type="application/json", headers=headers)


def say(browser: Browser, text: str, **more: Any) -> HttpResponse:
    return knock(browser, "lines/", {"text": text, "key": digest(text)[:20]} | more)


@pytest.mark.usefixtures("widget")
def test_a_visitor_of_the_clients_page_chats(cast: Cast, stranger: Browser, at: datetime) -> None:
    sit(cast.lena, at)
    assert knock(stranger, "state/").json()["open"] is True
    answer = say(stranger, "My VPN is dead", name="Vera", email="Vera@Else.example")
    assert answer.status_code == 201
    assert answer.headers["Access-Control-Allow-Origin"] == ACMES_PAGE
    assert answer.json()["state"] == "waiting"
    conversation = Conversation.objects.get()
    assert (conversation.name, conversation.email) == ("Vera", "vera@else.example")
    assert [line["text"] for line in knock(stranger, "lines/").json()["lines"]] == ["My VPN is dead"]


@pytest.mark.usefixtures("widget")
def test_internal_notes_are_no_lines(cast: Cast, stranger: Browser, doing: Any) -> None:
    say(stranger, "My VPN is dead", email="vera@else.example")
    with doing(cast.lena):
        Ticket.objects.get().note("CANARY-INT-91ab")
    assert b"CANARY" not in knock(stranger, "lines/").content


@pytest.mark.usefixtures("widget")
@pytest.mark.parametrize("origin", ["https://evil.example", "https://www.acme.example.evil.example", "null"])
@pytest.mark.parametrize("path", ["state/", "lines/", "life/", "end/"])
def test_another_site_is_refused_and_gets_no_leave_to_read(stranger: Browser, origin: str, path: str) -> None:
    for answer in (
        knock(stranger, path, origin=origin),
        knock(stranger, path, {}, origin=origin),
        stranger.options(DOOR + path, headers={"Origin": origin}),
    ):
        assert answer.status_code == 403
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.usefixtures("widget")
def test_the_preflight_names_what_is_allowed(stranger: Browser) -> None:
    answer = stranger.options(DOOR + "lines/", headers={"Origin": ACMES_PAGE})
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, POST"
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.usefixtures("widget")
def test_without_its_token_a_conversation_does_not_exist(stranger: Browser) -> None:
    say(stranger, "My VPN is dead", email="vera@else.example")
    for token in ("", "x" * 43, TOKEN[:-1]):
        for path, words in (("lines/", None), ("life/", {"seen": 1}), ("end/", {})):
            answer = knock(stranger, path, words, token=token)
            assert (answer.status_code, answer.json()) == (404, {"error": "There is no such conversation."})


def test_a_token_opens_nothing_at_another_clients_widget(
    cast: Cast, widget: Widget, stranger: Browser
) -> None:
    say(stranger, "My VPN is dead", email="vera@else.example")
    cast.borealis_contract.channels = []
    cast.borealis_contract.save()
    Widget.objects.create(client=cast.borealis, key="bor-help", name="Borealis", origins=[ACMES_PAGE])
    headers = {"Authorization": f"Bearer {TOKEN}", "Origin": ACMES_PAGE}
    assert stranger.get("/portal/chat/bor-help/lines/", headers=headers).status_code == 404
    body = json.dumps({"text": "Show me", "key": "key-00000001"})
    said = stranger.post("/portal/chat/bor-help/lines/", body, "application/json", headers=headers)
    assert [line["text"] for line in said.json()["lines"]] == ["Show me"]


@pytest.mark.parametrize("why", ["unknown", "switched off", "not agreed", "client gone"])
def test_a_widget_that_is_not_offered_does_not_exist(
    cast: Cast, widget: Widget, stranger: Browser, why: str
) -> None:
    if why == "unknown":
        widget.delete()
    elif why == "switched off":
        Widget.objects.update(is_active=False)
    elif why == "not agreed":
        cast.acme_contract.channels = ["email"]
        cast.acme_contract.save()
    else:
        cast.acme.is_active = False
        cast.acme.save()
    assert knock(stranger, "state/").status_code == 404
    assert say(stranger, "Hello?").status_code == 404
    assert stranger.get(DOOR).status_code == 404


@pytest.mark.usefixtures("widget")
@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{",
        '{"text": 7}',
        '{"text": "x"}',
        '{"text": "x", "key": "12345678", "email": "no address"}',
    ],
)
def test_what_is_no_line_is_refused(stranger: Browser, body: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Origin": ACMES_PAGE}
    answer = stranger.post(DOOR + "lines/", body, "application/json", headers=headers)
    assert answer.status_code == 422
    assert not Message.objects.exists()


@pytest.mark.usefixtures("widget")
def test_a_flood_is_told_to_wait(stranger: Browser) -> None:
    codes = [say(stranger, f"{number:08} spam", email="v@else.example").status_code for number in range(25)]
    assert codes[:20] == [201] * 20
    assert set(codes[20:]) == {429}


@pytest.mark.usefixtures("widget")
def test_a_page_tells_what_it_has_shown_but_not_more_than_was_said(
    cast: Cast, stranger: Browser, doing: Any
) -> None:
    say(stranger, "My VPN is dead", email="v@else.example")
    said = Message.objects.get()
    assert knock(stranger, "life/", {"seen": 10**15}).status_code == 204
    assert Conversation.objects.get().read_up_to == said.pk
    for seen in (-1, "x", 2**70, None):
        assert knock(stranger, "life/", {"seen": seen}).status_code == 204
    knock(stranger, "life/", {"left": True})
    assert Conversation.objects.get().seen_at is None


@pytest.mark.usefixtures("widget")
def test_the_agents_typing_shows_while_the_chat_is_live(
    cast: Cast, stranger: Browser, at: datetime, doing: Any
) -> None:
    sit(cast.lena, at)
    say(stranger, "My VPN is dead", email="v@else.example")
    with doing(cast.lena):
        Conversation.objects.select_related("ticket").get().accept(cast.lena)
    Conversation.objects.update(agent_typed_at=at)
    now = knock(stranger, "lines/").json()
    assert (now["typing"], now["agent"], now["state"]) == (True, "Lena Lang", "live")


@pytest.mark.usefixtures("widget")
def test_the_visitor_ends_it_and_an_end_of_an_end_is_no_error(
    cast: Cast, stranger: Browser, at: datetime
) -> None:
    sit(cast.lena, at)
    say(stranger, "My VPN is dead", email="v@else.example")
    assert [knock(stranger, "end/", {}).status_code for _ in range(2)] == [204, 204]
    assert Conversation.objects.get().state == ChatState.ENDED


@pytest.mark.usefixtures("widget")
def test_the_portal_vouches_for_its_contact(cast: Cast, ann: Browser) -> None:
    offered = ann.get("/portal/chat/").json()
    assert offered["key"] == "acme-help"
    answer = knock(
        ann,
        "lines/",
        {"text": "It is me", "key": "key-0001", "vouch": offered["vouch"]},
        origin="http://testserver",
    )
    assert answer.status_code == 201
    ticket = Ticket.objects.get()
    assert (ticket.contact, ticket.messages.get().trust) == (cast.ann, "verified")


@pytest.mark.usefixtures("widget")
@pytest.mark.parametrize("forgery", ["1", "1:x:y", "another client's", "who has left"])
def test_a_vouch_that_is_not_ours_for_this_client_is_nobodys(
    cast: Cast, stranger: Browser, forgery: str
) -> None:
    from tierdesk.web.portal.chat.vouch import vouch_for

    if forgery == "another client's":
        forgery = vouch_for(cast.bob)
    elif forgery == "who has left":
        forgery = vouch_for(cast.ann)
        Contact.objects.filter(pk=cast.ann.pk).update(is_active=False)
    say(stranger, "It is me", vouch=forgery)
    ticket = Ticket.objects.get()
    assert (ticket.contact, ticket.messages.get().trust) == (None, "unverified")


@pytest.mark.usefixtures("widget")
def test_the_portal_offers_no_other_clients_chat(bob: Browser, stranger: Browser) -> None:
    assert bob.get("/portal/chat/").status_code == 204
    assert stranger.get("/portal/chat/").status_code == 302


@pytest.mark.usefixtures("widget")
def test_without_scripts_the_page_leaves_a_message(stranger: Browser) -> None:
    assert 'name="email"' in stranger.reads(DOOR)
    form = {"key": TOKEN, "name": "Vera", "email": "vera@else.example", "text": "Call me."}
    answers = [stranger.post(DOOR, form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    ticket = Ticket.objects.get()
    assert ticket.reference in answers[0].content.decode()
    assert Conversation.objects.get().state == ChatState.ENDED
    refused = stranger.post(DOOR, form | {"email": "nonsense", "text": ""})
    assert refused.status_code == 422
    assert refused.content.decode().count("field-error") == 2


@pytest.mark.usefixtures("widget")
@override_settings(ALLOWED_HOSTS=["testserver"])
def test_markup_of_a_visitor_is_text_everywhere(cast: Cast, stranger: Browser) -> None:
    """SEC-015."""
    poison = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    say(stranger, poison, name=poison, email="v@else.example")
    body = knock(stranger, "lines/")
    assert body.headers["Content-Type"] == "application/json"
    assert body.headers["X-Content-Type-Options"] == "nosniff"
    agents = Browser()
    agents.force_login(cast.lena.user)
    page = agents.reads(f"/tickets/{Ticket.objects.get().pk}/")
    assert "<img src=x" not in page and "<script>alert" not in page
