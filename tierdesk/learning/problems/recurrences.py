"""Repeats: incidents of one client, service and category that come again and again, and may have one cause.

When an incident is solved, whether it was a repeat is counted some minutes later. Enough of them within the window are
proposed as a problem: somebody accepts that, and they are linked to it, or dismisses it with a reason, and it takes as
many new ones before it is proposed again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.db import connection, models
from django.db.models import Count, Max, Min, Q, QuerySet

from tierdesk.core.words import Word
from tierdesk.core.work import current
from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import InternalRows
from tierdesk.directory.services.models import Category, Service, TicketType
from tierdesk.directory.staff.models import Agent
from tierdesk.response.major.models import Child
from tierdesk.tickets.lifecycle import State, UnableTo
from tierdesk.tickets.models import Ticket

if TYPE_CHECKING:
    from tierdesk.learning.problems.models import Problem

REPEATS = 3
"""So many incidents within the window are proposed as a problem."""

WINDOW = timedelta(days=30)
COUNTED_AFTER = timedelta(minutes=10)
"""What is solved together is counted together."""


class RecurrenceState(models.TextChoices):
    COUNTING = "counting", "To be counted"
    PROPOSED = "proposed", "Proposed as a problem"
    ACCEPTED = "accepted", "A problem is behind it"
    DISMISSED = "dismissed", "Dismissed"


OPEN = (RecurrenceState.COUNTING, RecurrenceState.PROPOSED)
ANSWERED = (RecurrenceState.ACCEPTED, RecurrenceState.DISMISSED)


class Recurrences(InternalRows):
    def proposed(self) -> Self:
        return self.filter(state=RecurrenceState.PROPOSED)

    def whole(self) -> Self:
        """With what a page says of them."""
        return self.select_related("client", "service", "category", "problem", "answered_by__user")


class Recurrence(models.Model):
    """Repeats: so many `incidents` when they were last counted, the first of them at `since`. `answer`: why it was
    accepted, or not.
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE, db_index=False)
    service = models.ForeignKey(Service, null=True, blank=True, on_delete=models.CASCADE, db_index=False)
    category = models.ForeignKey(Category, on_delete=models.CASCADE, db_index=False)
    state = Word(max_length=9, choices=RecurrenceState.choices, default=RecurrenceState.COUNTING)
    since = models.DateTimeField(null=True, blank=True)
    incidents = models.PositiveIntegerField(default=0)
    proposed_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(
        Agent, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    answered_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(blank=True)
    problem = models.ForeignKey(
        "problems.Problem", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    wake_at = models.DateTimeField(null=True, blank=True)

    objects = Recurrences.as_manager()

    class Meta:
        ordering = ["-proposed_at", "-id"]
        indexes = [
            models.Index(fields=["wake_at"], name="recurrences_to_wake", condition=Q(wake_at__isnull=False)),
            models.Index(
                fields=["client", "service", "category", "answered_at"], name="recurrences_of_one_kind"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "service", "category"],
                condition=Q(state__in=["counting", "proposed"]),
                nulls_distinct=False,
                name="one_open_recurrence_per_kind",
            ),
            models.CheckConstraint(
                condition=Q(state="counting", proposed_at__isnull=True)
                | (~Q(state="counting") & Q(proposed_at__isnull=False, since__isnull=False)),
                name="a_proposed_recurrence_says_since_when",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["accepted", "dismissed"], answered_at__isnull=False)
                | Q(state__in=["counting", "proposed"], answered_at__isnull=True),
                name="an_answered_recurrence_says_when",
            ),
        ]

    def __str__(self) -> str:
        return " · ".join(str(part) for part in (self.client, self.service, self.category.path) if part)

    def tickets(self) -> QuerySet[Ticket]:
        """The incidents that may have one cause: none that has a problem, or follows a major incident."""
        return _incidents(self, self.since or current().at - WINDOW)

    def accept(self, problem: Problem, *, by: Agent, why: str, incidents: int) -> None:
        """This problem is behind them, to which so many of them were linked. The caller held it."""
        self._answer(RecurrenceState.ACCEPTED, by, why, problem=problem, incidents=incidents)

    def dismiss(self, *, by: Agent, why: str) -> None:
        """They have nothing to do with each other. Raises UnableTo without a reason, and where somebody was faster."""
        if not why.strip():
            raise UnableTo(
                "Say why no problem is behind them: they are proposed again when as many new ones come."
            )
        self.hold()
        self._answer(RecurrenceState.DISMISSED, by, why)

    def hold(self) -> None:
        """Nobody else answers it meanwhile. Raises UnableTo where somebody did."""
        found = type(self).objects.proposed().filter(pk=self.pk).select_for_update(of=("self",))
        if not found.exists():
            raise UnableTo("Somebody answered this meanwhile; look at it again.")

    def _answer(self, state: RecurrenceState, by: Agent, why: str, **more: Any) -> None:
        changes = {
            "state": state,
            "answered_by": by,
            "answered_at": current().at,
            "answer": why.strip(),
            "wake_at": None,
        }
        for name, value in (changes | more).items():
            setattr(self, name, value)
        self.save(update_fields=[*changes, *more])

    def count(self, at: datetime) -> None:
        """Whether there are enough by now. What was answered before counts no more."""
        answered = type(self).objects.filter(**self._kind(), state__in=ANSWERED)
        last = answered.aggregate(at=Max("answered_at"))["at"]
        since = max(one for one in (at - WINDOW, last) if one is not None)
        if self.state == RecurrenceState.PROPOSED and self.since is not None:
            since = self.since
        found = _incidents(self, since).aggregate(count=Count("pk"), first=Min("created_at"))
        count = found["count"]
        if self.state == RecurrenceState.COUNTING and count < REPEATS:
            self.delete()
            return
        self.since, self.incidents, self.wake_at = found["first"] or since, count, None
        self.state, self.proposed_at = RecurrenceState.PROPOSED, self.proposed_at or at
        self.save(update_fields=["since", "incidents", "wake_at", "state", "proposed_at"])

    def _kind(self) -> dict[str, Any]:
        return {"client": self.client_id, "service": self.service_id, "category": self.category_id}


def count_repeats(due: Iterable[Recurrence], at: datetime) -> None:
    """What due recurrences do: they are counted, and proposed or forgotten."""
    for one in due:
        one.count(at)


def _incidents(one: Recurrence, since: datetime) -> QuerySet[Ticket]:
    found: QuerySet[Ticket] = Ticket.objects.filter(
        **one._kind(), type=TicketType.INCIDENT, is_major=False, created_at__gte=since, problems__isnull=True
    )
    return found.exclude(state=State.CANCELLED).exclude(pk__in=Child.objects.values("ticket"))


def look_for_repeats(tickets: Iterable[int], at: datetime) -> None:
    """These were solved: whether they were repeats is to be counted, soon."""
    with connection.cursor() as cursor:
        cursor.execute(LOOK, [at + COUNTED_AFTER, list(tickets)])


LOOK = """
INSERT INTO problems_recurrence AS known (client_id, service_id, category_id, state, incidents, answer, wake_at)
SELECT DISTINCT client_id, service_id, category_id, 'counting', 0, '', %s::timestamptz FROM tickets_ticket
WHERE id = ANY (%s::bigint[]) AND category_id IS NOT NULL AND type = 'incident'
ORDER BY client_id, service_id, category_id
ON CONFLICT (client_id, service_id, category_id) WHERE state IN ('counting', 'proposed')
DO UPDATE SET wake_at = coalesce(known.wake_at, excluded.wake_at)
"""
