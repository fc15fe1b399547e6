"""After a major incident people look back, agree on actions, and close it by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tests.response.major.conftest import Declares, fresh, now
from tests.response.major.test_declaring import on_the_desk, told
from tierdesk.response.major.models import MajorIncident, ReviewAction
from tierdesk.tickets.lifecycle import UnableTo

Doing = Callable[..., Any]
Live = Callable[[datetime], None]

LATER = MONDAY_10 + timedelta(hours=3)
FRIDAY = date(2026, 6, 12)


@pytest.fixture
def solved(cast: Cast, declares: Declares, doing: Doing) -> MajorIncident:
    incident = declares()
    with doing(cast.tom, MONDAY_10 + timedelta(hours=2)):
        now(incident.ticket).resolve(code="fixed", text="Works again.")
    return fresh(incident)


@pytest.fixture
def action(cast: Cast, solved: MajorIncident, doing: Doing) -> ReviewAction:
    with doing(cast.tom, LATER):
        solved.agree("A second gateway", owner=cast.kira, due_date=FRIDAY, by=cast.tom)
    found: ReviewAction = ReviewAction.objects.select_related("incident__ticket", "owner__user").get()
    return found


def test_it_is_not_closed_before_somebody_looked_back(
    cast: Cast, solved: MajorIncident, doing: Doing, live_until: Live
) -> None:
    with pytest.raises(UnableTo, match="Hold its review first"), doing(cast.tom, LATER):
        solved.close(by=cast.tom)
    with pytest.raises(UnableTo, match="closed on its board"), doing(cast.ann, LATER):
        now(solved.ticket).close("the contact says that it is solved")
    live_until(LATER + timedelta(days=30))
    assert now(solved.ticket).state == "resolved", "no silence closes it either"


def test_it_is_closed_by_hand_after_its_review(cast: Cast, solved: MajorIncident, doing: Doing) -> None:
    with doing(cast.tom, LATER):
        solved.hold_review("A power supply failed.", by=cast.tom)
        solved.close(by=cast.tom)
    assert now(solved.ticket).state == "closed"
    kept = fresh(solved)
    assert (kept.review, kept.reviewed_by, kept.reviewed_at) == ("A power supply failed.", cast.tom, LATER)
    assert told(solved.ticket, "review_held") == [{"incident": solved.pk, "actions": 0}]


def test_a_review_is_waived_with_a_reason(cast: Cast, solved: MajorIncident, doing: Doing) -> None:
    with pytest.raises(UnableTo, match="Say why"), doing(cast.tom, LATER):
        solved.waive_review(" ", by=cast.tom)
    with doing(cast.tom, LATER):
        solved.waive_review("The same as last week.", by=cast.tom)
        solved.close(by=cast.tom)
    assert fresh(solved).waived == "The same as last week."


@pytest.mark.parametrize(
    ("by", "words", "refusal"),
    [("lena", "It broke.", "Whoever has a role"), ("tom", "", "Write down what happened")],
)
def test_a_review_is_refused(
    cast: Cast, solved: MajorIncident, doing: Doing, by: str, words: str, refusal: str
) -> None:
    agent = getattr(cast, by)
    with pytest.raises(UnableTo, match=refusal), doing(agent, LATER):
        solved.hold_review(words, by=agent)
    assert fresh(solved).reviewed_at is None


def test_nobody_looks_back_before_it_is_solved(cast: Cast, declares: Declares, doing: Doing) -> None:
    incident = declares()
    with pytest.raises(UnableTo, match="look back when it is solved"), doing(cast.tom, LATER):
        incident.hold_review("It broke.", by=cast.tom)


def test_what_comes_back_is_looked_back_at_once_more(cast: Cast, solved: MajorIncident, doing: Doing) -> None:
    with doing(cast.tom, LATER):
        solved.hold_review("A power supply failed.", by=cast.tom)
    with doing(cast.ann, LATER):
        now(solved.ticket).reopen("It is back.")
    kept = fresh(solved)
    assert (kept.reviewed_at, kept.review) == (None, "A power supply failed.")


def test_the_owner_of_an_action_is_told_and_reminded_once_on_its_day(
    cast: Cast, action: ReviewAction, live_until: Live
) -> None:
    assert on_the_desk("action") == ["Kira Koch"]
    assert action.wake_at == datetime(2026, 6, 12, 6, tzinfo=UTC), "eight in the morning, where Kira is"
    live_until(action.wake_at + timedelta(days=10))
    assert on_the_desk("action_due") == ["Kira Koch"]


def test_nobody_is_reminded_of_what_is_done(
    cast: Cast, action: ReviewAction, doing: Doing, live_until: Live
) -> None:
    with doing(cast.kira, LATER):
        action.finish(by=cast.kira)
    with pytest.raises(UnableTo, match="done already"), doing(cast.kira, LATER):
        action.finish(by=cast.kira)
    live_until(LATER + timedelta(days=10))
    assert on_the_desk("action_due") == []
    done = ReviewAction.objects.get()
    assert (done.done_by, done.done_at) == (cast.kira, LATER)


def test_an_action_is_finished_by_its_owner_or_by_whoever_has_a_role(
    cast: Cast, action: ReviewAction, doing: Doing
) -> None:
    with pytest.raises(UnableTo, match="Kira Koch says"), doing(cast.lena, LATER):
        action.finish(by=cast.lena)
    with doing(cast.tom, LATER):
        action.finish(by=cast.tom)
    assert not ReviewAction.objects.open().exists()


@pytest.mark.parametrize(
    ("by", "what", "owner", "day", "refusal"),
    [
        ("lena", "A gateway", "kira", FRIDAY, "Whoever has a role"),
        ("tom", " ", "kira", FRIDAY, "Say what"),
        ("tom", "A gateway " * 51, "kira", FRIDAY, "at most 500 letters"),
        ("tom", "A gateway", "olga", FRIDAY, "does not serve Acme"),
        ("tom", "A gateway", "kira", date(2026, 6, 8), "in the future"),
    ],
)
def test_an_action_is_refused(
    cast: Cast, solved: MajorIncident, doing: Doing, by: str, what: str, owner: str, day: date, refusal: str
) -> None:
    agent = getattr(cast, by)
    with pytest.raises(UnableTo, match=refusal), doing(agent, LATER):
        solved.agree(what, owner=getattr(cast, owner), due_date=day, by=agent)
    assert not ReviewAction.objects.exists()


def test_no_action_is_agreed_on_what_is_closed(cast: Cast, solved: MajorIncident, doing: Doing) -> None:
    with doing(cast.tom, LATER):
        solved.waive_review("The same as last week.", by=cast.tom)
        solved.close(by=cast.tom)
    with pytest.raises(UnableTo, match="no major incident any more"), doing(cast.tom, LATER):
        solved.agree("A gateway", owner=cast.kira, due_date=FRIDAY, by=cast.tom)
