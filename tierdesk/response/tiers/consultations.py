"""Advice: another tier helps for some minutes while the ticket stays where it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Q

from tierdesk.core.work import current, record
from tierdesk.directory.calendars.hours import Hours
from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import InternalRows
from tierdesk.directory.staff.models import Agent, Membership, Team
from tierdesk.response.tiers.facts import AdviceLate, ConsultationAnswered, Consulted
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Ticket

if TYPE_CHECKING:
    from tierdesk.response.tiers.models import Escalation

WITHIN = timedelta(minutes=30)
"""Working time in which advice is expected, unless the asker says another."""

WITHINS = (15, 30, 60, 240)
"""Minutes that an asker may choose from."""

LONGEST_MIN = 10_000
"""Minutes that advice can take: a week. More is a slip."""


class Consultations(InternalRows):
    def open(self) -> Self:
        return self.filter(answered_at=None)


class Consultation(models.Model):
    """A question to another tier while the ticket stays where it is; timed, with its answer.

    `due_at`: by when advice is expected, counted in the hours of the ticket's contract; None where these never open.
    `wake_at`: when its lateness is told, once. `helper`: who solves it together with the asker, for a hand-over that
    came back so (`escalation`). `minutes`: how long the advice took its giver, as they say themselves.
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE)
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="consultations")
    escalation = models.OneToOneField(
        "tiers.Escalation", null=True, on_delete=models.CASCADE, related_name="coaching"
    )
    team = models.ForeignKey(Team, on_delete=models.PROTECT)
    helper = models.ForeignKey(Agent, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_by = models.ForeignKey(Agent, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True)
    wake_at = models.DateTimeField(null=True, blank=True)
    question = models.TextField()
    answered_by = models.ForeignKey(Agent, null=True, on_delete=models.SET_NULL, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(blank=True)
    minutes = models.PositiveSmallIntegerField(null=True, blank=True)

    objects = Consultations.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["wake_at"], name="advice_to_wait_for", condition=Q(wake_at__isnull=False))
        ]

    @classmethod
    def ask(
        cls, ticket: Ticket, team: Team, *, by: Agent, question: str, within: timedelta = WITHIN
    ) -> Consultation:
        """Ask a team for advice. Raises UnableTo without a question, or when nothing is left to solve."""
        if not question.strip():
            raise UnableTo("Write the question.")
        if not ticket.is_unresolved():
            raise UnableTo(f"{ticket.reference} is {ticket.state}; there is nothing to ask about any more.")
        if team.pk == ticket.team_id:
            raise UnableTo(f"{team.name} works {ticket.reference} itself; ask another team.")
        if not timedelta(0) < within <= timedelta(minutes=LONGEST_MIN):
            raise UnableTo(f"Advice is given within 1 to {LONGEST_MIN} minutes.")
        asked = cls._begin(ticket, team, by, question.strip(), within)
        record(
            Consulted(
                ticket=ticket,
                consultation=asked.pk,
                team=team.pk,
                question=asked.question,
                within_s=int(within.total_seconds()),
            )
        )
        return asked

    @classmethod
    def help(cls, hand_over: Escalation, helper: Agent) -> Consultation:
        """The hand-over came back to be solved together: its question is answered by a helper of that team."""
        question = hand_over.contents.exact_ask or hand_over.contents.symptom or hand_over.ticket.subject
        asker = hand_over.sent_by or hand_over.from_agent
        return cls._begin(
            hand_over.ticket, hand_over.to_team, asker, question, WITHIN, helper=helper, escalation=hand_over
        )

    @classmethod
    def _begin(
        cls, ticket: Ticket, team: Team, by: Agent | None, question: str, within: timedelta, **more: Any
    ) -> Consultation:
        at = current().at
        due_at = _hours_of(ticket).add(at, within)
        return cls.objects.create(
            client_id=ticket.client_id,
            ticket=ticket,
            team=team,
            asked_by=by,
            asked_at=at,
            due_at=due_at,
            wake_at=due_at,
            question=question,
            **more,
        )

    def reply(self, agent: Agent, answer: str, *, minutes: int | None = None) -> None:
        """Give advice, and say how many minutes it took. The first answer counts."""
        if not answer.strip():
            raise UnableTo("Write the advice.")
        if minutes is not None and not 0 <= minutes <= LONGEST_MIN:
            raise UnableTo(f"Say how long it took in minutes, 0 to {LONGEST_MIN}.")
        values = {
            "answered_by": agent,
            "answered_at": current().at,
            "answer": answer.strip(),
            "minutes": minutes,
            "wake_at": None,
        }
        if not type(self).objects.open().filter(pk=self.pk).update(**values):
            raise UnableTo("Somebody has answered already.")
        for name, value in values.items():
            setattr(self, name, value)
        record(
            ConsultationAnswered(
                ticket=self.ticket, consultation=self.pk, answer=answer.strip(), minutes=minutes
            )
        )

    def is_late(self, at: datetime) -> bool:
        return self.due_at is not None and (self.answered_at or at) > self.due_at


def wake_consultations(rows: Sequence[Any], at: datetime) -> None:
    """Advice that was expected by now and has not come: whoever asked, whoever helps and the team's leads hear of it.

    Only as long as something is left to solve.
    """
    Consultation.objects.filter(pk__in=[row.pk for row in rows]).update(wake_at=None)
    leads = _leads({row.team_id for row in rows})
    tickets = Ticket.objects.in_bulk([row.ticket_id for row in rows])
    for row in rows:
        ticket = tickets[row.ticket_id]
        if not ticket.is_unresolved():
            continue
        told = {row.asked_by_id, row.helper_id, *leads.get(row.team_id, ())} - {None}
        record(
            AdviceLate(
                ticket=ticket,
                consultation=row.pk,
                team=row.team_id,
                question=row.question,
                agents=sorted(told),
            )
        )


def _hours_of(ticket: Ticket) -> Hours:
    version = ticket.contract_version
    return version.calendar.hours if version else Hours.always()


def _leads(teams: set[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for team, agent in Membership.objects.filter(team__in=teams, is_lead=True).values_list("team", "agent"):
        found.setdefault(team, set()).add(agent)
    return found
