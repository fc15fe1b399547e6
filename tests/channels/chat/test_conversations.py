"""A chat is one ticket: its lines are the ticket's messages, and what we say goes where the visitor is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from tests.cast import Cast, settle_in
from tests.channels.chat.conftest import TOKEN, Talk, sit
from tests.channels.conftest import PostOffice
from tierdesk.channels.chat import sender as chat
from tierdesk.channels.chat.lines import MOST_LINES, MOST_STARTS, TooMany, Unclear, Visitor
from tierdesk.channels.chat.models import ChatState, Conversation, Widget
from tierdesk.channels.email import sender as mail
from tierdesk.channels.models import Inbound
from tierdesk.channels.outbox import Outbox, ways
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.response.notifications.models import Notice
from tierdesk.response.sla.models import Clock
from tierdesk.tickets.models import Entry, Message, Ticket

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)

type Doing = Callable[..., Any]


def send_due(at: datetime) -> None:
    """What the worker does with the outbox at `at`."""
    with clock.frozen(at):
        Outbox(ways(mail=mail.send, chat=chat.send)).send_due(at)


def reply(cast: Cast, doing: Doing, talk: Talk, text: str, at: datetime) -> Message:
    with doing(cast.lena, at):
        message: Message = Ticket.objects.get(pk=talk.conversation.ticket_id).reply(text)
    return message


def test_the_first_line_opens_a_ticket_and_the_next_ones_go_onto_it(
    cast: Cast, at: datetime, talk: Talk
) -> None:
    sit(cast.lena, at)
    ticket = talk.say("My VPN is dead.\nIt says 809.", at)
    assert ticket is not None
    assert talk.say("Since this morning.", at + SECOND) == ticket
    assert (ticket.channel, ticket.subject, ticket.client) == ("chat", "My VPN is dead.", cast.acme)
    lines = list(ticket.messages.values_list("text", "by_name", "channel", "trust"))
    assert lines == [
        ("My VPN is dead.\nIt says 809.", "Vera", "chat", "unverified"),
        ("Since this morning.", "Vera", "chat", "unverified"),
    ]
    assert talk.conversation.ticket == ticket
    assert talk.conversation.state == ChatState.WAITING


def test_a_line_is_kept_raw_before_it_is_understood(cast: Cast, at: datetime, talk: Talk) -> None:
    talk.say("My VPN is dead.", at)
    kept = Inbound.objects.get()
    assert (kept.channel, kept.client, kept.state) == ("chat", cast.acme, "done")
    assert b"My VPN is dead." in bytes(kept.raw)


def test_a_line_that_is_sent_twice_is_one_line(at: datetime, talk: Talk) -> None:
    assert talk.say("My VPN is dead.", at, key="the-same-key") == talk.say(
        "My VPN is dead.", at + SECOND, key="the-same-key"
    )
    assert Message.objects.count() == 1


def test_a_start_that_is_sent_twice_is_one_conversation(at: datetime, talk: Talk) -> None:
    talk.say("My VPN is dead.", at)
    talk.say("Hello?", at + SECOND)
    assert Conversation.objects.count() == Ticket.objects.count() == 1


@pytest.mark.parametrize("token", ["", "short", "a" * 42, "with spaces " * 5, "ü" * 43])
def test_a_token_that_could_be_guessed_begins_nothing(at: datetime, talk: Talk, token: str) -> None:
    talk.token = token
    with pytest.raises(Unclear):
        talk.say("Hello?", at)
    assert not Conversation.objects.exists()


@pytest.mark.parametrize("text", ["", "   \n", "x" * 4001, "nul \0 byte"])
def test_what_is_no_line_is_not_kept(at: datetime, talk: Talk, text: str) -> None:
    with pytest.raises(Unclear):
        talk.say(text, at)
    assert not Inbound.objects.exists()


def test_a_contact_whom_our_portal_vouches_for_is_verified(cast: Cast, at: datetime, talk: Talk) -> None:
    talk.visitor = Visitor(contact=cast.ann)
    ticket = talk.say("It is me.", at)
    assert ticket is not None
    assert (ticket.contact, ticket.messages.get().trust) == (cast.ann, "verified")


def test_an_address_that_a_visitor_types_is_a_claim(cast: Cast, at: datetime, talk: Talk) -> None:
    """It finds the contact, as mail would, and stays unverified; another client's contact is not even found."""
    talk.visitor = Visitor(name="I am Ann", email="ann@acme.example")
    ticket = talk.say("It is me, really.", at)
    assert ticket is not None
    assert (ticket.contact, ticket.messages.get().trust) == (cast.ann, "unverified")
    stranger = Talk(talk.widget, Visitor(email="bob@borealis.example"), token="b" * 43)
    other = stranger.say("And I am Bob.", at)
    assert other is not None
    assert (other.client, other.contact) == (cast.acme, None)


def test_somebody_unknown_is_proposed_as_a_participant(at: datetime, talk: Talk) -> None:
    ticket = talk.say("Hello?", at)
    assert ticket is not None
    assert list(ticket.participants.values_list("email", "accepted")) == [("vera@else.example", False)]


def test_our_words_reach_a_visitor_who_is_there_and_no_mail_leaves(
    cast: Cast, at: datetime, doing: Doing, talk: Talk, post: PostOffice
) -> None:
    sit(cast.lena, at)
    talk.say("My VPN is dead.", at)
    said = reply(cast, doing, talk, "Let me look.", at + SECOND)
    assert said.channel == "chat"
    send_due(at + 2 * SECOND)
    assert Notice.objects.get(kind="reply").state == "pending"
    talk.looks(at + 3 * SECOND, up_to=said.pk)
    send_due(at + 8 * SECOND)
    assert Notice.objects.get(kind="reply").state == "sent"
    assert post.sent == []


def test_to_answer_in_a_chat_is_to_respond(cast: Cast, at: datetime, doing: Doing, talk: Talk) -> None:
    talk.say("My VPN is dead.", at)
    reply(cast, doing, talk, "Let me look.", at + SECOND)
    assert Clock.objects.get(metric="respond", party="SLA").state == "met"


def test_what_a_visitor_who_left_has_not_seen_goes_by_mail_in_one(
    cast: Cast, at: datetime, doing: Doing, talk: Talk, post: PostOffice
) -> None:
    sit(cast.lena, at)
    talk.say("My VPN is dead.", at)
    first = reply(cast, doing, talk, "Let me look.", at + SECOND)
    talk.looks(at + 2 * SECOND, up_to=first.pk)
    talk.leaves()
    reply(cast, doing, talk, "It was the certificate.", at + MINUTE)
    reply(cast, doing, talk, "Please try again.", at + MINUTE + SECOND)
    send_due(at + 2 * MINUTE)
    assert post.sent == []
    for later in range(3, 6):
        send_due(at + later * MINUTE)
    assert [envelope.rcpt_to for envelope in post.sent] == ["vera@else.example"]
    text = post.read(post.sent[0]).get_content().replace("\r\n", "\n")
    assert text.startswith(
        "You wrote to us in our chat. This is our answer:\n\nIt was the certificate.\n\nPlease try again."
    )
    assert "Let me look." not in text
    assert sorted(Notice.objects.filter(kind="reply").values_list("state", flat=True)) == [
        "sent",
        "sent",
        "withheld",
    ]


def test_a_visitor_who_left_without_an_address_was_not_reached_and_the_agent_is_told(
    cast: Cast, at: datetime, doing: Doing, talk: Talk
) -> None:
    talk.visitor = Visitor(name="Nobody")
    talk.say("My VPN is dead.", at)
    reply(cast, doing, talk, "Let me look.", at + SECOND)
    talk.leaves()
    send_due(at + 2 * SECOND)
    assert Notice.objects.get(kind="reply").state == "pending"  # a page closed by mistake comes back
    send_due(at + 2 * MINUTE)
    assert Notice.objects.get(kind="reply").state == "failed"
    assert Entry.objects.filter(kind="undelivered").exists()
    assert Clock.objects.get(metric="respond", party="SLA").state == "running"


def test_the_words_of_a_resolution_reach_the_chat_and_end_it(
    cast: Cast, at: datetime, doing: Doing, talk: Talk
) -> None:
    sit(cast.lena, at)
    talk.say("My VPN is dead.", at)
    with doing(cast.lena, at + SECOND):
        talk.conversation.accept(cast.lena)
    with doing(cast.lena, at + MINUTE):
        Ticket.objects.get().resolve(code="fixed", text="It works again.")
    assert talk.conversation.state == ChatState.ENDED
    notice = Notice.objects.get(kind="resolved")
    assert (notice.channel, notice.address) == ("chat", "")


def test_the_chat_is_its_own_receipt(cast: Cast, at: datetime, talk: Talk) -> None:
    sit(cast.lena, at)
    talk.visitor = Visitor(contact=cast.ann)
    talk.say("My VPN is dead.", at)
    assert Notice.objects.get(kind="receipt").state == "withheld"


def test_a_message_left_when_nobody_is_there_is_a_ticket_with_a_receipt(
    cast: Cast, at: datetime, talk: Talk
) -> None:
    talk.visitor = Visitor(name="Ann", email="ann@acme.example")
    ticket = talk.say("Call me tomorrow.", at)
    assert ticket is not None
    assert talk.conversation.state == ChatState.ENDED
    assert Notice.objects.get(kind="receipt").state == "pending"


def test_a_line_after_the_end_wakes_the_chat_while_somebody_is_there(
    cast: Cast, at: datetime, doing: Doing, talk: Talk
) -> None:
    sit(cast.lena, at)
    ticket = talk.say("My VPN is dead.", at)
    with doing(cast.lena, at + SECOND):
        talk.conversation.end("the visitor ended it")
    talk.looks(at + MINUTE)
    assert talk.say("One more thing.", at + MINUTE) == ticket
    assert talk.conversation.state == ChatState.WAITING


def test_a_line_after_the_ticket_is_closed_opens_one_that_follows_it(
    cast: Cast, at: datetime, doing: Doing, talk: Talk
) -> None:
    ticket = talk.say("My VPN is dead.", at)
    with doing(cast.lena, at + SECOND):
        Ticket.objects.get().resolve(code="fixed")
    with doing(cast.lena, at + MINUTE):
        Ticket.objects.get().close("confirmed")
    later = talk.say("Dead again.", at + timedelta(days=30))
    assert later is not None and later != ticket
    assert talk.conversation.ticket == later
    assert [(r.other_id, r.kind) for r in later.relations.all()] == [
        (ticket.pk if ticket else 0, "follow_up_of")
    ]


def test_a_chat_whose_visitor_has_been_gone_for_long_is_over_by_itself(
    cast: Cast, at: datetime, doing: Doing, talk: Talk, live_until: Callable[[datetime], None]
) -> None:
    sit(cast.lena, at)
    talk.say("My VPN is dead.", at)
    with doing(cast.lena, at + SECOND):
        talk.conversation.accept(cast.lena)
    talk.looks(at + 4 * MINUTE)
    live_until(at + 8 * MINUTE)
    assert talk.conversation.state == ChatState.LIVE
    live_until(at + 10 * MINUTE)
    assert talk.conversation.state == ChatState.ENDED
    assert Entry.objects.get(kind="chat_ended").details == {"why": "the visitor left", "lines": 1}


def test_more_lines_than_a_person_types_are_refused(at: datetime, talk: Talk) -> None:
    for _ in range(MOST_LINES):
        talk.say("Buy cheap tickets!", at)
    with pytest.raises(TooMany):
        talk.say("Buy cheap tickets!", at + SECOND)
    talk.say("I am a person after all.", at + 2 * MINUTE)


def test_more_chats_than_a_person_begins_are_refused(at: datetime, widget: Widget) -> None:
    for number in range(MOST_STARTS):
        Talk(widget, Visitor(remote="203.0.113.7"), token=f"{number:043}").say("Hi", at)
    with pytest.raises(TooMany):
        Talk(widget, Visitor(remote="203.0.113.7"), token="z" * 43).say("Hi", at)
    Talk(widget, Visitor(remote="203.0.113.8"), token="y" * 43).say("Hi", at)


def test_a_token_of_another_widget_begins_another_conversation(cast: Cast, at: datetime, talk: Talk) -> None:
    talk.say("My VPN is dead.", at)
    other = Widget.objects.create(client=cast.acme, key="acme-shop", name="Acme shop")
    Talk(other, token=TOKEN).say("Show me.", at)
    assert Conversation.objects.count() == Ticket.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_lines_that_arrive_together_are_one_ticket() -> None:
    from tests.conftest import MONDAY_10
    from tierdesk.channels.chat.lines import say, start

    cast = settle_in()
    cast.acme_contract.channels = []
    cast.acme_contract.save()
    widget = Widget.objects.create(client=cast.acme, key="acme-help", name="Acme help")
    conversation = start(widget, TOKEN, Visitor(), MONDAY_10)
    together = threading.Barrier(2)

    def line(number: int) -> None:
        set_scope(EVERY_CLIENT)
        together.wait()
        try:
            say(
                Conversation.objects.get(pk=conversation.pk), f"Line {number}", f"line-000{number}", MONDAY_10
            )
        finally:
            connection.close()

    threads = [threading.Thread(target=line, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Ticket.objects.count() == 1
    assert Message.objects.count() == 2
