"""The board of a change of shifts: what is on it, who signs, and what a reader of another team finds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client as Browser

from tests.cast import Cast
from tests.response.tiers.conftest import PACK
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.directory.staff.models import Team, User
from tierdesk.response.major.models import MajorIncident
from tierdesk.response.shifts.models import Line, ShiftHandOver
from tierdesk.response.sla.dates import promise_date
from tierdesk.response.tiers.consultations import Consultation
from tierdesk.response.tiers.models import Escalation
from tierdesk.tickets.lifecycle import PendingReason
from tierdesk.tickets.models import Ticket
from tierdesk.web.workspace.shift import board

Doing = Callable[..., Any]
HOUR = timedelta(hours=1)


@pytest.fixture
def ticket(cast: Cast, doing: Doing) -> Ticket:
    with doing(cast.lena):
        ticket = cast.ticket()
        ticket.take(cast.lena)
    return ticket


def lines(team: Team, user: User, at: datetime, hours: int = 8) -> list[tuple[str, int, str, str]]:
    def words(line: Line) -> tuple[str, int, str, str]:
        return str(line.section), line.ticket.pk, line.words, line.who

    return [words(line) for line in board(team, user, at, hours).lines]


def get(client: Browser, user: User, address: str) -> HttpResponse:
    client.force_login(user)
    answer = client.get(address)
    set_scope(EVERY_CLIENT)
    return answer


def post(client: Browser, user: User, address: str, form: dict[str, Any]) -> HttpResponse:
    client.force_login(user)
    answer = client.post(address, form)
    set_scope(EVERY_CLIENT)
    return answer


# What is on it


def test_a_promise_is_told_if_it_runs_out_in_the_next_shift(cast: Cast, ticket: Ticket, at: datetime) -> None:
    due_at = ticket.clocks.get(metric="respond").due_at
    assert due_at is not None
    ahead = due_at - at
    assert ("runs_out", ticket.pk, "Respond · the client", "Lena Lang") in lines(
        cast.desk, cast.lou.user, due_at - HOUR
    )
    assert ahead > timedelta(0)
    assert lines(cast.desk, cast.lou.user, due_at - timedelta(hours=5), 4) == []


def test_a_major_incident_comes_before_all_whatever_its_priority(
    cast: Cast, ticket: Ticket, doing: Doing, at: datetime
) -> None:
    with doing(cast.lena):
        cast.ticket(impact=1, urgency=1)
    with doing(cast.lou):
        MajorIncident.declare(Ticket.objects.get(pk=ticket.pk), by=cast.lou, why="All are cut off.")
    told = [line for line in lines(cast.desk, cast.lou.user, at) if line[0] == "urgent"]
    assert told[0] == ("urgent", ticket.pk, "major incident: Open", "Lena Lang")
    assert len(told) == 2


def test_what_is_late_already_stays_on_it(cast: Cast, ticket: Ticket, at: datetime) -> None:
    ticket.refresh_from_db()
    assert [line[0] for line in lines(cast.desk, cast.lou.user, at + timedelta(days=30))] == ["runs_out"]


def test_an_urgent_ticket_that_nobody_has_says_so(cast: Cast, doing: Doing, at: datetime) -> None:
    with doing(cast.lena):
        urgent = cast.ticket(impact=1, urgency=1)
    told = lines(cast.desk, cast.lou.user, at)
    assert told[0] == ("urgent", urgent.pk, "nobody has it", "")


def test_what_waits_says_for_whom_and_what_wakes_says_when(
    cast: Cast, ticket: Ticket, doing: Doing, at: datetime
) -> None:
    with doing(cast.lena):
        ticket.pend(PendingReason.REQUESTER_SCHEDULED, until=at + 3 * HOUR)
    told = lines(cast.desk, cast.lou.user, at)
    assert ("promised", ticket.pk, "back to work by itself", "Lena Lang") in told
    assert ("waits", ticket.pk, "The contact asked for a date", "Lena Lang") in told


def test_who_promised_the_client_what_is_told_with_the_reason(
    cast: Cast, ticket: Ticket, doing: Doing, at: datetime
) -> None:
    with doing(cast.lena):
        promise_date(ticket, at + 3 * HOUR, by=cast.lena, why="she needs it for the audit")
    told = (
        "promised",
        ticket.pk,
        "Lena Lang promised the client that it is solved: she needs it for the audit",
        "Lena Lang",
    )
    assert told in lines(cast.desk, cast.lou.user, at)
    assert told not in lines(cast.desk, cast.lou.user, at - 2 * HOUR, 4)
    assert not any("Promised date" in words for _, _, words, _ in lines(cast.desk, cast.lou.user, at))


def test_hand_overs_and_advice_are_told_on_both_sides(
    cast: Cast, ticket: Ticket, doing: Doing, at: datetime
) -> None:
    with doing(cast.lena):
        Consultation.ask(ticket, cast.experts, by=cast.lena, question="Is it known?")
    with doing(cast.lena):
        Escalation.send(ticket, cast.ops, by=cast.lena, reason="skill", pack=PACK)
    assert ("handed", ticket.pk, "not accepted yet by Operations", "Lena Lang") in lines(
        cast.desk, cast.lou.user, at
    )
    assert ("handed", ticket.pk, "to be accepted, from Service Desk", "Lena Lang") in lines(
        cast.ops, cast.tom.user, at
    )
    assert ("handed", ticket.pk, "we owe advice", "Lena Lang") in lines(cast.experts, cast.kira.user, at)
    assert ("handed", ticket.pk, "advice is owed by Platform Experts", "Lena Lang") in lines(
        cast.ops, cast.tom.user, at
    )


def test_what_is_solved_is_no_longer_on_it(cast: Cast, ticket: Ticket, doing: Doing, at: datetime) -> None:
    with doing(cast.lena):
        ticket.resolve(code="fixed")
    assert lines(cast.desk, cast.lou.user, at + timedelta(days=30)) == []


def test_the_number_of_questions_does_not_grow_with_the_tickets(
    cast: Cast, doing: Doing, at: datetime, django_assert_max_num_queries: Any
) -> None:
    with doing(cast.lena) as unit:
        for _ in range(12):
            ticket = cast.ticket()
            ticket.pend(PendingReason.EVIDENCE)
            unit.settle()
            promise_date(ticket, at + 3 * HOUR, by=cast.lena, why="she needs it")
    with django_assert_max_num_queries(13):
        assert len(lines(cast.desk, cast.lou.user, at)) >= 24


# Signing


def test_it_is_signed_taken_and_kept(cast: Cast, client: Browser, ticket: Ticket) -> None:
    page = get(client, cast.lou.user, "/shifts/desk/").content.decode()
    assert "Hand over the shift" in page
    form = {"hours": "72", "seen": "", "note": "Ann is angry."}
    assert post(client, cast.lou.user, "/shifts/desk/", form).status_code == 302
    one = ShiftHandOver.objects.get()
    assert (one.hours, one.note, one.handed_by) == (72, "Ann is angry.", cast.lou)
    board_page = get(client, cast.lena.user, "/shifts/desk/").content.decode()
    assert "nobody has taken it yet" in board_page
    kept = get(client, cast.lena.user, f"/shifts/desk/{one.pk}/").content.decode()
    assert "Take the shift" in kept
    assert ticket.reference in kept
    assert (
        post(client, cast.lena.user, f"/shifts/desk/{one.pk}/taking/", {"remark": "Fine."}).status_code == 302
    )
    one.refresh_from_db()
    assert (one.taken_by, one.remark) == (cast.lena, "Fine.")


def test_the_slower_of_two_keeps_their_words_and_is_told(cast: Cast, client: Browser) -> None:
    form = {"hours": "8", "seen": "", "note": "First."}
    post(client, cast.lou.user, "/shifts/desk/", form)
    again = post(client, cast.lou.user, "/shifts/desk/", form | {"note": "Second, long and careful."})
    assert again.status_code == 409
    assert "in the meantime" in again.content.decode()
    assert "Second, long and careful." in again.content.decode()
    assert ShiftHandOver.objects.count() == 1


def test_who_may_not_sign_is_told_who_may(cast: Cast, client: Browser) -> None:
    assert "A lead of Service Desk signs" in get(client, cast.lena.user, "/shifts/desk/").content.decode()
    form = {"hours": "8", "seen": "", "note": ""}
    assert (
        "A lead of Service Desk signs" in post(client, cast.lena.user, "/shifts/desk/", form).content.decode()
    )
    assert not ShiftHandOver.objects.exists()


def test_an_agent_is_led_to_their_own_team(cast: Cast, client: Browser) -> None:
    assert get(client, cast.tom.user, "/shifts/")["Location"] == "/shifts/ops/"


def test_without_a_team_the_page_says_so(cast: Cast, client: Browser) -> None:
    cast.tom.memberships.all().delete()
    assert "You are in no team" in get(client, cast.tom.user, "/shifts/").content.decode()


# Outsiders


def test_other_teams_and_clients_find_nothing(cast: Cast, client: Browser, at: datetime) -> None:
    one = ShiftHandOver.sign(cast.desk, by=cast.lou, at=at, hours=8, note="", lines=[], seen=None)
    for address in ("/shifts/desk/", f"/shifts/desk/{one.pk}/"):
        assert get(client, cast.tom.user, address).status_code == 404
        assert get(client, cast.ann.user, address).status_code == 302
    assert get(client, cast.tom.user, f"/shifts/ops/{one.pk}/").status_code == 404
    assert post(client, cast.tom.user, f"/shifts/desk/{one.pk}/taking/", {}).status_code == 404
    client.logout()
    assert client.get("/shifts/desk/")["Location"].startswith("/sign-in/")


def test_a_reader_sees_the_lines_of_clients_that_they_serve(
    cast: Cast, client: Browser, ticket: Ticket, at: datetime
) -> None:
    """Olga serves Borealis alone; a shift of her team that told of Acme's ticket shows her nothing of it."""
    with clock.frozen(datetime(2026, 6, 8, tzinfo=UTC)):
        cast.lou.memberships.create(team=cast.northern, is_lead=True)
    line = Line(section="waits", ticket=ticket, words="Secret of Acme")  # type: ignore[arg-type]
    lou = type(cast.lou).objects.get(pk=cast.lou.pk)
    one = ShiftHandOver.sign(cast.northern, by=lou, at=at, hours=8, note="", lines=[line], seen=None)
    page = get(client, cast.olga.user, f"/shifts/northern/{one.pk}/")
    assert page.status_code == 200
    assert "Secret of Acme" not in page.content.decode()
