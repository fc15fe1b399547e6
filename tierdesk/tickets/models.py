"""The ticket: somebody's trouble, and where it stands. What is done about it lives in the response rooms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import Q

from tierdesk.core import rows
from tierdesk.core.read import ReadByTheThousand
from tierdesk.core.words import Word
from tierdesk.core.work import current, record
from tierdesk.directory.clients.models import Client, Contact
from tierdesk.directory.clients.visibility import ClientRows, visible_clients
from tierdesk.directory.contracts.models import ContractVersion
from tierdesk.directory.services.models import Category, Component, Service, TicketType
from tierdesk.directory.staff.models import Agent, Team, Tier, User
from tierdesk.tickets.conversation import Attachment, Conversation, Direction, Message
from tierdesk.tickets.facts import Opened
from tierdesk.tickets.lifecycle import LONGEST_SUBJECT, UNRESOLVED, Lifecycle, PendingReason, State
from tierdesk.tickets.merging import Merging
from tierdesk.tickets.ownership import Ownership
from tierdesk.tickets.relations import Participant, Relation, Relations
from tierdesk.tickets.timeline import Entry

__all__ = ["Attachment", "Draft", "Entry", "Message", "Participant", "Relation", "Ticket", "Tickets"]

FIRST_NUMBER = 1001

AS_TOLD = (
    "client",
    "contact",
    "contract_version",
    "service",
    "category",
    "type",
    "subject",
    "state",
    "pending_reason",
    "priority",
    "tier",
    "team",
    "voice_team",
    "assignee",
)
"""What entries of the timeline and notices say of a ticket."""


class Tickets(ClientRows):
    """Sets of tickets, as adjectives."""

    def visible_to(self, user: User) -> Self:
        """Agents: the clients they serve. Contacts: their own tickets, or the whole client's if they may."""
        ids = visible_clients(user)
        if ids is None:
            return self
        mine = self.filter(client_id__in=ids)
        if hasattr(user, "agent"):
            return mine
        contact = getattr(user, "contact", None)
        if contact is None:
            return self.none()
        if contact.sees_client:
            return mine
        return mine.filter(
            Q(contact=contact) | Q(participants__contact=contact, participants__accepted=True)
        ).distinct()

    def as_told(self) -> Self:
        """Read no further than entries and notices tell of them; what else is asked of one is then read of all."""
        return self.only(*AS_TOLD).fetch_mode(models.FETCH_PEERS)

    def unresolved(self) -> Self:
        return self.filter(state__in=UNRESOLVED)

    def unassigned(self) -> Self:
        return self.filter(assignee=None)

    def of_team(self, team: Team) -> Self:
        return self.filter(team=team)

    def worked_by(self, agent: Agent) -> Self:
        return self.filter(assignee=agent)

    def due_before(self, at: datetime) -> Self:
        return self.filter(next_due_at__lt=at)


class Ticket(Lifecycle, Ownership, Conversation, Relations, Merging, ReadByTheThousand):
    """One matter of one client. `version` counts changes of state and ownership, so that the slower of two knows.

    `type`: an incident or a service request. `tier`, `team`, `assignee`: who works it. `voice_team`: who talks to the
    contact. `next_due_at`: when the next running clock of any kind is due (a projection that response/sla keeps, for
    ordering queues). `opened_as`: its first subject, once it has another; mails keep that one, since mail programs
    group by it. `traits`: what a machine told when it opened the ticket, flat, such as `alarm.class` and
    `alarm.resource`; books match on it.
    """

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="tickets", db_index=False)
    contact = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="tickets"
    )
    service = models.ForeignKey(Service, null=True, blank=True, on_delete=models.SET_NULL)
    component = models.ForeignKey(Component, null=True, blank=True, on_delete=models.SET_NULL)
    category = models.ForeignKey(Category, null=True, blank=True, on_delete=models.SET_NULL, db_index=False)
    suggested_category = models.ForeignKey(
        Category, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    contract_version = models.ForeignKey(ContractVersion, null=True, blank=True, on_delete=models.PROTECT)
    type = models.CharField(max_length=8, choices=TicketType.choices, default=TicketType.INCIDENT)
    channel = models.CharField(max_length=12)
    subject = models.CharField(max_length=LONGEST_SUBJECT)
    opened_as = models.CharField(max_length=LONGEST_SUBJECT, blank=True, default="", db_default="")
    description = models.TextField(blank=True)
    traits = models.JSONField(default=dict, blank=True)

    state = Word(max_length=10, choices=State.choices, default=State.NEW)
    pending_reason = models.CharField(max_length=20, choices=PendingReason.choices, blank=True)
    impact = models.PositiveSmallIntegerField(default=3)
    urgency = models.PositiveSmallIntegerField(default=2)
    computed_priority = models.PositiveSmallIntegerField(default=4)
    priority = models.PositiveSmallIntegerField(default=4)
    is_major = models.BooleanField(default=False)

    tier = models.PositiveSmallIntegerField(choices=Tier.choices, default=Tier.L1)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.PROTECT, db_index=False)
    assignee = models.ForeignKey(
        Agent, null=True, blank=True, on_delete=models.SET_NULL, related_name="tickets"
    )
    voice_team = models.ForeignKey(
        Team, null=True, blank=True, on_delete=models.PROTECT, related_name="voiced", db_index=False
    )
    hand_over_count = models.PositiveSmallIntegerField(default=0)
    return_count = models.PositiveSmallIntegerField(default=0)
    reopen_count = models.PositiveSmallIntegerField(default=0)

    created_at = models.DateTimeField()
    touched_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    first_responded_at = models.DateTimeField(null=True, blank=True)
    first_resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    resolution_code = models.CharField(max_length=20, blank=True)
    resolved_tier = models.PositiveSmallIntegerField(null=True, blank=True)
    duplicate_of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="duplicates"
    )

    next_due_at = models.DateTimeField(null=True, blank=True)
    wake_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    course: Course
    """What triage decided, from the opening until that is told; the timeline keeps it."""

    objects = Tickets.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["wake_at"], name="tickets_to_wake", condition=Q(wake_at__isnull=False)),
            models.Index(
                fields=["team", "next_due_at", "id"],
                name="queue_of_a_team",
                condition=Q(state__in=UNRESOLVED),
            ),
            models.Index(
                fields=["next_due_at", "id"], name="queue_of_all", condition=Q(state__in=UNRESOLVED)
            ),
            models.Index(
                fields=["assignee", "next_due_at"],
                name="queue_of_an_agent",
                condition=Q(state__in=UNRESOLVED, assignee__isnull=False),
            ),
            models.Index(fields=["client", "-id"], name="tickets_of_a_client"),
            models.Index(fields=["category", "client", "created_at"], name="tickets_of_a_category"),
            models.Index(fields=["-touched_at"], name="tickets_by_touch"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="pending", pending_reason__gt="")
                | (~Q(state="pending") & Q(pending_reason="")),
                name="a_pending_ticket_has_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["resolved", "closed"], resolved_at__isnull=False)
                | (~Q(state__in=["resolved", "closed"]) & Q(resolved_at__isnull=True)),
                name="resolved_means_resolved_at",
            ),
            models.CheckConstraint(
                condition=Q(priority__range=(1, 5), impact__range=(1, 3), urgency__range=(1, 3)),
                name="priority_is_1_to_5",
            ),
            models.CheckConstraint(condition=Q(tier__range=(1, 4)), name="a_ticket_is_on_a_tier"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.subject}"

    @property
    def reference(self) -> str:
        """What people call the ticket: `TD-1042`."""
        return f"TD-{self.pk}"

    @classmethod
    def open(cls, draft: Draft) -> Ticket:
        """Open one ticket; see `open_many`."""
        return cls.open_many([draft])[0]

    @classmethod
    def open_many(cls, drafts: Sequence[Draft]) -> list[Ticket]:
        """Open tickets in two statements, however many: rows, as triage decided, and first messages."""
        unit = current()
        tickets = [draft.ticket(pk, at=unit.at) for draft, pk in zip(drafts, _numbers(drafts), strict=True)]
        unit.wiring.opening(tickets, drafts)
        rows.insert(cls, TICKET_COLUMNS, [[getattr(t, name) for name in TICKET_ATTRS] for t in tickets])
        message_ids = _first_messages(drafts, tickets)
        for draft, ticket, message in zip(drafts, tickets, message_ids, strict=True):
            record(
                Opened(
                    ticket=ticket,
                    channel=ticket.channel,
                    assessed=draft.assessed,
                    typed=bool(draft.type),
                    message=message,
                    trust=draft.trust,
                )
            )
        return tickets


@dataclass(frozen=True, slots=True)
class Course:
    """What triage decided, in words: the path of the category, the name of the team, and why.

    `impact`, `urgency`: what the matrix was asked.
    """

    category: str | None
    priority: int
    team: str | None
    why: str
    impact: int
    urgency: int


@dataclass(kw_only=True)
class Draft:
    """What is known when trouble arrives. `at`: when it was received, if that was before now (default: the unit's).

    `type`: if somebody said it, else its category does. `said`: the words that it is made of, if they are a message
    already. `number`: of a ticket that is only tried, and must not use up one of those that people count by.
    """

    client: Client
    subject: str
    text: str
    channel: str
    contact: Contact | None = None
    service: Service | None = None
    component: Component | None = None
    category: Category | None = None
    type: str = ""
    impact: int | None = None
    urgency: int | None = None
    contract_version: ContractVersion | None = None
    html: str = ""
    message_id: str = ""
    trust: str = "verified"
    traits: dict[str, Any] = field(default_factory=dict)
    at: datetime | None = None
    said: Message | None = None
    number: int | None = None

    @property
    def assessed(self) -> bool:
        """Whether somebody said how grave it is."""
        return self.impact is not None or self.urgency is not None

    def ticket(self, pk: int, *, at: datetime) -> Ticket:
        return Ticket.made(
            {
                "client": self.client,
                "contact": self.contact,
                "service": self.service,
                "component": self.component,
                "category": self.category,
                "contract_version": self.contract_version,
            },
            id=pk,
            type=self.type or (self.category.type if self.category else "") or TicketType.INCIDENT,
            channel=self.channel,
            subject=" ".join(self.subject.split())[:LONGEST_SUBJECT] or "(no subject)",
            description=self.text,
            traits=self.traits,
            impact=self.impact or (self.category.impact if self.category else 3),
            urgency=self.urgency or (self.category.urgency if self.category else 2),
            created_at=self.at or at,
            touched_at=at,
        )


TICKET_ATTRS = [field.attname for field in Ticket._meta.concrete_fields if field.attname not in {"search"}]
TICKET_COLUMNS = [
    str(field.column) for field in Ticket._meta.concrete_fields if field.attname in set(TICKET_ATTRS)
]

MESSAGE_COLUMNS = [
    "id",
    "client_id",
    "ticket_id",
    "direction",
    "by_kind",
    "by_id",
    "by_name",
    "at",
    "channel",
    "text",
    "html",
    "message_id",
    "automatic",
    "trust",
    "why",
]


def _numbers(drafts: Sequence[Draft]) -> list[int]:
    fresh = iter(rows.reserve_ids(Ticket, sum(draft.number is None for draft in drafts)))
    return [next(fresh) if draft.number is None else draft.number for draft in drafts]


def _first_messages(drafts: Sequence[Draft], tickets: Sequence[Ticket]) -> list[int]:
    by = current().by
    fresh = iter(rows.reserve_ids(Message, sum(draft.said is None for draft in drafts)))
    ids = [draft.said.pk if draft.said else next(fresh) for draft in drafts]
    lines: list[list[Any]] = [
        [
            pk,
            ticket.client_id,
            ticket.pk,
            Direction.INBOUND.value,
            "contact" if draft.contact else by.kind,
            draft.contact.pk if draft.contact else by.id,
            draft.contact.name if draft.contact else by.name,
            ticket.created_at,
            draft.channel,
            draft.text,
            draft.html,
            draft.message_id,
            False,
            draft.trust,
            "",
        ]
        for pk, draft, ticket in zip(ids, drafts, tickets, strict=True)
        if draft.said is None
    ]
    rows.insert(Message, MESSAGE_COLUMNS, lines)
    return ids
