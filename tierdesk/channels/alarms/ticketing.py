"""From alarms to tickets: an alarm is not a ticket. A later stage than intake, over what changed since it last looked.

An alarm that stands becomes a ticket, or joins the one its group (or its earlier self) already has. When all alarms of
a ticket are cleared it waits, watched; when they are closed it is resolved; when one comes back it goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

import orjson
from django.db import connection
from django.db.models import Exists, Min, OuterRef, QuerySet

from tierdesk.channels.alarms import flapping as flaps
from tierdesk.channels.alarms.correlation import Home, Storm
from tierdesk.channels.alarms.facts import AlarmsJoined
from tierdesk.channels.alarms.maintenance import Maintenance
from tierdesk.channels.alarms.models import Alarm, wake_alarms
from tierdesk.channels.alarms.quiet import await_quiet, clear_quiet
from tierdesk.channels.alarms.storms import Gathered, gather, retell, summary_of, text_of
from tierdesk.channels.alarms.surroundings import (
    Components,
    component_of,
    components_of,
    homes_of,
    name_services,
)
from tierdesk.channels.alarms.worsening import IMPACT_AND_URGENCY, tell_what_worsened
from tierdesk.core import rows
from tierdesk.core.facts import ENGINE, Actor
from tierdesk.core.work import current, record, work
from tierdesk.tickets.lifecycle import State
from tierdesk.tickets.models import Draft, Ticket

AT_ONCE = 500
PUT_DOWN = """
    WITH looked AS (
        SELECT * FROM json_to_recordset(%s::json)
        AS l(id bigint, seen bigint, service bigint, window_id bigint, flaps boolean, wake_at timestamptz)
    ), held AS MATERIALIZED (
        SELECT id FROM alarms_alarm WHERE id = ANY (ARRAY(SELECT id FROM looked)) OR ticket_id = ANY (%s::bigint[])
        ORDER BY source_id, key FOR NO KEY UPDATE
    )
    UPDATE alarms_alarm AS alarm SET
        seen_seq = looked.seen, service_id = looked.service, window_id = looked.window_id,
        wake_at = CASE
            WHEN looked.flaps OR alarm.changed_seq = looked.seen THEN looked.wake_at ELSE alarm.wake_at
        END,
        flapping_until = CASE WHEN looked.flaps THEN looked.wake_at ELSE alarm.flapping_until END
    FROM looked JOIN held USING (id) WHERE alarm.id = looked.id
"""
"""Rows are held in the order of intake, also those that will be moved: nobody waits for another in a circle."""

MONITORING = Actor("channel", "Monitoring")

ONE_AT_A_TIME = """
    SELECT client FROM unnest(%s::bigint[]) AS client
    WHERE pg_try_advisory_xact_lock(hashtextextended('alarms of client ' || client, 0))
"""
"""An engine has the alarms of a client to itself: two would open two tickets for one trouble."""


def follow_up(at: datetime) -> int:
    """Look at alarms that changed, a batch in one unit of work; returns how many there were.

    Intake goes on meanwhile: their rows are held only while they are written, at last. What changed since it was read
    is written as it was seen, as if it had changed after that, and is looked at again.
    """
    with work(by=MONITORING, at=at) as unit:
        alarms = _claim()
        if alarms:
            tickets = _one_each(alarms)
            calm = [alarm for alarm in alarms if alarm.flapping_until is None]
            flapping = flaps.find_flapping(alarms, at)
            standing = [alarm for alarm in alarms if alarm.state == Alarm.State.OPEN and alarm.first_at]
            settled = _settled(standing, at)
            components = components_of(settled)
            name_services([alarm for alarm in settled if alarm.ticket is None], components)
            maintenance = Maintenance.of(alarms, at)
            trouble = maintenance.let_through(settled)
            homes, gathered = _give_tickets(
                [alarm for alarm in trouble if alarm.ticket is None], components, tickets, at
            )
            await_quiet([*trouble, *_known(alarms)])
            _go_on(alarm for alarm in trouble if alarm.ticket is not None)
            flaps.tell([alarm for alarm in flapping if alarm in calm])
            tell_what_worsened(a for a in alarms if _pages(a) and maintenance.window_of(a) is None)
            held_back = [alarm for alarm in flapping if maintenance.window_of(alarm) is None]
            _watch(alarms, held_back)
            unit.at_last.append(partial(_put_down, alarms, held_back, homes, gathered))
    return len(alarms)


def _put_down(
    alarms: Iterable[Alarm],
    flapping: Iterable[Alarm],
    homes: Iterable[Home],
    gathered: Sequence[Gathered],
) -> None:
    """Write what was found out about them. When one is to wake follows from what it was, if it is that still."""
    moving = [pk for one in gathered for pk in one.tickets]
    until = {alarm.pk: alarm.flapping_until for alarm in flapping}
    looked = [
        {
            "id": alarm.pk,
            "seen": alarm.changed_seq,
            "service": alarm.service_id,
            "window_id": alarm.window_id,
            "flaps": alarm.pk in until,
            "wake_at": until.get(alarm.pk, alarm.wake_at),
        }
        for alarm in alarms
    ]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")  # whatever a crash takes back is done again
        cursor.execute(PUT_DOWN, [orjson.dumps(looked).decode(), moving])
    _keep_places(homes)
    for one in gathered:
        one.move()


def _known(alarms: Iterable[Alarm]) -> list[Alarm]:
    """Those that somebody acknowledged."""
    return [alarm for alarm in alarms if alarm.state == Alarm.State.ACKNOWLEDGED and alarm.ticket_id]


def _pages(alarm: Alarm) -> bool:
    """Whether anybody need be told how bad it is: it stands, whether or not somebody knows, and does not flap."""
    standing = alarm.state in (Alarm.State.OPEN, Alarm.State.ACKNOWLEDGED)
    return standing and alarm.flapping_until is None


def _claim() -> list[Alarm]:
    """Changed alarms, read when nobody else looks after those of their clients any more."""
    related = ("source__client", "source__service", "ticket__client", "ticket__contract_version")
    earlier = ("previous__ticket__client", "previous__ticket__contract_version")
    ours = _to_ourselves(Alarm.objects.unseen())
    return list(ours.select_related(*related, *earlier)[:AT_ONCE]) if ours is not None else []


def _to_ourselves(alarms: QuerySet[Alarm]) -> QuerySet[Alarm] | None:
    """Of these alarms those of clients that no other engine looks after; None: there are none.

    They are ours until the unit of work ends.
    """
    clients = set(alarms.values_list("client", flat=True)[:AT_ONCE])
    if not clients:
        return None
    with connection.cursor() as cursor:
        cursor.execute(ONE_AT_A_TIME, [sorted(clients)])
        ours = [client for (client,) in cursor.fetchall()]
    return alarms.filter(client__in=ours) if ours else None


def _one_each(alarms: Iterable[Alarm]) -> dict[int, Ticket]:
    """The tickets of these alarms and of those before them, each as one object: a verb on one is seen by all."""
    tickets: dict[int, Ticket] = {}
    for alarm in alarms:
        for one in (alarm, alarm.previous):
            if one is not None and one.ticket is not None:
                one.ticket = tickets.setdefault(one.ticket.pk, one.ticket)
    return tickets


def unseen(at: datetime) -> QuerySet[Alarm]:
    """Alarms that changed since somebody looked at them, whenever that was."""
    return Alarm.objects.unseen()


def next_unseen() -> datetime | None:
    """When the oldest change that nobody has looked at came in."""
    earliest: datetime | None = Alarm.objects.unseen().order_by().aggregate(at=Min("last_at"))["at"]
    return earliest


def wake_and_resolve(at: datetime) -> int:
    """Cleared alarms that stayed quiet are closed; a ticket that only watched them is resolved.

    People end what is a major incident. Returns how many alarms there were.
    """
    with work(by=ENGINE, at=at):
        ours = _to_ourselves(Alarm.objects.filter(wake_at__lte=at).order_by("wake_at"))
        alarms = list(ours.select_for_update(skip_locked=True)[:AT_ONCE]) if ours is not None else []
        if alarms:
            _wake(alarms, at)
    return len(alarms)


def _wake(alarms: Sequence[Alarm], at: datetime) -> None:
    wake_alarms(clear_quiet(flaps.calm_down(alarms, at), at), at)
    watched = Ticket.objects.filter(
        ~Exists(Alarm.objects.unclosed().filter(ticket=OuterRef("pk"))),
        alarms__in=[alarm.pk for alarm in alarms],
        state=State.PENDING,
        pending_reason="evidence",
        is_major=False,
    )
    for ticket in watched.select_related("client", "contact", "contract_version", "voice_team").distinct():
        ticket.resolve(code="cleared")


def _settled(alarms: Sequence[Alarm], at: datetime) -> list[Alarm]:
    """Those that lasted as long as they must before they matter; the others come up again by their `wake_at`."""
    held = {alarm.pk: until for alarm in alarms if (until := _settles_at(alarm)) > at}
    for alarm in alarms:
        alarm.wake_at = held.get(alarm.pk, alarm.wake_at)
    return [alarm for alarm in alarms if alarm.pk not in held]


def _settles_at(alarm: Alarm) -> datetime:
    return (alarm.first_at or alarm.last_at) + timedelta(seconds=alarm.source.settle_s)


def _give_tickets(
    alarms: Sequence[Alarm], components: Components, tickets: dict[int, Ticket], at: datetime
) -> tuple[list[Home], list[Gathered]]:
    """Each alarm goes to the home that is right for it (correlation.py); where there is none, a ticket is opened.

    Returns these homes, and what storms gathered; that the alarms are there is still to be written.
    """
    if not alarms:
        return [], []
    known = homes_of(alarms, tickets, at)
    homes = known.place(alarms, at)
    new = [home for home in homes if home.ticket is None]
    _open(new, known.storms, components)
    for home in homes:
        for member in home.members:
            member.alarm.ticket, member.alarm.joined_at = home.ticket, at
    for home in homes:
        _tell_who_joined(home)
    begun = [storm for storm in known.storms.values() if storm.home in new]
    return homes, [gather(storm, storm.home.members[0].alarm.source, at, tickets) for storm in begun]


def _open(homes: Sequence[Home], storms: Mapping[int, Storm], components: Components) -> None:
    """Open a ticket for each of these homes, in one go."""
    if not homes:
        return
    raging = {storm.home for storm in storms.values()}
    drafts = [_draft_of_storm(home) if home in raging else _draft(home, components) for home in homes]
    for home, ticket in zip(homes, Ticket.open_many(drafts), strict=True):
        home.ticket = ticket


def _keep_places(homes: Iterable[Home]) -> None:
    placed = [member for home in homes for member in home.members]
    rows.update(
        Alarm,
        ["ticket_id", "joined_at", "joined_by", "joined_to"],
        [(m.alarm.pk, m.alarm.ticket_id, m.alarm.joined_at, m.by.value, m.to[:255]) for m in placed],
    )


def _tell_who_joined(home: Home) -> None:
    joined = Counter((member.by, member.to) for member in home.members)
    first = {(member.by, member.to): member.alarm for member in reversed(home.members)}
    assert home.ticket is not None
    for (by, to), count in joined.items():
        alarm = first[by, to]
        if by == Alarm.Joined.STORM:
            _tell_how_it_storms(home, count, alarm)
        elif by not in (Alarm.Joined.OPENED, Alarm.Joined.KEY):
            record(
                AlarmsJoined(
                    ticket=home.ticket, alarms=count, why=by.value, to=to, first=alarm.summary or alarm.key
                )
            )


def _tell_how_it_storms(home: Home, joined: int, first: Alarm) -> None:
    """Each time that the alarms on the ticket have doubled; an entry for each would bury everything else.

    The ticket's own words follow: what a storm turns out to be is seldom what it began as.
    """
    ticket = home.ticket
    assert ticket is not None
    new = [member.alarm for member in home.members]
    total = ticket.alarms.count() + len(new)
    if total.bit_length() > (total - joined).bit_length():
        record(
            AlarmsJoined(
                ticket=ticket,
                alarms=total,
                why=Alarm.Joined.STORM.value,
                to=first.source.name,
                first=first.summary or first.key,
                summary=retell(ticket, first.source, new) if total > joined else "",
            )
        )


def _go_on(alarms: Iterable[Alarm]) -> None:
    """A ticket that watched, or was resolved, has its trouble back; what flaps reopens nothing."""
    for alarm in alarms:
        ticket = alarm.ticket
        assert ticket is not None
        if ticket.state == State.PENDING and ticket.pending_reason == "evidence":
            ticket.resume("the alarm came back")
        elif ticket.can_reopen(current().at) and alarm.flapping_until is None:
            ticket.reopen("the alarm came back")


def _watch(alarms: Sequence[Alarm], flapping: Sequence[Alarm]) -> None:
    """All alarms of a ticket are cleared: it waits whether they stay so, until the last of them is closed.

    What flaps is not taken for cleared. A major incident goes on until people say that it is over.
    """
    cleared = [alarm for alarm in alarms if alarm.state == Alarm.State.CLEARED]
    tickets = {
        alarm.ticket_id: alarm.ticket for alarm in cleared if alarm.ticket and not alarm.ticket.is_major
    }
    if not tickets:
        return
    of_them = Alarm.objects.unclosed().filter(ticket__in=tickets)
    in_trouble = set(
        (of_them.standing() | of_them.exclude(flapping_until=None))
        .order_by()
        .values_list("ticket", flat=True)
        .distinct()
    )
    in_trouble |= {alarm.ticket_id for alarm in alarms if alarm not in cleared or alarm in flapping}
    for pk, ticket in tickets.items():
        if ticket is not None and ticket.state in (State.NEW, State.OPEN) and pk not in in_trouble:
            ticket.pend("evidence")


def _draft(home: Home, components: Components) -> Draft:
    members = [member.alarm for member in home.members]
    worst = min(members, key=lambda alarm: (alarm.severity, alarm.first_at or alarm.last_at))
    opener = members[0]
    impact, urgency = IMPACT_AND_URGENCY[worst.severity]
    more = f" (and {len(members) - 1} more)" if len(members) > 1 else ""
    lines = "\n".join(f"{alarm.summary or alarm.key} · {alarm.resource}" for alarm in members[:20])
    return Draft(
        client=opener.source.client,
        subject=f"{worst.summary or worst.key}{more}",
        text=f"{opener.source.name} raised:\n{lines}",
        channel="alarms",
        service=opener.service,
        component=component_of(opener, components),
        impact=impact,
        urgency=urgency,
        traits={
            "alarm.class": worst.class_name,
            "alarm.resource": worst.resource,
            "alarm.severity": worst.severity,
            "alarm.source": worst.source.name,
            "alarm.summary": worst.summary,
            "alarm.key": worst.key,
        },
    )


def _draft_of_storm(home: Home) -> Draft:
    """One ticket for all that a source raises in a storm."""
    members = [member.alarm for member in home.members]
    worst = min(members, key=lambda alarm: (alarm.severity, alarm.first_at or alarm.last_at))
    source = worst.source
    services = Counter(alarm.service for alarm in members if alarm.service)
    impact, urgency = IMPACT_AND_URGENCY[worst.severity]
    return Draft(
        client=source.client,
        subject=f"Alarm storm from {source.name}",
        text=text_of(source, summary_of(members)),
        channel="alarms",
        service=services.most_common(1)[0][0] if services else source.service,
        impact=impact,
        urgency=urgency,
        traits={"alarm.storm": True, "alarm.severity": worst.severity, "alarm.source": source.name},
    )
