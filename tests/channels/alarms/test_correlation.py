"""Which alarms are one trouble: the order of the reasons, what each says, and what it costs to find out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import Cast
from tests.channels.alarms.conftest import Monitor, minutes, source_of, test_dsn
from tierdesk.channels.alarms.models import Alarm, Source
from tierdesk.channels.alarms.normal import Action, said
from tierdesk.channels.alarms.ticketing import follow_up
from tierdesk.core.work import Unit
from tierdesk.directory.services.models import Component, Service
from tierdesk.tickets.models import Entry, Ticket
from tierdesk.web.workspace.sentences import sentence_of

Doing = Callable[..., AbstractContextManager[Unit]]


@pytest.fixture
def network(cast: Cast) -> Service:
    """The VPN depends on the line, and the line on the router; mail on neither."""
    line = Service.objects.create(client=cast.acme, key="line", name="The line")
    router = Service.objects.create(client=cast.acme, key="router", name="The router")
    cast.vpn.depends_on.add(line)
    line.depends_on.add(router)
    for name, service in (("rt1", router), ("ln1", line), ("vpn1", cast.vpn), ("vpn2", cast.vpn)):
        Component.objects.create(client=cast.acme, service=service, name=name)
    return router


def reasons() -> dict[str, tuple[str, str]]:
    return {
        alarm.key: (alarm.joined_by, alarm.joined_to) for alarm in Alarm.objects.filter(ticket__isnull=False)
    }


def told(ticket: Ticket) -> list[str]:
    return [sentence_of(entry)[0] for entry in Entry.objects.of(ticket.pk).filter(kind="alarms_joined")]


def test_what_nothing_holds_together_opens_a_ticket_each(monitor: Monitor) -> None:
    monitor.raises(0, "one", "other")
    assert Ticket.objects.count() == 2
    assert reasons() == {"one": ("opened", ""), "other": ("opened", "")}
    assert [told(ticket) for ticket in Ticket.objects.all()] == [[], []]


def test_the_same_alarm_as_before_goes_back_to_its_ticket_whatever_else_holds(
    monitor: Monitor, network: Service
) -> None:
    monitor.raises(0, "vpn", resource="vpn1", group="before")
    monitor.clears(1, "vpn", resource="vpn1")
    monitor.raises(20, "disk", group="now")
    monitor.raises(20, "router", resource="rt1")
    monitor.raises(20, "vpn", resource="vpn1", group="now")
    first, *others = Ticket.objects.order_by("id")
    back = Alarm.objects.unclosed().get(key="vpn")
    assert (back.ticket, back.joined_by, back.joined_to) == (first, "key", "vpn")
    assert (first.state, len(others)) == ("open", 2)


def test_a_group_of_the_source_is_one_ticket_and_comes_before_the_graph(
    monitor: Monitor, network: Service
) -> None:
    monitor.raises(0, "router", resource="rt1")
    monitor.raises(1, "a", group="g")
    monitor.raises(2, "b", "c", group="g", resource="vpn1", summary="No tunnel")
    grouped = Ticket.objects.get(alarms__key="a")
    assert {alarm.key for alarm in grouped.alarms.all()} == {"a", "b", "c"}
    assert reasons()["b"] == ("group", "g")
    assert told(grouped) == ["2 alarms of the group “g”, as their source says; first: No tunnel"]


def test_groups_of_two_sources_are_two_groups(cast: Cast, monitor: Monitor) -> None:
    monitor.raises(0, "a", group="g")
    Monitor(source_of(cast.acme, "zabbix")).raises(1, "b", group="g")
    assert Ticket.objects.count() == 2


def test_what_depends_on_something_in_trouble_joins_it_however_far_below(
    cast: Cast, monitor: Monitor, network: Service
) -> None:
    monitor.raises(0, "router", resource="rt1:9100", severity=1)
    monitor.raises(3, "tunnel", resource="vpn1", summary="No tunnel")
    ticket = Ticket.objects.get()
    assert (ticket.service, reasons()["tunnel"]) == (network, ("upstream", "The router"))
    assert told(ticket) == [
        "an alarm because “The router”, which their service depends on, is in trouble: No tunnel"
    ]
    assert Alarm.objects.get(key="tunnel").service == cast.vpn


def test_the_nearest_cause_is_the_one_that_counts(monitor: Monitor, network: Service) -> None:
    monitor.raises(0, "line", resource="ln1")
    monitor.raises(1, "router", resource="rt1")
    monitor.raises(2, "tunnel", resource="vpn1")
    assert reasons()["tunnel"] == ("upstream", "The line")
    assert Ticket.objects.get(alarms__key="tunnel") == Ticket.objects.get(alarms__key="line")


def test_what_comes_at_once_is_sorted_causes_first(monitor: Monitor, network: Service) -> None:
    monitor.says(
        0,
        *(
            said(action=Action.RAISE, key=name, resource=name, summary=name)
            for name in ("vpn1", "vpn2", "ln1", "rt1")
        ),
    )
    ticket = Ticket.objects.get()
    assert ticket.service == network
    assert reasons() == {
        "rt1": ("opened", ""),
        "ln1": ("upstream", "The router"),
        "vpn1": ("upstream", "The line"),
        "vpn2": ("upstream", "The line"),
    }


def test_one_service_in_trouble_is_one_ticket(monitor: Monitor, network: Service) -> None:
    monitor.raises(0, "one", resource="vpn1")
    monitor.raises(14, "other", resource="vpn2", summary="No tunnel")
    assert reasons()["other"] == ("service", "VPN")
    assert told(Ticket.objects.get()) == ["an alarm of the same service, “VPN”: No tunnel"]


@pytest.mark.parametrize(
    ("minute", "join_s", "tickets"),
    [
        (14.9, 900, 1),  # just within
        (15, 900, 2),  # the time is over
        (1, 0, 2),  # the source never joins by service
        (59, 3600, 1),  # another time was agreed
    ],
)
def test_troubles_of_a_service_are_joined_within_a_time(
    minute: float, join_s: int, tickets: int, monitor: Monitor, network: Service
) -> None:
    monitor.source.join_s = join_s
    monitor.source.save(update_fields=["join_s"])
    monitor.raises(0, "one", resource="vpn1")
    monitor.raises(minute, "other", resource="vpn2")
    assert Ticket.objects.count() == tickets


def test_a_resolved_ticket_swallows_no_new_alarm(
    cast: Cast, monitor: Monitor, network: Service, doing: Doing
) -> None:
    monitor.raises(0, "one", resource="vpn1")
    with doing(cast.tom, minutes(1)):
        Ticket.objects.get().resolve(code="fixed")
    monitor.raises(2, "other", resource="vpn2")
    assert Ticket.objects.count() == 2


def test_another_client_s_trouble_is_another_trouble(cast: Cast, monitor: Monitor) -> None:
    """Mail is offered to both clients."""
    for source in (monitor.source, theirs := source_of(cast.borealis)):
        source.service = cast.mail
        source.save(update_fields=["service"])
    monitor.raises(0, "ours")
    Monitor(theirs).raises(1, "theirs")
    assert [ticket.client for ticket in Ticket.objects.order_by("id")] == [cast.acme, cast.borealis]


@pytest.mark.parametrize("name", ["vpn", "VPN"])
def test_a_source_may_name_the_service_itself(name: str, cast: Cast, monitor: Monitor) -> None:
    monitor.raises(0, "tunnel", service=name, resource="nowhere")
    assert (Alarm.objects.get().service, Ticket.objects.get().service) == (cast.vpn, cast.vpn)


def test_a_service_that_nobody_knows_is_the_source_s_own(cast: Cast, monitor: Monitor) -> None:
    monitor.source.service = cast.mail
    monitor.source.save(update_fields=["service"])
    monitor.raises(0, "tunnel", service="unheard-of")
    assert Alarm.objects.get().service == cast.mail


def test_a_batch_costs_as_many_statements_whatever_its_size(
    cast: Cast, monitor: Monitor, network: Service
) -> None:
    """Alarms that join what is there; those that open tickets are sorted by other rooms, also in batches."""
    monitor.source.storm_alarms = 0
    monitor.source.save(update_fields=["storm_alarms"])
    monitor.raises(0, "router", resource="rt1")

    def statements(minute: int, count: int) -> int:
        events = [
            said(
                action=Action.RAISE,
                key=f"{minute}-{n}",
                resource="vpn1",
                summary="s",
                service="vpn",
                group=f"g{n}",
            )
            for n in range(count)
        ]
        with CaptureQueriesContext(connection) as queries:
            monitor.says(minute, *events)
        return len(queries)

    assert statements(1, 5) == statements(2, 200)
    assert Ticket.objects.count() == 1


def test_two_engines_do_not_sort_alarms_of_one_client_at_once(source: Source) -> None:
    Monitor(source).raises(0, "one")
    Alarm.objects.update(seen_seq=0)
    with psycopg.connect(test_dsn()) as rival:
        lock = "SELECT pg_advisory_xact_lock(hashtextextended('alarms of client ' || %s::bigint, 0))"
        rival.execute(lock, [source.client_id])
        assert follow_up(minutes(1)) == 0
    assert follow_up(minutes(1)) == 1
