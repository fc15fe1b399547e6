"""Who is called about a ticket, when, and what ends it. All in fast-forward."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import time, timedelta
from typing import Any, ClassVar

import pytest

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tests.response.paging.conftest import MIN, paging_of, publish, schedule
from tierdesk.response.notifications.models import Notice
from tierdesk.response.paging.models import Paging, Policy, PolicyRefused
from tierdesk.response.paging.pages import Page, PageState
from tierdesk.response.paging.states import PagingState
from tierdesk.response.paging.ways import Way
from tierdesk.response.tiers.models import Escalation, Procedure
from tierdesk.tickets.models import Entry, Ticket

pytestmark = pytest.mark.usefixtures("mails_stay_here")
Burning = Callable[..., Ticket]
Live = Callable[..., None]


@pytest.fixture
def mails_stay_here(settings: Any, tmp_path: Any) -> None:
    settings.HOME = tmp_path


def after(minutes: float) -> Any:
    return MONDAY_10 + timedelta(minutes=minutes)


def told(ticket: Ticket, kind: str) -> list[dict[str, Any]]:
    return list(Entry.objects.of(ticket.pk).filter(kind=kind).values_list("details", flat=True))


def paged(ticket: Ticket) -> list[tuple[float, str]]:
    """(minutes after the trigger, name), in order."""
    sent = Page.objects.filter(paging__ticket=ticket, state=PageState.SENT).order_by("sent_at", "id")
    return [((page.sent_at - MONDAY_10) / timedelta(minutes=1), page.agent.name) for page in sent]


def test_a_ticket_that_nobody_takes_climbs_step_by_step(burning: Burning, live_until: Live) -> None:
    ticket = burning()
    live_until(after(60))
    assert paged(ticket) == [(0, "Lena Lang"), (5, "Lena Lang"), (5, "Lou Lead"), (10, "Tom Tran")]
    assert paging_of(ticket).state == PagingState.EXHAUSTED
    assert told(ticket, "people_paged")[0]["people"] == ["Lena Lang (on call: L1) by mail"]
    assert len(told(ticket, "paging_exhausted")) == 1


def test_each_page_is_a_mail_with_a_link_of_its_own(burning: Burning, live_until: Live) -> None:
    ticket = burning()
    live_until(after(6))
    mails = Notice.objects.filter(ticket=ticket, kind="page").order_by("id")
    assert [mail.address for mail in mails] == ["lena@desk.example", "lena@desk.example", "lou@desk.example"]
    pages = Page.objects.filter(paging__ticket=ticket).order_by("id")
    assert all(f"/pages/{page.token}/" in mail.text for page, mail in zip(pages, mails, strict=True))


def test_a_mail_about_two_clients_is_on_no_ticket_of_either(
    cast: Cast, on_call: None, doing: Callable[..., Any], live_until: Live
) -> None:
    publish()
    for client, contact in ((cast.acme, cast.ann), (cast.borealis, cast.bob)):
        with doing(contact):
            cast.ticket(client=client, contact=contact, impact=1, urgency=1, subject=f"Down at {client.name}")
    live_until(after(1))
    [mail] = Notice.objects.filter(kind="page")
    assert "Down at Acme GmbH" in mail.text and "Down at Borealis Inc." in mail.text
    assert (mail.client, mail.ticket, mail.state) == (None, None, "sent")
    assert not Notice.objects.visible_to(cast.olga.user).filter(kind="page").exists(), (
        "she serves Borealis alone"
    )


def test_whoever_takes_the_ticket_stops_the_calling(
    cast: Cast, burning: Burning, doing: Callable[..., Any], live_until: Live
) -> None:
    ticket = burning()
    live_until(after(1))
    with doing(cast.lena, after(2)):
        Ticket.objects.get(pk=ticket.pk).take(cast.lena)
    live_until(after(60))
    assert paged(ticket) == [(0, "Lena Lang")]
    paging = paging_of(ticket)
    assert (paging.state, paging.acked_by, paging.acked_at) == ("acknowledged", cast.lena, after(2))


def test_a_ticket_that_somebody_took_at_once_calls_nobody(
    cast: Cast, on_call: None, doing: Callable[..., Any], live_until: Live
) -> None:
    publish()
    with doing(cast.lena) as unit:
        ticket = cast.ticket(impact=1, urgency=1)
        unit.settle()
        ticket.take(cast.lena)
    live_until(after(60))
    assert paged(ticket) == []


def test_a_lesser_priority_calls_nobody(
    cast: Cast, on_call: None, doing: Callable[..., Any], live_until: Live
) -> None:
    publish()
    with doing(cast.ann.user):
        ticket = cast.ticket(impact=3, urgency=3)
    live_until(after(60))
    assert not Paging.objects.filter(ticket=ticket).exists()


def test_acknowledged_and_forgotten_starts_again(
    cast: Cast, burning: Burning, doing: Callable[..., Any], live_until: Live
) -> None:
    ticket = burning(ack_timeout=30 * MIN)
    live_until(after(1))
    with doing(cast.lena, after(2)):
        paging_of(ticket).acknowledge(cast.lena)
    live_until(after(33))
    assert paged(ticket) == [(0, "Lena Lang"), (32, "Lena Lang")]
    assert told(ticket, "acknowledgement_expired")[0]["agent_name"] == "Lena Lang"


def test_progress_keeps_an_acknowledgement(
    cast: Cast, burning: Burning, doing: Callable[..., Any], live_until: Live
) -> None:
    ticket = burning(ack_timeout=30 * MIN)
    live_until(after(1))
    with doing(cast.lena, after(2)):
        paging_of(ticket).acknowledge(cast.lena)
    with doing(cast.lena, after(10)):
        Ticket.objects.get(pk=ticket.pk).note("Looking at the gateway.")
    live_until(after(90))
    assert paged(ticket) == [(0, "Lena Lang")]


def test_a_resolved_ticket_calls_nobody(
    cast: Cast, burning: Burning, doing: Callable[..., Any], live_until: Live
) -> None:
    ticket = burning()
    live_until(after(1))
    with doing(cast.tom, after(2)):
        Ticket.objects.get(pk=ticket.pk).resolve(code="fixed", text="It works again.")
    live_until(after(60))
    assert paged(ticket) == [(0, "Lena Lang")]
    assert paging_of(ticket).state == PagingState.ENDED


def test_it_is_gone_through_again_as_often_as_the_policy_says(burning: Burning, live_until: Live) -> None:
    ticket = burning(repeat=1, when_exhausted=["user:kira@desk.example"])
    live_until(after(120))
    assert [minute for minute, _ in paged(ticket)] == [0, 5, 5, 10, 15, 20, 20, 25, 30]
    assert paged(ticket)[-1] == (30, "Kira Koch")


def test_a_hand_moves_the_ticket_up_and_acknowledges_nothing(
    cast: Cast, burning: Burning, live_until: Live
) -> None:
    steps = [
        {"after": 0, "page": ["schedule:l1"]},
        {"after": 20 * MIN, "hand": "L2"},
        {"after": 30 * MIN, "page": ["schedule:l2"]},
    ]
    ticket = burning(steps=steps)
    live_until(after(31))
    ticket.refresh_from_db()
    assert (ticket.team, ticket.acknowledged_at) == (cast.ops, None)
    sent = Escalation.objects.get(ticket=ticket)
    assert (sent.reason, sent.sent_by) == ("time", None)
    assert paged(ticket) == [(0, "Lena Lang"), (30, "Tom Tran")]
    assert Paging.objects.filter(ticket=ticket).count() == 1


@pytest.mark.parametrize(
    ("hand", "short", "accept_min"),
    [
        pytest.param("L2", ["L2"], 5, id="what has a short way takes it"),
        pytest.param("L3", ["L2"], 30, id="the short way does not lead there"),
    ],
)
def test_a_hand_takes_the_emergency_path_where_one_leads_there(
    hand: str, short: list[str], accept_min: int, burning: Burning, live_until: Live
) -> None:
    emergency = {"priorities": [1], "to": short, "accept_min": 5, "tell": ["managers"]}
    Procedure.publish("up", name="Up", from_tier=1, spec={"emergency": emergency})
    ticket = burning(steps=[{"after": 0, "page": ["schedule:l1"]}, {"after": 20 * MIN, "hand": hand}])
    live_until(after(21))
    sent = Escalation.objects.get(ticket=ticket)
    entries = Entry.objects.of(ticket.pk)
    assert entries.get(kind="escalation_sent").details["accept_s"] == accept_min * MIN
    assert (sent.emergency, sent.sent_by) == (accept_min == 5, None)
    assert "hands it on" in sent.bypass
    told = entries.filter(kind="hierarchy_told", details__rung="emergency")
    assert told.exists() is sent.emergency


@pytest.mark.parametrize("hand", ["L2", "team:ops"])
def test_a_repeat_does_not_hand_on_again(hand: str, burning: Burning, live_until: Live) -> None:
    """It would be refused, and read as if something were wrong with the policy."""
    ticket = burning(
        steps=[{"after": 0, "page": ["schedule:l1"]}, {"after": 20 * MIN, "hand": hand}], repeat=1
    )
    live_until(after(60))
    kinds = Counter(Entry.objects.of(ticket.pk).values_list("kind", flat=True))
    assert (kinds["handed_over"], kinds["step_passed_over"], kinds["hand_refused"]) == (1, 1, 0)


class TestAnotherTeam:
    """Promise case H05."""

    STEPS: ClassVar = [{"after": 0, "page": ["schedule:l1"]}, {"after": 10 * MIN, "page": ["schedule:l1"]}]

    def test_h05_another_team_ends_the_old_chain_and_begins_its_own(
        self, cast: Cast, burning: Burning, doing: Callable[..., Any], live_until: Live
    ) -> None:
        ops = {"teams": ["ops"], "priorities": [1], "steps": [{"after": 0, "page": ["schedule:l2"]}]}
        Policy.publish("ops", name="Operations P1", said=ops)
        Way.objects.create(
            agent=cast.lena, kind="sms", address="+49301234509", verified_at=MONDAY_10, wait_s=4 * MIN
        )
        ticket = burning(steps=self.STEPS)
        live_until(after(1))
        self.hand(ticket, cast, doing)
        live_until(after(60))
        assert paged(ticket) == [(0, "Lena Lang"), (2, "Tom Tran")]
        old, new = Paging.objects.filter(ticket=ticket).order_by("id")
        assert (old.state, old.wake_at, new.policy.key) == (PagingState.ENDED, None, "ops")
        assert Page.objects.get(paging=old, channel="sms").state == PageState.DROPPED

    def test_h05_no_policy_is_for_the_new_team(
        self, cast: Cast, burning: Burning, doing: Callable[..., Any], live_until: Live
    ) -> None:
        ticket = burning(steps=self.STEPS)
        live_until(after(1))
        self.hand(ticket, cast, doing)
        live_until(after(60))
        assert paged(ticket) == [(0, "Lena Lang")]
        assert paging_of(ticket).state == PagingState.ENDED

    def test_h05_the_same_policy_is_for_the_new_team_and_goes_on(
        self, cast: Cast, burning: Burning, doing: Callable[..., Any], live_until: Live
    ) -> None:
        ticket = burning(steps=self.STEPS, teams=["desk", "ops"])
        live_until(after(1))
        self.hand(ticket, cast, doing)
        live_until(after(60))
        assert paged(ticket) == [(0, "Lena Lang"), (10, "Lena Lang")]
        assert Paging.objects.filter(ticket=ticket).count() == 1

    def hand(self, ticket: Ticket, cast: Cast, doing: Callable[..., Any]) -> None:
        """Somebody hands it to operations, who has not looked at it: that is no notice taken."""
        with doing(cast.lou, after(2)):
            Ticket.objects.get(pk=ticket.pk).hand_over(cast.ops, why="theirs")


def test_h06_two_reminders_ten_minutes_apart_and_the_next_contact_after_thirty(
    burning: Burning, live_until: Live
) -> None:
    """(n + 1) · interval, as after the last step it waits as long as before it."""
    steps = [{"after": minutes * MIN, "page": ["user:lena@desk.example"]} for minutes in (0, 10, 20)]
    ticket = burning(steps=steps, when_exhausted=["user:tom@desk.example"])
    live_until(after(120))
    assert paged(ticket) == [(0, "Lena Lang"), (10, "Lena Lang"), (20, "Lena Lang"), (30, "Tom Tran")]


def test_nobody_on_call_holds_the_page_until_somebody_is(
    cast: Cast, doing: Callable[..., Any], live_until: Live
) -> None:
    schedule("l1", cast.desk, cast.lena, starts_date=(MONDAY_10 + timedelta(days=1)).date(), handover=time(9))
    publish(steps=[{"after": 0, "page": ["schedule:l1"]}], nobody_on_call="next_shift")
    with doing(cast.ann.user):
        ticket = cast.ticket(impact=1, urgency=1)
    live_until(after(60))
    assert paged(ticket) == []
    assert told(ticket, "nobody_on_call")[0]["target"] == "schedule:l1"
    live_until(after(24 * 60))
    assert paged(ticket) == [(23 * 60, "Lena Lang")]


def test_nobody_on_call_goes_on_with_the_next_step_at_once(
    cast: Cast, doing: Callable[..., Any], live_until: Live
) -> None:
    schedule("l2", cast.ops, cast.tom)
    steps = [{"after": 0, "page": ["schedule:l1"]}, {"after": 20 * MIN, "page": ["schedule:l2"]}]
    publish(steps=steps, nobody_on_call="next_step")
    with doing(cast.ann.user):
        ticket = cast.ticket(impact=1, urgency=1)
    live_until(after(1))
    assert paged(ticket) == [(0, "Tom Tran")]


def test_nobody_on_call_pages_the_lead(cast: Cast, doing: Callable[..., Any], live_until: Live) -> None:
    schedule("l1", cast.desk, cast.lena, starts_date=(MONDAY_10 + timedelta(days=1)).date())
    publish(steps=[{"after": 0, "page": ["schedule:l1"]}], nobody_on_call="page_lead")
    with doing(cast.ann.user):
        ticket = cast.ticket(impact=1, urgency=1)
    live_until(after(1))
    assert paged(ticket) == [(0, "Lou Lead")]


def test_a_step_outside_of_its_hours_is_passed_over_and_the_next_is_not_late(
    burning: Burning, live_until: Live
) -> None:
    steps = [
        {"after": 0, "page": ["schedule:l1"], "during": "outside"},
        {"after": 5 * MIN, "page": ["schedule:l2"], "during": "hours"},
    ]
    ticket = burning(steps=steps, calendar="office-de")
    live_until(after(6))
    assert paged(ticket) == [(5, "Tom Tran")]
    assert told(ticket, "step_passed_over")[0]["step"] == 1


def test_after_an_hour_in_which_everything_stood_still_each_page_is_sent_once(
    burning: Burning, live_until: Live
) -> None:
    from tierdesk.core.wakeups import run_due

    ticket = burning()
    late = after(60)
    while run_due(late):
        pass
    assert [name for _, name in paged(ticket)] == ["Lena Lang", "Lena Lang", "Lou Lead", "Tom Tran"]
    # The two pages to Lena became due at the same time, and left together.
    assert Notice.objects.filter(ticket=ticket, kind="page").count() == 3


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [{"after": 60, "page": ["schedule:l1"]}, {"after": 60, "page": ["schedule:l2"]}],
        [{"after": 0}],
        [{"after": 0, "page": ["schedule:l1"], "hand": "L2"}],
        [{"after": 0, "page": ["schedule:l1"], "during": "hours"}],
    ],
    ids=["empty", "not rising", "neither", "both", "hours of no calendar"],
)
def test_nonsense_is_not_published(db: None, steps: list[dict[str, Any]]) -> None:
    with pytest.raises(PolicyRefused):
        publish(steps=steps)


def test_the_same_words_make_no_new_version(db: None) -> None:
    assert publish() == publish()
    assert publish(repeat=2).version == 2
