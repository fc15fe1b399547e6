"""The ladder of tiers: procedures, and escalations as records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Self

from django.db import IntegrityError, models, transaction
from django.db.models import F, Q

from tierdesk.core import clock
from tierdesk.core.words import Word
from tierdesk.core.work import current, record
from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import InternalRows, visible_clients
from tierdesk.directory.staff.models import Agent, Team, User
from tierdesk.response.tiers.choose import Choice, Matter, Scope, choose
from tierdesk.response.tiers.complaints import Complaint as Complaint
from tierdesk.response.tiers.consultations import Consultation as Consultation
from tierdesk.response.tiers.facts import (
    EscalationAccepted,
    EscalationCoached,
    EscalationOvertaken,
    EscalationReturned,
    EscalationSent,
    EscalationWithdrawn,
)
from tierdesk.response.tiers.gate import Attempt, GateResult, Rules, check
from tierdesk.response.tiers.pack import Pack, RunRecord
from tierdesk.response.tiers.reasons import Reason, ReturnReason
from tierdesk.response.tiers.spec import findings
from tierdesk.tickets.lifecycle import StaleTicket, UnableTo
from tierdesk.tickets.models import Ticket


class ProcedureRefused(ValueError):
    """A procedure that cannot be published; `findings` are sentences."""

    def __init__(self, findings: Sequence[str]) -> None:
        super().__init__(" ".join(findings))
        self.findings = list(findings)


class GateShut(UnableTo):
    """The procedure's gate does not let the ticket through; `gate` says field by field what is missing."""

    def __init__(self, gate: GateResult) -> None:
        super().__init__(gate.words)
        self.gate = gate


class Procedures(InternalRows):
    def visible_to(self, user: User) -> Self:
        if not (user.is_agent or user.is_admin):
            return self.none()
        ids = visible_clients(user)
        return self if ids is None else self.filter(Q(client_id__in=ids) | Q(client=None))

    def in_force(self, on: date | None = None) -> Self:
        """The newest version of each that has begun by that day (UTC, default today), unless it is retired."""
        begun = Procedure.objects.filter(
            Q(in_force_from=None) | Q(in_force_from__lte=on or clock.now().date())
        )
        newest = begun.order_by("client_id", "key", "-version").distinct("client_id", "key")
        return self.filter(pk__in=newest.values("pk"), is_active=True)

    def for_clients(self, client_ids: set[int]) -> Self:
        """These clients' own, and those that are for everybody."""
        return self.filter(Q(client_id__in=client_ids) | Q(client=None))


class ProcedureKind(models.TextChoices):
    FUNCTIONAL = "functional", "Hands the ticket to the next tier"
    HIERARCHICAL = "hierarchical", "Tells people, moves nothing"


class Procedure(models.Model):
    """How tickets climb from a tier to the next, or who is told: one version of it, for a client or for all.

    `category_scope` (`network/*`) and `spec["scope"]` say what for; spec.py says what else `spec` may hold.
    A version is never edited: `publish` writes the next one, and escalations keep the one that they passed. It holds
    from the day `in_force_from` on, at once if that is empty; until then the version before does. `review_by`: the day
    by which somebody looks whether it still fits. `approved_by`: whoever answers for it, in words.
    """

    client = models.ForeignKey(
        Client, null=True, blank=True, on_delete=models.CASCADE, related_name="procedures"
    )
    key = models.SlugField(max_length=60)
    name = models.CharField(max_length=160)
    kind = models.CharField(max_length=12, choices=ProcedureKind.choices, default=ProcedureKind.FUNCTIONAL)
    version = models.PositiveIntegerField(default=1)
    from_tier = models.PositiveSmallIntegerField(null=True, blank=True)
    category_scope = models.CharField(max_length=80, default="*")
    spec = models.JSONField(default=dict)
    in_force_from = models.DateField(null=True, blank=True)
    review_by = models.DateField(null=True, blank=True)
    approved_by = models.CharField(max_length=160, blank=True)
    is_active = models.BooleanField(default=True)

    objects = Procedures.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["client", "key", "version"], nulls_distinct=False, name="procedure_versions_count"
            ),
            models.CheckConstraint(
                condition=Q(kind="hierarchical") | Q(from_tier__isnull=False),
                name="a_functional_procedure_leaves_a_tier",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"

    @property
    def rules(self) -> Rules:
        return Rules.of(str(self), self.spec)

    @property
    def review_is_due(self) -> bool:
        """Whether somebody should have looked by now whether it still fits."""
        return self.review_by is not None and self.review_by < clock.now().date()

    @property
    def scope(self) -> Scope:
        within = self.spec.get("scope", {})
        return Scope(
            client=self.client_id,
            tier=self.from_tier,
            category=self.category_scope,
            services=tuple(within.get("services", ())),
            priorities=tuple(within.get("priorities", ())),
        )

    @classmethod
    def publish(
        cls,
        key: str,
        *,
        name: str,
        spec: Mapping[str, Any],
        from_tier: int | None = None,
        client: Client | None = None,
        category_scope: str = "*",
        kind: str = ProcedureKind.FUNCTIONAL,
        in_force_from: date | None = None,
        review_by: date | None = None,
        approved_by: str = "",
    ) -> Procedure:
        """Publish a procedure or, if anything in it changed, its next version; the same words make none.

        Raises ProcedureRefused with everything that is wrong with it.
        """
        refused = findings(spec)
        if kind == ProcedureKind.FUNCTIONAL and from_tier is None:
            refused.append("Say which tier it leads out of.")
        if in_force_from and review_by and review_by <= in_force_from:
            refused.append("It is to be reviewed before it begins; choose a later day.")
        if refused:
            raise ProcedureRefused(refused)
        written = {
            "name": name,
            "spec": dict(spec),
            "from_tier": from_tier,
            "category_scope": category_scope,
            "kind": str(kind),
            "in_force_from": in_force_from,
            "review_by": review_by,
            "approved_by": approved_by,
            "is_active": True,
        }
        newest: Procedure | None = cls.objects.filter(client=client, key=key).order_by("-version").first()
        if newest is not None and all(getattr(newest, field) == value for field, value in written.items()):
            return newest
        version = newest.version + 1 if newest else 1
        return cls.objects.create(client=client, key=key, version=version, **written)

    def retire(self) -> None:
        """From now on neither it nor a version before it applies to anything; what passed it keeps its name."""
        type(self).objects.filter(client=self.client_id, key=self.key).update(is_active=False)
        self.is_active = False

    @classmethod
    def for_ticket(cls, ticket: Ticket) -> Procedure:
        """The functional procedure that applies now; the house rule where nobody wrote one."""
        return cls.choice_for(ticket).chosen

    @classmethod
    def choice_for(cls, ticket: Ticket) -> Choice[Procedure]:
        """The functional procedure that applies now, and why this one."""
        in_force = cls.objects.in_force().for_clients({ticket.client_id})
        candidates = in_force.filter(kind=ProcedureKind.FUNCTIONAL)
        return choose(
            ((p.key, p.scope, p) for p in candidates), matter_of(ticket), default=cls.house_rule(ticket.tier)
        )

    @classmethod
    def house_rule(cls, tier: int) -> Procedure:
        """Where nobody wrote a procedure: the pack is required, no tier is skipped without a word."""
        return cls(key="house-rule", name="House rule", from_tier=tier)


def attempt_on(ticket: Ticket, to_team: Team | None, *, by: Agent | None, **said: Any) -> Attempt:
    """What the gate is asked about this ticket: what is known of it, and what is `said` (see Attempt).

    Without `by` it is the desk itself; without a team somebody asks what would be missing on the next tier.
    """
    return Attempt(
        from_tier=ticket.tier,
        to_tier=to_team.tier if to_team else ticket.tier + 1,
        to_team=to_team.key if to_team else "",
        returns_so_far=ticket.return_count,
        who=None if by is None else who_is(by, ticket),
        priority=ticket.priority,
        is_major=ticket.is_major,
        **said,
    )


def who_is(agent: Agent, ticket: Ticket) -> list[str]:
    """What a procedure may call this agent on this ticket (gate.WHO)."""
    held = {
        "assignee": ticket.assignee_id == agent.pk,
        "lead": agent.leads(ticket.team_id),
        "manager": agent.is_manager,
    }
    return [name for name, holds in held.items() if holds]


def matter_of(ticket: Ticket) -> Matter:
    return Matter(
        client=ticket.client_id,
        tier=ticket.tier,
        category=ticket.category,
        service=ticket.service.key if ticket.service else None,
        priority=ticket.priority,
    )


class EscalationState(models.TextChoices):
    SENT = "sent", "Waiting to be accepted"
    ACCEPTED = "accepted", "Accepted"
    RETURNED = "returned", "Returned"
    COACHED = "coached", "Solved together"
    WITHDRAWN = "withdrawn", "Withdrawn"
    SUPERSEDED = "superseded", "Overtaken"


class Escalations(InternalRows):
    def unanswered(self) -> Self:
        return self.filter(state=EscalationState.SENT)


class Escalation(models.Model):
    """One hand-over up the ladder: from, to, why, with which pack, what the gate said, how it was answered.

    `from_agent`: who worked the ticket before; it comes back to them. `waived`: what the gate let pass only
    because of `bypass`, or because it took the short way of an `emergency`.
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE)
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="escalations")
    from_tier = models.PositiveSmallIntegerField()
    from_team = models.ForeignKey(Team, null=True, on_delete=models.PROTECT, related_name="+")
    from_agent = models.ForeignKey(Agent, null=True, on_delete=models.SET_NULL, related_name="+")
    to_tier = models.PositiveSmallIntegerField()
    to_team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=20, choices=Reason.choices)
    pack = models.JSONField(default=dict)
    procedure = models.CharField(max_length=200)
    bypass = models.TextField(blank=True)
    waived = models.JSONField(default=list)
    emergency = models.BooleanField(default=False)
    sent_by = models.ForeignKey(Agent, null=True, on_delete=models.SET_NULL, related_name="escalations_sent")
    sent_at = models.DateTimeField()
    state = Word(max_length=10, choices=EscalationState.choices, default=EscalationState.SENT)
    answered_by = models.ForeignKey(
        Agent, null=True, on_delete=models.SET_NULL, related_name="escalations_answered"
    )
    answered_at = models.DateTimeField(null=True, blank=True)
    return_reason = models.CharField(max_length=16, choices=ReturnReason.choices, blank=True)
    return_note = models.TextField(blank=True)

    objects = Escalations.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["ticket"], condition=Q(state="sent"), name="one_unanswered_escalation_per_ticket"
            ),
            models.CheckConstraint(condition=Q(to_tier__gt=F("from_tier")), name="an_escalation_climbs"),
            models.CheckConstraint(
                condition=Q(state="returned", return_reason__gt="")
                | (~Q(state="returned") & Q(return_reason="")),
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
        by: Agent | None,
        reason: str,
        pack: Pack,
        runs: Sequence[RunRecord] = (),
        books_exist: bool = False,
        bypass: str = "",
        named: Agent | None = None,
        used: int = 0,
        emergency: bool = False,
    ) -> Escalation:
        """Hand the ticket up. Raises GateShut with what the gate misses, StaleTicket if the ticket has moved.

        `named` is the person of the receiving team who takes it, where it came back too often or was agreed
        on the phone. `books_exist`: a book matches the ticket, so that a procedure may ask for its run. Without
        `by` it is the desk itself that hands it up, which acknowledges nothing. `used`: percent of the client's promise
        to resolve, for procedures that ask. `emergency`: by the procedure's short way.
        """
        procedure = Procedure.for_ticket(ticket)
        attempt = attempt_on(
            ticket,
            to_team,
            by=by,
            reason=reason,
            pack=pack,
            runs=runs,
            books_exist=books_exist,
            bypass=bypass,
            named_owner=named is not None,
            used=used,
            emergency=emergency,
        )
        gate = check(procedure.rules, attempt)
        if not gate.is_open:
            raise GateShut(gate)
        rules = procedure.rules.in_emergency if emergency else procedure.rules
        if named is not None and not named.memberships.filter(team=to_team).exists():
            raise UnableTo(f"{named.name} is not of {to_team.name}; name somebody who is.")
        if by is not None:
            ticket.acknowledge()
        escalation = cls(
            client_id=ticket.client_id,
            ticket=ticket,
            from_tier=ticket.tier,
            from_team=ticket.team,
            from_agent=ticket.assignee,
            to_tier=to_team.tier,
            to_team=to_team,
            reason=reason,
            pack=pack.as_dict(),
            procedure=str(procedure),
            bypass=bypass.strip(),
            waived=list(gate.bypassed),
            emergency=emergency,
            sent_by=by,
            sent_at=current().at,
        )
        overtake(ticket.escalations.unanswered())
        ticket.hand_over(to_team, why=str(Reason(reason).label), assignee=named)
        escalation._insert()
        record(
            EscalationSent(
                ticket=ticket,
                escalation=escalation.pk,
                from_tier=escalation.from_tier,
                to_tier=to_team.tier,
                to_team=to_team.pk,
                reason=reason,
                accept_s=rules.accept_min * 60,
                accept_calendar=(
                    ticket.contract_version.calendar_at(ticket.priority) if ticket.contract_version else None
                ),
                tell=list(rules.emergency.tell) if emergency and rules.emergency else [],
            )
        )
        return escalation

    def check_receiver(self, agent: Agent) -> None:
        """Raises UnableTo for whoever does not belong to the team that it was sent to."""
        if self.to_team_id not in agent.team_ids:
            raise UnableTo(f"Only {self.to_team.name} answers this hand-over.")

    def check_sender(self, agent: Agent) -> None:
        """Raises UnableTo for whoever does not belong to the team that sent it."""
        if self.from_team_id not in agent.team_ids:
            raise UnableTo("Only the team that sent this hand-over takes it back.")

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
        """Return the hand-over with a coded reason and a word; the ticket goes back to where it came from."""
        if reason not in ReturnReason.values:
            raise UnableTo("Choose why you return it.")
        if not note.strip():
            raise UnableTo("Say what is missing, so that it comes back only once.")
        self._answer(EscalationState.RETURNED, agent, return_reason=reason, return_note=note.strip())
        self._give_back(why=f"returned: {ReturnReason(reason).label}")
        self.ticket.change(return_count=F("return_count") + 1)
        record(
            EscalationReturned(
                ticket=self.ticket,
                escalation=self.pk,
                from_tier=self.from_tier,
                to_tier=self.to_tier,
                to_team=self.to_team_id,
                reason=reason,
                note=note.strip(),
            )
        )

    def coach(self, agent: Agent, *, advice: str) -> Consultation:
        """Solve it together with whoever sent it: it goes back to them with a helper, since their tier could solve it.

        It does not count as a return. What comes of it is written down when it is over (`Consultation.reply`).
        """
        if not advice.strip():
            raise UnableTo("Say how you go about it together.")
        self._answer(EscalationState.COACHED, agent, return_note=advice.strip())
        self._give_back(why=f"solved together with {agent.name}")
        record(
            EscalationCoached(
                ticket=self.ticket,
                escalation=self.pk,
                from_tier=self.from_tier,
                to_tier=self.to_tier,
                to_team=self.to_team_id,
                reason=ReturnReason.SOLVABLE_LOWER.value,
                note=advice.strip(),
            )
        )
        return Consultation.help(self, agent)

    def withdraw(self, agent: Agent, *, why: str) -> None:
        """Take the hand-over back before anybody accepted it. It does not count as a return."""
        if not why.strip():
            raise UnableTo("Say why you take it back.")
        self._answer(EscalationState.WITHDRAWN, agent)
        self._give_back(why=f"withdrawn: {why.strip()}")
        record(
            EscalationWithdrawn(
                ticket=self.ticket,
                escalation=self.pk,
                from_tier=self.from_tier,
                to_tier=self.to_tier,
                to_team=self.to_team_id,
                why=why.strip(),
            )
        )

    def _give_back(self, *, why: str) -> None:
        """To the team that sent it, and to the agent who had it, unless they are away."""
        if self.from_team is None:
            raise UnableTo("The ticket came from no team; accept it, or hand it to another team.")
        former = self.from_agent or self.sent_by
        assignee = None if former is None or former.is_away else former
        self.ticket.hand_over(self.from_team, why=why, assignee=assignee)

    def _answer(self, state: str, agent: Agent, **more: Any) -> None:
        values = {"state": state, "answered_by": agent, "answered_at": current().at, **more}
        if not type(self).objects.unanswered().filter(pk=self.pk).update(**values):
            raise StaleTicket(self.ticket)
        for name, value in values.items():
            setattr(self, name, value)

    def _insert(self) -> None:
        try:
            with transaction.atomic():
                self.save(force_insert=True)
        except IntegrityError as error:
            raise StaleTicket(self.ticket) from error


def overtake(escalations: Escalations) -> None:
    """End unanswered hand-overs whose ticket has gone on without their answer."""
    for escalation in escalations.unanswered().select_related("ticket"):
        ended = {"state": EscalationState.SUPERSEDED, "answered_at": current().at}
        if Escalation.objects.unanswered().filter(pk=escalation.pk).update(**ended):
            record(EscalationOvertaken(ticket=escalation.ticket, escalation=escalation.pk))
