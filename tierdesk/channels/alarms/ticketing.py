"""From alarms to tickets: an alarm is not a ticket. A later stage than intake, over what changed since it last looked.

An alarm that stands becomes a ticket, or joins the one its group (or its earlier self) already has. When all alarms of
a ticket are cleared it waits, watched; when they are closed it is resolved; when one comes back it goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db.models import Min

from tierdesk.channels.alarms.models import Alarm, wake_alarms
from tierdesk.channels.alarms.quiet import await_quiet, clear_quiet
from tierdesk.core.facts import Actor
from tierdesk.core.work import work
from tierdesk.directory.services.models import Component
from tierdesk.tickets.lifecycle import State
from tierdesk.tickets.models import Draft, Ticket

AT_ONCE = 500
MONITORING = Actor("channel", "Monitoring")
IMPACT_AND_URGENCY = {1: (1, 1), 2: (2, 1), 3: (2, 2), 4: (3, 2), 5: (3, 3)}
"""What an alarm's severity means for a ticket, until somebody says otherwise."""


def follow_up(at: datetime) -> int:
    """Look at alarms that changed, a batch in one unit of work; returns how many there were."""
    with work(by=MONITORING, at=at):
        unseen = Alarm.objects.unseen().select_for_update(skip_locked=True, of=("self",))
        alarms = list(
            unseen.select_related("source__client", "source__service", "ticket", "previous__ticket")[:AT_ONCE]
        )
        if alarms:
            standing = [alarm for alarm in alarms if alarm.state == Alarm.State.OPEN and alarm.first_at]
            settled = [alarm for alarm in standing if not _hold_back(alarm, at)]
            _give_tickets([alarm for alarm in settled if alarm.ticket is None])
            await_quiet(settled)
            _go_on(alarm.ticket for alarm in settled if alarm.ticket is not None)
            _watch([alarm for alarm in alarms if alarm.state == Alarm.State.CLEARED and alarm.ticket_id], at)
            Alarm.objects.filter(pk__in=[alarm.pk for alarm in alarms]).mark_seen()
    return len(alarms)


def next_unseen() -> datetime | None:
    """When the oldest change that nobody has looked at came in."""
    earliest: datetime | None = Alarm.objects.unseen().order_by().aggregate(at=Min("last_at"))["at"]
    return earliest


def wake_and_resolve(alarms: list[Alarm], at: datetime) -> None:
    """Cleared alarms that stayed quiet are closed; a ticket that only watched them is resolved."""
    wake_alarms(clear_quiet(alarms, at), at)
    watched = Ticket.objects.filter(
        alarms__in=[alarm.pk for alarm in alarms], state=State.PENDING, pending_reason="evidence"
    )
    for ticket in watched.select_related("client", "contact", "contract_version", "voice_team").distinct():
        if not ticket.alarms.unclosed().exists():
            ticket.resolve(code="cleared")


def _hold_back(alarm: Alarm, at: datetime) -> bool:
    """Whether an alarm must last a little longer before it matters; it then comes up again by its `wake_at`."""
    assert alarm.first_at is not None
    settles_at = alarm.first_at + timedelta(seconds=alarm.source.settle_s)
    if not alarm.source.settle_s or settles_at <= at:
        return False
    Alarm.objects.filter(pk=alarm.pk).update(wake_at=settles_at)
    return True


def _give_tickets(alarms: Sequence[Alarm]) -> None:
    """Each group gets one ticket: the one it has, its earlier alarm's if that can go on, or a new one."""
    groups: dict[tuple[int, str], list[Alarm]] = {}
    for alarm in alarms:
        groups.setdefault((alarm.source_id, alarm.group or alarm.key), []).append(alarm)
    known = {key: ticket for key, members in groups.items() if (ticket := _known_ticket(members[0]))}
    new = [key for key in groups if key not in known]
    components = _components(alarms)
    opened = Ticket.open_many([_draft(groups[key], components) for key in new]) if new else []
    tickets = known | dict(zip(new, opened, strict=True))
    for key, members in groups.items():
        Alarm.objects.filter(pk__in=[alarm.pk for alarm in members]).update(ticket=tickets[key])
    _go_on(known.values())


def _known_ticket(alarm: Alarm) -> Ticket | None:
    if alarm.group:
        same = Alarm.objects.unclosed().filter(
            source=alarm.source_id, group=alarm.group, ticket__isnull=False
        )
        first = (
            same.exclude(ticket__state__in=[State.CLOSED, State.CANCELLED]).select_related("ticket").first()
        )
        if first is not None and first.ticket is not None:
            return Ticket.objects.get(pk=first.ticket_id)
    earlier: Ticket | None = alarm.previous.ticket if alarm.previous else None
    return (
        earlier
        if earlier is not None and (earlier.is_unresolved() or earlier.can_reopen(alarm.last_at))
        else None
    )


def _go_on(tickets: Iterable[Ticket]) -> None:
    """A ticket that watched, or was resolved, has its trouble back."""
    for ticket in {ticket.pk: ticket for ticket in tickets}.values():
        if ticket.state == State.PENDING and ticket.pending_reason == "evidence":
            ticket.resume("the alarm came back")
        elif ticket.state == State.RESOLVED:
            ticket.reopen("the alarm came back")


def _watch(cleared: Sequence[Alarm], at: datetime) -> None:
    """All alarms of a ticket are cleared: it waits whether they stay so, until the last of them is closed."""
    for ticket in {alarm.ticket_id: alarm.ticket for alarm in cleared}.values():
        if ticket is None or ticket.state not in (State.NEW, State.OPEN) or ticket.alarms.standing().exists():
            continue
        ticket.pend("evidence")


def _components(alarms: Sequence[Alarm]) -> dict[tuple[int, str], Component]:
    names = {_host(alarm.resource) for alarm in alarms} | {alarm.resource for alarm in alarms}
    clients = {alarm.client_id for alarm in alarms}
    found = Component.objects.filter(client__in=clients, name__in=names).select_related("service")
    return {(component.client_id, component.name): component for component in found}


def _host(resource: str) -> str:
    """The host of `db1:9100`: exporters add their port."""
    return resource.rpartition(":")[0] or resource


def _draft(members: Sequence[Alarm], components: dict[tuple[int, str], Component]) -> Draft:
    worst = min(members, key=lambda alarm: (alarm.severity, alarm.first_at or alarm.last_at))
    component = components.get((worst.client_id, worst.resource)) or components.get(
        (worst.client_id, _host(worst.resource))
    )
    impact, urgency = IMPACT_AND_URGENCY[worst.severity]
    more = f" (and {len(members) - 1} more)" if len(members) > 1 else ""
    lines = "\n".join(f"{alarm.summary or alarm.key} · {alarm.resource}" for alarm in members[:20])
    return Draft(
        client=worst.source.client,
        subject=f"{worst.summary or worst.key}{more}",
        text=f"{worst.source.name} raised:\n{lines}",
        channel="alarms",
        service=component.service if component else worst.source.service,
        component=component,
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
