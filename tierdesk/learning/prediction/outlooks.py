"""Tells outlooks anew when they are due, from what each client's own tickets taught.

What one client's tickets teach is never told of another's. It is read anew every few hours from the newest MOST
tickets of the client, and kept in the memory of the process: it can be had again at any time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from tierdesk.directory.contracts.models import Metric, Party
from tierdesk.learning.prediction.models import Band, Outlook, band_of
from tierdesk.learning.prediction.survival import EDGES, Experience, History, Traits
from tierdesk.response.sla.models import GOING, Clock, ClockState
from tierdesk.tickets.models import Entry, Ticket

MOST = 5000
READ_ANEW_AFTER = timedelta(hours=6)
AT_ONCE = 100
NOT_SOONER = timedelta(minutes=1)
BETWEEN = 4
"""Looks into each step of the survival estimate for where a band ends."""

_read: dict[int, tuple[datetime, Experience]] = {}


def tell_due(at: datetime) -> int:
    """Tell the outlooks that are due; returns how many."""
    with transaction.atomic():
        due = Outlook.objects.filter(wake_at__lte=at).order_by("wake_at").select_for_update(skip_locked=True)
        outlooks = list(due[:AT_ONCE])
        tell(outlooks, at)
    return len(outlooks)


def tell(outlooks: Iterable[Outlook], at: datetime) -> None:
    """Work out these outlooks at `at`; those of tickets without a running promise to resolve are given up."""
    outlooks = list(outlooks)
    tickets = Ticket.objects.select_related("category").in_bulk([one.pk for one in outlooks])
    going = {clock.ticket_id: clock for clock in _promises(tickets).filter(state__in=GOING)}
    kept, over = [], []
    for outlook in outlooks:
        clock = going.get(outlook.pk)
        if clock is None or clock.has_breached(at):
            over.append(outlook.pk)
        else:
            _tell(outlook, clock, tickets[outlook.pk], at)
            kept.append(outlook)
    Outlook.objects.filter(pk__in=over).delete()
    Outlook.objects.bulk_update(kept, ["band", "chance", "alike", "like", "wake_at"])


def _tell(outlook: Outlook, clock: Clock, ticket: Ticket, at: datetime) -> None:
    experience, traits = experience_of(outlook.client_id, at), _traits(clock.priority, ticket.tier, ticket)
    used = clock.course.elapsed(at).total_seconds()
    estimate = experience.ask(traits, used, clock.target_s)
    if estimate is None:
        outlook.band, outlook.chance, outlook.alike, outlook.like = Band.UNKNOWN, None, 0, []
    else:
        outlook.band, outlook.chance = band_of(estimate.chance), estimate.chance
        outlook.alike, outlook.like = estimate.alike, list(traits[: estimate.depth])
    outlook.wake_at = None
    if clock.state == ClockState.RUNNING:
        turns = _turns(experience, traits, used, clock.target_s, outlook.band)
        ends = turns >= clock.target_s
        when = clock.course.breaches_at() if ends else clock.course.when(timedelta(seconds=turns))
        outlook.wake_at = when and max(when, at + NOT_SOONER)


def _turns(experience: Experience, traits: Traits, used: float, target: float, band: str) -> float:
    """The used time at which the band would be another one; the target, if it stays to the end."""
    edges = [*(edge for edge in EDGES if used < edge < target), target]
    begins = used
    for edge in edges:
        for part in range(1, BETWEEN + 1):
            point = begins + (edge - begins) * part / BETWEEN
            estimate = experience.ask(traits, point, target)
            if point > used and (band_of(estimate.chance) if estimate else Band.UNKNOWN) != band:
                return min(point, target)
        begins = edge
    return target


def experience_of(client: int, at: datetime) -> Experience:
    """What the client's own tickets teach; read anew when it is older than READ_ANEW_AFTER."""
    read_at, experience = _read.get(client, (None, None))
    if experience is None or read_at is None or not read_at <= at < read_at + READ_ANEW_AFTER:
        experience = Experience(_histories(client, at))
        _read[client] = (at, experience)
    return experience


def forget() -> None:
    """Forget what was read; it is read again when it is needed."""
    _read.clear()


def _histories(client: int, at: datetime) -> list[History]:
    """The newest tickets of a client: how long each went, and on which tier it was meanwhile."""
    newest = Ticket.objects.filter(client=client).order_by("-id").select_related("category")[:MOST]
    tickets = {ticket.pk: ticket for ticket in newest}
    clocks = list(_promises(tickets))
    moves = _moves(clock.ticket_id for clock in clocks)
    histories = (_history(clock, tickets[clock.ticket_id], moves[clock.ticket_id], at) for clock in clocks)
    return [history for history in histories if history.used_s > 0]


def _promises(tickets: Mapping[int, Ticket]) -> QuerySet[Clock]:
    return Clock.objects.filter(ticket__in=list(tickets), metric=Metric.RESOLVE, party=Party.SLA)


def _moves(tickets: Iterable[int]) -> Mapping[int, list[tuple[datetime, int]]]:
    """By ticket: when it came to which tier, the first one at its triage."""
    kinds = ("triaged", "handed_over")
    told = Entry.objects.filter(ticket__in=list(tickets), kind__in=kinds).order_by("id")
    moves = defaultdict(list)
    for ticket, when, tier in told.values_list("ticket_id", "at", "tier"):
        moves[ticket].append((when, tier))
    return moves


def _history(clock: Clock, ticket: Ticket, moves: list[tuple[datetime, int]], at: datetime) -> History:
    ended = clock.stopped_at is not None
    used = clock.elapsed_s if clock.elapsed_s is not None else clock.course.elapsed(at).total_seconds()
    moves = [move for move in moves if move[0] <= (clock.stopped_at or at)] or [
        (clock.started_at, ticket.tier)
    ]
    turns = [
        (clock.course.elapsed(when).total_seconds() if number else 0.0, _traits(clock.priority, tier, ticket))
        for number, (when, tier) in enumerate(moves)
    ]
    return History(turns, used, ended and clock.state != ClockState.CANCELLED)


def _traits(priority: int, tier: int, ticket: Ticket) -> Traits:
    category = (ticket.category.name,) if ticket.category else ()
    return (f"P{priority}", f"L{tier}", *category)
