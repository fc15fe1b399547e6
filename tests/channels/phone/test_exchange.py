"""What an exchange tells: who calls, whom it rings for, what became of it; once, whatever is sent twice."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from django.test import Client as Http

from tests.cast import Cast
from tests.exchange import ACME, TOKEN, Pbx
from tierdesk.channels.phone.calls import callers_of
from tierdesk.channels.phone.models import Call, Exchange
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, only, seeing, set_scope
from tierdesk.directory.clients.models import Number


def test_a_call_rings_is_answered_and_ends(cast: Cast, pbx: Pbx, at: datetime) -> None:
    assert pbx.says("newCall", at, **{"user[]": ["Lena Lang"]}).status_code == 200
    ringing = pbx.call()
    assert (ringing.state, ringing.client, ringing.contact) == ("ringing", cast.acme, cast.ann)
    assert (ringing.rings_for, ringing.agent) == ([cast.lena.pk], None)
    pbx.says("answer", at + timedelta(seconds=5), answeringNumber="42")
    pbx.says("hangup", at + timedelta(seconds=65), cause="normalClearing")
    call = pbx.call()
    assert (call.state, call.agent, call.lasted) == ("ended", cast.lena, timedelta(minutes=1))


def test_json_is_understood_as_well_as_a_form(cast: Cast, pbx: Pbx, at: datetime) -> None:
    told = {
        "event": "newCall",
        "callId": "j1",
        "direction": "in",
        "from": "49301234501",
        "to": "1",
        "user": ["Lena Lang"],
    }
    with clock.frozen(at):
        answer = Http().post(
            "/phone/",
            json.dumps(told),
            content_type="application/json",
            headers={"authorization": f"Bearer {TOKEN}"},
        )
    set_scope(EVERY_CLIENT)
    assert (answer.status_code, answer.json()) == (200, {})
    assert (pbx.call("j1").contact, pbx.call("j1").rings_for) == (cast.ann, [cast.lena.pk])


@pytest.mark.parametrize(
    ("told", "agent"), [("42", "lena"), ("lena@desk.example", "lena"), ("LENA LANG", "lena")]
)
def test_an_agent_is_known_by_extension_address_or_name(
    cast: Cast, pbx: Pbx, at: datetime, told: str, agent: str
) -> None:
    pbx.says("answer", at, answeringNumber=told)
    assert pbx.call().agent == getattr(cast, agent)


def test_a_name_that_two_agents_have_is_nobody(cast: Cast, pbx: Pbx, at: datetime) -> None:
    cast.tom.user.name = "Lena Lang"
    cast.tom.user.save()
    pbx.says("answer", at, **{"user[]": ["Lena Lang"]})
    assert pbx.call().agent is None


def test_a_switchboard_names_the_client_only(cast: Cast, pbx: Pbx, at: datetime) -> None:
    pbx.says("newCall", at, **{"from": ACME})
    call = pbx.call()
    assert (call.client, call.contact) == (cast.acme, None)
    assert callers_of(call, cast.lena.user) == [cast.ann, cast.arne]


def test_of_several_who_share_a_number_the_agent_asks_who_it_is(cast: Cast, pbx: Pbx, at: datetime) -> None:
    for contact in (cast.arne, cast.bob):
        Number.objects.create(client=contact.client, contact=contact, e164="+493077777777")
    pbx.says("newCall", at, **{"from": "030 77777777"})
    call = pbx.call()
    assert (call.client, call.contact, call.number) == (None, None, "+493077777777")
    assert callers_of(call, cast.lena.user) == [cast.arne, cast.bob]
    assert callers_of(call, cast.olga.user) == [cast.bob]


def test_a_hidden_number_is_a_call_all_the_same(cast: Cast, pbx: Pbx, at: datetime) -> None:
    pbx.says("newCall", at, **{"from": "anonymous"})
    call = pbx.call()
    assert call.is_hidden and call.client is None
    assert callers_of(call, cast.lena.user) == []


def test_a_clients_own_line_tells_the_client_where_the_number_does_not(
    cast: Cast, pbx: Pbx, at: datetime
) -> None:
    Exchange.objects.update(client=cast.borealis)
    Number.objects.create(client=cast.borealis, contact=cast.bob, e164="+12125550123")
    pbx.says("newCall", at, call="hidden", **{"from": "anonymous"})
    pbx.says("newCall", at, call="local", **{"from": "2125550123"})
    assert pbx.call("hidden").client == cast.borealis
    assert pbx.call("local").contact == cast.bob  # dialled at home, and home is New York


def test_an_event_that_is_replayed_changes_nothing(cast: Cast, pbx: Pbx, at: datetime) -> None:
    story = [("newCall", {}), ("answer", {"answeringNumber": "42"}), ("hangup", {"cause": "normalClearing"})]
    for minute, (event, fields) in enumerate(story):
        pbx.says(event, at + timedelta(minutes=minute), **fields)
    before = Call.objects.values().get()
    for event, fields in story * 2:
        assert pbx.says(event, at + timedelta(hours=3), **fields).status_code == 200
    assert Call.objects.values().get() == before


def test_an_end_that_comes_first_is_completed_by_what_it_overtook(cast: Cast, pbx: Pbx, at: datetime) -> None:
    pbx.says("hangup", at, **{"from": "anonymous", "cause": "normalClearing"})
    pbx.says("newCall", at)
    call = pbx.call()
    assert (call.state, call.contact) == ("ended", cast.ann)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"event": "dtmf"}, "“event” is one of newCall, answer, hangup"),
        ({"callId": ""}, "“callId” names the call"),
        ({"callId": "x" * 251}, "at most 250"),
        ({"direction": "up"}, "“direction” is “in” or “out”"),
    ],
)
def test_what_is_no_call_is_refused_with_the_reason(
    pbx: Pbx, at: datetime, fields: dict[str, str], sentence: str
) -> None:
    event = fields.pop("event", "newCall")
    answer = pbx.says(event, at, fields.pop("callId", "c1"), **fields)
    assert answer.status_code == 400
    assert sentence in answer.json()["error"]  # type: ignore[attr-defined]
    assert not Call.objects.exists()


@pytest.mark.parametrize("body", ["{", "[]", '"x"', "[" * 100_000])
def test_a_body_that_is_no_object_is_refused(pbx: Pbx, body: str) -> None:
    answer = Http().post(f"/phone/{TOKEN}/", body[:60_000], content_type="application/json")
    assert answer.status_code == 400


def test_a_nul_or_a_novel_in_a_field_is_cut_not_a_crash(pbx: Pbx, at: datetime) -> None:
    assert pbx.says("newCall", at, **{"from": "+49\0" + "1" * 4000, "cause": "x" * 500}).status_code == 200


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], TOKEN + "x"])
def test_who_has_no_token_tells_nothing(pbx: Pbx, token: str) -> None:
    address = f"/phone/{token}/" if token else "/phone/"
    assert Http().post(address, {"event": "newCall", "callId": "1", "direction": "in"}).status_code == 401
    assert Http().get(f"/phone/{TOKEN}/").status_code == 405
    assert not Call.objects.exists()


def test_an_exchange_that_is_switched_off_is_not_heard(pbx: Pbx, at: datetime) -> None:
    Exchange.objects.update(enabled=False)
    assert pbx.says("newCall", at).status_code == 401


def test_agents_see_the_calls_of_their_clients_and_what_rings_for_them(
    cast: Cast, pbx: Pbx, at: datetime
) -> None:
    pbx.says("newCall", at)
    pbx.says("newCall", at, call="unknown", **{"from": "anonymous"})
    pbx.says("newCall", at, call="olgas", **{"from": "anonymous", "user[]": ["Olga Orlova"]})
    seen = lambda user: set(Call.objects.visible_to(user).values_list("ext_id", flat=True))  # noqa: E731
    assert seen(cast.lena.user) == {"c1", "unknown", "olgas"}
    assert seen(cast.olga.user) == {"olgas"}
    assert seen(cast.ann.user) == set()
    with seeing(only([cast.borealis.pk])):
        assert not Call.objects.filter(ext_id="c1").exists()


def test_a_recording_is_linked_only_where_it_was_agreed_and_only_for_its_time(
    cast: Cast, pbx: Pbx, at: datetime
) -> None:
    link = {"recording": "https://pbx.example/rec/1", "cause": "normalClearing"}
    pbx.says("hangup", at, **link)
    assert pbx.call().recording == ""
    Exchange.objects.update(keeps_recordings_days=30)
    pbx.says("hangup", at, call="c2", **link)
    pbx.says("hangup", at, call="c3", cause="normalClearing", recording="javascript:alert(1)")
    call = pbx.call("c2")
    assert call.playable(at) and call.playable(at + timedelta(days=30))
    assert not call.playable(at + timedelta(days=31))
    assert pbx.call("c3").recording == ""
