"""Calls at an agent's desk: what rings shows, one key writes it down, and nobody else's call is anybody's business."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tests.exchange import ACME, Pbx
from tierdesk.channels.phone.models import Call
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.directory.clients.models import Client as ClientOfOurs
from tierdesk.directory.clients.models import Contact, Number
from tierdesk.directory.staff.models import Agent
from tierdesk.tickets.models import Message, Ticket

type Reads = Callable[[Agent, str], str]
type Sends = Callable[[Agent, str, dict[str, Any]], Any]


@pytest.fixture
def reads(client: Browser) -> Reads:
    def page(agent: Agent, address: str) -> str:
        client.force_login(agent.user)
        answer = client.get(address)
        set_scope(EVERY_CLIENT)
        assert answer.status_code == 200
        return answer.content.decode()

    return page


@pytest.fixture
def sends(client: Browser) -> Sends:
    def form(agent: Agent, address: str, fields: dict[str, Any]) -> Any:
        client.force_login(agent.user)
        answer = client.post(address, fields)
        set_scope(EVERY_CLIENT)
        return answer

    return form


def test_a_call_pops_up_for_the_team_and_for_nobody_else(
    cast: Cast, pbx: Pbx, at: datetime, reads: Reads
) -> None:
    pbx.says("newCall", at)
    assert "Ann Albers" in reads(cast.lena, "/calls/now/")
    assert "Ann Albers" not in reads(cast.tom, "/calls/now/")  # of another team than the exchange's
    assert "Ann Albers" not in reads(cast.olga, "/calls/now/")


def test_a_call_for_one_agent_pops_up_at_theirs(cast: Cast, pbx: Pbx, at: datetime, reads: Reads) -> None:
    pbx.says("newCall", at, **{"user[]": ["Tom Tran"]})
    assert "Ann Albers" in reads(cast.tom, "/calls/now/")
    assert "Ann Albers" not in reads(cast.lena, "/calls/now/")


def test_once_somebody_has_it_the_others_see_it_no_more(
    cast: Cast, pbx: Pbx, at: datetime, reads: Reads
) -> None:
    pbx.says("newCall", at)
    pbx.says("answer", at, answeringNumber="42")
    assert "On the line" in reads(cast.lena, "/calls/now/")
    assert "Ann Albers" not in reads(cast.lou, "/calls/now/")


@pytest.mark.parametrize(
    ("number", "headline"),
    [
        ("+49301234501", "Ann Albers"),
        (ACME, "Somebody at Acme GmbH"),
        ("anonymous", "Hidden number"),
        ("+49309999999", "Nobody we know"),
        ("+493077777777", "One of 2 people"),
    ],
)
def test_the_headline_says_who_it_may_be(
    cast: Cast, pbx: Pbx, at: datetime, reads: Reads, number: str, headline: str
) -> None:
    for contact in (cast.arne, cast.bob):
        Number.objects.create(client=contact.client, contact=contact, e164="+493077777777")
    pbx.says("newCall", at, **{"from": number})
    assert headline in reads(cast.lena, "/calls/now/")


def test_the_form_is_filled_in_with_the_call_on_the_desk(
    cast: Cast, pbx: Pbx, at: datetime, reads: Reads, sends: Sends
) -> None:
    pbx.says("newCall", at)
    form = reads(cast.lena, "/calls/new/")
    call = pbx.call()
    assert f'name="call" value="{call.pk}"' in form and 'value="+49301234501"' in form
    assert f'name="contact" value="{cast.ann.pk}" checked' in form
    assert 'name="call" value=""' in reads(cast.lena, "/calls/new/?call=0")
    with clock.frozen(at):
        sends(cast.lena, "/calls/new/", {"call": call.pk, "contact": cast.ann.pk, "subject": "No dial tone"})
    ticket = Ticket.objects.get()
    call = pbx.call()
    assert (call.ticket, call.agent, ticket.assignee) == (ticket, cast.lena, cast.lena)
    assert ticket.traits == {"call.number": "+49301234501"}
    assert ticket.reference in reads(cast.lena, "/calls/now/")


def test_what_rings_stands_above_what_waits_to_be_written_up(
    cast: Cast, pbx: Pbx, at: datetime, reads: Reads
) -> None:
    """However many calls an agent has not written up, they see the one that rings, and the key writes that one down."""
    for name in ("first", "second"):
        pbx.says("newCall", at, name)
        pbx.says("answer", at, name, answeringNumber="42")
        pbx.says("hangup", at, name, cause="normalClearing")
    pbx.says("newCall", at, "third", **{"from": "+49301234502"})
    desk = reads(cast.lena, "/calls/now/")
    cards = re.findall(r'data-state="(\w+)"( open)?>', desk)
    assert cards == [("ringing", " open"), ("ended", ""), ("ended", "")]
    ringing = Call.objects.get(ext_id="third")
    assert re.findall(r'href="/calls/new/\?call=(\d+)"[^>]*data-key="c"', desk) == [str(ringing.pk)]
    assert f'name="call" value="{ringing.pk}"' in reads(cast.lena, "/calls/new/")


def test_what_was_not_written_up_folds_after_a_while(
    cast: Cast, pbx: Pbx, at: datetime, reads: Reads
) -> None:
    """It lies over the page: over a ticket’s promises, and over the buttons of a chat."""
    pbx.says("newCall", at)
    pbx.says("answer", at, answeringNumber="42")
    pbx.says("hangup", at, cause="normalClearing")
    for minutes, is_open in ((2, True), (3, False)):
        with clock.frozen(at + timedelta(minutes=minutes)):
            assert ('data-state="ended" open' in reads(cast.lena, "/calls/now/")) is is_open


def test_a_call_is_written_up_on_its_own_page_by_whoever_spoke(
    cast: Cast, pbx: Pbx, at: datetime, reads: Reads
) -> None:
    pbx.says("newCall", at)
    pbx.says("answer", at, answeringNumber="42")
    page = f"/calls/{pbx.call().pk}/"
    assert "note-of-this-call" not in reads(cast.lena, page)  # they still speak
    pbx.says("hangup", at, cause="normalClearing")
    assert "note-of-this-call" in reads(cast.lena, page) and "None" not in reads(cast.lena, page)
    assert "note-of-this-call" not in reads(cast.lou, page)
    assert "they hung up" in reads(cast.lena, page) and "normalClearing" not in reads(cast.lena, page)


def test_numbers_are_shown_as_people_read_them(cast: Cast, pbx: Pbx, at: datetime, reads: Reads) -> None:
    pbx.says("newCall", at)
    for page in ("/calls/now/", "/calls/", f"/calls/{pbx.call().pk}/", "/calls/new/"):
        assert "+49 30 1234501" in reads(cast.lena, page)
    pbx.says("newCall", at, "c2", to="+49301234500")
    assert "+49 30 1234500" in reads(cast.lena, f"/calls/{pbx.call('c2').pk}/")


def test_the_list_says_that_several_share_a_number(cast: Cast, pbx: Pbx, at: datetime, reads: Reads) -> None:
    for contact in (cast.arne, cast.bob):
        Number.objects.create(client=contact.client, contact=contact, e164="+493077777777")
    pbx.says("newCall", at, **{"from": "+493077777777"})
    assert "One of 2 people" in reads(cast.lena, "/calls/")
    assert "Nobody we know" not in reads(cast.lena, "/calls/")


def begins_at(form: str) -> str:
    """The first thing to say: where the cursor stands when the form opens."""
    [field] = re.findall(r"<(?:input|select)[^>]* autofocus[^>]*>", form)
    return str(re.findall(r'name="(\w+)"', field)[0])


@pytest.mark.parametrize(
    ("number", "first"),
    [
        ("+49301234501", "subject"),  # Ann: who it is is known
        (ACME, "subject"),  # somebody of Acme, until the agent says who
        ("+493077777777", "contact"),  # one of two, of two clients
        ("+493066666666", "contact"),  # one of two of Acme
        ("+49309999999", "client"),  # nobody we know
        ("anonymous", "client"),
    ],
)
def test_the_form_begins_at_the_first_thing_that_is_not_known(
    cast: Cast, pbx: Pbx, at: datetime, reads: Reads, number: str, first: str
) -> None:
    shared = {"+493077777777": (cast.arne, cast.bob), "+493066666666": (cast.arne, cast.ann)}
    for e164, contacts in shared.items():
        for contact in contacts:
            Number.objects.create(client=contact.client, contact=contact, e164=e164)
    assert begins_at(reads(cast.lena, "/calls/new/")) == "caller"
    pbx.says("newCall", at, **{"from": number})
    assert begins_at(reads(cast.lena, "/calls/new/")) == first


def test_one_arrow_leads_from_somebody_of_the_client_to_the_first_who_shares_the_number(
    cast: Cast, pbx: Pbx, at: datetime, reads: Reads
) -> None:
    for contact in (cast.arne, cast.ann):
        Number.objects.create(client=contact.client, contact=contact, e164="+493066666666")
    pbx.says("newCall", at, **{"from": "+493066666666"})
    [focused] = re.findall(r"<input[^>]* autofocus>", reads(cast.lena, "/calls/new/"))
    assert f'value="client-{cast.acme.pk}" checked' in focused


def test_a_form_that_names_nobody_comes_back_at_the_callers(cast: Cast, sends: Sends) -> None:
    for contact in (cast.arne, cast.bob):
        Number.objects.create(client=contact.client, contact=contact, e164="+493077777777")
    answer = sends(cast.lena, "/calls/new/", {"caller": "+49 30 77777777", "subject": "The monitor is black"})
    form = answer.content.decode()
    assert answer.status_code == 422 and begins_at(form) == "contact"
    assert 'class="callers" aria-describedby="callers-error"' in form
    assert re.search(r'id="callers-error">.*Choose the caller, or at least the client\.</p>', form)


def test_a_form_without_words_comes_back_at_the_words(cast: Cast, sends: Sends) -> None:
    answer = sends(cast.lena, "/calls/new/", {"contact": cast.ann.pk, "caller": "ann", "subject": " "})
    assert answer.status_code == 422 and begins_at(answer.content.decode()) == "subject"


def checked(form: str) -> str:
    """Who is taken to be calling until the agent says."""
    found = re.search(r'name="contact" value="([^"]*)" checked', form)
    return found[1] if found else ""


@pytest.mark.parametrize(
    ("typed", "taken"),
    [
        ("ann", "ann"),
        ("ann@acme.example", "ann"),
        ("acme.exam", "somebody of Acme"),
        ("GmbH", "somebody of Acme"),
        (ACME, "somebody of Acme"),
        ("nobody at all", ""),
    ],
)
def test_a_name_tells_who_is_calling_a_company_or_its_switchboard_does_not(
    cast: Cast, reads: Reads, typed: str, taken: str
) -> None:
    who = {"ann": str(cast.ann.pk), "somebody of Acme": f"client-{cast.acme.pk}", "": ""}
    assert checked(reads(cast.lena, f"/calls/callers/?caller={quote(typed)}")) == who[taken]


def test_a_client_of_whom_we_know_nobody_is_taken_to_be_calling(cast: Cast, reads: Reads) -> None:
    harbor = ClientOfOurs.objects.create(key="HARBOR", name="Port Authority")
    offered = reads(cast.lena, "/calls/callers/?caller=authority")
    assert "Somebody at Port Authority" in offered and checked(offered) == f"client-{harbor.pk}"


def test_who_else_is_called_like_the_caller_is_offered_after_them(cast: Cast, reads: Reads) -> None:
    harbor = ClientOfOurs.objects.create(key="HARBOR", name="Annex Port")
    offered = reads(cast.lena, "/calls/callers/?caller=ann")
    assert checked(offered) == str(cast.ann.pk)
    assert "Somebody else at Acme GmbH" in offered
    assert "Somebody at Annex Port" in offered and f'value="client-{harbor.pk}"' in offered


def test_of_a_client_with_many_people_some_are_shown_until_more_is_typed(cast: Cast, reads: Reads) -> None:
    for number in range(8):
        Contact.objects.create(client=cast.acme, name=f"Zoe {number}")
    assert "Only the first 8 are shown" in reads(cast.lena, "/calls/callers/?caller=gmbh")
    narrowed = reads(cast.lena, "/calls/callers/?caller=gmbh+arne")
    assert "Only the first" not in narrowed and checked(narrowed) == str(cast.arne.pk)


def test_no_client_is_offered_whom_the_agent_does_not_serve(cast: Cast, reads: Reads) -> None:
    offered = reads(cast.olga, "/calls/callers/?caller=gmbh")
    assert "Acme" not in offered and "Nobody we know" in offered


def test_a_form_that_comes_back_still_offers_the_client_that_was_typed(cast: Cast, sends: Sends) -> None:
    answer = sends(cast.lena, "/calls/new/?call=0", {"caller": "gmbh", "contact": f"client-{cast.acme.pk}"})
    assert answer.status_code == 422
    assert checked(answer.content.decode()) == f"client-{cast.acme.pk}"


def test_a_switchboard_offers_its_people_and_somebody_else(
    cast: Cast, pbx: Pbx, at: datetime, reads: Reads, sends: Sends
) -> None:
    pbx.says("newCall", at, **{"from": ACME})
    form = reads(cast.lena, "/calls/new/")
    assert "Arne Voss" in form and "Somebody else at Acme GmbH" in form
    assert checked(form) == f"client-{cast.acme.pk}"  # not the first of its people, who may be a VIP
    [headline] = re.findall(r"<summary>.*</summary>", reads(cast.lena, "/calls/now/"))
    assert "Somebody at Acme GmbH" in headline and "VIP" not in headline
    told = {"call": pbx.call().pk, "contact": f"client-{cast.acme.pk}", "subject": "A stranger at Acme"}
    told |= {"type": "request", "promised": "on"}
    answer = sends(cast.lena, "/calls/new/", told)
    assert answer.headers["Location"] == f"/tickets/{Ticket.objects.get().pk}/date/"
    ticket = Ticket.objects.get()
    assert (ticket.client, ticket.contact, ticket.type) == (cast.acme, None, "request")


def test_a_call_about_a_ticket_that_is_there_goes_onto_it(
    cast: Cast, pbx: Pbx, at: datetime, reads: Reads, sends: Sends, doing: Callable[..., Any]
) -> None:
    with doing(cast.tom):
        ticket = cast.ticket()
    pbx.says("newCall", at)
    assert f"It is about {ticket.reference}" in reads(cast.lena, "/calls/now/")
    sends(cast.lena, f"/calls/{pbx.call().pk}/ticket/", {"ticket": ticket.reference})
    assert pbx.call().ticket == ticket
    assert "they called" in reads(cast.lena, f"/tickets/{ticket.pk}/")


def test_a_call_of_one_client_does_not_go_onto_anothers_ticket(
    cast: Cast, pbx: Pbx, at: datetime, sends: Sends, doing: Callable[..., Any]
) -> None:
    with doing(cast.tom):
        other = cast.ticket(client=cast.borealis, contact=cast.bob)
    pbx.says("newCall", at)
    sends(cast.lena, f"/calls/{pbx.call().pk}/ticket/", {"ticket": other.pk})
    assert pbx.call().ticket is None


def test_the_call_is_written_up_on_its_ticket_and_leaves_the_desk(
    cast: Cast, pbx: Pbx, at: datetime, reads: Reads, sends: Sends
) -> None:
    pbx.says("newCall", at)
    sends(
        cast.lena, "/calls/new/", {"call": pbx.call().pk, "contact": cast.ann.pk, "subject": "No dial tone"}
    )
    pbx.says("answer", at, answeringNumber="42")
    pbx.says("hangup", at + timedelta(minutes=3), cause="normalClearing")
    assert "What was said?" in reads(cast.lena, "/calls/now/")
    sends(cast.lena, f"/calls/{pbx.call().pk}/wrap-up/", {"note": "She tries another cable."})
    note = Message.objects.get(direction="internal")
    assert (note.text, note.by_name) == ("She tries another cable.", "Lena Lang")
    assert "What was said?" not in reads(cast.lena, "/calls/now/")
    assert "She tries another cable." in reads(cast.lena, f"/calls/{pbx.call().pk}/")


def test_only_who_spoke_writes_the_call_up(cast: Cast, pbx: Pbx, at: datetime, sends: Sends) -> None:
    pbx.says("answer", at, answeringNumber="42")
    pbx.says("hangup", at, cause="normalClearing")
    sends(cast.lou, f"/calls/{pbx.call().pk}/wrap-up/", {"note": "I was it."})
    sends(cast.lou, f"/calls/{pbx.call().pk}/agent/", {})
    assert (pbx.call().note, pbx.call().agent) == ("", cast.lena)


@pytest.mark.parametrize("verb", ["", "agent/", "ticket/", "wrap-up/"])
def test_an_agent_of_another_client_finds_no_call(
    cast: Cast, pbx: Pbx, at: datetime, client: Browser, verb: str
) -> None:
    pbx.says("newCall", at)
    address = f"/calls/{pbx.call().pk}/{verb}"
    client.force_login(cast.olga.user)
    answer = client.post(address, {"ticket": "1001"}) if verb else client.get(address)
    set_scope(EVERY_CLIENT)
    assert answer.status_code == 404
    assert Call.objects.get().agent is None and Call.objects.get().ticket is None


def test_a_contact_and_a_stranger_see_no_calls(cast: Cast, pbx: Pbx, at: datetime, client: Browser) -> None:
    pbx.says("newCall", at)
    address = f"/calls/{pbx.call().pk}/"
    assert client.get(address).headers["Location"].startswith("/sign-in/")
    client.force_login(cast.ann.user)
    assert client.get(address).headers["Location"] == "/portal/"
