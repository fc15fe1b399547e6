"""An answer in a chat acknowledges: by whoever is known there, about what they were told there, and by nobody else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tests.channels.chat.test_platforms import Workplace, in_slack, place
from tests.conftest import MONDAY_10
from tierdesk.channels.chat.platforms.fakes import FakeTeams
from tierdesk.channels.models import Inbound
from tierdesk.directory.staff.models import Agent, Membership
from tierdesk.response.notifications.models import Notice
from tierdesk.response.paging.answers import Answer, read
from tierdesk.response.paging.models import Paging, Policy
from tierdesk.response.paging.ways import UnableToReach, Way
from tierdesk.tickets.models import Entry, Message, Ticket

__all__ = ["in_slack", "place"]

MINUTE = timedelta(minutes=1)
type Live = Callable[[datetime], None]
type Doing = Callable[..., Any]

READ = [
    ("ack", Answer("ack", is_meant=True)),
    (" Ack. ", Answer("ack", is_meant=True)),
    ("ok", Answer("ack")),
    ("1", Answer("ack")),
    ("ack 1042", Answer("ack", frozenset({1042}), is_meant=True)),
    ("ACK TD-1042, 1043", Answer("ack", frozenset({1042, 1043}), is_meant=True)),
    ("ok #7!", Answer("ack", frozenset({7}), is_meant=True)),
    ("pass", Answer("pass", is_meant=True)),
    ("2", Answer("pass")),
    ("acknowledge that this is long", Answer("", is_meant=True)),
    ("akc", Answer("", is_meant=True)),
    ("who looks at this one today?", Answer("")),
    ("", Answer("")),
    ("ack 99999999999999999999", Answer("", is_meant=True)),
]


@pytest.mark.parametrize("text, answer", READ)
def test_what_is_an_answer(text: str, answer: Answer) -> None:
    assert read(text) == answer


@pytest.fixture
def ours(cast: Cast, place: Workplace, settings: Any, tmp_path: Any) -> Workplace:
    """The platform is the desk's own; Lena is paged in room C1, and known there as U1."""
    settings.HOME = tmp_path
    place.bridge.pages_agents = True
    place.bridge.save(update_fields=["pages_agents"])
    way(cast.lena, f"{place.bridge.key}/C1", "U1")
    return place


def way(agent: Agent, address: str, identity: str = "") -> Way:
    return Way.objects.create(
        agent=agent, kind="chat", address=address, verified_at=MONDAY_10, identity=identity
    )


@pytest.fixture
def burning(cast: Cast, ours: Workplace, doing: Doing, live_until: Live) -> Callable[..., Ticket]:
    def burn(at: datetime = MONDAY_10, page: str = "user:lena@desk.example") -> Ticket:
        steps = [{"after": 0, "page": [page]}]
        Policy.publish("p1", name="P1", said={"teams": ["desk"], "priorities": [1], "steps": steps})
        with doing(cast.ann.user, at):
            ticket = cast.ticket(impact=1, urgency=1)
        live_until(at + timedelta(seconds=1))
        return ticket

    return burn


def said_back(place: Workplace, live_until: Live, at: datetime) -> list[str]:
    """What the desk has posted there since the page went out."""
    live_until(at + timedelta(seconds=5))
    texts = [str(post.get("text") or post.get("message")) for post in place.fake.posts]
    return [text for text in texts if "/pages/" not in text]


def state(ticket: Ticket) -> tuple[str, str]:
    paging = Paging.objects.get(ticket=ticket)
    return paging.state, paging.acked_by.name if paging.acked_by else ""


def test_ack_by_whoever_was_paged_acknowledges_and_says_so_once(
    ours: Workplace, burning: Callable[..., Ticket], live_until: Live
) -> None:
    ticket, at = burning(), MONDAY_10 + 2 * MINUTE
    ours.says(at, "ack", post="200")
    assert state(ticket) == ("acknowledged", "Lena Lang")
    assert said_back(ours, live_until, at) == [f"You acknowledged {ticket.reference}."]
    ours.says(at + MINUTE, "ack", post="201")
    assert said_back(ours, live_until, at + MINUTE)[1:] == [
        f"You have acknowledged {ticket.reference} already."
    ]
    by = Entry.objects.of(ticket.pk).get(kind="paging_acknowledged")
    assert (by.by_kind, by.by_name) == ("agent", "Lena Lang")
    assert Ticket.objects.count() == 1 and Message.objects.count() == 1, "an answer is no words of a client"


def test_in_a_thread_it_is_answered_there(
    ours: Workplace, burning: Callable[..., Ticket], live_until: Live
) -> None:
    burning()
    at = MONDAY_10 + 2 * MINUTE
    ours.says(at, "ack", post="200", root="150")
    live_until(at + timedelta(seconds=5))
    answered = ours.fake.posts[-1]
    where = answered.get("thread_ts") or answered.get("root_id") or answered.get("path", "")
    assert "150" in where


@pytest.mark.parametrize("word, stands", [("ack", "acknowledged"), ("pass", "calling")])
def test_a_number_chooses_the_ticket(
    cast: Cast, ours: Workplace, burning: Callable[..., Ticket], live_until: Live, word: str, stands: str
) -> None:
    first = burning()
    second = burning(MONDAY_10 + 2 * MINUTE)
    at = MONDAY_10 + 4 * MINUTE
    ours.says(at, f"{word} {first.pk}", post="200")
    assert (state(first)[0], state(second)[0]) == (stands, "calling")
    [said] = said_back(ours, live_until, at)
    assert first.reference in said and second.reference not in said


WRONG = [
    ("akc", "Answer ACK to acknowledge {number}."),
    ("ack 4711", "You were not paged about TD-4711 here."),
]


@pytest.mark.parametrize("text, told", WRONG)
def test_a_wrong_answer_is_told_what_to_write(
    ours: Workplace, burning: Callable[..., Ticket], live_until: Live, text: str, told: str
) -> None:
    ticket, at = burning(), MONDAY_10 + 2 * MINUTE
    ours.says(at, text, post="200")
    assert state(ticket)[0] == "calling"
    assert said_back(ours, live_until, at) == [told.format(number=ticket.reference)]


def test_a_late_answer_is_told_who_looks(
    cast: Cast, ours: Workplace, burning: Callable[..., Ticket], live_until: Live, doing: Doing
) -> None:
    ticket, at = burning(), MONDAY_10 + 2 * MINUTE
    with doing(cast.lou, at):
        Ticket.objects.get(pk=ticket.pk).take(cast.lou)
    ours.says(at, "ack", post="200")
    assert said_back(ours, live_until, at) == [f"Nothing to do: Lou Lead looks at {ticket.reference}."]
    with doing(cast.lou, at + MINUTE):
        Ticket.objects.get(pk=ticket.pk).resolve(code="fixed", text="Done.")
    ours.says(at + MINUTE, f"ack {ticket.pk}", post="201")
    over = f"{ticket.reference} is over; nobody needs to look any more."
    assert said_back(ours, live_until, at + MINUTE)[1:] == [over]


def test_talk_among_ourselves_is_neither_answered_nor_a_ticket(
    ours: Workplace, burning: Callable[..., Ticket], live_until: Live
) -> None:
    ticket, at = burning(), MONDAY_10 + 2 * MINUTE
    ours.says(at, "does anybody know that customer from before?", post="200")
    ours.says(at, "ack", post="201")
    assert len(said_back(ours, live_until, at)) == 1
    ours.says(at + MINUTE, "ok", post="202")  # to a colleague: nothing waits any more
    assert len(said_back(ours, live_until, at + MINUTE)) == 1
    assert Ticket.objects.get() == ticket


def test_somebody_else_in_that_room_acknowledges_nothing_and_is_told_how_to(
    cast: Cast, ours: Workplace, burning: Callable[..., Ticket], live_until: Live
) -> None:
    ticket, at = burning(), MONDAY_10 + 2 * MINUTE
    ours.says(at, "ack", post="200", user="U2")
    assert state(ticket) == ("calling", "")
    [said] = said_back(ours, live_until, at)
    assert said.startswith("I do not know who you are here, so nothing was acknowledged.")
    assert not Entry.objects.of(ticket.pk).filter(kind="acknowledged").exists()


def test_a_colleague_who_is_known_in_the_same_room_answers_for_themselves_alone(
    cast: Cast, ours: Workplace, burning: Callable[..., Ticket], live_until: Live
) -> None:
    way(cast.lou, f"{ours.bridge.key}/C1", "U2")
    ticket, at = burning(), MONDAY_10 + 2 * MINUTE
    ours.says(at, f"ack {ticket.pk}", post="200", user="U2")
    assert state(ticket) == ("calling", "")
    assert said_back(ours, live_until, at) == [f"You were not paged about {ticket.reference} here."]


@pytest.mark.parametrize(
    "change", ["closed account", "removed way", "a client’s bridge again", "serves it no longer"]
)
def test_who_lost_the_right_acknowledges_nothing(
    cast: Cast, ours: Workplace, burning: Callable[..., Ticket], change: str
) -> None:
    ticket = burning()
    if change == "closed account":
        cast.lena.user.is_active = False
        cast.lena.user.save(update_fields=["is_active"])
    elif change == "removed way":
        Way.objects.get(agent=cast.lena).remove()
    elif change == "serves it no longer":
        Membership.objects.filter(agent=cast.lena).delete()
    else:
        ours.bridge.pages_agents = False
        ours.bridge.save(update_fields=["pages_agents"])
    ours.says(MONDAY_10 + 2 * MINUTE, "ack", post="200")
    assert state(ticket) == ("calling", "")


def test_who_they_are_there_is_learned_by_a_code_that_the_desk_showed_to_them_alone(
    cast: Cast, ours: Workplace, burning: Callable[..., Ticket], live_until: Live
) -> None:
    own = Way.objects.get(agent=cast.lena)
    Way.objects.update(identity="")
    ticket, at = burning(), MONDAY_10 + 2 * MINUTE
    code = own.ask_who(at=at)
    ours.says(at, f"I am {(int(code) + 1) % 10**6:06d}", post="200", user="U2")
    assert said_back(ours, live_until, at)[-1].startswith("That code is not known, or over.")
    ours.says(at, code, post="201")
    assert said_back(ours, live_until, at)[-1].startswith("You are Lena Lang here from now on.")
    ours.says(at + MINUTE, "ack", post="202")
    assert state(ticket) == ("acknowledged", "Lena Lang")
    own.refresh_from_db()
    assert own.identity == "U1"


def test_a_code_is_worth_one_telling_within_its_time_and_few_guesses(
    cast: Cast, ours: Workplace, at: datetime
) -> None:
    own = Way.objects.get(agent=cast.lena)
    code = own.ask_who(at=at)
    own.refresh_from_db()
    assert not own.recognise(code, "U9", at=at + 11 * MINUTE), "it is over after ten minutes"
    assert own.recognise(code, "U9", at=at)
    own.refresh_from_db()
    assert not own.recognise(code, "U8", at=at), "it was used"
    code = own.ask_who(at=at)
    own.refresh_from_db()
    for _guess in range(5):
        assert not own.recognise("none", "U8", at=at)
    assert not own.recognise(code, "U8", at=at), "it was guessed at too often"
    with pytest.raises(UnableToReach, match="This code is over"):
        own.verify(code, at=at)


def test_two_people_are_not_the_same_one(cast: Cast, ours: Workplace, at: datetime) -> None:
    other = way(cast.lou, f"{ours.bridge.key}/C1")
    code = other.ask_who(at=at)
    other.refresh_from_db()
    assert other.recognise(code, "U1", at=at)
    assert {one.agent: one.identity for one in Way.objects.all()} == {cast.lena: "", cast.lou: "U1"}


def test_whoever_is_paged_as_a_person_is_known_without_saying_so(cast: Cast, in_slack: Workplace) -> None:
    """The code went to that person alone, and came back. Their answers come from a room with another name."""
    in_slack.bridge.pages_agents = True
    in_slack.bridge.save(update_fields=["pages_agents"])
    way(cast.lena, f"{in_slack.bridge.key}/U1")
    in_slack.says(MONDAY_10, "ack", post="200", user="U1")
    in_slack.says(MONDAY_10, "ack", post="201", user="U2")
    first, second = Inbound.objects.order_by("id")
    assert (first.reason, first.ticket) == ("an answer to a page", None)
    assert second.ticket is not None, "somebody else speaks to the desk as ever"


def test_a_room_of_agents_makes_no_tickets_and_others_do(ours: Workplace) -> None:
    ours.says(MONDAY_10, "My VPN is dead", post="100")
    assert not Ticket.objects.exists()
    assert Inbound.objects.get().reason == "said among ourselves, where agents are paged"
    Way.objects.update(address=f"{ours.bridge.key}/C7")
    ours.says(MONDAY_10 + MINUTE, "My VPN is dead", post="101")
    assert Ticket.objects.count() == 1


def test_the_platform_that_sends_it_twice_is_answered_once(
    ours: Workplace, burning: Callable[..., Ticket], live_until: Live
) -> None:
    ticket, at = burning(), MONDAY_10 + 2 * MINUTE
    once = ours.written(at, "ack", post="200", root="", user="U1")
    for _time in range(2):
        ours.knock(*once, at)
    ours.understood(at)
    assert state(ticket)[0] == "acknowledged"
    assert Notice.objects.filter(channel="room").count() == 1
    assert isinstance(ours.fake, FakeTeams) or len(said_back(ours, live_until, at)) == 1
