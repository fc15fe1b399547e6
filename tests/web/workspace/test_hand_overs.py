"""Hand-overs and advice on the ticket's page: each answer is a form, and only the right team has it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client as Browser

from tests.cast import Cast
from tests.response.tiers.conftest import PACK
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.directory.staff.models import User
from tierdesk.response.paging.models import Policy
from tierdesk.response.sla.models import Clock
from tierdesk.response.tiers.consultations import Consultation
from tierdesk.response.tiers.models import Escalation
from tierdesk.tickets.models import Entry, Ticket

Doing = Callable[..., Any]
Post = Callable[[User, str, dict[str, Any]], HttpResponse]


@pytest.fixture
def sent(cast: Cast, doing: Doing) -> Escalation:
    """Lena has handed Ann's ticket up to Operations."""
    with doing(cast.lena):
        ticket = cast.ticket()
        ticket.take(cast.lena)
    with doing(cast.lena):
        return Escalation.send(ticket, cast.ops, by=cast.lena, reason="skill", pack=PACK)


@pytest.fixture
def post(client: Browser) -> Post:
    """Post as somebody; afterwards the test sees every client again, as the request did not."""

    def as_somebody(user: User, address: str, form: dict[str, Any]) -> HttpResponse:
        client.force_login(user)
        answer = client.post(address, form)
        set_scope(EVERY_CLIENT)
        return answer

    return as_somebody


def page(client: Browser, user: User, ticket: Ticket) -> str:
    client.force_login(user)
    words = client.get(f"/tickets/{ticket.pk}/").content.decode()
    set_scope(EVERY_CLIENT)
    return words


def verb(sent: Escalation, name: str) -> str:
    return f"/tickets/{sent.ticket_id}/escalations/{sent.pk}/{name}/"


def test_it_is_told_once_with_its_reason_in_words(cast: Cast, client: Browser, sent: Escalation) -> None:
    told = page(client, cast.lena.user, sent.ticket)
    assert told.count("It needs knowledge that this tier does not have") == 2, (
        "in the ladder and in the history"
    )
    assert "handed it from L1" not in told
    assert "escalated from L1 to L2: It needs knowledge" in told


def test_what_came_of_it_leads_to_it_in_the_same_words(cast: Cast, client: Browser, doing: Doing) -> None:
    steps = [{"after": 0, "page": ["user:tom@desk.example"]}]
    Policy.publish("ops", name="Ops", said={"teams": ["ops"], "priorities": [3], "steps": steps})
    with doing(cast.lena):
        ticket = cast.ticket()
    with doing(cast.lena):
        Escalation.send(ticket, cast.ops, by=cast.lena, reason="skill", pack=PACK)
    told = page(client, cast.lena.user, ticket)
    assert "calls people by" in told and "handed it from L1" not in told
    entry = Entry.objects.of(ticket.pk).get(kind="escalation_sent")
    assert f'<a href="#entry-{entry.pk}">Lena Lang escalated from L1 to L2' in told


def test_hand_overs_that_came_back_leave_one_clock_of_them_on_the_ticket(
    cast: Cast, client: Browser, sent: Escalation, doing: Doing
) -> None:
    for _ in range(2):
        with doing(cast.tom):
            sent.send_back(cast.tom, reason="missing_info", note="Which site is it?")
        with doing(cast.lena):
            again = Ticket.objects.get(pk=sent.ticket_id)
            sent = Escalation.send(again, cast.ops, by=cast.lena, reason="skill", pack=PACK)
    told = page(client, cast.lena.user, sent.ticket)
    first, second, running = Clock.objects.filter(ticket=sent.ticket_id, metric="accept").order_by("id")
    assert (first.state, second.state, running.state) == ("met", "met", "running")
    shown = [one for one in (first, second, running) if f"/clocks/{one.pk}/" in told]
    assert shown == [second, running]


def test_what_came_back_too_often_names_somebody(
    cast: Cast, client: Browser, sent: Escalation, doing: Doing
) -> None:
    Ticket.objects.filter(pk=sent.ticket_id).update(return_count=3)
    with doing(cast.tom):
        sent.send_back(cast.tom, reason="missing_info", note="Which site is it?")
    client.force_login(cast.lena.user)
    form = client.get(f"/tickets/{sent.ticket_id}/escalation/").content.decode()
    chooser = form.partition("Who takes it?")[2].partition("</select>")[0]
    assert "optional" not in chooser and "required" in chooser


def test_each_team_is_offered_its_own_answers(cast: Cast, client: Browser, sent: Escalation) -> None:
    receiving = page(client, cast.tom.user, sent.ticket)
    assert 'id="coach-form"' in receiving
    assert 'id="return-form"' in receiving
    assert 'id="withdraw-form"' not in receiving
    sending = page(client, cast.lena.user, sent.ticket)
    assert 'id="withdraw-form"' in sending
    assert 'id="coach-form"' not in sending


def test_solving_it_together_gives_it_back_with_a_helper(
    cast: Cast, client: Browser, sent: Escalation, post: Post
) -> None:
    post(cast.tom.user, verb(sent, "coaching"), {"advice": "Restart it; I am on the line."})
    sent.refresh_from_db()
    assert (sent.state, Ticket.objects.get().assignee) == ("coached", cast.lena)
    words = page(client, cast.lena.user, sent.ticket)
    assert "Solve it together with Tom" in words and "Solved together with Tom" not in words
    assert "Restart it; I am on the line." in words
    assert "handed it from L2" not in words, "the hand-over that was answered says so"
    coaching = Consultation.objects.get()
    advice = f"/tickets/{sent.ticket_id}/consultations/{coaching.pk}/"
    post(cast.tom.user, advice, {"answer": "The service hung.", "minutes": "9"})
    coaching.refresh_from_db()
    assert (coaching.answer, coaching.minutes) == ("The service hung.", 9)
    words = page(client, cast.lena.user, sent.ticket)
    assert "Solved together with Tom" in words and "Took 9 minutes" in words


def test_what_came_back_says_so_with_its_reason_until_it_is_handed_up_again(
    cast: Cast, client: Browser, sent: Escalation, post: Post, doing: Doing
) -> None:
    told = "Tom Tran of Operations returned it: Information is missing"
    assert told not in page(client, cast.lena.user, sent.ticket)
    post(cast.tom.user, verb(sent, "return"), {"reason": "missing_info", "note": "Which site is it?"})
    came_back = page(client, cast.lena.user, sent.ticket)
    assert told in came_back
    assert "Returned, Information is missing: Which site is it?" in came_back
    ticket = Ticket.objects.get(pk=sent.ticket_id)
    with doing(cast.lena):
        Escalation.send(ticket, cast.ops, by=cast.lena, reason="skill", pack=PACK)
    assert told not in page(client, cast.lena.user, ticket)


def test_a_hand_over_is_taken_back_by_those_who_sent_it(cast: Cast, sent: Escalation, post: Post) -> None:
    post(cast.lena.user, verb(sent, "withdrawal"), {"why": "The contact found it."})
    sent.refresh_from_db()
    assert (sent.state, Ticket.objects.get().team) == ("withdrawn", cast.desk)


@pytest.mark.parametrize(
    ("who", "name", "form", "said"),
    [
        ("lena", "coaching", {"advice": "Together."}, "Only Operations answers"),
        ("lena", "return", {"reason": "other", "note": "No."}, "Only Operations answers"),
        ("tom", "withdrawal", {"why": "Mine."}, "Only the team that sent"),
        ("tom", "coaching", {"advice": "  "}, "Say how you go about it"),
        ("lena", "withdrawal", {"why": "  "}, "Say why you take it back"),
    ],
)
def test_others_and_empty_words_change_nothing(
    cast: Cast,
    client: Browser,
    sent: Escalation,
    post: Post,
    who: str,
    name: str,
    form: dict[str, Any],
    said: str,
) -> None:
    user = getattr(cast, who).user
    post(user, verb(sent, name), form)
    assert said in page(client, user, sent.ticket)
    sent.refresh_from_db()
    assert sent.state == "sent"


@pytest.mark.parametrize("name", ["acceptance", "return", "coaching", "withdrawal"])
def test_who_does_not_serve_the_client_finds_nothing(
    cast: Cast, sent: Escalation, post: Post, name: str
) -> None:
    form = {"advice": "x", "why": "x", "reason": "other", "note": "x"}
    assert post(cast.olga.user, verb(sent, name), form).status_code == 404
    assert post(cast.ann.user, verb(sent, name), form).status_code in (302, 403, 404)
    sent.refresh_from_db()
    assert sent.state == "sent"


def test_advice_is_asked_for_within_a_time_that_the_page_tells(
    cast: Cast, client: Browser, sent: Escalation, post: Post
) -> None:
    form = {"team": str(cast.experts.pk), "question": "Is it known?", "within": "60"}
    post(cast.tom.user, f"/tickets/{sent.ticket_id}/consultations/", form)
    asked = Consultation.objects.get()
    assert asked.due_at is not None
    assert asked.due_at >= asked.asked_at + timedelta(hours=1)
    words = page(client, cast.tom.user, sent.ticket)
    assert "Question to" in words
    assert "Expected by" in words


@pytest.mark.parametrize("minutes", ["99999", "-5", "five"])
def test_a_slip_in_the_minutes_keeps_nothing_and_says_so(
    cast: Cast, client: Browser, sent: Escalation, post: Post, minutes: str
) -> None:
    form = {"team": str(cast.experts.pk), "question": "Is it known?"}
    post(cast.tom.user, f"/tickets/{sent.ticket_id}/consultations/", form)
    asked = Consultation.objects.get()
    advice = f"/tickets/{sent.ticket_id}/consultations/{asked.pk}/"
    post(cast.kira.user, advice, {"answer": "Yes.", "minutes": minutes})
    assert "Say how long it took" in page(client, cast.kira.user, sent.ticket)
    asked.refresh_from_db()
    assert asked.answered_at is None
