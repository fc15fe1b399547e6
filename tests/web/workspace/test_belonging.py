"""Moving words and merging tickets on their pages: one call each, refusals in words, nothing of other clients."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tests.web.workspace.test_actions import post
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.tickets.models import Message, Ticket

HOUR = timedelta(hours=1)
Doing = Callable[..., AbstractContextManager[Any]]


@pytest.fixture
def lena(cast: Cast, client: Browser) -> Browser:
    client.force_login(cast.lena.user)
    return client


@pytest.fixture
def ticket(cast: Cast, doing: Doing, at: datetime) -> Ticket:
    with doing(cast.ann, at):
        return cast.ticket()


@pytest.fixture
def stray(cast: Cast, ticket: Ticket, doing: Doing, at: datetime) -> Message:
    with doing(cast.ann, at + HOUR):
        return ticket.hear("The printer burns.", channel="email")


@pytest.fixture
def printer(cast: Cast, doing: Doing, at: datetime) -> Ticket:
    with doing(cast.ann, at):
        return cast.ticket(subject="Printer")


@pytest.fixture
def foreign(cast: Cast, doing: Doing, at: datetime) -> Ticket:
    """A ticket of Borealis's, which Olga's team serves, too."""
    with doing(cast.bob, at):
        return cast.ticket(client=cast.borealis, contact=cast.bob, subject="Borealis’ secret")


def read(browser: Browser, address: str) -> str:
    page = browser.get(address).content.decode()
    set_scope(EVERY_CLIENT)
    return page


def told(browser: Browser, ticket: Ticket) -> str:
    return read(browser, f"/tickets/{ticket.pk}/")


def place(ticket: Ticket, message: Message) -> str:
    return f"/tickets/{ticket.pk}/messages/{message.pk}/place/"


def test_what_came_later_can_be_moved_or_split_and_what_opened_it_only_split(
    lena: Browser, ticket: Ticket, stray: Message
) -> None:
    page, first = told(lena, ticket), ticket.messages.order_by("id")[0]
    assert page.count("/place/") == 2
    assert place(ticket, stray) in page and place(ticket, first) in page
    later, opening = read(lena, place(ticket, stray)), read(lena, place(ticket, first))
    assert "Move them" in later and "Two matters in one?" in later
    assert "Move them" not in opening and "Two matters in one?" in opening


def test_a_second_matter_is_split_off(cast: Cast, lena: Browser, ticket: Ticket) -> None:
    first = ticket.messages.get()
    form = {"divide": "1", "subject": "Printer", "text": "And it burns.", "why": "two matters"}
    answer = post(lena, place(ticket, first), form | {"version": str(ticket.version)})
    second = Ticket.objects.get(subject="Printer")
    assert answer.headers["Location"] == f"/tickets/{second.pk}/"
    assert (second.client, second.contact, second.description) == (cast.acme, cast.ann, "And it burns.")
    assert f"which goes on as {second.reference}: two matters" in told(lena, ticket)
    assert f"a second matter in words that came to {ticket.reference}" in told(lena, second)


@pytest.mark.parametrize("missing", ["subject", "text", "why"])
def test_a_second_matter_without_words_is_refused(lena: Browser, ticket: Ticket, missing: str) -> None:
    first = ticket.messages.get()
    form = {"divide": "1", "subject": "Printer", "text": "And it burns.", "why": "two matters"} | {
        missing: " "
    }
    answer = post(lena, place(ticket, first), form)
    assert "matter" in read(lena, answer.headers["Location"])
    assert Ticket.objects.count() == 1


def test_who_splits_what_somebody_has_changed_is_told(
    lena: Browser, cast: Cast, ticket: Ticket, doing: Doing, at: datetime
) -> None:
    seen = ticket.version
    with doing(cast.tom, at + HOUR):
        ticket.take(cast.tom)
    form = {"divide": "1", "subject": "Printer", "text": "And it burns.", "why": "two matters"}
    answer = post(lena, place(ticket, ticket.messages.get()), form | {"version": str(seen)})
    assert "changed by somebody else" in read(lena, answer.headers["Location"])
    assert Ticket.objects.count() == 1


def test_words_move_to_a_ticket_that_is_chosen(
    lena: Browser, ticket: Ticket, stray: Message, printer: Ticket
) -> None:
    assert printer.reference in read(lena, place(ticket, stray))
    answer = post(lena, place(ticket, stray), {"other": printer.reference, "why": "it is the printer"})
    assert answer.headers["Location"] == f"/tickets/{printer.pk}/"
    assert printer.messages.filter(pk=stray.pk).exists()
    assert f"moved words that had come here to {printer.reference}: it is the printer" in told(lena, ticket)
    assert f"brought words that had come to {ticket.reference}" in told(lena, printer)


def test_a_number_that_is_typed_wins(lena: Browser, ticket: Ticket, stray: Message, printer: Ticket) -> None:
    form = {"other": "new", "number": printer.reference.lower(), "why": "it is the printer", "subject": "x"}
    post(lena, place(ticket, stray), form)
    assert printer.messages.filter(pk=stray.pk).exists()


def test_or_a_new_ticket_is_made_of_them(lena: Browser, ticket: Ticket, stray: Message) -> None:
    post(lena, place(ticket, stray), {"other": "new", "subject": "Fire", "why": "another matter"})
    made = Ticket.objects.exclude(pk=ticket.pk).get()
    assert (made.subject, made.messages.get()) == ("Fire", stray)


@pytest.mark.parametrize(
    ("form", "refused"),
    [
        ({"other": "new", "subject": "Fire"}, "Say why these words belong elsewhere"),
        ({"other": "new", "why": "so"}, "Give the new ticket a subject"),
        ({"why": "so"}, "Choose the other ticket"),
        ({"number": "TD-999999", "why": "so"}, "There is no ticket “TD-999999” that you can see"),
        ({"number": "’ OR 1=1", "why": "so"}, "There is no ticket"),
        ({"other": "new", "subject": "Fire", "why": "so", "version": "0"}, "changed by somebody else"),
    ],
    ids=["no reason", "no subject", "no ticket", "unknown", "not a number", "stale"],
)
def test_what_is_refused_is_said_in_words(
    lena: Browser, ticket: Ticket, stray: Message, form: dict[str, str], refused: str
) -> None:
    answer = post(lena, place(ticket, stray), form)
    assert refused in read(lena, answer.headers["Location"])
    assert Ticket.objects.count() == 1


def test_the_portal_shows_them_where_they_are_now(
    cast: Cast, client: Browser, ticket: Ticket, stray: Message, printer: Ticket
) -> None:
    client.force_login(cast.lena.user)
    post(client, place(ticket, stray), {"other": printer.reference, "why": "it is the printer"})
    client.force_login(cast.ann.user)
    before, after = (read(client, f"/portal/tickets/{one.pk}/") for one in (ticket, printer))
    assert "The printer burns." not in before
    assert "The printer burns." in after
    assert "it is the printer" not in before + after


def test_a_ticket_is_merged_and_taken_out_again(
    cast: Cast, lena: Browser, ticket: Ticket, printer: Ticket
) -> None:
    page = read(lena, f"/tickets/{printer.pk}/merge/")
    assert "Ann Albers &lt;ann@acme.example&gt;" in page
    post(lena, f"/tickets/{printer.pk}/merge/", {"other": ticket.reference, "why": "the same"})
    printer.refresh_from_db()
    assert (printer.state, printer.duplicate_of) == ("cancelled", ticket)
    assert f"this matter goes on as {ticket.reference}" in told(lena, printer)
    assert f"merged {printer.reference} into it: the same" in told(lena, ticket)
    post(lena, f"/tickets/{printer.pk}/parting/", {"why": "not the same"})
    printer.refresh_from_db()
    assert printer.state == "new"
    assert "took it out of" in told(lena, printer)


def test_the_slower_of_two_who_merge_is_told(
    cast: Cast, lena: Browser, ticket: Ticket, printer: Ticket, doing: Doing
) -> None:
    seen = printer.version
    with doing(cast.lou):
        printer.resolve(code="fixed", text="Done.")
    post(
        lena,
        f"/tickets/{printer.pk}/merge/",
        {"other": ticket.reference, "why": "the same", "version": str(seen)},
    )
    assert "changed by somebody else" in told(lena, printer)
    printer.refresh_from_db()
    assert printer.state == "resolved"


@pytest.mark.parametrize("page", ["merge", "place"])
def test_a_ticket_of_another_client_is_neither_offered_nor_taken(
    cast: Cast, lena: Browser, ticket: Ticket, stray: Message, foreign: Ticket, page: str
) -> None:
    address = f"/tickets/{ticket.pk}/merge/" if page == "merge" else place(ticket, stray)
    assert "Borealis" not in read(lena, address)
    answer = post(lena, address, {"number": foreign.reference, "why": "the same"})
    assert "client" in read(lena, answer.headers["Location"])
    assert not foreign.entries.exclude(kind__in=["opened", "triaged"]).exists()


@pytest.mark.parametrize("page", ["merge", "place", "parting"])
def test_outsiders_do_nothing(
    cast: Cast, client: Browser, ticket: Ticket, stray: Message, printer: Ticket, page: str
) -> None:
    address = place(ticket, stray) if page == "place" else f"/tickets/{ticket.pk}/{page}/"
    for user in (cast.olga.user, cast.ann.user):
        client.force_login(user)
        answer = post(client, address, {"number": printer.reference, "why": "mine"})
        assert answer.status_code in {302, 404}
    ticket.refresh_from_db()
    assert ticket.state == "new"
    assert ticket.messages.filter(pk=stray.pk).exists()


def test_whoever_follows_a_merged_ticket_is_led_on_and_others_are_not(
    cast: Cast, client: Browser, ticket: Ticket, doing: Doing
) -> None:
    with doing(cast.arne):
        double = cast.ticket(contact=cast.arne, subject="Me, too")
    with doing(cast.lena):
        double.merge_into(ticket, why="the same")
    client.force_login(cast.arne.user)
    page = read(client, f"/portal/tickets/{double.pk}/")
    assert f"about the same matter as {ticket.reference}" in page
    assert "Withdrawn" not in page
    assert client.get(f"/portal/tickets/{ticket.pk}/").status_code == 200
