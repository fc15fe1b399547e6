"""A client escalates by themselves: those who answer for the ticket are told. It moves nothing and changes no owner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import models
from django.utils.translation import gettext as _

from tierdesk.core.work import current, record
from tierdesk.directory.clients.models import Client, Contact
from tierdesk.directory.clients.visibility import ClientRows
from tierdesk.directory.contracts.models import Contract
from tierdesk.response.tiers.facts import Complained
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Ticket

TELL = ("team_lead", "managers")
"""Who is told of a complaint, if the contract does not say."""

ONCE_IN = timedelta(days=1)
"""Of one ticket, those who answer for it hear once in so long."""


@dataclass(frozen=True, slots=True)
class Entitlement:
    """How many complaints a contract gives its client each month, how many were made in this one, and who is told."""

    per_month: int = 0
    made: int = 0
    tell: Sequence[str] = TELL

    @property
    def left(self) -> int:
        return max(0, self.per_month - self.made)


class Complaints(ClientRows):
    def standing(self, at: datetime) -> Self:
        """Those of which is known since so little that another would tell nothing new."""
        return self.filter(made_at__gt=at - ONCE_IN)


class Complaint(models.Model):
    """One escalation by a contact, with their reason. `contract`: whose entitlement it was made under."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, db_index=False)
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="complaints")
    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="+", db_index=False)
    contact = models.ForeignKey(Contact, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.TextField()
    made_at = models.DateTimeField()

    objects = Complaints.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["contract", "made_at"], name="complaints_of_a_month")]

    @classmethod
    def make(cls, ticket: Ticket, contact: Contact, *, reason: str) -> Complaint:
        """Tell those who answer for the ticket. Raises UnableTo, in words for the contact.

        The contract is locked, so that two at once do not both take the last one of a month.
        """
        why = " ".join(reason.split())
        version = ticket.contract_version
        if version is None:
            raise UnableTo(_("Your contract has no escalation. Answer below, and we read it."))
        Contract.objects.select_for_update().get(pk=version.contract_id)
        entitled = entitlement_of(ticket, current().at)
        _check(ticket, entitled, why, current().at)
        complaint = cls.objects.create(
            client_id=ticket.client_id,
            ticket=ticket,
            contract_id=version.contract_id,
            contact=contact,
            reason=why,
            made_at=current().at,
        )
        record(
            Complained(
                ticket=ticket,
                complaint=complaint.pk,
                contact=contact.pk,
                contact_name=contact.name,
                reason=why,
                used=entitled.made + 1,
                allowed=entitled.per_month,
                tell=list(entitled.tell),
            )
        )
        return complaint


def entitlement_of(ticket: Ticket, at: datetime) -> Entitlement:
    """What the ticket's contract gives, and what of it is used in the month of `at`, by the client's own calendar."""
    version = ticket.contract_version
    agreed: Mapping[str, Any] = version.complaints if version else {}
    if version is None or not agreed.get("per_month"):
        return Entitlement()
    since = _month(at, ticket.client.timezone)
    made = Complaint.objects.filter(contract=version.contract_id, made_at__gte=since).count()
    return Entitlement(int(agreed["per_month"]), made, tuple(agreed.get("tell") or TELL))


def _check(ticket: Ticket, entitled: Entitlement, why: str, at: datetime) -> None:
    if not entitled.per_month:
        raise UnableTo(_("Your contract has no escalation. Answer below, and we read it."))
    if not ticket.is_unresolved():
        raise UnableTo(_("This request is not open any more. Reopen it, or send a new one."))
    if not why:
        raise UnableTo(_("Say what is going wrong, so that somebody can change it."))
    if Complaint.objects.standing(at).filter(ticket=ticket).exists():
        raise UnableTo(_("Those who answer for this request know of it since less than a day."))
    if not entitled.left:
        raise UnableTo(
            _("Your contract’s %(count)s escalations of this month are used. Answer below, and we read it.")
            % {"count": entitled.per_month}
        )


def _month(at: datetime, zone: str) -> datetime:
    """When the month of an instant began in this zone; in UTC where the zone written down does not exist."""
    try:
        local = at.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        local = at
    return local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
