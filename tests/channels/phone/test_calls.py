"""A call: who it is, in the few seconds before they say it; and a ticket with a human's answer already given."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.cast import Cast
from tierdesk.channels.models import Inbound
from tierdesk.channels.phone.calls import CallSheet, clients_told, log_call, look_up
from tierdesk.core import clock
from tierdesk.core.scope import only, seeing
from tierdesk.directory.clients.models import Client, Contact, Number, Site
from tierdesk.response.notifications.models import Notice
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Ticket


def call(cast: Cast, **values: Any) -> CallSheet:
    told: dict[str, Any] = {
        "client": cast.acme.pk,
        "contact": cast.ann.pk,
        "subject": "Printer jams",
        "text": "Third time today.",
        "key": "form-1",
    }
    return CallSheet(**told | values)


@pytest.mark.parametrize("typed", ["+49 30 1234501", "030 / 123 45 01", "0049301234501"])
def test_a_number_finds_who_has_it_however_it_is_written(cast: Cast, typed: str) -> None:
    assert list(look_up(typed, cast.lena.user)) == [cast.ann]


def test_a_local_number_is_read_as_in_each_region_that_we_serve(cast: Cast) -> None:
    Number.objects.create(client=cast.borealis, contact=cast.bob, e164="+12125550123")
    assert list(look_up("(212) 555-0123", cast.lena.user)) == [cast.bob]


def test_a_switchboard_tells_the_client_and_offers_its_people(cast: Cast) -> None:
    assert list(look_up("+49 30 1234500", cast.lena.user)) == [cast.ann, cast.arne]


@pytest.mark.parametrize("typed", ["+49 30 1234500 arn", "arne 030/1234500", "+49301234500 gmbh arne"])
def test_of_many_who_share_a_number_a_piece_of_the_name_finds_the_one(cast: Cast, typed: str) -> None:
    assert list(look_up(typed, cast.lena.user)) == [cast.arne]
    assert list(clients_told(typed, cast.lena.user)) == [cast.acme]


def test_a_name_that_nobody_at_the_number_has_leaves_the_client(cast: Cast) -> None:
    assert list(look_up("+49 30 1234500 zoe", cast.lena.user)) == []
    assert list(clients_told("+49 30 1234500 zoe", cast.lena.user)) == [cast.acme]


@pytest.mark.parametrize("typed", ["alb", "ANN", "ann@acme"])
def test_a_piece_of_a_name_or_an_address_finds_them(cast: Cast, typed: str) -> None:
    assert cast.ann in look_up(typed, cast.lena.user)


@pytest.mark.parametrize("typed", ["acme gmbh", "Gmb", "BOR ann"])
def test_a_piece_of_a_clients_name_finds_its_people(cast: Cast, typed: str) -> None:
    anna = Contact.objects.create(client=cast.borealis, name="Anna Adams")
    found = list(look_up(typed, cast.lena.user))
    assert found == ([anna] if typed == "BOR ann" else [cast.ann, cast.arne])


def test_whoever_is_called_so_comes_before_those_of_a_client_that_is(cast: Cast) -> None:
    harbor = Client.objects.create(key="HARBOR", name="Arnesen & Sons")
    aron = Contact.objects.create(client=harbor, name="Aron", email="aron@harbor.example")
    assert list(look_up("arne", cast.lena.user)) == [cast.arne, aron]
    assert list(clients_told("arne", cast.lena.user)) == [harbor]


def test_a_site_finds_its_people_and_its_client(cast: Cast) -> None:
    cast.arne.site = Site.objects.create(client=cast.acme, name="Spandau works")
    cast.arne.save()
    assert list(look_up("spandau", cast.lena.user)) == [cast.arne]
    assert list(clients_told("spandau", cast.lena.user)) == [cast.acme]


def test_a_client_of_whom_we_know_nobody_is_found_by_its_name_key_and_number(cast: Cast) -> None:
    harbor = Client.objects.create(key="HARBOR", name="Port Authority")
    Number.objects.create(client=harbor, e164="+49401234500")
    for typed in ("port auth", "harb", "+49 40 1234500"):
        assert list(look_up(typed, cast.lena.user)) == []
        assert list(clients_told(typed, cast.lena.user)) == [harbor]


def test_a_name_with_a_number_in_it_is_a_name(cast: Cast) -> None:
    studio = Client.objects.create(key="STUDIO", name="Studio 540")
    sam = Contact.objects.create(client=studio, name="Sam")
    assert list(look_up("studio 540", cast.lena.user)) == [sam]
    assert list(clients_told("Studio 540", cast.lena.user)) == [studio]


def test_the_number_of_one_who_has_left_still_tells_the_client(cast: Cast) -> None:
    Contact.objects.filter(pk=cast.ann.pk).update(is_active=False)
    assert list(look_up("+49 30 1234501", cast.lena.user)) == []
    assert list(clients_told("+49 30 1234501", cast.lena.user)) == [cast.acme]


def test_a_client_that_has_left_is_not_offered_by_its_name(cast: Cast) -> None:
    Client.objects.filter(pk=cast.acme.pk).update(is_active=False)
    assert list(clients_told("gmbh", cast.lena.user)) == []
    assert list(look_up("gmbh", cast.lena.user)) == []


def test_nothing_typed_finds_nobody(cast: Cast) -> None:
    assert list(look_up("  ", cast.lena.user)) == []
    assert list(clients_told("  ", cast.lena.user)) == []


def test_nobody_is_found_whom_the_agent_may_not_see(cast: Cast) -> None:
    Site.objects.create(client=cast.acme, name="Spandau works")
    for typed in ("+49 30 1234501", "+49 30 1234500", "Ann", "Acme", "gmbh", "spandau"):
        assert list(look_up(typed, cast.olga.user)) == []
        assert list(clients_told(typed, cast.olga.user)) == []


def test_who_has_left_is_not_offered(cast: Cast) -> None:
    cast.ann.is_active = False
    cast.ann.save()
    assert list(look_up("Ann", cast.lena.user)) == []


def test_f03_a_call_is_acknowledged_and_answered_when_it_is_logged(cast: Cast, at: datetime) -> None:
    """F03: an agent has spoken with the caller; no clock may wait for a second answer."""
    with clock.frozen(at):
        ticket = log_call(call(cast), cast.lena)
    assert ticket is not None
    ticket.refresh_from_db()
    assert (ticket.state, ticket.assignee, ticket.acknowledged_at) == ("open", cast.lena, at)
    met = ticket.clocks.filter(party="SLA", state="met").values_list("metric", "elapsed_s")
    assert set(met) == {("acknowledge", 0.0), ("respond", 0.0)}
    assert not Notice.objects.mails().exists()


def test_a_form_that_is_sent_twice_is_one_call(cast: Cast, at: datetime) -> None:
    with clock.frozen(at):
        assert log_call(call(cast), cast.lena) == log_call(call(cast), cast.lena)
        log_call(call(cast), cast.lou)  # somebody else's form, by chance with the same key
    assert Ticket.objects.count() == 2


def test_calls_without_a_key_are_different_calls(cast: Cast, at: datetime) -> None:
    with clock.frozen(at):
        assert log_call(call(cast, key=""), cast.lena) != log_call(call(cast, key=""), cast.lena)


def test_an_agent_of_one_client_logs_a_call_under_that_clients_lock(cast: Cast, at: datetime) -> None:
    with clock.frozen(at), seeing(only([cast.borealis.pk])):
        ticket = log_call(call(cast, client=cast.borealis.pk, contact=cast.bob.pk), cast.olga)
    assert ticket is not None
    assert (ticket.client, ticket.contact, ticket.assignee) == (cast.borealis, cast.bob, cast.olga)


def test_nobody_logs_a_call_for_a_client_whom_they_do_not_serve(cast: Cast) -> None:
    with pytest.raises(UnableTo, match="whom you serve"):
        log_call(call(cast), cast.olga)
    assert not Inbound.objects.exists()


def test_a_contact_of_another_client_is_not_put_on_the_ticket(cast: Cast, at: datetime) -> None:
    with clock.frozen(at):
        ticket = log_call(call(cast, contact=cast.bob.pk), cast.lena)
    assert ticket is not None and ticket.contact is None


def test_a_call_that_is_not_agreed_is_kept_for_somebody_to_decide(cast: Cast, at: datetime) -> None:
    cast.acme_contract.channels = ["email"]
    cast.acme_contract.save()
    with clock.frozen(at):
        assert log_call(call(cast), cast.lena) is None
    kept = Inbound.objects.get()
    assert (kept.state, kept.client) == ("parked", cast.acme)
    assert kept.reason.startswith("phone is not an agreed channel")
