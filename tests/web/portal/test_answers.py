"""What a contact may do to a request, and what it does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tests.web.portal.conftest import Browser
from tierdesk.core import clock
from tierdesk.response.sla.dates import promise_date
from tierdesk.tickets.models import Ticket

type Doing = Callable[..., Any]


@pytest.fixture
def solved(cast: Cast, doing: Doing, ticket: Ticket) -> Ticket:
    with doing(cast.lena):
        fresh = Ticket.objects.get(pk=ticket.pk)
        fresh.resolve(code="fixed", text="Please try again.")
    return fresh


def page(ticket: Ticket, action: str = "") -> str:
    return f"/portal/tickets/{ticket.pk}/{action}{'/' if action else ''}"


def now(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def test_a_question_waits_for_the_contact_and_the_answer_wakes_it(
    cast: Cast, doing: Doing, ann: Browser, ticket: Ticket
) -> None:
    with doing(cast.lena):
        now(ticket).ask("Which printer is it?")
    assert "Waiting for you" in ann.reads("/portal/")
    assert "Which printer is it?" in ann.reads(page(ticket))
    assert "go on as soon as you answer" in ann.reads(page(ticket))
    response = ann.post(page(ticket, "words"), {"text": "The one on the second floor."})
    assert response.headers["Location"] == page(ticket)
    assert now(ticket).state == "open"
    said = ticket.messages.latest("id")
    assert (said.text, said.by_name, said.channel) == (
        "The one on the second floor.",
        "Ann Albers",
        "web_form",
    )


def test_whoever_works_it_speaks_to_the_contact_with_the_voice_of_the_first_line(
    cast: Cast, doing: Doing, ann: Browser, ticket: Ticket
) -> None:
    with doing(cast.lena):
        now(ticket).reply("We look at it.")
    with doing(cast.tom):
        now(ticket).reply("The gateway has a new version.")
    shown = ann.reads(page(ticket))
    assert cast.lena.name in shown and "The gateway has a new version." in shown
    assert cast.tom.name not in shown
    talks = now(ticket).voice_team
    assert talks is not None and talks.name in shown


def test_an_answer_sent_twice_is_heard_once(ann: Browser, ticket: Ticket) -> None:
    seen = ticket.messages.get().pk
    for _ in range(2):
        ann.post(page(ticket, "words"), {"text": "Any news?", "seen": seen})
    assert ticket.messages.filter(text="Any news?").count() == 1


def test_the_same_words_after_something_new_are_heard_again(ann: Browser, ticket: Ticket) -> None:
    ann.post(page(ticket, "words"), {"text": "Any news?", "seen": ticket.messages.get().pk})
    ann.post(page(ticket, "words"), {"text": "Any news?", "seen": ticket.messages.latest("id").pk})
    assert ticket.messages.filter(text="Any news?").count() == 2


def test_an_empty_answer_comes_back(ann: Browser, ticket: Ticket) -> None:
    response = ann.post(page(ticket, "words"), {"text": "   "})
    assert response.status_code == 422
    assert "Write something first." in response.content.decode()


def test_yes_solved_closes_it_and_a_double_click_is_no_complaint(
    at: datetime, ann: Browser, solved: Ticket
) -> None:
    with clock.frozen(at + timedelta(hours=1)):
        assert "Yes, solved" in ann.reads(page(solved))
        ann.post(page(solved, "closure"))
        answer = ann.post(page(solved, "closure"), follow=True).content.decode()
    assert now(solved).state == "closed"
    assert "Thank you." in answer
    assert "It came back" in answer


def test_not_solved_reopens_it_with_the_contacts_words(at: datetime, ann: Browser, solved: Ticket) -> None:
    with clock.frozen(at + timedelta(hours=1)):
        ann.post(page(solved, "reopening"), {"text": "It is still broken."})
        ann.post(page(solved, "reopening"), {"text": "It is still broken."})
    assert (now(solved).state, now(solved).reopen_count) == ("open", 1)
    assert solved.messages.filter(text="It is still broken.").count() == 1


def test_not_solved_needs_no_words(at: datetime, ann: Browser, solved: Ticket) -> None:
    with clock.frozen(at + timedelta(hours=1)):
        ann.post(page(solved, "reopening"))
    assert now(solved).state == "open"


def test_after_the_window_it_is_not_reopened_and_the_words_become_a_new_request(
    at: datetime, ann: Browser, solved: Ticket
) -> None:
    with clock.frozen(at + timedelta(days=30)):
        assert "Not solved: reopen" not in ann.reads(page(solved))
        response = ann.post(page(solved, "reopening"), {"text": "It is back."})
        ann.post(page(solved, "reopening"))
    assert response.status_code == 422
    assert "It is back." in response.content.decode()
    assert f'name="related" value="{solved.pk}"' in response.content.decode()
    assert now(solved).state == "resolved"


def test_words_on_a_closed_request_are_not_lost(
    cast: Cast, doing: Doing, ann: Browser, solved: Ticket
) -> None:
    with doing(cast.lena):
        now(solved).close("confirmed")
    response = ann.post(page(solved, "words"), {"text": "One more thing."})
    assert response.status_code == 422
    assert "One more thing." in response.content.decode()
    assert "was not sent yet" in response.content.decode()
    assert not solved.messages.filter(text="One more thing.").exists()


def test_an_open_request_does_not_close_by_yes(ann: Browser, ticket: Ticket) -> None:
    answer = ann.post(page(ticket, "closure"), follow=True).content.decode()
    assert "only a resolved ticket closes" in answer
    assert now(ticket).is_unresolved()


def test_times_are_the_contacts_own(cast: Cast, ann: Browser, doing: Doing, at: datetime) -> None:
    with doing(cast.lena, at):
        own = cast.ticket()
    assert "2026-06-08 10:00" in ann.reads(page(own))
    cast.ann.timezone = "Asia/Tokyo"
    cast.ann.save()
    assert "2026-06-08 17:00" in ann.reads(page(own))


def test_a_form_without_the_token_of_its_page_is_refused(cast: Cast, ticket: Ticket) -> None:
    careful = Browser(enforce_csrf_checks=True)
    careful.force_login(cast.ann.user)
    assert careful.post(page(ticket, "words"), {"text": "forged"}).status_code == 403


def test_a_contact_who_is_waited_for_reads_when_silence_is_an_answer(
    cast: Cast, doing: Doing, ann: Browser, ticket: Ticket
) -> None:
    with doing(cast.lena):
        now(ticket).ask("Which printer is it?")
    assert "If we hear nothing from you" not in ann.reads(page(ticket)), "the contract says nothing of it"
    with doing(cast.lena):
        now(ticket).resume("they called")
    cast.acme_contract.pending = {"requester_info": {"every": 8 * 3600, "chasers": 1, "then": "resolve"}}
    cast.acme_contract.save()
    with doing(cast.lena):
        now(ticket).ask("And which room?")
    assert "If we hear nothing from you" in ann.reads(page(ticket))
    assert "2026-06-11T08:00" in ann.reads(page(ticket)), "three working days after Monday, 10:00 in Berlin"


@pytest.mark.parametrize("shown", [True, False])
def test_a_promised_date_is_read_if_whoever_promised_it_says_so(
    cast: Cast, ann: Browser, ticket: Ticket, doing: Doing, at: datetime, shown: bool
) -> None:
    """As it was said: 20:30 on a Wednesday, whatever it counts as among us."""
    with doing(cast.lena, at):
        date = datetime(2026, 6, 10, 18, 30, tzinfo=UTC)
        promise_date(ticket, date, by=cast.lena, why="the board wants it", shown=shown)
    page = ann.reads(f"/portal/tickets/{ticket.pk}/")
    assert ("We promised that it is solved by Wednesday, 10 June 2026, 20:30." in page) == shown
    assert "the board wants it" not in page
