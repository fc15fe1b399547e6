"""A ticket that comes in and that nobody touches, lived through by the desk's own hands, and then taken back.

Nothing is worked out a second time: the ticket is opened in a transaction, time passes for it alone, with the engine's
own wake-ups, and the transaction is taken back. So nobody is told anything, no row stays, and no number is used up;
whatever the desk learns to do the rehearsal does as well. What it writes no other transaction sees or waits for.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Min, Model, QuerySet

from tierdesk.core import clock
from tierdesk.core.facts import Actor
from tierdesk.core.scope import EVERY_CLIENT, seeing
from tierdesk.core.wakeups import Wakeup
from tierdesk.core.work import work
from tierdesk.directory.staff.models import Team
from tierdesk.response.assignment.models import Offer, give_away
from tierdesk.response.assignment.presence import Presence, presence_of
from tierdesk.response.notifications.models import Notice
from tierdesk.response.paging.models import Paging, wake_pagings
from tierdesk.response.paging.pages import Page
from tierdesk.response.runbooks.models import matching
from tierdesk.response.simulation.situation import Situation
from tierdesk.response.sla.models import WAKING, Clock, Rung, wake_clocks
from tierdesk.response.sla.rungs import reach_rungs
from tierdesk.response.tiers.choose import Choice
from tierdesk.response.tiers.climbing import proposed_first, teams_above
from tierdesk.response.tiers.models import Procedure
from tierdesk.tickets.models import Draft, Entry, Ticket

HORIZON = timedelta(days=31)
MOST = 400
"""Instants at which something happens; a policy that repeats five times has some thirty."""

NUMBERS = 2**40


@dataclass(frozen=True)
class Its(Wakeup):
    """A wake-up of the house that looks at one ticket's rows alone; `of` leads from a row to the ticket."""

    ticket: int = 0
    of: str = "ticket"

    def due(self, at: datetime) -> QuerySet[Model]:
        return super().due(at).filter(**{self.of: self.ticket})

    def next_at(self) -> datetime | None:
        rows = self.model._base_manager.filter(**{self.of: self.ticket})
        earliest: datetime | None = rows.aggregate(at=Min("wake_at"))["at"]
        return earliest


def its_wakeups(ticket: int) -> Sequence[Its]:
    """What can wake about a ticket that nobody touches, in the order of flow.py."""
    return [
        Its(Clock, wake_clocks, values=WAKING, ticket=ticket),
        Its(Rung, reach_rungs, ticket=ticket, of="clock__ticket"),
        Its(Offer, give_away, ticket=ticket),
        Its(Paging, wake_pagings, ticket=ticket),
    ]


@dataclass(frozen=True, slots=True)
class WayUp:
    """How the ticket would leave its tier: by which procedure and why that one, past which books, to which teams."""

    choice: Choice[Procedure]
    books: Sequence[str]
    teams: Sequence[Team]


@dataclass(frozen=True, slots=True)
class Arrival:
    """The ticket comes to a team, by the entry `place`; `presence`: who of it is at work at that instant."""

    place: int
    at: datetime
    team: Team
    presence: Presence


@dataclass(slots=True)
class Lived:
    """What happened to the ticket. `ticket`: as triage left it; `clocks`: each as it was when it began.

    `cut_at`: from when on nobody looked any more, though something would have happened. `arrivals`: to which teams it
    came, when, and who of them is at work then.
    """

    ticket: Ticket
    way_up: WayUp
    clocks: list[Clock] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    cut_at: datetime | None = None


def rehearse(situation: Situation) -> Lived:
    """Live it through, and take it back. It sees every client, as the engine does; it tells of one ticket alone."""
    with seeing(EVERY_CLIENT), transaction.atomic():
        try:
            return _live(situation)
        finally:
            transaction.set_rollback(True)


def _live(situation: Situation) -> Lived:
    lived = _open(situation)
    wakeups = its_wakeups(lived.ticket.pk)
    reached, until = situation.at, situation.at + HORIZON
    _notice_clocks(lived)
    for _turn in range(MOST):
        due = min((at for one in wakeups if (at := one.next_at()) is not None), default=None)
        if due is None:
            break
        if due > until:
            lived.cut_at = until
            break
        reached = max(due, reached)
        with clock.frozen(reached):
            for one in wakeups:
                while one.run(reached):
                    pass
        _notice_clocks(lived)
    else:
        lived.cut_at = reached
    _read(lived)
    return lived


def _open(situation: Situation) -> Lived:
    number = -1 - secrets.randbelow(NUMBERS)
    with clock.frozen(situation.at), work(by=_by(situation.channel), at=situation.at):
        draft = Draft(
            client=situation.client,
            subject="What happens if",
            text="",
            channel=situation.channel,
            service=situation.service,
            category=situation.category,
            impact=situation.impact,
            urgency=situation.urgency,
            number=number,
        )
        Ticket.open(draft)
    ticket = Ticket.objects.select_related(
        "client", "service", "category", "team", "contract_version__contract", "contract_version__calendar"
    ).get(pk=number)
    books = [str(revision) for revision, _facts in matching(ticket, ticket.tier)]
    choice = Procedure.choice_for(ticket)
    teams = proposed_first(teams_above(ticket), choice.chosen.rules.to)
    return Lived(ticket, WayUp(choice, books, teams))


def _by(channel: str) -> Actor:
    """On the phone an agent opens it, which answers it; everywhere else the desk does."""
    return Actor("agent" if channel == "phone" else "channel", "What happens if")


def _notice_clocks(lived: Lived) -> None:
    known = {one.pk for one in lived.clocks}
    begun = Clock.objects.filter(ticket=lived.ticket).exclude(pk__in=known)
    lived.clocks += begun.select_related("calendar__calendar").order_by("pk")


def _read(lived: Lived) -> None:
    about: dict[str, Any] = {"ticket": lived.ticket}
    lived.entries = list(Entry.objects.filter(**about).order_by("id"))
    pages = Page.objects.filter(paging__ticket=lived.ticket).select_related("agent__user", "paging__policy")
    lived.pages = list(pages.order_by("wake_at", "id"))
    lived.arrivals = _arrivals(lived.entries)
    lived.notices = list(Notice.objects.filter(**about).select_related("agent__user").order_by("id"))


def _arrivals(entries: Sequence[Entry]) -> list[Arrival]:
    """Where triage put it, and where a policy handed it on to."""
    came = [one for one in entries if one.kind in ("triaged", "handed_over") and one.team_id]
    teams = Team.objects.in_bulk({one.team_id for one in came if one.team_id})
    return [
        Arrival(one.pk, one.at, team, presence_of(team, one.at))
        for one in came
        if one.team_id and (team := teams.get(one.team_id)) is not None
    ]
