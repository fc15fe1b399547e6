"""The desk's own forms: who may fill in which, what becomes of them, and what a stranger cannot do with them."""

from __future__ import annotations

import re
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.cast import Cast
from tests.web.portal.conftest import Browser
from tierdesk.channels.intake import take_in
from tierdesk.channels.models import Inbound
from tierdesk.channels.web_form.models import PER_SENDER, Form, Turnstile
from tierdesk.core import clock
from tierdesk.core.scope import only, seeing
from tierdesk.directory.clients.models import Contact
from tierdesk.response.notifications.models import Notice
from tierdesk.tickets.models import Ticket

FIELDS = [
    {"key": "name", "label": "Who starts?"},
    {"key": "device", "label": "Which device?", "kind": "choice", "choices": ["Laptop", "Telephone"]},
    {"key": "screens", "label": "How many screens?", "kind": "number", "when": {"device": "Laptop"}},
    {"key": "paper", "label": "The signed form", "kind": "file", "types": ["pdf"], "required": False},
]
WORDS = {"name": "Nele Neu", "device": "Laptop", "screens": "2"}


@pytest.fixture
def starter(cast: Cast) -> Form:
    """Acme's form for new colleagues."""
    return Form.objects.create(
        client=cast.acme,
        key="starter",
        name="A new colleague",
        service=cast.mail,
        category=cast.vpn_category,
        subject="New colleague: {name} ({device})",
        fields=FIELDS,
        advice=[{"words": ["laptop", "notebook"], "say": "A *laptop* takes three days."}],
        next_steps="We order the device and call you.",
    )


@pytest.fixture
def public(starter: Form) -> Form:
    starter.access = "public"
    starter.save()
    return starter


PUBLIC = "/portal/public/ACME/starter/"


def sheet(**changes: Any) -> dict[str, Any]:
    return WORDS | {"key": str(uuid.uuid4())} | changes


def stranger_sheet(**changes: Any) -> dict[str, Any]:
    return sheet(sender_name="Sam Stranger", sender_email="sam@elsewhere.example") | changes


def test_a_form_becomes_a_ticket_that_reads_well_and_keeps_each_answer(
    cast: Cast, ann: Browser, starter: Form, at: datetime
) -> None:
    paper = SimpleUploadedFile("signed.pdf", b"%PDF", content_type="application/pdf")
    with clock.frozen(at):
        sent = ann.post("/portal/forms/starter/", sheet(paper=paper))
    ticket = Ticket.objects.get()
    assert ticket.subject == "New colleague: Nele Neu (Laptop)"
    assert ticket.description == (
        "Who starts?: Nele Neu\nWhich device?: Laptop\nHow many screens?: 2\nThe signed form: signed.pdf"
    )
    assert ticket.traits == {
        "form": "starter",
        "form.name": "Nele Neu",
        "form.device": "Laptop",
        "form.screens": "2",
        "form.paper": "signed.pdf",
    }
    assert (ticket.service, ticket.category, ticket.contact) == (cast.mail, cast.vpn_category, cast.ann)
    assert [file.name for file in ticket.messages.get().attachments.all()] == ["signed.pdf"]
    receipt = ann.reads(sent.headers["Location"])
    assert ticket.reference in receipt
    assert re.search(r"A colleague will look at it by Monday, 8 June 2026, \d\d:\d\d\.", receipt)
    assert "We order the device and call you." in receipt


def test_what_is_wrong_is_said_and_nothing_is_lost(ann: Browser, starter: Form) -> None:
    answer = ann.post("/portal/forms/starter/", sheet(screens="many"))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "This is no number." in page
    assert 'value="Nele Neu"' in page and re.search(r'value="Laptop" checked', page)
    assert not Ticket.objects.exists()


def test_a_form_sent_twice_is_one_ticket(ann: Browser, starter: Form) -> None:
    once = sheet()
    assert (
        ann.post("/portal/forms/starter/", once).headers == ann.post("/portal/forms/starter/", once).headers
    )
    assert Ticket.objects.count() == 1


def test_what_a_form_said_stays_when_the_form_is_changed(ann: Browser, starter: Form) -> None:
    ann.post("/portal/forms/starter/", sheet())
    starter.fields = FIELDS[:1]
    starter.save()
    assert "How many screens?: 2" in Ticket.objects.get().description


def test_the_clients_own_form_stands_before_the_one_for_all(cast: Cast, ann: Browser, starter: Form) -> None:
    Form.objects.create(key="starter", name="Everybody’s form", fields=FIELDS)
    assert "A new colleague" in ann.reads("/portal/forms/starter/")


def test_forms_are_offered_where_a_request_begins(ann: Browser, bob: Browser, starter: Form) -> None:
    assert "A new colleague" in ann.reads("/portal/new/")
    assert "A new colleague" not in bob.reads("/portal/new/")


@pytest.mark.parametrize("rest", ["", "suggestions/"])
def test_another_clients_form_does_not_exist(bob: Browser, starter: Form, rest: str) -> None:
    assert bob.post(f"/portal/forms/starter/{rest}", sheet()).status_code == 404
    with seeing(only([starter.client_id + 1])):
        assert not Form.objects.filter(pk=starter.pk).exists()


def test_who_has_not_signed_in_is_asked_to(stranger: Browser, starter: Form) -> None:
    assert (
        stranger.get("/portal/forms/starter/").headers["Location"].startswith("/sign-in/?next=/portal/forms/")
    )
    assert stranger.get(PUBLIC).status_code == 404
    assert stranger.post(PUBLIC, stranger_sheet()).status_code == 404
    assert stranger.post(f"{PUBLIC}suggestions/", {}).status_code == 404


def path_in(mail: Notice) -> str:
    """Where the link of a mail leads."""
    found = re.search(r"(/portal/link/\S+)", mail.text)
    assert found is not None
    return found[1]


def test_a_form_by_link_leads_from_the_mailbox_to_the_form(
    cast: Cast, stranger: Browser, starter: Form
) -> None:
    Form.objects.update(access="link")
    known = stranger.post("/portal/forms/starter/", {"email": "ann@acme.example"}).headers["Location"]
    unknown = stranger.post("/portal/forms/starter/", {"email": "nobody@acme.example"}).headers["Location"]
    assert known == unknown == "/portal/forms/starter/?sent=1"
    assert "Look into your mailbox" in stranger.reads(known)
    mail = Notice.objects.get(kind="sign_in")
    assert (mail.subject, "opens the form" in mail.text) == ("Your link to the form", True)
    link = path_in(mail)
    assert stranger.post(link).headers["Location"] == "/portal/forms/starter/"
    assert "Who starts?" in stranger.reads("/portal/forms/starter/")


def test_a_used_link_to_a_form_leads_to_where_another_is_asked_for(
    cast: Cast, stranger: Browser, starter: Form
) -> None:
    Form.objects.update(access="link")
    stranger.post("/portal/forms/starter/", {"email": "ann@acme.example"})
    link = path_in(Notice.objects.get(kind="sign_in"))
    stranger.post(link)
    dead = Browser().get(link)
    assert (dead.status_code, 'href="/portal/forms/starter/"' in dead.content.decode()) == (410, True)
    damaged = Browser().get(link[:-2] + "/").content.decode()
    assert 'href="/portal/link/"' in damaged


def test_a_link_to_a_form_whose_address_is_no_address_says_so(stranger: Browser, starter: Form) -> None:
    Form.objects.update(access="link")
    assert stranger.post("/portal/forms/starter/", {"email": "ann"}).status_code == 422


def test_a_form_advises_and_shows_only_what_is_the_contacts_own(
    cast: Cast, ann: Browser, arne: Browser, starter: Form, doing: Any
) -> None:
    with doing(cast.ann):
        going = cast.ticket(subject="Laptop screens flicker")
        solved = cast.ticket(subject="Laptop screens stay black")
    with doing(cast.lena):
        solved.resolve(code="fixed", text="Press the power button for ten seconds.")
    typed = {"name": "The laptop screens flicker"}
    page = ann.post("/portal/forms/starter/suggestions/", typed).content.decode()
    assert "<em>laptop</em> takes three days" in page
    assert going.reference in page and "Press the power button" in page
    assert going.reference not in arne.post("/portal/forms/starter/suggestions/", typed).content.decode()
    plain = ann.post("/portal/new/suggestions/", {"subject": "laptop screens"}).content.decode()
    assert going.reference in plain


def test_a_long_text_is_not_like_another_because_of_words_that_are_everywhere(
    cast: Cast, ann: Browser, doing: Any
) -> None:
    with doing(cast.ann):
        vpn = cast.ticket(subject="The tunnel drops every ten minutes", text="Since eight.")
        stripes = cast.ticket(subject="The printer prints stripes", text="Black ones.")
    typed = {"subject": "Printer prints stripes", "text": "Every page has black stripes since this morning."}
    page = ann.post("/portal/new/suggestions/", typed).content.decode()
    assert stripes.reference in page
    assert vpn.reference not in page


def test_the_same_answer_is_shown_once(cast: Cast, ann: Browser, doing: Any) -> None:
    with doing(cast.ann):
        alike = [cast.ticket(subject="Laptop screens stay black") for _ in range(3)]
    for ticket in alike:
        with doing(cast.lena):
            ticket.resolve(code="fixed", text="Press the power button for ten seconds.")
    page = ann.post("/portal/new/suggestions/", {"subject": "laptop screens"}).content.decode()
    assert page.count("Press the power button") == 1


def test_a_word_that_sounds_like_nothing_suggests_nothing(ann: Browser, starter: Form) -> None:
    for typed in ("", "zzzz", "a b c", '"or" -x ! & |', "%" * 3000):
        assert ann.post("/portal/forms/starter/suggestions/", {"name": typed}).content.strip() == b""


# -- everybody


def test_anybody_may_send_a_public_form_and_proves_nothing_by_it(
    cast: Cast, stranger: Browser, public: Form, at: datetime
) -> None:
    with clock.frozen(at):
        sent = stranger.post(PUBLIC, stranger_sheet())
    ticket = Ticket.objects.get()
    assert (ticket.client, ticket.contact) == (cast.acme, None)
    assert ticket.messages.get().trust == "unverified"
    assert ticket.description.startswith("Sam Stranger <sam@elsewhere.example>")
    assert not Contact.objects.filter(email="sam@elsewhere.example").exists()
    assert not Notice.objects.mails().exclude(state="withheld").exists()
    receipt = stranger.reads(sent.headers["Location"])
    assert ticket.reference in receipt and "We order the device and call you." in receipt
    assert "Nele Neu" not in receipt and "sam@elsewhere" not in receipt


def test_a_known_address_is_put_on_the_ticket_but_nobody_is_mailed(
    cast: Cast, stranger: Browser, public: Form
) -> None:
    stranger.post(PUBLIC, stranger_sheet(sender_email="Ann@acme.example"))
    ticket = Ticket.objects.get()
    assert (ticket.contact, ticket.messages.get().trust) == (cast.ann, "unverified")
    assert not Notice.objects.mails().exclude(state="withheld").exists()


def test_a_form_may_make_contacts_of_those_who_send_it(cast: Cast, stranger: Browser, public: Form) -> None:
    Form.objects.update(new_contacts=True)
    stranger.post(PUBLIC, stranger_sheet())
    sam = Contact.objects.get(email="sam@elsewhere.example")
    assert (sam.client, sam.name, sam.user, sam.sees_client) == (cast.acme, "Sam Stranger", None, False)
    assert Ticket.objects.get().contact == sam


def test_who_they_are_is_asked(stranger: Browser, public: Form) -> None:
    page = stranger.post(PUBLIC, stranger_sheet(sender_name=" ", sender_email="sam@")).content.decode()
    assert "Please tell us your name." in page and "This is no e-mail address." in page
    assert not Inbound.objects.exists()


def test_a_machine_that_fills_in_everything_is_kept_aside_and_told_nothing(
    cast: Cast, stranger: Browser, public: Form, at: datetime
) -> None:
    sent = stranger.post(PUBLIC, stranger_sheet(website="https://buy.example"))
    assert "your words have arrived" in stranger.reads(sent.headers["Location"])
    kept = Inbound.objects.get()
    assert (kept.state, kept.client, kept.reason) == (
        "parked",
        cast.acme,
        "A field was filled in that only a machine sees.",
    )
    kept.replay(at)
    assert take_in(kept.pk, at) is not None  # a person looked and let it in


def test_one_sender_is_slowed_down_and_the_others_are_not(
    stranger: Browser, public: Form, at: datetime
) -> None:
    def send(remote: str, when: datetime = at) -> Any:
        with clock.frozen(when):
            return stranger.post(PUBLIC, stranger_sheet(), REMOTE_ADDR=remote)

    for _ in range(PER_SENDER):
        assert send("192.0.2.1").status_code == 302
    refused = send("192.0.2.1")
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 601
    assert "Nothing is lost." in refused.content.decode() and 'value="Nele Neu"' in refused.content.decode()
    assert send("192.0.2.2").status_code == 302
    assert send("192.0.2.1", at + timedelta(minutes=10)).status_code == 302
    assert Ticket.objects.count() == PER_SENDER + 2


def test_a_flood_from_everywhere_stops_at_the_forms_own_limit(
    stranger: Browser, public: Form, at: datetime
) -> None:
    Form.objects.update(most_per_hour=3)
    with clock.frozen(at):
        said = [
            stranger.post(PUBLIC, stranger_sheet(), REMOTE_ADDR=f"192.0.2.{n}").status_code for n in range(6)
        ]
    assert said == [302, 302, 302, 429, 429, 429]
    assert not Turnstile.objects.filter(sender="192.0.2.1").exists()  # who it was is not kept


def test_somebody_elses_public_receipt_cannot_be_guessed(stranger: Browser, public: Form) -> None:
    stranger.post(PUBLIC, stranger_sheet())
    assert stranger.get(f"{PUBLIC}{uuid.uuid4()}/").status_code == 404


def test_a_stranger_is_advised_but_learns_of_nobodys_tickets(
    cast: Cast, stranger: Browser, public: Form, doing: Any
) -> None:
    with doing(cast.ann):
        ticket = cast.ticket(subject="Laptop screens flicker")
    page = stranger.post(f"{PUBLIC}suggestions/", {"name": "laptop screens flicker"}).content.decode()
    assert "takes three days" in page and ticket.reference not in page


def test_a_form_is_refused_without_its_token(cast: Cast, public: Form) -> None:
    strict = Browser(enforce_csrf_checks=True)
    assert strict.post(PUBLIC, stranger_sheet()).status_code == 403
    assert not Inbound.objects.exists()


def test_what_is_absurdly_large_is_not_read(stranger: Browser, public: Form) -> None:
    assert stranger.post(PUBLIC, {}, headers={"Content-Length": "200000000"}).status_code == 413


@pytest.mark.parametrize("path", ["/portal/public/BOR/starter/", "/portal/public/ACME/nothing/"])
def test_a_form_that_is_not_there_is_not_there(stranger: Browser, public: Form, path: str) -> None:
    assert stranger.get(path).status_code == 404
