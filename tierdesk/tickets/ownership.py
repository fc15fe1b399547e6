"""Who has the ticket: the tier and team that work it, the agent who does, and the team that talks to the contact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import F

from tierdesk.core.work import record
from tierdesk.directory.contracts.models import ContractVersion, version_in_force
from tierdesk.directory.services.models import TicketType
from tierdesk.tickets.facts import (
    Categorised,
    ContactNamed,
    HandedOver,
    Renamed,
    Reprioritised,
    Retyped,
    ServiceNamed,
    TermsChanged,
)
from tierdesk.tickets.lifecycle import LONGEST_SUBJECT, UnableTo
from tierdesk.tickets.priority import DEFAULT_MATRIX, Reading, prioritise

if TYPE_CHECKING:
    from tierdesk.directory.clients.models import Contact
    from tierdesk.directory.services.models import Category, Service
    from tierdesk.directory.staff.models import Agent, Team
    from tierdesk.tickets.models import Ticket


class Ownership:
    """The verbs that move the work. Mixed into `Ticket`; each runs inside a unit of work."""

    def hand_over(self: Ticket, team: Team, *, why: str, assignee: Agent | None = None) -> None:
        """Another team, and with it perhaps another tier, works the ticket from now on.

        Who talks to the contact (`voice_team`) stays as it was: first line keeps the contact until resolved.
        """
        if not self.is_unresolved():
            raise UnableTo(f"{self.reference} is {self.state} and cannot be handed over.")
        if team.pk == self.team_id:
            raise UnableTo(f"{team.name} already has {self.reference}.")
        before_tier, before_team = self.tier, self.team_id
        self.change(tier=team.tier, team=team, assignee=assignee, hand_over_count=F("hand_over_count") + 1)
        record(
            HandedOver(
                ticket=self,
                from_tier=before_tier,
                from_team=before_team,
                to_tier=team.tier,
                to_team=team.pk,
                why=why,
            )
        )

    def categorise(self: Ticket, category: Category) -> None:
        before = self.category.path if self.category else None
        if before == category.path:
            return
        self.change(category=category)
        record(Categorised(ticket=self, category=category.path, before=before))

    def name_service(self: Ticket, service: Service | None) -> None:
        """Say which service it is about, or that it is about none that is known.

        The priority follows if one of the two is critical, unless somebody overrode it; a component of another service
        is forgotten. Who works it does not change. Raises UnableTo for a service of another client.
        """
        before, was = self.service, self.priority
        if service == before:
            return
        if service is not None and service.client_id not in (None, self.client_id):
            raise UnableTo(f"{service.name} is not a service of {self.client.name}.")
        if not self.is_unresolved():
            raise UnableTo(f"{self.reference} is {self.state}; what it was about is history.")
        fits = self.component is not None and self.component.service == service
        self.service = service
        self._adopt(self.contract_version, service=service, component=self.component if fits else None)
        name = service.name if service else ""
        record(
            ServiceNamed(
                ticket=self,
                service=service.pk if service else None,
                after=name,
                before=before.name if before else "",
            )
        )
        if self.priority != was:
            self._tell_priority(was, f"it is about {name or 'no service that is known'} now")

    def name_contact(self: Ticket, contact: Contact) -> None:
        """Say whose trouble it is, of a ticket that has no contact: what we write goes to them, and they may read it.

        The priority follows if they are a VIP, unless somebody overrode it. Raises UnableTo where somebody is named
        already, and for somebody of another client.
        """
        if self.contact is not None:
            raise UnableTo(f"{self.contact.name} is the contact of {self.reference}.")
        if contact.client_id != self.client_id or not contact.is_active:
            raise UnableTo(f"{contact.name} is nobody of {self.client.name}.")
        if not self.is_unresolved():
            raise UnableTo(f"{self.reference} is {self.state}; whose it was is history.")
        was, self.contact = self.priority, contact
        self._adopt(self.contract_version, contact=contact)
        record(ContactNamed(ticket=self, contact=contact.pk, contact_name=contact.name))
        if self.priority != was:
            self._tell_priority(was, f"its contact is {contact.name}, a VIP")

    def rename(self: Ticket, subject: str) -> None:
        """Call it by what it is about. Mails to the contact keep the subject that they began with.

        Raises UnableTo for an empty subject, the same one, or one of more than 300 letters.
        """
        subject, before = " ".join(subject.split()), self.subject
        if not subject:
            raise UnableTo("Say what it is about.")
        if len(subject) > LONGEST_SUBJECT:
            raise UnableTo(f"A subject has {LONGEST_SUBJECT} letters at most; this one has {len(subject)}.")
        if subject == before:
            raise UnableTo(f"{self.reference} is called that already.")
        self.change(subject=subject, opened_as=self.opened_as or before)
        record(Renamed(ticket=self, after=subject, before=before))

    def assess(self: Ticket, *, impact: int, urgency: int, reason: str) -> None:
        """Set impact and urgency (1 high to 3 low); the contract's matrix gives the priority."""
        if not reason.strip():
            raise UnableTo("Say why impact or urgency change.")
        before, computed = self.priority, self.priority_by(self.contract_version, impact, urgency)
        self.change(impact=impact, urgency=urgency, computed_priority=computed, priority=computed)
        self._tell_priority(before, reason)

    def _tell_priority(self: Ticket, before: int, reason: str) -> None:
        """Its priority is what the matrix says: because of what."""
        reading = self.reading_by(self.contract_version, self.impact, self.urgency)
        record(
            Reprioritised(
                ticket=self,
                before=before,
                after=self.priority,
                reason=reason,
                impact=reading.impact,
                urgency=reading.urgency,
            )
        )

    def priority_by(self: Ticket, version: ContractVersion | None, impact: int, urgency: int) -> int:
        """The priority that a version's matrix gives this ticket for an impact and an urgency."""
        return self.reading_by(version, impact, urgency).priority

    def reading_by(self: Ticket, version: ContractVersion | None, impact: int, urgency: int) -> Reading:
        """The same with what the matrix was asked."""
        return prioritise(
            impact=impact,
            urgency=urgency,
            matrix=version.matrix if version else DEFAULT_MATRIX,
            vip=bool(self.contact and self.contact.is_vip),
            critical_service=bool(self.service and self.service.criticality == 1),
        )

    def change_terms(self: Ticket, version: ContractVersion, *, why: str) -> None:
        """Let another version of the contract apply from now on; else a ticket keeps the one it was opened under.

        A priority that somebody had overridden stays. Raises UnableTo for a version of another client's contract.
        """
        if version.client_id != self.client_id:
            raise UnableTo("This contract is not of the ticket’s client.")
        if not self.is_unresolved():
            raise UnableTo(f"{self.reference} is {self.state}; its terms are history.")
        if not why.strip():
            raise UnableTo("Say why other terms apply.")
        if version.pk == self.contract_version_id:
            return
        if version.contract.type not in ("", self.type):
            raise UnableTo(
                f"This contract is for another type of tickets; {self.reference} is of type {self.type}."
            )
        before = self.contract_version_id
        priority = self._adopt(version)
        record(
            TermsChanged(
                ticket=self,
                before=before,
                after=version.pk,
                version=str(version),
                priority=priority,
                why=why,
            )
        )

    def retype(self: Ticket, type: str, *, why: str) -> None:
        """It is an incident after all, or a service request: what is agreed for that applies as if it always had (E13).

        Where the contract does not tell the types apart, no clock changes. Raises UnableTo for a major incident, which
        is one by its name, and without a reason.
        """
        if type not in TicketType.values:
            raise UnableTo(f"“{type}” is not a type; choose one of {', '.join(TicketType.values)}.")
        if not self.is_unresolved():
            raise UnableTo(f"{self.reference} is {self.state}; its type is history.")
        if self.is_major:
            raise UnableTo(f"{self.reference} is a major incident; stand it down before it is a request.")
        if not why.strip():
            raise UnableTo("Say why it is of another type.")
        if type == self.type:
            raise UnableTo(f"{self.reference} is of this type already.")
        before, version = self.type, self._version_for(type)
        anew = version != self.contract_version
        priority = self._adopt(version, type=type)
        record(
            Retyped(
                ticket=self,
                before=before,
                after=type,
                version=str(version or ""),
                anew=anew,
                priority=priority,
                why=why.strip(),
            )
        )

    def _version_for(self: Ticket, type: str) -> ContractVersion | None:
        """The version that applies to a ticket of this type opened then; the present one if that is for all types."""
        fit = version_in_force(self.client_id, self.created_at.date(), type)
        current = self.contract_version
        if current is not None and current.contract.type == "" and (fit is None or fit.contract.type == ""):
            return current
        return fit

    def _adopt(self: Ticket, version: ContractVersion | None, **changes: Any) -> int:
        """Let a version apply, with other changes; the priority that its matrix gives, unless somebody overrode it."""
        computed = self.priority_by(version, self.impact, self.urgency)
        overridden = self.priority != self.computed_priority
        priority = self.priority if overridden else computed
        self.change(contract_version=version, computed_priority=computed, priority=priority, **changes)
        return priority

    def override_priority(self: Ticket, priority: int, *, reason: str) -> None:
        """Set the effective priority by hand; the computed one is kept beside it. For leads (checked by the face)."""
        if priority not in range(1, 6):
            raise UnableTo("A priority is a number from 1 (critical) to 5 (planning).")
        if not reason.strip():
            raise UnableTo("Say why the priority is overridden.")
        before = self.priority
        self.change(priority=priority)
        record(Reprioritised(ticket=self, before=before, after=priority, reason=reason, overridden=True))
