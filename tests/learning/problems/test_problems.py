"""The cause behind incidents is a record of its own, and its incidents go on beside it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.cast import Cast
from tierdesk.core.scope import only, seeing
from tierdesk.learning.problems.models import NEXT, Finding, Occurrence, Problem, ProblemState
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Entry, Ticket
from tierdesk.tickets.resettling import move_to_client

type Doing = Callable[..., Any]

H = timedelta(hours=1)


@pytest.fixture
def ticket(cast: Cast, doing: Doing, at: datetime) -> Ticket:
    with doing(cast.lena, at):
        return cast.ticket()


@pytest.fixture
def problem(cast: Cast, ticket: Ticket, doing: Doing, at: datetime) -> Problem:
    with doing(cast.kira, at + H):
        return Problem.open_for(ticket, title="The gateway drops tunnels", why="third time", by=cast.kira)


def step(cast: Cast, doing: Doing, at: datetime, problem: Problem, *states: str, **more: str) -> None:
    for state in states:
        with doing(cast.kira, at):
            problem.move(state, note=f"it is {state} now", **more)


def told(ticket: Ticket, kind: str) -> list[dict[str, Any]]:
    return [entry.details for entry in Entry.objects.of(ticket.pk).filter(kind=kind)]


def test_it_is_opened_with_its_first_incident_and_says_why(
    cast: Cast, ticket: Ticket, problem: Problem
) -> None:
    assert (problem.client, problem.state, problem.owner) == (cast.acme, "logged", cast.kira)
    assert [one.ticket for one in problem.occurrences.all()] == [ticket]
    assert [(one.by_name, one.state, one.text) for one in problem.findings.all()] == [
        ("Kira Koch", "logged", "third time")
    ]
    (entry,) = told(ticket, "problem_linked")
    assert (entry["problem"], entry["title"]) == (problem.pk, "The gateway drops tunnels")


@pytest.mark.parametrize("state", ProblemState.values)
def test_it_goes_only_where_it_may(
    cast: Cast, problem: Problem, doing: Doing, at: datetime, state: str
) -> None:
    ways = {
        "logged": (),
        "assess": ("assess",),
        "rca": ("assess", "rca"),
        "known_error": ("assess", "known_error"),
        "fix_in_progress": ("assess", "rca", "fix_in_progress"),
        "resolved": ("assess", "rca", "fix_in_progress", "resolved"),
        "closed": (),
    }
    step(cast, doing, at, problem, *ways[state], workaround="restart it")
    if state == "closed":
        with doing(cast.kira, at):
            problem.close("risk_accepted", note="it is replaced in July")
    assert problem.state == state
    for wrong in set(ProblemState.values) - set(NEXT[state]):
        with pytest.raises(UnableTo, match="does not follow"), doing(cast.kira, at):
            problem.move(wrong, note="a try", workaround="restart it")
    assert Problem.objects.get().state == state


def test_a_known_error_has_a_workaround_which_the_incidents_that_go_on_are_told(
    cast: Cast, ticket: Ticket, problem: Problem, doing: Doing, at: datetime
) -> None:
    with doing(cast.lena, at):
        solved, going = cast.ticket(), cast.ticket()
    with doing(cast.kira, at + H):
        problem.link(solved, why="same log")
        problem.link(going, why="same log")
    with doing(cast.lena, at + H):
        solved.resolve(code="workaround")
    step(cast, doing, at + H, problem, "assess")
    with pytest.raises(UnableTo, match="has a workaround"), doing(cast.kira, at + H):
        problem.move("known_error", note="it is the firmware")
    step(
        cast, doing, at + H, problem, "known_error", workaround="Restart the gateway.", cause="Firmware 7.4.1"
    )
    assert problem.cause == "Firmware 7.4.1"
    for one in (ticket, going):
        assert told(one, "workaround_known") == [
            {"problem": problem.pk, "workaround": "Restart the gateway."}
        ]
    assert told(solved, "workaround_known") == []
    step(cast, doing, at + H, problem, "fix_in_progress")
    assert len(told(ticket, "workaround_withdrawn")) == 1


def test_it_is_closed_with_how_and_why_and_nothing_is_linked_to_it_any_more(
    cast: Cast, ticket: Ticket, problem: Problem, doing: Doing, at: datetime
) -> None:
    with doing(cast.kira, at + H):
        problem.close("fix_applied", note="firmware 7.4.2 is in")
    assert (problem.closed_as, problem.closed_at) == ("fix_applied", at + H)
    with doing(cast.lena, at):
        again = cast.ticket()
    for refused, what in (
        ("open another problem", lambda: problem.link(again, why="it is back")),
        ("closed already", lambda: problem.close("cancelled", note="a try")),
        ("is closed", lambda: problem.take(cast.tom)),
    ):
        with pytest.raises(UnableTo, match=refused), doing(cast.kira, at + 2 * H):
            what()


@pytest.mark.parametrize(
    ("verb", "refusal"),
    [
        (lambda p, t: Problem.open_for(t, title=" ", why="x", by=p.owner), "a title"),
        (lambda p, t: Problem.open_for(t, title="x", why=" ", by=p.owner), "Say why"),
        (lambda p, t: p.link(t, why="again"), "linked to PR-"),
        (lambda p, t: p.move("assess", note=" "), "found or done"),
        (lambda p, t: p.close("lost", note="x"), "no way to close"),
        (lambda p, t: p.close("cancelled", note=" "), "nothing more"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    cast: Cast,
    ticket: Ticket,
    problem: Problem,
    doing: Doing,
    at: datetime,
    verb: Callable[[Problem, Ticket], object],
    refusal: str,
) -> None:
    before = (Problem.objects.count(), Finding.objects.count(), Occurrence.objects.count())
    with pytest.raises(UnableTo, match=refusal), doing(cast.kira, at + H):
        verb(problem, ticket)
    assert (Problem.objects.count(), Finding.objects.count(), Occurrence.objects.count()) == before


def test_the_slower_of_two_is_told(cast: Cast, problem: Problem, doing: Doing, at: datetime) -> None:
    stale = Problem.objects.get(pk=problem.pk)
    step(cast, doing, at, problem, "assess")
    with pytest.raises(UnableTo, match="changed by somebody else"), doing(cast.tom, at):
        stale.move("assess", note="me too")
    assert Finding.objects.count() == 2


def test_it_is_one_client_s_under_both_locks(
    cast: Cast, ticket: Ticket, problem: Problem, doing: Doing, at: datetime
) -> None:
    with doing(cast.bob, at):
        other = cast.ticket(client=cast.borealis, contact=cast.bob)
    with pytest.raises(UnableTo, match="of one client"), doing(cast.kira, at):
        problem.link(other, why="it looks alike")
    assert not Problem.objects.visible_to(cast.olga.user).exists()
    assert not Problem.objects.visible_to(cast.ann.user).exists()
    with seeing(only([cast.borealis.pk])):
        assert (
            not Problem.objects.exists() and not Finding.objects.exists() and not Occurrence.objects.exists()
        )
    with pytest.raises(UnableTo, match="an incident of a problem"), doing(cast.lena, at):
        move_to_client(Ticket.objects.get(pk=ticket.pk), cast.borealis, by=cast.lena, why="a try")


def test_the_database_keeps_how_a_problem_ended(problem: Problem) -> None:
    for wrong in ({"state": "closed"}, {"closed_as": "cancelled"}, {"state": "known_error"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Problem.objects.filter(pk=problem.pk).update(**wrong)


# -- what was linked by mistake


def test_what_was_linked_by_mistake_is_unlinked_and_both_say_so(
    cast: Cast, ticket: Ticket, problem: Problem, doing: Doing, at: datetime
) -> None:
    with doing(cast.lena, at + 2 * H):
        problem.unlink(ticket, why="it was the cable")
    assert not problem.occurrences.exists()
    (entry,) = told(ticket, "problem_unlinked")
    assert (entry["problem"], entry["why"]) == (problem.pk, "it was the cable")
    assert problem.findings.last().text == f"{ticket.reference} is not one of its incidents: it was the cable"
    with doing(cast.lena, at + 3 * H):
        problem.link(ticket, why="it was not only the cable")
    assert [one.ticket for one in problem.occurrences.all()] == [ticket]


@pytest.mark.parametrize(
    ("linked", "why", "match"), [(True, " ", "Say why"), (False, "a slip", "is not linked")]
)
def test_it_is_not_unlinked(
    cast: Cast,
    ticket: Ticket,
    problem: Problem,
    doing: Doing,
    at: datetime,
    linked: bool,
    why: str,
    match: str,
) -> None:
    with doing(cast.lena, at):
        other = cast.ticket()
    with pytest.raises(UnableTo, match=match), doing(cast.lena, at + H):
        problem.unlink(ticket if linked else other, why=why)
    assert problem.occurrences.count() == 1
    assert not told(ticket, "problem_unlinked")


# -- tickets that wait for it


@pytest.mark.parametrize(
    ("ways", "why"),
    [
        (("assess", "known_error"), "the workaround of PR-{} is known"),
        (("assess", "rca", "fix_in_progress", "resolved"), "PR-{} is solved"),
        (("closed",), "PR-{} is closed: left as it is: the risk is accepted"),
    ],
)
def test_a_ticket_waits_for_a_problem_and_wakes_when_it_is_solved(
    cast: Cast,
    ticket: Ticket,
    problem: Problem,
    doing: Doing,
    at: datetime,
    ways: tuple[str, ...],
    why: str,
) -> None:
    with doing(cast.lena, at + H):
        problem.hold(Ticket.objects.get(pk=ticket.pk))
    (entry,) = told(ticket, "pended")
    assert (entry["reason"], entry["problem"]) == ("problem", problem.pk)
    *before, last = ways
    step(cast, doing, at + 2 * H, problem, *before)
    assert Ticket.objects.get(pk=ticket.pk).state == "pending"
    if last == "closed":
        with doing(cast.kira, at + 3 * H):
            problem.close("risk_accepted", note="it is replaced in July")
    else:
        step(cast, doing, at + 3 * H, problem, last, workaround="restart it")
    assert Ticket.objects.get(pk=ticket.pk).state == "open"
    assert told(ticket, "resumed") == [{"reason": "problem", "why": why.format(problem.pk)}]


def test_what_waits_for_something_else_by_now_is_left_alone(
    cast: Cast, ticket: Ticket, problem: Problem, doing: Doing, at: datetime
) -> None:
    with doing(cast.lena, at + H):
        problem.hold(ticket)
    with doing(cast.lena, at + 2 * H):
        ticket.resume("a try")
        ticket.pend("access")
    with doing(cast.kira, at + 3 * H):
        problem.close("cancelled", note="it was none")
    assert Ticket.objects.get(pk=ticket.pk).pending_reason == "access"


def test_of_two_problems_the_one_it_waits_for_wakes_it(
    cast: Cast, ticket: Ticket, problem: Problem, doing: Doing, at: datetime
) -> None:
    with doing(cast.kira, at + H):
        other = Problem.open_for(ticket, title="The certificate", why="it runs out", by=cast.kira)
    with pytest.raises(UnableTo, match="More than one problem"):
        Problem.awaited_by(ticket)
    with doing(cast.lena, at + H):
        problem.hold(ticket)
        ticket.resume("no")
        Problem.awaited_by(ticket, other.pk).hold(ticket)
    with doing(cast.kira, at + 2 * H):
        problem.close("cancelled", note="it was none")
    assert Ticket.objects.get(pk=ticket.pk).state == "pending"
    with doing(cast.kira, at + 3 * H):
        other.close("fix_applied", note="renewed")
    assert Ticket.objects.get(pk=ticket.pk).state == "open"


def test_a_ticket_that_is_unlinked_from_what_it_waits_for_goes_back_to_work(
    cast: Cast, ticket: Ticket, problem: Problem, doing: Doing, at: datetime
) -> None:
    with doing(cast.lena, at + H):
        problem.hold(ticket)
    with doing(cast.lena, at + 2 * H):
        problem.unlink(ticket, why="it was the cable")
    assert Ticket.objects.get(pk=ticket.pk).state == "open"


def test_nobody_waits_for_a_problem_without_saying_for_which(
    cast: Cast, ticket: Ticket, problem: Problem, doing: Doing, at: datetime
) -> None:
    with pytest.raises(UnableTo, match="Say for which problem"), doing(cast.lena, at + H):
        ticket.pend("problem")
    with doing(cast.lena, at + H):
        other = cast.ticket()
    with pytest.raises(UnableTo, match="Link TD-"), doing(cast.lena, at + H):
        problem.hold(other)
    with pytest.raises(UnableTo, match="Link TD-"):
        Problem.awaited_by(other)
    with doing(cast.kira, at + H):
        problem.close("cancelled", note="it was none")
    with pytest.raises(UnableTo, match="nothing is left to wait for"), doing(cast.lena, at + H):
        problem.hold(ticket)


def test_many_wake_in_a_constant_number_of_statements(
    cast: Cast, problem: Problem, doing: Doing, at: datetime
) -> None:
    def statements(many: int) -> int:
        with doing(cast.lena, at):
            waiting = [cast.ticket() for _ in range(many)]
        with doing(cast.kira, at):
            behind = Problem.open_for(waiting[0], title="It", why="again", by=cast.kira)
            for one in waiting[1:]:
                behind.link(one, why="again")
            for one in waiting:
                behind.hold(one)
        with CaptureQueriesContext(connection) as queries, doing(cast.kira, at + H):
            behind.close("fix_applied", note="mended")
        assert Ticket.objects.filter(problems__problem=behind, state="open").count() == many
        return len(queries)

    statements(2)
    assert statements(3) == statements(9)
