"""The log of another desk becomes tickets with their history: at its own times, once, and without a word to anybody."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cast import Cast
from tierdesk.directory.staff.models import Agent, Team
from tierdesk.learning.analytics.movement import movement
from tierdesk.ops.history.tell import History
from tierdesk.ops.history.xes import Trace, UnreadableLog, read
from tierdesk.response.notifications.models import Notice
from tierdesk.response.sla.ledger import ledger_of
from tierdesk.response.tiers.models import Escalation
from tierdesk.tickets.models import Entry, Ticket

BEGAN = datetime(2012, 3, 5, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)

type Step = tuple[float, str, str, str]
"""After so many hours, which team, who, what they did."""

CLIMBS: list[Step] = [
    (0, "A1", "Siebel", "In Progress"),
    (1, "B2 2nd", "Siebel", "Awaiting Assignment"),
    (3, "B2 2nd", "Vera", "In Progress"),
    (4, "B2 2nd", "Vera", "Wait - User"),
    (8, "B2 2nd", "Vera", "In Progress"),
    (9, "C3 2nd 3rd", "-", "Awaiting Assignment"),
    (10, "C3 2nd 3rd", "Otto", "In Progress"),
    (12, "C3 2nd 3rd", "Otto", "Resolved"),
    (36, "A1", "Siebel", "Closed"),
]


def log(**traces: list[Step]) -> bytes:
    """A log as another desk exports it."""
    said = "".join(_trace(name, steps) for name, steps in traces.items())
    head = '<?xml version="1.0" encoding="UTF-8"?><log xmlns="http://www.xes-standard.org/">'
    return f'{head}<string key="source" value="a test"/>{said}</log>'.encode()


def _trace(name: str, steps: list[Step]) -> str:
    events = "".join(
        f'<event><string key="org:group" value="{team}"/><string key="org:resource" value="{who}"/>'
        f'<string key="impact" value="Medium"/><string key="product" value="PROD1"/>'
        f'<string key="lifecycle:transition" value="{done}"/>'
        f'<date key="time:timestamp" value="{(BEGAN + hours * HOUR).isoformat()}"/></event>'
        for hours, team, who, done in steps
    )
    return f'<trace><string key="concept:name" value="{name}"/>{events}</trace>'


def traces(tmp_path: Path, content: bytes) -> list[Trace]:
    file = tmp_path / "log.xes"
    file.write_bytes(content)
    return list(read(file))


@pytest.fixture
def told(cast: Cast, tmp_path: Path) -> History:
    history = History(cast.acme)
    for trace in traces(tmp_path, log(climbs=CLIMBS)):
        history.tell(trace)
    return history


def test_a_case_is_a_ticket_with_its_own_times(cast: Cast, told: History) -> None:
    ticket = Ticket.objects.get(client=cast.acme)
    assert (ticket.created_at, ticket.resolved_at, ticket.state) == (BEGAN, BEGAN + 12 * HOUR, "closed")
    assert (ticket.closed_at, ticket.resolved_tier) == (BEGAN + 36 * HOUR, 3)
    assert (told.told.tickets, told.told.events, told.told.left_out) == (1, 9, {})


def test_the_ledger_is_that_of_the_log(cast: Cast, told: History) -> None:
    ledger = ledger_of(Ticket.objects.get(), BEGAN + 100 * HOUR)
    assert {tier: spent / HOUR for tier, spent in ledger.by_tier().items()} == {1: 1, 2: 8, 3: 3}
    assert ledger.total() == 12 * HOUR
    assert {reason: spent / HOUR for reason, spent in ledger.waited_for().items()} == {"requester_info": 4}


def test_climbing_is_a_hand_over_of_the_ladder_and_who_took_it_accepted_it(cast: Cast, told: History) -> None:
    kept = Escalation.objects.values_list("from_tier", "to_tier", "state", "sent_at", "answered_at")
    assert list(kept) == [
        (1, 2, "accepted", BEGAN + HOUR, BEGAN + 3 * HOUR),
        (2, 3, "accepted", BEGAN + 9 * HOUR, BEGAN + 10 * HOUR),
    ]


def test_teams_and_people_are_made_and_cannot_sign_in(cast: Cast, told: History) -> None:
    teams = Team.objects.filter(key__startswith="log-").order_by("tier")
    assert list(teams.values_list("name", "tier")) == [("A1", 1), ("B2 2nd", 2), ("C3 2nd 3rd", 3)]
    people = Agent.objects.filter(user__email__endswith="@acme.invalid")
    assert sorted(people.values_list("user__name", flat=True)) == ["Otto", "Siebel", "Vera"]
    assert not people.filter(user__is_active=True).exists()


def test_nobody_hears_of_what_was_long_ago(cast: Cast, told: History) -> None:
    assert not Notice.objects.exists()


def test_told_again_it_is_the_same(cast: Cast, told: History, tmp_path: Path) -> None:
    again = History(cast.acme)
    for trace in traces(tmp_path, log(climbs=CLIMBS)):
        again.tell(trace)
    assert again.told.tickets == 0
    assert Ticket.objects.count() == 1


def test_what_went_on_within_the_window_is_reopened_and_later_events_are_counted(
    cast: Cast, tmp_path: Path
) -> None:
    steps: list[Step] = [
        (0, "A1", "Siebel", "In Progress"),
        (1, "A1", "Siebel", "Resolved"),
        (2, "A1", "Siebel", "In Progress"),
        (3, "A1", "Siebel", "Resolved"),
        (900, "A1", "Siebel", "In Progress"),
        (901, "A1", "Siebel", "Sleeps"),
    ]
    history = History(cast.acme)
    for trace in traces(tmp_path, log(again=steps)):
        history.tell(trace)
    ticket = Ticket.objects.get()
    assert (ticket.state, ticket.reopen_count, ticket.resolved_at) == ("resolved", 1, BEGAN + 3 * HOUR)
    assert sum(history.told.left_out.values()) == 2
    assert any("Sleeps" in why for why in history.told.left_out)


def test_a_gzipped_log_is_read_too(cast: Cast, tmp_path: Path) -> None:
    file = tmp_path / "log.xes.gz"
    file.write_bytes(gzip.compress(log(climbs=CLIMBS)))
    [trace] = read(file)
    assert (trace.name, len(trace.events), trace.events[0].at) == ("climbs", 9, BEGAN)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"not xml", "no XES log"),
        (b"<html></html>", "begins with <html>"),
        (log(climbs=CLIMBS)[:-40], "no XES log"),
        (b"\x1f\x8bbroken", "no XES log"),
        (b"<log><trace><event/></trace></log>", "no time:timestamp"),
        (
            b'<log><trace><event><date key="time:timestamp" value="2012-01-01T10:00:00"/></event></trace></log>',
            "without a zone",
        ),
    ],
    ids=["text", "html", "cut", "half a gzip", "without a time", "without a zone"],
)
def test_what_is_no_log_is_refused_in_words(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(UnreadableLog, match=said):
        traces(tmp_path, content)


def test_the_report_counts_it_like_any_other(cast: Cast, told: History) -> None:
    found = movement(cast.lou.user, BEGAN, BEGAN + 100 * HOUR, client=cast.acme)
    assert (found.tickets, found.mean_hand_overs, found.ledger_off_s) == (1, 2.0, 0.0)
    assert [(one.name, one.hours) for one in found.by_tier] == [("L1", 1.0), ("L2", 8.0), ("L3", 3.0)]


def test_every_entry_has_the_time_of_its_event(cast: Cast, told: History) -> None:
    times = {BEGAN + hours * HOUR for hours, *_ in CLIMBS}
    assert set(Entry.objects.values_list("at", flat=True)) <= times
