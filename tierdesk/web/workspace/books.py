"""The books on a ticket's page: the run that is going on, earlier ones, and what could be followed next."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from tierdesk.core.written import Written
from tierdesk.directory.staff.models import Agent
from tierdesk.response.runbooks import walk
from tierdesk.response.runbooks.book import Command
from tierdesk.response.runbooks.models import Attempt, Run, RunState, matching
from tierdesk.tickets.models import Ticket

GAPS = {
    "missing": "The book does not cover this",
    "wrong": "What it says is wrong",
    "outdated": "It is out of date",
    "ambiguous": "It is not clear what to do",
    "no_access": "I have no access to do it",
    "not_applicable": "It is not about this case",
    "step_failed": "I did it and it did not help",
}


_RUNS = Written(
    lambda ticket: (
        Run.objects.filter(ticket=ticket)
        .select_related("revision__book", "agent__user")
        .order_by("-started_at")
    )
)


@dataclass(frozen=True, slots=True)
class Open:
    """A run that waits for an answer: the step, what it asks, and what has been answered."""

    run: Run
    next: walk.Next
    attempts: list[Attempt]

    @property
    def choices(self) -> tuple[str, ...]:
        return self.next.choices if isinstance(self.next, walk.Show | walk.Answer) else ()

    @property
    def command(self) -> Command | None:
        return self.next.command if isinstance(self.next, walk.Execute) else None

    @property
    def looks(self) -> bool:
        return isinstance(self.next, walk.Look)


def books_of(ticket: Ticket, agent: Agent, hanging: Collection[str]) -> dict[str, Any]:
    """Template context: `open_runs`, `ended_runs`, `suggested` (revision, reasons) and `gap_kinds`.

    `hanging`: what the ticket has (hanging.py).
    """
    runs: list[Run] = _RUNS(ticket=ticket) if "runs" in hanging else []
    tier = max(ticket.tier, 1)
    going = [run for run in runs if run.state == RunState.RUNNING]
    return {
        "open_runs": [Open(run, run.next, _attempts(run)) for run in going],
        "ended_runs": [(run, _attempts(run)) for run in runs if run.state != RunState.RUNNING],
        "suggested": matching(ticket, tier)[:4] if ticket.is_unresolved() else [],
        "gap_kinds": GAPS,
    }


def _attempts(run: Run) -> list[Attempt]:
    attempts = list(run.attempts.all())
    for attempt in attempts:
        attempt.run = run  # the revision is at hand; no query per step
    return attempts
