"""A program opens a ticket: once, for the right client, with clocks and a timeline."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cast import Cast
from tests.web.api.conftest import Program
from tierdesk.channels.models import Inbound
from tierdesk.directory.clients.models import Assignment, Contact
from tierdesk.directory.contracts.models import ContractVersion
from tierdesk.directory.services.models import Service
from tierdesk.tickets.models import Ticket

TROUBLE: dict[str, Any] = {
    "client": "ACME",
    "subject": "VPN gateway does not answer",
    "text": "Three probes failed.",
    "contact": "ann@acme.example",
    "service": "vpn",
    "category": "network/vpn",
    "impact": 1,
    "urgency": 1,
}


def test_a_program_opens_a_ticket(cast: Cast, lena: Program) -> None:
    answer = lena.post("/tickets", TROUBLE)
    assert answer.status_code == 201
    shown = answer.json()
    assert (shown["client"], shown["contact"]["name"], shown["channel"]) == ("ACME", "Ann Albers", "api")
    assert (shown["service"], shown["category"], shown["priority"]) == ("vpn", "network/vpn", 1)
    assert lena.get(f"/tickets/{shown['id']}").json() == shown


def test_an_opened_ticket_has_clocks_and_a_timeline(cast: Cast, lena: Program) -> None:
    pk = lena.post("/tickets", TROUBLE).json()["id"]
    clocks = lena.get(f"/tickets/{pk}/clocks").json()
    promised = {c["metric"]: c for c in clocks if c["party"] == "SLA"}
    assert {"respond", "resolve"} <= set(promised)
    assert promised["resolve"]["target_s"] == 4 * 3600
    assert promised["resolve"]["state"] == "running"
    assert promised["resolve"]["due_at"] is not None
    entries = lena.get(f"/tickets/{pk}/timeline").json()["items"]
    assert [entry["kind"] for entry in entries][:2] == ["opened", "triaged"]
    assert entries[0]["cause"] is None
    assert entries[1]["cause"] == entries[0]["id"]
    assert entries[0]["by"]["name"] == "Lena Lang"
    assert entries[0]["said"] == {"direction": "inbound", "text": "Three probes failed."}


def test_a_program_says_the_type_and_changes_it(cast: Cast, lena: Program) -> None:
    assert lena.post("/tickets", TROUBLE).json()["type"] == "incident"
    shown = lena.post("/tickets", TROUBLE | {"type": "request"}).json()
    assert shown["type"] == "request"
    path = f"/tickets/{shown['id']}/type"
    body = {"version": shown["version"], "type": "incident", "why": "it is broken after all"}
    assert lena.post(path, body).json()["type"] == "incident"
    assert lena.post(path, body | {"type": "problem"}).status_code == 422


def test_a_program_changes_the_subject(cast: Cast, lena: Program) -> None:
    shown = lena.post("/tickets", TROUBLE).json()
    path, body = f"/tickets/{shown['id']}/subject", {"version": shown["version"], "subject": "Tunnel to Oslo"}
    assert lena.post(path, body).json()["subject"] == "Tunnel to Oslo"
    assert lena.post(path, body).status_code == 409, "it was changed meanwhile"
    assert lena.post(path, body | {"subject": " "}).status_code == 422


def test_a_program_says_what_it_is_about_and_how_bad_it_is(cast: Cast, lena: Program) -> None:
    Service.objects.create(client=cast.acme, key="till", name="Tills")
    shown = lena.post("/tickets", TROUBLE).json()
    path = f"/tickets/{shown['id']}"
    shown = lena.post(f"{path}/service", {"version": shown["version"], "service": "till"}).json()
    assert shown["service"] == "till"
    shown = lena.post(f"{path}/category", {"version": shown["version"], "category": "network/vpn"}).json()
    assert shown["category"] == "network/vpn"
    assessed = {"version": shown["version"], "impact": 1, "urgency": 1, "why": "the whole floor"}
    shown = lena.post(f"{path}/assessment", assessed).json()
    assert (shown["impact"], shown["urgency"], shown["priority"]) == (1, 1, 1)
    shown = lena.post(f"{path}/service", {"version": shown["version"], "service": None}).json()
    assert shown["service"] is None


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("service", {"service": "of-borealis"}),
        ("category", {"category": "no/such"}),
        ("assessment", {"impact": 4, "urgency": 1, "why": "x"}),
        ("assessment", {"impact": 1, "urgency": 1, "why": " "}),
    ],
)
def test_what_a_program_cannot_say_changes_nothing(
    cast: Cast, lena: Program, verb: str, said: dict[str, Any]
) -> None:
    Service.objects.create(client=cast.borealis, key="of-borealis", name="VPN")
    shown = lena.post("/tickets", TROUBLE).json()
    answer = lena.post(f"/tickets/{shown['id']}/{verb}", {"version": shown["version"]} | said)
    assert answer.status_code == 422
    assert lena.get(f"/tickets/{shown['id']}").json() == shown


def test_what_came_is_kept_raw(cast: Cast, lena: Program) -> None:
    pk = lena.post("/tickets", TROUBLE).json()["id"]
    inbound = Inbound.objects.get(channel="api")
    assert (inbound.ticket_id, inbound.state, inbound.client) == (pk, "done", cast.acme)
    assert b"Three probes failed." in bytes(inbound.raw)


def test_the_same_key_is_the_same_ticket(cast: Cast, lena: Program) -> None:
    first = lena.post("/tickets", TROUBLE, **{"Idempotency-Key": "probe-7"})
    again = lena.post("/tickets", TROUBLE, **{"Idempotency-Key": "probe-7"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert Ticket.objects.count() == 1


def test_without_a_key_every_call_counts(cast: Cast, lena: Program) -> None:
    assert lena.post("/tickets", TROUBLE).json()["id"] != lena.post("/tickets", TROUBLE).json()["id"]


def test_a_key_for_something_else_is_refused(cast: Cast, lena: Program) -> None:
    lena.post("/tickets", TROUBLE, **{"Idempotency-Key": "probe-7"})
    other = lena.post("/tickets", TROUBLE | {"text": "Another"}, **{"Idempotency-Key": "probe-7"})
    assert other.status_code == 409
    assert other.json()["error"]["code"] == "key_reused"
    assert Ticket.objects.count() == 1


def test_two_users_may_choose_the_same_key(cast: Cast, lena: Program, olga: Program) -> None:
    body = {"client": "BOR", "subject": "Mail is slow", "text": "Very."}
    mine = lena.post("/tickets", body, **{"Idempotency-Key": "1"})
    hers = olga.post("/tickets", body, **{"Idempotency-Key": "1"})
    assert (mine.status_code, hers.status_code) == (201, 201)
    assert mine.json()["id"] != hers.json()["id"]


def test_a_program_that_serves_one_client_opens_a_ticket_for_it(cast: Cast, olga: Program) -> None:
    answer = olga.post("/tickets", {"client": "BOR", "subject": "Mail is slow", "text": "Very."})
    assert answer.status_code == 201
    assert answer.json()["contact"] is None


def test_somebody_from_a_domain_of_the_client_becomes_a_contact(cast: Cast, lena: Program) -> None:
    answer = lena.post("/tickets", TROUBLE | {"contact": "New.Person@acme.example"})
    assert answer.status_code == 201
    assert Contact.objects.get(email="new.person@acme.example").client == cast.acme


def test_somebody_unknown_is_parked_with_a_reason(cast: Cast, lena: Program) -> None:
    answer = lena.post("/tickets", TROUBLE | {"contact": "bob@borealis.example"}, **{"Idempotency-Key": "x"})
    assert answer.status_code == 202
    assert answer.json()["reason"] == "bob@borealis.example is nobody we know at Acme GmbH."
    assert (
        lena.post(
            "/tickets", TROUBLE | {"contact": "bob@borealis.example"}, **{"Idempotency-Key": "x"}
        ).json()
        == answer.json()
    )
    assert Inbound.objects.get().client == cast.acme
    assert Ticket.objects.count() == 0


def test_a_client_who_did_not_agree_to_the_api_is_parked(cast: Cast, lena: Program) -> None:
    ContractVersion.objects.filter(client=cast.acme).update(channels=["email"])
    answer = lena.post("/tickets", TROUBLE)
    assert answer.status_code == 202
    assert answer.json()["reason"].startswith("api is not an agreed channel of Acme GmbH.")


def test_rights_lost_before_it_was_understood_count(cast: Cast) -> None:
    from tierdesk.channels.api.channel import understand
    from tierdesk.channels.api.requests import Trouble, receive
    from tierdesk.channels.registry import Refused

    trouble = Trouble(client=cast.borealis.pk, subject="Mail is slow", text="Very.")
    inbound = receive(trouble, cast.olga.user, key="").inbound
    assert inbound.ticket is not None
    Assignment.objects.all().delete()
    assert isinstance(understand(inbound), Refused)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": "red"}, "colour: there is no such field"),
        ({"impact": 4}, "impact: Input should be less than or equal to 3"),
        ({"subject": "   "}, "subject: String should have at least 1 character"),
        ({"text": "a\0b"}, "text: a NUL character cannot be kept"),
        ({"contact": "ann"}, "contact: this is not a mail address"),
        ({"service": "nope"}, "service: Acme GmbH has no such service; there are mail, vpn"),
        (
            {"category": "nope"},
            "category: there is no such category; there are hardware/printer, network/vpn",
        ),
        ({"client": None}, "client: Input should be a valid string"),
    ],
)
def test_a_field_that_does_not_fit_is_named(
    cast: Cast, lena: Program, change: dict[str, Any], message: str
) -> None:
    answer = lena.post("/tickets", TROUBLE | change)
    assert answer.status_code == 422
    assert answer.json() == {"error": {"code": "invalid", "message": message}}
    assert not Inbound.objects.exists()


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 100_000, b'{"client": "ACME"'], ids=range(4))
def test_what_is_not_json_is_refused(cast: Cast, lena: Program, body: bytes) -> None:
    answer = lena.post("/tickets", body)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "bad_request"


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"7", b'"x"', b'{"subject": "\\ud800", "client": "ACME", "text": "x"}'],
    ids=range(6),
)
def test_json_of_another_shape_is_refused(cast: Cast, lena: Program, body: bytes) -> None:
    answer = lena.post("/tickets", body)
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "invalid"
