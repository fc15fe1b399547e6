"""Clients of a major incident hear from us in time, or those above hear that they did not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tests.response.major.conftest import Declares, Opens, fresh, now
from tests.response.major.test_declaring import on_the_desk, told
from tierdesk.core.wakeups import run_due
from tierdesk.directory.contracts.models import ContractVersion
from tierdesk.response.major.cadence import minutes_for
from tierdesk.response.major.models import RoleKind, usual_minutes
from tierdesk.response.notifications.models import Notice
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Entry, Ticket

Doing = Callable[..., Any]
Live = Callable[[datetime], None]
M = timedelta(minutes=1)


def when(ticket: Ticket, kind: str) -> list[float]:
    """Minutes after it was declared."""
    entries = Entry.objects.filter(ticket=ticket, kind=kind).order_by("id")
    return [(at - MONDAY_10) / M for at in entries.values_list("at", flat=True)]


@pytest.mark.parametrize(
    ("priority", "promised", "own", "minutes", "why"),
    [
        (1, 45 * 60, None, 45, "as the contract promises"),
        (1, None, None, 30, "the contract promises none, and it is critical"),
        (2, None, None, 60, "the contract promises none, and it is high"),
        (4, None, None, 120, "the contract promises none"),
        (1, 60, None, 5, "nobody writes every minute"),
        (5, 14 * 24 * 3600, None, 1440, "a major incident has news once a day at least"),
        (1, 45 * 60, 20 * 60, 20, "as the contract says of major incidents"),
        (1, 20 * 60, 45 * 60, 45, "also where that is less often"),
        (3, None, 15 * 60, 15, "as it says, whatever the priority"),
    ],
)
def test_how_often(priority: int, promised: int | None, own: int | None, minutes: int, why: str) -> None:
    assert minutes_for(priority, promised, own) == minutes, why


def test_a_contract_s_own_terms_hold_for_its_priorities_and_the_promise_for_the_others(
    cast: Cast, opens: Opens
) -> None:
    ContractVersion.objects.filter(pk=cast.acme_contract.pk).update(major_updates={"1": 900})
    assert usual_minutes(opens(impact=1, urgency=1)) == 15
    second = opens(impact=1, urgency=2)
    assert (second.priority, usual_minutes(second)) == (2, 120)


def test_whoever_writes_is_reminded_and_what_does_not_come_is_told_once_per_interval(
    cast: Cast, declares: Declares, doing: Doing, live_until: Live
) -> None:
    incident = declares()
    with doing(cast.tom):
        incident.hand_role(RoleKind.COMMUNICATIONS, cast.lena, by=cast.tom)
    live_until(MONDAY_10 + 61 * M)
    assert when(incident.ticket, "update_due") == [22.5, 52.5]
    assert when(incident.ticket, "update_missed") == [30, 60]
    assert on_the_desk("update_due") == ["Lena Lang"] * 2
    mail = Notice.objects.filter(kind="update_due", channel="mail").last()
    assert mail is not None
    assert (mail.address, "hear from us by 08:30 UTC" in mail.subject) == ("lena@desk.example", True)
    why = [one["why"] for one in told(incident.ticket, "hierarchy_told")]
    assert why.count("nobody has told the clients of the major incident anything in time") == 2
    assert fresh(incident).missed == 2


def test_without_somebody_for_communications_its_manager_is_reminded(
    cast: Cast, declares: Declares, live_until: Live
) -> None:
    declares()
    live_until(MONDAY_10 + 25 * M)
    assert on_the_desk("update_due") == ["Tom Tran"]


def test_a_broadcast_is_an_update_and_the_next_is_due_an_interval_later(
    cast: Cast, declares: Declares, doing: Doing, live_until: Live
) -> None:
    incident = declares()
    live_until(MONDAY_10 + 25 * M)
    with doing(cast.tom, MONDAY_10 + 28 * M):
        incident.broadcast("We look for it.", by=cast.tom)
    assert fresh(incident).next_update_at == MONDAY_10 + 58 * M
    live_until(MONDAY_10 + 57 * M)
    assert when(incident.ticket, "update_due") == [22.5, 50.5]
    assert when(incident.ticket, "update_missed") == []


def test_words_to_the_parent_s_contact_alone_are_no_update(
    cast: Cast, declares: Declares, doing: Doing
) -> None:
    incident = declares()
    with doing(cast.tom, MONDAY_10 + 10 * M):
        now(incident.ticket).reply("To you alone.")
    assert fresh(incident).next_update_at == MONDAY_10 + 30 * M


def test_after_an_outage_of_the_desk_an_update_is_reminded_of_and_missed_once(
    cast: Cast, declares: Declares
) -> None:
    incident = declares()
    run_due(MONDAY_10 + 300 * M)
    assert (len(when(incident.ticket, "update_due")), when(incident.ticket, "update_missed")) == (1, [300])
    assert fresh(incident).next_update_at == MONDAY_10 + 330 * M


def test_nobody_waits_for_news_of_what_is_solved_until_it_is_back(
    cast: Cast, declares: Declares, doing: Doing, live_until: Live
) -> None:
    incident = declares()
    with doing(cast.tom, MONDAY_10 + 10 * M):
        now(incident.ticket).resolve(code="fixed", text="Works again.")
    live_until(MONDAY_10 + 50 * M)
    assert when(incident.ticket, "update_missed") == []
    with pytest.raises(UnableTo, match="reopen it first"), doing(cast.tom, MONDAY_10 + 50 * M):
        fresh(incident).broadcast("Still?", by=cast.tom)
    with doing(cast.ann, MONDAY_10 + 60 * M):
        now(incident.ticket).reopen("It is back.")
    assert fresh(incident).next_update_at == MONDAY_10 + 90 * M


def test_the_cadence_is_changed_by_whoever_leads_it_and_nobody_gains_time_by_it(
    cast: Cast, declares: Declares, doing: Doing
) -> None:
    incident = declares()
    with pytest.raises(UnableTo, match="incident manager"), doing(cast.lena, MONDAY_10 + 5 * M):
        incident.change_cadence(60, by=cast.lena)
    for every, due in ((60, 60), (15, 15)):
        with doing(cast.tom, MONDAY_10 + 25 * M):
            incident.change_cadence(every, by=cast.tom)
        assert fresh(incident).next_update_at == MONDAY_10 + due * M
    with pytest.raises(UnableTo, match="every 15 minutes already"), doing(cast.tom, MONDAY_10 + 25 * M):
        incident.change_cadence(15, by=cast.tom)
    assert [(one["before"], one["every_min"]) for one in told(incident.ticket, "cadence_changed")] == [
        (30, 60),
        (60, 15),
    ]
    run_due(MONDAY_10 + 25 * M)
    assert when(incident.ticket, "update_missed") == [25], "it was due ten minutes ago"
