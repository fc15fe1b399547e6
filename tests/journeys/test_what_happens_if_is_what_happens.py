"""What the desk says in advance is what it does: the ticket comes in for real, nobody touches it, and all agrees."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tests.journeys.conftest import Post
from tests.response.paging.conftest import MIN, publish, schedule
from tierdesk.directory.calendars.models import CalendarVersion
from tierdesk.directory.clients.models import Client
from tierdesk.response.notifications.models import Notice
from tierdesk.response.paging.pages import Page, PageState
from tierdesk.response.simulation.rehearsal import Lived, rehearse
from tierdesk.response.simulation.situation import Asked, Situation, read
from tierdesk.response.simulation.telling import what_happens
from tierdesk.response.tiers.models import Procedure
from tierdesk.tickets.models import Entry, Ticket

OWN_KEYS = {"paging", "clock", "escalation", "message"}
"""What a fact names by a number that is another's in every life."""

LONG = timedelta(days=31)


@pytest.fixture
def desk(cast: Cast, post: Post) -> Cast:
    """By day Lena and Lou in turn, of daily shifts that change hands at 02:30; by night Tom; a ladder with rungs."""
    holiday = {"tz": "Europe/Berlin", "week": cast.office.spec["week"], "closed": ["2026-12-25"]}
    CalendarVersion.objects.create(calendar=cast.office.calendar, version=2, spec=holiday)
    schedule("l1", cast.desk, cast.lena, cast.lou, calendar=cast.office.calendar)
    schedule("l2", cast.ops, cast.tom, cast.olga, shift_days=1, handover=time(2, 30))
    publish(
        priorities=[1, 3],
        calendar="office-de",
        repeat=1,
        nobody_on_call="next_shift",
        when_exhausted=["team:experts"],
        steps=[
            {"after": 0, "page": ["schedule:l1"]},
            {"after": 10 * MIN, "page": ["schedule:l2"], "during": "outside"},
            {"after": 20 * MIN, "page": ["team:desk", "user:tom@desk.example"]},
            {"after": 40 * MIN, "hand": "L2"},
            {"after": 55 * MIN, "page": ["schedule:l2", "next:l2"]},
        ],
    )
    ladder = [
        {"at": 50, "tell": ["team_lead"]},
        {"at": 75, "tell": ["duty:l2"]},
        {"at": 100, "tell": ["managers"]},
    ]
    Procedure.publish("told", name="Told", kind="hierarchical", spec={"ladder": ladder})
    cast.acme_contract.rungs = [
        {"at": "50 %", "tell": ["duty:l1", "team_lead"]},
        {"at": "1 h after", "tell": ["managers"]},
    ]
    cast.acme_contract.save(update_fields=["rungs"])
    return cast


def said(entries: list[Entry]) -> list[tuple[Any, ...]]:
    """Every line of a timeline, without the numbers of things that are one's own.

    Clocks that are due at the same instant come in no order.
    """
    lines = [
        (
            entry.at,
            entry.kind,
            {name: value for name, value in entry.details.items() if name not in OWN_KEYS},
            entry.tier,
            entry.team_id,
            entry.cause.kind if entry.cause else None,
        )
        for entry in entries
        if entry.kind != "opened"
    ]
    return sorted(lines, key=lambda line: (line[0], line[1], str(line[2])))


def in_advance(situation: Situation) -> tuple[Lived, list[tuple[Any, ...]]]:
    lived = rehearse(situation)
    by_pk = {entry.pk: entry for entry in lived.entries}
    for entry in lived.entries:
        entry.cause = by_pk.get(entry.cause_id) if entry.cause_id else None
    return lived, said(lived.entries)


def agents_told(notices: list[Notice]) -> list[tuple[Any, ...]]:
    """Who was told, without the pages."""
    told = [(n.created_at, n.kind, n.channel, n.agent_id) for n in notices if n.agent_id and n.kind != "page"]
    return sorted(told, key=str)


def agrees(situation: Situation, ticket: Ticket, lived: Lived, advance: list[tuple[Any, ...]]) -> None:
    """The real ticket's timeline, pages and notices are those that were told in advance."""
    real = list(Entry.objects.of(ticket.pk).select_related("cause"))
    assert said(real) == advance
    sent = Page.objects.filter(paging__ticket=ticket, state=PageState.SENT).order_by("sent_at", "id")
    assert [(p.sent_at, p.agent.name, p.channel, p.why) for p in sent] == [
        (p.wake_at, p.agent.name, p.channel, p.why) for p in lived.pages
    ]
    notices = Notice.objects.filter(ticket=ticket).order_by("id")
    assert agents_told(list(notices)) == agents_told(lived.notices)


@pytest.mark.parametrize(
    ("at", "priority", "pages"),
    [
        ("2026-12-25T03:10", "1", 15),
        ("2026-06-08T10:00", "1", 13),
        ("2026-10-25T02:05", "1", 15),
        ("2026-03-29T01:45", "1", 15),
        ("2026-06-12T16:30", "3", 14),
    ],
    ids=["night-and-holiday", "business-hours", "an-hour-twice", "an-hour-skipped", "before-the-weekend"],
)
def test_what_is_said_in_advance_is_what_happens(
    desk: Cast,
    doing: Callable[..., Any],
    live_until: Callable[[datetime], None],
    at: str,
    priority: str,
    pages: int,
) -> None:
    situation = read(Asked(client="ACME", at=at, priority=priority), clients=Client.objects.all())
    lived, advance = in_advance(situation)
    assert len(lived.pages) == pages
    assert {"breached", "hierarchy_told", "people_paged", "handed_over", "paging_exhausted"} <= {
        kind for _at, kind, *_ in advance
    }
    with doing(desk.ann.user, situation.at):
        ticket = desk.ticket(
            subject="What happens if", text="", impact=situation.impact, urgency=situation.urgency
        )
    live_until(situation.at + LONG)
    agrees(situation, ticket, lived, advance)


def test_a_mail_that_really_arrives_is_treated_as_was_said(
    desk: Cast, post: Post, at: datetime, live_until: Callable[[datetime], None]
) -> None:
    """Category, priority and team come of its words; the contact's receipt comes on top."""
    asked = Asked(client="ACME", at="2026-06-08T10:00", priority="3", category="network/vpn")
    situation = read(asked, clients=Client.objects.all())
    answer, (lived, advance) = what_happens(situation), in_advance(situation)
    post.arrive(at, "Ann Albers <ann@acme.example>", "VPN does not connect", "The VPN says error 809.")
    live_until(at + LONG)
    ticket = Ticket.objects.get()
    real = [
        line
        for line in said(list(Entry.objects.of(ticket.pk).select_related("cause")))
        if line[1] != "triaged"
    ]
    assert (ticket.priority, answer.priority) == (3, 3)
    assert real == [line for line in advance if line[1] != "triaged"]
    assert len(lived.pages) == Page.objects.filter(state=PageState.SENT).count() > 0
