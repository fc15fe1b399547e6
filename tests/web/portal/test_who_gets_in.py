"""Every page of the portal shows a contact what is theirs, and shows it to nobody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cast import Cast
from tests.web.portal.conftest import Browser
from tierdesk.core.facts import ENGINE
from tierdesk.tickets.models import Attachment, Message, Ticket

EVERYBODYS = ["/portal/", "/portal/?show=solved", "/portal/new/"]
OF_A_TICKET = [
    "/portal/tickets/{ticket}/",
    "/portal/tickets/{ticket}/attachments/{file}/",
    "/portal/new/?related={ticket}",
]
ACTIONS = ["words", "closure", "reopening"]
SECRET = "the-secret-of-the-second-line"


@pytest.fixture
def file(cast: Cast, ticket: Ticket) -> Attachment:
    return Attachment.objects.create(
        client=cast.acme,
        message=ticket.messages.get(),
        name="photo.svg",
        content_type="image/svg+xml",
        size=6,
        sha256="0" * 64,
        content=b"<svg/>",
    )


def address(page: str, ticket: Ticket, file: Attachment) -> str:
    return page.format(ticket=ticket.pk, file=file.pk)


@pytest.mark.parametrize("page", [*EVERYBODYS, *OF_A_TICKET])
def test_a_contact_sees_the_page(ann: Browser, ticket: Ticket, file: Attachment, page: str) -> None:
    assert ann.get(address(page, ticket, file)).status_code == 200


@pytest.mark.parametrize("page", [*EVERYBODYS, *OF_A_TICKET])
def test_a_stranger_is_asked_to_sign_in(
    stranger: Browser, ticket: Ticket, file: Attachment, page: str
) -> None:
    response = stranger.get(address(page, ticket, file))
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/sign-in/?next=/portal/")


@pytest.mark.parametrize("page", [*EVERYBODYS, *OF_A_TICKET])
def test_an_agent_is_shown_to_the_workspace(
    cast: Cast, stranger: Browser, ticket: Ticket, file: Attachment, page: str
) -> None:
    stranger.force_login(cast.lena.user)
    response = stranger.get(address(page, ticket, file))
    assert (response.status_code, response.headers["Location"]) == (302, "/")


@pytest.mark.parametrize("page", OF_A_TICKET)
def test_another_clients_contact_finds_nothing(
    bob: Browser, ticket: Ticket, file: Attachment, page: str
) -> None:
    assert bob.get(address(page, ticket, file)).status_code == 404


@pytest.mark.parametrize("page", OF_A_TICKET)
def test_a_colleague_finds_nothing_unless_they_see_the_whole_client(
    cast: Cast, arne: Browser, ticket: Ticket, file: Attachment, page: str
) -> None:
    assert arne.get(address(page, ticket, file)).status_code == 404
    cast.arne.sees_client = True
    cast.arne.save()
    assert arne.get(address(page, ticket, file)).status_code == 200


@pytest.mark.parametrize("action", ACTIONS)
def test_an_outsider_changes_nothing(
    bob: Browser, arne: Browser, stranger: Browser, ticket: Ticket, action: str
) -> None:
    target = f"/portal/tickets/{ticket.pk}/{action}/"
    assert bob.post(target, {"text": "mine now"}).status_code == 404
    assert arne.post(target, {"text": "mine now"}).status_code == 404
    assert stranger.post(target, {"text": "mine now"}).headers["Location"].startswith("/sign-in/")
    assert not ticket.messages.filter(text="mine now").exists()


@pytest.mark.parametrize("action", ACTIONS)
def test_looking_at_an_action_changes_nothing(ann: Browser, ticket: Ticket, action: str) -> None:
    assert ann.get(f"/portal/tickets/{ticket.pk}/{action}/").status_code == 405


def test_a_list_shows_nothing_of_others(ann: Browser, arne: Browser, bob: Browser, ticket: Ticket) -> None:
    assert ticket.subject in ann.reads("/portal/")
    assert ticket.subject not in arne.reads("/portal/")
    assert ticket.subject not in bob.reads("/portal/")


def test_a_contact_who_left_is_not_let_in(cast: Cast, ann: Browser, ticket: Ticket) -> None:
    cast.ann.is_active = False
    cast.ann.save()
    assert ann.get("/portal/").headers["Location"].startswith("/sign-in/")


def test_a_participant_sees_the_ticket_once_a_person_accepted_them(
    cast: Cast, arne: Browser, ticket: Ticket
) -> None:
    follower = ticket.participants.create(client=cast.acme, contact=cast.arne, email=cast.arne.email)
    assert arne.get(f"/portal/tickets/{ticket.pk}/").status_code == 404
    follower.accepted = True
    follower.save()
    assert ticket.subject in arne.reads(f"/portal/tickets/{ticket.pk}/")


def test_what_colleagues_say_among_themselves_never_leaves_the_house(
    cast: Cast, doing: Callable[..., Any], ann: Browser, ticket: Ticket
) -> None:
    with doing(cast.lena):
        fresh = Ticket.objects.get(pk=ticket.pk)
        note = fresh.note(SECRET)
        fresh.hand_over(cast.ops, why=SECRET)
    for page in ["/portal/", "/portal/?show=solved", f"/portal/tickets/{ticket.pk}/"]:
        body = ann.reads(page)
        assert SECRET not in body
        assert "Operations" not in body
        assert "L2" not in body
    hidden = Attachment.objects.create(
        client=cast.acme,
        message=note,
        name="n",
        content_type="text/plain",
        size=1,
        sha256="0" * 64,
        content=b"n",
    )
    assert ann.get(f"/portal/tickets/{ticket.pk}/attachments/{hidden.pk}/").status_code == 404


def test_the_desk_itself_speaks_as_support(
    cast: Cast, doing: Callable[..., Any], ann: Browser, ticket: Ticket
) -> None:
    with doing(ENGINE):
        Ticket.objects.get(pk=ticket.pk).reply("We are on it.")
    body = ann.reads(f"/portal/tickets/{ticket.pk}/")
    assert "We are on it." in body
    assert "Tierdesk</span>" not in body


def test_a_file_is_a_download_that_no_browser_interprets(
    ann: Browser, ticket: Ticket, file: Attachment
) -> None:
    response = ann.get(f"/portal/tickets/{ticket.pk}/attachments/{file.pk}/")
    assert response.content == b"<svg/>"
    assert response.headers["Content-Disposition"] == 'attachment; filename="photo.svg"'
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"].startswith("sandbox")


def test_a_file_of_another_ticket_is_not_reached_through_an_own_one(
    cast: Cast, doing: Callable[..., Any], arne: Browser, ticket: Ticket, file: Attachment
) -> None:
    with doing(cast.lena):
        own = cast.ticket(contact=cast.arne)
    assert arne.get(f"/portal/tickets/{own.pk}/attachments/{file.pk}/").status_code == 404


def test_words_are_shown_as_words(
    cast: Cast, doing: Callable[..., Any], ann: Browser, ticket: Ticket
) -> None:
    with doing(cast.ann):
        Ticket.objects.get(pk=ticket.pk).hear("<script>alert(1)</script>", channel="email")
    body = ann.reads(f"/portal/tickets/{ticket.pk}/")
    assert "&lt;script&gt;alert(1)" in body
    assert Message.objects.filter(ticket=ticket).count() == 2
