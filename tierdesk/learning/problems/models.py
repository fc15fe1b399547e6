"""Problems: the cause behind incidents, as a record of its own. The incidents go on beside it until they are solved.

`logged → assess → rca → known_error → fix_in_progress → resolved → closed`, and `known_error` also straight from
`assess`. Opening one changes nothing on the ticket: its clocks run on (promises.md I05). A ticket may wait for one,
until there is a workaround, or the problem is solved.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from tierdesk.core.work import current, record
from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import InternalRows
from tierdesk.directory.staff.models import Agent
from tierdesk.learning.problems.facts import (
    ProblemLinked,
    ProblemUnlinked,
    WorkaroundKnown,
    WorkaroundWithdrawn,
)
from tierdesk.learning.problems.recurrences import Recurrence
from tierdesk.tickets.lifecycle import UNRESOLVED, PendingReason, State, UnableTo
from tierdesk.tickets.models import Ticket
from tierdesk.tickets.together import together


class ProblemState(models.TextChoices):
    LOGGED = "logged", "Logged"
    ASSESS = "assess", "Being assessed"
    RCA = "rca", "The cause is looked for"
    KNOWN_ERROR = "known_error", "Known error"
    FIX_IN_PROGRESS = "fix_in_progress", "Being mended"
    RESOLVED = "resolved", "Mended, being watched"
    CLOSED = "closed", "Closed"


class ClosedAs(models.TextChoices):
    FIX_APPLIED = "fix_applied", "Mended"
    RISK_ACCEPTED = "risk_accepted", "Left as it is: the risk is accepted"
    DUPLICATE = "duplicate", "Another problem is the same"
    CANCELLED = "cancelled", "It was none"


S = ProblemState
NEXT: Mapping[str, tuple[str, ...]] = {
    S.LOGGED: (S.ASSESS,),
    S.ASSESS: (S.RCA, S.KNOWN_ERROR),
    S.RCA: (S.KNOWN_ERROR, S.FIX_IN_PROGRESS),
    S.KNOWN_ERROR: (S.RCA, S.FIX_IN_PROGRESS),
    S.FIX_IN_PROGRESS: (S.RESOLVED, S.RCA),
    S.RESOLVED: (S.RCA,),
    S.CLOSED: (),
}
"""Where it may go from each state. Closing is a verb of its own, from any of them."""


NONE_LEFT = "None of these incidents is left: somebody linked them meanwhile. Dismiss it."


class Problems(InternalRows):
    def going(self) -> Self:
        return self.exclude(state=ProblemState.CLOSED)

    def behind(self, ticket: Ticket) -> Self:
        return self.filter(occurrences__ticket=ticket)

    def with_awaited(self, ticket: Ticket) -> Self:
        """Each with `is_awaited`: whether this ticket waits for it."""
        waits = Occurrence.objects.waiting().filter(problem=OuterRef("pk"), ticket=ticket)
        return self.annotate(is_awaited=Exists(waits))


class Problem(models.Model):
    """The cause behind incidents of one client. `cause` and `workaround`: as far as they are known.

    `version` counts its changes, so that the slower of two knows.
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="problems")
    title = models.CharField(max_length=300)
    state = models.CharField(max_length=15, choices=ProblemState.choices, default=ProblemState.LOGGED)
    cause = models.TextField(blank=True)
    workaround = models.TextField(blank=True)
    owner = models.ForeignKey(Agent, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_as = models.CharField(max_length=13, choices=ClosedAs.choices, blank=True)
    version = models.PositiveIntegerField(default=1)

    objects = Problems.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False, closed_as__gt="")
                | (~Q(state="closed") & Q(closed_at__isnull=True, closed_as="")),
                name="a_closed_problem_says_how",
            ),
            models.CheckConstraint(
                condition=~Q(state="known_error") | Q(workaround__gt=""),
                name="a_known_error_has_a_workaround",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.title}"

    @property
    def reference(self) -> str:
        """What people call it: `PR-7`."""
        return f"PR-{self.pk}"

    @property
    def may_become(self) -> list[tuple[str, str]]:
        """The states that it may go to, with their names."""
        return [(state, str(ProblemState(state).label)) for state in NEXT[self.state]]

    @classmethod
    def open_for(cls, ticket: Ticket, *, title: str, why: str, by: Agent) -> Problem:
        """The cause behind this incident is to be found. The ticket goes on as it was, and its clocks with it (I05).

        Raises UnableTo without a title or a reason.
        """
        if not title.strip():
            raise UnableTo("Give the problem a title: what keeps going wrong.")
        problem = cls.objects.create(
            client_id=ticket.client_id, title=" ".join(title.split())[:300], owner=by, opened_at=current().at
        )
        problem._note(why.strip())
        problem.link(ticket, why=why)
        return problem

    def link(self, ticket: Ticket, *, why: str) -> None:
        """This incident has the same cause. Raises UnableTo across clients, twice, and for a closed problem."""
        if ticket.client_id != self.client_id:
            raise UnableTo("A problem and its incidents are of one client.")
        if self.state == ProblemState.CLOSED:
            raise UnableTo(f"{self.reference} is closed; open another problem if it came back.")
        if not why.strip():
            raise UnableTo("Say why this is the cause: whoever looks for it will ask.")
        _, is_new = Occurrence.objects.get_or_create(
            problem=self, ticket=ticket, defaults={"client_id": self.client_id, "linked_at": current().at}
        )
        if not is_new:
            raise UnableTo(f"{ticket.reference} is linked to {self.reference} already.")
        record(ProblemLinked(ticket=ticket, problem=self.pk, title=self.title, why=why.strip()))

    @classmethod
    def open_for_repeats(cls, repeats: Recurrence, *, title: str, why: str, by: Agent) -> Problem:
        """The cause behind these repeats is to be found. Raises UnableTo as `take_on` does, and without a title."""
        repeats.hold()
        first = repeats.tickets().order_by("pk").first()
        if first is None:
            raise UnableTo(NONE_LEFT)
        problem = cls.open_for(first, title=title, why=why, by=by)
        problem._link_all(repeats, why=why, by=by, linked=1)
        return problem

    def take_on(self, repeats: Recurrence, *, why: str, by: Agent) -> None:
        """These repeats have the same cause: all of them are linked.

        Raises UnableTo where somebody answered before, or linked them all, and as `link` does.
        """
        repeats.hold()
        self._link_all(repeats, why=why, by=by)

    def _link_all(self, repeats: Recurrence, *, why: str, by: Agent, linked: int = 0) -> None:
        for ticket in repeats.tickets().order_by("pk"):
            self.link(ticket, why=why)
            linked += 1
        if not linked:
            raise UnableTo(NONE_LEFT)
        repeats.accept(self, by=by, why=why, incidents=linked)

    def unlink(self, ticket: Ticket, *, why: str) -> None:
        """It was linked by mistake, which both say; if it waited for this problem, it goes back to work.

        Raises UnableTo where it is not linked, and without a reason.
        """
        if not why.strip():
            raise UnableTo("Say why this is not the cause: somebody had thought so.")
        occurrence = self.occurrences.filter(ticket=ticket).first()
        if occurrence is None:
            raise UnableTo(f"{ticket.reference} is not linked to {self.reference}.")
        if occurrence.waiting_since is not None and ticket.pending_reason == PendingReason.PROBLEM:
            ticket.resume(f"{self.reference} is not its cause")
        occurrence.delete()
        self._note(f"{ticket.reference} is not one of its incidents: {why.strip()}")
        record(ProblemUnlinked(ticket=ticket, problem=self.pk, title=self.title, why=why.strip()))

    def hold(self, ticket: Ticket, *, until: datetime | None = None) -> None:
        """The ticket waits for this problem: for a workaround, or its solution.

        Raises UnableTo where it is not linked to the problem, and as `Ticket.pend` does.
        """
        if self.state in (ProblemState.RESOLVED, ProblemState.CLOSED):
            raise UnableTo(f"{self.reference} is solved; nothing is left to wait for.")
        if not self.occurrences.filter(ticket=ticket).exists():
            raise UnableTo(
                f"Link {ticket.reference} to {self.reference} first, and say why that is its cause."
            )
        ticket.pend(PendingReason.PROBLEM, until=until, problem=self.pk)
        Occurrence.objects.filter(ticket=ticket).exclude(problem=self).update(waiting_since=None)
        self.occurrences.filter(ticket=ticket).update(waiting_since=current().at)

    @classmethod
    def awaited_by(cls, ticket: Ticket, number: int | None = None) -> Problem:
        """The problem that a ticket is to wait for: this one, or the only one behind it. Raises UnableTo."""
        behind = cls.objects.going().behind(ticket).order_by("pk")
        found: list[Problem] = list(behind.filter(pk=number) if number is not None else behind[:2])
        if len(found) == 1:
            return found[0]
        if not found:
            raise UnableTo(
                f"Link {ticket.reference} to the problem that it waits for; then it can wait for it."
            )
        raise UnableTo(f"More than one problem is behind {ticket.reference}; say for which it waits.")

    def move(self, state: str, *, note: str, cause: str = "", workaround: str = "") -> None:
        """It is further, or back. A known error has a workaround, which the incidents are told, and untold afterwards.

        `cause`, `workaround`: what is known by now, if it is more than before. Raises UnableTo for a state that does
        not follow, without a note, and when somebody was faster.
        """
        if state not in NEXT[self.state]:
            raise UnableTo(f"{self.reference} is {self.get_state_display().lower()}: that does not follow.")
        if not note.strip():
            raise UnableTo("Say what was found or done.")
        known = workaround.strip() or self.workaround
        if state == ProblemState.KNOWN_ERROR and not known:
            raise UnableTo("A known error has a workaround; write down how it is helped until it is mended.")
        before = self.state
        self._change(state=state, cause=cause.strip() or self.cause, workaround=known)
        self._note(note.strip())
        if state == ProblemState.KNOWN_ERROR:
            self._tell(WorkaroundKnown, workaround=known)
            self._wake(f"the workaround of {self.reference} is known")
        elif before == ProblemState.KNOWN_ERROR:
            self._tell(WorkaroundWithdrawn, why=note.strip())
        if state == ProblemState.RESOLVED:
            self._wake(f"{self.reference} is solved")

    def close(self, closed_as: str, *, note: str) -> None:
        """Nothing more is done about it. Raises UnableTo for no such way, without a note, and when it is closed."""
        if closed_as not in ClosedAs.values:
            raise UnableTo(
                f"“{closed_as}” is no way to close it; choose one of {', '.join(ClosedAs.values)}."
            )
        if self.state == ProblemState.CLOSED:
            raise UnableTo(f"{self.reference} is closed already.")
        if not note.strip():
            raise UnableTo("Say why nothing more is done about it.")
        before = self.state
        self._change(state=ProblemState.CLOSED, closed_at=current().at, closed_as=closed_as)
        self._note(note.strip())
        if before == ProblemState.KNOWN_ERROR:
            self._tell(WorkaroundWithdrawn, why=note.strip())
        self._wake(f"{self.reference} is closed: {ClosedAs(closed_as).label.lower()}")

    def take(self, agent: Agent) -> None:
        """`agent` looks for the cause from now on."""
        if self.state == ProblemState.CLOSED:
            raise UnableTo(f"{self.reference} is closed.")
        self._change(owner=agent)
        self._note(f"{agent.name} has it now.")

    def _change(self, **values: Any) -> None:
        rows = type(self).objects.filter(pk=self.pk, version=self.version)
        if not rows.update(version=F("version") + 1, **values):
            raise UnableTo(f"{self.reference} was changed by somebody else meanwhile; look at it again.")
        self.version += 1
        for name, value in values.items():
            setattr(self, name, value)

    def _note(self, text: str) -> None:
        unit = current()
        Finding.objects.create(
            client_id=self.client_id,
            problem=self,
            at=unit.at,
            by_name=unit.by.name,
            state=self.state,
            text=text,
        )

    def _wake(self, why: str) -> None:
        """What waits for it goes back to work. What began to wait for something else meanwhile is left alone."""
        waiting = self.occurrences.filter(waiting_since__isnull=False)
        with together(Ticket, list(waiting.values_list("ticket", flat=True))) as tickets:
            for ticket in tickets:
                if (ticket.state, ticket.pending_reason) == (State.PENDING, PendingReason.PROBLEM):
                    ticket.resume(why)
        waiting.update(waiting_since=None)

    def _tell(self, fact: type[WorkaroundKnown] | type[WorkaroundWithdrawn], **details: str) -> None:
        """The timelines of the incidents that go on."""
        for ticket in Ticket.objects.filter(problems__problem=self, state__in=UNRESOLVED).order_by("pk"):
            record(fact(ticket=ticket, problem=self.pk, **details))


class Occurrences(InternalRows):
    def waiting(self) -> Self:
        """Of tickets that wait for the problem, now."""
        waits = {"ticket__state": State.PENDING, "ticket__pending_reason": PendingReason.PROBLEM}
        return self.filter(waiting_since__isnull=False, **waits)


class Occurrence(models.Model):
    """An incident that a problem caused. `waiting_since`: when it last began to wait for that problem, if it did."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, db_index=False)
    problem = models.ForeignKey(Problem, on_delete=models.CASCADE, related_name="occurrences", db_index=False)
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="problems")
    linked_at = models.DateTimeField()
    waiting_since = models.DateTimeField(null=True, blank=True)

    objects = Occurrences.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["problem", "ticket"], name="an_incident_once_per_problem")
        ]


class Finding(models.Model):
    """What somebody found or did about a problem, and the `state` since."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, db_index=False)
    problem = models.ForeignKey(Problem, on_delete=models.CASCADE, related_name="findings")
    at = models.DateTimeField()
    by_name = models.CharField(max_length=200)
    state = models.CharField(max_length=15, choices=ProblemState.choices)
    text = models.TextField()

    objects = InternalRows.as_manager()

    class Meta:
        ordering = ["id"]
