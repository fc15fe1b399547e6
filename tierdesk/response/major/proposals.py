"""Whoever may not declare a major incident proposes one; whoever may answers, with a reason."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from django.db import models
from django.db.models import Q

from tierdesk.core.words import Word
from tierdesk.core.work import current, record
from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import InternalRows
from tierdesk.directory.staff.models import Agent
from tierdesk.response.major.facts import MajorProposed, ProposalAnswered
from tierdesk.response.major.rights import WHO, may_declare
from tierdesk.tickets.lifecycle import StaleTicket, UnableTo
from tierdesk.tickets.models import Ticket

LONGEST_REASON = 2000
"""Letters."""


class ProposalState(models.TextChoices):
    OPEN = "open", "Waits for an answer"
    ACCEPTED = "accepted", "Declared"
    DECLINED = "declined", "Declined"
    LAPSED = "lapsed", "Over before anybody answered"


class Proposals(InternalRows):
    def open(self) -> Self:
        return self.filter(state=ProposalState.OPEN)


class Proposal(models.Model):
    """Somebody thinks that a ticket is a major incident. `answer`: why it is, or is not."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, db_index=False)
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="major_proposals")
    why = models.TextField()
    proposed_by = models.ForeignKey(
        Agent, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    proposed_at = models.DateTimeField()
    state = Word(max_length=8, choices=ProposalState.choices, default=ProposalState.OPEN)
    answered_by = models.ForeignKey(
        Agent, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    answered_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(blank=True)

    objects = Proposals.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["ticket"], condition=Q(state="open"), name="a_ticket_is_proposed_once_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(state="open", answered_at__isnull=True)
                | (~Q(state="open") & Q(answered_at__isnull=False)),
                name="an_answered_proposal_says_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket.reference} may be a major incident"

    @classmethod
    def propose(cls, ticket: Ticket, *, by: Agent, why: str) -> Proposal:
        """Whoever may declare it is told. Raises UnableTo without a reason, for whoever may declare it themselves, and
        for what cannot be one, follows one, or is proposed already; StaleTicket if somebody was faster."""
        at = current().at
        why = _said(why)
        ticket.hold()
        if not Ticket.objects.filter(pk=ticket.pk, version=ticket.version).exists():
            raise StaleTicket(ticket)
        if may_declare(by, ticket, at):
            raise UnableTo("You may declare it yourself; declare it.")
        if not ticket.is_unresolved():
            raise UnableTo(f"{ticket.reference} is {ticket.state}; only what goes on is a major incident.")
        if ticket.is_major:
            raise UnableTo(f"{ticket.reference} is a major incident already.")
        if ticket.pending_reason == "major_parent":
            raise UnableTo(f"{ticket.reference} follows a major incident already.")
        if before := cls.objects.open().filter(ticket=ticket).select_related("proposed_by__user").first():
            name = before.proposed_by.name if before.proposed_by else "Somebody"
            raise UnableTo(f"{name} has proposed it already; whoever may declare it was told.")
        made = cls.objects.create(
            client_id=ticket.client_id, ticket=ticket, why=why, proposed_by=by, proposed_at=at
        )
        record(MajorProposed(ticket=ticket, proposal=made.pk, why=why, agent_name=by.name))
        return made

    def decline(self, *, by: Agent, why: str) -> None:
        """It is none. Raises UnableTo without a reason, for whoever may not declare one, and if it was answered."""
        if not may_declare(by, self.ticket, current().at):
            raise UnableTo(f"A proposal is answered by {WHO}.")
        self._answer(ProposalState.DECLINED, by=by, why=_said(why))

    def accept(self, *, by: Agent, why: str) -> None:
        """It was declared."""
        self._answer(ProposalState.ACCEPTED, by=by, why=why)

    def _answer(self, state: ProposalState, *, by: Agent, why: str) -> None:
        answered: dict[str, Any] = {
            "state": state,
            "answered_by": by,
            "answered_at": current().at,
            "answer": why,
        }
        if not type(self).objects.open().filter(pk=self.pk).update(**answered):
            raise UnableTo("This proposal was answered already.")
        record(
            ProposalAnswered(
                ticket=self.ticket,
                proposal=self.pk,
                accepted=state == ProposalState.ACCEPTED,
                why=why,
                agent=self.proposed_by_id,
            )
        )


def accept_for(ticket: Ticket, *, by: Agent, why: str) -> None:
    """The ticket was declared: whoever had proposed it is told."""
    proposed = Proposal.objects.open().filter(ticket=ticket).first()
    if proposed is not None:
        proposed.ticket = ticket
        proposed.accept(by=by, why=why)


def let_lapse(tickets: Iterable[int]) -> None:
    """Nobody needs to answer for what is over, or follows a major incident."""
    waiting = Proposal.objects.open().filter(ticket__in=list(tickets))
    waiting.update(state=ProposalState.LAPSED, answered_at=current().at)


def _said(why: str) -> str:
    if not (why := why.strip()):
        raise UnableTo("Say why.")
    if len(why) > LONGEST_REASON:
        raise UnableTo(f"Say why in at most {LONGEST_REASON} letters.")
    return why
