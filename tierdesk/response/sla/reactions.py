"""What the clocks do when something happens to a ticket. Each reaction takes all facts of its kind at once.

What a fact means for a clock is said in rules.py; here it is done to rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

from django.db.models import Q

from tierdesk.core.work import record
from tierdesk.directory.contracts.models import Metric, Party
from tierdesk.response.sla import rules
from tierdesk.response.sla.facts import Breached, DatePromised, DateTakenBack
from tierdesk.response.sla.models import CHANGING, GOING, Clock, ClockState, keep, put_down, start
from tierdesk.response.sla.replay import ABOUT, as_if, lines_of
from tierdesk.response.sla.rules import Rule, Track
from tierdesk.response.sla.rungs import lay_rungs
from tierdesk.response.sla.terms import Terms
from tierdesk.tickets.facts import (
    Acknowledged,
    Cancelled,
    ClientChanged,
    Closed,
    HandedOver,
    Heard,
    Parted,
    Pended,
    Reopened,
    Replied,
    Reprioritised,
    Resolved,
    Resumed,
    Retyped,
    TermsChanged,
    TicketFact,
    Triaged,
    WaitPutIn,
)
from tierdesk.tickets.models import Entry, Message, Ticket


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
    before: str
    after: str
    at: datetime


class SentLike(Protocol):
    """What became of words of ours: the ticket's message that a mail carried, if it carried one."""

    id: int
    ticket: Ticket
    message: int | None


class CaseRetargetedLike(Protocol):
    """A case whose severity changed, with the vendor's promises for the new one, `after`."""

    ticket: Ticket
    case: int
    after: int
    targets: Sequence[dict[str, Any]]
    at: datetime


OF_TIERS = Q(party=Party.OLA, metric=Metric.RESOLVE)
ACCEPT = Q(metric=Metric.ACCEPT)
DATES = Q(metric=Metric.DATE)


def start_clocks(facts: list[Triaged]) -> None:
    terms = Terms.of(fact.ticket for fact in facts)
    moved = [fact for fact in facts if fact.ticket.version > 1]  # whoever opened it handed it on at once
    going = _clocks(moved, Q(), ended=False) if moved else {}
    tracks = [(Track(going.get(fact.ticket.pk, []), terms), fact) for fact in facts]
    for track, fact in tracks:
        rules.start_promised(track, fact)
    start(clock for track, _ in tracks for clock in track.starts)
    lay_rungs([fact.ticket for fact in facts], terms)
    _follow([fact for fact in facts if rules.spoken(fact)], rules.answer_on_the_phone)


def stop_acknowledge(facts: list[Acknowledged]) -> None:
    _follow(facts, rules.acknowledge, among=Q(metric__in=[Metric.ACKNOWLEDGE, Metric.RESPOND]))


def stop_respond(facts: list[Replied]) -> None:
    among = Q(metric__in=[Metric.RESPOND, Metric.UPDATE])
    _follow(facts, rules.respond, rules.keep_informed, among=among)


def restore_respond(facts: Sequence[SentLike]) -> None:
    if said_at := _said_at(facts):
        _follow(facts, rules.unrespond, among=Q(metric=Metric.RESPOND), ended=True, said_at=said_at)


def respond_when_it_left(facts: Sequence[SentLike]) -> None:
    """What is missed by that is told as broken, as the engine would have told it if nobody had answered in time."""
    said_at = _said_at(facts)
    if not said_at:
        return
    responses = Clock.objects.filter(ticket_id__in={fact.ticket.pk for fact in facts}, metric=Metric.RESPOND)
    met = list(responses.filter(state=ClockState.MET).values_list("pk", flat=True))
    _follow(facts, rules.respond_when_it_left, among=Q(metric=Metric.RESPOND), ended=True, said_at=said_at)
    about = {fact.ticket.pk: fact.ticket for fact in facts}
    for clock in Clock.objects.filter(pk__in=met, state=ClockState.MISSED).order_by("pk"):
        _tell_broken(clock, about[clock.ticket_id])


def _tell_broken(clock: Clock, ticket: Ticket) -> None:
    """It ended late, and nobody had told so."""
    crossed_at = clock.breached_at
    assert crossed_at is not None  # a missed clock says when
    due_at = clock.course.due_at() or crossed_at
    record(
        Breached(
            ticket=ticket,
            clock=clock.pk,
            metric=clock.metric,
            party=clock.party,
            tier=clock.tier,
            due_at=due_at.isoformat(),
            crossed_at=crossed_at.isoformat(),
        )
    )


def _said_at(facts: Sequence[SentLike]) -> dict[int, datetime]:
    """Since when the messages of these facts count as said: since they were written, or left if that was late."""
    messages = {fact.message for fact in facts if fact.message}
    said_at = dict(Message.objects.filter(pk__in=messages).values_list("pk", "at"))
    now = {fact.id for fact in facts}
    late = Entry.objects.filter(ticket__in={fact.ticket.pk for fact in facts}, kind="left_late").exclude(
        pk__in=now
    )
    said_at |= {told["message"]: at for told, at in late.order_by("pk").values_list("details", "at")}
    return said_at


def owe_answers(facts: list[Heard]) -> None:
    """Only where a contract counts from the contact's words; most count from ours."""
    terms = Terms.of(fact.ticket for fact in facts)
    counting = [fact for fact in facts if terms.policies(fact.ticket).update == "reply"]
    _follow(counting, rules.owe_an_answer, among=Q(metric__in=[Metric.RESPOND, Metric.UPDATE]), terms=terms)


def pause_clocks(facts: list[Pended]) -> None:
    _follow(facts, rules.pause, among=~Q(party=Party.UC))


def resume_clocks(facts: list[Resumed]) -> None:
    _follow(facts, rules.resume)


def put_in_pauses(facts: list[WaitPutIn]) -> None:
    _follow(facts, rules.put_in_pause, among=~Q(party=Party.UC), ended=True)


def stop_clocks(facts: list[Resolved]) -> None:
    _follow(facts, rules.resolve)


def count_on(facts: list[Reopened]) -> None:
    _follow(facts, rules.count_on, among=Q(metric__in=[Metric.RESOLVE, Metric.DATE]), ended=True)


def cancel_clocks(facts: Sequence[Cancelled | Closed]) -> None:
    _follow(facts, rules.cancel)


def count_on_alone(facts: list[Parted]) -> None:
    _follow(facts, rules.count_on_alone, ended=True)


def retarget_clocks(facts: Sequence[Reprioritised | TermsChanged]) -> None:
    _follow(facts, rules.retarget, among=~Q(party=Party.UC), ended=True)


def count_anew(facts: list[Retyped]) -> None:
    _follow(facts, rules.count_anew, ended=True)


def count_for_another_client(facts: list[ClientChanged]) -> None:
    _follow(facts, rules.count_for_another_client, ended=True)


def change_tier_clocks(facts: list[HandedOver]) -> None:
    _follow(facts, rules.change_tier, among=OF_TIERS)


def start_acceptance(facts: Sequence[EscalationSentLike]) -> None:
    _follow(facts, rules.start_acceptance, among=ACCEPT)


def stop_acceptance(facts: Sequence[TicketFact]) -> None:
    _follow(facts, rules.stop_acceptance, among=ACCEPT)


def charge_returned_time(facts: Sequence[TicketFact]) -> None:
    """Runs after `change_tier_clocks` has resumed the sending tier's clock: the pause is taken back."""
    _follow(facts, rules.charge_sender, among=OF_TIERS | ACCEPT)


def promise_dates(facts: list[DatePromised]) -> None:
    _follow(facts, rules.promise_date, among=DATES)


def take_back_dates(facts: list[DateTakenBack]) -> None:
    _follow(facts, rules.take_back_date, among=DATES)


def start_vendor_clocks(facts: Sequence[CaseSubmittedLike]) -> None:
    _follow(facts, rules.start_vendor, among=Q(party=Party.UC))


def follow_vendor_case(facts: Sequence[CaseMovedLike]) -> None:
    _follow(facts, rules.follow_vendor, among=Q(party=Party.UC), ended=True)


def retarget_vendor_clocks(facts: Sequence[CaseRetargetedLike]) -> None:
    _follow(facts, rules.retarget_vendor, among=Q(party=Party.UC))


def _follow(
    facts: Iterable[Any],
    *those: Rule,
    among: Q | None = None,
    ended: bool = False,
    terms: Terms | None = None,
    said_at: dict[int, datetime] | None = None,
) -> None:
    """Apply rules to the clocks of the facts' tickets, in one read and one write, fact by fact.

    `among`: the clocks that the rules look at; `ended`: also those that are over.
    """
    facts = list(facts)
    if not facts:
        return
    terms = terms or Terms.of(fact.ticket for fact in facts)
    clocks = _clocks(facts, among or Q(), ended=ended)
    before = {clock.pk: _values(clock) for of_ticket in clocks.values() for clock in of_ticket}
    tracks = {
        fact.ticket.pk: Track(clocks[fact.ticket.pk], terms, said_at, anew=_as_if_with(terms))
        for fact in facts
    }
    for fact in facts:
        for rule in those:
            rule(tracks[fact.ticket.pk], fact)
    changed = [c for track in tracks.values() for c in track.clocks if _values(c) != before[c.pk]]
    if changed:
        keep(changed)
    starts = [clock for track in tracks.values() for clock in track.starts]
    if starts:
        start(starts)
    reborn = [clock for track in tracks.values() for clock in track.reborn]
    put_down(reborn)
    if starts or reborn or any(clock.state == ClockState.RUNNING for clock in changed):
        lay_rungs({fact.ticket.pk: fact.ticket for fact in facts}.values(), terms)


def _as_if_with(terms: Terms) -> Callable[[Any], list[Clock]]:
    """What the clocks of a fact's ticket would be if its present terms had applied up to that fact."""

    def anew(fact: TicketFact) -> list[Clock]:
        about = tuple(getattr(fact.ticket, name) for name in ABOUT)
        past = lines_of([fact.ticket.pk], before=fact.id)[fact.ticket.pk]
        return as_if(about, past, terms, fact)

    return anew


def _clocks(facts: Sequence[Any], among: Q, *, ended: bool) -> defaultdict[int, list[Clock]]:
    """By ticket, locked, in the order in which they began."""
    rows = Clock.objects.filter(among, ticket_id__in={fact.ticket.pk for fact in facts})
    if not ended:
        rows = rows.filter(state__in=GOING)
    found = defaultdict(list)
    for clock in rows.select_for_update().order_by("id"):
        found[clock.ticket_id].append(clock)
    return found


def _values(clock: Clock) -> tuple[Any, ...]:
    return tuple(getattr(clock, name) for name in CHANGING)
