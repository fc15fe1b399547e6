"""Tickets with a life each, many of them, and how fast their clocks are computed again from their timelines."""

from __future__ import annotations

import time
from datetime import timedelta

from django.db import connection

from tierdesk.core import clock
from tierdesk.core.roles import owner
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.core.work import work
from tierdesk.ops.bench.world import World
from tierdesk.response.sla.models import Clock
from tierdesk.tickets.models import Draft, Entry, Ticket

LIVED = 200
"""Tickets that are lived through; the others are copies of them, row by row."""


def live(world: World) -> list[int]:
    """A day of some tickets: taken, asked and answered, worsened, handed on, resolved, some reopened. Their numbers."""
    by, began = world.agent.actor(), clock.now() - timedelta(days=20)
    with work(by=by, at=began):
        tickets = Ticket.open_many(
            [
                Draft(
                    client=world.clients[n % len(world.clients)],
                    contact=world.contacts[n % len(world.contacts)],
                    subject=f"The vpn does not connect {n}",
                    text="Since this morning.",
                    channel="email",
                )
                for n in range(LIVED)
            ]
        )
    for number, ticket in enumerate(tickets):
        at = began + timedelta(minutes=number)
        with work(by=by, at=at + timedelta(hours=1)):
            ticket.take(world.agent)
            ticket.ask("Which client do you use?")
        with work(by=by, at=at + timedelta(hours=3)):
            ticket.hear("The blue one.", channel="email")
        with work(by=by, at=at + timedelta(hours=4)):
            ticket.assess(impact=1 + number % 3, urgency=2, reason="looked at again")
            ticket.hand_over(world.teams[1], why="skill")
        with work(by=by, at=at + timedelta(hours=20)):
            ticket.resolve(code="fixed", text="Fixed.")
        if number % 10 == 0:
            with work(by=by, at=at + timedelta(hours=30)):
                ticket.hear("It is back.", channel="email")
    return [ticket.pk for ticket in tickets]


def copy(numbers: list[int], times: int) -> None:
    """So many copies of these tickets, with their entries and clocks, under numbers above all others."""
    shift = max(numbers) + 1 - min(numbers)
    with owner(), connection.cursor() as cursor:
        for model, key in ((Ticket, "id"), (Entry, "ticket_id"), (Clock, "ticket_id")):
            columns = [
                f.column for f in model._meta.concrete_fields if not f.primary_key and f.column != "search"
            ]
            own = ["id", *columns] if key == "id" else columns
            shifted = ", ".join(f"{name} + n * %(shift)s" if name == key else f'"{name}"' for name in own)
            names = ", ".join(f'"{name}"' for name in own)
            cursor.execute(
                f'INSERT INTO "{model._meta.db_table}" ({names}) SELECT {shifted} FROM "{model._meta.db_table}",'
                f" generate_series(1, %(times)s::int) AS n WHERE {key} = ANY (%(numbers)s) ORDER BY n, id",
                {"shift": shift, "times": times, "numbers": numbers},
            )
        cursor.execute("VACUUM ANALYZE")
    set_scope(EVERY_CLIENT)


def read(numbers: range) -> float:
    """Seconds to fetch the entries and clocks of these tickets, and nothing else: the limit."""
    began = time.perf_counter()
    with connection.cursor() as cursor:
        for table in (Entry._meta.db_table, Clock._meta.db_table):
            cursor.execute(
                f'SELECT * FROM "{table}" WHERE ticket_id BETWEEN %s AND %s',
                [numbers.start, numbers.stop - 1],
            )
            while cursor.fetchmany(5_000):
                pass
    return time.perf_counter() - began
