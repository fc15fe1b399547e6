"""An incident or a service request: each has what was agreed for it, and a change counts from the start."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tests.response.sla.test_promise_cases import NINE, H, M, clock, clocks
from tierdesk.directory.contracts.models import Contract, ContractVersion, Promise, version_in_force
from tierdesk.response.major.models import MajorIncident
from tierdesk.response.sla.dates import promise_date
from tierdesk.response.sla.models import Clock
from tierdesk.response.sla.story import story
from tierdesk.tickets.lifecycle import StaleTicket, UnableTo
from tierdesk.tickets.models import Entry, Ticket

type Doing = Callable[..., Any]
type Live = Callable[[datetime], None]


@pytest.fixture
def requests(cast: Cast) -> ContractVersion:
    """Acme's contract for service requests: a P3 is acknowledged in a day and done in five; nobody has to respond."""
    return agree(cast, "request", {"acknowledge": 8 * H, "resolve": 40 * H})


def agree(cast: Cast, type: str, targets: dict[str, timedelta], key: str = "") -> ContractVersion:
    contract = Contract.objects.create(
        client=cast.acme, key=key or f"{type}s", name=f"Acme, {type}s", type=type
    )
    usual = cast.acme_contract
    version = ContractVersion.objects.create(
        client=cast.acme,
        contract=contract,
        version=1,
        effective_from=date(2026, 1, 1),
        calendar=cast.office,
        matrix=usual.matrix,
        channels=usual.channels,
        performers=usual.performers,
    )
    for priority in (3, 4):
        for metric, target in targets.items():
            Promise.objects.create(
                client=cast.acme,
                contract_version=version,
                metric=metric,
                priority=priority,
                target_s=int(target.total_seconds()),
                calendar=cast.office,
            )
    return version


@pytest.fixture
def ticket(cast: Cast, doing: Doing) -> Ticket:
    with doing(cast.lena, NINE):
        return cast.ticket()


def retype(cast: Cast, doing: Doing, ticket: Ticket, type: str, at: datetime = NINE + H) -> None:
    with doing(cast.lena, at):
        ticket.retype(type, why="nothing is broken, she wants a second account")


def standing(ticket: Ticket) -> dict[str, Clock]:
    """The promises to the client that count, by metric."""
    return {
        one.metric: one for one in Clock.objects.filter(ticket=ticket, party="SLA").exclude(state="cancelled")
    }


def test_what_nobody_says_is_an_incident(cast: Cast, ticket: Ticket, requests: ContractVersion) -> None:
    assert (ticket.type, ticket.contract_version) == ("incident", cast.acme_contract)


@pytest.mark.parametrize("by", ["said", "the category says", "the category is found"])
def test_a_request_is_opened_under_the_contract_for_requests(
    cast: Cast, requests: ContractVersion, doing: Doing, by: str
) -> None:
    if by != "said":
        cast.vpn_category.type = "request"
        cast.vpn_category.save(update_fields=["type"])
    more = {
        "said": {"type": "request"},
        "the category says": {"category": cast.vpn_category},
        "the category is found": {},
    }[by]
    with doing(cast.lena, NINE):
        ticket = cast.ticket(**more)
    ticket.refresh_from_db()
    assert (ticket.type, ticket.contract_version) == ("request", requests)
    assert {one.metric for one in standing(ticket).values()} == {"acknowledge", "resolve"}


def test_what_was_said_comes_before_what_the_category_says(
    cast: Cast, requests: ContractVersion, doing: Doing
) -> None:
    cast.vpn_category.type = "request"
    cast.vpn_category.save(update_fields=["type"])
    with doing(cast.lena, NINE):
        ticket = cast.ticket(type="incident", category=cast.vpn_category)
    ticket.refresh_from_db()
    assert (ticket.type, ticket.contract_version) == ("incident", cast.acme_contract)


@pytest.mark.parametrize(
    ("type", "expected"),
    [("incident", "standard"), ("request", "requests"), ("", "standard")],
)
def test_a_contract_for_a_type_comes_before_one_for_all(
    cast: Cast, requests: ContractVersion, type: str, expected: str
) -> None:
    found = version_in_force(cast.acme.pk, date(2026, 6, 8), type)
    assert found is not None
    assert found.contract.key == expected


def test_where_only_requests_are_agreed_an_incident_has_no_contract(
    cast: Cast, requests: ContractVersion
) -> None:
    Contract.objects.filter(pk=cast.acme_contract.contract_id).update(type="request")
    assert version_in_force(cast.acme.pk, date(2026, 6, 8)) is None


def test_retyped_twice_it_is_as_it_was(
    cast: Cast, ticket: Ticket, requests: ContractVersion, doing: Doing
) -> None:
    before = {metric: (one.due_at, one.state) for metric, one in standing(ticket).items()}
    retype(cast, doing, ticket, "request")
    retype(cast, doing, ticket, "incident", NINE + 2 * H)
    assert {metric: (one.due_at, one.state) for metric, one in standing(ticket).items()} == before
    retype(cast, doing, ticket, "request", NINE + 3 * H)
    assert [(one.state, one.elapsed_s) for one in clocks(ticket, "resolve")[:3]] == [("cancelled", 0.0)] * 3


def test_a_wait_before_it_counts_as_the_other_contract_says(
    cast: Cast, ticket: Ticket, requests: ContractVersion, doing: Doing
) -> None:
    """Two hours for a vendor: time of ours for an incident, none for a request."""
    requests.policies = {"pause_reasons": ["vendor"]}
    requests.save(update_fields=["policies"])
    with doing(cast.lena, NINE + H):
        ticket.pend("vendor")
    with doing(cast.lena, NINE + 3 * H):
        ticket.resume("they answered")
    with doing(cast.lena, NINE + 4 * H):
        ticket.pend("vendor")
    retype(cast, doing, ticket, "request", NINE + 5 * H)
    one = standing(ticket)["resolve"]
    assert (one.state, one.course.elapsed(NINE + 7 * H)) == ("paused", 2 * H)
    with doing(cast.lena, NINE + 7 * H):
        ticket.resume("they answered")
    assert standing(ticket)["resolve"].state == "running"


def test_what_is_late_by_the_change_is_told_once_with_its_instant(
    cast: Cast, doing: Doing, requests: ContractVersion, live_until: Live
) -> None:
    with doing(cast.lena, NINE):
        ticket = cast.ticket(type="request")
    retype(cast, doing, ticket, "incident", NINE + 6 * H)
    live_until(NINE + 7 * H)
    late = Entry.objects.of(ticket.pk).filter(kind="breached", details__metric="respond")
    assert [entry.details["crossed_at"] for entry in late] == [
        (NINE + 4 * H + timedelta(microseconds=1)).isoformat()
    ]


def test_what_is_late_by_the_change_is_told_also_while_it_waits(
    cast: Cast, doing: Doing, requests: ContractVersion, live_until: Live
) -> None:
    with doing(cast.lena, NINE):
        ticket = cast.ticket(type="request")
    with doing(cast.lena, NINE + 73 * H):
        ticket.ask("Which one?")
    retype(cast, doing, ticket, "incident", NINE + 74 * H)
    live_until(NINE + 75 * H)
    assert standing(ticket)["resolve"].state == "paused"
    (told,) = Entry.objects.of(ticket.pk).filter(
        kind="breached", details__metric="resolve", details__party="SLA"
    )
    assert told.details["crossed_at"] == (NINE + 72 * H + timedelta(microseconds=1)).isoformat()


def test_another_priority_after_it_finds_the_promises_of_the_new_type(
    cast: Cast, ticket: Ticket, requests: ContractVersion, doing: Doing
) -> None:
    """What was struck for the other type does not come back with a priority for which it was promised."""
    retype(cast, doing, ticket, "request")
    Promise.objects.create(
        client=cast.acme,
        contract_version=requests,
        metric="respond",
        priority=2,
        target_s=3600,
        calendar=cast.office,
    )
    with doing(cast.lou, NINE + 2 * H):
        ticket.override_priority(2, reason="the board meets")
    found = standing(ticket)
    assert set(found) == {"respond"}
    assert (found["respond"].started_at, found["respond"].due_at) == (NINE, NINE + H)
    assert [one.state for one in clocks(ticket, "respond")] == ["cancelled", "running"]


def test_a_hand_over_keeps_its_own_clock_and_a_promised_date_stands(
    cast: Cast, ticket: Ticket, requests: ContractVersion, doing: Doing
) -> None:
    from tests.journeys.conftest import escalate

    with doing(cast.lena, NINE + H):
        escalate(ticket, cast)
    with doing(cast.lena, NINE + H + M):
        promise_date(ticket, NINE + 30 * H, by=cast.lena, why="told Ann")
    retype(cast, doing, ticket, "request", NINE + 2 * H)
    assert clock(ticket, "accept", "OLA", 2).state == "running"
    assert clock(ticket, "date").state == "running"


def test_without_a_contract_of_its_own_nothing_changes_but_the_word(
    cast: Cast, ticket: Ticket, doing: Doing
) -> None:
    before = list(Clock.objects.filter(ticket=ticket).order_by("id").values())
    retype(cast, doing, ticket, "request")
    assert list(Clock.objects.filter(ticket=ticket).order_by("id").values()) == before
    entry = Entry.objects.of(ticket.pk).filter(kind="retyped").get()
    assert (entry.details["anew"], entry.details["after"]) == (False, "request")


def test_the_story_of_each_clock_is_its_own(
    cast: Cast, ticket: Ticket, requests: ContractVersion, doing: Doing
) -> None:
    with doing(cast.lena, NINE + 30 * M):
        ticket.take(cast.lena)
    retype(cast, doing, ticket, "request")
    old, new = clocks(ticket, "resolve")
    assert [turn.what for turn in story(old, ticket)] == ["started", "cancelled"]
    assert [(turn.what, turn.contract) for turn in story(new, ticket)] == [
        ("started", "“Acme, requests”, version 1")
    ]
    assert [turn.what for turn in story(clocks(ticket, "acknowledge")[1], ticket)] == ["started"]


@pytest.mark.parametrize(
    ("type", "why", "refusal"),
    [
        ("problem", "a try", "is not a type"),
        ("request", " ", "Say why"),
        ("incident", "a try", "of this type already"),
    ],
)
def test_what_makes_no_sense_is_refused(
    cast: Cast, ticket: Ticket, doing: Doing, type: str, why: str, refusal: str
) -> None:
    with pytest.raises(UnableTo, match=refusal), doing(cast.lena, NINE + H):
        ticket.retype(type, why=why)
    ticket.refresh_from_db()
    assert ticket.type == "incident"


def test_a_major_incident_is_one_and_what_is_solved_stays_what_it_was(
    cast: Cast, ticket: Ticket, doing: Doing
) -> None:
    with doing(cast.lou, NINE + H):
        MajorIncident.declare(ticket, by=cast.lou, why="All are cut off.")
    with pytest.raises(UnableTo, match="major incident"), doing(cast.lena, NINE + H):
        ticket.retype("request", why="a try")
    with doing(cast.lena, NINE):
        other = cast.ticket()
        other.resolve(code="fixed")
    with pytest.raises(UnableTo, match="its type is history"), doing(cast.lena, NINE + H):
        other.retype("request", why="a try")


def test_terms_for_the_other_type_do_not_apply(
    cast: Cast, ticket: Ticket, requests: ContractVersion, doing: Doing
) -> None:
    with pytest.raises(UnableTo, match="another type"), doing(cast.lou, NINE + H):
        ticket.change_terms(requests, why="a try")


def test_the_slower_of_two_changes_nothing(
    cast: Cast, ticket: Ticket, requests: ContractVersion, doing: Doing
) -> None:
    stale = Ticket.objects.get(pk=ticket.pk)
    retype(cast, doing, ticket, "request")
    with pytest.raises(StaleTicket):
        retype(cast, doing, stale, "request")
