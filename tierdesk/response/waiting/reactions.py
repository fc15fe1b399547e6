"""When a ticket begins to wait, and when that is over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from django.db.models import prefetch_related_objects

from tierdesk.core import rows
from tierdesk.core.work import current
from tierdesk.response.waiting.models import Outcome, Wait
from tierdesk.response.waiting.plan import Plan
from tierdesk.tickets.facts import Cancelled, Pended, Resolved, Resumed
from tierdesk.tickets.lifecycle import State
from tierdesk.tickets.models import Ticket


class UndeliveredLike(Protocol):
    """A mail of ours that came back, from this address."""

    ticket: Ticket
    address: str


COLUMNS = "client_id ticket_id reason team_id plan calendar_id began_at done unheard outcome wake_at".split()


def begin_waits(facts: Sequence[Pended]) -> None:
    """Where the contract says what a wait leads to, it begins; nothing is written where it says nothing."""
    prefetch_related_objects([fact.ticket for fact in facts], "contract_version")
    last = {fact.ticket.pk: fact for fact in facts if fact.ticket.state == State.PENDING}
    waits = [wait for fact in last.values() if (wait := _wait(fact)) is not None]
    if waits:
        _end([wait.ticket_id for wait in waits])
        rows.insert(Wait, COLUMNS, [[getattr(wait, name) for name in COLUMNS] for wait in waits])


def end_waits(facts: Sequence[Resumed | Resolved | Cancelled]) -> None:
    """Somebody answered, or it is over: nobody is reminded any more."""
    _end([fact.ticket.pk for fact in facts if fact.ticket.state != State.PENDING])


def doubt_silence(facts: Sequence[UndeliveredLike]) -> None:
    """Mail to the contact came back: the question, or a reminder. Who was not reached does not keep silent."""
    prefetch_related_objects([fact.ticket for fact in facts], "contact")
    missed = [f.ticket.pk for f in facts if f.ticket.contact and f.ticket.contact.email == f.address]
    Wait.objects.going().filter(ticket__in=missed).update(unheard=True)


def _wait(fact: Pended) -> Wait | None:
    version = fact.ticket.contract_version
    agreed = version.pending.get(fact.reason) if version else None
    if version is None or agreed is None or Plan.of(agreed).step(0) is None:
        return None
    wait = Wait(
        client_id=fact.ticket.client_id,
        ticket_id=fact.ticket.pk,
        reason=fact.reason,
        team_id=fact.team,
        plan=agreed,
        calendar_id=version.calendar_id,
        began_at=fact.at,
    )
    wait.wake_at = wait.next_at(fact.at)
    return wait


def _end(tickets: Sequence[int]) -> None:
    Wait.objects.going().filter(ticket__in=tickets).update(
        outcome=Outcome.OVER, ended_at=current().at, wake_at=None
    )
