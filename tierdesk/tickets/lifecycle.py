"""The life of a ticket: `new → open ⇄ pending(reason) → resolved → closed`, and `cancelled`.

States, the reasons to wait, and every verb that moves between them. Escalated is not a state.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F

from tierdesk.core import rows
from tierdesk.core.facts import Actor
from tierdesk.core.work import current, record
from tierdesk.tickets.facts import (
    Acknowledged,
    Assigned,
    Cancelled,
    Closed,
    Pended,
    Reopened,
    Resolved,
    Resumed,
    WaitPutIn,
)

if TYPE_CHECKING:
    from tierdesk.directory.staff.models import Agent, Team
    from tierdesk.tickets.models import Ticket
    from tierdesk.tickets.together import Held

    type Given = tuple[Ticket, Agent, str, Sequence[tuple[str, str]]]


class State(models.TextChoices):
    NEW = "new", "New"
    OPEN = "open", "Open"
    PENDING = "pending", "Pending"
    RESOLVED = "resolved", "Resolved"
    CLOSED = "closed", "Closed"
    CANCELLED = "cancelled", "Cancelled"


LONGEST_SUBJECT = 300
UNRESOLVED = (State.NEW, State.OPEN, State.PENDING)


class PendingReason(models.TextChoices):
    """What a pending ticket waits for. Which of them pause the client's clock is in response/sla."""

    REQUESTER_INFO = "requester_info", "Waiting for the contact's answer"
    REQUESTER_CONFIRM = "requester_confirm", "Waiting for the contact to confirm the fix"
    REQUESTER_SCHEDULED = "requester_scheduled", "The contact asked for a date"
    CLIENT_APPROVAL = "client_approval", "Waiting for the client's approval"
    ACCESS = "access", "Waiting for access"
    VENDOR = "vendor", "Waiting for a vendor"
    DEPENDENCY_GROUP = "dependency_group", "Waiting for another team"
    CHANGE = "change", "Waiting for a change window"
    PROBLEM = "problem", "Waiting for a problem's solution"
    EVIDENCE = "evidence", "Watching whether it comes back"
    MAJOR_PARENT = "major_parent", "Follows a major incident"


WOKEN_BY_CONTACT = {
    PendingReason.REQUESTER_INFO,
    PendingReason.REQUESTER_CONFIRM,
    PendingReason.REQUESTER_SCHEDULED,
    PendingReason.CLIENT_APPROVAL,
    PendingReason.ACCESS,
}


class ResolutionCode(models.TextChoices):
    FIXED = "fixed", "Fixed"
    WORKAROUND = "workaround", "Workaround given"
    INFORMATION = "information", "Question answered"
    VENDOR_FIX = "vendor_fix", "Fixed by the vendor"
    CLEARED = "cleared", "Cleared by itself"
    NOT_REPRODUCIBLE = "not_reproducible", "Could not be reproduced"
    SILENCE = "silence", "Nobody answered"


class StaleTicket(Exception):
    """Somebody was faster: the ticket is not what the verb expected. Show the new state and let the user decide."""

    def __init__(self, ticket: Ticket) -> None:
        super().__init__(f"{ticket.reference} changed in the meantime")
        self.ticket = ticket


class UnableTo(Exception):
    """The verb makes no sense now; the text says why and what to do, in words for the user."""


class Lifecycle:
    """The verbs of a ticket's life. Mixed into `Ticket`; each runs inside a unit of work."""

    held: Held | None = None
    """Set while it is changed together with others (together.py)."""

    def is_unresolved(self: Ticket) -> bool:
        return self.state in UNRESOLVED

    def expecting(self: Ticket, version: int) -> Ticket:
        """The ticket as the user saw it: verbs raise StaleTicket unless its version still is `version`."""
        self.version = version
        return self

    def take(self: Ticket, agent: Agent, *, why: str = "") -> None:
        """`agent` works the ticket from now on; the first one to do so acknowledges it. `why`: if the desk chose it."""
        if not self.is_unresolved():
            raise UnableTo(f"{self.reference} is {self.state}; reopen it before somebody takes it.")
        if self.assignee_id != agent.pk:
            self.assign(agent, why=why)
        self.acknowledge()

    def acknowledge(self: Ticket) -> None:
        """A human took notice. Counts once; later calls change nothing and record nothing."""
        if self.state != State.NEW and self.acknowledged_at is not None:
            return
        changes: dict[str, Any] = {"acknowledged_at": self.acknowledged_at or current().at}
        if self.state == State.NEW:
            changes["state"] = State.OPEN
        self.change(**changes)
        record(Acknowledged(ticket=self))

    def assign(self: Ticket, agent: Agent | None, *, why: str = "") -> None:
        """Give the work to an agent (of the ticket's team or not), or to nobody: back to the team's queue."""
        if not self.is_unresolved():
            raise UnableTo(f"{self.reference} is {self.state} and cannot be assigned.")
        self.change(assignee=agent)
        record(
            Assigned(
                ticket=self,
                agent=agent.pk if agent else None,
                agent_name=agent.name if agent else "",
                why=why,
            )
        )

    @classmethod
    def give(cls: type[Ticket], given: Sequence[Given]) -> None:
        """Give tickets to agents, in one statement however many: (ticket, agent, why, who else was considered).

        The tickets are locked by whoever calls, so that nobody can be faster.
        """
        at = current().at
        changes = [[ticket.pk, agent.pk, ticket.version + 1, at] for ticket, agent, _, _ in given]
        rows.update(cls, ["assignee_id", "version", "touched_at"], changes)
        for ticket, agent, why, others in given:
            ticket.assignee, ticket.version, ticket.touched_at = agent, ticket.version + 1, at
            considered = [list(other) for other in others]
            record(Assigned(ticket=ticket, agent=agent.pk, agent_name=agent.name, why=why, others=considered))

    def pend(
        self: Ticket,
        reason: str,
        *,
        until: datetime | None = None,
        asked: bool = False,
        linked: bool = False,
        team: Team | None = None,
        problem: int | None = None,
    ) -> None:
        """Wait for `reason`. Waiting for the contact needs a public question in the same breath (`asked`).

        Following a major incident needs a link to it (`linked`, response/major), waiting for a problem its number
        (`problem`, learning/problems). `team`: which other team it waits for, so that they can be reminded.

        Raises UnableTo when the ticket is not open, or the guard of the reason does not hold.
        """
        if self.state not in (State.NEW, State.OPEN):
            raise UnableTo(f"{self.reference} is {self.state}; only an open ticket can wait.")
        if reason not in PendingReason.values:
            raise UnableTo(
                f"“{reason}” is not a reason to wait; choose one of {', '.join(PendingReason.values)}."
            )
        if reason == PendingReason.REQUESTER_INFO and not asked:
            raise UnableTo(
                "Ask the contact a question first: a ticket waits for an answer only to a question."
            )
        if reason == PendingReason.MAJOR_PARENT and not linked:
            raise UnableTo(
                f"Link {self.reference} to the major incident that it follows; then it waits for it."
            )
        if reason == PendingReason.PROBLEM and problem is None and not linked:
            raise UnableTo(f"Say for which problem {self.reference} waits: link it to that first.")
        if team is not None and not (
            team.serves_every_client or team.clients.filter(pk=self.client_id).exists()
        ):
            raise UnableTo(
                f"{team.name} does not serve this client; name a team that may know of {self.reference}."
            )
        if until is not None and until <= current().at:
            raise UnableTo("Choose a time in the future to wake the ticket.")
        self.acknowledge_if_human()
        self.change(state=State.PENDING, pending_reason=reason, wake_at=until)
        record(
            Pended(
                ticket=self,
                reason=reason,
                until=until.isoformat() if until else None,
                team=team.pk if team else None,
                problem=problem,
            )
        )

    def acknowledge_if_human(self: Ticket) -> None:
        if current().by.kind == "agent":
            self.acknowledge()

    def resume(self: Ticket, why: str) -> None:
        """The wait is over: back to open."""
        if self.state != State.PENDING:
            raise UnableTo(f"{self.reference} is {self.state}; it does not wait for anything.")
        reason = self.pending_reason
        self.change(state=State.OPEN, pending_reason="", wake_at=None)
        record(Resumed(ticket=self, reason=reason, why=why))

    def put_in_wait(self: Ticket, reason: str, *, begins: datetime, ends: datetime, evidence: str) -> None:
        """It had waited, and nobody had said so: the promises that stand meanwhile are counted again without that time.

        The entries of then stay as they are; this one corrects them. Raises UnableTo without `evidence`, for a time
        that is not within the ticket's life, and once the ticket is closed or cancelled.
        """
        if self.state in (State.CLOSED, State.CANCELLED):
            raise UnableTo(f"{self.reference} is {self.state}; what it promised is settled.")
        if reason not in PendingReason.values:
            raise UnableTo(
                f"“{reason}” is not a reason to wait; choose one of {', '.join(PendingReason.values)}."
            )
        if not evidence.strip():
            raise UnableTo("Say what shows that it waited: a mail, a call, a message, and of when.")
        if begins >= ends:
            raise UnableTo("A wait begins before it ends.")
        if begins < self.created_at or ends > current().at:
            raise UnableTo(f"A wait lies between the opening of {self.reference} and now.")
        self.change()
        record(
            WaitPutIn(
                ticket=self,
                reason=reason,
                begins=begins.isoformat(),
                ends=ends.isoformat(),
                evidence=evidence.strip(),
            )
        )

    def resolve(self: Ticket, *, code: str, text: str = "", tier: int | None = None) -> None:
        """Solved. `text` goes to the contact in the ticket's own voice; `code` is a ResolutionCode.

        It closes by itself when the contract's reopen window has passed in silence.
        """
        if not self.is_unresolved():
            raise UnableTo(f"{self.reference} is already {self.state}.")
        if code not in ResolutionCode.values:
            raise UnableTo(
                f"“{code}” is not a resolution code; choose one of {', '.join(ResolutionCode.values)}."
            )
        self.acknowledge_if_human()
        at = current().at
        message = self.add_message(text, direction="outbound", channel=self.answers_by()) if text else None
        self.change(
            state=State.RESOLVED,
            pending_reason="",
            resolved_at=at,
            first_resolved_at=self.first_resolved_at or at,
            resolution_code=code,
            resolved_tier=tier or self.tier,
            wake_at=at + self.reopen_window(),
        )
        record(
            Resolved(
                ticket=self,
                code=code,
                tier=self.resolved_tier or self.tier,
                message=message.pk if message else None,
                seconds_open=int((at - self.created_at).total_seconds()),
            )
        )

    def reopen_window(self: Ticket) -> timedelta:
        version = self.contract_version
        return timedelta(days=version.reopen_days if version else 5)

    def can_reopen(self: Ticket, at: datetime) -> bool:
        return (
            self.state == State.RESOLVED
            and self.resolved_at is not None
            and at <= self.resolved_at + self.reopen_window()
        )

    def reopen(self: Ticket, why: str) -> None:
        """Not solved after all. Only inside the contract's window; afterwards a follow-up ticket is due."""
        if not self.can_reopen(current().at):
            raise UnableTo(
                f"{self.reference} is {self.state} and its reopen window is over; open a new ticket."
            )
        resolved_at = self.resolved_at
        self.change(
            state=State.OPEN,
            resolved_at=None,
            wake_at=None,
            reopen_count=self.reopen_count + 1,
            resolved_tier=None,
        )
        record(Reopened(ticket=self, why=why, resolved_at=resolved_at.isoformat() if resolved_at else ""))

    def close(self: Ticket, why: str, *, reviewed: bool = False) -> None:
        """The end of a resolved ticket: the contact confirmed, or stayed silent.

        A major incident closes by hand only, when it was looked back at (`reviewed`).
        """
        if self.state != State.RESOLVED:
            raise UnableTo(f"{self.reference} is {self.state}; only a resolved ticket closes.")
        if self.is_major and not reviewed:
            raise UnableTo(
                f"{self.reference} is a major incident; it is closed on its board, after its review."
            )
        self.change(state=State.CLOSED, closed_at=current().at, wake_at=None)
        record(Closed(ticket=self, why=why))

    def cancel(self: Ticket, why: str, *, duplicate_of: Ticket | None = None) -> None:
        """Not an incident, withdrawn, or a duplicate of another ticket."""
        if not self.is_unresolved():
            raise UnableTo(f"{self.reference} is {self.state} and cannot be cancelled.")
        if not why.strip():
            raise UnableTo("Say why the ticket is cancelled.")
        if self.is_major:
            raise UnableTo(f"{self.reference} is a major incident; stand it down before it is cancelled.")
        self.change(
            state=State.CANCELLED,
            closed_at=current().at,
            wake_at=None,
            duplicate_of=duplicate_of,
            pending_reason="",
        )
        record(Cancelled(ticket=self, why=why, duplicate_of=duplicate_of.pk if duplicate_of else None))

    def change(self: Ticket, **values: Any) -> None:
        """Change the row if nobody else did since we read it. Raises StaleTicket when somebody was faster."""
        if self.held is not None:
            self.held.change(self, values)
            return
        rows = type(self)._base_manager.filter(pk=self.pk, version=self.version)
        if not rows.update(version=F("version") + 1, touched_at=current().at, **values):
            raise StaleTicket(self)
        self.version += 1
        self.touched_at = current().at
        counted = [name for name, value in values.items() if hasattr(value, "resolve_expression")]
        for name, value in values.items():
            if name not in counted:
                setattr(self, name, value)
        if counted:
            self.refresh_from_db(fields=counted)


def wake_tickets(tickets: list[Any], at: datetime) -> None:
    """What due tickets do: a resolved one closes, a pending one goes back to work. People close major incidents."""
    for ticket in tickets:
        if ticket.state == State.RESOLVED and not ticket.is_major:
            ticket.close("no objection within the reopen window")
        elif ticket.state == State.PENDING:
            ticket.resume("the agreed time has come")
        else:
            ticket.change(wake_at=None)


def by_human(actor: Actor) -> bool:
    return actor.kind in {"agent", "admin"}
