"""Whatever happens to a ticket, in whatever order, the desk and the paper agree.

Each rule tries a verb, whether it makes sense or not. What the paper forbids must be refused and change nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, ClassVar

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.cast import TARGETS, Cast
from tests.conftest import MONDAY_10
from tests.journeys.conftest import FULL
from tests.whatever_happens.paper import CLIENT_OWES, NOTHING, REOPENABLE, Paper
from tierdesk.core import clock
from tierdesk.core.wakeups import fast_forward
from tierdesk.core.work import current, work
from tierdesk.directory.contracts.models import Contract, ContractVersion, Metric, Party, Promise
from tierdesk.directory.staff.models import Agent
from tierdesk.response.sla.dates import promise_date, take_back_date
from tierdesk.response.sla.ledger import ledger_of
from tierdesk.response.sla.models import Clock
from tierdesk.response.sla.verify import verify
from tierdesk.response.tiers.models import Escalation
from tierdesk.tickets.lifecycle import StaleTicket, UnableTo
from tierdesk.tickets.models import Entry, Ticket

SOME_TIME = st.sampled_from([1, 7, 45, 200, 900, 4000, 9000])
AFTER = st.sampled_from([0, 0, 7, 45, 200])
"""Minutes that pass before somebody does something."""

REASONS = st.sampled_from(["vendor", "access", "client_approval", "dependency_group"])
WHICH = st.sampled_from(["take", "resolve", "escalate", "pend"])


LONGER = 2
"""So many times as long as an incident may a service request take."""


def agree_on_requests(cast: Cast) -> None:
    """Acme has a contract for service requests: what is promised for incidents, in longer times."""
    usual = cast.acme_contract
    contract = Contract.objects.create(client=cast.acme, key="requests", name="Requests", type="request")
    promises = list(usual.promises.all())
    version = ContractVersion.objects.get(pk=usual.pk)
    version.pk, version.contract = None, contract
    version.save()
    for promise in promises:
        longer = LONGER if (promise.metric, promise.party) == (Metric.RESOLVE, Party.SLA) else 1
        promise.pk, promise.contract_version, promise.target_s = None, version, promise.target_s * longer
    Promise.objects.bulk_create(promises)


class Crash(Exception):
    """The process dies in the middle."""


class Desk(RuleBasedStateMachine):
    """One ticket of Acme's; Lena, Tom and Kira have the tiers."""

    cast: ClassVar[Cast]

    def __init__(self) -> None:
        super().__init__()
        self._undone = transaction.atomic()
        self._undone.__enter__()
        self.at = MONDAY_10
        with self._doing(self.cast.ann):
            ticket = self.cast.ticket()
        self.pk, self.version = ticket.pk, ticket.version
        agree_on_requests(self.cast)
        self.agents = {1: self.cast.lena, 2: self.cast.tom, 3: self.cast.kira}
        self.teams = {1: self.cast.desk, 2: self.cast.ops, 3: self.cast.experts}
        promise = self._clock(Party.SLA)
        assert promise is not None
        self.paper = Paper(self.at, promise.calendar.hours, promise.target)

    def teardown(self) -> None:
        try:
            self.compare_with_the_timeline()
        finally:
            self.undo()

    def compare_with_the_timeline(self) -> None:
        assert [str(one) for one in verify()] == []

    def undo(self) -> None:
        transaction.set_rollback(True)
        self._undone.__exit__(None, None, None)

    def look(self) -> None:
        """Everything that always holds."""
        self.the_row_is_as_on_paper()
        self.the_client_s_promise_is_as_on_paper()
        self.the_promised_date_is_as_on_paper()
        self.the_tier_s_own_promise_is_as_on_paper()
        self.no_second_is_lost_between_the_tiers()

    # -- what may happen

    @rule(minutes=SOME_TIME)
    def time_passes(self, minutes: int) -> None:
        self.at += timedelta(minutes=minutes)
        fast_forward(self.at)
        self.paper.live_until(self.at)

    @precondition(lambda self: self.paper.is_open)
    @rule(after=AFTER)
    def somebody_takes_it(self, after: int = 0) -> None:
        self.time_passes(after)
        if self._try(lambda t: t.take(self._agent), allowed=self.paper.is_open):
            self._notice()

    @precondition(lambda self: self.paper.state != "closed")
    @rule(after=AFTER)
    def somebody_answers(self, after: int = 0) -> None:
        self.time_passes(after)
        open_enough = self.paper.state not in ("closed", "cancelled")
        if self._try(lambda t: t.reply("We look at it."), allowed=open_enough) and self.paper.is_open:
            self._notice()

    @precondition(lambda self: self.paper.state in ("new", "open"))
    @rule(reason=REASONS, minutes=st.sampled_from([None, 30, 3000]), after=AFTER)
    def it_waits(self, reason: str, minutes: int | None, after: int = 0) -> None:
        self.time_passes(after)
        until = self.at + timedelta(minutes=minutes) if minutes else None
        if self._try(lambda t: t.pend(reason, until=until), allowed=self.paper.state in ("new", "open")):
            self._notice()
            self.paper.put(self.at, state="pending", reason=reason, until=until)

    @precondition(lambda self: self.paper.state in ("new", "open"))
    @rule(after=AFTER)
    def the_contact_is_asked(self, after: int = 0) -> None:
        self.time_passes(after)
        if self._try(lambda t: t.ask("Since when?"), allowed=self.paper.state in ("new", "open")):
            self._notice()
            self.paper.put(self.at, state="pending", reason="requester_info", until=None)

    @precondition(lambda self: self.paper.state == "pending")
    @rule(after=AFTER)
    def the_wait_is_ended(self, after: int = 0) -> None:
        self.time_passes(after)
        if self._try(lambda t: t.resume("enough"), allowed=self.paper.state == "pending"):
            self.paper.put(self.at, state="open", reason="", until=None)

    @rule(automatic=st.booleans(), times=st.sampled_from([1, 1, 2]), after=AFTER)
    def the_contact_writes(self, automatic: bool, times: int, after: int = 0) -> None:
        self.time_passes(after)
        for _ in range(times):
            heard = self._try(
                lambda t: t.hear("It still does not work.", channel="email", automatic=automatic),
                allowed=self.paper.state not in ("closed", "cancelled"),
                by=self.cast.ann,
            )
            if not heard or automatic:
                continue
            if self.paper.state == "pending" and self.paper.reason in CLIENT_OWES:
                self.paper.put(self.at, state="open", reason="", until=None)
            elif self._reopenable:
                self.paper.put(self.at, state="open", resolved_at=None)

    @precondition(lambda self: self.paper.is_open and self.paper.tier < 3)
    @rule(named=st.booleans(), after=AFTER)
    def it_is_handed_up(self, named: bool, after: int = 0) -> None:
        self.time_passes(after)
        tier = self.paper.tier + 1
        allowed = self.paper.is_open and (named or self.paper.returns <= 2)
        whom = self.agents[tier] if named else None
        if self._try(
            lambda t: Escalation.send(
                t, self.teams[tier], by=self._agent, reason="skill", pack=FULL, named=whom
            ),
            allowed=allowed,
        ):
            self._notice()
            self.paper.put(self.at, sent=True, sender=self.paper.tier, since=self.at, tier=tier)

    @precondition(lambda self: self._sent is not None)
    @rule(after=AFTER)
    def the_hand_over_is_accepted(self, after: int = 0) -> None:
        self.time_passes(after)
        sent = self._sent
        assert sent is not None
        if self._try(lambda t: self._of(sent, t).accept(self._agent), allowed=True):
            self.paper.sent = False

    @precondition(lambda self: self._sent is not None)
    @rule(how=st.sampled_from(["returned", "withdrawn", "coached"]), after=AFTER)
    def the_hand_over_comes_back(self, how: str, after: int = 0) -> None:
        self.time_passes(after)
        sent = self._sent
        assert sent is not None

        def verb(ticket: Ticket) -> None:
            if how == "withdrawn":
                self._of(sent, ticket).withdraw(self.agents[self.paper.sender], why="found it")
            elif how == "coached":
                self._of(sent, ticket).coach(self._agent, advice="Restart it; I stay on the line.")
            else:
                self._of(sent, ticket).send_back(self._agent, reason="missing_info", note="Which site?")

        if self._try(verb, allowed=True):
            self.paper.charge_the_sender(self.at)
            self.paper.put(
                self.at,
                sent=False,
                tier=self.paper.sender,
                returns=self.paper.returns + (how == "returned"),
            )

    @rule(urgency=st.sampled_from([2, 3]), after=AFTER)
    def it_is_more_or_less_urgent(self, urgency: int, after: int = 0) -> None:
        """P3 or P4; a breach stands, whatever the target is now."""
        self.time_passes(after)
        self.paper.note_a_breach(self.at)
        self._try(lambda t: t.assess(impact=2, urgency=urgency, reason="asked again"), allowed=True)
        if self.paper.is_open:
            self.paper.target = self._target()

    @precondition(lambda self: self.paper.is_open)
    @rule(after=AFTER)
    def it_is_of_the_other_type(self, after: int = 0) -> None:
        """Another target counts from the start, so a breach of the one that never counted is none."""
        self.time_passes(after)
        other = {"incident": "request", "request": "incident"}[self._ticket().type]
        if self._try(lambda t: t.retype(other, why="looked again"), allowed=self.paper.is_open):
            self.paper.target = self._target()
            self.paper.breached = False

    @rule(minutes=st.sampled_from([-30, 0, 30, 200, 900, 4000]), after=AFTER)
    def a_date_is_promised(self, minutes: int, after: int = 0) -> None:
        """Or moved."""
        self.time_passes(after)
        date = self.at + timedelta(minutes=minutes)
        if self._try(
            lambda t: promise_date(t, date, by=self._agent, why="asked on the phone"),
            allowed=self.paper.is_open and minutes > 0,
        ):
            self.paper.give_date(self.paper.works_at(date), self.at)

    @precondition(lambda self: self.paper.is_open)
    @rule(after=AFTER)
    def the_date_is_taken_back(self, after: int = 0) -> None:
        self.time_passes(after)
        stands = self.paper.is_open and self.paper.date is not None
        if self._try(lambda t: take_back_date(t, by=self._agent, why="a mistake"), allowed=stands):
            self.paper.give_date(None, self.at)

    @precondition(lambda self: self.paper.is_open)
    @rule(after=AFTER)
    def it_is_resolved(self, after: int = 0) -> None:
        self.time_passes(after)
        if self._try(lambda t: t.resolve(code="fixed"), allowed=self.paper.is_open):
            self._notice()
            self.paper.put(self.at, state="resolved", reason="", until=None, resolved_at=self.at, sent=False)

    @precondition(lambda self: self.paper.state == "resolved")
    @rule(after=AFTER)
    def it_is_reopened(self, after: int = 0) -> None:
        self.time_passes(after)
        if self._try(lambda t: t.reopen("It is back."), allowed=self._reopenable):
            self.paper.put(self.at, state="open", resolved_at=None)

    @rule(which=st.sampled_from(["take", "resolve", "escalate", "pend", "resume", "reopen", "ask"]))
    def somebody_tries_what_makes_no_sense(self, which: str) -> None:
        sensible = {
            "resume": self.paper.state == "pending",
            "reopen": self._reopenable,
            "pend": self.paper.state in ("new", "open"),
            "ask": self.paper.state in ("new", "open"),
            "escalate": self.paper.is_open and self.paper.tier < 3,
        }
        if not sensible.get(which, self.paper.is_open):
            self._try(self._verb(which), allowed=False)

    @rule(which=WHICH)
    def the_process_dies_in_the_middle(self, which: str) -> None:
        before, died = self._as_it_stands(), False
        try:
            with self._doing(self._agent):
                self._verb(which)(self._ticket())
                current().settle()
                raise Crash
        except Crash:
            died = True
        except (UnableTo, StaleTicket):
            pass
        assert died or not self.paper.is_open or which in ("escalate", "pend")
        assert self._as_it_stands() == before

    @rule(which=WHICH)
    def somebody_else_was_faster(self, which: str) -> None:
        """A verb on a ticket as it was seen before its last change changes nothing."""
        stale, before = self._ticket(), self._as_it_stands()
        stale.version -= 1
        with suppress(UnableTo, StaleTicket), self._doing(self._agent):
            self._verb(which)(stale)
        assert self._as_it_stands() == before

    # -- what always holds

    @invariant()
    def the_row_is_as_on_paper(self) -> None:
        ticket, paper = self._ticket(), self.paper
        assert (ticket.state, ticket.pending_reason) == (paper.state, paper.reason)
        assert (ticket.tier, ticket.team_id) == (paper.tier, self.teams[paper.tier].pk)
        assert ticket.return_count == paper.returns
        assert ticket.escalations.unanswered().count() == paper.sent
        noticed = Entry.objects.of(self.pk).filter(kind="acknowledged").count()
        assert noticed == paper.noticed

    @invariant()
    def the_client_s_promise_is_as_on_paper(self) -> None:
        promise, paper = self._clock(Party.SLA), self.paper
        if promise is None:
            assert not paper.is_open
            return
        used = paper.used(min(self.at, promise.stopped_at or self.at))
        elapsed = promise.course.elapsed(promise.stopped_at or self.at)
        assert elapsed == used, (elapsed, used, promise.pauses, promise.started_at, paper.stretches)
        paper.note_a_breach(promise.stopped_at or self.at)
        assert promise.has_breached(self.at) == paper.breached, (used, paper.target, promise.breached_at)
        assert (promise.stopped_at is None) == paper.is_open
        told = promise.wake_at is None  # what is late by a change is told when the engine looks next
        if promise.breached_at and told and paper.is_open and used > paper.target + timedelta(minutes=1):
            assert Entry.objects.of(self.pk).filter(kind="breached", details__clock=promise.pk).count() == 1

    @invariant()
    def the_promised_date_is_as_on_paper(self) -> None:
        """Whatever the ticket waits for, whoever has it, however urgent it is."""
        paper = self.paper
        if not paper.is_open and (paper.date is None or paper.resolved_at is None):
            return
        dates = list(Clock.objects.filter(ticket=self.pk, metric=Metric.DATE).order_by("id"))
        last = dates.pop() if paper.date is not None else None
        assert all(one.stopped_at for one in dates)
        assert sum(one.state == "missed" for one in dates) == paper.missed_dates
        if last is None or paper.date is None:
            return
        assert last.date_at == paper.date
        if paper.is_open:
            assert (last.state, last.due_at) == ("running", paper.date)
            assert last.has_breached(self.at) == (self.at > paper.date)
        elif paper.resolved_at is not None:
            assert last.state == ("met" if paper.resolved_at <= paper.date else "missed")

    @invariant()
    def the_tier_s_own_promise_is_as_on_paper(self) -> None:
        own = self._clock(Party.OLA, self.paper.tier)
        if own is not None and self.paper.is_open:
            used = self.paper.used_by(self.paper.tier, self.at)
            assert own.course.elapsed(self.at) == used, (own.__dict__, self.paper)

    @invariant()
    def no_second_is_lost_between_the_tiers(self) -> None:
        read, spent = ledger_of(self._ticket(), self.at), self.paper.lasted(self.at)
        assert {tier: lasted for tier, lasted in read.by_tier().items() if lasted} == spent
        assert sum(spent.values(), NOTHING) == read.total()

    # -- how it is asked

    def _try(self, verb: Callable[[Ticket], object], *, allowed: bool, by: Any = None) -> bool:
        """Do it; what the paper forbids must be refused, in words, and change nothing."""
        before = self._as_it_stands()
        try:
            with self._doing(by or self._agent):
                verb(self._ticket())
        except UnableTo as refusal:
            assert not allowed, refusal
            assert str(refusal)
            assert self._as_it_stands() == before
            return False
        assert allowed, "the paper forbids it"
        return True

    def _verb(self, which: str) -> Callable[[Ticket], object]:
        up = min(self.paper.tier + 1, 3)
        return {
            "take": lambda t: t.take(self.agents[up]),
            "resolve": lambda t: t.resolve(code="fixed"),
            "pend": lambda t: t.pend("vendor"),
            "ask": lambda t: t.ask("Since when?"),
            "resume": lambda t: t.resume("enough"),
            "reopen": lambda t: t.reopen("It is back."),
            "escalate": lambda t: Escalation.send(
                t, self.teams[up], by=self._agent, reason="skill", pack=FULL, named=self.agents[up]
            ),
        }[which]

    @contextmanager
    def _doing(self, who: Any) -> Any:
        with clock.frozen(self.at), work(by=who.actor(), at=self.at):
            yield

    def _notice(self) -> None:
        """A person of ours has it in hand."""
        self.paper.noticed = True
        if self.paper.state == "new":
            self.paper.put(self.at, state="open")

    @property
    def _agent(self) -> Agent:
        return self.agents[self.paper.tier]

    @property
    def _reopenable(self) -> bool:
        resolved_at = self.paper.resolved_at
        return self.paper.state == "resolved" and bool(resolved_at and self.at <= resolved_at + REOPENABLE)

    @property
    def _sent(self) -> Escalation | None:
        return Escalation.objects.filter(ticket=self.pk).unanswered().first() if self.paper.sent else None

    def _of(self, sent: Escalation, ticket: Ticket) -> Escalation:
        sent.ticket = ticket
        return sent

    def _target(self) -> timedelta:
        ticket = self._ticket()
        longer = LONGER if ticket.type == "request" else 1
        return TARGETS[ticket.priority]["resolve"] * longer * timedelta(seconds=1)

    def _ticket(self) -> Ticket:
        return Ticket.objects.get(pk=self.pk)

    def _as_it_stands(self) -> tuple[Any, ...]:
        row = Ticket.objects.filter(pk=self.pk).values_list("version", "state", "tier", "assignee")
        return (*row.get(), Entry.objects.of(self.pk).count())

    def _clock(self, party: str, tier: int | None = None) -> Clock | None:
        found = Clock.objects.filter(ticket=self.pk, metric=Metric.RESOLVE, party=party, tier=tier)
        return found.exclude(state="cancelled").select_related("calendar").order_by("-id").first()
