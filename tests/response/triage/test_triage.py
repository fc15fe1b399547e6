"""Triage decides before a ticket is written down, and says so afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import Cast
from tierdesk.core.work import current
from tierdesk.response.triage.decide import Keywords, suggest


def test_whoever_opens_a_ticket_may_hand_it_on_at_once(cast: Cast, doing: Callable[..., Any]) -> None:
    """What triage decided is told as it decided it; what came after it stands, and nothing is promised twice."""
    with doing(cast.lena):
        ticket = cast.ticket()
        ticket.hand_over(cast.experts, why="theirs", assignee=cast.kira)
    ticket.refresh_from_db()
    assert (ticket.team, ticket.assignee, ticket.tier) == (cast.experts, cast.kira, 3)
    triaged = ticket.entries.get(kind="triaged")
    assert triaged.details["team"] == cast.desk.name
    going = [(clock.metric, clock.party, clock.tier) for clock in ticket.clocks.filter(state="running")]
    assert len(going) == len(set(going))
    assert ("resolve", "SLA", None) in going


def test_a_ticket_is_written_once(cast: Cast, doing: Callable[..., Any]) -> None:
    """Triage decides before the row is there: no statement changes it but the one that says what is due."""
    with doing(cast.lena), CaptureQueriesContext(connection) as queries:
        cast.ticket()
        current().settle()
    statements = (query["sql"].lstrip().replace('"', "") for query in queries)
    changed = [one for one in statements if one.startswith("UPDATE tickets_ticket")]
    assert len(changed) == 1 and "next_due_at" in changed[0]


def test_what_is_raised_for_a_vip_is_raised_once_each_time_the_matrix_is_asked(
    cast: Cast, doing: Callable[..., Any]
) -> None:
    """The ticket keeps the urgency that was told: assessed again as before, or under other terms, it does not climb."""
    with doing(cast.lena):
        ticket = cast.ticket(contact=cast.arne, impact=3, urgency=3)
    assert ticket.urgency == 3
    assert ticket.entries.get(kind="triaged").details["urgency"] == 2
    before = ticket.priority
    with doing(cast.lena):
        ticket.assess(impact=ticket.impact, urgency=ticket.urgency, reason="looked at it again")
    assert ticket.priority == before


def test_what_monitoring_calls_it_says_what_it_is_about(cast: Cast, doing: Callable[..., Any]) -> None:
    """The summary of an alarm often names but a host; its class counts as the subject, in the words it is made of."""
    with doing(cast.lena):
        ticket = cast.ticket(
            subject="gw1 is down",
            text="Prometheus raised:\ngw1 is down",
            traits={"alarm.class": "VpnTunnelDown"},
        )
    assert ticket.category == cast.vpn_category


def test_words_of_a_class_are_told_apart() -> None:
    disk, mail = Keywords(1, "server/disk", ("disk", "diskfull")), Keywords(2, "email", ("mail",))
    found = suggest("/var is 97 % full", "", [disk, mail], "DiskFull")
    assert found is not None
    assert (found.category, found.because, found.confidence) == (1, ("disk", "diskfull"), 1.0)
    assert suggest("/var is 97 % full", "", [disk, mail], "Diskfuller") is None
