"""A major incident: one ticket that many are hit by, who leads it, and when its clients hear from us next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Self

from django.db import models
from django.db.models import Q

from tierdesk.core.work import current, record
from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import InternalRows, visible_clients
from tierdesk.directory.contracts.models import Metric, Party, Promise
from tierdesk.directory.staff.models import Agent
from tierdesk.response.major import children
from tierdesk.response.major.cadence import LONGEST_MIN, SHORTEST_MIN, minutes_for, next_update, reminder
from tierdesk.response.major.cascades import Cascade, CascadeKind
from tierdesk.response.major.children import Child
from tierdesk.response.major.facts import (
    ActionAgreed,
    BroadcastSent,
    CadenceChanged,
    MajorDeclared,
    MajorStoodDown,
    ManagerMissing,
    ReviewHeld,
    ReviewWaived,
    RoleHanded,
    UpdateDue,
    UpdateMissed,
)
from tierdesk.response.major.proposals import Proposal, accept_for
from tierdesk.response.major.review import LONGEST_ACTION, ReviewAction, morning_of
from tierdesk.response.major.rights import WHO, may_declare
from tierdesk.tickets.lifecycle import StaleTicket, State, UnableTo
from tierdesk.tickets.models import Ticket

__all__ = ["Cascade", "Child", "MajorIncident", "Proposal", "ReviewAction", "Role", "RoleKind"]


LONGEST_BROADCAST = 20_000
"""Letters: each child keeps a copy."""


class RoleKind(models.TextChoices):
    MANAGER = "manager", "Incident manager"
    COMMUNICATIONS = "communications", "Communications"
    TECHNICAL = "technical", "Technical lead"
    SCRIBE = "scribe", "Scribe"


class MajorIncidents(InternalRows):
    def standing(self) -> Self:
        """Declared, and not stood down since; solved or not."""
        return self.filter(stood_down_at=None)

    def going(self) -> Self:
        """Somebody works on it, and clients wait for news."""
        return self.standing().filter(ticket__state__in=[State.NEW, State.OPEN, State.PENDING])

    def to_review(self) -> Self:
        """Solved, and not closed yet."""
        return self.standing().filter(ticket__state=State.RESOLVED)


class MajorIncident(models.Model):
    """A ticket declared a major incident: the *parent*, whose client it belongs to.

    `every_min`: so many minutes after an update the next is due, at `next_update_at`; `reminded`: whoever writes it was
    told. `wake_at`: when somebody is told next. `missed`: updates that did not come in time. `reviewed_at`: when it was
    looked back at (`review`: what happened), or when somebody said why nobody does (`waived`).
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE)
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="declarations")
    why = models.TextField()
    declared_by = models.ForeignKey(
        Agent, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    declared_at = models.DateTimeField()
    every_min = models.PositiveSmallIntegerField()
    updated_at = models.DateTimeField(null=True, blank=True)
    next_update_at = models.DateTimeField(null=True, blank=True)
    reminded = models.BooleanField(default=False)
    missed = models.PositiveSmallIntegerField(default=0)
    wake_at = models.DateTimeField(null=True, blank=True)
    stood_down_at = models.DateTimeField(null=True, blank=True)
    review = models.TextField(blank=True)
    waived = models.TextField(blank=True)
    reviewed_by = models.ForeignKey(
        Agent, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    reviewed_at = models.DateTimeField(null=True, blank=True)

    objects = MajorIncidents.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["wake_at"], name="majors_to_wake", condition=Q(wake_at__isnull=False))
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["ticket"], condition=Q(stood_down_at__isnull=True), name="a_ticket_is_declared_once"
            ),
            models.CheckConstraint(
                condition=Q(stood_down_at__isnull=True)
                | Q(next_update_at__isnull=True, wake_at__isnull=True),
                name="nobody_waits_for_news_of_what_stood_down",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.ticket.subject}"

    @property
    def reference(self) -> str:
        return f"MI-{self.pk}"

    # -- it begins and ends

    @classmethod
    def declare(
        cls,
        ticket: Ticket,
        *,
        by: Agent,
        why: str,
        manager: Agent | None = None,
        every_min: int | None = None,
    ) -> MajorIncident:
        """The ticket is a major incident. `every_min`: as the contract says, unless somebody says otherwise.

        Raises UnableTo if this agent may not, without a reason, or if the ticket cannot be one.
        """
        at, why = current().at, why.strip()
        _check_may_declare(ticket, by, at)
        if not why:
            raise UnableTo("Say why it is a major incident.")
        if not ticket.is_unresolved():
            raise UnableTo(f"{ticket.reference} is {ticket.state}; only what goes on is a major incident.")
        if ticket.is_major:
            raise UnableTo(f"{ticket.reference} is a major incident already.")
        if Child.objects.following().filter(ticket=ticket).exists():
            raise UnableTo(f"{ticket.reference} follows a major incident; take it out of that one first.")
        every = _minutes(usual_minutes(ticket) if every_min is None else every_min)
        ticket.acknowledge()
        ticket.change(is_major=True)
        incident = cls.objects.create(
            client_id=ticket.client_id,
            ticket=ticket,
            why=why,
            declared_by=by,
            declared_at=at,
            every_min=every,
        )
        record(MajorDeclared(ticket=ticket, incident=incident.pk, why=why, every_min=every))
        accept_for(ticket, by=by, why=why)
        incident._wait_from(at)
        if manager is None:
            record(ManagerMissing(ticket=ticket, incident=incident.pk))
        else:
            incident.hand_role(RoleKind.MANAGER, manager, by=by)
        return incident

    def stand_down(self, *, by: Agent, why: str) -> None:
        """No major incident after all: its children go back to work, and it is an ordinary ticket.

        If it is solved, it closes by itself like any other, when the contract's reopen window has passed from now.
        """
        if not why.strip():
            raise UnableTo("Say why it is no major incident any more.")
        self._hold()
        self._check_stands()
        self._check_led(by)
        ends = current().at + self.ticket.reopen_window()
        resolved = self.ticket.state == State.RESOLVED
        self.ticket.change(is_major=False, wake_at=ends if resolved else self.ticket.wake_at)
        self._change(stood_down_at=current().at, next_update_at=None, wake_at=None)
        record(MajorStoodDown(ticket=self.ticket, incident=self.pk, why=why.strip()))
        Cascade.put(self, CascadeKind.END)

    def close(self, *, by: Agent) -> None:
        """By hand only, and not before it was looked back at, or somebody said why nobody does."""
        self._hold()
        self._check_stands()
        self._check_led(by)
        if self.reviewed_at is None:
            raise UnableTo("Hold its review first, or say why nobody looks back at it.")
        self.ticket.close("its review is done", reviewed=True)

    # -- who does what

    def hand_role(self, kind: str, agent: Agent | None, *, by: Agent) -> None:
        """One person has the role from now on, or nobody. A major incident that nobody leads is told to the leads.

        Whoever has a role hands it on; otherwise it is for whoever leads. Raises UnableTo for others, and when it is so
        already.
        """
        self._hold()
        self._check_stands()
        if kind not in RoleKind.values:
            raise UnableTo(f"“{kind}” is no role; choose one of {', '.join(RoleKind.values)}.")
        if agent is not None and not _may_see(agent, self.client_id):
            raise UnableTo(f"{agent.name} does not serve {self.ticket.client.name}.")
        before = self.holder(kind)
        if before != by:
            self._check_led(by)
        if before == agent:
            raise UnableTo(f"{agent.name if agent else 'Nobody'} has that role already.")
        at = current().at
        self.roles.filter(kind=kind, until_at=None).update(until_at=at)
        if agent is not None:
            Role.objects.create(client_id=self.client_id, incident=self, kind=kind, agent=agent, since_at=at)
        record(
            RoleHanded(
                ticket=self.ticket,
                incident=self.pk,
                role=kind,
                agent=agent.pk if agent else None,
                agent_name=agent.name if agent else "",
                before=before.name if before else "",
            )
        )
        if agent is None and kind == RoleKind.MANAGER:
            record(ManagerMissing(ticket=self.ticket, incident=self.pk))

    def holders(self) -> dict[str, Agent]:
        """Who has which role now."""
        held = self.roles.filter(until_at=None).select_related("agent__user")
        return {role.kind: role.agent for role in held}

    def holder(self, kind: str) -> Agent | None:
        return self.holders().get(kind)

    def is_led_by(self, agent: Agent, at: datetime) -> bool:
        """Its incident manager, and whoever may declare one."""
        return self.holder(RoleKind.MANAGER) == agent or may_declare(agent, self.ticket, at)

    def is_worked_by(self, agent: Agent, at: datetime) -> bool:
        """Whoever has a role in it, and whoever leads it."""
        return agent in self.holders().values() or may_declare(agent, self.ticket, at)

    # -- what clients hear

    def broadcast(self, text: str, *, by: Agent, newest: int | None = None) -> Cascade:
        """One text for the contacts of the parent and of every child. It is an update: the next is due later.

        `newest`: the key of the newest broadcast that the writer had seen, 0 for none. Raises UnableTo if another has
        gone out since, without words or with too many, when nobody waits for news, or if this agent has no part in it.
        """
        self._hold()
        self._check_going()
        self._check_worked(by)
        if newest is not None and newest != self.newest_broadcast():
            raise UnableTo(
                "Another broadcast has gone out since you looked; read it, and send yours if it is still news."
            )
        if len(text) > LONGEST_BROADCAST:
            raise UnableTo(f"It goes to many: say it in at most {LONGEST_BROADCAST} letters.")
        self.ticket.reply(text)
        cascade = Cascade.put(self, CascadeKind.BROADCAST, text=text)
        record(BroadcastSent(ticket=self.ticket, incident=self.pk, cascade=cascade.pk))
        self._wait_from(current().at, updated_at=current().at)
        return cascade

    def newest_broadcast(self) -> int:
        """Its key; 0 if there is none."""
        sent = self.cascades.filter(kind=CascadeKind.BROADCAST).order_by("-id")
        return sent.values_list("pk", flat=True).first() or 0

    def change_cadence(self, every_min: int, *, by: Agent) -> None:
        """An update every so many minutes, counted from when they began to wait: nobody gains time by it."""
        self._hold()
        self._check_going()
        self._check_led(by)
        before, every = self.every_min, _minutes(every_min)
        if before == every:
            raise UnableTo(f"The clients hear from us every {every} minutes already.")
        record(CadenceChanged(ticket=self.ticket, incident=self.pk, before=before, every_min=every))
        waited_since = (self.next_update_at or current().at) - timedelta(minutes=before)
        self.every_min = every
        self._wait_from(waited_since, every_min=every)

    def fall_silent(self) -> None:
        """Solved: no update is due any more."""
        self._change(next_update_at=None, wake_at=None, reminded=False)

    def go_on(self) -> None:
        """Not solved after all: updates are due again, and what was looked back at is not the end."""
        self._wait_from(current().at, reviewed_at=None, reviewed_by=None, waived="")

    def remind(self, at: datetime) -> None:
        """What is due now: whoever writes the update is reminded, or those above hear that it did not come.

        A major incident that nobody leads, or whose manager is away, is told again each time.
        """
        if not self.ticket.is_unresolved() or self.next_update_at is None:
            self.fall_silent()
            return
        due = self.next_update_at.isoformat()
        if not self.reminded:
            agents = self._who_writes()
            record(UpdateDue(ticket=self.ticket, incident=self.pk, due_at=due, agents=agents))
            self._change(reminded=True, wake_at=max(self.next_update_at, at))
            return
        missed = self.missed + 1
        record(UpdateMissed(ticket=self.ticket, incident=self.pk, due_at=due, missed=missed))
        manager = self.holder(RoleKind.MANAGER)
        if manager is None or manager.is_away:
            record(ManagerMissing(ticket=self.ticket, incident=self.pk))
        self._wait_from(at, missed=missed)

    # -- its children

    def link(self, tickets: Sequence[int]) -> list[Ticket]:
        """Let these tickets, of any client, follow it (children.py)."""
        self._hold()
        self._check_going()
        if self.ticket_id in tickets:
            raise UnableTo("A major incident is not its own child.")
        return children.link(self, tickets)

    # -- looking back

    def hold_review(self, what_happened: str, *, by: Agent) -> None:
        """People looked back at it; `what_happened` is what they found. It can be told again until it is closed."""
        self._check_solved()
        self._check_worked(by)
        if not what_happened.strip():
            raise UnableTo("Write down what happened.")
        self._reviewed(by, review=what_happened.strip(), waived="")
        record(ReviewHeld(ticket=self.ticket, incident=self.pk, actions=self.actions.count()))

    def waive_review(self, why: str, *, by: Agent) -> None:
        """Nobody looks back at it. Raises UnableTo without a reason."""
        self._check_solved()
        self._check_led(by)
        if not why.strip():
            raise UnableTo("Say why nobody looks back at it.")
        self._reviewed(by, waived=why.strip())
        record(ReviewWaived(ticket=self.ticket, incident=self.pk, why=why.strip()))

    def agree(self, what: str, *, owner: Agent, due_date: date, by: Agent) -> ReviewAction:
        """A task that comes of it, whose owner is reminded on its day."""
        self._hold()
        self._check_stands()
        self._check_worked(by)
        if not 0 < len(what.strip()) <= LONGEST_ACTION:
            raise UnableTo(f"Say what is to be done, in at most {LONGEST_ACTION} letters.")
        if not _may_see(owner, self.client_id):
            raise UnableTo(f"{owner.name} does not serve {self.ticket.client.name}.")
        at = current().at
        if due_date < at.date() or (falls_due := morning_of(due_date, owner)) <= at:
            raise UnableTo("Choose a day in the future.")
        action = ReviewAction.objects.create(
            client_id=self.client_id,
            incident=self,
            what=what.strip(),
            owner=owner,
            due_date=due_date,
            wake_at=falls_due,
        )
        record(
            ActionAgreed(
                ticket=self.ticket,
                incident=self.pk,
                action=action.pk,
                what=action.what,
                agent=owner.pk,
                agent_name=owner.name,
                due_date=due_date.isoformat(),
            )
        )
        return action

    # -- of its own

    def _hold(self) -> None:
        """Lock both rows until the end of the unit and read this one anew: two who act at once do so in turn.

        The ticket first, as whoever resolves it does. Raises StaleTicket if it is not any more as it was read.
        """
        self.ticket.hold()
        if not Ticket.objects.filter(pk=self.ticket_id, version=self.ticket.version).exists():
            raise StaleTicket(self.ticket)
        names = [field.attname for field in self._meta.concrete_fields]
        for name, value in type(self).objects.select_for_update().values(*names).get(pk=self.pk).items():
            setattr(self, name, value)

    def _check_stands(self) -> None:
        if self.stood_down_at is not None or self.ticket.state == State.CLOSED:
            raise UnableTo(f"{self.ticket.reference} is no major incident any more.")

    def _check_going(self) -> None:
        self._check_stands()
        if not self.ticket.is_unresolved():
            raise UnableTo(f"{self.ticket.reference} is {self.ticket.state}; reopen it first.")

    def _check_led(self, by: Agent) -> None:
        if not self.is_led_by(by, current().at):
            raise UnableTo(f"Its incident manager does that, or {WHO}.")

    def _check_worked(self, by: Agent) -> None:
        if not self.is_worked_by(by, current().at):
            raise UnableTo(f"Whoever has a role in it does that, or {WHO}.")

    def _check_solved(self) -> None:
        self._hold()
        self._check_stands()
        if self.ticket.is_unresolved():
            raise UnableTo(f"{self.ticket.reference} is {self.ticket.state}; look back when it is solved.")

    def _reviewed(self, by: Agent, **values: Any) -> None:
        self._change(reviewed_by=by, reviewed_at=current().at, **values)

    def _who_writes(self) -> list[int]:
        """Communications; else the incident manager. Nobody, if nobody has either."""
        held = self.holders()
        writer = held.get(RoleKind.COMMUNICATIONS) or held.get(RoleKind.MANAGER)
        return [writer.pk] if writer else []

    def _wait_from(self, at: datetime, **values: Any) -> None:
        """The next update is due so long after `at`."""
        self._change(
            next_update_at=next_update(at, self.every_min),
            wake_at=reminder(at, self.every_min),
            reminded=False,
            **values,
        )

    def _change(self, **values: Any) -> None:
        type(self).objects.filter(pk=self.pk).update(**values)
        for name, value in values.items():
            setattr(self, name, value)


class Role(models.Model):
    """One person in one role of a major incident, since when and until when."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, db_index=False)
    incident = models.ForeignKey(MajorIncident, on_delete=models.CASCADE, related_name="roles")
    kind = models.CharField(max_length=14, choices=RoleKind.choices)
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="+", db_index=False)
    since_at = models.DateTimeField()
    until_at = models.DateTimeField(null=True, blank=True)

    objects = InternalRows.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "kind"], condition=Q(until_at__isnull=True), name="a_role_has_one_holder"
            )
        ]


def usual_minutes(ticket: Ticket) -> int:
    """Every how many minutes its clients hear from us, if nobody says: as agreed, else by priority."""
    promised = Promise.objects.filter(
        contract_version=ticket.contract_version_id,
        metric=Metric.UPDATE,
        party=Party.SLA,
        priority=ticket.priority,
    )
    terms = ticket.contract_version.major_updates if ticket.contract_version else {}
    own: int | None = terms.get(str(ticket.priority))
    return minutes_for(ticket.priority, promised.values_list("target_s", flat=True).first(), own)


def wake_incidents(incidents: list[Any], at: datetime) -> None:
    """What due major incidents do: remind whoever writes the update, or tell those above that none came."""
    tickets = Ticket.objects.select_related("client", "team").in_bulk([one.ticket_id for one in incidents])
    for incident in incidents:
        incident.ticket = tickets[incident.ticket_id]
        incident.remind(at)


def _check_may_declare(ticket: Ticket, by: Agent, at: datetime) -> None:
    if not may_declare(by, ticket, at):
        raise UnableTo(f"A major incident is declared by {WHO}.")


def _minutes(every: int) -> int:
    if not SHORTEST_MIN <= every <= LONGEST_MIN:
        raise UnableTo(f"Updates come every {SHORTEST_MIN} to {LONGEST_MIN} minutes.")
    return every


def _may_see(agent: Agent, client_id: int) -> bool:
    ids = visible_clients(agent.user)
    return ids is None or client_id in ids
