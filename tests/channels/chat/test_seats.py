"""Who is offered a chat, who may take it, and what becomes of it in other hands."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from tests.cast import Cast, settle_in
from tests.channels.chat.conftest import Talk, sit
from tests.conftest import MONDAY_10
from tierdesk.channels.chat.lines import Visitor, say, start
from tierdesk.channels.chat.models import SEAT_IS_WARM, ChatState, Conversation, Seat, Widget
from tierdesk.channels.chat.seats import somebody_is_there
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.core.work import work
from tierdesk.directory.staff.models import Agent
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Entry, Ticket

SECOND = timedelta(seconds=1)

type Doing = Callable[..., Any]


def offered(agent: Agent, at: datetime) -> list[Conversation]:
    return list(Conversation.objects.offered_to(agent, at))


def another(widget: Widget, number: int) -> Talk:
    return Talk(widget, token=f"{number:043}")


def test_a_chat_is_offered_to_the_team_of_its_ticket(cast: Cast, at: datetime, talk: Talk) -> None:
    sit(cast.lena, at)
    sit(cast.tom, at)
    sit(cast.olga, at)
    talk.say("My VPN is dead.", at)
    assert offered(cast.lena, at) == [talk.conversation]
    assert offered(cast.tom, at) == []  # the second line, until it is handed to it
    assert offered(cast.olga, at) == []  # serves another client


@pytest.mark.parametrize("why", ["no seat", "switched off", "not seen", "away", "left the house", "full"])
def test_a_chat_is_not_offered_to_who_has_no_room_for_it(
    cast: Cast, at: datetime, doing: Doing, talk: Talk, why: str
) -> None:
    sit(cast.lou, at)
    talk.say("My VPN is dead.", at)
    seat = sit(cast.lena, at, most=1)
    if why == "no seat":
        seat.delete()
    elif why == "switched off":
        Seat.objects.filter(pk=seat.pk).update(is_open=False)
    elif why == "not seen":
        Seat.objects.filter(pk=seat.pk).update(seen_at=at - SEAT_IS_WARM)
    elif why == "away":
        Agent.objects.filter(pk=cast.lena.pk).update(is_away=True)
    elif why == "left the house":
        cast.lena.user.is_active = False
        cast.lena.user.save()
    else:
        sit(cast.lena, at, most=2)
        another(talk.widget, 2).say("Me too.", at)
        sit(cast.lena, at, most=1)
        with doing(cast.lena, at):
            Conversation.objects.order_by("-id")[0].accept(cast.lena)
    assert offered(cast.lena, at) == []


def test_the_widget_is_open_while_somebody_is_there(cast: Cast, at: datetime, widget: Widget) -> None:
    assert not somebody_is_there(widget, at)
    sit(cast.olga, at)
    assert not somebody_is_there(widget, at)  # she serves Borealis alone
    sit(cast.lena, at)
    assert somebody_is_there(widget, at)
    night = at + timedelta(hours=12)
    sit(cast.lena, night)
    assert not somebody_is_there(widget, night)  # outside the widget's hours


def test_a_queue_that_fills_all_seats_closes_the_widget(cast: Cast, at: datetime, talk: Talk) -> None:
    sit(cast.lena, at, most=2)
    talk.say("My VPN is dead.", at)
    assert somebody_is_there(talk.widget, at)
    another(talk.widget, 2).say("Me too.", at)
    assert not somebody_is_there(talk.widget, at)


def test_to_accept_a_chat_is_to_take_its_ticket(cast: Cast, at: datetime, doing: Doing, talk: Talk) -> None:
    sit(cast.lena, at)
    talk.say("My VPN is dead.", at)
    with doing(cast.lena, at + 9 * SECOND):
        talk.conversation.accept(cast.lena)
    now = talk.conversation
    assert (now.state, now.agent) == (ChatState.LIVE, cast.lena)
    assert now.ticket is not None
    assert (now.ticket.assignee, now.ticket.state) == (cast.lena, "open")
    assert Entry.objects.get(kind="chat_accepted").details["waited_s"] == 9


def test_the_slower_of_two_does_not_get_it(cast: Cast, at: datetime, doing: Doing, talk: Talk) -> None:
    sit(cast.lena, at)
    sit(cast.lou, at)
    talk.say("My VPN is dead.", at)
    seen = talk.conversation
    with doing(cast.lou, at):
        talk.conversation.accept(cast.lou)
    with pytest.raises(UnableTo, match="faster"), doing(cast.lena, at):
        seen.accept(cast.lena)
    assert talk.conversation.agent == cast.lou


def test_nobody_talks_in_more_chats_than_they_have_room_for(
    cast: Cast, at: datetime, doing: Doing, talk: Talk
) -> None:
    sit(cast.lena, at, most=2)
    talk.say("My VPN is dead.", at)
    another(talk.widget, 2).say("Me too.", at)
    sit(cast.lena, at, most=1)
    first, second = Conversation.objects.order_by("id")
    with doing(cast.lena, at):
        first.accept(cast.lena)
    with pytest.raises(UnableTo, match="already talks in 1 chats"), doing(cast.lena, at):
        second.accept(cast.lena)
    with doing(cast.lena, at + SECOND):
        first.end("all said")
    with doing(cast.lena, at + 2 * SECOND):
        second.accept(cast.lena)


def test_a_colleague_goes_on_with_it(cast: Cast, at: datetime, doing: Doing, talk: Talk) -> None:
    sit(cast.lena, at)
    talk.say("My VPN is dead.", at)
    with doing(cast.lena, at):
        talk.conversation.accept(cast.lena)
    with pytest.raises(UnableTo, match="takes no chats"), doing(cast.lena, at):
        talk.conversation.hand_to_agent(cast.lou)
    sit(cast.lou, at)
    with doing(cast.lena, at + SECOND):
        talk.conversation.hand_to_agent(cast.lou, why="knows the gateway")
    now = talk.conversation
    assert (now.state, now.agent) == (ChatState.LIVE, cast.lou)
    assert now.ticket is not None and now.ticket.assignee == cast.lou
    assert Entry.objects.get(kind="chat_handed_over").details["why"] == "knows the gateway"


def test_another_team_talks_on_and_the_ticket_stays_on_its_tier(
    cast: Cast, at: datetime, doing: Doing, talk: Talk
) -> None:
    """Who talks is not who works it: up the ladder a ticket only goes through its gate."""
    sit(cast.lena, at)
    sit(cast.tom, at)
    talk.say("My VPN is dead.", at)
    with doing(cast.lena, at):
        talk.conversation.accept(cast.lena)
    with doing(cast.lena, at + SECOND):
        talk.conversation.hand_to_team(cast.ops)
    assert offered(cast.lena, at + SECOND) == []
    assert offered(cast.tom, at + SECOND) == [talk.conversation]
    with doing(cast.tom, at + 2 * SECOND):
        talk.conversation.accept(cast.tom)
    now = talk.conversation
    assert now.ticket is not None
    assert (now.agent, now.ticket.tier, now.ticket.team) == (cast.tom, 1, cast.desk)


def test_it_ends_once(cast: Cast, at: datetime, doing: Doing, talk: Talk) -> None:
    sit(cast.lena, at)
    talk.say("My VPN is dead.", at)
    with doing(cast.lena, at):
        talk.conversation.accept(cast.lena)
    with doing(cast.lena, at + SECOND):
        talk.conversation.end("the agent ended it")
    with pytest.raises(UnableTo), doing(cast.lena, at + SECOND):
        talk.conversation.end("once more")
    assert [e.details for e in Entry.objects.filter(kind="chat_ended")] == [
        {"why": "the agent ended it", "lines": 1}
    ]
    assert Ticket.objects.get().is_unresolved()


@pytest.mark.django_db(transaction=True)
def test_two_chats_accepted_at_once_do_not_overfill_a_seat() -> None:
    cast = settle_in()
    cast.acme_contract.channels = []
    cast.acme_contract.save()
    widget = Widget.objects.create(client=cast.acme, key="acme-help", name="Acme help")
    sit(cast.lena, MONDAY_10, most=1)
    for number in (1, 2):
        say(start(widget, f"{number:043}", Visitor(), MONDAY_10), "Help!", "line-0001", MONDAY_10)
    chats = list(Conversation.objects.select_related("ticket"))
    together, refused = threading.Barrier(2), []

    def accept(conversation: Conversation) -> None:
        set_scope(EVERY_CLIENT)
        together.wait()
        try:
            with clock.frozen(MONDAY_10), work(by=cast.lena.actor(), at=MONDAY_10):
                conversation.accept(cast.lena)
        except UnableTo as refusal:
            refused.append(str(refusal))
        finally:
            connection.close()

    threads = [threading.Thread(target=accept, args=(one,)) for one in chats]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Conversation.objects.live().count() == 1
    assert len(refused) == 1
