"""A request is sent, has a number, and is sent once."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.cast import Cast
from tests.web.portal.conftest import Browser
from tierdesk.channels.models import Inbound
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, seeing
from tierdesk.directory.services.models import Service
from tierdesk.tickets.models import Relation, Ticket
from tierdesk.web.portal.forms import MOST_OCTETS, check_files

WORDS = {"subject": "Printer eats paper", "text": "Since noon.", "urgency": "2", "service": ""}


def form(**changes: Any) -> dict[str, Any]:
    return WORDS | {"key": str(uuid.uuid4())} | changes


def test_a_request_becomes_a_ticket_with_a_receipt(cast: Cast, ann: Browser, at: datetime) -> None:
    with clock.frozen(at):
        sent = ann.post("/portal/new/", form(service=cast.vpn.pk, urgency="1"))
    assert sent.status_code == 302
    ticket = Ticket.objects.get()
    assert (ticket.subject, ticket.contact, ticket.channel) == ("Printer eats paper", cast.ann, "web_form")
    assert (ticket.service, ticket.urgency) == (cast.vpn, 1)
    receipt = ann.reads(sent.headers["Location"])
    assert ticket.reference in receipt
    due = ticket.clocks.get(metric="acknowledge", party="SLA").due_at
    assert due is not None
    assert f"{due.astimezone(clock_zone()):%H:%M}." in receipt and "Europe/Berlin" in receipt


def clock_zone() -> Any:
    from zoneinfo import ZoneInfo

    return ZoneInfo("Europe/Berlin")


def test_a_form_sent_twice_is_one_ticket(ann: Browser, cast: Cast) -> None:
    once = form()
    first, second = ann.post("/portal/new/", once), ann.post("/portal/new/", once)
    assert first.headers["Location"] == second.headers["Location"]
    assert Ticket.objects.count() == 1


def test_a_form_that_was_changed_and_sent_again_is_not_swallowed(ann: Browser, cast: Cast) -> None:
    once = form()
    ann.post("/portal/new/", once)
    ann.post("/portal/new/", once | {"text": "And now the scanner as well."})
    assert Ticket.objects.count() == 2


def test_somebody_elses_receipt_does_not_exist(
    ann: Browser, arne: Browser, bob: Browser, stranger: Browser
) -> None:
    receipt = ann.post("/portal/new/", form()).headers["Location"]
    assert arne.get(receipt).status_code == 404
    assert bob.get(receipt).status_code == 404
    assert stranger.get(receipt).headers["Location"].startswith("/sign-in/")


def test_a_parked_request_is_answered_politely(cast: Cast, ann: Browser) -> None:
    cast.acme_contract.channels = ["email"]
    cast.acme_contract.save()
    receipt = ann.reads(ann.post("/portal/new/", form()).headers["Location"])
    assert "somebody will look at it" in receipt
    assert Inbound.objects.get().state == "parked"
    assert not Ticket.objects.exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"subject": "  "}, "Say in a few words what it is about."),
        ({"text": ""}, "Tell us what happened."),
        ({"urgency": ""}, "Choose how urgent it is for you."),
        ({"urgency": "9"}, "Select a valid choice"),
        ({"subject": "x" * 301}, "at most 300 characters"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_lost(
    ann: Browser, changes: dict[str, str], said: str
) -> None:
    sent = form(**changes)
    response = ann.post("/portal/new/", sent)
    body = response.content.decode()
    assert response.status_code == 422
    assert said in body
    assert sent["key"] in body
    assert "Printer eats paper" in body or "subject" in changes
    assert not Inbound.objects.exists()


def test_a_form_without_its_key_gets_a_new_one(ann: Browser) -> None:
    response = ann.post("/portal/new/", form(key="nonsense"))
    assert response.status_code == 422
    assert 'name="key" value="nonsense"' not in response.content.decode()


def test_another_clients_service_cannot_be_chosen(cast: Cast, bob: Browser) -> None:
    assert "VPN" not in bob.reads("/portal/new/")
    assert bob.post("/portal/new/", form(service=cast.vpn.pk)).status_code == 422
    with seeing(EVERY_CLIENT):
        assert Service.objects.filter(pk=cast.vpn.pk).exists()
    assert not Ticket.objects.exists()


def test_files_come_along(ann: Browser, cast: Cast) -> None:
    files = [
        SimpleUploadedFile("a.txt", b"one", "text/plain"),
        SimpleUploadedFile("b.txt", b"two", "text/plain"),
    ]
    ann.post("/portal/new/", form(attachments=files))
    ticket = Ticket.objects.get()
    kept = ticket.messages.get().attachments.order_by("name")
    assert [(one.name, bytes(one.content)) for one in kept] == [("a.txt", b"one"), ("b.txt", b"two")]
    assert "a.txt" in ann.reads(f"/portal/tickets/{ticket.pk}/")


def test_a_file_that_is_too_large_is_refused_by_name(ann: Browser, cast: Cast) -> None:
    response = ann.post(
        "/portal/new/", form(attachments=[SimpleUploadedFile("film.mov", bytes(MOST_OCTETS + 1))])
    )
    assert response.status_code == 422
    assert "“film.mov” is larger than 10 MB" in response.content.decode()
    assert not Inbound.objects.exists()


def test_an_absurd_upload_is_not_even_read(ann: Browser, cast: Cast) -> None:
    response = ann.post("/portal/new/", form(), headers={"content-length": str(200 * 1024 * 1024)})
    assert response.status_code == 413
    assert not Inbound.objects.exists()


def test_a_form_without_the_token_of_its_page_is_refused(cast: Cast) -> None:
    careful = Browser(enforce_csrf_checks=True)
    careful.force_login(cast.ann.user)
    assert careful.post("/portal/new/", form()).status_code == 403
    assert not Inbound.objects.exists()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([("a", MOST_OCTETS)] * 2, None),
        ([("a", MOST_OCTETS + 1)], "larger than 10 MB"),
        ([("a", 1)] * 10, None),
        ([("a", 1)] * 11, "at most 10"),
        ([("a", MOST_OCTETS)] * 3, "larger than 25 MB"),
    ],
)
def test_the_limits_of_files(files: list[tuple[str, int]], said: str | None) -> None:
    from django.core.exceptions import ValidationError

    if said is None:
        check_files(files)
        return
    with pytest.raises(ValidationError, match=said):
        check_files(files)


def test_a_follow_up_is_tied_to_what_it_follows(
    cast: Cast, doing: Callable[..., Any], ann: Browser, ticket: Ticket
) -> None:
    with doing(cast.lena):
        fresh = Ticket.objects.get(pk=ticket.pk)
        fresh.resolve(code="fixed", text="Done.")
        fresh.close("confirmed")
    body = ann.reads(f"/portal/tickets/{ticket.pk}/")
    assert f"/portal/new/?related={ticket.pk}" in body
    assert "Again: VPN does not connect" in ann.reads(f"/portal/new/?related={ticket.pk}")
    once = form(related=ticket.pk)
    ann.post("/portal/new/", once)
    ann.post("/portal/new/", once)
    tie = Relation.objects.get()
    assert (tie.other_id, tie.kind) == (ticket.pk, "follow_up_of")


def test_nobody_follows_up_what_they_do_not_see(bob: Browser, ticket: Ticket) -> None:
    assert bob.post("/portal/new/", form(related=ticket.pk)).status_code == 404
    assert Ticket.objects.count() == 1


def test_the_list_is_turned_page_by_page(
    cast: Cast, doing: Callable[..., Any], ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tierdesk.web.portal.views.tickets.PAGE", 2)
    with doing(cast.lena):
        tickets = [cast.ticket(subject=f"Matter {n}") for n in range(5)]
    first = ann.reads("/portal/")
    assert shown(first) == ["Matter 4", "Matter 3"]
    older = ann.reads(f"/portal/?show=open&before={tickets[3].pk}")
    assert shown(older) == ["Matter 2", "Matter 1"]
    assert f"before={tickets[1].pk}" in older
    newer = ann.reads(f"/portal/?show=open&after={tickets[2].pk}")
    assert shown(newer) == ["Matter 4", "Matter 3"]
    assert ann.get("/portal/?before=x").status_code == 404
    assert ann.get("/portal/?show=everything").status_code == 404


def shown(body: str) -> list[str]:
    return [f"Matter {part[0]}" for part in body.split("Matter ")[1:]]


def test_an_empty_list_says_what_to_do(ann: Browser) -> None:
    assert "Nothing is open" in ann.reads("/portal/")
    assert "Nothing here yet" in ann.reads("/portal/?show=solved")
