"""The tickets that follow a major incident. They keep their client; none of them knows another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet

from tierdesk.core import rows
from tierdesk.core.words import Word
from tierdesk.core.work import current, record
from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import InternalRows
from tierdesk.directory.staff.models import User
from tierdesk.response.major.facts import ChildrenLinked, MajorFollowed
from tierdesk.response.major.proposals import let_lapse
from tierdesk.tickets.lifecycle import PendingReason, State, UnableTo
from tierdesk.tickets.models import Ticket
from tierdesk.tickets.together import together

if TYPE_CHECKING:
    from tierdesk.response.major.models import MajorIncident

OFFERED = 50
"""Tickets that may belong to it, at once."""

NAMED_AT_MOST = 5
"""Numbers in a refusal."""


class ChildState(models.TextChoices):
    FOLLOWING = "following", "Follows it"
    RELEASED = "released", "Back to work by itself"
    RESOLVED = "resolved", "Solved with it"
    ENDED = "ended", "Ended by itself"


class Children(InternalRows):
    def following(self) -> Self:
        return self.filter(state=ChildState.FOLLOWING)


class Child(models.Model):
    """A ticket, of any client, with the same cause as a major incident; it waits as long as it follows.

    It belongs to its ticket's client: whoever does not serve that client does not see that there is such a child, and
    whoever does not serve the parent's sees the child alone.
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE, db_index=False)
    incident = models.ForeignKey("major.MajorIncident", on_delete=models.CASCADE, related_name="children")
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="majors")
    state = Word(max_length=9, choices=ChildState.choices, default=ChildState.FOLLOWING)
    linked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = Children.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["ticket"], condition=Q(state="following"), name="a_ticket_follows_one_major_incident"
            ),
            models.CheckConstraint(
                condition=Q(state="following", ended_at__isnull=True)
                | (~Q(state="following") & Q(ended_at__isnull=False)),
                name="a_child_that_follows_no_more_says_since_when",
            ),
        ]


COLUMNS = "client_id incident_id ticket_id state linked_at".split()


def link(incident: MajorIncident, tickets: Sequence[int]) -> list[Ticket]:
    """Let these tickets (by key) follow: they wait for it, whatever they waited for before.

    Raises UnableTo, and links none, if one of them is solved, is a major incident, or follows one already.
    """
    with together(Ticket, tickets) as found:
        _check(incident, found)
        for ticket in found:
            if ticket.state == State.PENDING:
                ticket.resume(f"it follows the major incident {incident.ticket.reference}")
    current().settle()
    with together(Ticket, tickets) as found:
        for ticket in found:
            ticket.pend(PendingReason.MAJOR_PARENT, linked=True)
    at = current().at
    new = [[one.client_id, incident.pk, one.pk, ChildState.FOLLOWING.value, at] for one in found]
    rows.insert(Child, COLUMNS, new)
    let_lapse(ticket.pk for ticket in found)
    for ticket in found:
        record(MajorFollowed(ticket=ticket, incident=incident.pk, parent=incident.ticket_id))
    record(
        ChildrenLinked(ticket=incident.ticket, incident=incident.pk, children=[ticket.pk for ticket in found])
    )
    return found


def release(child: Child, *, why: str) -> None:
    """It has another cause: back to work. Raises UnableTo without a reason, or if it follows no longer."""
    if not why.strip():
        raise UnableTo("Say why it does not belong to the major incident.")
    if child.state != ChildState.FOLLOWING:
        raise UnableTo(f"{child.ticket.reference} does not follow the major incident any more.")
    child.ticket.resume(why.strip())


def similar_to(ticket: Ticket, user: User) -> QuerySet[Ticket]:
    """Open tickets that may have the same cause, the newest first: of the same service or category, of any client."""
    alike = Q(pk__in=[])
    if ticket.service_id:
        alike |= Q(service=ticket.service_id)
    if ticket.category_id:
        alike |= Q(category=ticket.category_id)
    follows = Child.objects.following().filter(ticket=OuterRef("pk"))
    mine = Ticket.objects.visible_to(user).unresolved().filter(alike, ~Exists(follows), is_major=False)
    return mine.exclude(pk=ticket.pk).select_related("client", "contact").order_by("-pk")[:OFFERED]


def _check(incident: MajorIncident, tickets: Sequence[Ticket]) -> None:
    if not tickets:
        raise UnableTo("Choose tickets, or type their numbers.")
    following = set(Child.objects.following().filter(ticket__in=tickets).values_list("ticket_id", flat=True))
    wrong = {
        "is solved or cancelled": [one for one in tickets if not one.is_unresolved()],
        "is a major incident itself": [one for one in tickets if one.is_major],
        "follows a major incident already": [one for one in tickets if one.pk in following],
    }
    told = [f"{_named(those)}: {why}" for why, those in wrong.items() if those]
    if told:
        raise UnableTo(f"Nothing was linked. {'; '.join(told)}.")


def _named(tickets: Sequence[Ticket]) -> str:
    names = ", ".join(ticket.reference for ticket in tickets[:NAMED_AT_MOST])
    return names if len(tickets) <= NAMED_AT_MOST else f"{names} and {len(tickets) - NAMED_AT_MOST} more"
