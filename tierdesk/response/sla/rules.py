"""What each fact does to the clocks of its ticket.

The reactions apply these rules to rows as facts happen; the replay applies them, in the order of the timeline, to
clocks in memory. So a clock is what its timeline says, by construction, and `clocks verify` has nothing to say.

A rule takes a track and a fact. It reads from the fact and its ticket only what the timeline keeps: who, when, the
details, and how the ticket stood. It touches no row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from tierdesk.directory.contracts.models import Metric, Party, Promise
from tierdesk.response.sla.models import GOING, HANDED_OVER, Clock, ClockState, Start, whole_seconds
from tierdesk.response.sla.policy import GRACE, pauses
from tierdesk.response.sla.terms import Terms

type Rule = Callable[[Track, Any], None]

type Anew = Callable[[Any], list[Clock]]

ENDED = (ClockState.MET, ClockState.MISSED)

OWN_TARGET = (Metric.ACCEPT, Metric.DATE)
"""Their targets are told by whoever sets them, not by a contract: another priority does not change them."""


class Track:
    """The clocks of one ticket, those that begin, and what was agreed.

    `said_at`: since when a public message of ours counts as said, by its id. `anew`: what the clocks would be by now,
    in memory, if what is agreed at a fact had been agreed all along; those that a rule takes from it are `reborn`.
    """

    def __init__(
        self,
        clocks: list[Clock],
        terms: Terms,
        said_at: dict[int, datetime] | None = None,
        anew: Anew | None = None,
    ) -> None:
        self.clocks = clocks
        self.terms = terms
        self.said_at = {} if said_at is None else said_at
        self.anew = anew
        self.starts: list[Start] = []
        self.reborn: list[Clock] = []

    def going(self, *metrics: str) -> Iterator[Clock]:
        return (c for c in self.clocks if c.state in GOING and (not metrics or c.metric in metrics))

    def answered_by(self, message: int | None) -> list[Clock]:
        """The clocks for which that public message of ours was the response."""
        said_at = self.said_at.get(message) if message else None
        ended = (clock for clock in self.clocks if clock.metric == Metric.RESPOND and clock.state in ENDED)
        return [clock for clock in ended if said_at is not None and clock.stopped_at == said_at]

    def begin(self, start: Start) -> None:
        """A clock starts, unless one is already going on the same promise."""
        runs = {_promise(clock) for clock in self.going()} | {_promise(one) for one in self.starts}
        if _promise(start) not in runs:
            self.starts.append(start)


def start_promised(track: Track, fact: Any) -> None:
    """The promises of the ticket's contract start to run, from the instant it was received."""
    ticket = fact.ticket
    for promise in track.terms.promises(ticket):
        if promise.metric != Metric.UPDATE and promise.tier in (None, ticket.tier):
            track.begin(promised(promise, ticket, ticket.created_at))


def answer_on_the_phone(track: Track, fact: Any) -> None:
    """An agent who opens a ticket on the phone has responded already (F03)."""
    if spoken(fact):
        for clock in track.going(Metric.RESPOND):
            clock.stop(fact.at)


def acknowledge(track: Track, fact: Any) -> None:
    """Somebody took notice; on some channels the contract lets that be the response (F04)."""
    for clock in track.going(Metric.ACKNOWLEDGE):
        clock.stop(fact.at)
    if fact.ticket.channel in track.terms.policies(fact.ticket).ack_counts:
        for clock in track.going(Metric.RESPOND):
            clock.stop(fact.at)


def respond(track: Track, fact: Any) -> None:
    """The first human public words are the response."""
    for clock in track.going(Metric.RESPOND):
        clock.stop(fact.at)


def keep_informed(track: Track, fact: Any) -> None:
    """Our public words end the wait for them; by cadence the next one begins (G01, G04)."""
    for clock in track.going(Metric.UPDATE):
        if clock.started_at != fact.at:
            clock.stop(fact.at)
    if fact.ticket.is_unresolved() and track.terms.policies(fact.ticket).update == "cadence":
        _begin_update(track, fact)


def owe_an_answer(track: Track, fact: Any) -> None:
    """By reply the wait begins with the contact's oldest unanswered words, after the first response (G03, G04)."""
    answered = not any(track.going(Metric.RESPOND))
    if fact.automatic or not answered or not fact.ticket.is_unresolved():
        return
    if track.terms.policies(fact.ticket).update == "reply":
        _begin_update(track, fact)


def unrespond(track: Track, fact: Any) -> None:
    """A response that came back was none: its clock counts on as if it had never stopped (F06)."""
    for clock in track.answered_by(fact.message):
        clock.take_back_stop()


def respond_when_it_left(track: Track, fact: Any) -> None:
    """Words that waited for the mail server are a response from when it took them (F07)."""
    for clock in track.answered_by(fact.message):
        clock.take_back_stop()
        clock.stop(fact.at)
    track.said_at[fact.message] = fact.at


def pause(track: Track, fact: Any) -> None:
    agreed = track.terms.policies(fact.ticket).pause_reasons
    for clock in track.going():
        if pauses(clock.metric, clock.party, fact.reason, agreed=agreed):
            clock.pause(fact.at, fact.reason)


def stands_for(track: Track, ticket: Any, promise: Clock | Promise) -> str:
    """What the ticket waits for now, if such a promise stands meanwhile."""
    if ticket.state != "pending":
        return ""
    agreed = track.terms.policies(ticket).pause_reasons
    waits: str = ticket.pending_reason
    return waits if pauses(promise.metric, promise.party, waits, agreed=agreed) else ""


def put_in_pause(track: Track, fact: Any) -> None:
    """It had waited, as we learn now: what stands for that reason is counted again without that time (C14)."""
    agreed = track.terms.policies(fact.ticket).pause_reasons
    begins, ends = datetime.fromisoformat(fact.begins), datetime.fromisoformat(fact.ends)
    for clock in track.clocks:
        if pauses(clock.metric, clock.party, fact.reason, agreed=agreed):
            clock.put_in_pause(begins, ends, fact.reason, fact.at)


def resume(track: Track, fact: Any) -> None:
    for clock in track.going():
        if clock.state == ClockState.PAUSED and clock.pauses[-1][2] == fact.reason:
            clock.resume(fact.at)


def resolve(track: Track, fact: Any) -> None:
    """Resolved: the notice is also a response if there was none (F08); a running cadence simply ends (G07)."""
    for clock in track.going():
        if clock.metric == Metric.UPDATE:
            clock.cancel(fact.at)
        elif clock.party != Party.UC:
            clock.stop(fact.at)


def count_on(track: Track, fact: Any) -> None:
    """Reopened: the resolve clocks count on as agreed; respond runs once per ticket (D01–D03, D09).

    A promised date does not move, so what was solved before it and is not solved after all is late from that date on.
    """
    policy = track.terms.policies(fact.ticket).reopen
    for clock in track.clocks:
        if clock.metric == Metric.DATE and clock.stopped_at == datetime.fromisoformat(fact.resolved_at):
            clock.reopen(fact.at, policy="ignore" if policy == "ignore" else "count_through")
        theirs = clock.party == Party.SLA or (clock.party == Party.OLA and clock.tier == fact.ticket.tier)
        if clock.metric == Metric.RESOLVE and theirs and clock.state in ENDED:
            clock.reopen(fact.at, policy=policy)


def cancel(track: Track, fact: Any) -> None:
    for clock in track.going():
        clock.cancel(fact.at)


def count_on_alone(track: Track, fact: Any) -> None:
    """No duplicate after all: what the merge cancelled counts on as if it had never stopped; no wait is left."""
    merged_at = datetime.fromisoformat(fact.merged_at)
    for clock in track.clocks:
        theirs = clock.party != Party.UC and clock.metric != Metric.ACCEPT
        if theirs and clock.state == ClockState.CANCELLED and clock.stopped_at == merged_at:
            clock.take_back_cancellation()


def retarget(track: Track, fact: Any) -> None:
    """Another priority or contract, other targets. What is no longer promised is cancelled, what is newly promised
    counts from the start; a slip that is corrected at once leaves no trace (E01–E09, E11, E14)."""
    ticket = fact.ticket
    wanted = {(p.metric, p.party, p.tier): p for p in track.terms.promises(ticket)}
    for clock in [c for c in track.going() if c.party != Party.UC and c.metric not in OWN_TARGET]:
        promise = wanted.pop((clock.metric, clock.party, clock.tier), None)
        if promise is None:
            clock.cancel(fact.at)
        else:
            _aim(track, clock, promise, fact)
    for promise in wanted.values():
        if _may_run(promise, ticket):
            _promise_anew(track, promise, fact)


def count_anew(track: Track, fact: Any) -> None:
    """Something else was agreed for it all along: what had counted did not, and what counts is as if it always had.

    Neither kept nor missed are the old ones, also those that had ended (E13). What was set for this ticket alone stays.
    """
    if not fact.anew:
        return
    for clock in track.clocks:
        if clock.party != Party.UC and clock.metric not in OWN_TARGET:
            clock.strike()
    _bear_anew(track, fact, without=OWN_TARGET)


def count_for_another_client(track: Track, fact: Any) -> None:
    """It was another client's all along (E12): what counted for the wrong one did not, nor its dates."""
    for clock in track.clocks:
        if clock.party != Party.UC:
            clock.strike()
    _bear_anew(track, fact)


def _bear_anew(track: Track, fact: Any, without: Sequence[str] = ()) -> None:
    """What is late by it is told at once, also what stands (E06)."""
    assert track.anew is not None
    for one in track.anew(fact):
        if one.party == Party.UC or one.metric in without:
            continue
        if one.state in GOING and (crossed_at := one.course.crossed_at(fact.at)):
            one.be_late(crossed_at, fact.at)
        track.reborn.append(one)


def _aim(track: Track, clock: Clock, promise: Promise, fact: Any) -> None:
    policies = track.terms.policies(fact.ticket)
    clock.retarget(
        at=fact.at,
        target_s=promise.target_s,
        calendar_id=promise.calendar_id,
        priority=fact.ticket.priority,
        policy="retroactive" if fact.at - clock.started_at <= GRACE else policies.retarget,
        forgives=policies.downgrade_allowed_after_breach,
    )


def _may_run(promise: Promise, ticket: Any) -> bool:
    """Whether a promise that comes new, or comes back, still has something to measure on this ticket."""
    if not ticket.is_unresolved() or promise.tier not in (None, ticket.tier):
        return False
    return promise.metric == Metric.RESOLVE or (promise.metric != Metric.UPDATE and ticket.state == "new")


def _promise_anew(track: Track, promise: Promise, fact: Any) -> None:
    """The clock that an earlier change had cancelled runs on; else one begins, from when the ticket was received."""
    key = (promise.metric, promise.party, promise.tier)
    dropped = [
        c
        for c in track.clocks
        if (c.metric, c.party, c.tier) == key and c.state not in GOING and not c.never_counted
    ]
    if not dropped:
        track.begin(promised(promise, fact.ticket, fact.ticket.created_at))
    elif dropped[-1].state == ClockState.CANCELLED:
        dropped[-1].take_back_cancellation()
        if waits := stands_for(track, fact.ticket, promise):
            dropped[-1].pause(fact.at, waits)
        _aim(track, dropped[-1], promise, fact)


def change_tier(track: Track, fact: Any) -> None:
    """The tier that gave the ticket away stops counting, the one that has it now counts on, or begins (H01, H03).

    A ticket that waits takes its wait along.
    """
    if fact.from_tier == fact.to_tier:
        return
    for clock in track.going(Metric.RESOLVE):
        if clock.party == Party.OLA and clock.tier == fact.from_tier:
            clock.resume(fact.at)
            clock.pause(fact.at, HANDED_OVER)
        elif clock.party == Party.OLA and clock.tier == fact.to_tier:
            clock.resume(fact.at)
            if waits := stands_for(track, fact.ticket, clock):
                clock.pause(fact.at, waits)
    if fact.ticket.tier != fact.to_tier:
        return  # It went on in the same breath.
    for promise in track.terms.promises(fact.ticket):
        if (promise.party, promise.tier, promise.metric) == (Party.OLA, fact.to_tier, Metric.RESOLVE):
            waits = stands_for(track, fact.ticket, promise)
            track.begin(promised(promise, fact.ticket, fact.at)._replace(waits_for=waits))


def start_acceptance(track: Track, fact: Any) -> None:
    """The receiving tier has its own, short, time to accept a hand-over."""
    if fact.accept_s and fact.accept_calendar:
        track.begin(
            _on(
                fact.ticket,
                fact.at,
                metric=Metric.ACCEPT.value,
                party=Party.OLA.value,
                target_s=fact.accept_s,
                calendar_id=fact.accept_calendar,
                tier=fact.to_tier,
            )
        )


def stop_acceptance(track: Track, fact: Any) -> None:
    for clock in track.going(Metric.ACCEPT):
        clock.stop(fact.at)


def charge_sender(track: Track, fact: Any) -> None:
    """A returned hand-over: its time is charged to the tier that sent it, as if it had never left (H02).

    Comes after `change_tier`, which has resumed that tier's clock: the pause is taken back.
    """
    stop_acceptance(track, fact)
    own = {clock.tier: clock for clock in track.going(Metric.RESOLVE) if clock.party == Party.OLA}
    receiving, sending = own.get(fact.to_tier), own.get(fact.ticket.tier)
    if receiving is not None:
        receiving.cancel(fact.at)
    if sending is not None:
        meanwhile = receiving.pauses if receiving is not None else []
        sending.take_back_hand_over([wait for wait in meanwhile if wait[2] != HANDED_OVER])


def start_vendor(track: Track, fact: Any) -> None:
    """The vendor's own promises run on the vendor's calendar, beside the client's, which they never stop.

    They were made for the vendor's severity, so that is their priority, whatever the ticket's is.
    """
    for target in fact.targets:
        promised = _on(
            fact.ticket,
            fact.at,
            metric=target["metric"],
            party=Party.UC.value,
            target_s=target["target_s"],
            calendar_id=target["calendar"],
            case_id=fact.case,
        )
        track.begin(promised._replace(priority=fact.severity))


def follow_vendor(track: Track, fact: Any) -> None:
    """Waiting on us pauses the vendor; its answer stops the clocks; a solution that fails was none (H07, H08)."""
    refused = fact.before in {"solution_offered", "verifying"} and fact.after == "vendor_working"
    for clock in track.clocks:
        if clock.party != Party.UC or clock.case_id != fact.case:
            continue
        if refused and clock.metric == Metric.RESOLVE and clock.state in ENDED:
            clock.take_back_stop()
        elif clock.state not in GOING:
            continue
        elif fact.after == "waiting_on_us":
            clock.pause(fact.at, "waiting_on_us")
        elif fact.after in {"solution_offered", "verifying", "closed"}:
            clock.stop(fact.at)
        else:
            clock.resume(fact.at)
            if clock.metric == Metric.RESPOND:
                clock.stop(fact.at)


def retarget_vendor(track: Track, fact: Any) -> None:
    """Another severity, other promises of the vendor's: counted from the start of the case (E01)."""
    targets = {target["metric"]: target for target in fact.targets}
    for clock in track.going():
        if clock.party != Party.UC or clock.case_id != fact.case:
            continue
        target = targets.get(clock.metric)
        if target is None:
            clock.cancel(fact.at)
        else:
            clock.retarget(
                at=fact.at,
                target_s=target["target_s"],
                calendar_id=target["calendar"],
                priority=fact.after,
            )


def promise_date(track: Track, fact: Any) -> None:
    """A date that stands is moved; one that is broken already stays broken, and a new one begins (A22, C15)."""
    due_at = datetime.fromisoformat(fact.due_at)
    for clock in track.going(Metric.DATE):
        if not clock.has_breached(fact.at):
            clock.move(due_at, fact.calendar, fact.at)
            return
        clock.stop(fact.at)
    track.begin(
        _on(
            fact.ticket,
            fact.at,
            metric=Metric.DATE.value,
            party=Party.SLA.value,
            target_s=whole_seconds(due_at - fact.at),
            calendar_id=fact.calendar,
        )._replace(date_at=due_at)
    )


def take_back_date(track: Track, fact: Any) -> None:
    """It no longer stands: neither kept nor missed, unless it was broken before."""
    for clock in track.going(Metric.DATE):
        if clock.has_breached(fact.at):
            clock.stop(fact.at)
        else:
            clock.cancel(fact.at)


def spoken(fact: Any) -> bool:
    return bool(fact.ticket.channel == "phone" and fact.by.kind == "agent")


def promised(promise: Promise, ticket: Any, at: datetime) -> Start:
    """The clock that shows, from `at` on, whether the promise is kept on this ticket."""
    return _on(
        ticket,
        at,
        metric=promise.metric,
        party=promise.party,
        target_s=promise.target_s,
        calendar_id=promise.calendar_id,
        tier=promise.tier,
    )


def _begin_update(track: Track, fact: Any) -> None:
    for promise in track.terms.promises(fact.ticket):
        if promise.metric == Metric.UPDATE:
            track.begin(promised(promise, fact.ticket, fact.at))


def _on(
    ticket: Any,
    at: datetime,
    *,
    metric: str,
    party: str,
    target_s: int,
    calendar_id: int,
    tier: int | None = None,
    case_id: int | None = None,
) -> Start:
    """A clock on this ticket, at its present priority."""
    return Start(
        client_id=ticket.client_id,
        ticket_id=ticket.pk,
        metric=metric,
        party=party,
        priority=ticket.priority,
        target_s=target_s,
        calendar_id=calendar_id,
        started_at=at,
        tier=tier,
        case_id=case_id,
    )


def _promise(clock: Clock | Start) -> tuple[str, str, int | None, int | None]:
    return clock.metric, clock.party, clock.tier, clock.case_id


RULES: Mapping[str, Sequence[Rule]] = {
    "triaged": (start_promised, answer_on_the_phone),
    "acknowledged": (acknowledge,),
    "replied": (respond, keep_informed),
    "heard": (owe_an_answer,),
    "undelivered": (unrespond,),
    "left_late": (respond_when_it_left,),
    "reprioritised": (retarget,),
    "terms_changed": (retarget,),
    "retyped": (count_anew,),
    "client_changed": (count_for_another_client,),
    "pended": (pause,),
    "resumed": (resume,),
    "wait_put_in": (put_in_pause,),
    "handed_over": (change_tier,),
    "escalation_sent": (start_acceptance,),
    "escalation_accepted": (stop_acceptance,),
    "escalation_overtaken": (stop_acceptance,),
    "escalation_returned": (charge_sender,),
    "escalation_coached": (charge_sender,),
    "escalation_withdrawn": (charge_sender,),
    "date_promised": (promise_date,),
    "date_taken_back": (take_back_date,),
    "case_submitted": (start_vendor,),
    "case_moved": (follow_vendor,),
    "case_severity_changed": (retarget_vendor,),
    "resolved": (resolve,),
    "reopened": (count_on,),
    "parted": (count_on_alone,),
    "closed": (cancel,),
    "cancelled": (cancel,),
}
"""By kind of fact, in this order. `flow.py` names the reactions that apply them."""
