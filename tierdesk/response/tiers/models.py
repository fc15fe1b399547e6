"""The ladder of tiers: procedures, escalations as records, consultations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, models, transaction
from django.db.models import F, Q

from tierdesk.core.work import current, record
from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import ClientRows
from tierdesk.directory.staff.models import Agent, Team
from tierdesk.response.tiers.facts import (
    ConsultationAnswered,
    Consulted,
    EscalationAccepted,
    EscalationReturned,
    EscalationSent,
)
from tierdesk.response.tiers.gate import Attempt, Rules, check
from tierdesk.response.tiers.pack import Pack, RunRecord
from tierdesk.response.tiers.reasons import Reason, ReturnReason
from tierdesk.tickets.lifecycle import StaleTicket, UnableTo
from tierdesk.tickets.models import Ticket


class Procedure(models.Model):
    """How tickets climb from one tier to the next: for a client or for all, for categories within `category_scope`.

    `spec`: required, reasons, needs_book, may_skip, accept_min, max_returns (see gate.Rules) and ladder (see
    ladder.rungs). A change makes a new version; escalations keep the name and version that they passed.
    """

    client = models.ForeignKey(Client, null=True, blank=True, on_delete=models.CASCADE, related_name="procedures")
    key = models.SlugField(max_length=60)
    name = models.CharField(max_length=160)
    version = models.PositiveIntegerField(default=1)
    from_tier = models.PositiveSmallIntegerField()
    category_scope = models.CharField(max_length=80, default="*")
    spec = models.JSONField(default=dict)

    objects = ClientRows.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["client", "key"], nulls_distinct=False, name="one_procedure_per_key")
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"

    @property
    def rules(self) -> Rules:
        return Rules.of(str(self), self.spec)

    @classmethod
    def for_ticket(cls, ticket: Ticket) -> Procedure:
        """The procedure that applies now: the client's own before the general, the narrower category before the wider.

        Where nobody wrote one, the house rule: the pack is required, tiers are not skipped without a word.
        """
        category = ticket.category
        found = cls.objects.filter(Q(client_id=ticket.client_id) | Q(client=None), from_tier=ticket.tier)
        covering = [
            p for p in found if p.category_scope == "*" or (category and category.is_within(p.category_scope))
        ]
        house = cls(key="house-rule", name="House rule", from_tier=ticket.tier)
        return max(covering, key=lambda p: (p.client_id is not None, len(p.category_scope)), default=house)


class EscalationState(models.TextChoices):
    SENT = "sent", "Waiting to be accepted"
    ACCEPTED = "accepted", "Accepted"
    RETURNED = "returned", "Returned"
    SUPERSEDED = "superseded", "Overtaken by another escalation"


class Escalation(models.Model):
    """One hand-over up the ladder: from and to, why, with which pack, what the gate said, and how it was answered."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE)
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="escalations")
    from_tier = models.PositiveSmallIntegerField()
    from_team = models.ForeignKey(Team, null=True, on_delete=models.PROTECT, related_name="+")
    to_tier = models.PositiveSmallIntegerField()
    to_team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=20, choices=Reason.choices)
    pack = models.JSONField(default=dict)
    procedure = models.CharField(max_length=200)
    bypass = models.TextField(blank=True)
    sent_by = models.ForeignKey(Agent, null=True, on_delete=models.SET_NULL, related_name="escalations_sent")
    sent_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=EscalationState.choices, default=EscalationState.SENT)
    answered_by = models.ForeignKey(Agent, null=True, on_delete=models.SET_NULL, related_name="escalations_answered")
    answered_at = models.DateTimeField(null=True, blank=True)
    return_reason = models.CharField(max_length=16, choices=ReturnReason.choices, blank=True)
    return_note = models.TextField(blank=True)

    objects = ClientRows.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["ticket"], condition=Q(state="sent"), name="one_unanswered_escalation_per_ticket"
            ),
            models.CheckConstraint(condition=Q(to_tier__gt=F("from_tier")), name="an_escalation_climbs"),
            models.CheckConstraint(
                condition=Q(state="returned", return_reason__gt="") | (~Q(state="returned") & Q(return_reason="")),
                name="a_return_has_a_reason",
            ),
        ]

    @property
    def contents(self) -> Pack:
        return Pack.of(self.pack)

    @classmethod
    def send(
        cls,
        ticket: Ticket,
        to_team: Team,
        *,
        by: Agent,
        reason: str,
        pack: Pack,
        runs: Sequence[RunRecord] = (),
        books_exist: bool = False,
        bypass: str = "",
        named: Agent | None = None,
    ) -> Escalation:
        """Hand the ticket up. Raises UnableTo with what the procedure's gate misses, StaleTicket if it has moved.

        `named` is the person who takes it, where it came back too often or was agreed on the phone.
        """
        procedure = Procedure.for_ticket(ticket)
        attempt = Attempt(
            ticket.tier, to_team.tier, reason, pack, runs, books_exist, bypass, ticket.return_count, named is not None
        )
        gate = check(procedure.rules, attempt)
        if not gate.is_open:
            raise UnableTo(" ".join(gate.missing))
        if reason not in Reason.values:
            raise UnableTo(f"“{reason}” is not a reason to escalate; choose one of the list.")
        ticket.acknowledge()
        from_tier, from_team = ticket.tier, ticket.team
        cls._supersede(ticket)
        ticket.hand_over(to_team, why=str(Reason(reason).label), assignee=named)
        escalation = cls._create(
            client_id=ticket.client_id,
            ticket=ticket,
            from_tier=from_tier,
            from_team=from_team,
            to_tier=to_team.tier,
            to_team=to_team,
            reason=reason,
            pack=pack.as_dict(),
            procedure=str(procedure),
            bypass=bypass,
            sent_by=by,
            sent_at=current().at,
        )
        record(
            EscalationSent(
                ticket=ticket,
                escalation=escalation.pk,
                from_tier=from_tier,
                to_tier=to_team.tier,
                to_team=to_team.pk,
                reason=reason,
                accept_s=procedure.rules.accept_min * 60,
                accept_calendar=ticket.contract_version.calendar_id if ticket.contract_version else None,
            )
        )
        return escalation

    def accept(self, agent: Agent) -> None:
        """Take the hand-over; from now on `agent` works the ticket."""
        self._answer(EscalationState.ACCEPTED, agent)
        self.ticket.assign(agent)
        record(
            EscalationAccepted(
                ticket=self.ticket, escalation=self.pk, from_tier=self.from_tier, to_tier=self.to_tier
            )
        )

    def send_back(self, agent: Agent, *, reason: str, note: str) -> None:
        """Return the hand-over with a coded reason and a word; the ticket goes back to the team that sent it."""
        if reason not in ReturnReason.values:
            raise UnableTo("Choose why you return it.")
        if not note.strip():
            raise UnableTo("Say what is missing, so that it comes back only once.")
        if self.from_team is None:
            raise UnableTo("The ticket came from no team; accept it, or hand it to another team.")
        self._answer(EscalationState.RETURNED, agent, return_reason=reason, return_note=note)
        self.ticket.hand_over(self.from_team, why=f"returned: {ReturnReason(reason).label}", assignee=self.sent_by)
        self.ticket.change(return_count=F("return_count") + 1)
        record(
            EscalationReturned(
                ticket=self.ticket,
                escalation=self.pk,
                from_tier=self.from_tier,
                to_tier=self.to_tier,
                to_team=self.to_team_id,
                reason=reason,
                note=note,
            )
        )

    def _answer(self, state: str, agent: Agent, **more: Any) -> None:
        waiting = type(self).objects.filter(pk=self.pk, state=EscalationState.SENT)
        if not waiting.update(state=state, answered_by=agent, answered_at=current().at, **more):
            raise StaleTicket(self.ticket)
        self.state = state

    @classmethod
    def _supersede(cls, ticket: Ticket) -> None:
        """A tier that climbs on without having accepted has, by that, answered."""
        cls.objects.filter(ticket=ticket, state=EscalationState.SENT).update(
            state=EscalationState.SUPERSEDED, answered_at=current().at
        )

    @classmethod
    def _create(cls, **values: Any) -> Escalation:
        try:
            with transaction.atomic():
                return cls.objects.create(**values)
        except IntegrityError as error:
            raise StaleTicket(values["ticket"]) from error


class Consultation(models.Model):
    """A question to another tier while the ticket stays where it is; timed, with its answer."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE)
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="consultations")
    team = models.ForeignKey(Team, on_delete=models.PROTECT)
    asked_by = models.ForeignKey(Agent, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_at = models.DateTimeField()
    question = models.TextField()
    answered_by = models.ForeignKey(Agent, null=True, on_delete=models.SET_NULL, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(blank=True)

    objects = ClientRows.as_manager()

    class Meta:
        ordering = ["id"]

    @classmethod
    def ask(cls, ticket: Ticket, team: Team, *, by: Agent, question: str) -> Consultation:
        """Ask a team for advice. Raises UnableTo without a question."""
        if not question.strip():
            raise UnableTo("Write the question.")
        asked = cls.objects.create(
            client_id=ticket.client_id, ticket=ticket, team=team, asked_by=by, asked_at=current().at, question=question
        )
        record(Consulted(ticket=ticket, consultation=asked.pk, team=team.pk, question=question))
        return asked

    def reply(self, agent: Agent, answer: str) -> None:
        """Give advice. The first answer counts."""
        if not answer.strip():
            raise UnableTo("Write the advice.")
        unanswered = type(self).objects.filter(pk=self.pk, answered_at=None)
        if not unanswered.update(answered_by=agent, answered_at=current().at, answer=answer):
            raise UnableTo("Somebody has answered already.")
        record(ConsultationAnswered(ticket=self.ticket, consultation=self.pk, answer=answer))
