"""Whatever happens while people are called, in whatever order, the desk and the paper agree."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, ClassVar

import pytest
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tests.whatever_happens.calls_on_paper import (
    IN_THE_END,
    PATIENCE,
    REPEATS,
    STEPS,
    WAYS,
    Calling,
    Paper,
)
from tierdesk.channels.pager.out import OUT, WayOut
from tierdesk.channels.pager.outgoing import Outgoing
from tierdesk.core import clock
from tierdesk.core.wakeups import fast_forward, run_due
from tierdesk.core.work import work
from tierdesk.directory.staff.models import Agent
from tierdesk.response.notifications.models import Notice
from tierdesk.response.paging.models import Paging, Policy
from tierdesk.response.paging.pages import Page
from tierdesk.response.paging.ways import Way
from tierdesk.tickets.models import Ticket

SECONDS = st.sampled_from([1, 20, 59, 60, 61, 120, 300, 420, 1200, 1800, 4000])
AFTER = st.sampled_from([0, 0, 10, 61, 130, 320])
"""Seconds that pass before somebody does something."""

WHICH = st.integers(0, 3)
MOST_TICKETS = 4
STATES = {"pending": "waits", "sent": "sent", "dropped": "dropped"}
POLICY = {
    "teams": ["desk"],
    "priorities": [1, 2],
    "repeat": REPEATS,
    "ack_timeout": 60 * PATIENCE,
    "steps": [
        {"after": 60 * after, "page": [f"user:{who}@desk.example" for who in people]}
        for after, people in STEPS
    ],
    "when_exhausted": [f"user:{who}@desk.example" for who in IN_THE_END],
}


class Pager(RuleBasedStateMachine):
    """Tickets of Acme's that call people until somebody looks."""

    cast: ClassVar[Cast]
    taken: ClassVar[list[tuple[datetime, Outgoing]]]

    def __init__(self) -> None:
        super().__init__()
        self._undone = transaction.atomic()
        self._undone.__enter__()
        self.taken.clear()
        self.at = MONDAY_10
        self.paper = Paper()
        self.agents: dict[str, Agent] = {
            name: getattr(self.cast, name) for name in ("lena", "lou", "tom", "kira")
        }
        self.tickets: list[int] = []
        self.assigned: set[int] = set()
        self.moved: set[int] = set()
        self.resolved: set[int] = set()
        Policy.publish("all", name="All", said=POLICY)
        for who, ways in WAYS.items():
            for kind, wait in ways.items():
                if kind != "mail":
                    Way.objects.create(
                        agent=self.agents[who],
                        kind=kind,
                        address="+4930123",
                        verified_at=self.at,
                        wait_s=60 * wait,
                    )

    def teardown(self) -> None:
        self.undo()

    def undo(self) -> None:
        transaction.set_rollback(True)
        self._undone.__exit__(None, None, None)

    def look(self) -> None:
        """Everything that always holds."""
        self.each_calling_stands_as_on_paper()
        self.each_page_is_as_on_paper()
        self.each_message_left_once_with_what_it_says()

    # -- what may happen

    @rule(seconds=SECONDS)
    def time_passes(self, seconds: int) -> None:
        self.at += timedelta(seconds=seconds)
        fast_forward(self.at)
        self.paper.live_until(self.at)

    @rule(seconds=SECONDS)
    def everything_stands_still(self, seconds: int) -> None:
        """Nobody lives for a while; then all that fell due is done at one instant."""
        self.time_passes(0)
        self.at += timedelta(seconds=seconds)
        with clock.frozen(self.at):
            while run_due(self.at):
                pass
        self.paper.wake(self.at)

    @precondition(lambda self: len(self.tickets) < MOST_TICKETS)
    @rule(priority=st.sampled_from([1, 2, 2]), after=AFTER)
    def trouble_comes_in(self, priority: int = 2, after: int = 0) -> None:
        self.time_passes(after)
        with self._doing(self.cast.ann):
            ticket = self.cast.ticket(impact=1, urgency=priority)
        assert ticket.priority == priority
        self.tickets.append(ticket.pk)
        self._begin(ticket.pk, priority)

    @precondition(lambda self: self._usable())
    @rule(which=WHICH, after=AFTER)
    def somebody_acknowledges_a_page(self, which: int = 0, after: int = 0) -> None:
        self.time_passes(after)
        if found := self._pick(which):
            calling, key, page = found
            with self._doing(self.agents[key[2]]):
                page.acknowledge()
            calling.pages[key].did = "acknowledged"
            calling.acknowledge(self.at)
            self.time_passes(0)

    @precondition(lambda self: self._usable())
    @rule(which=WHICH, after=AFTER)
    def somebody_passes_a_page_on(self, which: int = 0, after: int = 0) -> None:
        self.time_passes(after)
        if found := self._pick(which):
            calling, key, page = found
            with self._doing(self.agents[key[2]]):
                page.pass_on()
            calling.pass_on(key, self.at)
            self.time_passes(0)

    @precondition(lambda self: self.paper.callings)
    @rule(which=WHICH, after=AFTER)
    def a_used_link_is_used_again(self, which: int = 0, after: int = 0) -> None:
        self.time_passes(after)
        used = [(c, key) for c in self.paper.callings for key, page in c.pages.items() if page.did]
        if used:
            calling, key = used[which % len(used)]
            with self._doing(self.agents[key[2]]):
                self._row(calling, key).acknowledge()
                self._row(calling, key).pass_on()
            self.time_passes(0)

    @precondition(lambda self: self._open())
    @rule(which=WHICH, after=AFTER)
    def somebody_takes_it(self, which: int = 0, after: int = 0) -> None:
        self.time_passes(after)
        free = [pk for pk in self._open() if pk not in self.assigned]
        if free:
            pk = free[which % len(free)]
            with self._doing(self.cast.lou):
                Ticket.objects.get(pk=pk).take(self.cast.lou)
            self.assigned.add(pk)
            for calling in self._callings_of(pk):
                calling.acknowledge(self.at)
            self.time_passes(0)

    @precondition(lambda self: self._open())
    @rule(which=WHICH, after=AFTER)
    def somebody_notes_what_they_found(self, which: int = 0, after: int = 0) -> None:
        self.time_passes(after)
        pk = self._open()[which % len(self._open())]
        with self._doing(self.cast.lou):
            Ticket.objects.get(pk=pk).note("Looking at the gateway.")
        for calling in self._callings_of(pk):
            calling.progress_at = self.at
        self.time_passes(0)

    @precondition(lambda self: self._open())
    @rule(which=WHICH, after=AFTER)
    def another_team_gets_it(self, which: int = 0, after: int = 0) -> None:
        """No policy is for it."""
        self.time_passes(after)
        here = [pk for pk in self._open() if pk not in self.moved]
        if here:
            pk = here[which % len(here)]
            with self._doing(self.cast.lou):
                Ticket.objects.get(pk=pk).hand_over(self.cast.ops, why="theirs")
            self.moved.add(pk)
            self.assigned.discard(pk)
            for calling in self._callings_of(pk):
                calling.end()
            self.time_passes(0)

    @precondition(lambda self: self._open())
    @rule(which=WHICH, after=AFTER)
    def it_is_resolved(self, which: int = 0, after: int = 0) -> None:
        self.time_passes(after)
        pk = self._open()[which % len(self._open())]
        with self._doing(self.cast.lou):
            Ticket.objects.get(pk=pk).resolve(code="fixed")
        self.resolved.add(pk)
        for calling in self._callings_of(pk):
            calling.end()
        self.time_passes(0)

    @precondition(lambda self: self.resolved)
    @rule(which=WHICH, after=AFTER)
    def it_is_reopened(self, which: int = 0, after: int = 0) -> None:
        """It calls people again, unless somebody has it or it is another team's."""
        self.time_passes(after)
        pk = sorted(self.resolved)[which % len(self.resolved)]
        with self._doing(self.cast.ann):
            Ticket.objects.get(pk=pk).reopen("It is back.")
        self.resolved.discard(pk)
        if pk not in self.assigned | self.moved:
            self._begin(pk, Ticket.objects.get(pk=pk).priority)
        self.time_passes(0)

    # -- what always holds

    @invariant()
    def each_calling_stands_as_on_paper(self) -> None:
        rows = Paging.objects.filter(ticket__in=self.tickets).order_by("id")
        stand = [(one.ticket_id, one.state, one.loop) for one in rows]
        assert stand == [(one.ticket, one.state, one.loop) for one in self.paper.callings]

    @invariant()
    def each_page_is_as_on_paper(self) -> None:
        for calling, paging in zip(self.paper.callings, self._pagings(), strict=True):
            rows = Page.objects.filter(paging=paging).select_related("agent__user")
            desk = {
                (row.loop, row.step, self._name(row.agent), row.channel): (STATES[row.state], row.sent_at)
                for row in rows
            }
            assert desk == {key: (page.state, page.sent_at) for key, page in calling.pages.items()}

    @invariant()
    def each_message_left_once_with_what_it_says(self) -> None:
        mails: dict[tuple[str, str], list[tuple[datetime, set[int]]]] = {}
        for notice in Notice.objects.filter(kind="page").order_by("id").select_related("agent__user"):
            assert notice.agent is not None
            line = (self._name(notice.agent), "mail")
            mails.setdefault(line, []).append(
                (notice.created_at, self._told_in(notice.subject + notice.text))
            )
        for at, message in self.taken:
            line = (self._name(message.agent), "sms")
            mails.setdefault(line, []).append((at, self._told_in(message.text)))
        assert mails == self.paper.messages

    # -- how it is done

    def _begin(self, pk: int, priority: int) -> None:
        self.paper.callings.append(Calling(pk, priority, self.at))
        self.time_passes(0)

    def _open(self) -> list[int]:
        return [pk for pk in self.tickets if pk not in self.resolved]

    def _callings_of(self, pk: int) -> Iterator[Calling]:
        return (one for one in self.paper.callings if one.ticket == pk and one.state != "ended")

    def _usable(self) -> list[tuple[Calling, tuple[int, int, str, str]]]:
        """Pages that reached somebody, and whose link still does something."""
        found = [(c, key, page) for c in self.paper.callings if c.is_waiting for key, page in c.pages.items()]
        return [(c, key) for c, key, page in found if page.state == "sent" and not page.did]

    def _pick(self, which: int) -> tuple[Calling, tuple[int, int, str, str], Page] | None:
        """The newest, or one of those before."""
        usable = self._usable()
        if not usable:
            return None
        calling, key = usable[-1 - which % len(usable)]
        return calling, key, self._row(calling, key)

    def _row(self, calling: Calling, key: tuple[int, int, str, str]) -> Page:
        loop, step, who, channel = key
        paging = self._pagings()[self.paper.callings.index(calling)]
        return Page.objects.whole().get(
            paging=paging, loop=loop, step=step, agent=self.agents[who], channel=channel
        )

    def _pagings(self) -> list[Paging]:
        return list(Paging.objects.filter(ticket__in=self.tickets).order_by("id"))

    def _told_in(self, text: str) -> set[int]:
        return {pk for pk in self.tickets if f"TD-{pk}" in text}

    def _name(self, agent: Agent) -> str:
        return next(name for name, one in self.agents.items() if one.pk == agent.pk)

    @contextmanager
    def _doing(self, who: Any) -> Iterator[None]:
        with clock.frozen(self.at), work(by=who.actor(), at=self.at):
            yield


def keep_what_is_sent(patch: pytest.MonkeyPatch) -> None:
    """SMS are taken, and kept with the instant at which they were."""
    Pager.taken = []
    patch.setitem(
        OUT, "sms", WayOut(lambda message: Pager.taken.append((clock.now(), message)), lambda: True)
    )  # type: ignore[arg-type]
