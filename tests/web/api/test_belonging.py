"""A program merges duplicates, parts them again, and puts words where they belong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cast import Cast
from tests.web.api.conftest import Program
from tierdesk.core import clock
from tierdesk.tickets.models import Message, Ticket

NOWHERE = 10**12


@pytest.fixture
def other(cast: Cast, doing: Callable[..., Any]) -> Ticket:
    """Ann's second ticket."""
    with doing(cast.lena, clock.now()):
        return cast.ticket(subject="The printer burns")


@pytest.fixture
def stray(cast: Cast, ticket: Ticket, doing: Callable[..., Any]) -> Message:
    """Words of Ann's that joined her first ticket, and are about the second."""
    with doing(cast.ann, clock.now()):
        return ticket.hear("The fire is out. And my mouse is dead.", channel="email")


def version(ticket: Ticket) -> int:
    return Ticket.objects.get(pk=ticket.pk).version


def test_a_duplicate_is_merged_and_parted_again(lena: Program, ticket: Ticket, other: Ticket) -> None:
    path = f"/tickets/{other.pk}"
    merged = lena.post(
        f"{path}/merge", {"version": version(other), "into": ticket.pk, "why": "the same fire"}
    ).json()
    assert (merged["state"], merged["duplicate_of"]) == ("cancelled", ticket.pk)
    told = lena.get(f"/tickets/{ticket.pk}/timeline").json()["items"]
    assert [entry["details"]["other"] for entry in told if entry["kind"] == "absorbed"] == [other.pk]
    parted = lena.post(f"{path}/parting", {"version": merged["version"], "why": "two fires"}).json()
    assert (parted["state"], parted["duplicate_of"]) == ("new", None)


@pytest.mark.parametrize("into", ["itself", "nowhere", "hidden", "another client's"])
def test_a_ticket_is_merged_into_nothing_else(
    cast: Cast,
    program: Callable[..., Program],
    lena: Program,
    ticket: Ticket,
    doing: Callable[..., Any],
    into: str,
) -> None:
    with doing(cast.lena, clock.now()):
        theirs = cast.ticket(client=cast.borealis, contact=cast.bob)
    cast.northern.clients.set([cast.acme])
    caller = program(cast.olga.user) if into == "hidden" else lena
    to, words = {
        "itself": (ticket.pk, "A ticket is not merged into itself: name the other one."),
        "nowhere": (NOWHERE, "into: there is no such ticket that you can see"),
        "hidden": (theirs.pk, "into: there is no such ticket that you can see"),
        "another client's": (theirs.pk, "Tickets of different clients are never merged."),
    }[into]
    body = {"version": version(ticket), "into": to, "why": "the same"}
    answer = caller.post(f"/tickets/{ticket.pk}/merge", body)
    assert (answer.status_code, answer.json()["error"]["message"]) == (422, words)
    assert Ticket.objects.get(pk=ticket.pk).state == "new"


def test_words_go_to_the_ticket_that_they_are_about(
    lena: Program, ticket: Ticket, other: Ticket, stray: Message
) -> None:
    body = {"version": version(ticket), "to": other.pk, "why": "it is about the printer"}
    left = lena.post(f"/tickets/{ticket.pk}/messages/{stray.pk}/place", body).json()
    assert left["id"] == ticket.pk
    assert Message.objects.get(pk=stray.pk).ticket_id == other.pk
    (gone,) = [e for e in _told(lena, ticket) if e["kind"] == "words_moved"]
    assert (gone["details"]["to"], gone["details"]["message"]) == (other.pk, stray.pk)


def test_words_become_a_ticket_of_their_own(lena: Program, ticket: Ticket, stray: Message) -> None:
    body = {"version": version(ticket), "to": None, "subject": "A fire", "why": "another matter"}
    assert lena.post(f"/tickets/{ticket.pk}/messages/{stray.pk}/place", body).status_code == 200
    (gone,) = [e for e in _told(lena, ticket) if e["kind"] == "words_moved"]
    new = lena.get(f"/tickets/{gone['details']['to']}").json()
    assert (new["subject"], new["contact"]["name"]) == ("A fire", "Ann Albers")


def test_a_second_matter_is_divided_off(lena: Program, ticket: Ticket, stray: Message) -> None:
    body = {
        "version": version(ticket),
        "subject": "Mouse",
        "text": "And my mouse is dead.",
        "why": "another matter",
    }
    assert lena.post(f"/tickets/{ticket.pk}/messages/{stray.pk}/division", body).status_code == 200
    assert Message.objects.get(pk=stray.pk).ticket_id == ticket.pk
    (split,) = [e for e in _told(lena, ticket) if e["kind"] == "matter_split"]
    new = lena.get(f"/tickets/{split['details']['to']}").json()
    assert (new["subject"], new["description"]) == ("Mouse", "And my mouse is dead.")


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"to": None}, 422, "subject: a new ticket needs one"),
        ({"to": 1, "subject": "Mine"}, 422, "subject: the ticket that they go to has one"),
        ({"to": NOWHERE}, 422, "to: there is no such ticket that you can see"),
        ({}, 422, "to: Field required"),
    ],
)
def test_where_words_cannot_go_is_said(
    lena: Program, ticket: Ticket, stray: Message, body: dict[str, Any], status: int, words: str
) -> None:
    said = {"version": version(ticket), "why": "another matter"} | body
    answer = lena.post(f"/tickets/{ticket.pk}/messages/{stray.pk}/place", said)
    assert (answer.status_code, answer.json()["error"]["message"]) == (status, words)
    assert Message.objects.get(pk=stray.pk).ticket_id == ticket.pk


def test_words_of_another_ticket_are_not_there(
    lena: Program, ticket: Ticket, other: Ticket, stray: Message
) -> None:
    body = {"version": version(other), "to": ticket.pk, "why": "another matter"}
    for message in (stray.pk, NOWHERE):
        assert lena.post(f"/tickets/{other.pk}/messages/{message}/place", body).status_code == 404


def _told(lena: Program, ticket: Ticket) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = lena.get(f"/tickets/{ticket.pk}/timeline").json()["items"]
    return entries
