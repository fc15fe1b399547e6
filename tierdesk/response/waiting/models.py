"""A ticket's wait as a row: what was agreed about it, which step comes next, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models
from django.db.models import Q

from tierdesk.core.words import Word
from tierdesk.core.work import record
from tierdesk.directory.calendars.models import CalendarVersion, hours_of
from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import ClientRows
from tierdesk.directory.staff.models import Team
from tierdesk.response.waiting.facts import Reminded, SilenceWarned, WaitReturned
from tierdesk.response.waiting.plan import Plan, Step, may_end_in_silence
from tierdesk.tickets.lifecycle import PendingReason, ResolutionCode, State
from tierdesk.tickets.models import Ticket


class Outcome(models.TextChoices):
    WAITING = "waiting", "Still waiting"
    OVER = "over", "Over before the end"
    RETURNED = "returned", "Back to work, nobody answered"
    RESOLVED = "resolved", "Solved by silence"


class Waits(ClientRows):
    def going(self) -> Self:
        return self.filter(outcome=Outcome.WAITING)


@dataclass(frozen=True, slots=True)
class Prospect:
    """A step that will be taken at `at`, if nobody answers before; `number` counts chasers."""

    step: Step
    at: datetime
    number: int


class Wait(models.Model):
    """One waiting of one ticket. `plan`: what the contract said when it began. `done`: steps taken.

    `calendar`: in whose hours the plan counts. `team`: which other team is waited for, if it was named. `unheard`: mail
    to the contact came back meanwhile, so that their silence says nothing.
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE, db_index=False)
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="waits")
    reason = models.CharField(max_length=20, choices=PendingReason.choices)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL, db_index=False)
    plan = models.JSONField()
    calendar = models.ForeignKey(CalendarVersion, on_delete=models.PROTECT, db_index=False)
    began_at = models.DateTimeField()
    done = models.PositiveSmallIntegerField(default=0)
    unheard = models.BooleanField(default=False)
    outcome = Word(max_length=8, choices=Outcome.choices, default=Outcome.WAITING)
    ended_at = models.DateTimeField(null=True, blank=True)
    wake_at = models.DateTimeField(null=True, blank=True)

    objects = Waits.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["wake_at"], name="waits_to_wake", condition=Q(wake_at__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["ticket"], condition=Q(outcome="waiting"), name="one_going_wait_per_ticket"
            ),
            models.CheckConstraint(
                condition=Q(outcome="waiting", ended_at__isnull=True)
                | (~Q(outcome="waiting") & Q(ended_at__isnull=False, wake_at__isnull=True)),
                name="a_wait_that_is_over_says_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()} on TD-{self.ticket_id}"

    @property
    def agreed(self) -> Plan:
        return Plan.of(self.plan)

    def next_at(self, after: datetime) -> datetime | None:
        """When the next step comes, counted from the step before; None if there is none, or the calendar never opens.

        From when that was done, not from when it was due: after an outage chasers do not come in a heap.
        """
        if self.agreed.step(self.done) is None:
            return None
        return hours_of(self.calendar_id).add(after, timedelta(seconds=self.agreed.pause_s(self.done)))

    def prospects(self) -> Sequence[Prospect]:
        """What will happen and when, if nobody answers."""
        found: list[Prospect] = []
        at, plan, hours = self.wake_at, self.agreed, hours_of(self.calendar_id)
        for done in range(self.done, len(plan.steps)):
            if found and at is not None:
                at = hours.add(at, timedelta(seconds=plan.pause_s(done)))
            if at is None:
                break
            found.append(Prospect(plan.steps[done], at, done + 1))
        return found

    def take_step(self, ticket: Ticket, at: datetime) -> None:
        """Do what is due now. A ticket that no longer waits for this is left alone."""
        if ticket.state != State.PENDING or ticket.pending_reason != self.reason:
            self.end(Outcome.OVER, at)
            return
        step = self.agreed.step(self.done)
        if step == Step.CHASE:
            self._remind(ticket)
            self._step_on(at)
        elif step == Step.WARN and self._may_end_in_silence(ticket):
            self._step_on(at)
            self._warn(ticket)
        elif step == Step.RESOLVE and self._may_end_in_silence(ticket):
            self.end(Outcome.RESOLVED, at)
            ticket.resolve(code=ResolutionCode.SILENCE)
        elif step is not None:
            self._give_back(ticket, at)

    def _may_end_in_silence(self, ticket: Ticket) -> bool:
        """Only the silence of somebody who heard us is an answer; people end major incidents."""
        return not (self.unheard or ticket.is_major or why_unreachable(ticket))

    def end(self, outcome: str, at: datetime) -> None:
        self._change(outcome=outcome, ended_at=at, wake_at=None)

    def _remind(self, ticket: Ticket) -> None:
        whom, why = _whom(self, ticket)
        record(
            Reminded(
                ticket=ticket,
                wait=self.pk,
                reason=self.reason,
                whom=whom,
                number=self.done + 1,
                of=self.agreed.chasers,
                team=self.team_id,
                why=why,
            )
        )

    def _warn(self, ticket: Ticket) -> None:
        """A calendar that never opens again solves nothing by silence: then there is no date to warn of."""
        if self.wake_at is not None:
            record(
                SilenceWarned(
                    ticket=ticket,
                    wait=self.pk,
                    reason=self.reason,
                    resolves_at=self.wake_at.isoformat(),
                )
            )

    def _give_back(self, ticket: Ticket, at: datetime) -> None:
        """Back to work, with the team that has it; to its queue, if whoever worked it is away."""
        self.end(Outcome.RETURNED, at)
        why = why_unreachable(ticket) if may_end_in_silence(self.reason) else ""
        if self.unheard:
            why = why or "mail to the contact came back"
        ticket.resume(f"nobody answered, after {_times(self.agreed.chasers)}")
        if ticket.assignee is not None and ticket.assignee.is_away:
            ticket.assign(None)
        record(
            WaitReturned(
                ticket=ticket, wait=self.pk, reason=self.reason, chasers=self.agreed.chasers, why=why
            )
        )

    def _step_on(self, at: datetime) -> None:
        self.done += 1
        self._change(done=self.done, wake_at=self.next_at(at))

    def _change(self, **values: Any) -> None:
        type(self).objects.filter(pk=self.pk).update(**values)
        for name, value in values.items():
            setattr(self, name, value)


def silence_ends_at(ticket: Ticket) -> datetime | None:
    """When the ticket is solved if its contact stays silent; None if silence solves nothing."""
    wait = Wait.objects.going().filter(ticket=ticket).first()
    if wait is None or wait.unheard or ticket.is_major:
        return None
    return next((one.at for one in wait.prospects() if one.step == Step.RESOLVE), None)


def wake_waits(waits: list[Any], at: datetime) -> None:
    """What due waits do: each takes its next step."""
    rows = Ticket.objects.select_related("contact", "client", "assignee", "contract_version", "team")
    tickets = rows.in_bulk({wait.ticket_id for wait in waits})
    for wait in waits:
        wait.take_step(tickets[wait.ticket_id], at)


def why_unreachable(ticket: Ticket) -> str:
    """Why the contact cannot be written to; empty if they can."""
    if ticket.contact is None or not ticket.contact.email:
        return "there is nobody to write to"
    if not ticket.contact.is_active:
        return "the contact is not active"
    if ticket.contact.undeliverable_since is not None:
        return "mail to the contact comes back"
    return ""


def _whom(wait: Wait, ticket: Ticket) -> tuple[str, str]:
    """Who is reminded; and if nobody whom we wait for can be, why whoever works the ticket is told instead."""
    if may_end_in_silence(wait.reason):
        why = why_unreachable(ticket)
        return ("workers", why) if why else ("contact", "")
    if wait.reason == PendingReason.VENDOR:
        return "vendor", ""
    return ("team", "") if wait.team_id else ("workers", "no team was named")


def _times(chasers: int) -> str:
    return "one reminder" if chasers == 1 else f"{chasers} reminders"
