"""Major incidents for programs: declared, told, linked, stood down and proposed, with the rights of the desk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.cast import Cast
from tests.web.api.conftest import Program
from tierdesk.core import clock
from tierdesk.core.wakeups import run_due
from tierdesk.directory.staff.models import User
from tierdesk.response.major.models import Child, MajorIncident, Proposal
from tierdesk.response.notifications.models import Notice
from tierdesk.tickets.models import Entry, Message, Ticket

type Doing = Callable[..., Any]
WHO = (
    "a manager, a lead of the team that has the ticket or talks to its contact, or whoever is on call for it"
)


@pytest.fixture
def lou(cast: Cast, program: Callable[[User], Program]) -> Program:
    """Lou's, who leads the first line."""
    return program(cast.lou.user)


def version(ticket: Ticket) -> int:
    return Ticket.objects.get(pk=ticket.pk).version


def declared(program: Program, ticket: Ticket, **more: Any) -> Any:
    body = {"version": version(ticket), "why": "All are cut off.", "manager": "me"} | more
    return program.post(f"/tickets/{ticket.pk}/major", body)


def of_bob(cast: Cast, doing: Doing) -> Ticket:
    with doing(cast.lena, clock.now()):
        return cast.ticket(client=cast.borealis, contact=cast.bob, subject="Our gateway is down, too")


@pytest.fixture
def incident(lou: Program, ticket: Ticket) -> int:
    answer = declared(lou, ticket, every_min=30)
    assert answer.status_code == 201, answer.json()
    return int(answer.json()["id"])


# -- read and declare


def test_a_lead_declares_it_and_everybody_who_serves_the_client_reads_it(
    cast: Cast, lou: Program, lena: Program, ticket: Ticket
) -> None:
    made = declared(lou, ticket).json()
    assert (made["ticket"], made["client"], made["stand"]) == (ticket.pk, "ACME", "going")
    assert made["roles"] == {"manager": "lou@desk.example"}
    assert made["every_min"] > 0 and made["next_update_at"]
    assert lena.get(f"/major/{made['id']}").json() == made
    assert lena.get("/major", stand="going", client="ACME").json() == {"items": [made], "next": None}
    for stand in ("to_review", "ended"):
        assert lena.get("/major", stand=stand).json()["items"] == []
    assert lena.get(f"/tickets/{ticket.pk}").json()["is_major"]


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        ({"why": "  "}, "unable", "Say why it is a major incident."),
        ({"why": None}, "invalid", "why"),
        ({"every_min": 2}, "invalid", "every_min"),
        ({"manager": "nobody@desk.example"}, "invalid", "manager: no agent of Acme GmbH has this address"),
        ({"manager": "olga@desk.example"}, "invalid", "manager: no agent of Acme GmbH has this address"),
        ({"horoscope": 1}, "invalid", "horoscope: there is no such field"),
    ],
)
def test_a_declaration_that_does_not_fit_changes_nothing(
    lou: Program, ticket: Ticket, more: dict[str, Any], code: str, said: str
) -> None:
    refused = declared(lou, ticket, **more)
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, code)
    assert said in refused.json()["error"]["message"]
    assert not MajorIncident.objects.exists() and not Ticket.objects.get(pk=ticket.pk).is_major


def test_whoever_may_not_declare_it_is_told_who_may(lena: Program, ticket: Ticket) -> None:
    refused = declared(lena, ticket)
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "unable")
    assert refused.json()["error"]["message"] == f"A major incident is declared by {WHO}."
    assert not MajorIncident.objects.exists()


def test_whoever_is_late_is_shown_the_ticket(cast: Cast, lou: Program, ticket: Ticket, doing: Doing) -> None:
    seen = version(ticket)
    lou.post(f"/tickets/{ticket.pk}/assignment", {"version": seen, "agent": "me"})
    refused = declared(lou, ticket, version=seen)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "stale")
    assert refused.json()["ticket"]["version"] == version(ticket)
    assert not MajorIncident.objects.exists()


def test_declared_twice_is_refused_in_words(lou: Program, incident: int, ticket: Ticket) -> None:
    assert (
        declared(lou, ticket).json()["error"]["message"] == f"{ticket.reference} is a major incident already."
    )


# -- what is done with it


def test_a_broadcast_reaches_all_and_is_sent_once(
    cast: Cast, lou: Program, incident: int, doing: Doing
) -> None:
    child = of_bob(cast, doing)
    assert lou.post(f"/major/{incident}/children", {"tickets": [child.pk]}).json()["following"] == 1
    said = lou.post(f"/major/{incident}/broadcasts", {"text": "We replace it.", "newest": 0}).json()
    assert said["newest"] and said["updated_at"]
    run_due(clock.now())
    assert Message.objects.filter(text="We replace it.").count() == 2
    late = lou.post(f"/major/{incident}/broadcasts", {"text": "We replace it.", "newest": 0})
    assert "Another broadcast has gone out since you looked" in late.json()["error"]["message"]
    again = lou.post(f"/major/{incident}/broadcasts", {"text": "Done.", "newest": said["newest"]})
    assert again.status_code == 200


def test_children_are_linked_and_taken_out_again(
    cast: Cast, lou: Program, incident: int, doing: Doing
) -> None:
    child = of_bob(cast, doing)
    lou.post(f"/major/{incident}/children", {"tickets": [child.pk]})
    [shown] = lou.get(f"/major/{incident}/children").json()
    assert (shown["ticket"], shown["client"], shown["state"]) == (child.pk, "BOR", "following")
    twice = lou.post(f"/major/{incident}/children", {"tickets": [child.pk]})
    assert "follows a major incident already" in twice.json()["error"]["message"]
    nothing = lou.post(
        f"/major/{incident}/children/release", {"tickets": [child.pk, 1], "why": "another cause"}
    )
    assert "TD-1 does not follow it" in nothing.json()["error"]["message"]
    assert Child.objects.get().state == "following", "all of them, or none"
    out = lou.post(f"/major/{incident}/children/release", {"tickets": [child.pk], "why": "another cause"})
    assert out.json()["following"] == 0
    assert Ticket.objects.get(pk=child.pk).state == "open"


def test_roles_cadence_and_standing_down(cast: Cast, lou: Program, lena: Program, incident: int) -> None:
    handed = lou.post(f"/major/{incident}/roles", {"role": "communications", "agent": "lena@desk.example"})
    assert handed.json()["roles"]["communications"] == "lena@desk.example"
    assert lou.post(f"/major/{incident}/cadence", {"every_min": 60}).json()["every_min"] == 60
    refused = lena.post(f"/major/{incident}/standing-down", {"why": "mine"})
    assert refused.json()["error"]["message"] == f"Its incident manager does that, or {WHO}."
    assert lou.post(f"/major/{incident}/standing-down", {"why": " "}).status_code == 422
    down = lou.post(f"/major/{incident}/standing-down", {"why": "a cable was out"}).json()
    assert (down["stand"], down["next_update_at"]) == ("ended", None)
    over = lou.post(f"/major/{incident}/broadcasts", {"text": "Hello?"})
    assert "is no major incident any more" in over.json()["error"]["message"]


def test_whoever_has_no_part_in_it_does_not_write_to_all(lena: Program, incident: int) -> None:
    refused = lena.post(f"/major/{incident}/broadcasts", {"text": "We are sorry."})
    assert refused.json()["error"]["message"] == f"Whoever has a role in it does that, or {WHO}."
    assert not Message.objects.filter(text="We are sorry.").exists()


# -- outsiders

DOINGS: dict[str, dict[str, Any]] = {
    "broadcasts": {"text": "Hello"},
    "children": {"tickets": [1]},
    "children/release": {"tickets": [1], "why": "x"},
    "roles": {"role": "manager", "agent": "me"},
    "cadence": {"every_min": 60},
    "standing-down": {"why": "x"},
}


def test_an_outsider_finds_nothing_and_changes_nothing(
    cast: Cast, olga: Program, incident: int, ticket: Ticket, doing: Doing
) -> None:
    for path in (f"/major/{incident}", f"/major/{incident}/children", f"/tickets/{ticket.pk}/proposals"):
        assert olga.get(path).status_code == 404, path
    mine = of_bob(cast, doing)
    for what, body in DOINGS.items():
        body = body | ({"tickets": [mine.pk]} if "tickets" in body else {})
        assert olga.post(f"/major/{incident}/{what}", body).status_code == 404, what
    assert declared(olga, ticket).status_code == 404
    assert olga.post(f"/tickets/{ticket.pk}/proposals", {"why": "x"}).status_code == 404
    assert olga.get("/major").json()["items"] == []
    assert MajorIncident.objects.get().stood_down_at is None and not Child.objects.exists()


def test_of_another_client_s_children_nothing_is_shown_and_none_is_linked(
    cast: Cast, lou: Program, olga: Program, ticket: Ticket, doing: Doing
) -> None:
    """Olga serves the parent's client alone here; the child is Acme's."""
    parent = of_bob(cast, doing)
    made = declared(lou, parent).json()
    lou.post(f"/major/{made['id']}/children", {"tickets": [ticket.pk]})
    shown = olga.get(f"/major/{made['id']}").json()
    assert (shown["ticket"], shown["following"]) == (parent.pk, 0)
    assert olga.get(f"/major/{made['id']}/children").json() == []
    with doing(cast.lena, clock.now()):
        another = cast.ticket()
    refused = olga.post(f"/major/{made['id']}/children", {"tickets": [another.pk]})
    assert refused.json()["error"]["message"] == f"tickets: you can see no ticket {another.pk}"
    out = olga.post(f"/major/{made['id']}/children/release", {"tickets": [ticket.pk], "why": "not ours"})
    assert "does not follow it, as far as you see" in out.json()["error"]["message"]


def test_an_administrator_who_is_no_agent_reads_and_does_nothing(
    cast: Cast, program: Callable[[User], Program], incident: int, ticket: Ticket
) -> None:
    root = program(User.objects.create_user("root@desk.example", name="Root", is_admin=True))
    assert root.get(f"/major/{incident}").status_code == 200
    for what, body in DOINGS.items():
        refused = root.post(
            f"/major/{incident}/{what}", body | ({"tickets": [ticket.pk]} if "tickets" in body else {})
        )
        assert refused.json()["error"]["message"] == "Only an agent can do this.", what


def test_a_list_of_many_costs_as_many_statements_as_of_one(
    cast: Cast, lou: Program, incident: int, doing: Doing
) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert lou.get("/major").status_code == 200
        return len(queries)

    one = asked()
    for number in range(4):
        with doing(cast.lena, clock.now()):
            another = cast.ticket(subject=f"Number {number}")
        declared(lou, another)
    assert asked() == one
    assert lou.get("/major", limit=2).json()["next"]


# -- proposals


def test_whoever_may_not_declare_it_proposes_it_and_those_who_may_are_told(
    cast: Cast, lena: Program, lou: Program, ticket: Ticket
) -> None:
    made = lena.post(f"/tickets/{ticket.pk}/proposals", {"why": " Three sites are dark. "})
    assert (made.status_code, made.json()["why"], made.json()["state"]) == (
        201,
        "Three sites are dark.",
        "open",
    )
    told = Notice.objects.filter(kind="hierarchy", ticket=ticket)
    assert {one.agent.name for one in told if one.agent} == {"Lou Lead"}
    assert "Lena Lang thinks it is a major incident: Three sites are dark." in told[0].subject
    assert lou.get("/major/proposals").json() == [made.json()]
    twice = lena.post(f"/tickets/{ticket.pk}/proposals", {"why": "Really."})
    assert "Lena Lang has proposed it already" in twice.json()["error"]["message"]


def test_it_is_declined_with_a_reason_that_its_author_hears(
    cast: Cast, lena: Program, lou: Program, ticket: Ticket
) -> None:
    made = lena.post(f"/tickets/{ticket.pk}/proposals", {"why": "Three sites are dark."}).json()
    path = f"/major/proposals/{made['id']}/declining"
    mine = lena.post(path, {"why": "after all"})
    assert mine.json()["error"]["message"] == f"A proposal is answered by {WHO}."
    assert lou.post(path, {"why": " "}).json()["error"]["message"] == "Say why."
    said = lou.post(path, {"why": "It is one site with three names."}).json()
    assert (said["state"], said["answered_by"], said["answer"]) == (
        "declined",
        "lou@desk.example",
        "It is one site with three names.",
    )
    notice = Notice.objects.get(kind="major_declined", channel="desk")
    assert notice.agent == cast.lena and "Lou Lead says: It is one site with three names." in notice.text
    assert (
        lou.post(path, {"why": "again"}).json()["error"]["message"] == "This proposal was answered already."
    )
    assert lou.get("/major/proposals").json() == []
    again = lena.post(f"/tickets/{ticket.pk}/proposals", {"why": "A fourth site."})
    assert again.status_code == 201, "what changed may be proposed again"


def test_declaring_it_accepts_the_proposal(cast: Cast, lena: Program, lou: Program, ticket: Ticket) -> None:
    lena.post(f"/tickets/{ticket.pk}/proposals", {"why": "Three sites are dark."})
    declared(lou, ticket)
    [shown] = lena.get(f"/tickets/{ticket.pk}/proposals").json()
    assert (shown["state"], shown["answer"]) == ("accepted", "All are cut off.")
    assert Notice.objects.get(kind="major_accepted", channel="desk").agent == cast.lena
    kinds = Entry.objects.of(ticket.pk).values_list("kind", flat=True)
    assert {"major_proposed", "proposal_answered", "major_declared"} <= set(kinds)


@pytest.mark.parametrize("how", ["resolved", "linked"])
def test_it_lapses_when_it_is_over_or_follows_another(
    cast: Cast, lena: Program, lou: Program, ticket: Ticket, doing: Doing, how: str
) -> None:
    lena.post(f"/tickets/{ticket.pk}/proposals", {"why": "Three sites are dark."})
    if how == "resolved":
        lena.post(
            f"/tickets/{ticket.pk}/resolution",
            {"version": version(ticket), "code": "fixed", "text": "It is back."},
        )
    else:
        parent = of_bob(cast, doing)
        made = declared(lou, parent).json()
        lou.post(f"/major/{made['id']}/children", {"tickets": [ticket.pk]})
    assert Proposal.objects.get().state == "lapsed"


@pytest.mark.parametrize("why", ["", "x" * 2001])
def test_a_proposal_without_a_reason_or_with_a_book_is_refused(
    lena: Program, ticket: Ticket, why: str
) -> None:
    assert lena.post(f"/tickets/{ticket.pk}/proposals", {"why": why}).status_code == 422
    assert not Proposal.objects.exists()


def test_whoever_may_declare_it_does(lou: Program, ticket: Ticket) -> None:
    refused = lou.post(f"/tickets/{ticket.pk}/proposals", {"why": "I think so."})
    assert refused.json()["error"]["message"] == "You may declare it yourself; declare it."


def test_two_who_propose_at_once_are_one_proposal(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    """The database refuses the second, whoever looked first."""

    def row() -> Proposal:
        return Proposal.objects.create(
            client=cast.acme, ticket=ticket, why="x", proposed_by=cast.lena, proposed_at=clock.now()
        )

    row()
    with pytest.raises(IntegrityError), transaction.atomic():
        row()


def test_the_clocks_of_a_proposed_ticket_run_on(cast: Cast, lena: Program, ticket: Ticket) -> None:
    lena.post(f"/tickets/{ticket.pk}/proposals", {"why": "Three sites are dark."})
    now = Ticket.objects.get(pk=ticket.pk)
    assert (now.state, now.is_major, now.assignee) == ("new", False, None)
    assert now.acknowledged_at is None and clock.now() - now.created_at < timedelta(minutes=5)
