"""A team that pushes: the desk gives its tickets to somebody, once, and says why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tests.response.assignment.conftest import agent, now
from tests.response.tiers.conftest import PACK
from tierdesk.core.wakeups import Wakeup, run_due
from tierdesk.directory.staff.models import Agent
from tierdesk.response.assignment.models import Offer, give_away, go_out
from tierdesk.response.tiers.models import Escalation
from tierdesk.tickets.models import Entry, Ticket

HOUR = timedelta(hours=1)

type Opened = Callable[..., list[Ticket]]
type Pushes = Callable[..., None]


def reasons(ticket: Ticket, kind: str = "assigned") -> list[str]:
    entries = Entry.objects.filter(ticket=ticket, kind=kind).order_by("id")
    return [entry.details["why"] for entry in entries]


def test_a_team_that_says_nothing_pulls(cast: Cast, opened: Opened) -> None:
    [ticket] = opened()
    assert ticket.assignee is None
    assert not Offer.objects.exists()


def test_a_new_ticket_is_given_to_somebody_who_is_told_and_has_not_taken_it_yet(
    cast: Cast, mia: Agent, opened: Opened, pushes: Pushes
) -> None:
    pushes()
    cast.vpn_category.needs = {"platform": "vpn", "level": 2}
    cast.vpn_category.save()
    [ticket] = opened()
    assert ticket.assignee == mia
    assert (ticket.state, ticket.acknowledged_at) == ("new", None)
    assert reasons(ticket) == ["vpn 3, holds 0 of 8 tickets"]
    [entry] = Entry.objects.filter(ticket=ticket, kind="assigned")
    assert entry.by_kind == "engine"
    assert entry.details["others"] == [["Lena Lang", "no vpn"], ["Lou Lead", "no vpn"]]
    assert [notice.kind for notice in mia.notices.all()] == ["assigned"]
    assert not Offer.objects.exists()


def test_the_language_of_the_contact_is_spoken(
    cast: Cast, mia: Agent, opened: Opened, pushes: Pushes
) -> None:
    pushes()
    cast.ann.language = "de-AT"
    cast.ann.save()
    [ticket] = opened()
    assert ticket.assignee == mia
    assert reasons(ticket) == ["speaks German, holds 0 of 8 tickets"]


def test_in_turn_three_people_get_ten_tickets(cast: Cast, mia: Agent, opened: Opened, pushes: Pushes) -> None:
    pushes("round_robin")
    counts = Counter(ticket.assignee_id for ticket in [*opened(4), *opened(3, at=MONDAY_10 + HOUR)])
    assert sorted(counts.values()) == [2, 2, 3]
    counts.update(ticket.assignee_id for ticket in opened(3, at=MONDAY_10 + 2 * HOUR))
    assert sorted(counts.values()) == [3, 3, 4]


def test_who_is_full_or_away_gets_nothing_and_the_timeline_says_so_once(
    cast: Cast, opened: Opened, pushes: Pushes, doing: Callable[..., Any]
) -> None:
    pushes(capacity=1)
    cast.lou.go_away()
    first, second = opened(2)
    assert (first.assignee, second.assignee) == (cast.lena, None)
    assert reasons(second, "nobody_chosen") == ["nobody has room"]
    with doing(cast.lena, MONDAY_10 + HOUR):
        first.pend("evidence")
    run_due(MONDAY_10 + HOUR)
    assert now([second])[0].assignee == cast.lena
    assert len(reasons(second, "nobody_chosen")) == 1


def test_who_comes_back_by_themselves_is_given_what_waited(
    cast: Cast, opened: Opened, pushes: Pushes, live_until: Callable[..., None]
) -> None:
    pushes()
    cast.lou.go_away()
    cast.lena.go_away(until=MONDAY_10 + 3 * HOUR)
    [ticket] = opened()
    assert (ticket.assignee, reasons(ticket, "nobody_chosen")) == (None, ["everybody is away"])
    live_until(MONDAY_10 + 4 * HOUR)
    assert now([ticket])[0].assignee == cast.lena
    assert not Agent.objects.get(pk=cast.lena.pk).is_away


def test_who_goes_away_leaves_what_they_have_not_seen_to_others(
    cast: Cast, opened: Opened, pushes: Pushes, doing: Callable[..., Any]
) -> None:
    pushes("round_robin")
    tickets = opened(4)
    seen, unseen = [ticket for ticket in tickets if ticket.assignee == cast.lena]
    with doing(cast.lena, MONDAY_10 + HOUR):
        seen.acknowledge()
    with doing(cast.lena, MONDAY_10 + HOUR):
        go_out(cast.lena, until=None)
    run_due(MONDAY_10 + HOUR)
    assert [ticket.assignee for ticket in now([seen, unseen])] == [cast.lena, cast.lou]


def test_what_somebody_puts_back_is_not_given_to_them_again(
    cast: Cast, opened: Opened, pushes: Pushes, doing: Callable[..., Any]
) -> None:
    pushes()
    [ticket] = opened()
    former = ticket.assignee
    assert former is not None
    with doing(former, MONDAY_10 + HOUR):
        ticket.assign(None)
    run_due(MONDAY_10 + HOUR)
    assert {former, now([ticket])[0].assignee} == {cast.lena, cast.lou}


def test_who_takes_it_first_has_it(
    cast: Cast, pushes: Pushes, doing: Callable[..., Any], live_until: Callable[..., None]
) -> None:
    pushes()
    with doing(cast.lou):
        ticket = cast.ticket()
    with doing(cast.lou):
        ticket.take(cast.lou)
    assert not Offer.objects.exists()
    live_until(MONDAY_10 + HOUR)
    assert now([ticket])[0].assignee == cast.lou


def test_what_is_escalated_is_given_to_somebody_who_still_has_to_accept_it(
    cast: Cast, opened: Opened, pushes: Pushes, doing: Callable[..., Any]
) -> None:
    pushes(team=cast.ops)
    [ticket] = opened()
    with doing(cast.lena):
        escalation = Escalation.send(ticket, cast.ops, by=cast.lena, reason="skill", pack=PACK)
    run_due(MONDAY_10 + HOUR)
    assert now([ticket])[0].assignee == cast.tom
    escalation.refresh_from_db()
    assert escalation.state == "sent"
    assert {clock.state for clock in ticket.clocks.filter(metric="accept")} == {"running"}


def test_what_comes_back_to_nobody_is_given_to_somebody(
    cast: Cast, mia: Agent, pushes: Pushes, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena):
        ticket = cast.ticket()
        ticket.take(cast.lena)
    with doing(cast.lena):
        escalation = Escalation.send(ticket, cast.ops, by=cast.lena, reason="skill", pack=PACK)
    pushes()
    cast.lena.go_away()
    cast.lou.go_away()
    escalation = Escalation.objects.select_related("from_agent", "sent_by").get(pk=escalation.pk)
    with doing(cast.tom, MONDAY_10 + HOUR):
        escalation.send_back(cast.tom, reason="missing_info", note="Which host?")
    run_due(MONDAY_10 + HOUR)
    assert now([ticket])[0].assignee == mia


def test_what_is_reopened_while_its_owner_is_away_goes_to_somebody_else(
    cast: Cast, opened: Opened, pushes: Pushes, doing: Callable[..., Any]
) -> None:
    pushes()
    [ticket] = opened()
    owner = ticket.assignee
    assert owner is not None
    with doing(owner, MONDAY_10 + HOUR):
        ticket.resolve(code="fixed")
    owner.go_away()
    again = Ticket.objects.get(pk=ticket.pk)
    with doing(cast.ann, MONDAY_10 + 2 * HOUR):
        again.reopen("still broken")
    run_due(MONDAY_10 + 2 * HOUR)
    assert {owner, now([ticket])[0].assignee} == {cast.lena, cast.lou}


def test_a_storm_costs_as_many_statements_as_one_ticket(
    cast: Cast, pushes: Pushes, doing: Callable[..., Any]
) -> None:
    agent("Nia Noll", cast.desk)
    pushes(capacity=1000)
    counted = []
    for hours, many in ((0, 2), (1, 60)):
        at = MONDAY_10 + hours * HOUR
        with doing(cast.lou, at):
            Ticket.open_many([cast.draft() for _ in range(many)])
        with CaptureQueriesContext(connection) as queries:
            assert give_due_away(at) == many
        counted.append(len(queries))
    assert counted[0] == counted[1]
    assert not Ticket.objects.unassigned().exists()


def test_opening_for_a_team_that_pulls_asks_nothing_more(
    cast: Cast, pushes: Pushes, doing: Callable[..., Any]
) -> None:
    """One statement more where the team pushes, none where it does not."""
    counted = []
    for by in ("pull", "skill"):
        pushes(by)
        with CaptureQueriesContext(connection) as queries, doing(cast.lou):
            Ticket.open_many([cast.draft() for _ in range(5)])
        counted.append([q["sql"] for q in queries if "assignment_offer" in q["sql"]])
    assert [len(statements) for statements in counted] == [0, 1]


def give_due_away(at: datetime, *, batch: int = 500) -> int:
    """What an engine does with the offers that are due; how many there were."""
    return Wakeup(Offer, give_away, batch=batch).run(at)
