"""A contact escalates: the hierarchy hears, nothing moves, and a contract gives so many a month."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tests.web.portal.conftest import Browser
from tierdesk.core import clock
from tierdesk.response.notifications.models import Notice
from tierdesk.response.tiers.complaints import Complaint, entitlement_of
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Entry, Ticket

Doing = Callable[..., Any]
DAY = timedelta(days=1)


@pytest.fixture
def entitled(cast: Cast) -> None:
    cast.acme_contract.complaints = {"per_month": 2}
    cast.acme_contract.save(update_fields=["complaints"])


@pytest.fixture
def worked(cast: Cast, doing: Doing) -> Ticket:
    """Ann's, with Kira of the third line."""
    with doing(cast.lena) as unit:
        ticket = cast.ticket()
        unit.settle()
        ticket.hand_over(cast.experts, why="theirs", assignee=cast.kira)
    return ticket


def page(ticket: Ticket, action: str = "") -> str:
    return f"/portal/tickets/{ticket.pk}/{action}{'/' if action else ''}"


def test_the_hierarchy_hears_and_nothing_moves(
    cast: Cast, entitled: None, at: datetime, ann: Browser, worked: Ticket
) -> None:
    assert "2 of 2 left this month" in ann.reads(page(worked))
    with clock.frozen(at + DAY):
        ann.post(page(worked, "complaint"), {"reason": "Nobody\r\nhas written for a day."})
        assert "have been told" in ann.reads(page(worked))
    ticket = Ticket.objects.get(pk=worked.pk)
    assert (ticket.team, ticket.tier, ticket.assignee, ticket.state) == (cast.experts, 3, cast.kira, "new")
    told = Entry.objects.of(ticket.pk).get(kind="hierarchy_told")
    assert told.details["agents"] == [cast.lou.pk], "the manager; the experts have no lead"
    assert told.details["why"] == "Ann Albers escalates: Nobody has written for a day."
    assert told.cause is not None and told.cause.kind == "complained"
    assert set(Notice.objects.filter(kind="hierarchy").values_list("agent", "channel")) == {
        (cast.lou.pk, "desk"),
        (cast.lou.pk, "mail"),
    }
    assert not Notice.objects.filter(agent=cast.kira, kind="hierarchy").exists()
    back = Notice.objects.get(kind="complaint")
    assert (back.address, back.automatic) == ("ann@acme.example", True)
    assert "escalation 1 of 2 that" in " ".join(back.text.split())
    assert "> Nobody has written for a day." in back.text


def test_a_month_gives_so_many_and_the_next_gives_them_again(
    cast: Cast, entitled: None, doing: Doing, at: datetime
) -> None:
    """June ends in Berlin two hours before it does in London."""
    with doing(cast.lena):
        tickets = [cast.ticket() for _ in range(4)]
    for ticket in tickets[:2]:
        with doing(cast.ann, at):
            Complaint.make(Ticket.objects.get(pk=ticket.pk), cast.ann, reason="slow")
    last = datetime(2026, 6, 30, 21, 59, tzinfo=UTC)
    with pytest.raises(UnableTo, match="2 escalations of this month are used"), doing(cast.ann, last):
        Complaint.make(Ticket.objects.get(pk=tickets[2].pk), cast.ann, reason="slow")
    with doing(cast.ann, last + timedelta(minutes=1)):
        Complaint.make(Ticket.objects.get(pk=tickets[2].pk), cast.ann, reason="slow")
    assert Complaint.objects.count() == 3


def test_a_double_click_tells_once(entitled: None, ann: Browser, worked: Ticket) -> None:
    for _ in range(2):
        ann.post(page(worked, "complaint"), {"reason": "slow"})
    assert Complaint.objects.count() == 1
    assert "since less than a day" in ann.reads(page(worked))


def test_what_was_escalated_stays_on_the_page_and_is_not_asked_for_again_that_day(
    cast: Cast, entitled: None, at: datetime, ann: Browser, worked: Ticket
) -> None:
    with clock.frozen(at + DAY):
        ann.post(page(worked, "complaint"), {"reason": "Nobody has written."})
        told = ann.reads(page(worked))
    assert "Nobody has written." in told and "They know of it" in told
    assert "What is going wrong?" not in told
    with clock.frozen(at + 2 * DAY + timedelta(minutes=1)):
        later = ann.reads(page(worked))
    assert "Nobody has written." in later and "What is going wrong?" in later and "They know" not in later


@pytest.mark.parametrize("reason", ["", "  \n "], ids=["empty", "blank"])
def test_without_a_reason_nobody_is_told(entitled: None, ann: Browser, worked: Ticket, reason: str) -> None:
    ann.post(page(worked, "complaint"), {"reason": reason})
    assert not Complaint.objects.exists()
    assert "Say what is going wrong" in ann.reads(page(worked))


def test_a_contract_without_escalations_has_no_button(ann: Browser, worked: Ticket) -> None:
    assert "Is it not going as it should?" not in ann.reads(page(worked))
    ann.post(page(worked, "complaint"), {"reason": "slow"})
    assert not Complaint.objects.exists()


def test_what_is_solved_is_reopened_not_escalated(
    cast: Cast, entitled: None, doing: Doing, ann: Browser, worked: Ticket
) -> None:
    with doing(cast.kira):
        Ticket.objects.get(pk=worked.pk).resolve(code="fixed")
    assert "Is it not going as it should?" not in ann.reads(page(worked))
    ann.post(page(worked, "complaint"), {"reason": "slow"})
    assert not Complaint.objects.exists()


def test_another_client_finds_nothing_to_escalate(entitled: None, bob: Browser, worked: Ticket) -> None:
    assert bob.post(page(worked, "complaint"), {"reason": "slow"}).status_code == 404
    assert not Complaint.objects.exists()


def test_a_stranger_is_asked_to_sign_in(entitled: None, stranger: Browser, worked: Ticket) -> None:
    response = stranger.post(page(worked, "complaint"), {"reason": "slow"})
    assert "sign-in" in response.headers["Location"] or "next=" in response.headers["Location"]
    assert not Complaint.objects.exists()


def test_the_contract_may_name_who_hears(
    cast: Cast, entitled: None, doing: Doing, at: datetime, worked: Ticket
) -> None:
    cast.acme_contract.complaints = {"per_month": 1, "tell": ["agent:tom@desk.example"]}
    cast.acme_contract.save()
    with doing(cast.ann, at):
        Complaint.make(Ticket.objects.get(pk=worked.pk), cast.ann, reason="slow")
    assert Entry.objects.of(worked.pk).get(kind="hierarchy_told").details["agents"] == [cast.tom.pk]


def test_where_nobody_holds_the_role_managers_hear(
    cast: Cast, entitled: None, doing: Doing, at: datetime, worked: Ticket
) -> None:
    cast.acme_contract.complaints = {"per_month": 1, "tell": ["duty"]}
    cast.acme_contract.save()
    with doing(cast.ann, at):
        Complaint.make(Ticket.objects.get(pk=worked.pk), cast.ann, reason="slow")
    told = Entry.objects.of(worked.pk).get(kind="hierarchy_told").details
    assert (told["roles"], told["agents"]) == (["managers"], [cast.lou.pk])


def test_without_a_contract_there_is_nothing_to_claim(cast: Cast, at: datetime, worked: Ticket) -> None:
    assert entitlement_of(Ticket(client=cast.acme), at).left == 0
