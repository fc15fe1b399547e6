"""Storms: a source that raises more new alarms in ten minutes than it may gets one ticket for them all.

A storm is nobody's state: it lasts while that many came lately, and its ticket is the one that the newest of them
joined. A critical alarm of another service than the storm's is trouble of its own, and keeps its own ticket.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import OuterRef, Subquery

from tierdesk.channels.alarms.correlation import Home, Storm
from tierdesk.channels.alarms.models import Alarm, Event, Source
from tierdesk.channels.alarms.normal import CRITICAL, Action
from tierdesk.tickets.lifecycle import UNRESOLVED
from tierdesk.tickets.models import Ticket

WITHIN = timedelta(minutes=10)
MOST_LISTED = 5
MOST_READ = 2_000
"""Of a storm's alarms, the newest, for its summary."""

COMMON = 0.8
"""Of all alarms that share a label's value, so that it is worth reading."""

LATELY = """
    SELECT source.id,
        (SELECT count(*) FROM (
            SELECT FROM alarms_alarm AS alarm
            WHERE alarm.source_id = source.id AND alarm.joined_at > %(since)s LIMIT source.storm_alarms + 1
        ) AS lately),
        (SELECT ticket.id FROM alarms_alarm AS alarm JOIN tickets_ticket AS ticket ON ticket.id = alarm.ticket_id
            WHERE alarm.source_id = source.id AND alarm.joined_at > %(since)s AND alarm.joined_by = 'storm'
            AND ticket.state IN ('new', 'open', 'pending')
            ORDER BY alarm.joined_at DESC LIMIT 1)
    FROM alarms_source AS source WHERE source.id = ANY (%(sources)s) AND source.storm_alarms > 0
"""


@dataclass(frozen=True, slots=True)
class Gathered:
    """Tickets, by key, that became part of a storm of a source."""

    tickets: Sequence[int]
    into: Ticket
    source: str

    def move(self) -> None:
        """Their alarms go with them."""
        moved = Alarm.objects.filter(ticket__in=self.tickets)
        moved.update(ticket=self.into, joined_by=Alarm.Joined.STORM, joined_to=self.source)


def storms_of(alarms: Sequence[Alarm], tickets: dict[int, Ticket], at: datetime) -> dict[int, Storm]:
    """The storms that these new alarms are part of, by source. `tickets`: those at hand; what is found is added."""
    fresh = Counter(alarm.source_id for alarm in alarms)
    sources = {alarm.source_id: alarm.source for alarm in alarms}
    raging = {
        source: ticket
        for source, lately, ticket in _lately(sources, at)
        if lately + fresh[source] > sources[source].storm_alarms
    }
    wanted = {ticket for ticket in raging.values() if ticket} - tickets.keys()
    known = Ticket.objects.filter(pk__in=wanted).select_related("client", "contract_version")
    tickets.update({ticket.pk: ticket for ticket in known})
    return {
        source: Storm(Home(tickets[ticket]), tickets[ticket].service_id)
        if ticket
        else Storm(Home(), _main_service([alarm for alarm in alarms if alarm.source_id == source]))
        for source, ticket in raging.items()
    }


def gather(storm: Storm, source: Source, at: datetime, tickets: Mapping[int, Ticket]) -> Gathered:
    """What the storm had opened before it was one, and nobody has looked at yet, becomes part of its ticket.

    There are not many: one more, and it had been a storm before. Their alarms are still to be moved.
    """
    assert storm.home.ticket is not None
    early = Ticket.objects.filter(
        alarms__source=source,
        alarms__joined_at__gt=at - WITHIN,
        channel="alarms",
        state__in=UNRESOLVED,
        acknowledged_at=None,
        assignee=None,
    ).exclude(pk=storm.home.ticket.pk)
    gathered = [
        ticket
        for ticket in early.select_related("client", "contract_version").distinct()
        if not storm.spares(ticket.traits.get("alarm.severity", CRITICAL), ticket.service_id)
    ]
    for ticket in gathered:
        one = tickets.get(ticket.pk, ticket)
        one.cancel(
            f"it is part of the alarm storm {storm.home.ticket.reference}", duplicate_of=storm.home.ticket
        )
    return Gathered([ticket.pk for ticket in gathered], storm.home.ticket, source.name)


def retell(ticket: Ticket, source: Source, new: Sequence[Alarm]) -> str:
    """Let the ticket of a storm say what it is made of by now, with these new ones, as its summary; returns that."""
    before = ticket.alarms.select_related("source").order_by("-joined_at", "-pk")
    summary = summary_of([*new, *before[:MOST_READ]][:MOST_READ])
    ticket.description = text_of(source, summary)
    ticket.save(update_fields=["description"])  # nothing that an agent's verb on it needs to expect
    return summary


def text_of(source: Source, summary: str) -> str:
    """What the ticket of a storm says."""
    return (
        f"More than {source.storm_alarms} new alarms in ten minutes. They are all on this ticket.\n{summary}"
    )


def summary_of(alarms: Sequence[Alarm]) -> str:
    """What a storm is made of, in a few lines: how it began, which classes, what most of them have in common."""
    first = min(alarms, key=lambda alarm: (alarm.first_at or alarm.last_at, alarm.pk))
    classes = Counter(alarm.class_name or alarm.summary or alarm.key for alarm in alarms)
    listed = ", ".join(f"{name} × {count}" for name, count in classes.most_common(MOST_LISTED))
    more = f" and {len(classes) - MOST_LISTED} other kinds" if len(classes) > MOST_LISTED else ""
    lines = [
        f"First: {first.summary or first.key} · {first.resource}, {first.first_at or first.last_at:%Y-%m-%d %H:%M} UTC",
        f"Mostly: {listed}{more}",
    ]
    if common := _common_labels(alarms):
        lines.append(f"In common: {', '.join(f'{name}={value}' for name, value in common)}")
    return "\n".join(lines)


def _lately(sources: Iterable[int], at: datetime) -> list[tuple[int, int, int | None]]:
    with connection.cursor() as cursor:
        cursor.execute(LATELY, {"since": at - WITHIN, "sources": sorted(sources)})
        return list(cursor.fetchall())


def _main_service(alarms: Sequence[Alarm]) -> int | None:
    """The service that most of them are about."""
    [(service, _)] = Counter(alarm.service.pk if alarm.service else None for alarm in alarms).most_common(1)
    return service


def _common_labels(alarms: Sequence[Alarm]) -> list[tuple[str, str]]:
    raises = Event.objects.filter(alarm=OuterRef("pk"), action=Action.RAISE).order_by("-id")
    told = Alarm.objects.filter(pk__in=[alarm.pk for alarm in alarms])
    labels = told.annotate(labels=Subquery(raises.values("body__labels")[:1])).values_list(
        "labels", flat=True
    )
    counted = Counter(pair for one in labels for pair in (one or {}).items())
    return [pair for pair, count in counted.most_common(MOST_LISTED) if count >= COMMON * len(alarms)]
