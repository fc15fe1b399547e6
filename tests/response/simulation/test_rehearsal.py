"""What would happen, told in advance: it leaves no trace, and it tells of every hole."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.apps import apps

from tests.cast import Cast
from tests.response.paging.conftest import on_call, publish, schedule
from tierdesk.channels.chat.models import Conversation
from tierdesk.channels.email.models import Collection, Vigil
from tierdesk.channels.phone.models import Call
from tierdesk.core.wakeups import Wakeup, wakeups
from tierdesk.directory.calendars.models import Calendar, CalendarVersion
from tierdesk.directory.clients.models import Client
from tierdesk.directory.oncall.models import Schedule
from tierdesk.directory.staff.models import Agent, Membership, Team
from tierdesk.learning.problems.recurrences import Recurrence
from tierdesk.response.major.models import MajorIncident, ReviewAction
from tierdesk.response.paging.ways import Way
from tierdesk.response.shifts.models import ShiftHandOver
from tierdesk.response.simulation.rehearsal import its_wakeups
from tierdesk.response.simulation.situation import Asked, NotASituation, moment, read
from tierdesk.response.simulation.telling import Answer, what_happens
from tierdesk.response.tiers.consultations import Consultation
from tierdesk.response.tiers.models import Procedure
from tierdesk.response.triage.models import Route
from tierdesk.response.vendors.models import Case
from tierdesk.response.waiting.models import Wait
from tierdesk.tickets.models import Ticket

__all__ = ["on_call"]

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 6, 8, 8, tzinfo=UTC)
NIGHT = "2026-12-25T03:10"


def asked(**told: str) -> Answer:
    words = {"client": "ACME", "at": NIGHT} | told
    return what_happens(read(Asked(**words), clients=Client.objects.all()))


def events(answer: Answer, kind: str) -> list[tuple[float, tuple[str, ...]]]:
    """(minutes after it came in, whom), in order."""
    begins = answer.situation.at
    return [
        (round((e.at - begins).total_seconds() / 60, 3), e.people) for e in answer.events if e.kind == kind
    ]


def hole(answer: Answer, *words: str) -> bool:
    return any(all(word in sentence for word in words) for sentence in answer.holes)


def rows() -> dict[str, int]:
    models = (model for model in apps.get_models() if model.__module__.startswith("tierdesk."))
    return {model.__name__: model._base_manager.count() for model in models}


def test_it_leaves_no_row_and_uses_up_no_number(cast: Cast, on_call: None, doing: Any) -> None:
    publish(repeat=1)
    with doing(cast.lena):
        last = cast.ticket()
    before = rows()
    assert asked().pages == 8
    assert rows() == before
    with doing(cast.lena):
        assert cast.ticket().pk == last.pk + 1


def test_a_fault_in_the_middle_leaves_none_either(
    cast: Cast, on_call: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish()
    before = rows()
    monkeypatch.setattr("tierdesk.response.simulation.rehearsal._read", lambda lived: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        asked()
    assert rows() == before


def test_it_tells_who_is_called_when_and_what_breaks(cast: Cast, on_call: None) -> None:
    publish(repeat=1)
    answer = asked()
    once = [(0, ("Lena Lang",)), (5, ("Lena Lang", "Lou Lead")), (10, ("Tom Tran",))]
    assert events(answer, "page") == [*once, *((at + 15, who) for at, who in once)]
    assert events(answer, "paging_exhausted") == [(30, ())]
    broken = [(e.at - answer.situation.at, e.text) for e in answer.events if e.kind == "breached"]
    assert sorted((round(after.total_seconds() / 60), text) for after, text in broken) == [
        (15, "broken: acknowledge (promise to the client)"),
        (30, "broken: resolve (own time of L1)"),
        (30, "broken: respond (promise to the client)"),
        (240, "broken: resolve (promise to the client)"),
    ]
    assert answer.cut_at is None


def test_a_closed_calendar_is_said_with_its_next_opening(cast: Cast) -> None:
    answer = asked(priority="3")
    assert dict(answer.ground)["Desk"] == "closed until Fri 25 Dec, 09:00 (Europe/Berlin)"
    resolve = next(clock for clock in answer.clocks if clock.name == "resolve (promise to the client)")
    assert resolve.waits and resolve.opens_at == datetime(2026, 12, 25, 8, tzinfo=UTC)
    assert resolve.due_at == datetime(2026, 12, 29, 16, tzinfo=UTC), "24 h of office hours, Friday to Tuesday"


def test_a_client_that_performs_the_first_tier_hands_its_tickets_to_the_second(cast: Cast) -> None:
    cast.acme_contract.performers = {"1": "client", "2": "us"}
    cast.acme_contract.save(update_fields=["performers"])
    answer = asked()
    assert dict(answer.ground)["Who performs"] == "L1 the client, L2 us"
    assert any("goes to Operations" in event.text for event in answer.events)
    assert not hole(answer, "is performed by the client")


def test_a_route_that_ignores_who_performs_the_tier_is_a_hole(cast: Cast) -> None:
    cast.acme_contract.performers = {"1": "client", "2": "us"}
    cast.acme_contract.save(update_fields=["performers"])
    Route.objects.create(team=cast.desk)
    assert hole(asked(), "L1 is performed by the client", "Service Desk")


def test_the_way_up_names_procedure_reason_gate_and_teams(cast: Cast) -> None:
    Procedure.publish(
        "up", name="Up", from_tier=1, client=cast.acme, spec={"required": ["symptom"], "needs_book": True}
    )
    way = dict(asked(category="network/vpn").way_up)
    assert way["Procedure"] == "Up v1: the client’s own, for L1"
    assert way["From L1 to"] == "Operations (L2), Platform Experts (L3)"
    assert way["The gate asks"] == "What goes wrong, in one sentence?"
    assert way["A book is followed first"] == "no book matches, so none is asked for"


def test_a_step_that_hands_on_moves_it_with_its_clocks(cast: Cast, on_call: None) -> None:
    publish(steps=[{"after": 0, "page": ["schedule:l1"]}, {"after": 600, "hand": "L2"}])
    answer = asked()
    assert events(answer, "handed_over") == [(10, ())]
    assert any("Operations has 30 working minutes" in event.text for event in answer.events)
    began = {clock.name: clock.starts_at for clock in answer.clocks}
    assert (began["resolve (own time of L2)"] - answer.situation.at).total_seconds() == 600


def test_what_a_repeat_finds_handed_on_is_no_hole(cast: Cast, on_call: None) -> None:
    publish(steps=[{"after": 0, "page": ["schedule:l1"]}, {"after": 600, "hand": "L2"}], repeat=1)
    answer = asked()
    assert events(answer, "handed_over") == [(10, ())]
    passed = [event.text for event in answer.events if event.kind == "step_passed_over"]
    assert passed == ["step 2 is passed over: the ticket has been handed on already"]
    assert not any("cannot hand it" in said for said in answer.holes)


# -- holes


def test_a_hand_that_leads_nowhere_names_the_team_and_ends_in_one_full_stop(
    cast: Cast, on_call: None
) -> None:
    publish(steps=[{"after": 0, "page": ["schedule:l1"]}, {"after": 600, "hand": "team:desk2"}])
    second = Team.objects.create(key="desk2", name="Second desk", tier=1, serves_every_client=True)
    Membership.objects.create(team=second, agent=cast.lou)
    assert "The policy cannot hand it to Second desk: An escalation goes to a higher tier." in asked().holes


def test_a_desk_without_holes_has_none(cast: Cast, on_call: None) -> None:
    publish(when_exhausted=["team:ops"])
    for agent in (cast.lena, cast.lou, cast.tom):
        Way.objects.create(agent=agent, kind="sms", address=f"+4930{agent.pk:06}", verified_at=NOW)
    assert asked().holes == []


def test_whoever_has_proved_no_number_is_called_by_mail_alone(cast: Cast, on_call: None) -> None:
    publish()
    assert hole(asked(), "Lena Lang, Lou Lead, Tom Tran are called by mail alone")


def test_whoever_is_called_and_does_not_serve_the_client_is_a_hole(cast: Cast, on_call: None) -> None:
    """Olga serves Borealis alone: her page's link would open nothing."""
    publish(steps=[{"after": 0, "page": ["schedule:l1", "user:olga@desk.example"]}])
    answer = asked()
    assert hole(answer, "Olga", "does not serve Acme GmbH")
    assert not hole(answer, "Lena", "does not serve")


def test_a_way_that_waits_is_told_at_its_own_instant(cast: Cast, on_call: None) -> None:
    publish(steps=[{"after": 0, "page": ["schedule:l1"]}])
    Way.objects.create(agent=cast.lena, kind="sms", address="+49301234509", verified_at=NOW, wait_s=120)
    answer = asked()
    assert events(answer, "page") == [(0, ("Lena Lang",)), (2, ("Lena Lang",))]
    told = [event.text for event in answer.events if event.kind == "page"]
    assert [words.rpartition(" by ")[2] for words in told] == ["mail", "SMS"]


def test_nobody_on_call_is_a_hole_with_what_follows(cast: Cast, on_call: None) -> None:
    Schedule.objects.create(key="night", name="Night", team=cast.desk)
    publish(steps=[{"after": 0, "page": ["schedule:night"]}])
    answer = asked()
    assert hole(answer, "Nobody is on call for Night when", "nobody has a shift later either")
    assert not events(answer, "page")


def test_a_page_held_for_the_next_shift_leaves_when_that_begins(cast: Cast) -> None:
    schedule("l1", cast.desk, cast.lena, calendar=cast.office.calendar)
    publish(steps=[{"after": 0, "page": ["schedule:l1"]}])
    answer = asked()
    assert events(answer, "nobody_on_call") == [(0, ())]
    assert events(answer, "page") == [(350, ("Lena Lang",))], "at nine in the morning"


def test_no_policy_for_an_urgent_ticket_is_a_hole(cast: Cast) -> None:
    assert hole(asked(), "No paging policy is for a P1 of Service Desk")
    assert not hole(asked(priority="4"), "No paging policy")


def test_an_empty_team_is_a_hole(cast: Cast) -> None:
    Membership.objects.filter(team=cast.ops).delete()
    assert hole(asked(), "Nobody of Operations is there")


def test_a_tier_without_a_team_is_a_hole(cast: Cast) -> None:
    cast.ops.delete()
    assert hole(asked(), "No L2 team serves Acme GmbH", "leads to L3 at once")


def test_no_contract_is_a_hole_and_no_clock_runs(cast: Cast) -> None:
    answer = asked(at="2025-12-25T03:10")
    assert hole(answer, "No contract of Acme GmbH holds on that day")
    assert answer.clocks == []


def test_a_channel_that_was_not_agreed_is_a_hole(cast: Cast) -> None:
    assert hole(asked(channel="chat"), "does not name this channel (chat)")
    assert not hole(asked(), "does not name this channel")


def test_a_rung_of_nobody_is_a_hole(cast: Cast) -> None:
    Procedure.publish(
        "told", name="Told", kind="hierarchical", spec={"ladder": [{"at": 75, "tell": ["duty:nowhere"]}]}
    )
    assert hole(asked(), "Nobody would be told when", "is about to be broken")


def test_a_rung_of_an_assignee_alone_is_a_hole_while_nobody_has_it(cast: Cast) -> None:
    ladder = [{"at": 75, "tell": ["assignee"]}, {"at": 100, "tell": ["managers"]}]
    Procedure.publish("told", name="Told", kind="hierarchical", spec={"ladder": ladder})
    assert hole(asked(), "While nobody has taken it", "is about to be broken")


# -- what is asked


@pytest.mark.parametrize(
    ("text", "instant", "note"),
    [
        ("2026-12-25T03:10", "2026-12-25T02:10", ""),
        ("2026-12-25 03:10", "2026-12-25T02:10", ""),
        ("2026-03-29T02:30", "2026-03-29T01:30", "skip 02:30: it is read as 03:30"),
        (
            "2026-10-25T02:30",
            "2026-10-25T00:30",
            "02:30 comes twice, and the first is meant. For the second, ask for 01:30",
        ),
        ("2026-10-25T02:30+01:00", "2026-10-25T01:30", ""),
        ("2026-10-25T01:59", "2026-10-24T23:59", ""),
        ("2026-10-25T03:00", "2026-10-25T02:00", ""),
    ],
    ids=["plain", "space", "gap", "twice", "second", "before", "after"],
)
def test_a_local_time_is_read_as_everywhere_else(text: str, instant: str, note: str) -> None:
    at, notes = moment(text, BERLIN)
    assert at == datetime.fromisoformat(instant).replace(tzinfo=UTC)
    assert note in " ".join(notes) if note else notes == []


@pytest.mark.parametrize(
    ("told", "field", "words"),
    [
        ({"client": "NOBODY"}, "client", "by the client’s key: ACME, BOR."),
        ({"at": "soon"}, "at", "such as 2026-12-25T03:10"),
        ({"at": "9999-12-31T23:59"}, "at", "Say when"),
        ({"zone": "Europe/Nowhere"}, "zone", "no such time zone"),
        ({"zone": "../../etc/passwd"}, "zone", "no such time zone"),
        ({"priority": "0"}, "priority", "from 1 to 5"),
        ({"service": "yacht"}, "service", "choose of: mail, vpn."),
        ({"category": "yacht"}, "category", "no such category"),
        ({"channel": "pigeon"}, "channel", "Choose a channel"),
    ],
    ids=["client", "at", "far", "zone", "path", "priority", "service", "category", "channel"],
)
def test_nonsense_is_refused_in_words(cast: Cast, told: dict[str, str], field: str, words: str) -> None:
    with pytest.raises(NotASituation) as refused:
        asked(**told)
    assert words in refused.value.wrong[field]


def test_a_priority_that_the_matrix_does_not_know_is_refused(cast: Cast) -> None:
    version = cast.acme_contract
    version.matrix = {impact: dict.fromkeys(row, 2) for impact, row in version.matrix.items()}
    version.save(update_fields=["matrix"])
    with pytest.raises(NotASituation, match="no impact and urgency make a P5"):
        asked(priority="5")


@pytest.mark.parametrize("priority", "12345")
def test_every_priority_comes_in_as_that_priority(cast: Cast, priority: str) -> None:
    assert asked(priority=priority).priority == int(priority)


def test_a_critical_service_does_not_make_it_graver_than_was_asked(cast: Cast) -> None:
    cast.mail.criticality = 1
    cast.mail.save(update_fields=["criticality"])
    assert asked(priority="2", service="mail").priority == 2


def test_a_stranger_s_client_is_not_found(cast: Cast) -> None:
    with pytest.raises(NotASituation) as refused:
        read(Asked(client="ACME", at=NIGHT), clients=Client.objects.visible_to(cast.olga.user))
    assert refused.value.wrong == {"client": "Say whose ticket it is, by the client’s key: BOR."}


def test_a_team_that_pushes_gives_it_to_somebody_in_advance_too(cast: Cast) -> None:
    """Whoever would be given it is told, and takes part in nothing: it is taken back with the rest."""
    type(cast.desk).objects.filter(pk=cast.desk.pk).update(assigning={"by": "round_robin"})
    answer = asked(at="2026-06-09T10:00", priority="3")
    [given] = [event for event in answer.events if event.kind == "assigned"]
    assert given.people in (("Lena Lang",), ("Lou Lead",))
    assert not Ticket.objects.exists()
    assert not Membership.objects.filter(last_given_at__isnull=False).exists()


@pytest.mark.parametrize(
    ("hours", "at", "told", "rests", "why"),
    [
        ({}, "2026-06-09T10:00", None, None, "nobody says when they work: all are there"),
        (
            {"desk": "office-de"},
            "2026-06-09T10:00",
            "Lena Lang, Lou Lead of Service Desk",
            None,
            "it is open",
        ),
        (
            {"desk": "office-de"},
            "2026-06-09T03:10",
            "nobody of Service Desk before Tue 09 Jun, 09:00 (Europe/Berlin)",
            "until Tue 09 Jun, 09:00",
            "the team opens at nine",
        ),
        (
            {"desk": "office-de"},
            "2026-06-12T17:00",
            "nobody of Service Desk before Mon 15 Jun, 09:00 (Europe/Berlin)",
            "until Mon 15 Jun, 09:00",
            "the weekend lies between",
        ),
        (
            {"lena": "office-de", "lou": "office-ny"},
            "2026-06-09T09:30",
            "Lena Lang of Service Desk",
            None,
            "Lou is still asleep",
        ),
        (
            {"desk": "always", "lena": "office-ny", "lou": "office-ny"},
            "2026-06-09T10:00",
            "nobody of Service Desk before Tue 09 Jun, 15:00 (Europe/Berlin)",
            "until Tue 09 Jun, 15:00",
            "the team is open, and its people begin in New York",
        ),
    ],
)
def test_it_knows_when_a_team_and_its_people_are_given_tickets(
    cast: Cast, hours: dict[str, str], at: str, told: str | None, rests: str | None, why: str
) -> None:
    type(cast.desk).objects.filter(pk=cast.desk.pk).update(assigning={"by": "round_robin"})
    for name, key in hours.items():
        one = getattr(cast, name)
        type(one).objects.filter(pk=one.pk).update(hours=Calendar.objects.get(key=key))
    answer = asked(at=at, priority="3")
    assert dict(answer.ground).get("At work then") == told, why
    texts = [event.text for event in answer.events if event.kind == "rests"]
    assert [rests in text for text in texts if rests] == ([True] if rests else []), why
    [given] = [event for event in answer.events if event.kind == "assigned"]
    if rests:
        assert given.at > answer.situation.at, why


@pytest.mark.parametrize(
    ("priority", "policy", "found"), [("1", False, True), ("3", False, False), ("1", True, False)]
)
def test_an_urgent_ticket_that_comes_to_a_closed_team_and_calls_nobody_is_a_hole(
    cast: Cast, on_call: None, priority: str, policy: bool, found: bool
) -> None:
    type(cast.desk).objects.filter(pk=cast.desk.pk).update(
        assigning={"by": "round_robin"}, hours=cast.office.calendar
    )
    if policy:
        publish()
    answer = asked(at="2026-06-09T03:10", priority=priority)
    assert hole(answer, "is at work when it comes to them", "P" + priority) is found


def test_hours_that_never_meet_are_a_hole(cast: Cast) -> None:
    night = Calendar.objects.create(key="night", name="Night")
    CalendarVersion.objects.create(
        calendar=night,
        version=1,
        spec={"tz": "Europe/Berlin", "week": {str(day): [["20:00", "23:00"]] for day in range(7)}},
    )
    Agent.objects.filter(memberships__team=cast.desk).update(hours=night)
    type(cast.desk).objects.filter(pk=cast.desk.pk).update(
        assigning={"by": "round_robin"}, hours=cast.office.calendar
    )
    answer = asked(at="2026-06-09T10:00", priority="3")
    assert hole(answer, "By their hours nobody of Service Desk")
    assert dict(answer.ground)["At work then"] == "nobody of Service Desk, and nobody ever will be"


def test_whatever_can_wake_about_an_untouched_ticket_is_lived_through() -> None:
    """A new wake-up is either lived through as well, or it is said here why it never comes."""
    never = {
        Ticket: "only a ticket that waits, or was resolved, wakes by itself",
        Agent: "somebody comes back from out of office, which nobody can foresee",
        Schedule: "it is about who is on call in the coming days",
        ShiftHandOver: "somebody hands a shift over",
        Consultation: "somebody asks for advice",
        Case: "somebody opens a case",
        Wait: "somebody lets it wait",
        MajorIncident: "somebody declares one",
        ReviewAction: "somebody declares one",
        Recurrence: "somebody solves it",
        Call: "it is about calls, which come first",
        Conversation: "it is about chats, which come first",
        Collection: "it is about mailboxes",
        Vigil: "it is about mailboxes",
    }
    listed = {wakeup.model: wakeup for wakeup in wakeups() if isinstance(wakeup, Wakeup)}
    lived = {wakeup.model: wakeup for wakeup in its_wakeups(0)}
    assert set(listed) == set(lived) | set(never)
    for model, wakeup in lived.items():
        assert (wakeup.act, wakeup.values) == (listed[model].act, listed[model].values)
    assert [model for model in listed if model in lived] == list(lived)
