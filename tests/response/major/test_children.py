"""Tickets of one cause: they follow their major incident, hear what it says, and end or come back with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tests.response.major.conftest import Declares, Opens, fresh, now
from tests.response.major.test_declaring import told
from tests.response.paging.conftest import publish, schedule
from tierdesk.core.facts import ENGINE
from tierdesk.core.scope import only, seeing
from tierdesk.core.wakeups import run_due
from tierdesk.response.major.carry import carry_due
from tierdesk.response.major.children import release, similar_to
from tierdesk.response.major.models import Cascade, Child, MajorIncident
from tierdesk.response.notifications.models import Notice
from tierdesk.response.paging.models import Paging
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Message, Ticket

Doing = Callable[..., Any]

M = timedelta(minutes=1)
NEWS = "The gateway is being replaced. The next word comes by eleven."


def standing(*tickets: Ticket) -> list[tuple[str, str]]:
    return [(one.state, one.majors.get().state) for one in map(now, tickets)]


def test_children_of_several_clients_wait_for_it(
    cast: Cast, declares: Declares, opens: Opens, of_bob: Opens
) -> None:
    ours, theirs = opens(), of_bob()
    incident = declares(ours, theirs)
    assert [(t.state, t.pending_reason) for t in map(now, (ours, theirs))] == [
        ("pending", "major_parent")
    ] * 2
    assert told(incident.ticket, "children_linked") == [
        {"incident": incident.pk, "children": [ours.pk, theirs.pk]}
    ]
    assert told(theirs, "major_followed") == [{"incident": incident.pk, "parent": incident.ticket_id}]
    assert list(Child.objects.values_list("client__key", flat=True)) == ["ACME", "BOR"]


def test_a_ticket_that_waits_for_something_else_waits_for_it_instead(
    cast: Cast, declares: Declares, opens: Opens, doing: Doing
) -> None:
    cast.acme_contract.pending = {"requester_info": {"every": 3600, "chasers": 1}}
    cast.acme_contract.save()
    child = opens()
    with doing(cast.lena):
        now(child).ask("Which gateway?")
    declares(child)
    assert [one["reason"] for one in told(child, "pended", "resumed")] == [
        "requester_info",
        "requester_info",
        "major_parent",
    ]
    assert child.waits.get().outcome == "over", "nobody is reminded of the question any more"


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"state": "cancelled"}, "is solved or cancelled"),
        ({"is_major": True}, "is a major incident itself"),
    ],
)
def test_one_that_cannot_follow_keeps_all_from_following(
    cast: Cast, declares: Declares, opens: Opens, doing: Doing, change: dict[str, Any], refusal: str
) -> None:
    good, bad, incident = opens(), opens(), declares()
    Ticket.objects.filter(pk=bad.pk).update(**change)
    with pytest.raises(UnableTo, match=f"Nothing was linked. {bad.reference}: {refusal}"), doing(cast.lena):
        incident.link([good.pk, bad.pk])
    assert now(good).state == "new"
    assert not Child.objects.exists()


def test_nobody_follows_two_nor_itself_nor_nothing(
    cast: Cast, declares: Declares, opens: Opens, doing: Doing
) -> None:
    child = opens()
    declares(child)
    other = declares()
    for tickets, refusal in (
        ([child.pk], "follows a major incident already"),
        ([other.ticket_id], "not its own child"),
        ([], "Choose tickets"),
    ):
        with pytest.raises(UnableTo, match=refusal), doing(cast.lena):
            other.link(tickets)


def test_a_child_is_no_major_incident(cast: Cast, declares: Declares, opens: Opens) -> None:
    child = opens()
    declares(child)
    with pytest.raises(UnableTo, match="take it out of that one first"):
        declares(ticket=child)


def test_nobody_waits_for_a_major_incident_without_a_link_to_it(
    cast: Cast, opens: Opens, doing: Doing
) -> None:
    child = opens()
    with pytest.raises(UnableTo, match="Link TD-"), doing(cast.lena):
        child.pend("major_parent")
    assert now(child).state == "new"


def test_it_is_taken_out_with_a_reason_and_works_on(
    cast: Cast, declares: Declares, opens: Opens, doing: Doing
) -> None:
    child = opens()
    declares(child)
    row = Child.objects.select_related("ticket").get()
    with pytest.raises(UnableTo, match="Say why"), doing(cast.lena):
        release(row, why=" ")
    with doing(cast.lena):
        release(row, why="It is his own cable.")
    assert standing(child) == [("open", "released")]
    with pytest.raises(UnableTo, match="any more"), doing(cast.lena):
        release(Child.objects.select_related("ticket").get(), why="Again.")


def test_whoever_takes_it_up_again_takes_it_out(
    cast: Cast, declares: Declares, opens: Opens, doing: Doing
) -> None:
    child = opens()
    declares(child)
    with doing(cast.lena):
        now(child).resume("an agent took it up again")
    assert standing(child) == [("open", "released")]


def test_open_tickets_of_the_service_or_category_are_offered_to_whoever_may_see_them(
    cast: Cast, declares: Declares, opens: Opens, of_bob: Opens
) -> None:
    parent = opens(service=cast.mail, category=cast.vpn_category)
    same, kin = opens(service=cast.mail), of_bob(category=cast.vpn_category)
    opens(subject="Printer", text="Paper jam", category=cast.printer_category)
    follows = opens(service=cast.mail)
    incident = declares(follows, ticket=parent)
    assert list(similar_to(incident.ticket, cast.lena.user)) == [kin, same]
    assert list(similar_to(incident.ticket, cast.olga.user)) == [kin]
    assert not list(similar_to(opens(text="?", subject="?"), cast.lena.user)), "nothing is known of it"


def test_the_same_words_go_to_every_contact_and_nobody_sees_another(
    cast: Cast, declares: Declares, opens: Opens, of_bob: Opens, doing: Doing
) -> None:
    ours, theirs = opens(contact=cast.arne), of_bob()
    incident = declares(ours, theirs)
    with doing(cast.tom, MONDAY_10 + 10 * M):
        fresh(incident).broadcast(NEWS, by=cast.tom)
    run_due(MONDAY_10 + 10 * M)
    said = Message.objects.filter(text=NEWS).order_by("ticket_id")
    assert [(m.by_name, m.direction, m.at) for m in said] == [
        ("Tom Tran", "outbound", MONDAY_10 + 10 * M)
    ] * 3
    assert {m.ticket_id: m.client_id for m in said} == {
        incident.ticket_id: cast.acme.pk,
        ours.pk: cast.acme.pk,
        theirs.pk: cast.borealis.pk,
    }
    mails = Notice.objects.filter(kind="reply", said__in=said).order_by("ticket_id")
    assert {mail.address for mail in mails} == {
        "ann@acme.example",
        "arne@acme.example",
        "bob@borealis.example",
    }
    (to_bob,) = (mail for mail in mails if mail.address == "bob@borealis.example")
    assert f"TD-{theirs.pk}" in to_bob.text
    assert incident.ticket.reference not in to_bob.text + to_bob.subject
    assert told(incident.ticket, "cascade_carried")[-1]["children"] == 2


@pytest.mark.parametrize(
    ("by", "text", "refusal"),
    [("tom", "  ", "Write something"), ("lena", NEWS, "Whoever has a role in it")],
)
def test_a_broadcast_is_refused(
    cast: Cast, declares: Declares, opens: Opens, doing: Doing, by: str, text: str, refusal: str
) -> None:
    incident, agent = declares(opens()), getattr(cast, by)
    with pytest.raises(UnableTo, match=refusal), doing(agent):
        incident.broadcast(text, by=agent)
    assert not Cascade.objects.exists()


def test_whoever_resolves_it_need_not_see_every_child_s_client(
    cast: Cast, declares: Declares, of_bob: Opens, doing: Doing
) -> None:
    """Row-level security hides the other client's child from whoever solves the parent; the engine sees it."""
    child = of_bob()
    incident = declares(child)
    with seeing(only([cast.acme.pk])):
        assert not Child.objects.exists()
        with doing(cast.tom):
            now(incident.ticket).resolve(code="fixed", text="The gateway works again.")
    run_due(MONDAY_10)
    assert standing(child) == [("resolved", "resolved")]
    assert Message.objects.get(ticket=child, direction="outbound").text == "The gateway works again."


def test_whoever_serves_the_child_s_client_alone_takes_it_up_without_seeing_the_parent(
    cast: Cast, declares: Declares, of_bob: Opens, doing: Doing
) -> None:
    child = of_bob()
    declares(child)
    with seeing(only([cast.borealis.pk])):
        assert not MajorIncident.objects.exists()
        with doing(cast.olga):
            now(child).resume("It is something else.")
    assert standing(child) == [("open", "released")]


def test_a_child_that_ends_by_itself_takes_nothing_along_and_does_not_come_back_with_the_parent(
    cast: Cast, declares: Declares, opens: Opens, doing: Doing
) -> None:
    by_itself, with_it = opens(), opens()
    incident = declares(by_itself, with_it)
    with doing(cast.lena):
        now(by_itself).resolve(code="fixed", text="A new cable.")
    with doing(cast.tom):
        now(incident.ticket).resolve(code="fixed", text="Works again.")
    run_due(MONDAY_10)
    assert standing(by_itself, with_it) == [("resolved", "ended"), ("resolved", "resolved")]
    with doing(cast.tom, MONDAY_10 + M):
        now(incident.ticket).reopen("It is back.")
    run_due(MONDAY_10 + M)
    assert standing(by_itself, with_it) == [("resolved", "ended"), ("pending", "following")]


def test_a_child_whose_own_contact_came_back_stays_out_of_it(
    cast: Cast, declares: Declares, opens: Opens, doing: Doing
) -> None:
    child = opens()
    incident = declares(child)
    with doing(cast.tom):
        now(incident.ticket).resolve(code="fixed", text="Works again.")
    run_due(MONDAY_10)
    with doing(cast.ann, MONDAY_10 + M):
        now(child).hear("Not for me.", channel="email")
    with doing(cast.lena, MONDAY_10 + 2 * M):
        now(child).resolve(code="fixed", text="Now it does.")
    with doing(cast.tom, MONDAY_10 + 3 * M):
        now(incident.ticket).reopen("It is back.")
    run_due(MONDAY_10 + 3 * M)
    assert standing(child) == [("resolved", "ended")]


def test_a_solution_of_the_parent_s_own_contact_solves_no_child(
    cast: Cast, declares: Declares, opens: Opens, doing: Doing
) -> None:
    child = opens()
    incident = declares(child)
    with doing(cast.ann):
        now(incident.ticket).resolve(code="fixed")
    run_due(MONDAY_10)
    assert standing(child) == [("pending", "following")]


def test_what_is_resolved_and_reopened_at_once_is_carried_in_order(
    cast: Cast, declares: Declares, opens: Opens, doing: Doing
) -> None:
    child = opens()
    incident = declares(child)
    with doing(cast.tom):
        now(incident.ticket).resolve(code="fixed", text="Works again.")
    with doing(cast.tom):
        now(incident.ticket).reopen("No.")
    assert carry_due(MONDAY_10) == 2
    assert carry_due(MONDAY_10) == 0
    assert standing(child) == [("pending", "following")]
    assert list(Cascade.objects.values_list("kind", "reached")) == [("resolution", 1), ("reopening", 1)]


def test_a_child_calls_nobody_and_calls_again_when_it_is_taken_out(
    cast: Cast, declares: Declares, opens: Opens, doing: Doing
) -> None:
    schedule("l1", cast.desk, cast.lena)
    publish()
    child = opens(impact=1, urgency=1)
    assert Paging.objects.standing().filter(ticket=child).exists()
    declares(child)
    assert not Paging.objects.standing().filter(ticket=child).exists()
    with doing(ENGINE):
        now(child).resume("It is something else.")
    assert Paging.objects.standing().filter(ticket=child).exists()


def _broadcast(incident: MajorIncident, by: Any) -> None:
    incident.broadcast(NEWS, by=by)


def _resolve(incident: MajorIncident, by: Any) -> None:
    now(incident.ticket).resolve(code="fixed", text=NEWS)


def _resolve_and_reopen(incident: MajorIncident, by: Any) -> None:
    _resolve(incident, by)
    now(incident.ticket).reopen("It is back.")


def _stand_down(incident: MajorIncident, by: Any) -> None:
    incident.stand_down(by=by, why="One cable.")


@pytest.mark.parametrize("verb", [_broadcast, _resolve, _resolve_and_reopen, _stand_down])
def test_what_reaches_forty_children_costs_as_many_statements_as_for_two(
    cast: Cast, declares: Declares, opens: Opens, doing: Doing, verb: Callable[..., None]
) -> None:
    counts = []
    for many in (2, 40):
        incident = declares(*(opens() for _ in range(many)))
        with doing(cast.tom):
            verb(fresh(incident), cast.tom)
        with CaptureQueriesContext(connection) as asked:
            assert carry_due(MONDAY_10)
        assert Cascade.objects.filter(incident=incident, reached=many, wake_at=None).exists()
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_forty_are_linked_with_as_many_statements_as_two(
    cast: Cast, declares: Declares, opens: Opens, doing: Doing
) -> None:
    counts = []
    for many in (2, 40):
        incident, tickets = declares(), [opens().pk for _ in range(many)]
        with doing(cast.lena), CaptureQueriesContext(connection) as asked:
            incident.link(tickets)
        counts.append(len(asked))
    assert counts[0] == counts[1]
