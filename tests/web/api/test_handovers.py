"""A program climbs the ladder: through the gate, accepted, returned, taken back; and asks for the next best ticket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cast import Cast
from tests.web.api.conftest import Program
from tierdesk.directory.staff.models import User
from tierdesk.response.tiers.models import Escalation, Procedure
from tierdesk.tickets.models import Ticket

PACK = {"symptom": "no tunnel", "scope": "one site", "steps_tried": "restarted", "exact_ask": "look at it"}


@pytest.fixture
def tom(cast: Cast, program: Callable[[User], Program]) -> Program:
    """Tom of the second line."""
    return program(cast.tom.user)


def version(ticket: Ticket) -> int:
    return Ticket.objects.get(pk=ticket.pk).version


def up(program: Program, ticket: Ticket, **more: Any) -> Any:
    body = {"version": version(ticket), "team": "ops", "reason": "skill", "pack": PACK} | more
    return program.post(f"/tickets/{ticket.pk}/escalations", body)


def answered(program: Program, ticket: Ticket, what: str, **more: Any) -> Any:
    return program.post(f"/tickets/{ticket.pk}/{what}", {"version": version(ticket), **more})


def test_it_is_handed_up_and_accepted(cast: Cast, lena: Program, tom: Program, ticket: Ticket) -> None:
    shown = up(lena, ticket).json()
    assert (shown["tier"], shown["team"]) == (2, "ops")
    [sent] = tom.get(f"/tickets/{ticket.pk}/escalations").json()
    assert (sent["state"], sent["sent_by"], sent["to_team"]) == ("sent", "lena@desk.example", "ops")
    assert sent["pack"] == PACK
    taken = answered(tom, ticket, "acceptance").json()
    assert taken["assignee"]["email"] == "tom@desk.example"
    [sent] = lena.get(f"/tickets/{ticket.pk}/escalations").json()
    assert (sent["state"], sent["answered_by"]) == ("accepted", "tom@desk.example")


def test_it_is_returned_with_a_reason(cast: Cast, lena: Program, tom: Program, ticket: Ticket) -> None:
    up(lena, ticket)
    shown = answered(tom, ticket, "return", reason="missing_info", note="no log").json()
    assert shown["team"] == "desk"
    [sent] = lena.get(f"/tickets/{ticket.pk}/escalations").json()
    assert (sent["state"], sent["return_reason"], sent["return_note"]) == (
        "returned",
        "missing_info",
        "no log",
    )


def test_it_is_taken_back_by_those_who_sent_it_alone(
    cast: Cast, lena: Program, tom: Program, ticket: Ticket
) -> None:
    up(lena, ticket)
    refused = answered(tom, ticket, "withdrawal", why="mine")
    assert refused.json()["error"]["message"] == "Only the team that sent this hand-over takes it back."
    assert answered(lena, ticket, "withdrawal", why="solved it").json()["team"] == "desk"


@pytest.mark.parametrize("what", [("acceptance", {}), ("return", {"reason": "missing_info", "note": "x"})])
def test_only_the_receiving_team_answers(
    cast: Cast, lena: Program, ticket: Ticket, what: tuple[str, dict[str, str]]
) -> None:
    up(lena, ticket)
    refused = answered(lena, ticket, what[0], **what[1])
    assert refused.json()["error"]["message"] == "Only Operations answers this hand-over."
    assert Escalation.objects.get().state == "sent"


def test_a_shut_gate_says_what_is_missing(cast: Cast, lena: Program, ticket: Ticket) -> None:
    refused = up(lena, ticket, pack={"symptom": "no tunnel", "scope": "one site"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "gate_shut")
    assert "Answer: What was tried, with which result?" in refused.json()["error"]["message"]
    assert not Escalation.objects.exists()


def test_the_short_way_is_taken_in_an_emergency(cast: Cast, lena: Program, ticket: Ticket) -> None:
    Procedure.publish(
        "up", name="Up", from_tier=1, spec={"emergency": {"priorities": [ticket.priority], "to": ["L3"]}}
    )
    pack = {"symptom": "dark", "exact_ask": "light"}
    assert up(lena, ticket, team="experts", pack=pack).json()["error"]["code"] == "gate_shut"
    assert up(lena, ticket, team="experts", pack=pack, emergency=True).json()["tier"] == 3
    [sent] = lena.get(f"/tickets/{ticket.pk}/escalations").json()
    assert sent["emergency"] and "A tier is skipped: say why." in sent["waived"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"team": "desk"}, "team: no team of a higher tier"),
        ({"team": "northern"}, "team: no team of a higher tier"),
        ({"named": "kira@desk.example"}, "named: nobody of Operations"),
        ({"reason": "boredom"}, "reason"),
        ({"pack": {"horoscope": "bad"}}, "horoscope: there is no such field"),
    ],
    ids=["its own team", "a team of others", "somebody else’s", "no reason", "no part"],
)
def test_what_does_not_fit_names_its_field(
    cast: Cast, lena: Program, ticket: Ticket, wrong: dict[str, Any], said: str
) -> None:
    refused = up(lena, ticket, **wrong)
    assert refused.status_code == 422
    assert said in refused.json()["error"]["message"]
    assert not Escalation.objects.exists()


def test_somebody_may_be_named(cast: Cast, lena: Program, ticket: Ticket) -> None:
    assert up(lena, ticket, named="tom@desk.example").json()["assignee"]["email"] == "tom@desk.example"


def test_whoever_is_late_is_told(cast: Cast, lena: Program, ticket: Ticket) -> None:
    seen = version(ticket)
    lena.post(f"/tickets/{ticket.pk}/assignment", {"version": seen, "agent": "me"})
    refused = up(lena, ticket, version=seen)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "stale")


def test_where_nothing_waits_there_is_nothing_to_answer(tom: Program, ticket: Ticket) -> None:
    assert answered(tom, ticket, "acceptance").status_code == 404


def test_the_next_best_ticket_is_given_once(cast: Cast, lena: Program, ticket: Ticket) -> None:
    taken = lena.post("/tickets/next", {})
    assert (taken.status_code, taken.json()["id"]) == (200, ticket.pk)
    assert taken.json()["assignee"]["email"] == "lena@desk.example"
    none = lena.post("/tickets/next", {})
    assert (none.status_code, none.content) == (204, b"")
