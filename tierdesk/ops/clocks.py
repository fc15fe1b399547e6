"""`tierdesk clocks verify` and `repair`: is every clock what its timeline says? (`whatif` is in whatif.py.)"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import django
from django.db import connection
from django.db.models import Max, Min

from tierdesk.core import clock
from tierdesk.core.facts import ENGINE
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.core.work import work
from tierdesk.ops import whatif
from tierdesk.response.sla.verify import Tally, repair, verify
from tierdesk.tickets.models import Ticket

PIECE = 2_000
"""Numbers of tickets that a process takes at once."""

SHOWN = 50
"""Differences printed; the others are counted."""


def run(options: argparse.Namespace) -> int:
    """Compare, and repair if asked to; 1 if anything differed and was left as it is."""
    if options.act == "whatif":
        return whatif.run(options)
    set_scope(EVERY_CLIENT)
    tickets, clocks, found = examine(processes=options.processes)
    print(f"{clocks:,} clocks of {tickets:,} tickets computed again from their timelines")
    for _, words in found[:SHOWN]:
        print(f"  {words}")
    if len(found) > SHOWN:
        print(f"  … and {len(found) - SHOWN:,} more")
    if not found:
        print("no differences")
        return 0
    if options.act == "verify":
        print(f"{len(found):,} differ; `tierdesk clocks repair` sets them right", file=sys.stderr)
        return 1
    corrected = sum(_repair(pk) for pk in sorted({pk for pk, _ in found}))
    print(f"{corrected:,} set right, each with an entry on its ticket")
    return 0


def examine(*, processes: int = 1) -> tuple[int, int, list[tuple[int, str]]]:
    """(tickets, clocks, differences as (ticket, words)), computed by so many processes."""
    pieces = list(_pieces())
    if processes <= 1 or len(pieces) <= 1:
        return _sum(_examine(piece) for piece in pieces)
    fresh = multiprocessing.get_context("spawn")
    connection.close()
    with ProcessPoolExecutor(processes, mp_context=fresh, initializer=django.setup) as pool:
        return _sum(pool.map(_examine, pieces))


def _pieces() -> Iterator[tuple[int, int]]:
    """The numbers of all tickets, in pieces: from, to."""
    ends = Ticket.objects.aggregate(first=Min("pk"), last=Max("pk"))
    if ends["first"] is not None:
        for first in range(ends["first"], ends["last"] + 1, PIECE):
            yield first, first + PIECE - 1


def _examine(piece: tuple[int, int]) -> tuple[int, int, list[tuple[int, str]]]:
    set_scope(EVERY_CLIENT)
    tally = Tally()
    found = [(one.ticket, str(one)) for one in verify(first=piece[0], last=piece[1], tally=tally)]
    return tally.tickets, tally.clocks, found


def _sum(
    parts: Iterator[tuple[int, int, list[tuple[int, str]]]],
) -> tuple[int, int, list[tuple[int, str]]]:
    tickets, clocks, found = 0, 0, []
    for of_tickets, of_clocks, differences in parts:
        tickets, clocks = tickets + of_tickets, clocks + of_clocks
        found += differences
    return tickets, clocks, found


def _repair(pk: int) -> int:
    with work(by=ENGINE, at=clock.now()):
        return len(repair(Ticket.objects.get(pk=pk)))
