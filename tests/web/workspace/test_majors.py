"""The pages of major incidents: what people do there, and what nobody sees of another's clients."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.cast import Cast
from tests.response.major.conftest import Declares, Opens, declares, fresh, now, of_bob, opens
from tests.response.paging.conftest import schedule
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.core.wakeups import run_due
from tierdesk.directory.staff.models import Membership, User
from tierdesk.response.major.models import MajorIncident, Proposal, ReviewAction
from tierdesk.tickets.models import Message, Ticket
from tierdesk.web.workspace.majors import board_of

__all__ = ["declares", "of_bob", "opens"]

Doing = Callable[..., Any]


class Browser(Client):
    """Each request sees what its user may see; between requests the test sees every client again."""

    def request(self, **request: Any) -> Any:
        answer = super().request(**request)
        set_scope(EVERY_CLIENT)
        return answer


@pytest.fixture
def at_desk(cast: Cast) -> Callable[[Any], Browser]:
    def sit_down(agent: Any) -> Browser:
        browser = Browser()
        browser.force_login(agent.user)
        return browser

    return sit_down


AtDesk = Callable[[Any], Browser]


@pytest.fixture
def incident(declares: Declares) -> MajorIncident:
    return declares(at=clock.now() - timedelta(minutes=10))


def body(browser: Browser, page: str) -> str:
    answer = browser.get(page)
    assert answer.status_code == 200, page
    return answer.content.decode()


def test_a_lead_declares_it_on_the_ticket_s_page(cast: Cast, opens: Opens, at_desk: AtDesk) -> None:
    ticket, browser = opens(), at_desk(cast.lou)
    page = f"/tickets/{ticket.pk}/major/"
    assert "Declare a major incident" in body(browser, page)
    answer = browser.post(page, {"why": "All are cut off.", "manager": cast.tom.pk, "every": "30"})
    made = MajorIncident.objects.get()
    assert answer.headers["Location"] == f"/major/{made.pk}/"
    assert (made.every_min, made.holders()) == (30, {"manager": cast.tom})
    board = body(browser, f"/major/{made.pk}/")
    assert "All are cut off." in board
    assert "This is a major incident" in body(browser, f"/tickets/{ticket.pk}/")
    assert "Major incident" in body(browser, "/queues/all/")


def test_whoever_may_not_is_told_whom_to_ask(cast: Cast, opens: Opens, at_desk: AtDesk) -> None:
    ticket, browser = opens(), at_desk(cast.lena)
    page = f"/tickets/{ticket.pk}/major/"
    Membership.objects.create(agent=cast.tom, team=cast.desk)
    schedule("l1", cast.desk, cast.tom)
    assert "Those who may: Lou Lead, Tom Tran</p>" in " ".join(body(browser, page).split())
    assert (
        "declared by a manager"
        in browser.post(page, {"why": "All.", "every": "30", "manager": "0"}).content.decode()
    )
    assert not MajorIncident.objects.exists()


def test_a_declaration_that_is_refused_keeps_what_was_written(
    cast: Cast, opens: Opens, at_desk: AtDesk
) -> None:
    ticket, browser = opens(), at_desk(cast.lou)
    said = {"why": "All are cut off.", "every": "2", "manager": "0"}
    answer = browser.post(f"/tickets/{ticket.pk}/major/", said)
    assert "All are cut off." in answer.content.decode()
    stale = browser.post(
        f"/tickets/{ticket.pk}/major/", said | {"every": "30", "version": ticket.version + 7}
    )
    assert "changed by somebody else" in stale.content.decode()
    assert not MajorIncident.objects.exists()


def test_a_ticket_follows_from_its_own_page(
    cast: Cast, opens: Opens, incident: MajorIncident, at_desk: AtDesk
) -> None:
    child, browser = opens(), at_desk(cast.lena)
    assert "The gateway is down" in body(browser, f"/tickets/{child.pk}/major/")
    browser.post(f"/tickets/{child.pk}/major/parent/", {"incident": incident.pk})
    assert now(child).pending_reason == "major_parent"
    assert "It follows the major incident" in body(browser, f"/tickets/{child.pk}/")


@pytest.mark.parametrize(
    ("numbers", "linked"),
    [
        ("{a}, td-{b}", 2),
        ("{a};{b}\n{a}", 2),
        ("{a} 999999", 0),
        ("{a} gateway", 0),
        ("", 0),
    ],
)
def test_tickets_are_linked_by_their_numbers(
    cast: Cast, opens: Opens, incident: MajorIncident, at_desk: AtDesk, numbers: str, linked: int
) -> None:
    a, b = opens(), opens()
    typed = numbers.format(a=a.pk, b=b.pk)
    at_desk(cast.lena).post(f"/major/{incident.pk}/children/", {"numbers": typed})
    assert incident.children.count() == linked


def test_similar_tickets_are_offered_linked_and_taken_out_again(
    cast: Cast, opens: Opens, of_bob: Opens, declares: Declares, at_desk: AtDesk
) -> None:
    parent = opens(service=cast.mail)
    incident, browser = declares(ticket=parent), at_desk(cast.lena)
    ours, theirs = opens(service=cast.mail), of_bob(service=cast.mail)
    board = f"/major/{incident.pk}/"
    assert f'value="{theirs.reference}"' in body(browser, board)
    browser.post(board + "children/", {"tickets": [ours.reference, theirs.reference]})
    assert incident.children.following().count() == 2
    first = incident.children.get(ticket=ours)
    browser.post(board + "children/release/", {"children": [first.pk], "why": " "})
    assert incident.children.following().count() == 2, "not without a reason"
    browser.post(board + "children/release/", {"children": [first.pk], "why": "His cable."})
    assert (now(ours).state, now(theirs).state) == ("open", "pending")


def test_roles_cadence_and_broadcast_on_the_board(
    cast: Cast, opens: Opens, incident: MajorIncident, at_desk: AtDesk
) -> None:
    child, browser, board = opens(), at_desk(cast.tom), f"/major/{incident.pk}/"
    browser.post(board + "children/", {"numbers": child.reference})
    browser.post(board + "roles/communications/", {"agent": cast.lena.pk})
    browser.post(board + "roles/scribe/", {"agent": cast.kira.pk})
    browser.post(board + "roles/scribe/", {"agent": "0"})
    assert fresh(incident).holders() == {"manager": cast.tom, "communications": cast.lena}
    browser.post(board + "cadence/", {"every": "60"})
    assert fresh(incident).every_min == 60
    at_desk(cast.lena).post(board + "broadcasts/", {"text": "We replace the gateway."})
    run_due(clock.now())
    assert Message.objects.filter(text="We replace the gateway.").count() == 2
    assert "We replace the gateway." in body(browser, board)
    refused = at_desk(cast.lou).post(board + "broadcasts/", {"text": "  "})
    assert (refused.status_code, "Write something" in refused.content.decode()) == (422, True)


def test_a_review_an_action_and_the_end(
    cast: Cast, incident: MajorIncident, at_desk: AtDesk, doing: Doing
) -> None:
    browser, board = at_desk(cast.tom), f"/major/{incident.pk}/"
    with doing(cast.tom, clock.now()):
        now(incident.ticket).resolve(code="fixed", text="Works again.")
    browser.post(board + "closing/")
    assert now(incident.ticket).state == "resolved"
    assert browser.post(board + "review/", {"review": " "}).status_code == 422
    browser.post(board + "review/", {"review": "A power supply failed."})
    day = (clock.now() + timedelta(days=3)).date().isoformat()
    browser.post(board + "actions/", {"what": "A second one", "owner": cast.kira.pk, "due": "soon"})
    browser.post(board + "actions/", {"what": "A second one", "owner": cast.kira.pk, "due": day})
    action = ReviewAction.objects.get()
    assert "A second one" in body(browser, "/major/")
    at_desk(cast.kira).post(f"{board}actions/{action.pk}/done/")
    assert not ReviewAction.objects.open().exists()
    browser.post(board + "closing/")
    assert now(incident.ticket).state == "closed"
    shown = body(browser, board)
    assert "A power supply failed." in shown and "Was a major incident" in shown
    assert "closed after its review" in body(browser, "/major/")


def test_a_waived_review_and_a_standing_down(
    cast: Cast, declares: Declares, incident: MajorIncident, at_desk: AtDesk, doing: Doing
) -> None:
    browser = at_desk(cast.lou)
    with doing(cast.tom, clock.now()):
        now(incident.ticket).resolve(code="fixed", text="Works again.")
    browser.post(f"/major/{incident.pk}/review/", {"waive": "1", "why": "As last week."})
    assert fresh(incident).waived == "As last week."
    other = declares(at=clock.now())
    browser.post(f"/major/{other.pk}/standing-down/", {"why": "One cable."})
    assert not now(other.ticket).is_major
    assert "stood down" in body(browser, "/major/")


POSTS = [
    "roles/scribe/",
    "broadcasts/",
    "cadence/",
    "children/",
    "children/release/",
    "standing-down/",
    "review/",
    "actions/",
    "closing/",
]


def test_an_outsider_finds_nothing_and_changes_nothing(
    cast: Cast, incident: MajorIncident, at_desk: AtDesk
) -> None:
    """Olga serves Borealis alone; the major incident is Acme's."""
    browser, ticket = at_desk(cast.olga), incident.ticket_id
    for page in (f"/major/{incident.pk}/", f"/tickets/{ticket}/major/"):
        assert browser.get(page).status_code == 404, page
    owner = {"owner": cast.olga.pk, "agent": cast.olga.pk}
    for page in POSTS:
        assert browser.post(f"/major/{incident.pk}/{page}", owner).status_code == 404, page
    listed = body(browser, "/major/")
    assert "The gateway is down" not in listed and "Acme" not in listed
    assert fresh(incident).holders() == {"manager": cast.tom}


@pytest.mark.parametrize("page", ["", *POSTS])
def test_a_contact_is_shown_to_the_portal_even_of_their_own(
    cast: Cast, incident: MajorIncident, page: str
) -> None:
    browser = Browser()
    browser.force_login(cast.ann.user)
    answer = browser.post(f"/major/{incident.pk}/{page}")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/portal/")


def test_whoever_serves_the_child_s_client_alone_sees_that_it_follows_and_nothing_of_the_parent(
    cast: Cast, declares: Declares, of_bob: Opens, at_desk: AtDesk
) -> None:
    child = of_bob()
    incident = declares(child, at=clock.now())
    shown = body(at_desk(cast.olga), f"/tickets/{child.pk}/")
    assert "It follows a major incident" in shown
    for secret in (incident.ticket.subject, "Acme", incident.why, f"/major/{incident.pk}/"):
        assert secret not in shown, secret


def test_whoever_serves_the_parent_s_client_alone_sees_no_other_client_s_child(
    cast: Cast, declares: Declares, of_bob: Opens, at_desk: AtDesk
) -> None:
    cast.northern.clients.set([cast.acme])
    child = of_bob(subject="Only Bob's words")
    incident = declares(child, at=clock.now())
    shown = body(at_desk(cast.olga), f"/major/{incident.pk}/")
    assert "Only Bob" not in shown and "Borealis" not in shown


def test_a_contact_sees_on_a_child_the_broadcasts_and_nothing_else_of_it(
    cast: Cast, declares: Declares, of_bob: Opens, doing: Doing
) -> None:
    at, child = clock.now(), of_bob()
    incident = declares(child, at=at)
    with doing(cast.tom, at):
        fresh(incident).broadcast("We replace the gateway.", by=cast.tom)
        now(incident.ticket).note("Acme’s power supply failed.")
    run_due(at)
    browser = Browser()
    browser.force_login(cast.bob.user)
    shown = body(browser, f"/portal/tickets/{child.pk}/")
    assert "It is part of a wider disturbance that we are working on." in shown
    assert "We replace the gateway." in shown
    for secret in ("Acme", "The gateway is down", incident.why, incident.ticket.reference, "power supply"):
        assert secret not in shown, secret


def test_the_parent_s_contact_cannot_close_it(cast: Cast, incident: MajorIncident, doing: Doing) -> None:
    with doing(cast.tom, clock.now()):
        now(incident.ticket).resolve(code="fixed", text="Works again.")
    browser = Browser()
    browser.force_login(cast.ann.user)
    page = f"/portal/tickets/{incident.ticket_id}/"
    assert "Yes, solved" not in body(browser, page)
    browser.post(page + "closure/")
    assert now(incident.ticket).state == "resolved"


@pytest.mark.parametrize("page", ["/major/", "/major/{incident}/"])
def test_a_page_asks_as_much_for_many_as_for_two(
    cast: Cast, opens: Opens, declares: Declares, at_desk: AtDesk, page: str
) -> None:
    at, browser, counts = clock.now(), at_desk(cast.lou), []
    for many in (2, 12):
        incident = declares(*(opens(service=cast.mail) for _ in range(many)), at=at)
        with CaptureQueriesContext(connection) as asked:
            body(browser, page.format(incident=incident.pk))
        counts.append(len(asked))
    assert counts[1] <= counts[0], "the list has more of them, the board more children"


def test_a_ticket_without_a_major_incident_costs_no_query_more(
    cast: Cast, opens: Opens, at_desk: AtDesk
) -> None:
    ticket, browser = opens(), at_desk(cast.lena)
    with CaptureQueriesContext(connection) as asked:
        body(browser, f"/tickets/{ticket.pk}/")
    about = [one["sql"] for one in asked.captured_queries if re.search(r'(FROM|JOIN) "major_', one["sql"])]
    assert len(about) == 1, "the count beside the name of the list, together with the others"


def test_parts_of_the_board_are_fetched_by_themselves(
    cast: Cast, incident: MajorIncident, at_desk: AtDesk
) -> None:
    browser = at_desk(cast.tom)
    for part, there in (("now", "Next update"), ("course", "declared it a major incident")):
        answer = browser.get(f"/major/{incident.pk}/?part={part}", headers={"HX-Request": "true"})
        assert there in answer.content.decode()
        assert "<form" not in answer.content.decode()
    assert Ticket.objects.filter(is_major=True).count() == 1


def test_a_broadcast_that_is_sent_twice_reaches_everybody_once(
    cast: Cast, incident: MajorIncident, at_desk: AtDesk
) -> None:
    """A second click, or a colleague whose board was loaded before the first one wrote."""
    browser, board = at_desk(cast.tom), f"/major/{incident.pk}/"
    [seen] = re.findall(r'name="newest" value="(\d+)"', body(browser, board))
    said = {"text": "We replace the gateway.", "newest": seen}
    assert browser.post(board + "broadcasts/", said).status_code == 302
    again = browser.post(board + "broadcasts/", said)
    assert (again.status_code, "has gone out since" in again.content.decode()) == (422, True)
    run_due(clock.now())
    assert Message.objects.filter(text="We replace the gateway.").count() == 1
    [newer] = re.findall(r'name="newest" value="(\d+)"', again.content.decode())
    browser.post(board + "broadcasts/", {"text": "It works again.", "newest": newer})
    assert Message.objects.filter(text="It works again.").exists()


def test_whoever_does_not_serve_the_children_s_clients_is_not_told_how_many_there_are(
    cast: Cast, declares: Declares, of_bob: Opens, at_desk: AtDesk, doing: Doing
) -> None:
    cast.northern.clients.set([cast.acme])
    at = clock.now()
    incident = declares(of_bob(), of_bob(), of_bob(), at=at)
    with doing(cast.tom, at):
        fresh(incident).broadcast("We replace the gateway.", by=cast.tom)
    run_due(at)
    browser = at_desk(cast.olga)
    for page in (f"/major/{incident.pk}/", f"/tickets/{incident.ticket_id}/"):
        shown = body(browser, page)
        assert "linked tickets to it" in shown and "the broadcast reached its children" in shown
        assert not re.search(r"linked \d|children: \d|Send to \d", shown), page


def test_all_children_are_counted_and_those_that_follow_come_first(
    cast: Cast, opens: Opens, incident: MajorIncident, at_desk: AtDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tierdesk.web.workspace.majors.CHILDREN_SHOWN", 2)
    browser, board = at_desk(cast.tom), f"/major/{incident.pk}/"
    tickets = [opens() for _ in range(5)]
    browser.post(board + "children/", {"numbers": " ".join(one.reference for one in tickets)})
    gone = [incident.children.get(ticket=one).pk for one in tickets[:2]]
    browser.post(board + "children/release/", {"children": gone, "why": "Their cables."})
    shown = board_of(fresh(incident), cast.tom.user, clock.now())
    assert shown["following"] == 3
    assert [child.ticket_id for child in shown["children"]] == [tickets[2].pk, tickets[3].pk]


@pytest.mark.parametrize("day", ["0001-01-01", "1999-12-31"])
def test_a_day_that_is_over_is_refused_in_words(
    cast: Cast, incident: MajorIncident, at_desk: AtDesk, day: str
) -> None:
    User.objects.filter(pk=cast.kira.user_id).update(timezone="Asia/Tokyo")
    answer = at_desk(cast.tom).post(
        f"/major/{incident.pk}/actions/", {"what": "A second one", "owner": cast.kira.pk, "due": day}
    )
    assert answer.status_code == 302
    assert not ReviewAction.objects.exists()


def test_what_goes_to_many_is_no_book(cast: Cast, incident: MajorIncident, at_desk: AtDesk) -> None:
    answer = at_desk(cast.tom).post(f"/major/{incident.pk}/broadcasts/", {"text": "x" * 20_001})
    assert (answer.status_code, "in at most 20000 letters" in answer.content.decode()) == (422, True)
    assert not incident.cascades.exists()


def test_whoever_may_not_declare_it_proposes_it_and_hears_what_became_of_that(
    cast: Cast, opens: Opens, at_desk: AtDesk
) -> None:
    ticket, lena = opens(impact=1, urgency=1), at_desk(cast.lena)
    page = f"/tickets/{ticket.pk}/major/"
    empty = lena.post(page + "proposal/", {"why": " "})
    assert (empty.status_code, "Say why." in empty.content.decode()) == (422, True)
    lena.post(page + "proposal/", {"why": "Three sites are dark."})
    assert "Three sites are dark." in (shown := body(lena, page)) and "Propose it" not in shown
    assert "Three sites are dark." in body(lena, "/major/")
    assert "Lena Lang thinks that it is a major incident" in body(lena, f"/tickets/{ticket.pk}/")
    number = Proposal.objects.get().pk
    mine = lena.post(page + "proposal/declining/", {"proposal": number, "why": "mine"})
    assert (mine.status_code, Proposal.objects.get().state) == (422, "open")

    lou = at_desk(cast.lou)
    assert "Three sites are dark.</textarea>" in body(lou, page), "what was said stands in the form"
    refused = lou.post(page + "proposal/declining/", {"proposal": number, "why": ""})
    assert (refused.status_code, "Say why." in refused.content.decode()) == (422, True)
    lou.post(page + "proposal/declining/", {"proposal": number, "why": "One site with three names."})
    assert Proposal.objects.get().state == "declined"
    assert "One site with three names." in body(lena, "/notices/")
    assert '/major/">Look at it' not in body(lena, f"/tickets/{ticket.pk}/"), "it is answered"
    late = lou.post(page + "proposal/declining/", {"proposal": number, "why": "again"})
    assert "answered already" in late.content.decode()


def test_an_outsider_neither_proposes_nor_reads_a_proposal(
    cast: Cast, opens: Opens, at_desk: AtDesk, doing: Callable[..., Any]
) -> None:
    ticket = opens()
    with doing(cast.lena):
        made = Proposal.propose(now(ticket), by=cast.lena, why="Three sites are dark.")
    olga = at_desk(cast.olga)
    assert olga.post(f"/tickets/{ticket.pk}/major/proposal/", {"why": "x"}).status_code == 404
    path = f"/tickets/{ticket.pk}/major/proposal/declining/"
    assert olga.post(path, {"proposal": made.pk, "why": "x"}).status_code == 404
    assert "Three sites are dark." not in body(olga, "/major/")
