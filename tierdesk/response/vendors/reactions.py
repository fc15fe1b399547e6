"""What the vendors' room does when something happens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tierdesk.core.work import record
from tierdesk.response.vendors.facts import CaseChased, CaseHeard, CaseMissing
from tierdesk.response.vendors.models import Case
from tierdesk.response.vendors.states import CHASER, CHASES, THEIR_TURN
from tierdesk.tickets.facts import Absorbed, ClientChanged
from tierdesk.tickets.lifecycle import PendingReason, State, UnableTo
from tierdesk.tickets.models import Ticket


class RemindedLike(Protocol):
    """What the vendors' room needs to know of a reminder that is due."""

    ticket: Ticket
    whom: str


def wake_waiting_tickets(facts: list[CaseHeard]) -> None:
    """A ticket that waits for the vendor goes back to work when the vendor writes (promises.md §2.2).

    By the word itself, not by somebody's reading it; a machine's receipt wakes nothing.
    """
    heard = {fact.ticket.pk: fact.ticket for fact in facts if not fact.automatic}
    for ticket in heard.values():
        if ticket.state == State.PENDING and ticket.pending_reason == PendingReason.VENDOR:
            ticket.resume("the vendor wrote")


def chase_vendors(facts: Sequence[RemindedLike]) -> None:
    """Each open case of a ticket that waits for a vendor is chased by mail.

    Its driver is reminded instead where it is our turn, or where the vendor takes no mail.
    """
    tickets = {fact.ticket.pk: fact.ticket for fact in facts if fact.whom == "vendor"}
    if not tickets:
        return
    cases = Case.objects.open().filter(ticket__in=tickets, state__in=CHASES)
    found = list(cases.select_related("contract__vendor"))
    for case in found:
        case.ticket = tickets[case.ticket_id]
        _chase(case)
    for pk in tickets.keys() - {case.ticket_id for case in found}:
        record(CaseMissing(ticket=tickets[pk], why="it waits for a vendor, and no case is open with one"))


def _chase(case: Case) -> None:
    if case.state in THEIR_TURN and case.contract.vendor.email:
        case.chase(str(CHASER))
        return
    why = f"{case.number}: {CHASES[case.state].format(vendor=case.contract.vendor.name)}"
    record(CaseChased(ticket=case.ticket, case=case.pk, driver=case.driver_id, why=why))


def keep_cases_with_their_tickets(facts: Sequence[Absorbed]) -> None:
    """A duplicate with an open case is not merged away: the vendor's clock runs on it. Raises UnableTo."""
    for fact in facts:
        case = Case.objects.open().filter(ticket=fact.other).first()
        if case is not None:
            raise UnableTo(
                f"{case.number} is open on TD-{fact.other}: close the case first, "
                f"or merge {fact.ticket.reference} into TD-{fact.other} instead."
            )


def keep_cases_with_their_clients(facts: Sequence[ClientChanged]) -> None:
    """What a vendor was told is about the client it was told of. Raises UnableTo."""
    case = Case.objects.filter(ticket__in=[fact.ticket.pk for fact in facts]).first()
    if case is not None:
        raise UnableTo(
            f"A vendor was told of {case.number} for its client: cancel this ticket and log it anew instead."
        )
