"""Waiting has consequences: reminders to whom is waited for, then a return, or silence as an answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from tests.cast import Cast
from tierdesk.core.facts import ENGINE
from tierdesk.core.wakeups import run_due
from tierdesk.response.notifications.models import Notice
from tierdesk.response.vendors.models import Case, UnderpinningContract
from tierdesk.response.waiting.models import Wait
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Entry, Ticket

Doing = Callable[..., Any]
LetWait = Callable[..., Ticket]
Live = Callable[[datetime], None]


def berlin(day: int, hour: int, minute: int = 0) -> datetime:
    """A day of June 2026, in summer time."""
    return datetime(2026, 6, day, hour - 2, minute, tzinfo=UTC)


def told(ticket: Ticket, *kinds: str) -> list[tuple[str, datetime]]:
    entries = Entry.objects.filter(ticket=ticket, kind__in=kinds).order_by("id")
    return list(entries.values_list("kind", "at"))


def mails(ticket: Ticket, *kinds: str) -> list[Notice]:
    return list(Notice.objects.filter(ticket=ticket, kind__in=kinds).order_by("id"))


def wait_of(ticket: Ticket) -> Wait:
    wait: Wait = Wait.objects.get(ticket=ticket)
    return wait


def test_the_contact_is_reminded_warned_and_then_it_is_solved_by_silence(
    waits: LetWait, live_until: Live
) -> None:
    ticket = waits()
    live_until(berlin(30, 12))
    assert told(ticket, "reminded", "silence_warned", "resolved") == [
        ("reminded", berlin(9, 10)),
        ("reminded", berlin(10, 10)),
        ("silence_warned", berlin(11, 10)),
        ("resolved", berlin(15, 10)),
    ], "a working day apart, and two days after the warning, over the weekend"
    ticket.refresh_from_db()
    assert (ticket.resolution_code, wait_of(ticket).outcome) == ("silence", "resolved")
    first, second, warning = mails(ticket, "chaser", "last_warning")
    assert (first.address, first.sender_name, first.automatic) == ("ann@acme.example", "Service Desk", True)
    assert "> Which room is it?\n> And which device?\n" in first.text
    assert first.text == second.text
    assert "If we hear nothing until Monday 15 June, 10:00 (your time)" in warning.text
    (solved,) = mails(ticket, "resolved")
    assert "have not heard from you" in solved.text
    assert f"consider {ticket.reference} solved" in solved.text


def test_what_is_solved_by_silence_is_open_again_with_any_answer_in_the_window(
    cast: Cast, waits: LetWait, doing: Doing, live_until: Live
) -> None:
    ticket = waits()
    live_until(berlin(15, 11))
    with doing(cast.ann, berlin(17, 11)):
        Ticket.objects.get(pk=ticket.pk).hear("Sorry, I was away: room 7.", channel="email")
    ticket.refresh_from_db()
    assert ticket.state == "open"


def test_an_answer_ends_the_reminders(cast: Cast, waits: LetWait, doing: Doing, live_until: Live) -> None:
    ticket = waits()
    live_until(berlin(9, 11))
    with doing(cast.ann, berlin(9, 12)):
        Ticket.objects.get(pk=ticket.pk).hear("Room 7.", channel="email")
    live_until(berlin(30, 12))
    assert len(told(ticket, "reminded", "silence_warned")) == 1
    wait = wait_of(ticket)
    assert (wait.outcome, wait.ended_at, wait.wake_at) == ("over", berlin(9, 12), None)


def test_an_automatic_answer_counts_as_none(
    cast: Cast, waits: LetWait, doing: Doing, live_until: Live
) -> None:
    ticket = waits()
    with doing(cast.ann, berlin(8, 11)):
        Ticket.objects.get(pk=ticket.pk).hear("I am away.", channel="email", automatic=True)
    live_until(berlin(10, 11))
    assert len(told(ticket, "reminded")) == 2


def test_d07_solved_by_silence_the_wait_does_not_count(waits: LetWait, live_until: Live) -> None:
    ticket = waits(at=berlin(8, 9))
    live_until(berlin(30, 12))
    resolve = ticket.clocks.get(metric="resolve", party="SLA")
    assert (resolve.state, resolve.stopped_at, resolve.elapsed_s) == ("met", berlin(12, 17), 0.0)


def test_a_reminder_is_no_response_of_ours(waits: LetWait, live_until: Live) -> None:
    ticket = waits("requester_confirm")
    live_until(
        berlin(
            9,
            10,
        )
    )
    respond = ticket.clocks.get(metric="respond")
    assert told(ticket, "reminded")
    assert (respond.state, respond.stopped_at) == ("running", None)


def test_nobody_answers_and_it_goes_back_to_whoever_waited(
    cast: Cast, waits: LetWait, live_until: Live
) -> None:
    ticket = waits("requester_confirm")
    live_until(berlin(30, 12))
    assert told(ticket, "reminded", "resumed", "wait_returned") == [
        ("reminded", berlin(9, 10)),
        ("resumed", berlin(10, 10)),
        ("wait_returned", berlin(10, 10)),
    ]
    ticket.refresh_from_db()
    assert (ticket.state, ticket.team, ticket.assignee) == ("open", cast.desk, cast.lena)
    (notice,) = mails(ticket, "silence")
    assert (notice.agent, notice.channel) == (cast.lena, "desk")


def test_whoever_is_away_gets_nothing_back(cast: Cast, waits: LetWait, live_until: Live) -> None:
    ticket = waits("requester_confirm")
    cast.lena.is_away = True
    cast.lena.save()
    live_until(berlin(10, 11))
    ticket.refresh_from_db()
    assert (ticket.team, ticket.assignee) == (cast.desk, None)


def test_a_vendor_is_chased_on_the_case(
    cast: Cast, nordvik: UnderpinningContract, waits: LetWait, doing: Doing, live_until: Live
) -> None:
    ticket = waits("vendor")
    with doing(cast.kira):
        case = Case.submit(
            ticket, nordvik, by=cast.kira, severity=2, subject="Gateway drops IKE", text="See the logs."
        )
    live_until(berlin(9, 11))
    case.refresh_from_db()
    assert case.chase_count == 1
    assert [m.address for m in mails(ticket, "vendor")] == ["support@nordvik.example"] * 2
    assert "waiting for news" in mails(ticket, "vendor")[-1].text
    live_until(berlin(10, 11))
    ticket.refresh_from_db()
    assert ticket.state == "open"


def test_a_vendor_that_waits_for_us_is_not_chased_but_its_driver_is_reminded(
    cast: Cast, nordvik: UnderpinningContract, waits: LetWait, doing: Doing, live_until: Live
) -> None:
    ticket = waits("vendor")
    with doing(cast.kira):
        case = Case.submit(ticket, nordvik, by=cast.kira, severity=2, subject="Gateway", text="See the logs.")
        case.move("waiting_on_us")
    live_until(berlin(9, 11))
    case.refresh_from_db()
    assert (case.chase_count, case.state) == (0, "waiting_on_us")
    assert [n.agent for n in mails(ticket, "chase")] == [cast.kira]


def test_without_a_case_whoever_works_it_learns_that_nobody_is_chased(
    cast: Cast, waits: LetWait, live_until: Live
) -> None:
    ticket = waits("vendor")
    live_until(berlin(9, 11))
    assert told(ticket, "case_missing") == [("case_missing", berlin(9, 10))]
    assert [n.agent for n in mails(ticket, "no_case")] == [cast.lena]


def test_a_team_is_reminded_on_the_desk(cast: Cast, waits: LetWait, live_until: Live) -> None:
    ticket = waits("dependency_group", team=cast.ops)
    live_until(berlin(30, 12))
    assert [(n.agent, n.channel) for n in mails(ticket, "remind")] == [(cast.tom, "desk")] * 2
    ticket.refresh_from_db()
    assert (ticket.state, wait_of(ticket).wake_at) == ("pending", None), "nothing follows, it waits on"


def test_a_team_that_may_not_know_of_the_client_is_not_waited_for(cast: Cast, waits: LetWait) -> None:
    with pytest.raises(UnableTo, match="does not serve this client"):
        waits("dependency_group", team=cast.northern)


def test_where_no_team_was_named_whoever_works_it_is_told(
    cast: Cast, waits: LetWait, live_until: Live
) -> None:
    ticket = waits("dependency_group")
    live_until(berlin(9, 11))
    (notice,) = mails(ticket, "no_reminder")
    assert notice.agent == cast.lena
    assert "no team was named" in notice.text


def test_who_cannot_be_written_to_is_not_silent(cast: Cast, waits: LetWait, live_until: Live) -> None:
    """Nobody was asked, so nobody kept silent: it goes back to work instead of being solved."""
    ticket = waits()
    cast.ann.undeliverable_since = berlin(8, 12)
    cast.ann.save()
    live_until(berlin(30, 12))
    ticket.refresh_from_db()
    assert (ticket.state, wait_of(ticket).outcome) == ("open", "returned")
    assert mails(ticket, "chaser", "last_warning") == []
    assert "mail to the contact comes back" in mails(ticket, "silence")[0].text


@pytest.mark.parametrize("kind", ["reply", "chaser"])
def test_whose_mail_came_back_has_not_kept_silent(
    cast: Cast, waits: LetWait, doing: Doing, live_until: Live, kind: str
) -> None:
    """Their mailbox was full, for the question or for a reminder; the address lives."""
    ticket = waits()
    live_until(berlin(9, 11))
    with doing(ENGINE, berlin(9, 12)):
        mails(ticket, kind)[0].come_back("mailbox full", dead=False)
    live_until(berlin(30, 12))
    ticket.refresh_from_db()
    assert (ticket.state, wait_of(ticket).outcome) == ("open", "returned")
    assert mails(ticket, "last_warning") == []
    assert "mail to the contact came back" in mails(ticket, "silence")[0].text


def test_mail_that_somebody_else_did_not_get_says_nothing_of_the_contact(
    cast: Cast, waits: LetWait, doing: Doing, live_until: Live
) -> None:
    ticket = waits()
    Notice.objects.filter(ticket=ticket, kind="reply").update(address="arne@acme.example")
    with doing(ENGINE, berlin(8, 12)):
        mails(ticket, "reply")[0].come_back("mailbox full", dead=False)
    live_until(berlin(30, 12))
    assert wait_of(ticket).outcome == "resolved"


@pytest.mark.parametrize("known", [True, False], ids=["a contact", "a visitor"])
def test_a_chat_is_long_over_so_its_contact_is_written_to(
    cast: Cast, agreed: None, doing: Doing, live_until: Live, known: bool
) -> None:
    with doing(cast.lena) as unit:
        ticket = cast.ticket(channel="chat", contact=cast.ann if known else None)
        unit.settle()
        ticket.take(cast.lena)
        ticket.ask("Which room is it?")
    live_until(berlin(9, 11))
    assert [n.address for n in mails(ticket, "chaser")] == (["ann@acme.example"] if known else [])
    assert len(mails(ticket, "no_reminder")) == (0 if known else 1)


def test_a_major_incident_is_never_solved_by_silence(cast: Cast, waits: LetWait, live_until: Live) -> None:
    ticket = waits()
    Ticket.objects.filter(pk=ticket.pk).update(is_major=True)
    live_until(berlin(30, 12))
    ticket.refresh_from_db()
    assert ticket.state == "open"


def test_a_contract_that_says_nothing_lets_it_wait(cast: Cast, doing: Doing, live_until: Live) -> None:
    with doing(cast.lena) as unit:
        ticket = cast.ticket()
        unit.settle()
        ticket.ask("Which room is it?")
    live_until(berlin(30, 12))
    ticket.refresh_from_db()
    assert (ticket.state, Wait.objects.count()) == ("pending", 0)


def test_after_an_outage_reminders_do_not_come_in_a_heap(waits: LetWait, doing: Doing) -> None:
    ticket = waits()
    late = berlin(12, 10)
    run_due(late)
    assert told(ticket, "reminded") == [("reminded", late)]
    assert wait_of(ticket).wake_at == berlin(15, 10)


def test_the_same_wait_is_never_chased_twice(cast: Cast, waits: LetWait, doing: Doing) -> None:
    ticket = waits()
    with doing(cast.lena, berlin(8, 11)):
        again = Ticket.objects.get(pk=ticket.pk)
        again.resume("an agent took it up again")
        again.ask("And which floor?")
    going = Wait.objects.going().filter(ticket=ticket)
    assert [(wait.began_at, wait.done) for wait in going] == [(berlin(8, 11), 0)]
    first = Wait.objects.filter(ticket=ticket).order_by("id")[0]
    with pytest.raises(IntegrityError), transaction.atomic():
        Wait.objects.filter(pk=first.pk).update(outcome="waiting", ended_at=None)


def test_what_waited_and_was_taken_up_in_one_breath_leaves_no_wait(
    cast: Cast, agreed: None, doing: Doing
) -> None:
    with doing(cast.lena):
        ticket = cast.ticket()
    with doing(cast.lena):
        ticket = Ticket.objects.get(pk=ticket.pk)
        ticket.ask("Which room is it?")
        ticket.resume("they called")
    assert not Wait.objects.going().exists()


def test_the_terms_of_a_wait_are_those_it_began_with(cast: Cast, waits: LetWait, live_until: Live) -> None:
    ticket = waits("requester_confirm")
    cast.acme_contract.pending = {}
    cast.acme_contract.save()
    live_until(berlin(9, 11))
    assert len(told(ticket, "reminded")) == 1


def test_an_agreed_time_comes_first(waits: LetWait, live_until: Live) -> None:
    ticket = waits(until=berlin(9, 9))
    live_until(berlin(30, 12))
    assert told(ticket, "reminded", "resumed") == [("resumed", berlin(9, 9))]


def test_many_waits_at_once_take_a_batch_of_mails(
    cast: Cast, waits: LetWait, doing: Doing, live_until: Live
) -> None:
    tickets = [waits() for _ in range(3)]
    live_until(berlin(9, 11))
    assert [len(mails(ticket, "chaser")) for ticket in tickets] == [1, 1, 1]


def test_prospects_say_what_happens_and_when(waits: LetWait) -> None:
    ahead = [(one.step, one.at) for one in wait_of(waits()).prospects()]
    assert ahead == [
        ("chase", berlin(9, 10)),
        ("chase", berlin(10, 10)),
        ("warn", berlin(11, 10)),
        ("resolve", berlin(15, 10)),
    ]


def test_a_reminder_knows_its_cause_and_its_number(cast: Cast, waits: LetWait, live_until: Live) -> None:
    ticket = waits()
    live_until(berlin(9, 11))
    entry = Entry.objects.get(ticket=ticket, kind="reminded")
    assert (entry.by, entry.pending_reason) == (ENGINE, "requester_info")
    assert {name: entry.details[name] for name in ("whom", "number", "of", "reason")} == {
        "whom": "contact",
        "number": 1,
        "of": 2,
        "reason": "requester_info",
    }
