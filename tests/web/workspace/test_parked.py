"""What was parked is read by the agents whom it concerns, who try it again or discard it, and see what came of it."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tests.channels.email.letters import multipart, raw_mail
from tierdesk.channels.intake import take_in, understand_due
from tierdesk.channels.models import Inbound
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.directory.clients.models import Contact
from tierdesk.tickets.models import Ticket
from tierdesk.web.workspace.views import directory

STRANGER = "Petra <petra@fjord.example>"


def came(raw: bytes, at: datetime, channel: str = "email", **kept: object) -> Inbound:
    """It was taken in and parked."""
    pk, _ = Inbound.store(channel, raw, at=at, **kept)  # type: ignore[arg-type]
    assert take_in(pk, at) is None
    one: Inbound = Inbound.objects.get(pk=pk)
    assert one.state == "parked"
    return one


@pytest.fixture
def lena(cast: Cast, client: Browser) -> Browser:
    client.force_login(cast.lena.user)
    return client


@pytest.fixture
def stray(cast: Cast, at: datetime) -> Inbound:
    return came(raw_mail("The gate is shut.", **{"from": STRANGER}, subject="The gate"), at)


def words(browser: Browser, one: Inbound) -> str:
    return browser.get(f"/parked/{one.pk}/").content.decode()


def test_the_list_says_who_wrote_and_of_what(lena: Browser, stray: Inbound) -> None:
    page = lena.get("/parked/").content.decode()
    assert "petra@fjord.example: The gate" in page
    assert "petra@fjord.example: nobody we know. Say whose mail it is, or discard it." in page


def test_what_was_not_agreed_is_named_by_its_subject(cast: Cast, lena: Browser, at: datetime) -> None:
    cast.acme_contract.channels = ["phone"]
    cast.acme_contract.save()
    came(raw_mail(**{"from": "bob@acme.example"}, subject="Printer <3"), at)
    assert "Printer &lt;3" in lena.get("/parked/").content.decode()


def test_a_mail_is_read_in_plain_words_with_the_names_of_its_files(
    cast: Cast, lena: Browser, at: datetime
) -> None:
    hidden = base64.b64encode(b"Nobody can read <b>this</b> as it came.").decode()
    text = f"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n{hidden}"
    file = 'Content-Type: application/pdf\nContent-Disposition: attachment; filename="bill.pdf"\n\n%PDF'
    page = words(lena, came(multipart(text, file, **{"from": STRANGER}), at))
    assert "Nobody can read &lt;b&gt;this&lt;/b&gt; as it came." in page and "bill.pdf" in page
    assert "Petra &lt;petra@fjord.example&gt;" in page
    assert hidden in page


def test_a_mail_that_nobody_can_read_is_shown_as_it_came(cast: Cast, lena: Browser, at: datetime) -> None:
    page = words(lena, came(b" \r\n", at))
    assert "The mail could not be read: The message is empty." in page
    assert "What it says" not in page and "As it came" in page


def test_a_form_that_a_machine_sent_shows_its_answers(cast: Cast, lena: Browser, at: datetime) -> None:
    said = {
        "sender": {"name": "Mr Bot", "email": "bot@x.example", "becomes_contact": False},
        "machine": True,
        "subject": "Gate",
        "text": "What happens?: casino",
        "files": [["a.txt", "text/plain", base64.b64encode(b"12345").decode()]],
    }
    raw = json.dumps(said).encode()
    one = came(raw, at, "web_form", client=cast.acme.pk, meta={"not_agreed": True})
    assert one.about == "bot@x.example: Gate"
    page = words(lena, one)
    assert "Mr Bot &lt;bot@x.example&gt;" in page and "What happens?: casino" in page and "a.txt" in page


def test_whoever_says_whose_mail_it_is_comes_to_its_ticket(lena: Browser, stray: Inbound) -> None:
    answer = lena.post(f"/parked/{stray.pk}/", {"client": "ACME"}, follow=True)
    set_scope(EVERY_CLIENT)
    ticket = Ticket.objects.get()
    assert (ticket.subject, ticket.client.key) == ("The gate", "ACME")
    assert answer.redirect_chain == [(f"/tickets/{ticket.pk}/", 302)]
    assert "Understood now: a new ticket." in answer.content.decode()
    assert f'<a href="/tickets/{ticket.pk}/">{ticket.reference}</a>' in words(lena, stray)


def test_what_is_not_understood_again_says_why(lena: Browser, stray: Inbound) -> None:
    answer = lena.post(f"/parked/{stray.pk}/", {"client": ""}, follow=True)
    assert answer.redirect_chain == [(f"/parked/{stray.pk}/", 302)]
    assert "It stays parked: petra@fjord.example: nobody we know." in answer.content.decode()
    set_scope(EVERY_CLIENT)
    assert not Ticket.objects.exists()


def test_what_was_discarded_stands_there_with_who_and_why_and_is_let_in_after_all(
    lena: Browser, stray: Inbound
) -> None:
    lena.post(f"/parked/{stray.pk}/", {"discard": "1", "why": "Advertising"})
    listed = lena.get("/parked/").content.decode()
    assert (
        "Nothing is parked" in listed and "Discarded lately" in listed and "Lena Lang: Advertising" in listed
    )
    assert "Discarded by Lena Lang: Advertising" in words(lena, stray)
    lena.post(f"/parked/{stray.pk}/", {"client": "ACME"})
    set_scope(EVERY_CLIENT)
    assert Ticket.objects.get().subject == "The gate"


def test_whoever_was_slower_is_told(cast: Cast, lena: Browser, stray: Inbound) -> None:
    stray.discard("Spam")
    answer = lena.post(f"/parked/{stray.pk}/", {"discard": "1", "why": "Advertising"}, follow=True)
    assert "Somebody was faster" in answer.content.decode()


def test_agents_of_other_clients_see_neither_what_is_parked_nor_what_was_discarded(
    cast: Cast, client: Browser, at: datetime
) -> None:
    cast.acme_contract.channels = ["phone"]
    cast.acme_contract.save()
    theirs = came(raw_mail(**{"from": "bob@acme.example"}, subject="A secret"), at)
    client.force_login(cast.olga.user)
    for _ in "parked", "discarded":
        assert "A secret" not in client.get("/parked/").content.decode()
        assert client.get(f"/parked/{theirs.pk}/").status_code == 404
        assert client.post(f"/parked/{theirs.pk}/").status_code == 404
        set_scope(EVERY_CLIENT)
        Inbound.objects.filter(pk=theirs.pk).update(state="discarded")


@pytest.fixture
def strays(cast: Cast, at: datetime) -> list[Inbound]:
    """Mails of three strangers; meanwhile Petra became a contact of Acme's, Paul of Borealis'."""
    found = [
        came(raw_mail("Help.", **{"from": f"{name}@fjord.example"}, subject=f"Of {name}"), at)
        for name in ("petra", "paul", "pia")
    ]
    Contact.objects.create(client=cast.acme, name="Petra", email="petra@fjord.example")
    Contact.objects.create(client=cast.borealis, name="Paul", email="paul@fjord.example")
    return found


def test_several_are_tried_again_at_once_and_the_box_says_what_came_of_each(
    lena: Browser, strays: list[Inbound]
) -> None:
    petra, paul, pia = (one.pk for one in strays)
    answer = lena.post("/parked/again/", {"parked": [petra, pia], "channel": "email"}, follow=True)
    page = answer.content.decode()
    assert answer.redirect_chain == [(f"/parked/?channel=email&tried={petra}&tried={pia}", 302)]
    assert "Understood now: 1." in page and "Still parked: 1. Each says why." in page
    set_scope(EVERY_CLIENT)
    ticket = Ticket.objects.get()
    assert ticket.subject == "Of petra"
    told = page[page.index("What came of them") : page.index("What waits")]
    assert f'<a href="/tickets/{ticket.pk}/">{ticket.reference}</a> · a new ticket' in told
    assert "pia@fjord.example: nobody we know" in told and "paul" not in told
    states = dict(Inbound.objects.values_list("pk", "state"))
    assert states == {petra: "done", paul: "parked", pia: "parked"}


@pytest.mark.parametrize("said", [[], ["all"], ["-1"], ["9" * 30]])
def test_where_nothing_is_picked_nothing_is_tried(
    lena: Browser, strays: list[Inbound], said: list[str]
) -> None:
    page = lena.post("/parked/again/", {"parked": said}, follow=True).content.decode()
    assert "Nothing was tried" in page and "What came of them" not in page
    set_scope(EVERY_CLIENT)
    assert not Ticket.objects.exists()


def test_for_what_takes_too_long_nobody_waits(
    lena: Browser, strays: list[Inbound], at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "PATIENCE", timedelta())
    page = lena.post("/parked/again/", {"parked": [strays[0].pk]}, follow=True).content.decode()
    assert "Still being understood: 1." in page and "It is being understood." in page
    set_scope(EVERY_CLIENT)
    understand_due(clock.now())
    assert Ticket.objects.get().subject == "Of petra"


def test_what_was_discarded_meanwhile_stays_so(lena: Browser, strays: list[Inbound]) -> None:
    strays[0].discard("Lou Lead: Spam")
    assert (
        "Nothing was tried"
        in lena.post("/parked/again/", {"parked": [strays[0].pk]}, follow=True).content.decode()
    )
    set_scope(EVERY_CLIENT)
    strays[0].refresh_from_db()
    assert strays[0].state == "discarded"


def test_agents_of_other_clients_cannot_try_it_again(
    cast: Cast, client: Browser, strays: list[Inbound]
) -> None:
    Inbound.objects.filter(pk=strays[0].pk).update(client=cast.acme, reason="A secret of Acme’s")
    client.force_login(cast.olga.user)
    answer = client.post("/parked/again/", {"parked": [strays[0].pk]}, follow=True)
    assert "Nothing was tried" in answer.content.decode()
    assert "A secret" not in client.get(f"/parked/?tried={strays[0].pk}").content.decode()
    set_scope(EVERY_CLIENT)
    strays[0].refresh_from_db()
    assert (strays[0].state, strays[0].reason) == ("parked", "A secret of Acme’s")
    assert not Ticket.objects.exists()


def test_neither_contacts_nor_strangers_try_anything_again(
    cast: Cast, client: Browser, strays: list[Inbound]
) -> None:
    for user in (None, cast.ann.user):
        if user is not None:
            client.force_login(user)
        assert client.post("/parked/again/", {"parked": [strays[0].pk]}).status_code == 302
    set_scope(EVERY_CLIENT)
    assert not Ticket.objects.exists()


def test_of_several_what_turns_out_to_be_another_clients_is_only_counted(
    cast: Cast, client: Browser, strays: list[Inbound]
) -> None:
    Inbound.objects.update(client=cast.borealis)
    client.force_login(cast.olga.user)
    answer = client.post("/parked/again/", {"parked": [one.pk for one in strays]}, follow=True)
    page = answer.content.decode()
    assert "with their agents now: 1." in page and "Understood now: 1." in page and "Still parked: 1." in page
    assert "petra" not in page and "Acme" not in page
    set_scope(EVERY_CLIENT)
    assert {ticket.client for ticket in Ticket.objects.all()} == {cast.acme, cast.borealis}


def test_what_turns_out_to_be_another_clients_is_taken_in_out_of_the_agents_sight(
    cast: Cast, client: Browser, at: datetime
) -> None:
    """Borealis' agent gave it up for Borealis' own; meanwhile its sender became a contact of Acme's."""
    stray = came(raw_mail(**{"from": STRANGER}, subject="A secret"), at)
    Inbound.objects.filter(pk=stray.pk).update(client=cast.borealis)
    Contact.objects.create(client=cast.acme, name="Petra", email="petra@fjord.example")
    client.force_login(cast.olga.user)
    answer = client.post(f"/parked/{stray.pk}/", {"client": ""}, follow=True)
    assert answer.redirect_chain == [("/parked/", 302)]
    assert "A secret" not in answer.content.decode() and "TD-" not in answer.content.decode()
    set_scope(EVERY_CLIENT)
    assert Ticket.objects.get().client == cast.acme


def test_nor_is_it_said_why_it_stays_parked_as_another_clients(
    cast: Cast, client: Browser, at: datetime
) -> None:
    """The reason names whose it is."""
    stray = came(raw_mail(**{"from": STRANGER}, subject="A secret"), at)
    Inbound.objects.filter(pk=stray.pk).update(client=cast.borealis)
    cast.acme_contract.channels = ["phone"]
    cast.acme_contract.save()
    Contact.objects.create(client=cast.acme, name="Petra", email="petra@fjord.example")
    client.force_login(cast.olga.user)
    answer = client.post(f"/parked/{stray.pk}/", {"client": ""}, follow=True)
    told = answer.content.decode()
    assert "a client whom you do not serve" in told
    assert "Acme" not in told and "A secret" not in told
    set_scope(EVERY_CLIENT)
    stray.refresh_from_db()
    assert (stray.client, stray.state) == (cast.acme, "parked")


def test_several_are_discarded_at_once_after_it_was_said_why(lena: Browser, strays: list[Inbound]) -> None:
    picked = {"parked": [strays[0].pk, strays[1].pk], "channel": "email"}
    asked = lena.post("/parked/discarded/", picked).content.decode()
    assert "Discard 2 that are parked?" in asked and "Of petra" in asked and "Of pia" not in asked
    set_scope(EVERY_CLIENT)
    assert set(Inbound.objects.values_list("state", flat=True)) == {"parked"}, "nobody said why yet"
    answer = lena.post("/parked/discarded/", picked | {"why": "A flood"}, follow=True)
    assert answer.redirect_chain == [("/parked/?channel=email", 302)]
    assert "Discarded: 2. Their bytes are kept." in answer.content.decode()
    assert "Lena Lang: A flood" in words(lena, strays[0])
    set_scope(EVERY_CLIENT)
    states = list(Inbound.objects.order_by("id").values_list("state", flat=True))
    assert states == ["discarded", "discarded", "parked"]


def test_where_nothing_is_picked_nothing_is_discarded(lena: Browser, strays: list[Inbound]) -> None:
    answer = lena.post("/parked/discarded/", {"why": "A flood"}, follow=True)
    assert "Nothing was discarded" in answer.content.decode()
    set_scope(EVERY_CLIENT)
    assert set(Inbound.objects.values_list("state", flat=True)) == {"parked"}


def test_agents_of_other_clients_neither_see_nor_discard_what_is_picked(
    cast: Cast, client: Browser, strays: list[Inbound]
) -> None:
    Inbound.objects.update(client=cast.acme, reason="A secret of Acme’s")
    for user in (None, cast.ann.user, cast.olga.user):
        if user is not None:
            client.force_login(user)
        for why in "", "A flood":
            answer = client.post("/parked/discarded/", {"parked": [strays[0].pk], "why": why}, follow=True)
            assert "A secret" not in answer.content.decode()
    set_scope(EVERY_CLIENT)
    assert set(Inbound.objects.values_list("state", flat=True)) == {"parked"}


def test_what_came_before_those_that_are_shown_is_on_the_next_page(
    lena: Browser, strays: list[Inbound], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "SHOWN", 2)
    first = lena.get("/parked/").content.decode()
    assert "Of pia" in first and "Of paul" in first and "Of petra" not in first
    assert "2 of 3, the newest first" in first and f"?before={strays[1].pk}" in first
    then = lena.get(f"/parked/?before={strays[1].pk}").content.decode()
    assert "Of petra" in then and "Of paul" not in then and "before=" not in then


def test_the_box_can_be_narrowed_to_what_has_some_words(lena: Browser, strays: list[Inbound]) -> None:
    page = lena.get("/parked/?words=of+PETRA").content.decode()
    assert "Of petra" in page and "Of paul" not in page and "Only: of PETRA" in page
    assert "Nothing that is parked has these words" in lena.get("/parked/?words=no%00where").content.decode()
    answer = lena.post("/parked/discarded/", {"parked": [strays[0].pk], "words": "petra", "why": "No"})
    assert answer.headers["Location"] == "/parked/?words=petra"


def test_all_that_has_the_words_is_discarded_but_for_what_came_since(
    lena: Browser, strays: list[Inbound], at: datetime
) -> None:
    pia = strays[-1]
    picked = {"parked": [pia.pk], "words": "fjord.example"}
    asked = lena.post("/parked/discarded/", picked).content.decode()
    assert "All 3 that are parked with “fjord.example”, not only these" in asked
    assert f'name="newest" value="{pia.pk}"' in asked
    set_scope(EVERY_CLIENT)
    since = came(raw_mail("Help.", **{"from": "per@fjord.example"}, subject="Of Per"), at)
    other = came(raw_mail("Help.", **{"from": "lo@elsewhere.example"}, subject="Of Lo"), at)
    page = lena.post(
        "/parked/discarded/", picked | {"newest": pia.pk, "alike": "on", "why": "A flood"}, follow=True
    )
    assert "Discarded: 3." in page.content.decode()
    set_scope(EVERY_CLIENT)
    parked = set(Inbound.objects.filter(state="parked").values_list("pk", flat=True))
    assert parked == {since.pk, other.pk}


def test_without_words_only_what_is_picked_can_be_discarded(lena: Browser, strays: list[Inbound]) -> None:
    picked = {"parked": [strays[0].pk], "why": "A flood", "alike": "on"}
    assert "not only these" not in lena.post("/parked/discarded/", picked | {"why": ""}).content.decode()
    lena.post("/parked/discarded/", picked)
    set_scope(EVERY_CLIENT)
    assert not Inbound.objects.filter(state="discarded").exclude(pk=strays[0].pk).exists()
