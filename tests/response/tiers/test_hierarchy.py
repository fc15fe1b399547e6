"""Telling the hierarchy: who stands on the rung is told, the ticket stays where it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import Cast
from tierdesk.core.facts import ENGINE
from tierdesk.core.work import Unit
from tierdesk.directory.oncall.models import Layer, Schedule, Turn
from tierdesk.directory.staff.models import Agent, Membership, Team
from tierdesk.response.tiers.facts import HierarchyTold
from tierdesk.response.tiers.models import Procedure
from tierdesk.response.tiers.reactions import tell_hierarchy, warn_hierarchy
from tierdesk.tickets.models import Entry, Ticket

Doing = Callable[..., Any]


@dataclass
class Late:
    """A clock that spoke up, as the ladder sees it."""

    ticket: Ticket
    at: datetime
    id: int = 0
    metric: str = "resolve"
    party: str = "SLA"
    tier: int | None = None


def facts(unit: Unit) -> list[HierarchyTold]:
    return [fact for fact in unit.facts if isinstance(fact, HierarchyTold)]


@pytest.fixture
def warned(doing: Doing, at: datetime) -> Callable[..., list[HierarchyTold]]:
    def react(*tickets: Ticket, with_: Callable[[list[Late]], None] = warn_hierarchy) -> list[HierarchyTold]:
        with doing(ENGINE) as unit:
            with_([Late(ticket, at) for ticket in tickets])
        return facts(unit)

    return react


@pytest.fixture
def breached(warned: Callable[..., list[HierarchyTold]]) -> Callable[..., list[HierarchyTold]]:
    return lambda *tickets: warned(*tickets, with_=tell_hierarchy)


Told = Callable[..., list[HierarchyTold]]


def on_call(team: Team, agent: Agent, key: str = "night") -> Schedule:
    schedule = Schedule.objects.create(key=key, name=key, team=team)
    layer = Layer.objects.create(
        schedule=schedule, order=0, name="Turns", starts_date=date(2026, 1, 5), handover=time(9)
    )
    Turn.objects.create(layer=layer, agent=agent, order=0)
    return schedule


def manager(cast: Cast, *teams: Team) -> Agent:
    """Mara manages, in these teams."""
    user = type(cast.lou.user).objects.create_user("mara@desk.example", name="Mara Mann")
    mara = Agent.objects.create(user=user, is_manager=True)
    for team in teams:
        Membership.objects.create(agent=mara, team=team)
    return mara


def test_a_warning_goes_to_the_assignee_and_the_lead_of_the_team(
    cast: Cast, ticket: Ticket, warned: Told
) -> None:
    [told] = warned(ticket)
    assert (told.percent, told.roles) == (75, ["assignee", "team_lead"])
    assert set(told.agents) == {cast.lena.pk, cast.lou.pk}
    assert told.why == "the promise “resolve” (SLA) is about to be broken"


def test_a_breach_reaches_the_duty_and_the_managers_too(cast: Cast, ticket: Ticket, breached: Told) -> None:
    on_call(cast.desk, cast.tom)
    mara = manager(cast, cast.desk)
    [told] = breached(ticket)
    assert set(told.agents) == {cast.lena.pk, cast.lou.pk, cast.tom.pk, mara.pk}


def test_telling_never_moves_the_ticket(cast: Cast, ticket: Ticket, breached: Told) -> None:
    before = Ticket.objects.values("version", "tier", "team", "assignee", "state").get(pk=ticket.pk)
    breached(ticket)
    assert Ticket.objects.values("version", "tier", "team", "assignee", "state").get(pk=ticket.pk) == before


def test_a_clock_that_runs_out_is_what_tells_the_hierarchy(
    cast: Cast, ticket: Ticket, at: datetime, live_until: Callable[[datetime], None]
) -> None:
    live_until(at + timedelta(days=3))
    told = Entry.objects.of(ticket.pk).filter(kind="hierarchy_told").select_related("cause")
    assert told.exists()
    assert {entry.cause and entry.cause.kind for entry in told} == {"warned", "breached"}


def test_each_line_names_the_promise_that_it_tells_of_as_its_cause(
    cast: Cast, doing: Doing, at: datetime, live_until: Callable[[datetime], None]
) -> None:
    """Of a P3 the first response and the acknowledgement run out at one instant."""
    with doing(cast.ann.user, at):
        ticket = cast.ticket()
    live_until(at + timedelta(hours=5))
    told = Entry.objects.of(ticket.pk).filter(kind="hierarchy_told", details__percent=100)
    named = {(entry.cause.details["metric"], entry.details["why"]) for entry in told.select_related("cause")}
    assert named == {
        ("acknowledge", "the promise “acknowledge” (SLA) is broken"),
        ("respond", "the promise “respond” (SLA) is broken"),
        ("resolve", "the promise “resolve” (OLA) is broken"),
    }
    assert len({entry.cause_id for entry in told}) == 3
    instants = {entry.cause.at for entry in told.select_related("cause")}
    assert len(instants) == 1, "all at once"


def test_the_client_s_own_ladder_replaces_the_default(cast: Cast, ticket: Ticket, warned: Told) -> None:
    ladder = [{"at": 50, "tell": ["managers"]}]
    Procedure.publish(
        "tell", name="Whom to tell", spec={"ladder": ladder}, kind="hierarchical", client=cast.acme
    )
    [told] = warned(ticket)
    assert (told.roles, told.agents) == (["managers"], [cast.lou.pk])


def test_the_ladder_of_a_functional_procedure_serves_where_there_is_no_other(
    cast: Cast, ticket: Ticket, warned: Told
) -> None:
    ladder = [{"at": 75, "tell": ["assignee"]}]
    Procedure.publish("l1", name="L1 to L2", spec={"ladder": ladder}, from_tier=1)
    [told] = warned(ticket)
    assert told.agents == [cast.lena.pk]


def test_below_the_first_rung_nobody_is_told(cast: Cast, ticket: Ticket, warned: Told) -> None:
    ladder = [{"at": 100, "tell": ["managers"]}]
    Procedure.publish("tell", name="Whom to tell", spec={"ladder": ladder}, kind="hierarchical")
    assert warned(ticket) == []


def test_a_schedule_can_be_named_by_its_key(cast: Cast, ticket: Ticket, warned: Told) -> None:
    on_call(cast.experts, cast.kira, key="experts-night")
    on_call(cast.desk, cast.tom, key="desk-night")
    ladder = [{"at": 75, "tell": ["duty:experts-night"]}]
    Procedure.publish("tell", name="Whom to tell", spec={"ladder": ladder}, kind="hierarchical")
    [told] = warned(ticket)
    assert told.agents == [cast.kira.pk]


def test_that_nobody_holds_a_role_is_told_as_well(
    cast: Cast, ticket: Ticket, warned: Told, doing: Doing
) -> None:
    with doing(cast.lena):
        ticket.hand_over(cast.ops, why="theirs")
    [told] = warned(ticket)
    assert told.agents == []
    assert told.why.endswith("nobody is assignee or team_lead")


def test_a_manager_who_may_not_see_the_client_is_not_told_of_it(
    cast: Cast, ticket: Ticket, breached: Told, doing: Doing
) -> None:
    mara = manager(cast, cast.northern)
    with doing(cast.lena):
        theirs = cast.ticket(client=cast.borealis, contact=cast.bob)
    of_acme, of_borealis = breached(ticket, theirs)
    assert mara.pk not in of_acme.agents
    assert mara.pk in of_borealis.agents


def test_who_has_left_the_house_is_not_told(cast: Cast, ticket: Ticket, warned: Told) -> None:
    type(cast.lou.user).objects.filter(pk=cast.lou.user_id).update(is_active=False)
    [told] = warned(ticket)
    assert told.agents == [cast.lena.pk]


def test_a_storm_is_told_with_as_many_queries_as_one_ticket(
    cast: Cast, ticket: Ticket, doing: Doing, at: datetime
) -> None:
    Procedure.publish("l1", name="L1 to L2", spec={"scope": {"services": ["vpn"]}}, from_tier=1)
    with doing(cast.lena):
        many = [cast.ticket(service=cast.vpn) for _ in range(12)]

    def cost(*tickets: Ticket) -> int:
        again = list(Ticket.objects.filter(pk__in=[one.pk for one in tickets]))
        with doing(ENGINE), CaptureQueriesContext(connection) as queries:
            tell_hierarchy([Late(one, at) for one in again])
        return len(queries)

    assert cost(*many) == cost(many[0])
