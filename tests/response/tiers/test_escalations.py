"""An escalation is a record: sent through a gate, accepted, returned, withdrawn or overtaken, never twice at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from tests.cast import Cast
from tests.response.tiers.conftest import PACK, Send
from tierdesk.core.facts import ENGINE
from tierdesk.core.scope import NO_CLIENT, only, seeing
from tierdesk.directory.staff.models import Membership
from tierdesk.response.runbooks.models import Gap
from tierdesk.response.sla.models import Clock
from tierdesk.response.tiers.consultations import Consultation
from tierdesk.response.tiers.models import Escalation, EscalationState, GateShut, Procedure
from tierdesk.response.tiers.pack import Pack, RunRecord
from tierdesk.tickets.lifecycle import StaleTicket, UnableTo
from tierdesk.tickets.models import Entry, Ticket

Doing = Callable[..., Any]
MIN = timedelta(minutes=1)


def fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def of(escalation: Escalation) -> Escalation:
    """The same hand-over as somebody else's page shows it."""
    return Escalation.objects.get(pk=escalation.pk)


def told(ticket: Ticket) -> list[str]:
    return [entry.kind for entry in Entry.objects.of(ticket.pk)]


# Sending


def test_a_hand_over_moves_the_work_and_leaves_the_voice(cast: Cast, ticket: Ticket, send: Send) -> None:
    escalation = send(ticket, cast.ops)
    now = fresh(ticket)
    assert (now.tier, now.team, now.assignee) == (2, cast.ops, None)
    assert now.voice_team == cast.desk
    assert (escalation.state, escalation.from_team, escalation.from_agent) == ("sent", cast.desk, cast.lena)
    assert escalation.contents == PACK


def test_the_timeline_tells_who_sent_what_where_and_why(cast: Cast, ticket: Ticket, send: Send) -> None:
    escalation = send(ticket, cast.ops, reason="access")
    [entry] = Entry.objects.of(ticket.pk).filter(kind="escalation_sent")
    assert entry.by_name == "Lena Lang"
    assert entry.details == {
        "escalation": escalation.pk,
        "from_tier": 1,
        "to_tier": 2,
        "to_team": cast.ops.pk,
        "reason": "access",
        "accept_s": 1800,
        "accept_calendar": cast.office.pk,
        "tell": [],
    }


def test_the_gate_refuses_in_words_and_field_by_field_and_nothing_moves(
    cast: Cast, ticket: Ticket, send: Send
) -> None:
    with pytest.raises(GateShut, match="Answer: What exactly do you ask") as refused:
        send(ticket, cast.ops, pack=Pack(symptom="slow", scope="all", steps_tried="none"))
    assert [missing.field for missing in refused.value.gate.missing] == ["exact_ask"]
    assert fresh(ticket).team == cast.desk
    assert not Escalation.objects.exists()


def test_the_gate_follows_the_client_s_procedure(cast: Cast, ticket: Ticket, send: Send) -> None:
    spec = {"needs_book": True, "accept_min": 15}
    Procedure.publish("acme-l1", name="Acme L1 to L2", spec=spec, from_tier=1, client=cast.acme)
    with pytest.raises(UnableTo, match="Follow the matching book"):
        send(ticket, cast.ops, books_exist=True)
    run = RunRecord("VPN, revision 1", [("Restart", "it failed")], "not enough", "escalate")
    escalation = send(fresh(ticket), cast.ops, books_exist=True, runs=[run])
    assert (escalation.procedure, escalation.waived) == ("Acme L1 to L2 v1", [])


def test_a_bypass_is_kept_with_what_it_waived(cast: Cast, ticket: Ticket, send: Send) -> None:
    escalation = of(send(ticket, cast.experts, bypass=" The whole site is down. "))
    assert escalation.bypass == "The whole site is down."
    assert escalation.waived == ["A tier is skipped: say why."]


def test_the_third_return_forces_a_named_owner_of_the_receiving_team(
    cast: Cast, ticket: Ticket, send: Send, doing: Doing
) -> None:
    for _ in range(3):
        escalation = send(fresh(ticket), cast.ops)
        with doing(cast.tom):
            of(escalation).send_back(cast.tom, reason="missing_info", note="Which gateway?")
    with pytest.raises(UnableTo, match="name the one who takes it"):
        send(fresh(ticket), cast.ops)
    with pytest.raises(UnableTo, match="is not of Operations"):
        send(fresh(ticket), cast.ops, named=cast.kira)
    send(fresh(ticket), cast.ops, named=cast.tom)
    assert fresh(ticket).assignee == cast.tom


def test_a_resolved_ticket_does_not_climb(cast: Cast, ticket: Ticket, send: Send, doing: Doing) -> None:
    with doing(cast.lena):
        ticket.resolve(code="fixed")
    with pytest.raises(UnableTo, match="cannot be handed over"):
        send(ticket, cast.ops)


# Answering


def test_accepting_assigns_the_ticket(
    cast: Cast, ticket: Ticket, send: Send, doing: Doing, at: datetime
) -> None:
    escalation = send(ticket, cast.ops)
    with doing(cast.tom, at + 5 * MIN):
        of(escalation).accept(cast.tom)
    accepted = of(escalation)
    assert (accepted.state, accepted.answered_by, accepted.answered_at) == (
        "accepted",
        cast.tom,
        at + 5 * MIN,
    )
    assert fresh(ticket).assignee == cast.tom


def test_accepting_in_time_meets_the_acceptance_clock(
    cast: Cast, ticket: Ticket, send: Send, doing: Doing, at: datetime
) -> None:
    escalation = send(ticket, cast.ops)
    with doing(cast.tom, at + 5 * MIN):
        of(escalation).accept(cast.tom)
    clock = Clock.objects.get(ticket=ticket, metric="accept")
    assert (clock.tier, clock.state, clock.elapsed_s) == (2, "met", 300)


def test_a_return_brings_the_ticket_back_to_whoever_had_it(
    cast: Cast, ticket: Ticket, send: Send, doing: Doing
) -> None:
    escalation = send(ticket, cast.ops, by=cast.lou)
    with doing(cast.tom):
        of(escalation).send_back(cast.tom, reason="missing_info", note=" Which gateway? ")
    now, returned = fresh(ticket), of(escalation)
    assert (now.tier, now.team, now.assignee, now.return_count) == (1, cast.desk, cast.lena, 1)
    assert (returned.state, returned.return_reason, returned.return_note) == (
        "returned",
        "missing_info",
        "Which gateway?",
    )


def test_what_comes_back_to_somebody_who_is_away_waits_in_the_queue(
    cast: Cast, ticket: Ticket, send: Send, doing: Doing
) -> None:
    escalation = send(ticket, cast.ops)
    type(cast.lena).objects.filter(pk=cast.lena.pk).update(is_away=True)
    with doing(cast.tom):
        of(escalation).send_back(cast.tom, reason="solvable_lower", note="Restart the client.")
    assert (fresh(ticket).team, fresh(ticket).assignee) == (cast.desk, None)


@pytest.mark.parametrize(
    ("reason", "note", "said"),
    [
        ("", "Which gateway?", "Choose why"),
        ("boredom", "Which gateway?", "Choose why"),
        ("missing_info", "  ", "Say what is missing"),
    ],
)
def test_a_return_says_why(
    cast: Cast, ticket: Ticket, send: Send, doing: Doing, reason: str, note: str, said: str
) -> None:
    escalation = send(ticket, cast.ops)
    with pytest.raises(UnableTo, match=said), doing(cast.tom):
        of(escalation).send_back(cast.tom, reason=reason, note=note)
    assert of(escalation).state == EscalationState.SENT


def test_what_is_withdrawn_comes_back_and_counts_as_no_return(
    cast: Cast, ticket: Ticket, send: Send, doing: Doing
) -> None:
    escalation = send(ticket, cast.ops)
    with doing(cast.lena):
        of(escalation).withdraw(cast.lena, why="The contact found it.")
    now = fresh(ticket)
    assert (now.team, now.assignee, now.return_count) == (cast.desk, cast.lena, 0)
    assert of(escalation).state == "withdrawn"
    assert "escalation_withdrawn" in told(ticket)
    assert not Clock.objects.filter(ticket=ticket, metric="accept").going().exists()


def test_solved_together_it_goes_back_with_a_helper_and_asks_for_the_missing_book(
    cast: Cast, ticket: Ticket, send: Send, doing: Doing, at: datetime
) -> None:
    escalation = send(ticket, cast.ops)
    with doing(cast.tom, at + 5 * MIN):
        of(escalation).coach(cast.tom, advice=" Restart the service; I am on the line. ")
    now = fresh(ticket)
    assert (now.tier, now.team, now.assignee, now.return_count) == (1, cast.desk, cast.lena, 0)
    assert (of(escalation).state, of(escalation).return_note) == (
        "coached",
        "Restart the service; I am on the line.",
    )
    [entry] = Entry.objects.of(ticket.pk).filter(kind="escalation_coached")
    assert entry.details["note"] == "Restart the service; I am on the line."
    coaching = Consultation.objects.get(escalation=escalation)
    assert (coaching.asked_by, coaching.helper, coaching.team) == (cast.lena, cast.tom, cast.ops)
    assert (coaching.question, coaching.answered_at) == (PACK.exact_ask, None)
    [gap] = Gap.objects.filter(ticket=ticket)
    assert (gap.kind, gap.owner) == ("solvable_lower", cast.ops)
    assert not Clock.objects.filter(ticket=ticket, metric="accept").going().exists()


def test_what_solved_it_is_written_down_when_it_is_over(
    cast: Cast, ticket: Ticket, send: Send, doing: Doing, at: datetime
) -> None:
    escalation = send(ticket, cast.ops)
    with doing(cast.tom, at):
        coaching = of(escalation).coach(cast.tom, advice="Look at the log with me.")
    with doing(cast.tom, at + 9 * MIN):
        coaching.reply(cast.tom, "The certificate had ended.", minutes=9)
    coaching.refresh_from_db()
    assert (coaching.answer, coaching.minutes, coaching.wake_at) == ("The certificate had ended.", 9, None)


def test_nobody_helps_without_a_word_or_twice(cast: Cast, ticket: Ticket, send: Send, doing: Doing) -> None:
    escalation = send(ticket, cast.ops)
    with pytest.raises(UnableTo, match="Say how you go about it"), doing(cast.tom):
        of(escalation).coach(cast.tom, advice=" ")
    mine = of(escalation)
    with doing(cast.tom):
        of(escalation).coach(cast.tom, advice="Together.")
    with pytest.raises(StaleTicket), doing(cast.tom):
        mine.coach(cast.tom, advice="Together.")
    assert Consultation.objects.count() == 1


def test_a_return_that_says_it_could_be_solved_below_asks_for_the_book_too(
    cast: Cast, ticket: Ticket, send: Send, doing: Doing
) -> None:
    escalation = send(ticket, cast.ops)
    with doing(cast.tom):
        of(escalation).send_back(cast.tom, reason="solvable_lower", note="Restart the client.")
    assert [gap.owner for gap in Gap.objects.filter(ticket=ticket)] == [cast.ops]


def test_other_returns_ask_for_no_book(cast: Cast, ticket: Ticket, send: Send, doing: Doing) -> None:
    escalation = send(ticket, cast.ops)
    with doing(cast.tom):
        of(escalation).send_back(cast.tom, reason="missing_info", note="Which gateway?")
    assert not Gap.objects.exists()


def test_a_withdrawal_says_why(cast: Cast, ticket: Ticket, send: Send, doing: Doing) -> None:
    escalation = send(ticket, cast.ops)
    with pytest.raises(UnableTo, match="Say why"), doing(cast.lena):
        of(escalation).withdraw(cast.lena, why=" ")


def test_what_came_from_no_team_cannot_be_returned(
    cast: Cast, ticket: Ticket, send: Send, doing: Doing
) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(team=None)
    escalation = send(fresh(ticket), cast.ops)
    with pytest.raises(UnableTo, match="came from no team"), doing(cast.tom):
        of(escalation).send_back(cast.tom, reason="other", note="Whose is it?")
    assert of(escalation).state == "sent"


# Going on without an answer


def test_climbing_on_without_accepting_overtakes_the_hand_over(
    cast: Cast, ticket: Ticket, send: Send, at: datetime
) -> None:
    first = send(ticket, cast.ops)
    second = send(fresh(ticket), cast.experts, by=cast.tom, at=at + 10 * MIN)
    assert (of(first).state, of(second).state) == ("superseded", "sent")
    running = Clock.objects.filter(ticket=ticket, metric="accept").going()
    assert [clock.tier for clock in running] == [3]


def test_a_ticket_that_goes_elsewhere_leaves_no_hand_over_waiting(
    cast: Cast, ticket: Ticket, send: Send, doing: Doing
) -> None:
    escalation = send(ticket, cast.ops)
    with doing(cast.tom):
        fresh(ticket).hand_over(cast.experts, why="theirs")
    assert of(escalation).state == "superseded"
    with pytest.raises(StaleTicket), doing(cast.tom):
        of(escalation).accept(cast.tom)
    assert fresh(ticket).assignee is None


@pytest.mark.parametrize("ending", ["resolve", "cancel"])
def test_a_ticket_that_ends_leaves_no_hand_over_waiting(
    cast: Cast, ticket: Ticket, send: Send, doing: Doing, ending: str
) -> None:
    escalation = send(ticket, cast.ops)
    with doing(cast.lena):
        if ending == "resolve":
            fresh(ticket).resolve(code="cleared")
        else:
            fresh(ticket).cancel("asked twice")
    assert of(escalation).state == "superseded"
    assert told(ticket)[-1] == "escalation_overtaken"


def test_an_accepted_hand_over_is_not_overtaken(cast: Cast, ticket: Ticket, send: Send, doing: Doing) -> None:
    escalation = send(ticket, cast.ops)
    with doing(cast.tom):
        of(escalation).accept(cast.tom)
    with doing(cast.tom):
        fresh(ticket).resolve(code="fixed")
    assert of(escalation).state == "accepted"


# Two at once


def test_of_two_who_accept_the_faster_one_has_it(
    cast: Cast, ticket: Ticket, send: Send, doing: Doing
) -> None:
    escalation = send(ticket, cast.ops)
    faster, slower = of(escalation), of(escalation)
    with doing(cast.tom):
        faster.accept(cast.tom)
    with pytest.raises(StaleTicket), doing(cast.kira):
        slower.accept(cast.kira)
    assert fresh(ticket).assignee == cast.tom


def test_nobody_returns_what_a_colleague_has_accepted(
    cast: Cast, ticket: Ticket, send: Send, doing: Doing
) -> None:
    escalation = send(ticket, cast.ops)
    faster, slower = of(escalation), of(escalation)
    with doing(cast.tom):
        faster.accept(cast.tom)
    with pytest.raises(StaleTicket), doing(cast.tom):
        slower.send_back(cast.tom, reason="wrong_team", note="Not ours.")
    assert (fresh(ticket).team, fresh(ticket).return_count) == (cast.ops, 0)


def test_nobody_withdraws_what_is_accepted_already(
    cast: Cast, ticket: Ticket, send: Send, doing: Doing
) -> None:
    escalation = send(ticket, cast.ops)
    mine = of(escalation)
    with doing(cast.tom):
        of(escalation).accept(cast.tom)
    with pytest.raises(StaleTicket), doing(cast.lena):
        mine.withdraw(cast.lena, why="I changed my mind.")


def test_of_two_who_escalate_only_one_does(cast: Cast, ticket: Ticket, send: Send) -> None:
    slower = fresh(ticket)
    send(ticket, cast.ops)
    with pytest.raises(StaleTicket):
        send(slower, cast.experts, by=cast.lou, bypass="urgent")
    assert [one.to_team for one in Escalation.objects.all()] == [cast.ops]


def test_the_database_itself_keeps_one_unanswered_hand_over_per_ticket(
    cast: Cast, ticket: Ticket, send: Send
) -> None:
    twin = of(send(ticket, cast.ops))
    twin.pk = None
    with pytest.raises(IntegrityError, match="one_unanswered_escalation_per_ticket"), transaction.atomic():
        twin.save(force_insert=True)


@pytest.mark.parametrize(
    ("nonsense", "constraint"),
    [
        ({"to_tier": 1}, "an_escalation_climbs"),
        ({"state": "returned"}, "a_return_has_a_reason"),
        ({"return_reason": "other"}, "a_return_has_a_reason"),
    ],
)
def test_the_database_itself_refuses_nonsense(
    cast: Cast, ticket: Ticket, send: Send, nonsense: dict[str, Any], constraint: str
) -> None:
    escalation = send(ticket, cast.ops)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Escalation.objects.filter(pk=escalation.pk).update(**nonsense)


# Who sees it


@pytest.fixture
def one_each(cast: Cast, ticket: Ticket, send: Send, doing: Doing) -> tuple[Escalation, Escalation]:
    """A hand-over of Acme's and one of Borealis's."""
    with doing(cast.lena):
        other = cast.ticket(client=cast.borealis, contact=cast.bob)
    return send(ticket, cast.ops), send(other, cast.northern)


def test_an_agent_sees_the_hand_overs_of_the_clients_they_serve(
    cast: Cast, one_each: tuple[Escalation, Escalation]
) -> None:
    acme, borealis = one_each
    assert set(Escalation.objects.visible_to(cast.tom.user)) == {acme, borealis}
    assert set(Escalation.objects.visible_to(cast.olga.user)) == {borealis}


def test_no_contact_sees_a_hand_over_not_even_of_their_own_ticket(
    cast: Cast, one_each: tuple[Escalation, Escalation]
) -> None:
    assert not Escalation.objects.visible_to(cast.ann.user).exists()


def test_the_database_hides_the_hand_overs_of_other_clients(
    cast: Cast, one_each: tuple[Escalation, Escalation]
) -> None:
    with seeing(only([cast.acme.pk])):
        assert set(Escalation.objects.all()) == {one_each[0]}
    with seeing(NO_CLIENT):
        assert not Escalation.objects.exists()


# Who may


@pytest.fixture
def leads_only(cast: Cast) -> Procedure:
    return Procedure.publish("leads", name="Leads", from_tier=1, spec={"who_may": ["lead"]})


def test_only_those_whom_the_procedure_names_hand_it_up(
    cast: Cast, ticket: Ticket, send: Send, leads_only: Procedure
) -> None:
    with pytest.raises(GateShut, match="a lead of its team hands this up: ask them"):
        send(ticket, cast.ops, by=cast.lena, bypass="it is urgent")
    assert fresh(ticket).team == cast.desk
    assert send(ticket, cast.ops, by=cast.lou).state == EscalationState.SENT


def test_the_lead_of_another_team_is_none_of_this_one(
    cast: Cast, ticket: Ticket, send: Send, leads_only: Procedure
) -> None:
    Membership.objects.filter(agent=cast.tom).update(is_lead=True)
    with pytest.raises(GateShut, match="ask them"):
        send(ticket, cast.ops, by=cast.tom)


def test_a_policy_hands_on_whoever_may(
    cast: Cast, ticket: Ticket, doing: Doing, leads_only: Procedure
) -> None:
    with doing(ENGINE):
        sent = Escalation.send(
            fresh(ticket), cast.ops, by=None, reason="time", pack=PACK, bypass="nobody looked"
        )
    assert sent.state == EscalationState.SENT


HURRY = {
    "emergency": {"priorities": [1], "to": ["L3"], "accept_min": 5, "tell": ["managers"]},
    "needs_book": True,
}
ALARMED = Pack(symptom="All tunnels are down", exact_ask="Bring them back")


def test_an_emergency_passes_a_tier_is_to_be_accepted_soon_and_tells_at_once(
    cast: Cast, send: Send, doing: Callable[..., Any]
) -> None:
    Procedure.publish("up", name="Up", from_tier=1, spec=HURRY)
    with doing(cast.lena):
        ticket = cast.ticket(impact=1, urgency=1)
    sent = send(ticket, cast.experts, pack=ALARMED, books_exist=True, emergency=True)
    assert (sent.emergency, sent.to_tier, ticket.team) == (True, 3, cast.experts)
    assert "Follow the matching book to its end first, or say why not." in sent.waived
    entries = Entry.objects.of(ticket.pk)
    assert entries.get(kind="escalation_sent").details["accept_s"] == 300
    told = entries.get(kind="hierarchy_told").details
    assert (told["rung"], told["agents"]) == ("emergency", [cast.lou.pk])
    assert told["why"] == "it is handed up as an emergency, from L1 to L3"


def test_the_short_way_is_shut_for_what_is_no_emergency(cast: Cast, ticket: Ticket, send: Send) -> None:
    Procedure.publish("up", name="Up", from_tier=1, spec=HURRY)
    with pytest.raises(GateShut, match="is for P1 and major incidents"):
        send(ticket, cast.experts, pack=ALARMED, emergency=True)
    assert not Escalation.objects.exists()
