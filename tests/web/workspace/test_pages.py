"""Every page of the workspace opens for an agent, and for nobody else."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tierdesk.core import clock
from tierdesk.response.notifications.models import Notice
from tierdesk.response.runbooks.models import Book
from tierdesk.response.sla.models import Clock
from tierdesk.response.tiers.models import Escalation
from tierdesk.response.tiers.pack import Pack
from tierdesk.tickets.models import Ticket
from tierdesk.web.workspace.guard import what_is_seen

PAGES = [
    "/",
    "/queues/mine/",
    "/queues/unassigned/",
    "/queues/due/",
    "/queues/likely-late/",
    "/queues/all/?type=request",
    "/queues/escalated/",
    "/queues/pending/",
    "/queues/all/",
    "/search/?q=vpn",
    "/search/",
    "/calls/",
    "/calls/?show=missed",
    "/calls/now/",
    "/calls/new/",
    "/chats/",
    "/calls/callers/?caller=ann",
    "/tickets/{ticket}/",
    "/tickets/{ticket}/clocks/{clock}/",
    "/tickets/{ticket}/escalation/",
    "/tickets/{ticket}/merge/",
    "/tickets/{ticket}/date/",
    "/tickets/{ticket}/client/",
    "/tickets/{ticket}/problem/",
    "/problems/",
    "/tickets/{ticket}/major/",
    "/tickets/{ticket}/messages/{message}/place/",
    "/books/",
    "/books/{book}/",
    "/gaps/",
    "/clients/",
    "/clients/ACME/",
    "/channels/",
    "/parked/",
    "/parked/?channel=email",
    "/notices/",
    "/shifts/desk/",
    "/major/",
]
LEADS = ["/report/", "/report/movement/", "/report/attainment/", "/report.csv"]


@pytest.fixture
def ticket(cast: Cast, doing: Callable[..., Any]) -> Ticket:
    with doing(cast.lena):
        return cast.ticket()


@pytest.fixture
def book(cast: Cast) -> Book:
    from tests.response.runbooks.test_runs import BOOKS

    return Book.publish((BOOKS / "vpn-not-connecting.md").read_text()).book


def address(page: str, ticket: Ticket, book: Book) -> str:
    message, clock = ticket.messages.get(), Clock.objects.filter(ticket=ticket).first()
    return page.format(ticket=ticket.pk, message=message.pk, clock=clock.pk, book=book.pk)


@pytest.mark.parametrize("page", PAGES)
def test_an_agent_sees_the_page(cast: Cast, client: Browser, ticket: Ticket, book: Book, page: str) -> None:
    client.force_login(cast.lena.user)
    assert client.get(address(page, ticket, book)).status_code == 200


@pytest.mark.parametrize("page", [*PAGES, *LEADS])
def test_a_stranger_is_asked_to_sign_in(client: Browser, ticket: Ticket, book: Book, page: str) -> None:
    response = client.get(address(page, ticket, book))
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("page", [*PAGES, *LEADS])
def test_a_contact_is_shown_to_the_portal(
    cast: Cast, client: Browser, ticket: Ticket, book: Book, page: str
) -> None:
    client.force_login(cast.ann.user)
    response = client.get(address(page, ticket, book))
    assert (response.status_code, response.headers["Location"]) == (302, "/portal/")


@pytest.mark.parametrize("page", [p for p in PAGES if "ticket" in p or "ACME" in p])
def test_an_agent_of_another_client_finds_nothing(
    cast: Cast, client: Browser, ticket: Ticket, book: Book, page: str
) -> None:
    client.force_login(cast.olga.user)
    assert client.get(address(page, ticket, book)).status_code == 404


@pytest.mark.parametrize(
    "page", ["/", "/queues/all/", "/search/?q=vpn", "/calls/callers/?caller=ann", "/clients/"]
)
def test_a_list_shows_nothing_of_a_client_that_the_agent_does_not_serve(
    cast: Cast, client: Browser, ticket: Ticket, page: str
) -> None:
    client.force_login(cast.olga.user)
    body = client.get(page).content.decode()
    assert ticket.subject not in body
    assert cast.acme.name not in body, "four letters of it may stand in any token"


@pytest.mark.parametrize("page", LEADS)
def test_the_report_is_for_managers(cast: Cast, client: Browser, page: str) -> None:
    client.force_login(cast.lena.user)
    assert client.get(page).status_code == 404
    client.force_login(cast.lou.user)
    assert client.get(page).status_code == 200


def test_a_deadline_says_who_changed_it_and_where_the_time_went(
    cast: Cast, ticket: Ticket, at: datetime, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena, at + timedelta(hours=1)):
        ticket.ask("Which gateway?")
    browser = Browser()
    browser.force_login(cast.lena.user)
    one = ticket.clocks.get(metric="resolve", party="SLA")
    page = browser.get(f"/tickets/{ticket.pk}/clocks/{one.pk}/").content.decode()
    for words in (
        "What happened to it",
        "started, 24 h for P3",
        "stands still",
        "“Acme GmbH standard support”, version 1<br>",
        "by the calendar “Office hours, Berlin”, version 1 (Europe/Berlin)",
        "Where the ticket’s time went",
        "<td>Waiting for the contact&#39;s answer</td>",
        "The ticket in all",
    ):
        assert words in page, words


def test_whoever_escalates_sees_what_the_others_get_and_what_the_client_has_left(
    cast: Cast, ticket: Ticket
) -> None:
    browser = Browser()
    browser.force_login(cast.lena.user)
    page = browser.get(f"/tickets/{ticket.pk}/escalation/").content.decode()
    assert "What they get" in page
    assert "8 h of its own 8 h" in page


def test_what_others_see_is_not_written_as_for_agents(cast: Cast) -> None:
    with pytest.raises(TypeError, match="no agent"):
        what_is_seen(cast.ann.user)


def test_a_broken_deadline_says_how_much_too_much_was_used(
    cast: Cast, client: Browser, ticket: Ticket, doing: Callable[..., Any]
) -> None:
    one = Clock.objects.get(ticket=ticket, metric="acknowledge", party="SLA")
    client.force_login(cast.lena.user)
    with clock.frozen(one.due_at + timedelta(hours=1)):
        late = client.get(f"/tickets/{ticket.pk}/clocks/{one.pk}/").content.decode()
    assert "that is 1 h too much. It was due" in late
    with clock.frozen(one.started_at):
        early = client.get(f"/tickets/{ticket.pk}/clocks/{one.pk}/").content.decode()
    assert "left:" in early and "It is due" in early


def test_a_missed_deadline_says_and_shows_when_it_was_due(
    cast: Cast, client: Browser, ticket: Ticket, doing: Callable[..., Any]
) -> None:
    one = Clock.objects.get(ticket=ticket, metric="acknowledge", party="SLA")
    with doing(cast.lena, one.due_at + timedelta(hours=1)):
        Ticket.objects.get(pk=ticket.pk).acknowledge()
    client.force_login(cast.lena.user)
    told = client.get(f"/tickets/{ticket.pk}/clocks/{one.pk}/").content.decode()
    assert one.due_at.isoformat(timespec="seconds")[:16] in told.partition("It was due")[2][:120]
    assert 'class="time-bar-mark" data-kind="due"' in told and 'rect data-kind="over"' in told


def test_a_clock_that_no_longer_applies_says_so_and_stands_no_more(
    cast: Cast, client: Browser, ticket: Ticket, doing: Callable[..., Any], at: datetime
) -> None:
    with doing(cast.lena, at + timedelta(hours=1)):
        Ticket.objects.get(pk=ticket.pk).ask("Which router is it?")
    with doing(cast.lena, at + timedelta(hours=2)):
        Ticket.objects.get(pk=ticket.pk).cancel(why="Asked by mistake")
    one = Clock.objects.get(ticket=ticket, metric="resolve", party="SLA")
    client.force_login(cast.lena.user)
    told = client.get(f"/tickets/{ticket.pk}/clocks/{one.pk}/").content.decode()
    assert "It no longer applies." in told
    assert "never due" not in told and "still paused" not in told


def test_why_a_hand_over_began_or_came_back_is_told_in_words(
    cast: Cast, client: Browser, ticket: Ticket, doing: Callable[..., Any]
) -> None:
    pack = Pack(symptom="VPN", scope="Ann", steps_tried="Restart", exact_ask="Look at it.")
    with doing(cast.lena):
        sent = Escalation.send(
            Ticket.objects.get(pk=ticket.pk), cast.ops, by=cast.lena, reason="skill", pack=pack
        )
    with doing(cast.tom):
        sent.send_back(cast.tom, reason="missing_info", note="Which gateway?")
    client.force_login(cast.lena.user)
    told = ""
    for one in Clock.objects.filter(ticket=ticket, party="OLA"):
        told += client.get(f"/tickets/{ticket.pk}/clocks/{one.pk}/").content.decode()
    assert "It needs knowledge that this tier does not have" in told and "Information is missing" in told
    assert ">skill<" not in told and ">missing info<" not in told


def test_a_pause_is_told_in_words(
    cast: Cast, client: Browser, ticket: Ticket, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena):
        Ticket.objects.get(pk=ticket.pk).ask("Which router is it?")
    one = Clock.objects.get(ticket=ticket, metric="resolve", party="SLA")
    client.force_login(cast.lena.user)
    told = client.get(f"/tickets/{ticket.pk}/clocks/{one.pk}/").content.decode()
    assert "requester info" not in told
    assert (
        told.count("Waiting for the contact&#x27;s answer")
        + told.count("Waiting for the contact&#39;s answer")
        >= 2
    )


def test_warnings_and_breaches_look_different_among_the_notices(
    cast: Cast, client: Browser, ticket: Ticket, at: datetime
) -> None:
    """By their sign and their first word, not by a colour alone; and so does what was read."""
    told = {"client": cast.acme, "ticket": ticket, "channel": "desk", "agent": cast.lena, "created_at": at}
    for kind, read_at in (("warning", at), ("breach", None), ("assigned", at)):
        Notice.objects.create(**told, kind=kind, subject=f"A notice of {kind}", text="…", read_at=read_at)
    client.force_login(cast.lena.user)
    page = client.get("/notices/").content.decode()
    entries = page.split('<div class="timeline-entry"')[1:]
    signs = {
        kind: (re.findall(r"icons.svg#([\w-]+)", entry)[0], "unread" in entry)
        for entry in entries
        for kind in re.findall(r"A notice of (\w+)", entry)
    }
    assert signs == {"warning": ("triangle", False), "breach": ("octagon", True), "assigned": ("bell", False)}


@pytest.mark.parametrize(
    ("trust", "words"),
    [("failed", "perhaps forged"), ("unverified", "sender unverified"), ("verified", "")],
)
def test_how_far_a_sender_is_believed_stands_beside_what_they_say(
    cast: Cast, client: Browser, doing: Any, trust: str, words: str
) -> None:
    with doing(cast.ann):
        ticket = cast.ticket(trust=trust)
    client.force_login(cast.lena.user)
    page = client.get(f"/tickets/{ticket.pk}/").content.decode()
    said = [one for one in ("perhaps forged", "sender unverified") if one in page]
    assert said == ([words] if words else [])
