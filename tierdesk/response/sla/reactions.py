"""What the clocks do when something happens to a ticket. Each reaction takes all facts of its kind at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

from tierdesk.directory.contracts.models import ContractVersion, Metric, Party, Promise
from tierdesk.response.sla.models import GOING, Clock, ClockState, Start, keep, start
from tierdesk.response.sla.policy import pauses
from tierdesk.tickets.facts import (
    Acknowledged,
    Cancelled,
    Closed,
    HandedOver,
    Parted,
    Pended,
    Reopened,
    Replied,
    Reprioritised,
    Resolved,
    Resumed,
    TicketFact,
    Triaged,
)
from tierdesk.tickets.models import Message, Ticket


class EscalationSentLike(Protocol):
    """What the acceptance clock needs to know of a hand-over that was sent."""

    ticket: Ticket
    to_tier: int
    accept_s: int | None
    accept_calendar: int | None
    at: datetime


class CaseSubmittedLike(Protocol):
    """What a vendor's clocks need to know of a case: its targets, as {metric, target_s, calendar} each."""

    ticket: Ticket
    case: int
    severity: int
    targets: Sequence[dict[str, Any]]
    at: datetime


class CaseMovedLike(Protocol):
    ticket: Ticket
    case: int
    after: str
    at: datetime


class UndeliveredLike(Protocol):
    """A mail of ours that came back for good: the ticket's message that it carried, if it carried one."""

    message: int | None


class CaseRetargetedLike(Protocol):
    """A case whose severity changed, with the vendor's promises for the new one."""

    case: int
    targets: Sequence[dict[str, Any]]
    at: datetime


def start_clocks(facts: list[Triaged]) -> None:
    """The promises of each ticket's contract start to run, from the instant it was received."""
    promises = _promises(fact.ticket for fact in facts)
    start(
        _promised(promise, fact.ticket, fact.ticket.created_at)
        for fact in facts
        for promise in promises[_terms(fact.ticket)]
        if promise.metric != Metric.UPDATE and promise.tier in (None, fact.ticket.tier)
    )
    stop_respond_on_the_phone([fact for fact in facts if _spoken(fact)])


def stop_respond_on_the_phone(facts: Sequence[Triaged]) -> None:
    """An agent who opens a ticket on the phone has responded already (promises.md F03)."""
    _each(facts, Clock.objects.filter(metric=Metric.RESPOND), lambda clock, fact: clock.stop(fact.at))


def stop_acknowledge(facts: list[Acknowledged]) -> None:
    _each(facts, Clock.objects.filter(metric=Metric.ACKNOWLEDGE), lambda clock, fact: clock.stop(fact.at))


def stop_respond(facts: list[Replied]) -> None:
    """The first human public words are the response; every later one keeps the client informed."""
    _each(facts, Clock.objects.filter(metric=Metric.RESPOND), lambda clock, fact: clock.stop(fact.at))
    restart_update(facts)


def restore_respond(facts: Sequence[UndeliveredLike]) -> None:
    """A response that came back was none: its clock counts on as if it had never stopped (promises.md F06)."""
    said = {fact.message: fact for fact in facts if fact.message}
    messages = Message.objects.filter(pk__in=said, ticket__clocks__metric=Metric.RESPOND).distinct()
    restored = []
    for message in messages:
        answered = Clock.objects.filter(
            ticket=message.ticket_id, metric=Metric.RESPOND, stopped_at=message.at
        )
        for clock in answered.exclude(state=ClockState.CANCELLED):
            clock.take_back_stop()
            restored.append(clock)
    keep(restored)


def restart_update(facts: Sequence[Replied]) -> None:
    """The cadence of updates counts from our last public words (promises.md G01, G04)."""
    _each(facts, Clock.objects.filter(metric=Metric.UPDATE), lambda clock, fact: clock.stop(fact.at))
    last = {fact.ticket.pk: fact for fact in facts}
    going_on = [fact for fact in last.values() if fact.ticket.is_unresolved()]
    promises = _promises(fact.ticket for fact in going_on)
    start(
        _promised(promise, fact.ticket, fact.at)
        for fact in going_on
        for promise in promises[_terms(fact.ticket)]
        if promise.metric == Metric.UPDATE
    )


def pause_clocks(facts: list[Pended]) -> None:
    agreed = _agreed_pauses(facts)

    def pause(clock: Clock, fact: Pended) -> None:
        if pauses(clock.metric, clock.party, fact.reason, agreed=agreed.get(fact.ticket.contract_version_id)):
            clock.pause(fact.at, fact.reason)

    _each(facts, Clock.objects.exclude(party=Party.UC), pause)


def resume_clocks(facts: list[Resumed]) -> None:
    def resume(clock: Clock, fact: Resumed) -> None:
        if clock.state == ClockState.PAUSED and clock.pauses[-1][2] == fact.reason:
            clock.resume(fact.at)

    _each(facts, Clock.objects.filter(state=ClockState.PAUSED), resume)


def stop_clocks(facts: list[Resolved]) -> None:
    """Resolved: the resolution notice is also a response if there was none; a running cadence simply ends (G07)."""

    def stop(clock: Clock, fact: Resolved) -> None:
        if clock.metric == Metric.UPDATE:
            clock.cancel(fact.at)
        elif clock.party != Party.UC:
            clock.stop(fact.at)

    _each(facts, Clock.objects.all(), stop)


def count_on(facts: list[Reopened]) -> None:
    """Reopened: the resolve clocks count on from where they stopped; respond runs once per ticket (D01, D09)."""
    clocks = list(
        Clock.objects.of(f.ticket for f in facts).filter(metric=Metric.RESOLVE, state__in=["met", "missed"])
    )
    by_ticket = {fact.ticket.pk: fact for fact in facts}
    reopened = [
        clock for clock in clocks if clock.party == Party.SLA or clock.tier == _tier_of(by_ticket, clock)
    ]
    for clock in reopened:
        clock.reopen(by_ticket[clock.ticket_id].at)
    keep(reopened)


def cancel_clocks(facts: Sequence[Cancelled | Closed]) -> None:
    _each(facts, Clock.objects.all(), lambda clock, fact: clock.cancel(fact.at))


def count_on_alone(facts: list[Parted]) -> None:
    """No duplicate after all: what the merge cancelled counts on as if it had never stopped; no wait is left."""
    by_ticket = {fact.ticket.pk: fact for fact in facts}
    ours = Clock.objects.of(f.ticket for f in facts).exclude(party=Party.UC).exclude(metric=Metric.ACCEPT)
    clocks = [
        clock
        for clock in ours.filter(state=ClockState.CANCELLED)
        if clock.stopped_at == datetime.fromisoformat(by_ticket[clock.ticket_id].merged_at)
    ]
    for clock in clocks:
        clock.take_back_cancellation()
    keep(clocks)


def retarget_clocks(facts: list[Reprioritised]) -> None:
    """Another priority, other targets; a promise that the new priority does not make is cancelled."""
    promises = _promises(fact.ticket for fact in facts)

    def retarget(clock: Clock, fact: Reprioritised) -> None:
        for promise in promises[_terms(fact.ticket)]:
            if (promise.metric, promise.party, promise.tier) == (clock.metric, clock.party, clock.tier):
                clock.retarget(
                    at=fact.at,
                    target_s=promise.target_s,
                    calendar_id=promise.calendar_id,
                    priority=fact.after,
                )
                return
        clock.cancel(fact.at)

    _each(facts, Clock.objects.exclude(party=Party.UC).exclude(metric=Metric.ACCEPT), retarget)


def change_tier_clocks(facts: list[HandedOver]) -> None:
    """The tier that gave the ticket away stops counting, the one that has it now counts on, or begins (H01)."""
    moved = [fact for fact in facts if fact.from_tier != fact.to_tier]

    def switch(clock: Clock, fact: HandedOver) -> None:
        if clock.tier == fact.from_tier:
            clock.pause(fact.at, "handed_over")
        elif clock.tier == fact.to_tier:
            clock.resume(fact.at)

    _each(moved, Clock.objects.filter(party=Party.OLA, metric=Metric.RESOLVE), switch)
    have = set(
        Clock.objects.of(f.ticket for f in moved)
        .going()
        .filter(party=Party.OLA, metric=Metric.RESOLVE)
        .values_list("ticket_id", "tier")
    )
    promises = _promises(fact.ticket for fact in moved)
    start(
        _promised(promise, fact.ticket, fact.at)
        for fact in moved
        for promise in promises[_terms(fact.ticket)]
        if (promise.party, promise.tier, promise.metric) == (Party.OLA, fact.to_tier, Metric.RESOLVE)
        and (fact.ticket.pk, fact.to_tier) not in have
    )


def start_acceptance(facts: Sequence[EscalationSentLike]) -> None:
    """The receiving tier has its own, short, time to accept a hand-over."""
    start(
        _on(
            fact.ticket,
            fact.at,
            metric=Metric.ACCEPT.value,
            party=Party.OLA.value,
            target_s=fact.accept_s,
            calendar_id=fact.accept_calendar,
            tier=fact.to_tier,
        )
        for fact in facts
        if fact.accept_s and fact.accept_calendar
    )


def stop_acceptance(facts: Sequence[TicketFact]) -> None:
    _each(facts, Clock.objects.filter(metric=Metric.ACCEPT), lambda clock, fact: clock.stop(fact.at))


def charge_returned_time(facts: Sequence[TicketFact]) -> None:
    """A returned hand-over: its time is charged to the tier that sent it, as if it had never left (H02).

    Runs after `change_tier_clocks` has resumed that tier's clock: the pause is taken back.
    """

    def take_back(clock: Clock, fact: TicketFact) -> None:
        if clock.tier == fact.ticket.tier and clock.pauses and clock.pauses[-1][2] == "handed_over":
            clock.pauses = clock.pauses[:-1]
            clock.project()
        elif clock.tier != fact.ticket.tier:
            clock.cancel(fact.at)

    stop_acceptance(facts)
    _each(facts, Clock.objects.filter(party=Party.OLA, metric=Metric.RESOLVE), take_back)


def start_vendor_clocks(facts: Sequence[CaseSubmittedLike]) -> None:
    """The vendor's own promises run on the vendor's calendar, beside the client's, which they never stop."""
    start(
        _on(
            fact.ticket,
            fact.at,
            metric=target["metric"],
            party=Party.UC.value,
            target_s=target["target_s"],
            calendar_id=target["calendar"],
            case_id=fact.case,
        )
        for fact in facts
        for target in fact.targets
    )


def follow_vendor_case(facts: Sequence[CaseMovedLike]) -> None:
    """Waiting on us pauses the vendor; its answer stops the clocks (promises.md H07, H08)."""
    by_case = {fact.case: fact for fact in facts}
    clocks = list(Clock.objects.going().filter(party=Party.UC, case_id__in=by_case))
    for clock in clocks:
        fact = by_case[clock.case_id or 0]
        if fact.after == "waiting_on_us":
            clock.pause(fact.at, "waiting_on_us")
        elif fact.after in {"solution_offered", "verifying", "closed"}:
            clock.stop(fact.at)
        else:
            if clock.state == ClockState.PAUSED:
                clock.resume(fact.at)
            if clock.metric == Metric.RESPOND:
                clock.stop(fact.at)
    keep(clocks)


def retarget_vendor_clocks(facts: Sequence[CaseRetargetedLike]) -> None:
    """Another severity, other promises of the vendor's: counted from the start of the case (promises.md E01)."""
    by_case = {fact.case: {target["metric"]: target for target in fact.targets} for fact in facts}
    at = {fact.case: fact.at for fact in facts}
    clocks = list(Clock.objects.going().filter(party=Party.UC, case_id__in=by_case))
    for clock in clocks:
        case = clock.case_id or 0
        target = by_case[case].get(clock.metric)
        if target is None:
            clock.cancel(at[case])
        else:
            clock.retarget(
                at=at[case],
                target_s=target["target_s"],
                calendar_id=target["calendar"],
                priority=clock.priority,
            )
    keep(clocks)


def _each[F: TicketFact | Any](facts: Iterable[F], among: Any, verb: Callable[[Clock, F], None]) -> None:
    """Let `verb` change each going clock of the facts' tickets, in one read and one write."""
    by_ticket = {fact.ticket.pk: fact for fact in facts}
    if not by_ticket:
        return
    clocks = list(among.filter(ticket_id__in=by_ticket, state__in=GOING).select_for_update().order_by("id"))
    for clock in clocks:
        verb(clock, by_ticket[clock.ticket_id])
    keep(clocks)


def _terms(ticket: Ticket) -> tuple[int | None, int]:
    """Under which terms a ticket runs: the version of its contract, and its priority."""
    return ticket.contract_version_id, ticket.priority


def _promises(tickets: Iterable[Ticket]) -> dict[tuple[int | None, int], list[Promise]]:
    """The promises of these tickets' contracts at the tickets' priorities, by `_terms`."""
    wanted = {_terms(ticket) for ticket in tickets}
    found: dict[tuple[int | None, int], list[Promise]] = {terms: [] for terms in wanted}
    versions, priorities = {version for version, _ in wanted if version}, {priority for _, priority in wanted}
    for promise in Promise.objects.filter(contract_version__in=versions, priority__in=priorities):
        if (terms := (promise.contract_version_id, promise.priority)) in found:
            found[terms].append(promise)
    return found


def _promised(promise: Promise, ticket: Ticket, at: datetime) -> Start:
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


def _on(
    ticket: Ticket,
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


def _agreed_pauses(facts: Sequence[Pended]) -> dict[int | None, list[str]]:
    """The pausing reasons of the contracts that name their own."""
    ids = {fact.ticket.contract_version_id for fact in facts if fact.ticket.contract_version_id}
    policies = ContractVersion.objects.filter(pk__in=ids).values_list("pk", "policies")
    return {pk: policy["pause_reasons"] for pk, policy in policies if "pause_reasons" in policy}


def _tier_of(by_ticket: dict[int, Reopened], clock: Clock) -> int:
    return by_ticket[clock.ticket_id].ticket.tier


def _spoken(fact: Triaged) -> bool:
    return fact.ticket.channel == "phone" and fact.by.kind == "agent"
