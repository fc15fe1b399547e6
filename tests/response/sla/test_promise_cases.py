"""The numbered cases of docs/promise-cases.md that are about the life of a ticket. Each starts from what people did.

Working time itself (A, B and the pauses C01–C07) is in tests/directory/calendars/test_hours_cases.py. After each test
the clocks are compared with a replay of the timeline (conftest.py).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction

from tests.cast import Cast
from tierdesk.core.wakeups import run_due
from tierdesk.directory.contracts.models import Contract, ContractVersion, Promise, version_in_force
from tierdesk.learning.analytics.attainment import attainment
from tierdesk.learning.problems.models import Problem
from tierdesk.response.major.models import MajorIncident
from tierdesk.response.sla.dates import counted, promise_date
from tierdesk.response.sla.models import Clock
from tierdesk.response.sla.reading import Course
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Draft, Entry, Ticket
from tierdesk.tickets.resettling import move_to_client
from tierdesk.web.workspace.clocks import faces_of

H, M = timedelta(hours=1), timedelta(minutes=1)
BERLIN = ZoneInfo("Europe/Berlin")

type Doing = Callable[..., Any]
type Live = Callable[[datetime], None]


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


NINE = berlin("2026-06-08T09:00")
"""Monday 8 June 2026, when the office opens."""


def agree(cast: Cast, **policies: Any) -> None:
    """Acme's contract says so from the beginning."""
    cast.acme_contract.policies = policies
    cast.acme_contract.save(update_fields=["policies"])


def promise(cast: Cast, metric: str, priority: int, target: timedelta, *, always: bool = False) -> None:
    """Acme is promised this instead."""
    Promise.objects.filter(contract_version=cast.acme_contract, metric=metric, priority=priority).filter(
        party="SLA"
    ).update(target_s=int(target.total_seconds()), calendar=cast.always if always else cast.office)


def clocks(ticket: Ticket, metric: str, party: str = "SLA", tier: int | None = None) -> list[Clock]:
    return list(Clock.objects.filter(ticket=ticket, metric=metric, party=party, tier=tier).order_by("id"))


def clock(ticket: Ticket, metric: str, party: str = "SLA", tier: int | None = None) -> Clock:
    (one,) = clocks(ticket, metric, party, tier)
    return one


def outcome(one: Clock) -> tuple[str, float | None]:
    return one.state, one.elapsed_s


@pytest.fixture
def ticket(cast: Cast, doing: Doing) -> Ticket:
    """A P3 of Ann's, opened Monday 09:00, four working hours to resolve it."""
    promise(cast, "resolve", 3, 4 * H)
    with doing(cast.lena, NINE):
        return cast.ticket()


# A. Dates of their own


def test_a22_a_date_outside_the_hours_counts_at_the_next_opening(
    cast: Cast, ticket: Ticket, doing: Doing, live_until: Live
) -> None:
    wednesday_evening, thursday_morning = berlin("2026-06-10T20:30"), berlin("2026-06-11T09:00")
    assert counted(ticket, wednesday_evening, NINE).is_later
    with doing(cast.lena, NINE):
        promise_date(ticket, wednesday_evening, by=cast.lena, why="told Ann on the phone")
    assert clock(ticket, "date").due_at == thursday_morning
    live_until(thursday_morning + M)
    assert clock(ticket, "date").breached_at == thursday_morning + timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("date", "refusal"),
    [
        (None, "Say by when"),
        (NINE - M, "over already"),
        (NINE, "over already"),
        (NINE + timedelta(days=3 * 366), "look at the year"),
    ],
)
def test_a23_a_date_that_is_none_or_over_is_refused_and_changes_nothing(
    cast: Cast, ticket: Ticket, doing: Doing, date: datetime | None, refusal: str
) -> None:
    before = (ticket.version, Entry.objects.of(ticket.pk).count())
    with pytest.raises(UnableTo, match=refusal), doing(cast.lena, NINE):
        promise_date(ticket, date, by=cast.lena, why="told Ann on the phone")
    ticket.refresh_from_db()
    assert (ticket.version, Entry.objects.of(ticket.pk).count()) == before
    assert clocks(ticket, "date") == []


# C. Pauses


def test_c08_while_a_pause_lasts_nothing_is_due_and_what_is_left_is_known(
    cast: Cast, ticket: Ticket, doing: Doing
) -> None:
    with doing(cast.lena, NINE + 110 * M):
        ticket.ask("Which gateway?")
    one = clock(ticket, "resolve")
    assert (one.due_at, one.wake_at, one.remaining(NINE + 300 * M)) == (None, None, 130 * M)


def test_c09_a_pause_ends_when_the_answer_was_received_not_when_it_was_read(
    cast: Cast, ticket: Ticket, doing: Doing
) -> None:
    with doing(cast.lena, NINE + H):
        ticket.ask("Which gateway?")
    with doing(cast.ann, NINE + 2 * H):
        ticket.hear("The blue one.", channel="email")
    assert ticket.state == "open"
    assert clock(ticket, "resolve").due_at == NINE + 5 * H


def test_c10_an_absence_notice_ends_no_pause(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    with doing(cast.lena, NINE + H):
        ticket.ask("Which gateway?")
    with doing(cast.ann, NINE + 2 * H):
        ticket.hear("I am out of office.", channel="email", automatic=True)
    assert clock(ticket, "resolve").state == "paused"


def test_c11_nobody_waits_for_an_answer_without_a_question(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    with pytest.raises(UnableTo, match="Ask the contact a question first"), doing(cast.lena, NINE + H):
        ticket.pend("requester_info")


def test_c12_waiting_for_the_vendor_is_not_the_client_s_problem(
    cast: Cast, ticket: Ticket, doing: Doing
) -> None:
    with doing(cast.lena, NINE + H):
        ticket.pend("vendor")
    assert clock(ticket, "resolve").due_at == NINE + 4 * H


def test_c12_unless_the_contract_says_so(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    agree(cast, pause_reasons=["vendor"])
    with doing(cast.lena, NINE + H):
        ticket.pend("vendor")
    assert clock(ticket, "resolve").state == "paused"


def test_c13_another_reason_pauses_from_when_it_was_given(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    with doing(cast.lena, NINE + H):
        ticket.pend("vendor")
    with doing(cast.lena, NINE + 2 * H):
        ticket.resume("the vendor asks back")
        ticket.ask("Which firmware?")
    one = clock(ticket, "resolve")
    assert [(start, end, why) for (start, end), (_, _, why) in zip(one.spans, one.pauses, strict=True)] == [
        (NINE + 2 * H, None, "requester_info")
    ]


def put_in(ticket: Ticket, begins: datetime, ends: datetime, reason: str = "requester_info") -> None:
    ticket.put_in_wait(reason, begins=begins, ends=ends, evidence="Ann’s mail of Monday")


def test_c14_a_wait_put_in_afterwards_is_counted_and_both_stay_on_record(
    cast: Cast, ticket: Ticket, doing: Doing
) -> None:
    with doing(cast.lou, NINE + 3 * H):
        put_in(ticket, NINE + H, NINE + 2 * H)
    assert clock(ticket, "resolve").due_at == NINE + 5 * H
    entry = Entry.objects.of(ticket.pk).get(kind="wait_put_in")
    assert (entry.by_name, entry.details["evidence"]) == ("Lou Lead", "Ann’s mail of Monday")


def test_c14_what_was_broken_only_by_that_time_no_longer_is(
    cast: Cast, ticket: Ticket, doing: Doing, live_until: Live
) -> None:
    live_until(NINE + 5 * H)
    assert clock(ticket, "resolve").breached_at == NINE + 4 * H + timedelta(microseconds=1)
    with doing(cast.lou, NINE + 5 * H):
        put_in(ticket, NINE + H, NINE + 3 * H)
    one = clock(ticket, "resolve")
    assert (one.breached_at, one.due_at) == (None, NINE + 6 * H)
    assert Entry.objects.of(ticket.pk).filter(kind="breached", details__metric="resolve").exists()
    live_until(NINE + 7 * H)
    assert clock(ticket, "resolve").breached_at == NINE + 6 * H + timedelta(microseconds=1)


def test_c14_what_is_still_broken_broke_later(
    cast: Cast, ticket: Ticket, doing: Doing, live_until: Live
) -> None:
    live_until(NINE + 7 * H)
    with doing(cast.lou, NINE + 7 * H):
        put_in(ticket, NINE + H, NINE + 3 * H)
    assert clock(ticket, "resolve").breached_at == NINE + 6 * H + timedelta(microseconds=1)


@pytest.mark.parametrize(("waited", "state"), [(H, "missed"), (2 * H, "met"), (3 * H, "met")])
def test_c14_what_had_ended_is_judged_again(
    cast: Cast, ticket: Ticket, doing: Doing, waited: timedelta, state: str
) -> None:
    with doing(cast.lena, NINE + 6 * H):
        ticket.resolve(code="fixed", text="Fixed.")
    with doing(cast.lou, NINE + 7 * H):
        put_in(ticket, NINE + H, NINE + H + waited)
    assert outcome(clock(ticket, "resolve")) == (state, (6 * H - waited).total_seconds())


def test_c14_time_in_which_it_stood_already_counts_once(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    with doing(cast.lena, NINE + 2 * H):
        ticket.ask("Which gateway?")
    with doing(cast.ann, NINE + 3 * H):
        ticket.hear("The blue one.", channel="email")
    with doing(cast.lou, NINE + 5 * H):
        put_in(ticket, NINE + H, NINE + 4 * H)
        put_in(ticket, NINE + H, NINE + 4 * H)
    one = clock(ticket, "resolve")
    assert one.due_at == NINE + 7 * H
    assert len(one.pauses) == 3


def test_c14_a_wait_that_still_lasts_goes_on(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    with doing(cast.lena, NINE + 2 * H):
        ticket.ask("Which gateway?")
    with doing(cast.lou, NINE + 3 * H):
        put_in(ticket, NINE + H, NINE + 3 * H)
    assert clock(ticket, "resolve").state == "paused"
    with doing(cast.ann, NINE + 4 * H):
        ticket.hear("The blue one.", channel="email")
    assert clock(ticket, "resolve").due_at == NINE + 7 * H


def test_c14_a_reason_for_which_nothing_stands_changes_nothing(
    cast: Cast, ticket: Ticket, doing: Doing
) -> None:
    before = clock(ticket, "resolve").due_at
    with doing(cast.lou, NINE + 3 * H):
        put_in(ticket, NINE + H, NINE + 2 * H, reason="vendor")
    assert clock(ticket, "resolve").due_at == before


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"evidence": " "}, "Say what shows"),
        ({"reason": "boredom"}, "not a reason to wait"),
        ({"begins": NINE + 2 * H}, "begins before it ends"),
        ({"begins": NINE - M}, "between the opening"),
        ({"ends": NINE + 4 * H}, "and now"),
    ],
    ids=["no evidence", "no reason", "ends first", "before it was opened", "in the future"],
)
def test_c14_what_cannot_have_been_is_refused(
    cast: Cast, ticket: Ticket, doing: Doing, wrong: dict[str, Any], said: str
) -> None:
    values = {"reason": "access", "begins": NINE + H, "ends": NINE + 2 * H, "evidence": "a mail"} | wrong
    with pytest.raises(UnableTo, match=said), doing(cast.lou, NINE + 3 * H):
        ticket.put_in_wait(values.pop("reason"), **values)
    assert not Entry.objects.of(ticket.pk).filter(kind="wait_put_in").exists()


def test_c14_what_is_closed_is_settled(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    with doing(cast.lena, NINE + H):
        ticket.cancel("a mistake")
    with pytest.raises(UnableTo, match="settled"), doing(cast.lou, NINE + 3 * H):
        put_in(ticket, NINE, NINE + H)


def test_c15_a_promised_date_does_not_move_while_the_ticket_waits(
    cast: Cast, ticket: Ticket, doing: Doing, live_until: Live
) -> None:
    date = berlin("2026-06-09T15:00")
    with doing(cast.lena, NINE + H):
        promise_date(ticket, date, by=cast.lena, why="told Ann on the phone")
        ticket.ask("Which gateway?")
    assert (clock(ticket, "resolve").state, clock(ticket, "date").state) == ("paused", "running")
    assert clock(ticket, "date").due_at == date
    live_until(date + M)
    with doing(cast.lou, date + M):
        put_in(ticket, NINE, NINE + H)
    assert clock(ticket, "date").breached_at == date + timedelta(microseconds=1)


def test_c16_outside_the_hours_is_no_pause(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    evening = NINE + 12 * H
    (asleep,) = [face for face in faces_of(ticket, evening) if face.name == "Resolve · client"]
    assert asleep.note == "outside hours"
    with doing(cast.lena, NINE + H):
        ticket.ask("Which gateway?")
    (paused,) = [face for face in faces_of(ticket, evening) if face.name == "Resolve · client"]
    assert paused.note == "waiting for the contact's answer"


# D. Resolution, reopening, the end


@pytest.mark.parametrize(
    ("case", "policy", "due", "why"),
    [
        ("D01", "resume", "2026-06-10T11:30", "no free clock for either side"),
        ("D02", "restart", "2026-06-10T13:30", "a new cycle"),
        ("D03", "count_through", "2026-06-08T13:00", "strict total resolution: late at the reopening"),
        ("D03b", "ignore", None, "what was kept stays kept"),
    ],
)
def test_d01_to_d03_a_reopened_ticket_counts_on_as_agreed(
    cast: Cast,
    ticket: Ticket,
    doing: Doing,
    live_until: Live,
    case: str,
    policy: str,
    due: str | None,
    why: str,
) -> None:
    agree(cast, reopen=policy)
    with doing(cast.lena, NINE + 2 * H):
        ticket.resolve(code="fixed", text="Fixed.")
    wednesday = berlin("2026-06-10T09:30")
    with doing(cast.ann, wednesday):
        ticket.hear("It is back.", channel="email")
    one = clock(ticket, "resolve")
    assert one.due_at == (due and berlin(due)), why
    assert one.state == ("met" if policy == "ignore" else "running")
    live_until(wednesday + M)
    one.refresh_from_db()
    assert (one.breached_at is not None) == (policy == "count_through")


def test_d04_after_the_window_a_rejection_opens_another_ticket(
    cast: Cast, ticket: Ticket, doing: Doing
) -> None:
    with doing(cast.lena, NINE + H):
        ticket.resolve(code="fixed", text="Fixed.")
    assert ticket.can_reopen(NINE + timedelta(days=4))
    assert not ticket.can_reopen(NINE + timedelta(days=20))


def test_d06_the_last_resolution_counts_and_the_first_is_kept(
    cast: Cast, ticket: Ticket, doing: Doing
) -> None:
    with doing(cast.lena, NINE + H):
        ticket.resolve(code="fixed", text="Fixed.")
    with doing(cast.ann, NINE + 2 * H):
        ticket.hear("It is back.", channel="email")
    with doing(cast.lena, NINE + 4 * H):
        ticket.resolve(code="fixed", text="Really.")
    assert outcome(clock(ticket, "resolve")) == ("met", 3 * 3600)
    assert (ticket.first_resolved_at, ticket.resolved_at) == (NINE + H, NINE + 4 * H)
    assert ticket.reopen_count == 1


def test_d08_closing_changes_no_outcome(cast: Cast, ticket: Ticket, doing: Doing, live_until: Live) -> None:
    with doing(cast.lena, NINE + H):
        ticket.resolve(code="fixed", text="Fixed.")
    before = outcome(clock(ticket, "resolve"))
    live_until(NINE + timedelta(days=6))
    ticket.refresh_from_db()
    assert ticket.state == "closed"
    assert outcome(clock(ticket, "resolve")) == before


def test_d08_a_major_incident_is_closed_by_hand_only(
    cast: Cast, ticket: Ticket, doing: Doing, live_until: Live
) -> None:
    with doing(cast.lou, NINE + H):
        MajorIncident.declare(ticket, by=cast.lou, why="Everybody is cut off.")
        ticket.resolve(code="fixed", text="Fixed.")
    live_until(NINE + timedelta(days=6))
    ticket.refresh_from_db()
    assert (ticket.state, ticket.wake_at) == ("resolved", None)


def test_d09_respond_runs_once_per_ticket(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    with doing(cast.lena, NINE + H):
        ticket.resolve(code="fixed", text="Fixed.")
    with doing(cast.ann, NINE + 2 * H):
        ticket.hear("It is back.", channel="email")
    assert outcome(clock(ticket, "respond")) == ("met", 3600)


# E. Another priority, contract, calendar


@pytest.mark.parametrize(
    ("case", "policy", "due", "why"),
    [
        ("E01", "decided", 2 * H, "a higher priority counts from the start"),
        ("E01b", "retroactive", 2 * H, "the same by name"),
        ("E02", "restart", 3 * H, "a new target from the change"),
    ],
)
def test_e01_e02_another_priority_has_another_target(
    cast: Cast, doing: Doing, case: str, policy: str, due: timedelta, why: str
) -> None:
    agree(cast, retarget=policy)
    for priority, target in ((3, 8 * H), (1, 2 * H)):
        promise(cast, "resolve", priority, target, always=True)
    with doing(cast.lena, NINE):
        ticket = cast.ticket()
    with doing(cast.lena, NINE + H):
        ticket.assess(impact=1, urgency=1, reason="everybody is affected")
    assert clock(ticket, "resolve").due_at == NINE + due, why


def test_e03_e04_pauses_survive_another_priority(cast: Cast, doing: Doing) -> None:
    for priority, target in ((3, 8 * H), (1, 4 * H)):
        promise(cast, "resolve", priority, target, always=True)
    with doing(cast.lena, NINE):
        ticket = cast.ticket()
    with doing(cast.lena, NINE + 30 * M):
        ticket.ask("Which gateway?")
    with doing(cast.ann, NINE + 150 * M):
        ticket.hear("The blue one.", channel="email")
    with doing(cast.lena, NINE + 3 * H):
        ticket.assess(impact=1, urgency=1, reason="everybody is affected")
    assert clock(ticket, "resolve").due_at == NINE + 6 * H


@pytest.mark.parametrize(
    ("case", "policy", "due", "why"),
    [
        ("E05a", "retroactive", "2026-06-05T20:00", "the new calendar from the start: late at the change"),
        ("E05b", "decided", "2026-06-06T13:00", "one hour of Friday stays used, three more from Saturday on"),
    ],
)
def test_e05_another_calendar_keeps_what_was_used(
    cast: Cast, doing: Doing, case: str, policy: str, due: str, why: str
) -> None:
    agree(cast, retarget=policy)
    promise(cast, "resolve", 3, 8 * H)
    promise(cast, "resolve", 1, 4 * H, always=True)
    with doing(cast.lena, berlin("2026-06-05T16:00")):
        ticket = cast.ticket()
    with doing(cast.lena, berlin("2026-06-06T10:00")):
        ticket.assess(impact=1, urgency=1, reason="everybody is affected")
    assert clock(ticket, "resolve").due_at == berlin(due), why


def test_e06_what_is_late_by_the_change_is_told_once(cast: Cast, doing: Doing) -> None:
    promise(cast, "resolve", 3, 8 * H, always=True)
    promise(cast, "resolve", 1, H, always=True)
    with doing(cast.lena, NINE):
        ticket = cast.ticket()
    with doing(cast.lena, NINE + 3 * H):
        ticket.assess(impact=1, urgency=1, reason="everybody is affected")
    run_due(NINE + 3 * H)
    run_due(NINE + 4 * H)
    (breach,) = Entry.objects.of(ticket.pk).filter(
        kind="breached", details__metric="resolve", details__party="SLA"
    )
    assert breach.at == NINE + 3 * H
    assert datetime.fromisoformat(breach.details["crossed_at"]) == NINE + H + timedelta(microseconds=1)


def test_e06_what_is_late_by_the_change_is_told_also_while_it_waits(
    cast: Cast, ticket: Ticket, doing: Doing
) -> None:
    promise(cast, "resolve", 2, 2 * H)
    with doing(cast.lena, NINE + 3 * H):
        ticket.ask("Which gateway?")
    with doing(cast.lou, NINE + 4 * H):
        ticket.override_priority(2, reason="the board meets")
    run_due(NINE + 5 * H)
    run_due(NINE + 6 * H)
    (told,) = Entry.objects.of(ticket.pk).filter(
        kind="breached", details__metric="resolve", details__party="SLA"
    )
    assert told.details["crossed_at"] == (NINE + 2 * H + timedelta(microseconds=1)).isoformat()
    assert clock(ticket, "resolve").state == "paused"


@pytest.mark.parametrize(("forgives", "state"), [(False, "missed"), (True, "met")])
def test_e07_a_breach_stands_unless_the_contract_forgives_it(
    cast: Cast, doing: Doing, live_until: Live, forgives: bool, state: str
) -> None:
    agree(cast, downgrade_allowed_after_breach=forgives)
    promise(cast, "resolve", 1, H, always=True)
    promise(cast, "resolve", 3, 8 * H, always=True)
    with doing(cast.lena, NINE):
        ticket = cast.ticket(impact=1, urgency=1)
    live_until(NINE + 2 * H)
    ticket.refresh_from_db()
    with doing(cast.lena, NINE + 3 * H):
        ticket.assess(impact=2, urgency=2, reason="only one office")
        ticket.resolve(code="fixed", text="Fixed.")
    assert clock(ticket, "resolve").state == state


def test_e07_a_breach_that_nobody_has_told_yet_stands_too(cast: Cast, doing: Doing, live_until: Live) -> None:
    promise(cast, "resolve", 1, H, always=True)
    promise(cast, "resolve", 3, 8 * H, always=True)
    with doing(cast.lena, NINE):
        ticket = cast.ticket(impact=1, urgency=1)
    with doing(cast.lena, NINE + 3 * H):
        ticket.assess(impact=2, urgency=2, reason="only one office")
    assert clock(ticket, "resolve").breached_at == NINE + H + timedelta(microseconds=1)
    live_until(NINE + 4 * H)
    told = Entry.objects.of(ticket.pk).filter(
        kind="breached", details__metric="resolve", details__party="SLA"
    )
    assert [datetime.fromisoformat(e.details["crossed_at"]) for e in told] == [
        NINE + H + timedelta(microseconds=1)
    ]


def test_e07_a_breach_before_a_wait_that_nobody_has_told_yet_is_told_while_it_waits(
    cast: Cast, ticket: Ticket, doing: Doing
) -> None:
    """The engine was down: late at 13:00, asked at 14:00, of lower priority at 15:00. It is told, and stays."""
    with doing(cast.lena, NINE + 5 * H):
        ticket.ask("Which gateway?")
    with doing(cast.lou, NINE + 6 * H):
        ticket.override_priority(4, reason="it can wait")
    run_due(NINE + 7 * H)
    one = clock(ticket, "resolve")
    assert (one.state, one.breached_at) == ("paused", NINE + 4 * H + timedelta(microseconds=1))
    (told,) = Entry.objects.of(ticket.pk).filter(kind="breached", details__clock=one.pk)
    assert told.details["crossed_at"] == one.breached_at.isoformat()


def test_e08_down_and_up_again_is_one_clock(cast: Cast, doing: Doing) -> None:
    promise(cast, "resolve", 1, 8 * H, always=True)
    with doing(cast.lena, NINE):
        ticket = cast.ticket(impact=1, urgency=1)
    with doing(cast.lena, NINE + H):
        ticket.override_priority(5, reason="a mistake")
    assert clock(ticket, "resolve").state == "cancelled"
    with doing(cast.lena, NINE + 65 * M):
        ticket.override_priority(1, reason="taken back")
    one = clock(ticket, "resolve")
    assert (one.state, one.due_at) == ("running", NINE + 8 * H)


def test_e08_a_ticket_that_was_planned_gets_its_promises(cast: Cast, doing: Doing) -> None:
    with doing(cast.lena, NINE):
        ticket = cast.ticket(impact=3, urgency=3)
    assert (ticket.priority, Clock.objects.filter(ticket=ticket).count()) == (5, 0)
    with doing(cast.lena, NINE + H):
        ticket.assess(impact=1, urgency=1, reason="everybody is affected")
    assert clock(ticket, "resolve").due_at == NINE + 4 * H
    assert clock(ticket, "acknowledge").started_at == NINE
    assert clock(ticket, "resolve", "OLA", 1).state == "running"


def test_e09_a_slip_corrected_within_minutes_counts_from_the_start(cast: Cast, doing: Doing) -> None:
    promise(cast, "resolve", 1, 4 * H, always=True)
    friday = berlin("2026-06-05T16:55")
    with doing(cast.lena, friday):
        ticket = cast.ticket()
    with doing(cast.lena, friday + 10 * M):
        ticket.assess(impact=1, urgency=1, reason="misheard")
    one = clock(ticket, "resolve")
    assert (one.due_at, one.carried_s) == (friday + 4 * H, 0)


def another_version(cast: Cast, effective: str, **changes: Any) -> ContractVersion:
    """The next edition of Acme's contract: as the first one, but for what changes."""
    first = cast.acme_contract
    promises = list(first.promises.all())
    version: ContractVersion = ContractVersion.objects.create(
        client=cast.acme,
        contract=first.contract,
        version=2,
        effective_from=date.fromisoformat(effective),
        calendar=changes.get("calendar", first.calendar),
        matrix=changes.get("matrix", first.matrix),
        channels=first.channels,
    )
    for one in promises:
        if one.metric not in changes.get("without", ()):
            target = changes.get("target_s", one.target_s) if one.metric == "resolve" else one.target_s
            calendar = changes.get("calendar", one.calendar)
            one.pk, one.contract_version, one.target_s, one.calendar = None, version, target, calendar
            one.save()
    return version


def test_e10_a_ticket_keeps_the_version_it_was_opened_under(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    another_version(cast, "2026-06-09", target_s=3600)
    assert version_in_force(cast.acme.pk, date(2026, 6, 8)) == cast.acme_contract
    with doing(cast.lena, berlin("2026-06-09T09:30")):
        ticket.assess(impact=2, urgency=2, reason="looked at again")
    assert clock(ticket, "resolve").target_s == 4 * 3600


def test_e11_another_target_applies_to_running_clocks_only_when_somebody_says_so(
    cast: Cast, ticket: Ticket, doing: Doing
) -> None:
    version = another_version(cast, "2026-06-08", target_s=2 * 3600)
    assert clock(ticket, "resolve").due_at == NINE + 4 * H
    with doing(cast.lou, NINE + H):
        ticket.change_terms(version, why="agreed with the client")
    assert clock(ticket, "resolve").due_at == NINE + 2 * H
    entry = Entry.objects.of(ticket.pk).get(kind="terms_changed")
    assert (entry.details["before"], entry.details["after"]) == (cast.acme_contract.pk, version.pk)
    assert (entry.by_name, entry.details["why"]) == ("Lou Lead", "agreed with the client")


def test_e11_the_matrix_of_the_other_version_prioritises(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    matrix = {**cast.acme_contract.matrix, "2": {"1": 1, "2": 1, "3": 1}}
    version = another_version(cast, "2026-06-08", matrix=matrix)
    assert ticket.priority == 3
    with doing(cast.lou, NINE + H):
        ticket.change_terms(version, why="agreed with the client")
    assert (ticket.priority, clock(ticket, "resolve").priority) == (1, 1)


def test_e11_terms_are_of_the_ticket_s_client_and_change_for_a_reason(
    cast: Cast, ticket: Ticket, doing: Doing
) -> None:
    for version, why, said in (
        (cast.borealis_contract, "a mistake", "not of the ticket’s client"),
        (cast.acme_contract, " ", "Say why"),
    ):
        with pytest.raises(UnableTo, match=said), doing(cast.lou, NINE + H):
            ticket.change_terms(version, why=why)


def test_e12_a_ticket_of_another_client_counts_for_that_one_from_the_start_and_for_each_once(
    cast: Cast, ticket: Ticket, doing: Doing
) -> None:
    """Berlin's clocks are left out of Acme's figures, New York's begin with the ticket."""
    with doing(cast.lena, NINE + H):
        ticket.take(cast.lena)
    with doing(cast.lena, NINE + 2 * H):
        move_to_client(Ticket.objects.get(pk=ticket.pk), cast.borealis, by=cast.lena, why="Bob works there")
    old = Clock.objects.filter(ticket=ticket, client=cast.acme)
    assert {(one.state, one.elapsed_s) for one in old} == {("cancelled", 0.0)}
    new = Clock.objects.filter(ticket=ticket, client=cast.borealis, party="SLA")
    assert {(one.metric, one.state, one.started_at) for one in new} == {
        ("acknowledge", "met", NINE),
        ("respond", "running", NINE),
        ("resolve", "running", NINE),
    }
    with doing(cast.lena, NINE + 8 * H):
        Ticket.objects.get(pk=ticket.pk).resolve(code="fixed", text="It works.")
    month = (berlin("2026-06-01T00:00"), berlin("2026-07-01T00:00"))
    for client, line in ((cast.acme, (0, 0, 1)), (cast.borealis, (1, 0, 0))):
        seen = attainment(cast.lou.user, *month, month[1], client=client).of("SLA")["resolve", None, 3]
        assert (seen.kept, seen.missed, seen.left_out) == line


def test_e13_what_becomes_an_incident_counts_as_one_from_the_start(
    cast: Cast, ticket: Ticket, doing: Doing
) -> None:
    """A request that was acknowledged in time: as an incident it was not, and its own clocks count in no figure."""
    usual = cast.acme_contract
    requests = Contract.objects.create(client=cast.acme, key="requests", name="Requests", type="request")
    agreed = ContractVersion.objects.create(
        client=cast.acme,
        contract=requests,
        version=1,
        effective_from=usual.effective_from,
        calendar=cast.office,
        matrix=usual.matrix,
    )
    for metric, target in (("acknowledge", 8 * H), ("resolve", 40 * H)):
        Promise.objects.create(
            client=cast.acme,
            contract_version=agreed,
            metric=metric,
            priority=3,
            target_s=target.total_seconds(),
            calendar=cast.office,
        )
    with doing(cast.lena, NINE):
        ticket = cast.ticket(type="request")
    with doing(cast.lena, NINE + 5 * H):
        ticket.take(cast.lena)
    assert outcome(clock(ticket, "acknowledge")) == ("met", 5 * 3600)
    with doing(cast.lena, NINE + 6 * H):
        ticket.retype("incident", why="the gateway is down")
    old, new = clocks(ticket, "acknowledge")
    assert (old.state, outcome(new)) == ("cancelled", ("missed", 5 * 3600))
    assert new.breached_at == NINE + 4 * H + timedelta(microseconds=1)
    old, new = clocks(ticket, "resolve")
    assert (old.state, new.state, new.started_at, new.due_at) == ("cancelled", "running", NINE, NINE + 4 * H)
    assert (old.has_breached(NINE + 6 * H), new.has_breached(NINE + 6 * H)) == (False, True)


def test_e14_what_is_no_longer_promised_is_cancelled_and_tells_nobody(
    cast: Cast, ticket: Ticket, doing: Doing, live_until: Live
) -> None:
    version = another_version(cast, "2026-06-08", without=("acknowledge", "respond", "resolve"))
    with doing(cast.lou, NINE + H):
        ticket.change_terms(version, why="the contract ended")
    assert set(Clock.objects.filter(ticket=ticket).values_list("state", flat=True)) == {"cancelled"}
    live_until(NINE + timedelta(days=9))
    assert not Entry.objects.of(ticket.pk).filter(kind__in=["warned", "breached"]).exists()


def test_b16_another_calendar_version_counts_from_its_day_and_what_was_used_stays(
    cast: Cast, ticket: Ticket, doing: Doing
) -> None:
    with doing(cast.lena, NINE + H):
        ticket.take(cast.lena)
    version = another_version(cast, "2026-06-08", calendar=cast.borealis_contract.calendar)
    with doing(cast.lou, NINE + 2 * H):
        ticket.change_terms(version, why="moved to New York")
    one = clock(ticket, "resolve")
    assert (one.carried_s, one.counting_from) == (2 * 3600, NINE + 2 * H)
    assert one.due_at == datetime(2026, 6, 8, 15, 0, tzinfo=UTC)
    ended = clock(ticket, "acknowledge")
    assert (ended.calendar, ended.state) == (cast.office, "met")


def test_e15_the_database_keeps_one_definition_per_promise(cast: Cast) -> None:
    twin = cast.acme_contract.promises.filter(metric="resolve", party="SLA")[0]
    twin.pk, twin.target_s = None, 60
    with pytest.raises(IntegrityError, match="one_promise_per_metric"), transaction.atomic():
        twin.save()


# F. Acknowledge and respond


def test_f01_f02_receipts_and_notes_are_no_response(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    with doing(cast.lena, NINE + H):
        ticket.note("Looks like the gateway.")
    assert clock(ticket, "respond").state == "running"


@pytest.mark.parametrize(("counts", "state"), [([], "running"), (["alarms"], "met")])
def test_f04_taking_notice_of_an_alarm_is_a_response_only_where_agreed(
    cast: Cast, doing: Doing, counts: list[str], state: str
) -> None:
    agree(cast, ack_counts=counts)
    with doing(cast.lena, NINE):
        ticket = cast.ticket(channel="alarms", contact=None)
    with doing(cast.lena, NINE + H):
        ticket.take(cast.lena)
    assert clock(ticket, "respond").state == state


def test_f05_the_second_line_may_respond_before_the_first(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    with doing(cast.tom, NINE + H):
        ticket.hand_over(cast.ops, why="skill")
        ticket.reply("We see it.")
    assert clock(ticket, "respond").state == "met"
    assert Entry.objects.of(ticket.pk).get(kind="acknowledged").tier == 2


def test_f08_the_resolution_is_the_response_if_there_was_none(
    cast: Cast, ticket: Ticket, doing: Doing
) -> None:
    with doing(cast.lena, NINE + H):
        ticket.resolve(code="fixed", text="Fixed.")
    assert outcome(clock(ticket, "respond")) == ("met", 3600)


def test_f09_what_the_client_withdraws_is_neither_met_nor_missed(
    cast: Cast, ticket: Ticket, doing: Doing
) -> None:
    with doing(cast.lena, NINE + H):
        ticket.cancel("withdrawn")
    assert set(Clock.objects.filter(ticket=ticket).values_list("state", flat=True)) == {"cancelled"}


# G. Update


def informed(cast: Cast, ticket: Ticket, doing: Doing, *minutes: int) -> None:
    for minute in minutes:
        with doing(cast.lena, NINE + minute * M):
            ticket.reply("Still on it.")


def test_g01_the_cadence_counts_from_our_last_words(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    promise(cast, "update", 3, 30 * M)
    informed(cast, ticket, doing, 60, 80, 125)
    first, second, third = clocks(ticket, "update")
    assert outcome(first) == ("met", 20 * 60)
    assert outcome(second) == ("missed", 45 * 60)
    assert second.breached_at == NINE + 110 * M + timedelta(microseconds=1)
    assert third.due_at == NINE + 155 * M


def test_g02_the_later_of_two_posts_restarts_the_cadence(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    promise(cast, "update", 3, 30 * M)
    informed(cast, ticket, doing, 60, 61)
    assert [one.due_at for one in clocks(ticket, "update")] == [None, NINE + 91 * M]


def test_g03_by_reply_the_oldest_unanswered_words_count(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    agree(cast, update="reply")
    promise(cast, "update", 3, 30 * M)
    informed(cast, ticket, doing, 10)
    assert clocks(ticket, "update") == []
    for minute in (60, 100):
        with doing(cast.ann, NINE + minute * M):
            ticket.hear("And now?", channel="email")
    informed(cast, ticket, doing, 120)
    assert outcome(clock(ticket, "update")) == ("missed", 3600)


@pytest.mark.parametrize("mode", ["cadence", "reply"])
def test_g04_nobody_is_kept_informed_before_the_first_response(
    cast: Cast, ticket: Ticket, doing: Doing, mode: str
) -> None:
    agree(cast, update=mode)
    with doing(cast.ann, NINE + 10 * M):
        ticket.hear("Hello?", channel="email")
    assert clocks(ticket, "update") == []


@pytest.mark.parametrize(("mode", "states"), [("cadence", ["paused"]), ("reply", [])])
def test_g05_while_we_wait_for_an_answer_we_owe_none(
    cast: Cast, ticket: Ticket, doing: Doing, mode: str, states: list[str]
) -> None:
    agree(cast, update=mode)
    with doing(cast.lena, NINE + 10 * M):
        ticket.ask("Which gateway?")
    assert [one.state for one in clocks(ticket, "update")] == states


def test_g07_a_solution_ends_the_cadence_without_keeping_it(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    informed(cast, ticket, doing, 10)
    with doing(cast.lena, NINE + H):
        ticket.resolve(code="fixed", text="Fixed.")
    assert clock(ticket, "update").state == "cancelled"


def test_g06_one_broadcast_is_an_update_to_each_of_forty_children(cast: Cast, doing: Doing) -> None:
    agree(cast)
    with doing(cast.ann, NINE):
        opened = [cast.ticket(impact=1, urgency=1) for _ in range(41)]
    with doing(cast.lena, NINE + 10 * M):
        for one in opened:
            one.reply("We look at it.")
    incident, children = outage(cast, doing, opened, at=NINE + 20 * M)
    with doing(cast.tom, NINE + 50 * M):
        incident.broadcast("The gateway is being replaced.", by=cast.tom)
    run_due(NINE + 50 * M)
    for one in [incident.ticket, *children]:
        kept, running = clocks(one, "update")
        assert (kept.state, kept.stopped_at) == ("met", NINE + 50 * M)
        assert (running.state, running.due_at) == ("running", NINE + 110 * M)


# H. Assignment, tiers, OLA


def test_h01_a_hand_over_stops_one_tier_and_starts_the_other(
    cast: Cast, ticket: Ticket, doing: Doing
) -> None:
    with doing(cast.lena, NINE + H):
        ticket.hand_over(cast.ops, why="skill")
    assert clock(ticket, "resolve").due_at == NINE + 4 * H
    assert clock(ticket, "resolve", "OLA", 1).remaining(NINE + 3 * H) == 3 * H
    assert clock(ticket, "resolve", "OLA", 2).started_at == NINE + H


def test_h03_another_agent_of_the_team_changes_no_clock(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    with doing(cast.lena, NINE + H):
        ticket.take(cast.lena)
    before = [(c.pk, c.state, c.due_at) for c in Clock.objects.filter(ticket=ticket).order_by("id")]
    with doing(cast.lena, NINE + 2 * H):
        ticket.assign(cast.lou)
    assert [(c.pk, c.state, c.due_at) for c in Clock.objects.filter(ticket=ticket).order_by("id")] == before


def test_h04_an_idle_queue_is_charged_to_the_team_that_holds_it(
    cast: Cast, ticket: Ticket, doing: Doing
) -> None:
    with doing(cast.lena, NINE + H):
        ticket.hand_over(cast.ops, why="skill")
    assert ticket.assignee is None
    assert clock(ticket, "resolve", "OLA", 2).course.elapsed(NINE + 3 * H) == 2 * H


# I. Duplicates, parents


def test_i01_a_duplicate_s_clocks_are_cancelled(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    with doing(cast.lena, NINE + H):
        twin = cast.ticket()
    with doing(cast.lena, NINE + 2 * H):
        twin.cancel("the same trouble", duplicate_of=ticket)
    assert set(Clock.objects.filter(ticket=twin).values_list("state", flat=True)) == {"cancelled"}
    assert clock(ticket, "resolve").due_at == NINE + 4 * H


def outage(
    cast: Cast, doing: Doing, opened: list[Ticket], *, at: datetime
) -> tuple[MajorIncident, list[Ticket]]:
    """The first of these tickets is a major incident, led by Tom, and the others follow it."""
    parent, *children = (Ticket.objects.get(pk=one.pk) for one in opened)
    with doing(cast.lou, at):
        incident = MajorIncident.declare(
            parent, by=cast.lou, why="Everybody is cut off.", manager=cast.tom, every_min=30
        )
        incident.link([child.pk for child in children])
    return incident, children


@pytest.fixture
def thirty_one(cast: Cast, doing: Doing) -> list[Ticket]:
    """P3s of one outage, opened a minute apart from Monday 09:00 on; the last is Bob's."""
    opened = []
    for minute in range(31):
        with doing(cast.ann, NINE + minute * M):
            client = {"client": cast.borealis, "contact": cast.bob} if minute == 30 else {}
            opened.append(cast.ticket(**client))
    return opened


def test_i02_thirty_tickets_of_one_outage_have_their_own_clocks_and_are_solved_with_it(
    cast: Cast, thirty_one: list[Ticket], doing: Doing
) -> None:
    incident, children = outage(cast, doing, thirty_one, at=NINE + H)
    with doing(cast.tom, NINE + 2 * H):
        incident.ticket.resolve(code="fixed", text="The gateway works again.")
    run_due(NINE + 2 * H)
    for minute, child in enumerate(children[:-1], 1):
        child.refresh_from_db()
        assert (child.state, child.resolution_code) == ("resolved", "fixed")
        told = child.messages.get(direction="outbound")
        assert (told.text, told.by_name) == ("The gateway works again.", "Tom Tran")
        assert outcome(clock(child, "respond")) == ("met", (120 - minute) * 60), "from its own opening"
    theirs = children[-1]
    theirs.refresh_from_db()
    assert (theirs.state, clock(theirs, "respond").elapsed_s) == ("resolved", 0), "New York was closed"


def test_i03_a_parent_reopened_by_an_agent_takes_its_children_along(
    cast: Cast, thirty_one: list[Ticket], doing: Doing
) -> None:
    incident, children = outage(cast, doing, thirty_one, at=NINE + H)
    with doing(cast.tom, NINE + 2 * H):
        incident.ticket.resolve(code="fixed", text="The gateway works again.")
    run_due(NINE + 2 * H)
    with doing(cast.tom, NINE + 3 * H):
        incident.ticket.reopen("It is down again.")
    run_due(NINE + 3 * H)
    for child in children:
        child.refresh_from_db()
        assert (child.state, child.pending_reason) == ("pending", "major_parent")
    first = clock(children[0], "resolve")
    assert (first.state, first.due_at) == ("running", NINE + timedelta(days=3) + H + M), (
        "the time between is free"
    )


def test_i03_a_parent_reopened_by_its_contact_comes_back_alone(
    cast: Cast, thirty_one: list[Ticket], doing: Doing
) -> None:
    incident, children = outage(cast, doing, thirty_one, at=NINE + H)
    with doing(cast.tom, NINE + 2 * H):
        incident.ticket.resolve(code="fixed", text="The gateway works again.")
    run_due(NINE + 2 * H)
    with doing(cast.ann, NINE + 3 * H):
        incident.ticket.hear("Not here.", channel="email")
    run_due(NINE + 3 * H)
    assert incident.ticket.state == "open"
    assert {Ticket.objects.get(pk=child.pk).state for child in children} == {"resolved"}


def test_i05_an_incident_with_a_problem_behind_it_runs_until_the_service_is_back(
    cast: Cast, ticket: Ticket, doing: Doing
) -> None:
    before = list(Clock.objects.filter(ticket=ticket).order_by("id").values())
    with doing(cast.kira, NINE + H):
        problem = Problem.open_for(ticket, title="The gateway drops tunnels", why="third time", by=cast.kira)
    assert list(Clock.objects.filter(ticket=ticket).order_by("id").values()) == before
    with doing(cast.lena, NINE + 2 * H):
        problem.hold(ticket)
    assert (clock(ticket, "resolve").state, clock(ticket, "resolve").due_at) == ("running", NINE + 4 * H)
    with doing(cast.lena, NINE + 3 * H):
        ticket.resolve(code="workaround", text="Use the other gateway.")
    assert outcome(clock(ticket, "resolve")) == ("met", 3 * 3600)
    problem.refresh_from_db()
    assert (problem.state, [one.ticket for one in problem.occurrences.all()]) == ("logged", [ticket])


# J. Precision, order, skew

FOUR_HOURS = 4 * H


@pytest.mark.parametrize(
    ("case", "used", "met", "why"),
    [
        ("J01", FOUR_HOURS - timedelta(milliseconds=1), True, "a millisecond less"),
        ("J02", FOUR_HOURS, True, "exactly"),
        ("J03", FOUR_HOURS + timedelta(milliseconds=1), False, "a millisecond more"),
        ("J04", FOUR_HOURS * 0.99951, True, "99.951 % is not rounded to 100"),
    ],
)
def test_j01_to_j04_met_is_no_more_than_the_target(
    cast: Cast, ticket: Ticket, doing: Doing, case: str, used: timedelta, met: bool, why: str
) -> None:
    with doing(cast.lena, NINE + used):
        ticket.resolve(code="fixed", text="Fixed.")
    assert clock(ticket, "resolve").state == ("met" if met else "missed"), why


def test_c05_c06_a_pause_never_cures() -> None:
    from tierdesk.directory.calendars.hours import Hours

    office = Hours(tz="Europe/Berlin", week=dict.fromkeys(range(5), (("09:00", "17:00"),)))
    exactly = Course(office, NINE, FOUR_HOURS, pauses=((NINE + 4 * H, NINE + 5 * H),))
    assert exactly.is_met(NINE + 5 * H)
    assert exactly.breaches_at() == NINE + 5 * H + timedelta(microseconds=1)
    late = Course(office, NINE, FOUR_HOURS, pauses=((NINE + 4 * H + timedelta(seconds=1), None),))
    assert not late.is_met(NINE + 5 * H)
    assert late.crossed_at(NINE + 5 * H) == NINE + 4 * H + timedelta(microseconds=1)


def test_j05_what_was_received_before_counts_from_then_and_never_less_than_nothing(
    cast: Cast, doing: Doing
) -> None:
    with doing(cast.lena, NINE + H):
        ticket = Ticket.open(Draft(client=cast.acme, subject="VPN", text="Help", channel="email", at=NINE))
    one = clock(ticket, "acknowledge")
    assert one.started_at == NINE
    assert one.course.elapsed(NINE - H) == timedelta(0)


def test_j06_a_mail_counts_from_when_it_was_received(cast: Cast, doing: Doing) -> None:
    with doing(cast.lena, NINE + 3 * H):
        ticket = Ticket.open(
            Draft(client=cast.acme, subject="VPN", text="Help", channel="email", at=NINE + H)
        )
    assert clock(ticket, "acknowledge").due_at == NINE + 5 * H


def test_j07_facts_of_one_instant_are_in_order(cast: Cast, ticket: Ticket, doing: Doing) -> None:
    with doing(cast.lena, NINE + H):
        ticket.ask("Which gateway?")
        ticket.resume("found it myself")
    one = clock(ticket, "resolve")
    assert (one.state, one.due_at) == ("running", NINE + 4 * H)


def test_j09_after_an_outage_each_threshold_is_told_once_with_its_true_instant(
    cast: Cast, ticket: Ticket
) -> None:
    for late in (6 * H, 6 * H + M):
        run_due(NINE + late)
    told = Entry.objects.of(ticket.pk).filter(details__metric="resolve", details__party="SLA")
    assert [(e.kind, datetime.fromisoformat(e.details["crossed_at"])) for e in told] == [
        ("breached", NINE + 4 * H + timedelta(microseconds=1))
    ]


def test_b15_the_contract_s_calendar_decides_whatever_the_contact_s_zone(cast: Cast, doing: Doing) -> None:
    with doing(cast.lena, berlin("2026-06-08T14:00")):
        ticket = cast.ticket(client=cast.borealis, contact=cast.bob)
    assert clock(ticket, "acknowledge").due_at == datetime(2026, 6, 8, 17, 0, tzinfo=UTC)


def test_j12_outside_the_hours_of_a_contract_nobody_is_told_of_a_promise(
    cast: Cast, doing: Doing, live_until: Live
) -> None:
    """Not by suppressing anything: working time passes in working hours alone, so no moment of it lies outside."""
    cast.acme_contract.rungs = [
        {"at": at, "tell": ["managers"]} for at in ("50 %", "1 h before", "3 h after")
    ]
    cast.acme_contract.save(update_fields=["rungs"])
    for opened in (berlin("2026-06-05T16:30"), berlin("2026-06-06T11:00"), berlin("2026-06-08T02:00")):
        with doing(cast.ann, opened):
            cast.ticket()
    live_until(NINE + timedelta(days=14))
    kinds = ("warned", "breached", "rung_reached", "hierarchy_told")
    told = Entry.objects.filter(kind__in=kinds, details__party="SLA").values_list("at", flat=True)
    hierarchy = Entry.objects.filter(kind="hierarchy_told").values_list("at", flat=True)
    hours = cast.office.hours
    assert len(told) > 20
    assert [at for at in (*told, *hierarchy) if not hours.is_open(at) and not hours.is_open(at - M)] == []
