"""Dates that somebody promised to a client: “it is solved by Wednesday, 20:30”. Each is a clock beside the contract's.

Such a date counts at the next opening if nobody works then, it never pauses, and it is moved only with a reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tierdesk.core.work import current, record
from tierdesk.directory.calendars.hours import Hours
from tierdesk.directory.calendars.models import hours_of
from tierdesk.directory.contracts.models import Metric
from tierdesk.directory.staff.models import Agent
from tierdesk.response.sla.facts import DatePromised, DateTakenBack
from tierdesk.response.sla.models import Clock
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Entry, Ticket

FARTHEST = timedelta(days=2 * 366)
"""Whoever promises more than two years ahead has mistyped the year."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A date as it was said, and the instant that it counts as by this calendar (its version)."""

    said_at: datetime
    due_at: datetime
    calendar_id: int

    @property
    def is_later(self) -> bool:
        """Whether nobody works then, so that it counts at the next opening."""
        return self.due_at > self.said_at


@dataclass(frozen=True, slots=True)
class StandingDate:
    """A date that stands for a ticket: who promised it, when, why, and whether the contact can read it."""

    ticket_id: int
    said_at: datetime
    due_at: datetime
    by: str
    at: datetime
    why: str
    shown: bool
    broken: bool


def may_promise(agent: Agent, ticket: Ticket) -> bool:
    """Who works the ticket or talks to its contact, their teams, and managers."""
    mine = {ticket.team_id, ticket.voice_team_id} & agent.team_ids
    return bool(mine) or agent.is_manager or ticket.assignee_id == agent.pk


def counted(ticket: Ticket, date: datetime | None, at: datetime) -> Counted:
    """What a date would count as on this ticket if it were promised at `at`.

    Raises UnableTo for none, for one that is over, for one too far ahead, and where no calendar says when we work.
    """
    if date is None:
        raise UnableTo("Say by when it is promised: a day and a time.")
    if date <= at:
        raise UnableTo("This date is over already. A promise needs a date that is still to come.")
    if date - at > FARTHEST:
        raise UnableTo("This date is more than two years ahead; look at the year.")
    if ticket.contract_version is None:
        raise UnableTo(f"No contract says when we work for {ticket.client.name}, so no date can be promised.")
    calendar_id = ticket.contract_version.calendar_at(ticket.priority)
    due_at = _working(hours_of(calendar_id), date)
    if due_at is None:
        raise UnableTo("After this date nobody works any more, by the calendar of the contract.")
    return Counted(date, due_at, calendar_id)


def _working(hours: Hours, date: datetime) -> datetime | None:
    """The date itself while people work, at the close too; else the next opening (A22)."""
    works = hours.is_open(date) or hours.previous_closing(date) == date
    return date if works else hours.next_opening(date)


def promise_date(
    ticket: Ticket, date: datetime | None, *, by: Agent, why: str, shown: bool = False
) -> Counted:
    """Promise that it is solved by then, or another date than was promised. `shown`: the contact reads it, too.

    Raises UnableTo as `counted` does, without a reason, for who may not, and once it is solved.
    """
    _refuse(ticket, by, why, "Say why, or to whom you said so: who reads the date later will ask.")
    one, before = counted(ticket, date, current().at), standing_dates([ticket]).get(ticket.pk)
    ticket.change()
    record(
        DatePromised(
            ticket=ticket,
            promised_at=one.said_at.isoformat(),
            due_at=one.due_at.isoformat(),
            calendar=one.calendar_id,
            why=why.strip(),
            shown=shown,
            before=before.said_at.isoformat() if before else None,
        )
    )
    return one


def take_back_date(ticket: Ticket, *, by: Agent, why: str) -> None:
    """The date no longer stands. One that was broken stays broken. Raises UnableTo where there is none."""
    _refuse(ticket, by, why, "Say why the date no longer stands.")
    standing = standing_dates([ticket]).get(ticket.pk)
    if standing is None:
        raise UnableTo(f"No date is promised for {ticket.reference}.")
    ticket.change()
    record(DateTakenBack(ticket=ticket, promised_at=standing.said_at.isoformat(), why=why.strip()))


def _refuse(ticket: Ticket, by: Agent, why: str, unsaid: str) -> None:
    if not ticket.is_unresolved():
        raise UnableTo(f"{ticket.reference} is {ticket.state}; a date is promised while it is worked on.")
    if not may_promise(by, ticket):
        raise UnableTo("Only who works the ticket or talks to its contact promises a date.")
    if not why.strip():
        raise UnableTo(unsaid)


def standing_dates(tickets: Iterable[Ticket]) -> dict[int, StandingDate]:
    """The dates that stand for these tickets, by ticket, in two queries however many there are."""
    going = Clock.objects.of(tickets).going().filter(metric=Metric.DATE)
    clocks = {clock.ticket_id: clock for clock in going}
    if not clocks:
        return {}
    said = Entry.objects.filter(ticket__in=clocks, kind=DatePromised.kind).order_by("ticket_id", "-id")
    return {
        entry.ticket_id: _standing(clocks[entry.ticket_id], entry) for entry in said.distinct("ticket_id")
    }


def _standing(clock: Clock, entry: Entry) -> StandingDate:
    said = entry.details
    return StandingDate(
        ticket_id=clock.ticket_id,
        said_at=datetime.fromisoformat(said["promised_at"]),
        due_at=datetime.fromisoformat(said["due_at"]),
        by=entry.by_name,
        at=entry.at,
        why=said["why"],
        shown=said["shown"],
        broken=clock.breached_at is not None,
    )
