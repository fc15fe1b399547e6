"""Beside the worker stands another engine: it fires clocks as well, and neither outlives the other."""

from __future__ import annotations

import os
import signal

import pytest

from tests.servers.desk import Desk, until
from tests.servers.families import WORKER, children_of, kill, pids_of
from tests.servers.post import letter, post

pytestmark = pytest.mark.server

TIMED = """
    SELECT clock.id FROM sla_clock AS clock JOIN tickets_ticket AS ticket ON ticket.id = clock.ticket_id
    WHERE ticket.subject = 'A matter with clocks' LIMIT 1
"""
DUE = """
    INSERT INTO sla_clock (client_id, ticket_id, metric, party, case_id, priority, target_s, calendar_id, started_at,
        counting_from, carried_s, pauses, state, due_at, warned_at, wake_at)
    SELECT client_id, ticket_id, 'resolve', 'UC', 2000000, 3, 3600, calendar_id, now(), now(), 0, '[]', 'running',
        now(), now(), now()
    FROM sla_clock LIMIT 1
"""
BREACHED = "SELECT breached_at FROM sla_clock WHERE case_id = 2000000 AND breached_at IS NOT NULL"


def test_it_fires_a_clock_while_the_worker_stands_still(desk: Desk) -> None:
    post(desk, letter("A matter with clocks", "…"))
    desk.row_soon(TIMED)
    worker = pids_of(desk.pid)[WORKER]
    os.kill(worker, signal.SIGSTOP)
    try:
        desk.change(DUE)
        desk.row_soon(BREACHED)
    finally:
        os.kill(worker, signal.SIGCONT)


def test_it_dies_with_its_worker(desk: Desk) -> None:
    worker, beside = engines(desk)
    assert kill(desk.pid, WORKER)
    assert until(lambda: not lives(beside))
    assert until(lambda: engines(desk) != (0, 0) and engines(desk)[0] != worker), "both came again"


def test_where_it_falls_the_worker_goes_home_and_both_come_again(desk: Desk) -> None:
    worker, beside = engines(desk)
    os.kill(beside, signal.SIGKILL)
    assert until(lambda: not lives(worker), within_s=60)
    assert until(lambda: engines(desk) != (0, 0), within_s=60)


def engines(desk: Desk) -> tuple[int, int]:
    """The worker and the engine beside it, as processes; 0, 0 while they are not there."""
    worker = pids_of(desk.pid).get(WORKER, 0)
    beside = list(children_of(worker)) if worker else []
    return (worker, beside[0]) if beside else (0, 0)


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
