"""Closes a client's months, and tells what changes a closed one afterwards.

A month is closed three days after its end, in the client's zone: what comes late with the mail is in it by then. From
then on its figures stand. Whatever may change them (RESTATING) wakes the month: it is held against the clocks again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Max, Min

from tierdesk.directory.clients.models import Client
from tierdesk.learning.analytics.models import (
    NOT_COUNTED,
    ClosedMonth,
    Counted,
    Counts,
    Figure,
    Restatement,
)
from tierdesk.response.sla.models import GOING, ClockState
from tierdesk.tickets.lifecycle import UNRESOLVED
from tierdesk.tickets.models import Entry, Ticket

CLOSES_AFTER = timedelta(days=3)
SETTLES_IN = timedelta(minutes=10)
"""What is reopened is often solved again at once, and what is corrected is seldom corrected alone."""

COMPARED_AGAIN = 1
"""So many months before are compared once more when a month is closed, whatever happened: what none of RESTATING tells
is found then. The older a month is, the more clocks are read for it."""

RESTATING = (
    "reopened",
    "wait_put_in",
    "undelivered",
    "left_late",
    "reprioritised",
    "terms_changed",
    "retyped",
    "client_changed",
    "parted",
    "case_moved",
    "clocks_corrected",
)
"""What may change how a promise that had ended counts."""

COUNTED_AS: Mapping[str, str] = {
    ClockState.MET.value: Counts.KEPT.value,
    ClockState.MISSED.value: Counts.MISSED.value,
    ClockState.CANCELLED.value: Counts.LEFT_OUT.value,
}


def month_on(month: date, count: int) -> date:
    """The first day of the month that is so many later, or earlier."""
    months = month.year * 12 + month.month - 1 + count
    return date(months // 12, months % 12 + 1, 1)


def bounds(month: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When a month begins and ends in a zone."""
    return datetime.combine(month, time.min, zone), datetime.combine(month_on(month, 1), time.min, zone)


def closes_at(month: date, zone: ZoneInfo) -> datetime:
    return bounds(month, zone)[1] + CLOSES_AFTER


def close_due(at: datetime) -> int:
    """Close what is to be closed of one client that is due; returns how many clients there were."""
    with transaction.atomic():
        due = Client.objects.filter(wake_at__lte=at).order_by("wake_at")
        client = due.select_for_update(skip_locked=True, no_key=True).first()
        if client is None:
            return 0
        zone = ZoneInfo(client.timezone)
        last = month_on((at - CLOSES_AFTER).astimezone(zone).date().replace(day=1), -1)
        for month in _to_close(client, last, zone):
            _close(client, month, zone, at)
        Client.objects.filter(pk=client.pk).update(wake_at=closes_at(month_on(last, 1), zone))
    return 1


def _to_close(client: Client, last: date, zone: ZoneInfo) -> Iterable[date]:
    """The months up to `last` that are not closed. Of a client that never closed one: `last`, if it had tickets."""
    newest = ClosedMonth.objects.filter(client=client).aggregate(month=Max("begins_on"))["month"]
    if newest is None:
        first_ticket = Ticket.objects.filter(client=client).aggregate(at=Min("created_at"))["at"]
        newest = last if first_ticket is None or first_ticket >= bounds(last, zone)[1] else month_on(last, -1)
    while newest < last:
        newest = month_on(newest, 1)
        yield newest


def _close(client: Client, month: date, zone: ZoneInfo, at: datetime) -> None:
    starts_at, ends_at = bounds(month, zone)
    closed = ClosedMonth.objects.create(
        client=client, begins_on=month, starts_at=starts_at, ends_at=ends_at, closed_at=at, compared_at=at
    )
    with connection.cursor() as cursor:
        cursor.execute(CLOSE, _values(closed))
    before = ClosedMonth.objects.filter(client=client, begins_on__gte=month_on(month, -COMPARED_AGAIN))
    before.filter(begins_on__lt=month, wake_at=None).update(wake_at=at)


def compare_due(at: datetime) -> int:
    """Hold one closed month that is due against the clocks; returns how many there were."""
    with transaction.atomic():
        due = ClosedMonth.objects.filter(wake_at__lte=at).order_by("wake_at")
        month = due.select_for_update(skip_locked=True).first()
        if month is None:
            return 0
        _restate(month, at)
        ClosedMonth.objects.filter(pk=month.pk).update(compared_at=at, wake_at=None)
    return 1


class _Change(NamedTuple):
    """A clock that counts as something else than was told; `kind` as in KIND, None: it no longer counts."""

    clock: int
    ticket: int
    figure: int | None
    was: str
    counts: str
    kind: tuple[Any, ...] | None


PROMISE = ("party", "metric", "tier", "priority")
KIND = ("contract_id", "type", *PROMISE)


def _restate(month: ClosedMonth, at: datetime) -> None:
    changes = list(_changes(month))
    causes = _causes({change.ticket for change in changes}, month.compared_at)
    for change in changes:
        figure = None
        if change.kind is not None:
            about = dict(zip(KIND, change.kind, strict=True))
            figure, _ = Figure.objects.get_or_create(month=month, client_id=month.client_id, **about)
        Restatement.objects.create(
            client_id=month.client_id,
            month=month,
            at=at,
            clock_id=change.clock,
            ticket_id=change.ticket,
            entry_id=causes.get(change.ticket),
            before_id=change.figure,
            was=change.was,
            after=figure,
            counts=change.counts,
        )
        told = Counted.objects.filter(month=month, clock_id=change.clock)
        if figure is None:
            told.delete()
        elif not told.update(figure=figure, counts=change.counts):
            Counted.objects.create(
                client_id=month.client_id,
                month=month,
                figure=figure,
                clock_id=change.clock,
                ticket_id=change.ticket,
                counts=change.counts,
            )


def _changes(month: ClosedMonth) -> Iterable[_Change]:
    with connection.cursor() as cursor:
        cursor.execute(CHANGED, _values(month))
        for clock, ticket, figure, was, counts, *kind in cursor.fetchall():
            yield _Change(clock, ticket, figure, was, counts, tuple(kind) if counts != NOT_COUNTED else None)


def _causes(tickets: set[int], since: datetime) -> Mapping[int, int]:
    """By ticket: the newest entry since the month was last compared that may have changed how it counts."""
    told = Entry.objects.filter(ticket__in=tickets, kind__in=RESTATING, at__gte=since)
    return dict(told.order_by("ticket_id", "id").values_list("ticket_id", "id"))


def look_again(tickets: Iterable[int], at: datetime) -> None:
    """Something happened to these that may change closed months in which they counted: those are compared, soon."""
    with connection.cursor() as cursor:
        cursor.execute(LOOK_AGAIN, [at + SETTLES_IN, list(tickets)])


def _values(month: ClosedMonth) -> dict[str, Any]:
    return {
        "month": month.pk,
        "client": month.client_id,
        "starts": month.starts_at,
        "ends": month.ends_at,
    }


def _words(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


OUTCOME = " ".join(f"WHEN '{state}' THEN '{counts}'" for state, counts in COUNTED_AS.items())
OF_CLOCK = """
    SELECT clock.id AS clock_id, clock.ticket_id, version.contract_id, ticket.type, clock.party, clock.metric,
        clock.tier, clock.priority, {counts} AS counts
    FROM sla_clock AS clock JOIN tickets_ticket AS ticket ON ticket.id = clock.ticket_id
    LEFT JOIN contracts_contractversion AS version
        ON version.id = ticket.contract_version_id AND version.client_id = clock.client_id
    WHERE clock.client_id = %(client)s AND {condition}
"""
BROKEN = f"'{Counts.OPEN_BROKEN.value}'"
NOW = " UNION ALL ".join(
    [
        OF_CLOCK.format(
            counts=f"CASE clock.state {OUTCOME} END",
            condition="clock.stopped_at >= %(starts)s AND clock.stopped_at < %(ends)s",
        ),
        OF_CLOCK.format(
            counts=BROKEN, condition="clock.stopped_at >= %(ends)s AND clock.breached_at < %(ends)s"
        ),
        OF_CLOCK.format(
            counts=BROKEN,
            condition=f"clock.state IN ({_words(GOING)}) AND clock.breached_at < %(ends)s"
            f" AND ticket.state IN ({_words(UNRESOLVED)}) AND ticket.created_at < %(ends)s",
        ),
    ]
)
"""As what each clock of a client counts in a month, as we know by now (the same as in attainment.py)."""

SAME_KIND = " AND ".join(f"figure.{name} IS NOT DISTINCT FROM now.{name}" for name in KIND)

CLOSE = f"""
WITH now AS MATERIALIZED ({NOW}), figure AS (
    INSERT INTO analytics_figure
        (client_id, month_id, {", ".join(KIND)}, kept, missed, open_broken, left_out)
    SELECT %(client)s, %(month)s, {", ".join(KIND)},
        {", ".join(f"count(*) FILTER (WHERE counts = '{counts}')" for counts in Counts.values)}
    FROM now GROUP BY {", ".join(KIND)}
    RETURNING id, {", ".join(KIND)}
)
INSERT INTO analytics_counted (client_id, month_id, figure_id, clock_id, ticket_id, counts)
SELECT %(client)s, %(month)s, figure.id, now.clock_id, now.ticket_id, now.counts
FROM now JOIN figure ON {SAME_KIND}
"""

# That a ticket is of another contract or type by now, and counts as it did, changes nothing that was told of promises.
CHANGED = f"""
WITH now AS MATERIALIZED ({NOW}), told AS MATERIALIZED (
    SELECT counted.clock_id, counted.ticket_id, counted.counts, counted.figure_id, {", ".join(KIND)}
    FROM analytics_counted AS counted JOIN analytics_figure AS figure ON figure.id = counted.figure_id
    WHERE counted.month_id = %(month)s
)
SELECT coalesce(now.clock_id, told.clock_id), coalesce(now.ticket_id, told.ticket_id), told.figure_id,
    coalesce(told.counts, ''), coalesce(now.counts, ''), {", ".join(f"now.{name}" for name in KIND)}
FROM told FULL JOIN now ON now.clock_id = told.clock_id
WHERE (now.counts, {", ".join(f"now.{name}" for name in PROMISE)})
    IS DISTINCT FROM (told.counts, {", ".join(f"told.{name}" for name in PROMISE)})
ORDER BY 1
"""

LOOK_AGAIN = """
UPDATE analytics_closedmonth SET wake_at = coalesce(wake_at, %s) WHERE id IN (
    SELECT month.id FROM analytics_closedmonth AS month JOIN (
        SELECT clock.client_id, min(ticket.created_at) AS created_at
        FROM sla_clock AS clock JOIN tickets_ticket AS ticket ON ticket.id = clock.ticket_id
        WHERE ticket.id = ANY (%s::bigint[]) GROUP BY clock.client_id
    ) AS touched ON month.client_id = touched.client_id AND month.ends_at > touched.created_at
    ORDER BY month.id FOR UPDATE OF month
)
"""
