"""The engines of a worker: one for time, one for errands that wait for others, and one in a process of its own.

That one stands beside the first, for what comes as a backlog (`Wakeup.beside`): two threads of one interpreter fired
18,000 clocks a second where two processes fire 24,000. It is forked, so that it shares what the worker has loaded.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connections

from tierdesk.core import garbage
from tierdesk.core.wakeups import run_forever
from tierdesk.ops.leash import die_with_the_starter

log = logging.getLogger(__name__)

LEAVES_WITHIN_S = 15


def keep_time(stopping: Callable[[], bool]) -> None:
    """What is due at its instant."""
    run_forever(stopping, among=lambda wakeup: not wakeup.apart)


def run_errands(stopping: Callable[[], bool]) -> None:
    """What waits for others, or thinks long."""
    run_forever(stopping, among=lambda wakeup: wakeup.apart)


@contextmanager
def one_beside(fallen: Callable[[], object]) -> Iterator[int]:
    """An engine beside this process, with its process id; it leaves at the end, and dies with whoever started it.

    `fallen` is called when it has ended, whatever the reason. Enter it from the main thread, before other threads run.
    """
    for connection in connections.all(initialized_only=True):
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's has one
    starter = os.getpid()
    beside = multiprocessing.get_context("fork").Process(target=_stand_beside, args=(starter,), daemon=True)
    beside.start()
    watch = threading.Thread(target=_wait_for, args=(beside, fallen), name="watch", daemon=True)
    watch.start()
    assert beside.pid is not None
    try:
        yield beside.pid
    finally:
        beside.terminate()
        watch.join(LEAVES_WITHIN_S)


def _wait_for(beside: multiprocessing.process.BaseProcess, fallen: Callable[[], object]) -> None:
    beside.join()
    fallen()


def _stand_beside(starter: int) -> None:
    stopping = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    if sys.platform == "linux":
        die_with_the_starter(signal.SIGKILL)
    if os.getppid() != starter:  # it was gone before the kernel knew
        return
    garbage.settle_in()
    log.info("an engine is at work beside the worker")
    run_forever(stopping.is_set, among=lambda wakeup: wakeup.beside)
