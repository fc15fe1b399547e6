"""Who declares a major incident, who has which role in it, and how it ends without having been one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tests.response.major.conftest import Declares, Opens, fresh, now
from tests.response.paging.conftest import schedule
from tierdesk.core.wakeups import run_due
from tierdesk.response.major.models import MajorIncident, Role, RoleKind
from tierdesk.response.major.rights import may_declare
from tierdesk.response.notifications.models import Notice
from tierdesk.tickets.lifecycle import StaleTicket, UnableTo
from tierdesk.tickets.models import Entry, Ticket

Doing = Callable[..., Any]


def told(ticket: Ticket, *kinds: str) -> list[dict[str, Any]]:
    entries = Entry.objects.filter(ticket=ticket, kind__in=kinds).order_by("id")
    return [entry.details for entry in entries]


def on_the_desk(kind: str) -> list[str]:
    notices = Notice.objects.filter(kind=kind, channel="desk").order_by("id")
    return [notice.agent.name for notice in notices if notice.agent]


def test_a_lead_declares_it_and_those_above_are_told(cast: Cast, declares: Declares) -> None:
    incident = declares()
    assert now(incident.ticket).is_major
    assert told(incident.ticket, "major_declared") == [
        {"incident": incident.pk, "why": "All of Acme is cut off.", "every_min": 30}
    ]
    assert "Lou Lead" in on_the_desk("hierarchy")
    assert on_the_desk("major_role") == ["Tom Tran"]
    assert Notice.objects.filter(kind="major_role", channel="mail", address="tom@desk.example").exists()


@pytest.mark.parametrize(
    ("who", "may", "why"),
    [
        ("lou", True, "manages, and leads the team that has it"),
        ("lena", False, "is of the team and no lead"),
        ("tom", False, "is of another team"),
        ("olga", False, "does not even serve the client"),
    ],
)
def test_who_may_declare(cast: Cast, opens: Opens, who: str, may: bool, why: str) -> None:
    assert may_declare(getattr(cast, who), opens(), MONDAY_10) is may, why


def test_whoever_is_on_call_may_declare_it_at_night(cast: Cast, opens: Opens) -> None:
    schedule("l1", cast.desk, cast.lena)
    assert may_declare(cast.lena, opens(), MONDAY_10)


@pytest.mark.parametrize(
    ("by", "change", "why", "refusal"),
    [
        ("lena", {}, "It is big.", "declared by a manager, a lead"),
        ("lou", {}, "  ", "Say why"),
        ("lou", {"state": "cancelled"}, "It is big.", "only what goes on"),
        ("lou", {"is_major": True}, "It is big.", "already"),
    ],
)
def test_a_declaration_is_refused(
    cast: Cast, opens: Opens, doing: Doing, by: str, change: dict[str, Any], why: str, refusal: str
) -> None:
    ticket = opens()
    Ticket.objects.filter(pk=ticket.pk).update(**change)
    agent = getattr(cast, by)
    with pytest.raises(UnableTo, match=refusal), doing(agent):
        MajorIncident.declare(now(ticket), by=agent, why=why)
    assert not MajorIncident.objects.exists()


@pytest.mark.parametrize("every", [0, 4, 1441])
def test_updates_every_moment_or_never_are_no_cadence(
    cast: Cast, opens: Opens, doing: Doing, every: int
) -> None:
    ticket = opens()
    with pytest.raises(UnableTo, match="every 5 to 1440 minutes"), doing(cast.lou):
        MajorIncident.declare(ticket, by=cast.lou, why="It is big.", every_min=every)


def test_the_cadence_is_that_of_the_contract_unless_somebody_says(cast: Cast, declares: Declares) -> None:
    assert declares(every_min=None).every_min == 60, "Acme is promised an update every hour at P1"


def test_nobody_who_leads_it_is_told_to_the_team_s_lead_and_again_when_an_update_is_missed(
    cast: Cast, declares: Declares
) -> None:
    incident = declares(manager=None)
    assert len(told(incident.ticket, "manager_missing")) == 1
    why = [one["why"] for one in told(incident.ticket, "hierarchy_told")]
    assert "the major incident has no incident manager" in why
    run_due(MONDAY_10 + timedelta(minutes=23))
    run_due(MONDAY_10 + timedelta(minutes=31))
    assert len(told(incident.ticket, "manager_missing")) == 2


def test_a_role_is_handed_over_with_an_entry_and_has_one_holder(
    cast: Cast, declares: Declares, doing: Doing
) -> None:
    incident = declares()
    with doing(cast.tom):
        incident.hand_role(RoleKind.MANAGER, cast.kira, by=cast.tom)
    assert incident.holder(RoleKind.MANAGER) == cast.kira
    last = told(incident.ticket, "role_handed")[-1]
    assert (last["role"], last["agent_name"], last["before"]) == ("manager", "Kira Koch", "Tom Tran")
    held = Role.objects.filter(incident=incident).values_list("agent__user__name", "until_at")
    assert list(held) == [("Tom Tran", MONDAY_10), ("Kira Koch", None)]


def test_a_role_given_up_by_the_manager_leaves_a_hole_that_is_told(
    cast: Cast, declares: Declares, doing: Doing
) -> None:
    incident = declares()
    with doing(cast.tom):
        incident.hand_role(RoleKind.MANAGER, None, by=cast.tom)
    assert incident.holder(RoleKind.MANAGER) is None
    assert len(told(incident.ticket, "manager_missing")) == 1


@pytest.mark.parametrize(
    ("by", "kind", "who", "refusal"),
    [
        ("lou", "captain", "tom", "is no role"),
        ("lou", "scribe", "olga", "Olga Orlova does not serve Acme GmbH"),
        ("lena", "scribe", "lena", "Its incident manager does that"),
        ("lou", "manager", "tom", "Tom Tran has that role already"),
    ],
)
def test_a_role_is_refused(
    cast: Cast, declares: Declares, doing: Doing, by: str, kind: str, who: str, refusal: str
) -> None:
    incident, agent = declares(), getattr(cast, by)
    with pytest.raises(UnableTo, match=refusal), doing(agent):
        incident.hand_role(kind, getattr(cast, who), by=agent)
    assert incident.holders() == {"manager": cast.tom}


def test_stood_down_it_is_an_ordinary_ticket_and_its_children_work_on(
    cast: Cast, declares: Declares, of_bob: Opens, doing: Doing
) -> None:
    child = of_bob()
    incident = declares(child)
    with doing(cast.tom):
        incident.stand_down(by=cast.tom, why="One cable.")
    run_due(MONDAY_10)
    assert not now(incident.ticket).is_major
    assert (now(child).state, child.majors.get().state) == ("open", "released")
    assert told(incident.ticket, "major_stood_down") == [{"incident": incident.pk, "why": "One cable."}]
    assert (fresh(incident).wake_at, fresh(incident).next_update_at) == (None, None)
    for verb in (
        lambda: fresh(incident).stand_down(by=cast.tom, why="Again."),
        lambda: fresh(incident).close(by=cast.tom),
        lambda: fresh(incident).broadcast("News.", by=cast.tom),
    ):
        with pytest.raises(UnableTo, match="no major incident any more"), doing(cast.tom):
            verb()
    again = declares(ticket=incident.ticket)
    assert again.pk != incident.pk, "it may be declared once more"


def test_stood_down_when_it_is_solved_it_closes_by_itself_like_any_other(
    cast: Cast, declares: Declares, doing: Doing, live_until: Callable[[datetime], None]
) -> None:
    incident = declares()
    with doing(cast.tom):
        now(incident.ticket).resolve(code="fixed", text="Works again.")
    later = MONDAY_10 + timedelta(days=20)
    live_until(later)
    assert now(incident.ticket).state == "resolved"
    with doing(cast.tom, later):
        fresh(incident).stand_down(by=cast.tom, why="One cable.")
    live_until(later + timedelta(days=4))
    assert now(incident.ticket).state == "resolved"
    live_until(later + timedelta(days=6))
    assert now(incident.ticket).state == "closed"


@pytest.mark.parametrize(
    ("by", "why", "refusal"),
    [("lena", "One cable.", "Its incident manager does that"), ("tom", "", "Say why")],
)
def test_standing_down_is_refused(
    cast: Cast, declares: Declares, doing: Doing, by: str, why: str, refusal: str
) -> None:
    incident = declares()
    agent = getattr(cast, by)
    with pytest.raises(UnableTo, match=refusal), doing(agent):
        incident.stand_down(by=agent, why=why)
    assert now(incident.ticket).is_major


def test_a_major_incident_is_neither_cancelled_nor_merged_away(
    cast: Cast, declares: Declares, opens: Opens, doing: Doing
) -> None:
    incident, other = declares(), opens()
    with pytest.raises(UnableTo, match="stand it down"), doing(cast.lou):
        now(incident.ticket).cancel("no incident")
    with pytest.raises(UnableTo, match="link the other ticket"), doing(cast.lou):
        now(incident.ticket).merge_into(other, why="the same")


def test_what_was_read_before_somebody_else_changed_the_ticket_changes_nothing(
    cast: Cast, declares: Declares, doing: Doing
) -> None:
    incident = declares()
    with doing(cast.lou):
        now(incident.ticket).assign(cast.lena)
    with pytest.raises(StaleTicket), doing(cast.tom):
        incident.broadcast("We look for it.", by=cast.tom)
