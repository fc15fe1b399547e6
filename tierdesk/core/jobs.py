"""Work for now, after the commit: one job per reaction and unit, queued in the same transaction.

The queue is procrastinate's, in the same PostgreSQL. Time does not live here; it lives in `wake_at` (see wakeups.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from tierdesk.core import clock
from tierdesk.core.facts import ENGINE, Fact
from tierdesk.core.scope import EVERY_CLIENT, seeing
from tierdesk.core.work import Reaction, work

_inline: ContextVar[bool] = ContextVar("jobs_inline", default=False)


def later(reaction: Reaction, facts: Sequence[Fact]) -> None:
    """Queue `reaction` for these journaled facts; it runs soon after the commit, and again if it fails."""
    path = f"{reaction.__module__}.{reaction.__qualname__}"
    ids = [fact.id for fact in facts]
    if _inline.get():
        transaction.on_commit(partial(react, path, ids))
    else:
        react_job.defer(reaction=path, entries=ids)


@app.task(name="react", retry=RetryStrategy(max_attempts=8, exponential_wait=2))
def react_job(reaction: str, entries: list[int]) -> None:
    with seeing(EVERY_CLIENT):
        react(reaction, entries)


def react(reaction: str, entries: list[int]) -> None:
    """Answer journaled facts in a unit of work of their own."""
    answer: Reaction = import_string(reaction)
    facts = import_string(settings.WIRING).journal.read(entries)
    if facts:
        with work(by=ENGINE, at=clock.now(), because=facts[0].id):
            answer(facts)


@contextmanager
def inline() -> Iterator[None]:
    """Run later reactions right after the commit instead of queueing them: for fast-forward and tests."""
    token = _inline.set(True)
    try:
        yield
    finally:
        _inline.reset(token)
