"""A missed call is called back: one ticket, however often somebody tries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from tests.cast import Cast
from tests.exchange import ACME, Pbx
from tierdesk.channels.phone.models import Call, Exchange
from tierdesk.response.notifications.models import Notice
from tierdesk.tickets.models import Entry, Ticket

type FollowUp = Callable[[datetime], None]
MINUTE = timedelta(minutes=1)


def test_a_missed_call_becomes_a_ticket_of_the_caller(
    cast: Cast, pbx: Pbx, at: datetime, follow_up: FollowUp
) -> None:
    call = pbx.misses(at)
    assert call.state == "missed"
    follow_up(at + MINUTE)
    ticket = Ticket.objects.get()
    assert (ticket.subject, ticket.contact, ticket.channel) == (
        "Call back Ann Albers (+49301234501)",
        cast.ann,
        "phone",
    )
    assert "Monday, 8 June at 10:00 (CEST)" in ticket.description
    assert pbx.call().ticket == ticket
    assert [e.kind for e in Entry.objects.of(ticket.pk) if e.kind == "call_tied"] == ["call_tied"]
    assert not Notice.objects.mails().exists()  # nobody who was not answered wants a mail about it


def test_ten_tries_are_one_ticket(cast: Cast, pbx: Pbx, at: datetime, follow_up: FollowUp) -> None:
    for n in range(5):
        pbx.misses(at + n * MINUTE, call=f"c{n}")
    follow_up(at + 10 * MINUTE)
    for n in range(5, 10):
        pbx.misses(at + (10 + n) * MINUTE, call=f"c{n}")
        follow_up(at + (10 + n) * MINUTE + MINUTE)
    ticket = Ticket.objects.get()
    assert ticket.calls.count() == 10
    assert Entry.objects.of(ticket.pk).filter(kind="call_tied").count() == 10


def test_once_the_ticket_is_solved_a_new_try_is_a_new_ticket(
    cast: Cast, pbx: Pbx, at: datetime, follow_up: FollowUp, doing: Callable[..., object]
) -> None:
    pbx.misses(at)
    follow_up(at + MINUTE)
    with doing(cast.lena, at + 2 * MINUTE):  # type: ignore[attr-defined]
        Ticket.objects.get().resolve(code="information")
    pbx.misses(at + 3 * MINUTE, call="c2")
    follow_up(at + 4 * MINUTE)
    assert Ticket.objects.count() == 2


def test_an_answer_that_was_overtaken_by_its_hangup_opens_nothing(
    cast: Cast, pbx: Pbx, at: datetime, follow_up: FollowUp
) -> None:
    pbx.says("newCall", at)
    pbx.says("hangup", at + timedelta(seconds=30), cause="")
    pbx.says("answer", at + timedelta(seconds=31), answeringNumber="42")
    follow_up(at + MINUTE)
    assert not Ticket.objects.exists()
    assert pbx.call().lasted == timedelta(0)


def test_who_hides_their_number_or_is_unknown_cannot_be_called_back_by_a_ticket(
    cast: Cast, pbx: Pbx, at: datetime, follow_up: FollowUp
) -> None:
    pbx.misses(at, call="hidden", **{"from": "anonymous"})
    pbx.misses(at, call="unknown", **{"from": "+49309999999"})
    follow_up(at + MINUTE)
    assert not Ticket.objects.exists()
    assert set(Call.objects.values_list("state", "wake_at")) == {("missed", None)}


def test_a_switchboard_is_called_back_as_its_client(
    cast: Cast, pbx: Pbx, at: datetime, follow_up: FollowUp
) -> None:
    pbx.misses(at, **{"from": ACME})
    follow_up(at + MINUTE)
    ticket = Ticket.objects.get()
    assert (ticket.client, ticket.contact, ticket.subject) == (cast.acme, None, f"Call back {ACME}")


def test_a_call_of_ours_that_nobody_takes_is_not_missed_by_us(
    cast: Cast, pbx: Pbx, at: datetime, follow_up: FollowUp
) -> None:
    ours = {"direction": "out", "from": "42", "to": "+49301234501"}
    pbx.misses(at, **ours)
    follow_up(at + MINUTE)
    assert not Ticket.objects.exists()


def test_who_calls_back_is_on_the_ticket(cast: Cast, pbx: Pbx, at: datetime, follow_up: FollowUp) -> None:
    pbx.misses(at)
    follow_up(at + MINUTE)
    ours = {"direction": "out", "from": "42", "to": "+49301234501", "user[]": ["Lena Lang"]}
    pbx.says("newCall", at + 5 * MINUTE, call="back", **ours)
    back = pbx.call("back")
    assert (back.ticket, back.agent, back.contact) == (Ticket.objects.get(), cast.lena, cast.ann)


def test_a_call_without_news_is_missed_and_one_without_an_end_is_over(
    cast: Cast, pbx: Pbx, at: datetime, follow_up: FollowUp
) -> None:
    pbx.says("newCall", at)
    pbx.says("answer", at, call="long", answeringNumber="42", **{"from": "anonymous"})
    follow_up(at + 16 * MINUTE)
    assert (pbx.call().state, pbx.call().cause) == ("missed", "no news")
    assert pbx.call().ticket is not None
    assert pbx.call("long").state == "answered"
    follow_up(at + timedelta(hours=9))
    assert pbx.call("long").state == "ended"


def test_an_exchange_may_do_without_call_backs(
    cast: Cast, pbx: Pbx, at: datetime, follow_up: FollowUp
) -> None:
    Exchange.objects.update(calls_back=False)
    pbx.misses(at)
    follow_up(at + MINUTE)
    assert not Ticket.objects.exists()


def test_a_client_without_telephone_in_its_contract_gets_no_ticket_from_it(
    cast: Cast, pbx: Pbx, at: datetime, follow_up: FollowUp
) -> None:
    cast.acme_contract.channels = ["email"]
    cast.acme_contract.save()
    pbx.misses(at)
    follow_up(at + MINUTE)
    assert not Ticket.objects.exists()
