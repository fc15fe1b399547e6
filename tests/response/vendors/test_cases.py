"""L4: L3 opens a case with the vendor and drives it; the vendor's words are heard, chased and kept apart."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from tests.cast import Cast
from tests.response.vendors.conftest import Submit
from tierdesk.core.facts import Actor
from tierdesk.core.scope import NO_CLIENT, only, seeing
from tierdesk.response.notifications.models import Notice
from tierdesk.response.sla.models import Clock
from tierdesk.response.vendors.models import CHASE_AFTER, Case, CaseMessage, UnderpinningContract
from tierdesk.tickets.lifecycle import StaleTicket, UnableTo
from tierdesk.tickets.models import Entry, Ticket

Doing = Callable[..., Any]
H = timedelta(hours=1)
VENDOR = Actor("vendor", "Nordvik")


def fresh(case: Case) -> Case:
    return Case.objects.get(pk=case.pk)


def told(case: Case) -> list[str]:
    of_case = Entry.objects.of(case.ticket_id).filter(kind__startswith="case")
    return [entry.kind for entry in of_case]


def brought(case: Case, state: str, doing: Doing, by: Any) -> Case:
    """The case, walked into a state by its own verbs."""
    way = {
        "acknowledged": ["acknowledged"],
        "vendor_working": ["vendor_working"],
        "waiting_on_us": ["waiting_on_us"],
        "solution_offered": ["solution_offered"],
        "verifying": ["solution_offered", "verifying"],
    }
    with doing(by):
        for step in way.get(state, []):
            case.move(step)
        if state == "closed":
            case.close("fixed")
    return case


# Opening


def test_the_third_line_opens_a_case_and_the_vendor_s_promises_begin(
    cast: Cast, submit: Submit, at: datetime
) -> None:
    case = submit()
    assert (case.state, case.driver, case.wake_at) == ("submitted", cast.kira, at + CHASE_AFTER)
    clocks = {clock.metric: clock.due_at for clock in Clock.objects.filter(party="UC", case_id=case.pk)}
    assert clocks == {"respond": at + H, "resolve": at + 8 * H}
    assert told(case) == ["case_submitted", "case_answered"]


def test_the_vendor_is_mailed_with_our_number(submit: Submit) -> None:
    case = submit()
    [mail] = Notice.objects.filter(case_id=case.pk)
    assert mail.address == "support@nordvik.example"
    assert f"[VC-{case.pk}]" in mail.subject
    assert "Please look at the logs." in mail.text


@pytest.mark.parametrize("who", ["lena", "tom", "olga"])
def test_the_first_and_second_line_open_no_case(cast: Cast, submit: Submit, who: str) -> None:
    with pytest.raises(UnableTo, match="Only L3 or a manager"):
        submit(by=getattr(cast, who))
    assert not Case.objects.exists()


def test_a_manager_may_open_a_case(cast: Cast, submit: Submit) -> None:
    assert submit(by=cast.lou).driver == cast.lou


def test_without_an_entitlement_nothing_goes_out(nordvik: UnderpinningContract, submit: Submit) -> None:
    nordvik.entitlement = "  "
    with pytest.raises(UnableTo, match="what entitles us"):
        submit()
    assert not CaseMessage.objects.exists()
    assert not Notice.objects.filter(channel="mail", kind="vendor").exists()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"severity": 0}, "from 1 to 4"),
        ({"severity": 5}, "from 1 to 4"),
        ({"subject": " "}, "a subject and a text"),
        ({"text": "\n"}, "a subject and a text"),
    ],
)
def test_a_case_says_how_bad_it_is_and_what_is_wrong(
    submit: Submit, wrong: dict[str, Any], said: str
) -> None:
    with pytest.raises(UnableTo, match=said):
        submit(**wrong)


def test_a_ticket_may_have_two_cases_at_once(
    cast: Cast, submit: Submit, sudmark: UnderpinningContract, ticket: Ticket
) -> None:
    one, other = submit(), submit(contract=sudmark)
    assert list(ticket.cases.all()) == [one, other]
    assert set(Clock.objects.filter(party="UC").values_list("case_id", flat=True)) == {one.pk}


def test_a_vendor_s_promises_count_by_its_own_severity(
    cast: Cast, submit: Submit, doing: Doing, ticket: Ticket
) -> None:
    case = submit(severity=2)
    clocks = Clock.objects.filter(case_id=case.pk, party="UC").order_by("metric")
    assert (ticket.priority, {clock.priority for clock in clocks}) == (3, {2})
    with doing(cast.kira):
        case.change_severity(1, why="The second gateway is down as well.")
    assert {clock.priority for clock in clocks.all()} == {1}


def test_a_severity_without_promises_starts_no_clock(submit: Submit) -> None:
    assert not Clock.objects.filter(case_id=submit(severity=4).pk).exists()


# Drafts


def test_any_tier_may_draft_and_only_l3_hands_it_in(
    cast: Cast, ticket: Ticket, nordvik: UnderpinningContract, doing: Doing
) -> None:
    with doing(cast.tom):
        case = Case.draft(ticket, nordvik, by=cast.tom, severity=2, subject="IKE", text="Please look.")
    assert (case.state, case.wake_at) == ("draft", None)
    assert not Notice.objects.filter(case_id=case.pk).exists()
    assert not Clock.objects.filter(case_id=case.pk).exists()
    with pytest.raises(UnableTo, match="Only L3"), doing(cast.tom):
        case.hand_in(cast.tom)
    with doing(cast.kira):
        case.hand_in(cast.kira)
    assert (fresh(case).state, fresh(case).driver) == ("submitted", cast.kira)
    assert told(case) == ["case_drafted", "case_submitted", "case_answered"]
    with pytest.raises(UnableTo, match="with the vendor already"), doing(cast.kira):
        case.hand_in(cast.kira)


def test_of_two_who_hand_a_draft_in_only_one_does(
    cast: Cast, ticket: Ticket, nordvik: UnderpinningContract, doing: Doing
) -> None:
    with doing(cast.kira):
        case = Case.draft(ticket, nordvik, by=cast.kira, severity=1, subject="IKE", text="Please look.")
    slower = fresh(case)
    with doing(cast.kira):
        case.hand_in(cast.kira)
    with pytest.raises(StaleTicket), doing(cast.lou):
        slower.hand_in(cast.lou)
    assert case.messages.count() == 1


# Hearing and answering


def test_the_vendor_s_first_word_acknowledges_the_case_and_brings_its_number(
    submit: Submit, doing: Doing, at: datetime
) -> None:
    case = submit()
    with doing(VENDOR, at + H / 2):
        message = case.hear("We look into it.", reference="00412345")
    case = fresh(case)
    assert (case.state, case.reference) == ("acknowledged", "00412345")
    assert case.wake_at == at + H / 2 + CHASE_AFTER
    assert (message.inbound, message.by_name) == (True, "Nordvik")
    clock = Clock.objects.get(case_id=case.pk, metric="respond")
    assert (clock.state, clock.elapsed_s) == ("met", 1800)


def test_a_machine_s_receipt_brings_the_number_and_acknowledges_nothing(
    submit: Submit, ticket: Ticket, cast: Cast, doing: Doing
) -> None:
    case = submit()
    with doing(cast.kira):
        ticket.pend("vendor")
    with doing(VENDOR):
        message = case.hear("Thank you.", reference="00412345", message_id="<1@nordvik>", automatic=True)
    case = fresh(case)
    assert (case.state, case.reference, message.automatic) == ("submitted", "00412345", True)
    assert Clock.objects.get(case_id=case.pk, metric="respond").state == "running"
    assert Ticket.objects.get(pk=ticket.pk).state == "pending"


def test_the_vendor_s_word_wakes_the_ticket_that_waits_for_it(
    cast: Cast, submit: Submit, ticket: Ticket, doing: Doing, at: datetime
) -> None:
    case = submit()
    with doing(cast.kira):
        ticket.pend("vendor", until=at + 48 * H)
    with doing(VENDOR, at + H):
        Case.objects.get(pk=case.pk).hear("Install 7.4.2.")
    now = Ticket.objects.get(pk=ticket.pk)
    assert (now.state, now.wake_at) == ("open", None)
    resumed = Entry.objects.of(ticket.pk).get(kind="resumed")
    assert resumed.cause is not None and resumed.cause.kind == "case_heard"


def test_a_ticket_that_waits_for_something_else_goes_on_waiting(
    cast: Cast, submit: Submit, ticket: Ticket, doing: Doing
) -> None:
    case = submit()
    with doing(cast.kira):
        ticket.ask("May we restart it?")
    with doing(VENDOR):
        case.hear("Install 7.4.2.")
    assert Ticket.objects.get(pk=ticket.pk).state == "pending"


@pytest.mark.parametrize(
    ("subject", "reference"),
    [("MySQL error #1045 on the gateway", "1045"), ("Broken since case 20417", "20417")],
)
def test_a_number_of_our_own_subject_is_not_the_vendor_s(
    submit: Submit, doing: Doing, subject: str, reference: str
) -> None:
    case = submit(subject=subject)
    with doing(VENDOR):
        case.hear("Hello.", reference=reference)
    assert fresh(case).reference == ""


def test_a_number_once_known_is_not_overwritten_by_a_mail_but_corrected_by_a_person(
    cast: Cast, submit: Submit, doing: Doing
) -> None:
    case = submit()
    with doing(VENDOR):
        case.hear("Hello.", reference="00412345")
        case.hear("And see 99999.", reference="99999")
    assert fresh(case).reference == "00412345"
    with doing(cast.kira):
        case.acknowledge(" 00412346 ")
    assert fresh(case).reference == "00412346"
    assert told(case).count("case_numbered") == 2


def test_a_number_alone_acknowledges_the_case(cast: Cast, submit: Submit, doing: Doing) -> None:
    case = submit()
    with pytest.raises(UnableTo, match="own number"), doing(cast.kira):
        case.acknowledge(" ")
    with doing(cast.kira):
        case.acknowledge("00412345")
    assert fresh(case).state == "acknowledged"


def test_an_empty_note_is_refused_and_a_mail_of_files_alone_is_not(
    cast: Cast, submit: Submit, doing: Doing
) -> None:
    case = submit()
    with pytest.raises(UnableTo, match="Write down"), doing(cast.kira):
        case.hear(" ")
    with doing(VENDOR):
        assert case.hear("", message_id="<2@nordvik>").text == ""


def test_our_answer_sends_the_case_back_to_the_vendor(
    cast: Cast, submit: Submit, doing: Doing, at: datetime
) -> None:
    case = brought(submit(), "waiting_on_us", doing, cast.kira)
    paused = Clock.objects.get(case_id=case.pk, metric="resolve")
    assert paused.state == "paused"
    with doing(cast.kira, at + H):
        case.say("Here are the logs.")
    assert fresh(case).state == "vendor_working"
    assert Clock.objects.get(pk=paused.pk).due_at == at + 9 * H


def test_what_we_write_carries_both_numbers(cast: Cast, submit: Submit, doing: Doing) -> None:
    case = submit()
    with doing(VENDOR):
        case.hear("Hello.", reference="00412345")
    with doing(cast.kira):
        case.say("Any news?")
    last = Notice.objects.filter(case_id=case.pk).latest("id")
    assert f"[VC-{case.pk}] [00412345]" in last.subject


def test_the_vendor_s_words_are_no_words_on_the_ticket(submit: Submit, ticket: Ticket, doing: Doing) -> None:
    case = submit()
    with doing(VENDOR):
        case.hear("Known bug.")
    assert not ticket.messages.filter(text__contains="Known bug").exists()


@pytest.mark.parametrize(("state", "said"), [("draft", "is a draft"), ("closed", "open another case")])
def test_nobody_writes_on_a_draft_or_a_closed_case(
    cast: Cast, ticket: Ticket, nordvik: UnderpinningContract, doing: Doing, state: str, said: str
) -> None:
    with doing(cast.kira):
        case = Case.draft(ticket, nordvik, by=cast.kira, severity=1, subject="IKE", text="Please look.")
    brought(case, state, doing, cast.kira)
    with pytest.raises(UnableTo, match=said), doing(cast.kira):
        case.say("Hello?")


def test_what_the_vendor_adds_to_a_closed_case_is_kept_and_moves_nothing(
    cast: Cast, submit: Submit, doing: Doing
) -> None:
    case = brought(submit(), "closed", doing, cast.kira)
    with doing(VENDOR):
        case.hear("Did it help?")
    assert (fresh(case).state, fresh(case).wake_at) == ("closed", None)
    assert case.messages.count() == 2


# Moving on


def test_h07_the_client_s_clock_runs_while_the_vendor_waits_for_us(
    cast: Cast, submit: Submit, ticket: Ticket, doing: Doing
) -> None:
    brought(submit(), "waiting_on_us", doing, cast.kira)
    assert Clock.objects.get(ticket=ticket, party="SLA", metric="resolve").state == "running"


def test_h08_a_solution_stops_the_vendor_s_clock_and_a_bad_one_sends_it_back(
    cast: Cast, submit: Submit, ticket: Ticket, doing: Doing
) -> None:
    case = brought(submit(), "verifying", doing, cast.kira)
    assert Clock.objects.get(case_id=case.pk, metric="resolve").state == "met"
    assert Clock.objects.get(ticket=ticket, party="SLA", metric="resolve").state == "running"
    with doing(cast.kira):
        case.move("vendor_working")
    assert fresh(case).state == "vendor_working"
    assert Clock.objects.get(case_id=case.pk, metric="resolve").state == "running"


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("submitted", "Hand .* in"),
        ("closed", "with how it ended"),
        ("verifying", "cannot become"),
        ("asleep", "cannot become"),
    ],
)
def test_a_move_that_makes_no_sense_is_refused(
    cast: Cast, submit: Submit, doing: Doing, state: str, said: str
) -> None:
    case = submit()
    with pytest.raises(UnableTo, match=said), doing(cast.kira):
        case.move(state)
    assert fresh(case).state == "submitted"


def test_a_closed_case_says_when_and_how(cast: Cast, submit: Submit, doing: Doing, at: datetime) -> None:
    case = submit()
    with pytest.raises(UnableTo, match="how the case ended"), doing(cast.kira):
        case.close("because")
    with doing(cast.kira, at + H):
        case.close("as_designed")
    case = fresh(case)
    assert (case.state, case.close_code, case.closed_at, case.wake_at) == (
        "closed",
        "as_designed",
        at + H,
        None,
    )
    with pytest.raises(UnableTo, match="closed already"), doing(cast.kira):
        case.close("fixed")


def test_of_two_who_move_a_case_the_slower_one_learns_it(cast: Cast, submit: Submit, doing: Doing) -> None:
    case = submit()
    slower, slowest = fresh(case), fresh(case)
    with doing(cast.kira):
        case.close("fixed")
    with pytest.raises(StaleTicket), doing(cast.lou):
        slower.move("vendor_working")
    with pytest.raises(StaleTicket), doing(cast.lou):
        slowest.close("abandoned")
    assert fresh(case).close_code == "fixed"


def test_nobody_writes_to_the_vendor_on_a_case_that_was_just_closed(
    cast: Cast, submit: Submit, doing: Doing
) -> None:
    case = submit()
    slower = fresh(case)
    with doing(cast.kira):
        case.close("fixed")
    with pytest.raises(StaleTicket), doing(cast.lou):
        slower.say("Any news?")
    assert case.messages.count() == 1


def test_either_side_may_change_the_severity_and_says_why(cast: Cast, submit: Submit, doing: Doing) -> None:
    case = submit(severity=2)
    with pytest.raises(UnableTo, match="Say why"), doing(cast.kira):
        case.change_severity(1, why=" ")
    with doing(cast.kira):
        case.change_severity(1, why="The second gateway is down as well.")
    [entry] = Entry.objects.of(case.ticket_id).filter(kind="case_severity_changed")
    assert (entry.details["before"], entry.details["after"]) == (2, 1)
    assert {target["metric"] for target in entry.details["targets"]} == {"respond", "resolve"}
    with pytest.raises(UnableTo, match="with severity 1"), doing(cast.kira):
        case.change_severity(1, why="again")


def test_the_bug_and_the_release_that_ends_it_are_kept(cast: Cast, submit: Submit, doing: Doing) -> None:
    case = submit()
    with doing(cast.kira):
        case.track(bug="NV-20417")
        case.track(target_release="7.4.2")
    assert (fresh(case).bug, fresh(case).target_release) == ("NV-20417", "7.4.2")


# Chasing


def test_a_silent_vendor_is_chased_again_and_again(
    cast: Cast, submit: Submit, at: datetime, live_until: Callable[[datetime], None]
) -> None:
    case = submit()
    live_until(at + 2 * CHASE_AFTER)
    reminders = Notice.objects.filter(kind="chase", agent=cast.kira).order_by("id")
    assert [one.created_at for one in reminders] == [at + CHASE_AFTER, at + 2 * CHASE_AFTER]
    assert reminders[0].text == f"VC-{case.pk}: Nordvik has not answered yet; chase them"


@pytest.mark.parametrize(
    ("state", "reminder"),
    [
        ("vendor_working", "has been quiet"),
        ("waiting_on_us", "waits for our answer"),
        ("solution_offered", "nobody has tried"),
        ("verifying", "good?"),
    ],
)
def test_the_reminder_says_who_owes_what(
    cast: Cast,
    submit: Submit,
    doing: Doing,
    at: datetime,
    live_until: Callable[[datetime], None],
    state: str,
    reminder: str,
) -> None:
    brought(submit(), state, doing, cast.kira)
    live_until(at + CHASE_AFTER)
    assert reminder in Notice.objects.get(kind="chase", agent=cast.kira).text


def test_a_closed_case_reminds_nobody(
    cast: Cast, submit: Submit, doing: Doing, at: datetime, live_until: Callable[[datetime], None]
) -> None:
    brought(submit(), "closed", doing, cast.kira)
    live_until(at + 3 * CHASE_AFTER)
    assert not Notice.objects.filter(kind="chase").exists()


def test_chasing_asks_the_vendor_and_sets_the_next_time(
    cast: Cast, submit: Submit, doing: Doing, at: datetime
) -> None:
    case = submit()
    with pytest.raises(UnableTo, match="in the future"), doing(cast.kira):
        case.chase("Any news?", again_at=at - H)
    with doing(cast.kira):
        case.chase("Any news?", again_at=at + 5 * H)
    case = fresh(case)
    assert (case.chase_count, case.wake_at, case.messages.count()) == (1, at + 5 * H, 2)


def test_a_promise_of_the_vendor_is_waited_for(
    cast: Cast, submit: Submit, doing: Doing, at: datetime, live_until: Callable[[datetime], None]
) -> None:
    case = submit()
    with doing(cast.kira):
        case.expect(at + 100 * H, words="a patch by Friday")
    live_until(at + CHASE_AFTER)
    assert not Notice.objects.filter(kind="chase").exists()
    live_until(at + 100 * H)
    assert Notice.objects.filter(kind="chase").count() == 1
    assert fresh(case).promised_at == at + 100 * H


def test_a_draft_promises_nothing(
    cast: Cast, ticket: Ticket, nordvik: UnderpinningContract, doing: Doing, at: datetime
) -> None:
    with doing(cast.kira):
        case = Case.draft(ticket, nordvik, by=cast.kira, severity=1, subject="IKE", text="Please look.")
    with pytest.raises(UnableTo, match="nobody promises"), doing(cast.kira):
        case.expect(at + H)


# What the database refuses


@pytest.mark.parametrize(
    ("nonsense", "constraint"),
    [
        ({"severity": 5}, "a_vendor_severity_is_1_to_4"),
        ({"state": "closed", "close_code": "fixed"}, "a_closed_case_says_when"),
        (
            {"state": "closed", "closed_at": datetime.fromisoformat("2026-06-08T10:00Z")},
            "a_closed_case_says_how",
        ),
        ({"close_code": "fixed"}, "a_closed_case_says_how"),
    ],
)
def test_the_database_itself_refuses_nonsense(
    submit: Submit, nonsense: dict[str, Any], constraint: str
) -> None:
    case = submit()
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(**nonsense)


# Who sees it


@pytest.fixture
def one_each(cast: Cast, submit: Submit, doing: Doing) -> tuple[Case, Case]:
    """A case for Acme's ticket and one for Borealis's."""
    with doing(cast.lena):
        other = cast.ticket(client=cast.borealis, contact=cast.bob)
    return submit(), submit(ticket=other)


def test_an_agent_sees_the_cases_of_the_clients_they_serve(cast: Cast, one_each: tuple[Case, Case]) -> None:
    assert set(Case.objects.visible_to(cast.kira.user)) == set(one_each)
    assert set(Case.objects.visible_to(cast.olga.user)) == {one_each[1]}
    assert {m.case for m in CaseMessage.objects.visible_to(cast.olga.user)} == {one_each[1]}


def test_no_contact_sees_a_case_or_what_was_said_on_it(cast: Cast, one_each: tuple[Case, Case]) -> None:
    assert not Case.objects.visible_to(cast.ann.user).exists()
    assert not CaseMessage.objects.visible_to(cast.ann.user).exists()


def test_the_database_hides_the_cases_of_other_clients(cast: Cast, one_each: tuple[Case, Case]) -> None:
    with seeing(only([cast.acme.pk])):
        assert set(Case.objects.all()) == {one_each[0]}
        assert set(CaseMessage.objects.values_list("case", flat=True)) == {one_each[0].pk}
    with seeing(NO_CLIENT):
        assert not Case.objects.exists()
