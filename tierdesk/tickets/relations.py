"""Who else is on a ticket, and how tickets belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q

from tierdesk.core.work import record
from tierdesk.directory.clients.models import Client, Contact
from tierdesk.directory.clients.visibility import ClientRows
from tierdesk.tickets.facts import Linked
from tierdesk.tickets.lifecycle import UnableTo

if TYPE_CHECKING:
    from tierdesk.tickets.models import Ticket


class Participant(models.Model):
    """Somebody besides the contact who follows a ticket. Mail only proposes one; a person accepts (`accepted`)."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE)
    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.CASCADE, related_name="participants")
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.CASCADE)
    email = models.EmailField(blank=True)
    accepted = models.BooleanField(default=False)

    objects = ClientRows.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ticket", "email"], name="a_participant_once_per_ticket")
        ]


class RelationKind(models.TextChoices):
    FOLLOW_UP = "follow_up_of", "follows up"
    RELATED = "possibly_related", "may be related to"
    PARENT = "parent", "is part of"


class Relation(models.Model):
    """`ticket` relates to `other` of the same client, in one of the ways of RelationKind."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE)
    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.CASCADE, related_name="relations")
    other = models.ForeignKey("tickets.Ticket", on_delete=models.CASCADE, related_name="related_from")
    kind = models.CharField(max_length=20, choices=RelationKind.choices)

    objects = ClientRows.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ticket", "other", "kind"], name="a_relation_once"),
            models.CheckConstraint(condition=~Q(ticket=F("other")), name="no_ticket_relates_to_itself"),
        ]


class Relations:
    """The verbs that tie tickets together. Mixed into `Ticket`."""

    def relate(self: Ticket, other: Ticket, kind: str) -> None:
        """Relate to another ticket of the same client. Raises UnableTo across clients."""
        if other.client_id != self.client_id:
            raise UnableTo("Tickets of different clients are never linked.")
        Relation.objects.get_or_create(client_id=self.client_id, ticket=self, other=other, kind=kind)
        record(Linked(ticket=self, relation=kind, other=other.pk))

    def is_participant(self: Ticket, email: str) -> bool:
        """Whether mail from this address comes from somebody who already follows the ticket."""
        address = email.strip().lower()
        if self.contact and self.contact.email.lower() == address:
            return True
        return self.participants.filter(email=address, accepted=True).exists()
