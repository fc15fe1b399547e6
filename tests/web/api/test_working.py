"""A program works a ticket with an agent's verbs, and learns when somebody was faster."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tests.web.api.conftest import Program
from tests.web.api.test_doors import ACTIONS
from tierdesk.core import clock
from tierdesk.core.wakeups import run_due
from tierdesk.directory.staff.models import User
from tierdesk.response.major.models import MajorIncident
from tierdesk.tickets.models import Entry, Ticket


def version(ticket: Ticket) -> int:
    return Ticket.objects.get(pk=ticket.pk).version


def test_a_program_writes_to_nobody_either(cast: Cast, lena: Program, doing: Callable[..., Any]) -> None:
    with doing(cast.lena):
        nobodys = cast.ticket(contact=None, channel="phone")
    refused = lena.post(f"/tickets/{nobodys.pk}/replies", {"text": "Hello?"})
    assert (refused.status_code, "this ticket has no contact" in refused.text) == (422, True)


def test_a_ticket_goes_its_whole_way(cast: Cast, lena: Program, ticket: Ticket) -> None:
    path = f"/tickets/{ticket.pk}"
    taken = lena.post(f"{path}/assignment", {"version": version(ticket), "agent": "me"}).json()
    assert (taken["state"], taken["assignee"]["email"]) == ("open", "lena@desk.example")
    noted = lena.post(f"{path}/notes", {"version": taken["version"], "text": "Gateway log is full."})
    assert noted.status_code == 200
    replied = lena.post(f"{path}/replies", {"text": "We are on it."}).json()
    waiting = lena.post(f"{path}/waiting", {"version": replied["version"], "reason": "vendor"}).json()
    assert (waiting["state"], waiting["pending_reason"]) == ("pending", "vendor")
    back = lena.post(f"{path}/resumption", {"version": waiting["version"], "why": "they called"}).json()
    solved = lena.post(
        f"{path}/resolution", {"version": back["version"], "code": "fixed", "text": "It works again."}
    ).json()
    assert (solved["state"], solved["resolution_code"]) == ("resolved", "fixed")
    again = lena.post(f"{path}/reopening", {"version": solved["version"], "why": "it is back"}).json()
    assert again["state"] == "open"
    kinds = [entry["kind"] for entry in lena.get(f"{path}/timeline").json()["items"]]
    for kind in ("assigned", "acknowledged", "noted", "replied", "pended", "resumed", "resolved", "reopened"):
        assert kind in kinds


def test_a_question_waits_for_its_answer(cast: Cast, lena: Program, ticket: Ticket) -> None:
    body = {"version": version(ticket), "reason": "requester_info", "question": "Which gateway?"}
    shown = lena.post(f"/tickets/{ticket.pk}/waiting", body).json()
    assert (shown["state"], shown["pending_reason"]) == ("pending", "requester_info")
    clocks = lena.get(f"/tickets/{ticket.pk}/clocks").json()
    paused = [c for c in clocks if c["state"] == "paused"]
    assert paused
    assert paused[0]["pauses"][-1]["until"] is None
    assert paused[0]["due_at"] is None


def test_waiting_for_the_contact_needs_a_question(cast: Cast, lena: Program, ticket: Ticket) -> None:
    answer = lena.post(
        f"/tickets/{ticket.pk}/waiting", {"version": version(ticket), "reason": "requester_info"}
    )
    assert answer.status_code == 422
    assert answer.json()["error"] == {
        "code": "unable",
        "message": "Ask the contact a question first: a ticket waits for an answer only to a question.",
    }


def test_a_question_without_waiting_for_the_contact_is_refused(
    cast: Cast, lena: Program, ticket: Ticket
) -> None:
    body = {"version": version(ticket), "reason": "vendor", "question": "Which gateway?"}
    assert lena.post(f"/tickets/{ticket.pk}/waiting", body).status_code == 422
    assert ticket.messages.count() == 1


def test_waiting_for_another_team_names_it_so_that_it_is_reminded(
    cast: Cast, lena: Program, ticket: Ticket
) -> None:
    body = {"version": version(ticket), "reason": "dependency_group", "team": "ops"}
    assert lena.post(f"/tickets/{ticket.pk}/waiting", body).json()["state"] == "pending"
    assert Entry.objects.of(ticket.pk).get(kind="pended").details["team"] == cast.ops.pk


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"reason": "change", "team": "nobody"}, "there is no team nobody"),
        ({"reason": "change", "team": "northern"}, "does not serve this client"),
        ({"reason": "requester_info", "question": "Which?", "team": "ops"}, "waits for no team"),
    ],
)
def test_a_team_that_cannot_be_waited_for_is_refused(
    cast: Cast, lena: Program, ticket: Ticket, body: dict[str, str], told: str
) -> None:
    answer = lena.post(f"/tickets/{ticket.pk}/waiting", {"version": version(ticket), **body})
    assert answer.status_code == 422 and told in answer.content.decode()
    assert not Entry.objects.of(ticket.pk).filter(kind="pended").exists()


@pytest.mark.parametrize("action", ACTIONS)
def test_somebody_faster_wins(cast: Cast, lena: Program, ticket: Ticket, action: str) -> None:
    seen = version(ticket)
    lena.post(f"/tickets/{ticket.pk}/assignment", {"version": seen, "agent": "me"})
    entries = ticket.entries.count()
    answer = lena.post(f"/tickets/{ticket.pk}/{action}", ACTIONS[action] | {"version": seen})
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "stale"
    assert answer.json()["ticket"] == lena.get(f"/tickets/{ticket.pk}").json()
    assert ticket.entries.count() == entries


def test_somebody_faster_during_the_call_wins_too(
    cast: Cast, lena: Program, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = Ticket.resolve

    def resolve_late(self: Ticket, **words: Any) -> None:
        Ticket.objects.filter(pk=self.pk).update(version=self.version + 1)
        resolve(self, **words)

    monkeypatch.setattr(Ticket, "resolve", resolve_late)
    answer = lena.post(f"/tickets/{ticket.pk}/resolution", {"version": version(ticket), "code": "fixed"})
    assert answer.status_code == 409
    assert Ticket.objects.get(pk=ticket.pk).state == "new"


def test_a_version_is_mandatory_where_the_ticket_moves(cast: Cast, lena: Program, ticket: Ticket) -> None:
    answer = lena.post(f"/tickets/{ticket.pk}/resolution", {"code": "fixed"})
    assert answer.status_code == 422
    assert answer.json()["error"]["message"] == "version: Field required"


@pytest.mark.parametrize("action", ACTIONS)
def test_an_unknown_field_is_named(cast: Cast, lena: Program, ticket: Ticket, action: str) -> None:
    answer = lena.post(f"/tickets/{ticket.pk}/{action}", ACTIONS[action] | {"versoin": 1})
    assert answer.status_code == 422
    assert answer.json()["error"]["message"] == "versoin: there is no such field"


@pytest.mark.parametrize(
    ("action", "body", "words"),
    [
        ("resolution", {"code": "magic"}, "code: Input should be"),
        ("waiting", {"reason": "lunch"}, "reason: Input should be"),
        (
            "waiting",
            {"reason": "vendor", "until": "2026-06-01T10:00:00"},
            "until: Input should have timezone",
        ),
        ("waiting", {"reason": "vendor", "until": "9999-12-31T23:00:00-05:00"}, "until: the year must lie"),
        ("waiting", {"reason": "vendor", "until": "2020-01-01T00:00:00Z"}, "Choose a time in the future"),
        ("assignment", {"agent": "nobody@desk.example"}, "agent: no agent of Acme GmbH has this address"),
        ("assignment", {"agent": "olga@desk.example"}, "agent: no agent of Acme GmbH has this address"),
        ("replies", {"text": " "}, "Write something before you send the reply."),
        ("reopening", {"why": "x"}, "its reopen window is over"),
        ("resumption", {"why": "x"}, "it does not wait for anything"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_sentence(
    cast: Cast, lena: Program, ticket: Ticket, action: str, body: dict[str, Any], words: str
) -> None:
    answer = lena.post(f"/tickets/{ticket.pk}/{action}", {"version": version(ticket)} | body)
    assert answer.status_code == 422
    assert words in answer.json()["error"]["message"]


def test_a_ticket_is_given_to_a_colleague_and_put_back(cast: Cast, lena: Program, ticket: Ticket) -> None:
    path = f"/tickets/{ticket.pk}/assignment"
    given = lena.post(path, {"version": version(ticket), "agent": "Tom@desk.example"}).json()
    assert given["assignee"]["name"] == "Tom Tran"
    back = lena.post(path, {"version": given["version"], "agent": None}).json()
    assert back["assignee"] is None


def test_lists_are_filtered(cast: Cast, lena: Program, doing: Callable[..., Any]) -> None:
    now = clock.now()
    with doing(cast.lena, now - timedelta(days=2)):
        old = cast.ticket(subject="An old one")
    with doing(cast.lena, now):
        mine = cast.ticket(subject="Mine")
        theirs = cast.ticket(subject="Theirs", client=cast.borealis, contact=cast.bob)
    with doing(cast.lena, now):
        Ticket.objects.get(pk=mine.pk).take(cast.lena)
    found = {
        query: {t["id"] for t in lena.get(f"/tickets?{query}").json()["items"]}
        for query in (
            "state=open",
            "client=BOR",
            "assignee=me",
            "assignee=nobody",
            "assignee=lena@desk.example",
            "team=ops",
            "team=desk",
            "priority=1",
            f"updated_since={(now - timedelta(hours=1)).isoformat().replace('+00:00', 'Z')}",
        )
    }
    assert list(found.values()) == [
        {mine.pk},
        {theirs.pk},
        {mine.pk},
        {old.pk, theirs.pk},
        {mine.pk},
        set(),
        {old.pk, mine.pk, theirs.pk},
        set(),
        {mine.pk, theirs.pk},
    ]


def test_words_alone_count_as_an_update(cast: Cast, lena: Program, doing: Callable[..., Any]) -> None:
    now = clock.now()
    with doing(cast.lena, now - timedelta(days=2)):
        old = cast.ticket()
    with doing(cast.ann, now):
        Ticket.objects.get(pk=old.pk).hear("Any news?", channel="email")
    since = (now - timedelta(minutes=1)).isoformat().replace("+00:00", "Z")
    assert [t["id"] for t in lena.get(f"/tickets?updated_since={since}").json()["items"]] == [old.pk]


def test_pages_follow_one_another(cast: Cast, lena: Program, doing: Callable[..., Any]) -> None:
    with doing(cast.lena, clock.now()):
        made = [cast.ticket(subject=f"Number {n}").pk for n in range(5)]
    seen, cursor, pages = [], "", 0
    while True:
        page = lena.get(f"/tickets?limit=2{cursor}").json()
        seen += [t["id"] for t in page["items"]]
        pages += 1
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert (seen, pages) == (made[::-1], 3)


def test_a_timeline_is_read_in_pages(cast: Cast, lena: Program, ticket: Ticket) -> None:
    whole = [e["id"] for e in lena.get(f"/tickets/{ticket.pk}/timeline").json()["items"]]
    first = lena.get(f"/tickets/{ticket.pk}/timeline?limit=1").json()
    rest = lena.get(f"/tickets/{ticket.pk}/timeline?cursor={first['next']}").json()
    assert [e["id"] for e in first["items"] + rest["items"]] == whole
    assert len(whole) > 1


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("stat=open", "stat: there is no such field"),
        ("state=odd", "state: Input should be"),
        ("limit=0", "limit: Input should be"),
        ("limit=201", "limit: Input should be"),
        ("cursor=99999999999999999999", "cursor: Input should be"),
        ("client=%00", "client: a NUL character cannot be kept"),
        ("updated_since=yesterday", "updated_since: Input should be"),
    ],
)
def test_an_unknown_filter_is_refused(cast: Cast, lena: Program, query: str, message: str) -> None:
    answer = lena.get(f"/tickets?{query}")
    assert answer.status_code == 422
    assert answer.json()["error"]["message"].startswith(message)


def test_a_list_costs_the_same_however_long(
    cast: Cast, lena: Program, doing: Callable[..., Any], django_assert_max_num_queries: Any
) -> None:
    with doing(cast.lena, clock.now()):
        for n in range(10):
            cast.ticket(subject=f"Number {n}")
    lena.get("/tickets")
    with django_assert_max_num_queries(8):
        assert len(lena.get("/tickets").json()["items"]) == 10


def test_the_report_has_its_figures_and_what_they_mean(
    cast: Cast, program: Callable[[User], Program], ticket: Ticket
) -> None:
    shown = program(cast.lou.user).get("/report?days=7").json()
    assert shown["total"]["open"] == shown["tiers"]["L1"]["open"] == 1
    assert [(c["name"], c["figures"]["open"]) for c in shown["clients"]] == [("Acme GmbH", 1)]
    assert "open" in shown["definitions"]


def test_the_report_covers_at_most_a_year(cast: Cast, program: Callable[[User], Program]) -> None:
    lou = program(cast.lou.user)
    assert lou.get("/report?days=367").status_code == 422
    assert lou.get("/report?days=366").status_code == 200


def test_the_children_of_other_clients_are_not_named_on_the_parent(
    cast: Cast, program: Callable[..., Any], doing: Callable[..., Any]
) -> None:
    """Olga serves Acme alone here; Bob of Borealis is hit by the same cause."""
    cast.northern.clients.set([cast.acme])
    with doing(cast.ann):
        parent, ours = cast.ticket(), cast.ticket()
    with doing(cast.bob):
        theirs = cast.ticket(client=cast.borealis, contact=cast.bob)
    with doing(cast.lou):
        incident = MajorIncident.declare(parent, by=cast.lou, why="All are cut off.", manager=cast.lou)
    with doing(cast.lou):
        incident.link([ours.pk, theirs.pk])
        incident.broadcast("We replace the gateway.", by=cast.lou)
    run_due(MONDAY_10)

    def told(agent: Any) -> dict[str, Any]:
        lines = program(agent.user).get(f"/tickets/{parent.pk}/timeline").json()["items"]
        return {line["kind"]: line["details"].get("children") for line in lines}

    assert told(cast.olga)["children_linked"] == [ours.pk]
    assert told(cast.olga)["cascade_carried"] is None
    assert told(cast.lena)["children_linked"] == [ours.pk, theirs.pk]


def test_a_date_is_promised_moved_and_taken_back(cast: Cast, lena: Program, ticket: Ticket) -> None:
    path, noon = f"/tickets/{ticket.pk}/promised-date", "2026-06-10T10:00:00Z"

    def send(to: str = path, **body: Any) -> Any:
        with clock.frozen(MONDAY_10):
            return lena.post(to, {"version": version(ticket), "why": "told Ann on the phone", **body})

    assert send(at=noon).status_code == 200
    night = send(at="2026-06-10T20:00:00Z")
    assert (night.status_code, night.json()["error"]["message"]) == (
        422,
        "at: nobody works then; it would count at the next opening, 2026-06-11T07:00:00+00:00",
    )
    assert send(at="2026-06-01T10:00:00Z").status_code == 422
    (one,) = [c for c in lena.get(f"/tickets/{ticket.pk}/clocks").json() if c["metric"] == "date"]
    assert one["due_at"] == noon
    assert send(at="2026-06-10T20:00:00Z", next_opening=True).status_code == 200
    (one,) = [c for c in lena.get(f"/tickets/{ticket.pk}/clocks").json() if c["metric"] == "date"]
    assert one["due_at"] == "2026-06-11T07:00:00Z"
    assert send(f"{path}/taking-back").status_code == 200
    (one,) = [c for c in lena.get(f"/tickets/{ticket.pk}/clocks").json() if c["metric"] == "date"]
    assert one["state"] == "cancelled"


def test_a_ticket_goes_to_the_client_whose_it_is(cast: Cast, lena: Program, ticket: Ticket) -> None:
    def send(**body: Any) -> Any:
        words = {"version": version(ticket), "client": "BOR", "why": "Bob works there", **body}
        return lena.post(f"/tickets/{ticket.pk}/client", words)

    for wrong, message in (
        ({"client": "NOBODY"}, "client: there is no such client that you serve"),
        ({"contact": "ann@acme.example"}, "contact: Borealis Inc. has nobody with this address"),
        ({"client": "ACME"}, f"{ticket.reference} belongs to Acme GmbH already."),
    ):
        refused = send(**wrong)
        assert (refused.status_code, refused.json()["error"]["message"]) == (422, message)
    moved = send(contact="bob@borealis.example").json()
    assert (moved["client"], moved["contact"]["name"], moved["service"]) == ("BOR", "Bob Byrne", None)
