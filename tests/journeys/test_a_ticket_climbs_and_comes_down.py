"""The ladder, end to end: first line with a cookbook, the gate, second line, third line, the vendor, and back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tests.journeys.conftest import Post
from tierdesk.learning.analytics.report import report
from tierdesk.response.notifications.models import Notice
from tierdesk.response.runbooks.models import Gap, Revision, Run
from tierdesk.response.sla.models import Clock
from tierdesk.response.tiers.models import Escalation
from tierdesk.response.tiers.pack import Pack
from tierdesk.response.vendors.models import Case, UnderpinningContract
from tierdesk.tickets.lifecycle import StaleTicket, UnableTo
from tierdesk.tickets.models import Entry, Ticket
from tierdesk.web.workspace.ladder import prefilled, run_records

H = timedelta(hours=1)
M = timedelta(minutes=1)
FULL = Pack(symptom="VPN refuses", scope="Ann only", steps_tried="the book", exact_ask="Look at the gateway")


@pytest.fixture
def ticket(cast: Cast, at: datetime, post: Post) -> Ticket:
    post.arrive(at, "Ann Albers <ann@acme.example>", "VPN does not connect", "Error 809: time-out.")
    return Ticket.objects.get()


def escalate(ticket: Ticket, cast: Cast, **more: Any) -> Escalation:
    values = {"by": cast.lena, "reason": "skill", "pack": FULL} | more
    return Escalation.send(ticket, values.pop("to_team", cast.ops), **values)


def test_first_line_follows_the_book_asks_and_solves(
    cast: Cast, at: datetime, ticket: Ticket, post: Post, vpn_book: Revision, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena, at + 5 * M):
        ticket.take(cast.lena)
        run = Run.start(ticket, vpn_book, cast.lena)
        run.answer("scope", answer="One person")
        ticket.ask("Does a public page open in your browser?")
    assert ticket.clocks.get(metric="resolve", party="SLA").state == "paused"
    post.sent.clear()
    from tierdesk.core.wakeups import fast_forward

    fast_forward(at + 6 * M)
    question = post.read()
    assert "public page" in question.get_content()
    post.arrive(
        at + H,
        "Ann Albers <ann@acme.example>",
        f"Re: {ticket.subject}",
        "No, nothing opens.\n\n> Does a",
        answers=question,
    )
    ticket.refresh_from_db()
    assert ticket.state == "open"
    assert ticket.messages.latest("id").text.startswith("No, nothing opens.")
    assert ticket.messages.latest("id").why == "signed reply address"
    with doing(cast.lena, at + H + 5 * M):
        Run.objects.get().answer("internet", answer="Nothing opens")
        ticket.resolve(code="information", text="Please restart your router.")
    fast_forward(at + H + 6 * M)
    assert "router" in post.read().get_content()
    assert "Service Desk" in post.read()["From"]


def test_the_gate_names_what_is_missing_and_changes_nothing(
    cast: Cast, at: datetime, ticket: Ticket, doing: Callable[..., Any]
) -> None:
    with pytest.raises(UnableTo, match="What exactly do you ask"), doing(cast.lena, at + M):
        escalate(ticket, cast, pack=Pack(symptom="x", scope="y", steps_tried="z"))
    ticket.refresh_from_db()
    assert (ticket.team, Escalation.objects.count()) == (cast.desk, 0)


def test_the_pack_is_filled_from_the_ticket_and_the_books_that_were_followed(
    cast: Cast, at: datetime, ticket: Ticket, vpn_book: Revision, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena, at + M):
        run = Run.start(ticket, vpn_book, cast.lena)
        run.answer("scope", gap="outdated", remark="the board moved")
    pack = prefilled(ticket, run_records(ticket))
    assert pack.symptom == "VPN does not connect"
    assert "the board moved" in pack.steps_tried
    assert "809" in pack.error_text
    assert run_records(ticket)[0].reason == "book_insufficient"


def test_the_book_was_not_enough_opens_a_task_to_improve_it(
    cast: Cast, at: datetime, ticket: Ticket, vpn_book: Revision, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena, at + M):
        Run.start(ticket, vpn_book, cast.lena).answer("scope", gap="outdated", remark="the board moved")
    with doing(cast.lena, at + 2 * M):
        escalate(ticket, cast, reason="book_insufficient")
    gap = Gap.objects.get()
    assert (gap.revision, gap.owner, gap.closed_at) == (vpn_book, cast.ops, None)


def test_the_second_line_accepts_within_its_time(
    cast: Cast, at: datetime, ticket: Ticket, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena, at + M):
        escalation = escalate(ticket, cast)
    ticket.refresh_from_db()
    assert (ticket.tier, ticket.team, ticket.voice_team) == (2, cast.ops, cast.desk)
    accept = Clock.objects.get(ticket=ticket, metric="accept")
    assert (accept.tier, accept.due_at) == (2, at + 31 * M)
    assert Notice.objects.filter(kind="escalated", agent=cast.tom).exists()
    with doing(cast.tom, at + 10 * M):
        escalation.ticket = ticket
        escalation.accept(cast.tom)
    accept.refresh_from_db()
    assert (accept.state, ticket.assignee) == ("met", cast.tom)


def test_a_returned_hand_over_is_charged_to_the_tier_that_sent_it(
    cast: Cast, at: datetime, ticket: Ticket, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena, at + M):
        escalation = escalate(ticket, cast)
    with doing(cast.tom, at + H + M):
        escalation.send_back(cast.tom, reason="missing_info", note="Which gateway?")
    ticket.refresh_from_db()
    assert (ticket.tier, ticket.team, ticket.assignee, ticket.return_count) == (1, cast.desk, cast.lena, 1)
    first = Clock.objects.get(ticket=ticket, party="OLA", metric="resolve", tier=1)
    assert (first.state, first.pauses) == ("running", [])
    assert Clock.objects.get(ticket=ticket, party="OLA", metric="resolve", tier=2).state == "cancelled"
    assert Notice.objects.filter(kind="returned", agent=cast.lena).exists()


def test_two_people_who_answer_a_hand_over_do_not_both_win(
    cast: Cast, at: datetime, ticket: Ticket, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena, at + M):
        escalation = escalate(ticket, cast)
    slower = Escalation.objects.select_related("ticket").get(pk=escalation.pk)
    with doing(cast.tom, at + 2 * M):
        escalation.accept(cast.tom)
    with pytest.raises(StaleTicket), doing(cast.tom, at + 2 * M):
        slower.send_back(cast.tom, reason="other", note="no")
    ticket.refresh_from_db()
    assert ticket.team == cast.ops


def test_the_third_line_drives_a_vendor_case_and_the_clients_clock_goes_on(
    cast: Cast,
    at: datetime,
    ticket: Ticket,
    post: Post,
    nordvik: UnderpinningContract,
    doing: Callable[..., Any],
) -> None:
    with doing(cast.lena, at + M):
        escalate(ticket, cast)
    with doing(cast.tom, at + 10 * M):
        escalate(ticket, cast, to_team=cast.experts, by=cast.tom)
    with pytest.raises(UnableTo, match="Only L3"), doing(cast.tom, at + 11 * M):
        Case.submit(
            ticket, nordvik, by=cast.tom, severity=1, subject="Gateway drops IKE", text="Please look."
        )
    with doing(cast.kira, at + 20 * M):
        case = Case.submit(
            ticket, nordvik, by=cast.kira, severity=1, subject="Gateway drops IKE", text="Please look."
        )
        ticket.pend("vendor")
    assert ticket.clocks.get(metric="resolve", party="SLA").state == "running"
    respond = Clock.objects.get(case_id=case.pk, metric="respond")
    assert (respond.party, respond.due_at) == ("UC", at + 80 * M)
    from tierdesk.core.wakeups import fast_forward

    fast_forward(at + 21 * M)
    ours = next(e for e in post.sent if e.rcpt_to == "support@nordvik.example")
    assert case.number.encode() in ours.data
    post.arrive(
        at + 50 * M,
        "Nordvik Support <support@nordvik.example>",
        f"[Case 00412345] Re: Gateway drops IKE [{case.number}]",
        "Known bug, install 7.4.2.",
    )
    case.refresh_from_db()
    respond.refresh_from_db()
    assert (case.state, case.reference) == ("acknowledged", "00412345")
    assert case.messages.latest("id").text.startswith("Known bug")
    assert respond.state == "met"
    assert not ticket.messages.filter(text__contains="Known bug").exists()
    post.arrive(at + H, "eva@nordvik.example", "Re: [Case 00412345] more", "Details follow.")
    assert case.messages.count() == 3
    with doing(cast.kira, at + 2 * H):
        case.move("solution_offered")
        case.close("fixed")
        Ticket.objects.get(pk=ticket.pk).resolve(code="vendor_fix", text="A new version is installed.")
    ticket.refresh_from_db()
    assert (ticket.state, ticket.resolved_tier) == ("resolved", 3)


def test_a_strangers_mail_with_the_vendors_number_reaches_no_case(
    cast: Cast,
    at: datetime,
    ticket: Ticket,
    post: Post,
    nordvik: UnderpinningContract,
    doing: Callable[..., Any],
) -> None:
    with doing(cast.lou, at + M):
        case = Case.submit(ticket, nordvik, by=cast.lou, severity=1, subject="Gateway", text="Please look.")
    post.arrive(at + H, "mallory@evil.example", f"Re: [{case.number}]", "Give me everything.")
    assert case.messages.count() == 1


def test_the_contact_can_reopen_within_the_window_and_it_closes_by_itself(
    cast: Cast,
    at: datetime,
    ticket: Ticket,
    post: Post,
    live_until: Callable[[datetime], None],
    doing: Callable[..., Any],
) -> None:
    with doing(cast.lena, at + H):
        ticket.resolve(code="fixed", text="Try again.")
    live_until(at + H + M)
    post.arrive(at + 5 * H, "ann@acme.example", "Re: VPN", "Still broken.", answers=post.read())
    ticket.refresh_from_db()
    assert (ticket.state, ticket.reopen_count) == ("open", 1)
    with doing(cast.lena, at + 6 * H):
        ticket.resolve(code="fixed", text="Now it works.")
    live_until(at + timedelta(days=8))
    ticket.refresh_from_db()
    assert ticket.state == "closed"
    assert Entry.objects.of(ticket.pk).last().kind == "closed"


def test_a_late_answer_opens_a_follow_up(
    cast: Cast,
    at: datetime,
    ticket: Ticket,
    post: Post,
    live_until: Callable[[datetime], None],
    doing: Callable[..., Any],
) -> None:
    with doing(cast.lena, at + H):
        ticket.resolve(code="fixed", text="Try again.")
    live_until(at + timedelta(days=8))
    last = post.read()
    post.arrive(at + timedelta(days=9), "ann@acme.example", "Re: VPN", "It is back.", answers=last)
    follow_up = Ticket.objects.latest("id")
    assert follow_up != ticket
    assert follow_up.relations.get().kind == "follow_up_of"


def test_a_broken_promise_tells_the_hierarchy_and_moves_nothing(
    cast: Cast, at: datetime, ticket: Ticket, live_until: Callable[[datetime], None]
) -> None:
    live_until(at + 5 * H)
    ticket.refresh_from_db()
    assert (ticket.team, ticket.tier) == (cast.desk, 1)
    told = Entry.objects.of(ticket.pk).filter(kind="hierarchy_told")
    breach = told.filter(details__percent=100).first()
    assert breach is not None and breach.cause is not None
    assert breach.cause.kind == "breached"
    assert Notice.objects.filter(kind="hierarchy", agent=cast.lou).exists()


def test_a_manager_sees_it_all_per_tier_and_per_client(
    cast: Cast, at: datetime, ticket: Ticket, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena, at + H):
        escalation = escalate(ticket, cast)
    with doing(cast.tom, at + 2 * H):
        escalation.send_back(cast.tom, reason="solvable_lower", note="see book 5")
    with doing(cast.lena, at + 3 * H):
        Ticket.objects.get(pk=ticket.pk).resolve(code="fixed")
    figures = report(cast.lou.user, at - H, at + 4 * H)
    first = figures.by_tier[1]
    assert (first.escalations, first.returns, first.resolved, first.first_tier_resolved) == (1, 1, 1, 0)
    assert figures.by_client[cast.acme.pk].hours == 3.0
