"""When a ticket comes to the queue of a team that pushes, and when somebody there has room again.

Nobody is chosen here: whoever opens a ticket does not wait for it. The engine finds somebody (`give_away`).
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import prefetch_related_objects

from tierdesk.response.assignment.models import look_again, offer, with_offers, withdraw
from tierdesk.tickets.facts import Assigned, Cancelled, HandedOver, Pended, Reopened, Resolved, Triaged
from tierdesk.tickets.models import Ticket


def offer_new(facts: Sequence[Triaged]) -> None:
    """A new ticket of a team that pushes; where none does, this costs nothing."""
    offer(_in_a_queue([fact.ticket for fact in facts]), facts[0].at)


def offer_handed_over(facts: Sequence[HandedOver]) -> None:
    """A ticket that came to another team, with nobody named; who had it has room again."""
    _offer_anew([fact.ticket for fact in facts], facts)
    _look_again({fact.from_team for fact in facts if fact.from_team}, facts)


def offer_put_back(facts: Sequence[Assigned]) -> None:
    """Somebody took it, so nobody needs to be found; or put it back, and it is not given to the same one again."""
    passed = {f.ticket.pk: f.by.id for f in facts if f.agent is None and f.by.kind == "agent" and f.by.id}
    _offer_anew([fact.ticket for fact in facts], facts, passed)
    _look_again({fact.ticket.team_id for fact in facts if fact.ticket.team_id}, facts)


def offer_reopened(facts: Sequence[Reopened]) -> None:
    """A ticket that comes back while whoever had it is away goes to somebody else of a team that pushes."""
    tickets = [fact.ticket for fact in facts]
    prefetch_related_objects(tickets, "team", "assignee")
    offer(_in_a_queue(tickets), facts[0].at)
    for ticket in tickets:
        if ticket.team is not None and ticket.team.pushes and ticket.assignee and ticket.assignee.is_away:
            ticket.assign(None)


def make_room(facts: Sequence[Pended | Resolved | Cancelled]) -> None:
    """Whoever had these has room again; nobody needs to be found for what is over."""
    over = [fact.ticket.pk for fact in facts if not fact.ticket.is_unresolved()]
    if over:
        withdraw(over)
    _look_again({fact.ticket.team_id for fact in facts if fact.ticket.team_id}, facts)


def _in_a_queue(tickets: Sequence[Ticket]) -> list[Ticket]:
    """Those that lie in the queue of a team that pushes."""
    prefetch_related_objects(list(tickets), "team")
    waiting = {
        ticket.pk: ticket
        for ticket in tickets
        if ticket.team is not None
        and ticket.team.pushes
        and ticket.assignee_id is None
        and ticket.is_unresolved()
    }
    return list(waiting.values())


def _offer_anew(
    tickets: Sequence[Ticket],
    facts: Sequence[HandedOver | Assigned],
    passed: dict[int, int] | None = None,
) -> None:
    queued = _in_a_queue(tickets)
    withdraw({ticket.pk for ticket in tickets} - {ticket.pk for ticket in queued})
    offer(queued, facts[0].at, passed_by=passed)


def _look_again(
    teams: set[int], facts: Sequence[Assigned | HandedOver | Pended | Resolved | Cancelled]
) -> None:
    waiting = with_offers(teams)
    if waiting:
        look_again(waiting, facts[0].at)
