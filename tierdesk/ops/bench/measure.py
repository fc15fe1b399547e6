"""The measurements. Each prints its figure, the raw limit of the same run, and the ratio."""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from functools import cache

import uvloop
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client as Browser

from tierdesk.channels.alarms import bench as alarms
from tierdesk.channels.alarms.committer import TURN_S
from tierdesk.core import clock, garbage
from tierdesk.core.facts import ENGINE
from tierdesk.core.roles import owner
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.core.wakeups import POLL_SECONDS, Wakeup, wakeups
from tierdesk.core.work import work
from tierdesk.directory.calendars import bench as calendar
from tierdesk.directory.staff.models import User
from tierdesk.ops import clocks
from tierdesk.ops.bench import replay, storm
from tierdesk.ops.bench.world import World, make
from tierdesk.ops.engines import one_beside
from tierdesk.response.sla.facts import Breached
from tierdesk.response.sla.models import Clock
from tierdesk.tickets.models import Draft, Entry, Ticket

ROWS_OF_A_TICKET = 9
"""What one opened ticket writes: ticket, message, two entries, four clocks, one receipt."""


def prepare() -> None:
    """Tables, and the world."""
    with owner():
        call_command("migrate", verbosity=0)
    set_scope(EVERY_CLIENT)
    world()
    garbage.settle_in()


@cache
def world() -> World:
    return make()


def say(what: str, rate: float, unit: str, raw: float | None = None, raw_name: str = "raw") -> None:
    ratio = f"   {rate / raw:7.1%} of {raw_name} ({raw:,.0f}/s)" if raw else ""
    print(f"  {what:<52} {rate:>10,.0f} {unit}{ratio}", flush=True)


def per_second(times: int, run: Callable[[], object], *, each: int = 1, rounds: int = 3) -> float:
    """The median over `rounds` of how many things per second `times` calls of `run` do, `each` per call."""
    rates = []
    for _ in range(rounds):
        started = time.perf_counter()
        for _ in range(times):
            run()
        rates.append(times * each / (time.perf_counter() - started))
    return statistics.median(rates)


# -- working time


def bench_calendar(options: argparse.Namespace) -> None:
    """A contract's calendar over a year: when a target is used up, and how much of one was."""
    print("\nWorking time (a contract's calendar over a year, one core, per second of processor time)")
    figures = calendar.measure()
    say("raw: a binary search and a sum of times", figures.raw, "calls/s")
    say("add: when is it due", figures.add, "calls/s", figures.raw)
    say("between: how much was used", figures.between, "calls/s", figures.raw)


# -- opening tickets


def bench_open(options: argparse.Namespace) -> None:
    """Tickets through the whole domain path: triage, clocks, timeline, receipt."""
    print("\nOpening tickets (triage, 4 clocks, timeline, receipt)")
    raw = per_second(20, lambda: _raw_insert(500), each=500)
    raw_tickets = raw / ROWS_OF_A_TICKET
    say("raw: rows by one unnest insert of 500", raw, "rows/s")
    say("one by one", per_second(60, lambda: _open(1)), "tickets/s", raw_tickets, "raw ÷ 9 rows")
    say(
        "in batches of 500",
        per_second(4, lambda: _open(500), each=500),
        "tickets/s",
        raw_tickets,
        "raw ÷ 9 rows",
    )


def _raw_insert(rows: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE IF NOT EXISTS raw (id bigint, at timestamptz, word text, body text)"
        )
        cursor.execute(
            "INSERT INTO pg_temp.raw SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[], %s::text[])",
            [list(range(rows)), [clock.now()] * rows, ["word"] * rows, ["x" * 200] * rows],
        )


def _open(count: int) -> None:
    here = world()
    drafts = [
        Draft(
            client=here.clients[n % len(here.clients)],
            contact=here.contacts[n % len(here.contacts)],
            subject=f"The vpn does not connect {n}",
            text="Since this morning. " * 10,
            channel="email",
        )
        for n in range(count)
    ]
    with work(by=ENGINE, at=clock.now()):
        Ticket.open_many(drafts)


# -- clocks


def bench_clocks(options: argparse.Namespace) -> None:
    """Due clocks fired, with their facts and notices, beside a million at rest."""
    print(f"\nClocks falling due beside {options.clocks:,} at rest")
    _fill_tickets(20_000)
    _fill_clocks(options.clocks, due="now() + interval '30 days' + random() * interval '300 days'")
    due = options.backlog
    _fill_clocks(due, due="now() - random() * interval '1 minute'", warned="now() - interval '1 hour'")
    [wakeup] = [one for one in wakeups() if one.model is Clock]
    assert isinstance(wakeup, Wakeup)
    started = time.perf_counter()
    with one_beside(fallen=lambda: None):
        _fire(wakeup)
        say(f"fired, of {due:,} due, by two engines", due / (time.perf_counter() - started), "clocks/s")
        fired = Entry.objects.filter(kind=Breached.kind).count()
        assert fired == due, f"{fired} of {due} fired"
        say("an idle poll", per_second(50, lambda: wakeup.run(clock.now())), "polls/s")
        _lateness(wakeup)


def _fire(wakeup: Wakeup) -> None:
    """Until nothing is due, not even what the other engine has claimed."""
    set_scope(EVERY_CLIENT)
    while wakeup.due(clock.now()).exists():
        if not wakeup.run(clock.now()):
            time.sleep(0.01)


def _lateness(wakeup: Wakeup) -> None:
    """10,000 clocks a minute for ten seconds: how long after its instant each one fires.

    The first is due once they are all there, and the table has been looked through.
    """
    seconds, rate, laid = 10, 10_000 // 60, 15
    began = clock.now()
    due = f"now() + interval '{laid} seconds' + random() * interval '{seconds} seconds'"
    _fill_clocks(seconds * rate, due=due, warned="now()")
    set_scope(EVERY_CLIENT)
    assert clock.now() < began + timedelta(seconds=laid), (
        "the clocks were laid too slowly to be fired in time"
    )
    while clock.now() < began + timedelta(seconds=laid + seconds + 2):
        if not wakeup.run(clock.now()):
            time.sleep(POLL_SECONDS)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM at - (details ->> 'crossed_at')::timestamptz) FROM tickets_entry"
            " WHERE kind = 'breached' AND at >= %s ORDER BY 1",
            [began],
        )
        late = [float(row[0]) for row in cursor.fetchall()]
    p99 = late[int(len(late) * 0.99)] if late else float("nan")
    print(f"  {'lateness at 10,000 per minute: median, p99':<52} {statistics.median(late):>9.2f}s {p99:.2f}s")


def _fill_tickets(count: int) -> None:
    """Tickets straight into the table: the stage for a measurement, not what is measured."""
    here = world()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM tickets_ticket")
        missing = count - cursor.fetchone()[0]
        if missing <= 0:
            return
        cursor.execute(
            """
            INSERT INTO tickets_ticket (client_id, contact_id, contract_version_id, type, channel, subject, description,
                traits, state, pending_reason, impact, urgency, computed_priority, priority, is_major, tier, team_id,
                voice_team_id, assignee_id, hand_over_count, return_count, reopen_count, created_at, touched_at,
                resolved_at, next_due_at, resolution_code, version)
            SELECT client.id, contact.id, %s, 'incident', 'email', 'The vpn does not connect ' || n,
                'word' || (n %% 5000) || ' printer', '{}', CASE WHEN n %% 50 = 0 THEN 'open' ELSE 'closed' END, '',
                3, 2, 4, 4, false, 1 + n %% 3, team.id, team.id, CASE WHEN n %% 100 = 0 THEN %s::bigint END, 0, 0, 0,
                now() - n * interval '30 seconds',
                now() - n * interval '30 seconds', CASE WHEN n %% 50 = 0 THEN NULL ELSE now() END,
                CASE WHEN n %% 50 = 0 THEN now() + n * interval '1 second' END, '', 1
            FROM generate_series(1, %s::int) AS n
            JOIN (SELECT id, row_number() OVER () - 1 AS nth FROM clients_client) AS client
                ON client.nth = n %% %s::int
            JOIN clients_contact AS contact ON contact.client_id = client.id
            JOIN (SELECT id, tier FROM staff_team) AS team ON team.tier = 1 + n %% 3
            """,
            [here.version.pk, here.agent.pk, missing, len(here.clients)],
        )
        cursor.execute(
            "INSERT INTO tickets_message (client_id, ticket_id, direction, by_kind, by_name, at, channel, text, html,"
            " message_id, automatic, trust, why) SELECT client_id, id, 'inbound', 'contact', 'Ann', created_at,"
            " 'email', description, '', '', false, 'verified', '' FROM tickets_ticket AS t"
            " WHERE NOT EXISTS (SELECT FROM tickets_message WHERE ticket_id = t.id)"
        )
        cursor.execute(
            "INSERT INTO tickets_entry (client_id, ticket_id, at, kind, by_kind, by_name, details, state,"
            " pending_reason, tier, team_id, priority) SELECT client_id, id, created_at, 'opened', 'contact', 'Ann',"
            """ '{"channel": "email"}', 'new', '', 1, team_id, 4 FROM tickets_ticket AS t"""
            " WHERE NOT EXISTS (SELECT FROM tickets_entry WHERE ticket_id = t.id)"
        )
    _analyze()


def _fill_clocks(count: int, *, due: str, warned: str = "NULL") -> None:
    """Clocks straight into the table; `due` and `warned` are SQL of ours."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMP SEQUENCE IF NOT EXISTS bench_case")
        cursor.execute(
            f"""
            INSERT INTO sla_clock (client_id, ticket_id, metric, party, case_id, priority, target_s, calendar_id,
                started_at, counting_from, carried_s, pauses, state, due_at, warned_at, wake_at)
            SELECT ticket.client_id, ticket.id, 'resolve', 'UC', nextval('pg_temp.bench_case'), 3, 3600, %s,
                now() - interval '1 day', now() - interval '1 day', 0, '[]', 'running', moment.due, {warned}, moment.due
            FROM generate_series(1, %s::int) AS n
            CROSS JOIN LATERAL (SELECT {due} + n * interval '0 seconds' AS due) AS moment
            JOIN (SELECT id, client_id, row_number() OVER () - 1 AS nth FROM tickets_ticket LIMIT 20000) AS ticket
                ON ticket.nth = n %% 20000
            """,
            [world().calendar.pk, count],
        )
    _analyze()


def _analyze() -> None:
    """The stage is looked through and written out: what is measured on it does not pay for its building."""
    with owner(), connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
    set_scope(EVERY_CLIENT)


# -- clocks computed again


def bench_verify(options: argparse.Namespace) -> None:
    """All clocks computed again from the timelines of tickets that have lived, by one process and by all cores."""
    numbers = replay.live(world())
    replay.copy(numbers, options.verified // len(numbers) - 1)
    there = range(numbers[0], numbers[0] + options.verified)
    print(f"\nClocks computed again from their timelines ({options.verified:,} tickets that lived)")
    raw = options.verified / replay.read(there)
    say("raw: their entries and clocks fetched", raw, "tickets/s")
    for processes in (1, os.cpu_count() or 1):
        began = time.perf_counter()
        tickets, computed, found = clocks.examine(processes=processes)
        rate = tickets / (time.perf_counter() - began)
        say(f"{computed:,} clocks, by {processes} at once", rate, "tickets/s", raw, "the fetch")
        assert found == [], found[:3]
    print(f"  {'a million tickets take':<52} {1_000_000 / rate / 60:>10.1f} minutes")


# -- pages


def bench_pages(options: argparse.Namespace) -> None:
    """Server time of the queue and the ticket page, and what growing ten times costs."""
    print("\nPages (server time, signed in, median of 60)")
    medians: dict[str, list[float]] = {}
    for size in options.tickets:
        _fill_tickets(size)
        for name, path in (
            ("queue", "/queues/all/"),
            ("my teams", "/"),
            ("ticket", _open_ticket()),
            ("search", "/search/?q=word7"),
        ):
            median = _page(path)
            medians.setdefault(name, []).append(median)
            print(f"  {name:<12} at {size:>9,} tickets {median:>28.1f} ms", flush=True)
    for name, values in medians.items():
        if len(values) > 1:
            print(f"  {name:<12} grows by {values[-1] / values[0]:.2f}×")


def _open_ticket() -> str:
    return f"/tickets/{Ticket.objects.filter(state='open').values_list('pk', flat=True)[0]}/"


def _page(path: str) -> float:
    browser = Browser()
    browser.force_login(world().agent.user)
    times = []
    for turn in range(70):
        started = time.perf_counter()
        answer = browser.get(path)
        took = time.perf_counter() - started
        assert answer.status_code == 200, f"{path} answered {answer.status_code}"
        if turn >= 10:
            times.append(took * 1000)
    set_scope(EVERY_CLIENT)
    return statistics.median(times)


# -- alarms


def bench_alarms(options: argparse.Namespace) -> None:
    """Alarms taken in, one per request and in batches, beside the plain batched write of the same events."""
    print("\nAlarms (20,000 keys, 500 per batch; the lane in this process)")
    sys.setswitchinterval(TURN_S)
    figures = alarms.measure(os.environ["DATABASE_URL"])
    say("raw: plain batched write, none of our rules", figures.plain_write, "events/s")
    say("the intake function", figures.function, "events/s", figures.plain_write, "the plain write")
    say("one alarm per request", figures.lane_single, "events/s", figures.function, "the function")
    say("500 alarms per request", figures.lane_batch, "events/s", figures.function, "the function")


# -- a storm


def bench_storm(options: argparse.Namespace) -> None:
    """Events in batches and one by one, a kill in between, and what people see of it all."""
    print(
        f"\nAn alarm storm ({options.events:,} events, {storm.SOURCES} sources, {storm.KEYS:,} keys, the real server)"
    )
    limits = alarms.measure_limits(os.environ["DATABASE_URL"])
    cookie, portal = _signed_in(world().agent.user), _signed_in(_somebody_with_an_account())
    weather = storm.Storm(storm.make_sources(world().clients))
    with storm.serving() as server:
        before = server.megabytes()
        uvloop.run(_rage(server, weather, options.events, limits, cookie, portal))
        _blow_over(server, before)


def _signed_in(user: User) -> str:
    browser = Browser()
    browser.force_login(user)
    set_scope(EVERY_CLIENT)
    return "; ".join(f"{name}={morsel.value}" for name, morsel in browser.cookies.items())


def _somebody_with_an_account() -> User:
    contact = world().contacts[0]
    contact.user = User.objects.create_user(contact.email, name=contact.name)
    contact.save(update_fields=["user"])
    return contact.user


async def _rage(
    server: storm.Server, weather: storm.Storm, events: int, limits: alarms.Limits, cookie: str, portal: str
) -> None:
    """What the database takes is measured before and after each part, since a machine is not as fast all the time."""
    _say_limits(limits)
    mailing = asyncio.create_task(asyncio.to_thread(_mail_three))
    asking = asyncio.create_task(_ask_three(server.port, portal))
    took: list[float] = []
    for what, many, at_once, senders in (
        ("in batches", events, storm.BATCH, storm.SENDERS_OF_BATCHES),
        ("one by one", events // 4, 1, storm.SENDERS_OF_SINGLES),
    ):
        requests, stop = weather.requests(many, at_once=at_once), asyncio.Event()
        reading = asyncio.create_task(storm.read_meanwhile(server.port, cookie, stop))
        began, before = time.perf_counter(), server.processor_seconds()
        await storm.send(server.port, requests, senders=senders)
        seconds, used, count = (
            time.perf_counter() - began,
            server.processor_seconds(),
            len(requests) * at_once,
        )
        stop.set()
        took += await reading
        earlier, limits = limits, await asyncio.to_thread(_limits_at_rest, server)
        function = statistics.mean([earlier.function, limits.function])
        plain = statistics.mean([earlier.plain_write, limits.plain_write])
        say(f"accepted, {what}", count / seconds, "events/s", function, "the function")
        print(f"  {'':<72} {count / seconds / plain:7.1%} of the plain write ({plain:,.0f}/s)")
        each = {name: (used[name] - before[name]) * 1e6 / count for name in sorted(used)}
        parts = ", ".join(f"{name} {microseconds:.0f}" for name, microseconds in each.items())
        print(f"  {'  processor time per event, µs':<52} {parts}", flush=True)
    waited, asked = await mailing, await asking
    print(f"  {'the queue meanwhile: median of ' + str(len(took)):<52} {storm.median(took):>9.0f} ms")
    print(f"  {'a mail meanwhile, until it is understood: median':<52} {storm.median(waited):>9.1f} s")
    print(f"  {'a request in the portal meanwhile: median':<52} {storm.median(asked):>9.1f} s")
    marked = [weather.marked(number) for number in range(2_000)]
    sending = asyncio.create_task(storm.send(server.port, marked, senders=storm.SENDERS_OF_BATCHES))
    await asyncio.sleep(0.5)
    assert server.web is not None
    server.web.kill()
    server.web.wait()
    await asyncio.to_thread(server.start_web)
    await sending


def _limits_at_rest(server: storm.Server) -> alarms.Limits:
    """The worker stands still meanwhile, as it did not run when they were measured first."""
    set_scope(EVERY_CLIENT)
    storm.come_to_rest()
    with server.worker_standing_still():
        return alarms.measure_limits(os.environ["DATABASE_URL"])


def _say_limits(limits: alarms.Limits) -> None:
    say("raw: plain batched write, none of our rules", limits.plain_write, "events/s")
    say("raw: the intake function, 500 a call, one connection", limits.function, "events/s")


def _blow_over(server: storm.Server, before: dict[str, float]) -> None:
    print(f"  {'until all alarms were looked at':<52} {storm.come_to_rest():>9.1f} s")
    print(f"  {'lost, of 2,000 acknowledged around a kill':<52} {storm.lost(2_000):>9}")
    print(f"  {'tickets that an agent sees':<52} {storm.tickets_to_see():>9}")
    for name, megabytes in server.megabytes().items():
        print(f"  {f'memory of the {name}: before, after':<52} {before[name]:>9.0f} MB {megabytes:.0f} MB")


async def _ask_three(port: int, cookie: str) -> list[float]:
    return [await asyncio.to_thread(storm.ask_meanwhile, port, cookie, number) for number in range(3)]


def _mail_three() -> list[float]:
    set_scope(EVERY_CLIENT)
    try:
        sender = world().contacts[0].email
        return [storm.mail_meanwhile(number, sender) for number in range(3)]
    finally:
        connection.close()
