"""Queues: which tickets an agent looks at, in which order, a page at a time.

A page is one query of fifty rows of plain values; the order is by what is due next or by what is least likely to be in
time, and a cursor takes the place of page numbers, so that page one thousand costs what page one costs. Counts stop at
COUNT_AT_MOST.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from django.db import connection
from django.db.models import F, Q, QuerySet, Value

from tierdesk.directory.staff.models import Agent, User
from tierdesk.learning.prediction.models import Outlook
from tierdesk.tickets.lifecycle import PendingReason
from tierdesk.tickets.models import Ticket, Tickets

PAGE = 50
LATEST_FIRST = "outlook__chance"
COUNT_AT_MOST = 100
SOON = timedelta(hours=1)

PENDING: Mapping[str, str] = {value: str(label) for value, label in PendingReason.choices}

COLUMNS = (
    "id",
    "subject",
    "state",
    "pending_reason",
    "priority",
    "tier",
    "type",
    "channel",
    "is_major",
    "next_due_at",
    "created_at",
    "touched_at",
    "version",
    "client__key",
    "client__name",
    "contact__name",
    "category__name",
    "team__name",
    "assignee__user__name",
)

type Filter = Callable[[Tickets, Agent, datetime], Tickets]


@dataclass(frozen=True, slots=True)
class View:
    """A saved view: its name in the address, what people call it, which tickets it shows, and what comes first."""

    slug: str
    name: str
    icon: str
    empty: str
    tickets: Filter
    order: str = "next_due_at"


def _my_teams(tickets: Tickets, agent: Agent, at: datetime) -> Tickets:
    return tickets.unresolved().filter(team__in=agent.team_ids)


VIEWS: Sequence[View] = (
    View(
        "team",
        "My teams",
        "inbox",
        "Nothing waits for your teams. New trouble appears here by itself.",
        _my_teams,
    ),
    View(
        "mine",
        "My work",
        "user",
        "You have no ticket in your hands. Take the next one from your team’s queue.",
        lambda tickets, agent, at: tickets.unresolved().worked_by(agent),
    ),
    View(
        "unassigned",
        "Unassigned",
        "users",
        "Every ticket of your teams has somebody who works it.",
        lambda tickets, agent, at: _my_teams(tickets, agent, at).unassigned(),
    ),
    View(
        "due",
        "Due or late",
        "clock",
        "No promise is due within the hour, and none is late.",
        lambda tickets, agent, at: tickets.unresolved().due_before(at + SOON),
    ),
    View(
        "likely-late",
        "Likely late",
        "chart",
        "None is likely to be late, as such tickets went. Of those that fewer than 30 are like, nothing is said.",
        lambda tickets, agent, at: tickets.unresolved().filter(outlook__band="late"),
        order=LATEST_FIRST,
    ),
    View(
        "escalated",
        "Escalated by me",
        "escalate",
        "Nothing that you handed over is still open.",
        lambda tickets, agent, at: tickets.unresolved().filter(escalations__sent_by=agent).distinct(),
    ),
    View(
        "pending",
        "Waiting",
        "pause",
        "No ticket waits for anybody.",
        lambda tickets, agent, at: tickets.filter(state="pending", team__in=agent.team_ids),
    ),
    View(
        "all",
        "All open",
        "list",
        "There is no open ticket at all.",
        lambda tickets, agent, at: tickets.unresolved(),
    ),
)
BY_SLUG = {view.slug: view for view in VIEWS}


class BadCursor(ValueError):
    """The cursor in the address is not one that we gave out."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows as dictionaries of COLUMNS, and the cursor of the next page (None on the last)."""

    rows: list[dict[str, Any]]
    next_cursor: str | None


def page_of(view: View, user: User, at: datetime, cursor: str | None = None, *, type: str = "") -> Page:
    """One page of a view for a user, after `cursor`, of tickets of one `type` or of all. Raises BadCursor."""
    seen = Ticket.objects.visible_to(user)
    tickets = view.tickets(seen, user.agent, at)
    if type:
        tickets = tickets.filter(type=type)
    places = _places(tickets, view.order, cursor)
    columns = dict.fromkeys((*COLUMNS, view.order))
    rows_by_id = {row["id"]: row for row in seen.filter(pk__in=places).values(*columns)}
    found = [rows_by_id[place] for place in places if place in rows_by_id]
    late = Outlook.objects.likely_late(row["id"] for row in found)
    rows = [_shown(row, at, late) for row in found[:PAGE]]
    return Page(rows, _cursor(rows[-1], view.order) if len(found) > PAGE else None)


def _shown(row: dict[str, Any], at: datetime, late: Collection[int]) -> dict[str, Any]:
    """The row with what a person reads: the state of its next promise, what it waits for, and if it is likely late."""
    due = row["next_due_at"]
    row["likely_late"] = row["id"] in late
    row["waits_for"] = PENDING.get(row["pending_reason"])
    row["clock"] = None if due is None else "breached" if due < at else "soon" if due < at + SOON else "ok"
    return row


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows each set has, by its name, counting no further than COUNT_AT_MOST: one statement for all.

    It is written for SOME_TIME and asked at any instant.
    """

    sql: str
    values: Sequence[Any]

    SOME_TIME: ClassVar[datetime] = datetime(2000, 1, 1, tzinfo=UTC)

    @classmethod
    def of(cls, sets: Mapping[str, QuerySet[Any]]) -> Count:
        """A count of sets that were made as if it were SOME_TIME."""
        first, *others = (
            rows.order_by().values_list(Value(name))[:COUNT_AT_MOST] for name, rows in sets.items()
        )
        shown, values = first.union(*others, all=True).order_by().query.sql_with_params()
        return cls(f"SELECT name, count(*) FROM ({shown}) AS shown (name) GROUP BY name", values)

    def at(self, instant: datetime) -> Counter[str]:
        values = [
            instant + (one - self.SOME_TIME) if isinstance(one, datetime) else one for one in self.values
        ]
        with connection.cursor() as cursor:
            cursor.execute(self.sql, values)
            return Counter(dict(cursor.fetchall()))


def _cursor(row: dict[str, Any], order: str) -> str:
    last = row[order]
    word = json.dumps([last.isoformat() if isinstance(last, datetime) else last, row["id"]])
    return base64.urlsafe_b64encode(word.encode()).decode().rstrip("=")


def _places(tickets: Tickets, order: str, cursor: str | None) -> list[int]:
    """The tickets of a page, and one more.

    They are asked for before what they are called: with the names of clients joined to it the database takes the queue
    for so short that it may rather read and sort all of it than the beginning of an index.
    """
    ordered = tickets.order_by(F(order).asc(nulls_last=True), "id").values_list("pk", flat=True)
    places: list[int] = []
    for part in _parts(order, cursor) if cursor else [Q()]:
        places += ordered.filter(part)[: PAGE + 1 - len(places)]
    return places


def _parts(order: str, cursor: str) -> list[Q]:
    """What comes behind the cursor, in parts that an index can be entered for: with what is due, and without."""
    try:
        last, pk = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        last, pk = (datetime.fromisoformat(last) if isinstance(last, str) else last), int(pk)
        if last is not None and isinstance(last, datetime) != (order == "next_due_at"):
            raise ValueError(last)
    except (binascii.Error, ValueError, TypeError, UnicodeDecodeError) as error:
        raise BadCursor("This page address is damaged; go back to the start of the queue.") from error
    if last is None:
        return [Q((order, None), id__gt=pk)]
    if order == LATEST_FIRST:  # never unknown
        return [Q((f"{order}__gte", last)) & (Q((f"{order}__gt", last)) | Q(outlook__pk__gt=pk))]
    return [Q((f"{order}__gte", last)) & (Q((f"{order}__gt", last)) | Q(pk__gt=pk)), Q((order, None))]
