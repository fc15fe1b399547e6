"""When people are called, and when that ends."""

from __future__ import annotations

from collections.abc import Sequence

from tierdesk.core.facts import ENGINE
from tierdesk.directory.staff.models import Agent
from tierdesk.response.paging.models import Paging, Policy
from tierdesk.tickets.facts import HandedOver, Pended, Resumed, TicketFact
from tierdesk.tickets.lifecycle import PendingReason


def call_people(facts: Sequence[TicketFact]) -> None:
    """A ticket that a policy is for calls people, unless somebody has it; one that none is for any more does not.

    A policy that handed the ticket on itself goes on: it knows who is called next.
    """
    policies = list(Policy.objects.in_force())
    tickets = {fact.ticket.pk: fact for fact in facts}
    standing = {paging.ticket_id: paging for paging in _standing(facts)}
    if not policies and not standing:
        return
    for pk, fact in tickets.items():
        ticket, paging = fact.ticket, standing.get(pk)
        policy = next((one for one in policies if one.is_for(ticket)), None)
        if paging is not None:
            keeps = policy is not None and policy.key == paging.policy.key
            by_policy = isinstance(fact, HandedOver) and fact.by.kind == ENGINE.kind
            if keeps or by_policy:
                continue
            paging.end()
        follows = ticket.pending_reason == PendingReason.MAJOR_PARENT
        if policy is not None and ticket.assignee_id is None and ticket.is_unresolved() and not follows:
            Paging.start(ticket, policy)


def stop_calling(facts: Sequence[TicketFact]) -> None:
    """Somebody took notice, took it or answered: whoever did is the one who acknowledged."""
    by_people = [fact for fact in facts if fact.by.kind == "agent"]
    standing = {p.ticket_id: p for p in _standing(by_people) if p.is_calling}
    agents = Agent.objects.select_related("user").in_bulk({fact.by.id for fact in by_people if standing})
    for fact in by_people:
        paging = standing.pop(fact.ticket.pk, None)
        if paging is not None and fact.by.id in agents:
            paging.acknowledge(agents[fact.by.id])


def leave_followers_alone(facts: Sequence[Pended]) -> None:
    """What follows a major incident calls nobody by itself: those are called who work on that."""
    end_calling([fact for fact in facts if fact.reason == PendingReason.MAJOR_PARENT])


def call_about_released(facts: Sequence[Resumed]) -> None:
    """What follows it no more is worked by itself again."""
    call_people([fact for fact in facts if fact.reason == PendingReason.MAJOR_PARENT])


def end_calling(facts: Sequence[TicketFact]) -> None:
    """Nobody is called about what is resolved, closed or cancelled."""
    for paging in _standing(facts):
        paging.end()


def _standing(facts: Sequence[TicketFact]) -> list[Paging]:
    by_ticket = {fact.ticket.pk: fact.ticket for fact in facts}
    pagings = list(Paging.objects.standing().filter(ticket__in=by_ticket).select_related("policy"))
    for paging in pagings:
        paging.ticket = by_ticket[paging.ticket_id]
    return pagings
