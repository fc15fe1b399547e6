"""What is known around alarms that have no ticket yet, read with a fixed number of questions for a batch of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import OuterRef, Q, Subquery

from tierdesk.channels.alarms.correlation import GroupKey, Home, Homes, ServiceKey, Storm, Upstream
from tierdesk.channels.alarms.models import Alarm, Event
from tierdesk.channels.alarms.normal import Action
from tierdesk.channels.alarms.storms import storms_of
from tierdesk.directory.services.models import Component, Service
from tierdesk.tickets.lifecycle import UNRESOLVED, State
from tierdesk.tickets.models import Ticket

UPSTREAM = """
    WITH RECURSIVE upstream (below, service, steps) AS (
        SELECT edge.from_service_id, edge.to_service_id, 1
        FROM services_service_depends_on AS edge WHERE edge.from_service_id = ANY (%s)
        UNION
        SELECT upstream.below, edge.to_service_id, upstream.steps + 1
        FROM upstream JOIN services_service_depends_on AS edge ON edge.from_service_id = upstream.service
        WHERE upstream.steps < 12
    )
    SELECT below, service.id, service.name
    FROM upstream JOIN services_service AS service ON service.id = upstream.service
    GROUP BY below, service.id, service.name ORDER BY below, min(steps), service.id
"""

type Components = dict[tuple[int, str], Component]


def name_services(alarms: Sequence[Alarm], components: Components) -> None:
    """Note what service each alarm is about: its component's, the one that its source names, or the source's own."""
    if not alarms:
        return
    said = _said_services([alarm for alarm in alarms if component_of(alarm, components) is None])
    for alarm in alarms:
        component = component_of(alarm, components)
        alarm.service = component.service if component else said.get(alarm.pk, alarm.source.service)


def components_of(alarms: Iterable[Alarm]) -> Components:
    named = [(alarm.client_id, name) for alarm in alarms for name in (alarm.resource, host(alarm.resource))]
    found = Component.objects.filter(
        client__in={client for client, _ in named}, name__in={name for _, name in named}
    )
    return {(one.client_id, one.name): one for one in found.select_related("service")}


def component_of(alarm: Alarm, components: Components) -> Component | None:
    return components.get((alarm.client_id, alarm.resource)) or components.get(
        (alarm.client_id, host(alarm.resource))
    )


def host(resource: str) -> str:
    """The host of `db1:9100`: exporters add their port."""
    return resource.rpartition(":")[0] or resource


def homes_of(alarms: Sequence[Alarm], tickets: dict[int, Ticket], at: datetime) -> Homes:
    """The homes that these alarms may go to. `tickets` by key are those at hand already; what is found is added."""
    by_group = _tickets_of_groups(alarms)
    upstream = _upstream({alarm.service_id for alarm in alarms if alarm.service_id})
    by_service = _tickets_of_services(alarms, upstream, at)
    storms = storms_of(alarms, tickets, at)
    wanted = {*by_group.values(), *(pk for pk, _ in by_service.values())}
    missing = Ticket.objects.filter(pk__in=wanted - tickets.keys())
    tickets.update({ticket.pk: ticket for ticket in missing.select_related("client", "contract_version")})
    homes = {pk: Home(ticket) for pk, ticket in tickets.items()}
    return Homes(
        of_alarm={
            earlier.pk: homes[earlier.ticket.pk]
            for alarm in alarms
            if (earlier := alarm.previous) and earlier.ticket and _can_go_on(earlier.ticket, alarm.last_at)
        },
        of_group={key: homes[pk] for key, pk in by_group.items() if _can_go_on(tickets[pk], at)},
        storms={source: _one_home(storm, homes) for source, storm in storms.items()},
        of_service={key: (homes[pk], since) for key, (pk, since) in by_service.items()},
        upstream=upstream,
    )


def _one_home(storm: Storm, homes: dict[int, Home]) -> Storm:
    """The storm with the one home of its ticket, if it has a ticket already."""
    return Storm(homes[storm.home.ticket.pk], storm.service) if storm.home.ticket else storm


def _can_go_on(ticket: Ticket, at: datetime) -> bool:
    return ticket.is_unresolved() or ticket.can_reopen(at)


def _said_services(alarms: Sequence[Alarm]) -> dict[int, Service]:
    """The services that sources named themselves when they raised these alarms, by alarm."""
    raises = Event.objects.filter(alarm=OuterRef("pk"), action=Action.RAISE).order_by("-id")
    told = Alarm.objects.filter(pk__in=[alarm.pk for alarm in alarms])
    said = dict(
        told.annotate(said=Subquery(raises.values("body__service")[:1]))
        .filter(said__isnull=False)
        .values_list("pk", "said")
    )
    if not said:
        return {}
    names = {str(name) for name in said.values()}
    clients = {alarm.client_id for alarm in alarms}
    known = Service.objects.filter(Q(client__in=clients) | Q(client=None)).filter(
        Q(key__in=names) | Q(name__in=names)
    )
    by_name: dict[tuple[int | None, str], Service] = {}
    for service in known:
        by_name[service.client_id, service.name] = service
    for service in known:
        by_name[service.client_id, service.key] = service
    found = {
        alarm.pk: by_name.get((alarm.client_id, str(said[alarm.pk])))
        or by_name.get((None, str(said[alarm.pk])))
        for alarm in alarms
        if alarm.pk in said
    }
    return {pk: service for pk, service in found.items() if service is not None}


def _tickets_of_groups(alarms: Sequence[Alarm]) -> dict[GroupKey, int]:
    """The ticket that alarms of the same group stand on already."""
    wanted = {(alarm.source_id, alarm.group) for alarm in alarms if alarm.group}
    if not wanted:
        return {}
    same = Alarm.objects.unclosed().filter(
        source__in={source for source, _ in wanted},
        group__in={group for _, group in wanted},
        ticket__isnull=False,
    )
    going = same.exclude(group="").exclude(ticket__state__in=[State.CLOSED, State.CANCELLED])
    found = going.order_by("source", "group", "joined_at", "id").distinct("source", "group")
    return {
        (source, group): ticket
        for source, group, ticket in found.values_list("source", "group", "ticket")
        if (source, group) in wanted
    }


def _upstream(services: set[int]) -> Upstream:
    if not services:
        return {}
    found: dict[int, list[tuple[int, str]]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(UPSTREAM, [sorted(services)])
        for below, service, name in cursor.fetchall():
            found[below].append((service, name))
    return found


def _tickets_of_services(
    alarms: Sequence[Alarm], upstream: Upstream, at: datetime
) -> dict[ServiceKey, tuple[int, datetime]]:
    """The unresolved ticket of each service's newest alarm, with when that came: their own, and those upstream."""
    with_service = [alarm for alarm in alarms if alarm.service_id]
    services = {alarm.service_id for alarm in with_service}
    services |= {pk for service in services for pk, _ in upstream.get(service or 0, ())}
    longest_s = max((alarm.source.join_s for alarm in with_service), default=0)
    if not longest_s:
        return {}
    lately = Alarm.objects.filter(
        client__in={alarm.client_id for alarm in with_service},
        service__in=services,
        joined_at__gt=at - timedelta(seconds=longest_s),
        ticket__state__in=UNRESOLVED,
    )
    newest = lately.order_by("client", "service", "-joined_at").distinct("client", "service")
    return {
        (client, service): (ticket, joined_at)
        for client, service, ticket, joined_at in newest.values_list(
            "client", "service", "ticket", "joined_at"
        )
    }
