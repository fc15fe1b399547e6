"""Matrix against a real homeserver: what people write in a room becomes a ticket, and our words stand in its thread."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client as Browser

from tests.cast import Cast
from tests.channels.chat.homeserver import (
    DESK,
    OF_DESK,
    PYTHON,
    TO_DESK,
    Homeserver,
    Pushed,
    homeserver_running,
)
from tests.channels.chat.test_conversations import send_due
from tierdesk.channels.chat import bridged
from tierdesk.channels.chat.models import Bridge
from tierdesk.channels.chat.platforms import matrix
from tierdesk.channels.intake import understand_due
from tierdesk.channels.models import Inbound
from tierdesk.channels.pager.out import OUT
from tierdesk.channels.pager.outgoing import of_code
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.core.wakeups import run_due
from tierdesk.response.paging.models import Paging, Policy
from tierdesk.response.paging.ways import Way
from tierdesk.tickets.models import Entry, Message, Ticket

pytestmark = [
    pytest.mark.server,
    pytest.mark.xdist_group("matrix"),  # one homeserver for all of them: it takes long to come up
    pytest.mark.skipif(not PYTHON.exists(), reason="no Synapse here: `bin/setup --tests` installs it"),
]

type Doing = Callable[..., Any]


@pytest.fixture(scope="module")
def homeserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Homeserver]:
    with homeserver_running(tmp_path_factory.mktemp("synapse")) as server:
        yield server


@pytest.fixture
def bridge(cast: Cast, homeserver: Homeserver, monkeypatch: pytest.MonkeyPatch) -> Bridge:
    cast.acme_contract.channels = ["chat"]
    cast.acme_contract.save()
    monkeypatch.setattr(settings, "PRIVATE_HOSTS", [homeserver.url.removeprefix("http://")])
    bridged._known_person.cache_clear()
    bridge = Bridge(
        client=cast.acme,
        key="acme-matrix",
        kind="matrix",
        name="Matrix",
        url=homeserver.url,
        bot=DESK,
    )
    bridge.secret, bridge.token = TO_DESK, OF_DESK
    bridge.save()
    return bridge


def hand_over(pushed: Pushed, at: datetime, **headers: str) -> HttpResponse:
    """The push, as it came, reaches the desk's door; then the worker understands it."""
    shown = {"authorization": pushed.headers.get("authorization", "")} | headers
    with clock.frozen(at):
        answer = Browser().put(
            f"/portal/bridge/acme-matrix{pushed.path}", pushed.body, "application/json", headers=shown
        )
        set_scope(EVERY_CLIENT)
        understand_due(at)
    return answer


def test_a_room_and_the_desk_talk_in_a_thread(
    cast: Cast, homeserver: Homeserver, bridge: Bridge, at: datetime, doing: Doing
) -> None:
    ann = homeserver.register("ann")
    room = homeserver.room_with_desk(ann)
    first = homeserver.send(ann, room, {"msgtype": "m.text", "body": "My VPN is dead"}, "k1")
    pushed = homeserver.pushes(first)

    # without the homeserver's token nothing comes in; with it, once however often
    assert hand_over(pushed, at, authorization="Bearer guessed").status_code == 401
    assert not Inbound.objects.exists()
    assert [hand_over(pushed, at).status_code for _ in range(2)] == [200, 200]
    ticket = Ticket.objects.get()
    assert list(ticket.messages.values_list("text", "by_name")) == [("My VPN is dead", "ann")]

    # our words stand in the thread of the first line, as the desk's
    with doing(cast.lena, at + timedelta(minutes=1)):
        Ticket.objects.get().reply("Let me look.")
    for second in range(3):
        send_due(at + timedelta(minutes=1, seconds=second))
    ours = [
        event
        for event in homeserver.said_in(ann, room)
        if event["sender"] == DESK and "body" in event["content"]
    ]
    assert [event["content"]["body"] for event in ours] == [
        f"Registered as {ticket.reference}. What is written in this thread is kept there.",
        "Let me look.",
    ]
    assert {event["content"]["m.relates_to"]["event_id"] for event in ours} == {first}
    assert Message.objects.get(text="Let me look.").message_id.endswith(f"|{ours[-1]['event_id']}")

    # a second try of the same words is the event of the first
    keys = [matrix.post(bridge, f"{room}|{first}", "Twice?", "the-same-key") for _ in range(2)]
    assert keys[0] == keys[1]

    # an answer in the thread goes onto the ticket; an edit and a redaction are facts
    thread = {"m.relates_to": {"rel_type": "m.thread", "event_id": first}}
    second_line = homeserver.send(ann, room, {"msgtype": "m.text", "body": "It says 809", **thread}, "k2")
    hand_over(homeserver.pushes(second_line), at + timedelta(minutes=2))
    edit = {
        "msgtype": "m.text",
        "body": "* It says 808",
        "m.new_content": {"msgtype": "m.text", "body": "It says 808"},
        "m.relates_to": {"rel_type": "m.replace", "event_id": second_line},
    }
    hand_over(homeserver.pushes(homeserver.send(ann, room, edit, "k3")), at + timedelta(minutes=3))
    gone = homeserver.call(
        "PUT", f"rooms/{urllib.parse.quote(room)}/redact/{urllib.parse.quote(second_line)}/k4", ann
    )
    hand_over(homeserver.pushes(str(gone["event_id"])), at + timedelta(minutes=4))
    assert Ticket.objects.count() == 1
    assert Message.objects.filter(direction="inbound").order_by("id")[1].text == "It says 809"
    assert [e.details["text"] for e in Entry.objects.filter(kind="amended").order_by("id")] == [
        "It says 808",
        None,
    ]

    # another line in the room, outside of the thread, is another matter
    other = homeserver.send(ann, room, {"msgtype": "m.text", "body": "My phone, too"}, "k5")
    hand_over(homeserver.pushes(other), datetime(2026, 6, 8, 9, 0, tzinfo=UTC))
    assert Ticket.objects.count() == 2


def test_an_agent_is_paged_in_a_room_once_however_often_it_is_tried(
    homeserver: Homeserver, bridge: Bridge, cast: Cast
) -> None:
    bridge.pages_agents = True
    bridge.save(update_fields=["pages_agents"])
    lena = homeserver.register("lena")
    room = homeserver.room_with_desk(lena)
    message = of_code(cast.lena, f"acme-matrix/{room}", "123456")
    for _ in range(2):
        OUT["chat"].send(message)
    said = [event["content"] for event in homeserver.said_in(lena, room) if "body" in event["content"]]
    assert said == [{"msgtype": "m.text", "body": "123456 is your code for Tierdesk."}]


def test_an_agent_answers_a_page_in_the_room_where_it_came(
    homeserver: Homeserver, bridge: Bridge, cast: Cast, at: datetime, doing: Doing
) -> None:
    """The homeserver says who speaks, the code that was shown on the desk whose account that is."""
    bridge.pages_agents = True
    bridge.save(update_fields=["pages_agents"])
    tokens = {name: homeserver.register(name) for name in ("lena-at-night", "somebody")}
    lena, other = tokens.values()
    room = homeserver.room_with_desk(lena)
    homeserver.call(
        "POST", f"rooms/{urllib.parse.quote(room)}/invite", lena, {"user_id": "@somebody:chat.example"}
    )
    homeserver.call("POST", f"rooms/{urllib.parse.quote(room)}/join", other)
    way = Way.objects.create(agent=cast.lena, kind="chat", address=f"acme-matrix/{room}", verified_at=at)
    steps = [{"after": 0, "page": ["user:lena@desk.example"]}]
    Policy.publish("p1", name="P1", said={"teams": ["desk"], "priorities": [1], "steps": steps})
    with doing(cast.ann.user, at):
        ticket = cast.ticket(impact=1, urgency=1)
    with clock.frozen(at):
        run_due(at)

    def says(token: str, text: str, key: str, minute: int) -> str:
        """What the desk says to that."""
        event = homeserver.send(token, room, {"msgtype": "m.text", "body": text}, key)
        then = at + timedelta(minutes=minute)
        hand_over(homeserver.pushes(event), then)
        with clock.frozen(then):
            run_due(then)
        bodies = [
            one["content"]["body"]
            for one in homeserver.said_in(lena, room)
            if one["sender"] == DESK and "body" in one["content"]
        ]
        return str(bodies[-1])

    assert says(other, "ack", "a1", 1).startswith("I do not know who you are here")
    code = way.ask_who(at=at)
    assert says(lena, code, "a2", 2) == "You are Lena Lang here from now on. Answer ACK when you are paged."
    assert says(other, "ack", "a3", 3).startswith("I do not know who you are here")
    assert Paging.objects.get(ticket=ticket).state == "calling"
    assert says(lena, f"ack {ticket.pk}", "a4", 4) == f"You acknowledged {ticket.reference}."
    paging = Paging.objects.get(ticket=ticket)
    assert (paging.state, paging.acked_by) == ("acknowledged", cast.lena)
    way.refresh_from_db()
    assert way.identity == "@lena-at-night:chat.example"
    assert Ticket.objects.get() == ticket
